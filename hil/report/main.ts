// SPDX-License-Identifier: MIT
/**
 * Makes a page of what is on standard input, a `HtmlInput` as JSON, and writes it to standard output.
 * `plumbline run --html`, `bench --html` and `report --html` start it; it needs no permission.
 *
 * @module
 */
import type { HtmlInput } from "../render/html.ts";
import { makePage } from "./page.ts";

const input = await new Response(Deno.stdin.readable).json() as HtmlInput;
const page = await makePage(input);
await new Blob([page]).stream().pipeTo(Deno.stdout.writable);
