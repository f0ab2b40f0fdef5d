// SPDX-License-Identifier: MIT

import { assertEquals, assertThrows } from "@std/assert";
import { struct } from "./layout.ts";

Deno.test("struct() lays out nested structs and arrays without gaps", () => {
  const inner = struct("inner", { a: "u64", b: ["u8", 8] });
  const outer = struct("outer", { id: "u32", error: "s32", inner: [inner, 3], end: "u64" });
  assertEquals([inner.size, inner.align], [16, 8]);
  assertEquals(outer.at, { id: 0, error: 4, inner: 8, end: 56 });
  assertEquals(outer.size, 64);
});

Deno.test("struct() throws if C would insert padding", () => {
  assertThrows(() => struct("bad", { a: "u32", b: "u64" }), Error, "no padding before bad.b");
  assertThrows(() => struct("bad", { a: "u64", b: "u32" }), Error, "no padding at the end of bad");
});
