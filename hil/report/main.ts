// SPDX-License-Identifier: MIT
/**
 * The program behind `--html` of `plumbline run`, `bench` and `report`. It reads an `HtmlInput` as JSON
 * from standard input and writes the page to standard output. It needs no permissions.
 *
 * @module
 */
import type { HtmlInput } from "../render/html.ts";
import { makePage } from "./page.ts";

const input = await new Response(Deno.stdin.readable).json() as HtmlInput;
const page = await makePage(input);
await new Blob([page]).stream().pipeTo(Deno.stdout.writable);
