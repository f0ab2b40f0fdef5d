// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { nearest } from "./nearest.ts";

const words = ["streaming", "streaming-lazy", "coherent", "none", "vm"];

Deno.test("nearest() finds words with typing errors, and words from their first letters", () => {
  assertEquals(nearest("straeming", words), "streaming");
  assertEquals(nearest("coherant", words), "coherent");
  assertEquals(nearest("stream", words), "streaming");
  assertEquals(nearest("nome", words), "none");
});

Deno.test("nearest() returns null for a word that is similar to none", () => {
  assertEquals(nearest("fpga", words), null);
  assertEquals(nearest("xy", words), null);
  assertEquals(nearest("", words), null);
  assertEquals(nearest("none", []), null);
});
