// SPDX-License-Identifier: MIT
/**
 * A stand-in for the part of `@std/cli` that this project uses, over `node:util`.
 *
 * @module
 */
export { type Args, parseArgs, type ParseOptions } from "./parse_args.ts";
