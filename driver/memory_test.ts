// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertThrows } from "@std/assert";
import { equalBytes, UserMemory } from "./memory.ts";

Deno.test("UserMemory.allocate() returns zeroed, page-aligned memory", () => {
  using memory = UserMemory.allocate(10_000);
  assertEquals([memory.size, memory.address % 4096n], [10_000, 0n]);
  assert(memory.bytes().every((byte) => byte === 0));
});

Deno.test("UserMemory.allocate() throws for an invalid size", () => {
  for (const size of [0, -1, NaN, 1.5, 2 ** 53]) {
    assertThrows(() => UserMemory.allocate(size), RangeError, "size");
  }
});

Deno.test("UserMemory[Symbol.dispose]() detaches views and can be repeated", () => {
  const memory = UserMemory.allocate(4096);
  const view = memory.bytes();
  memory[Symbol.dispose]();
  memory[Symbol.dispose]();
  assertEquals(view.length, 0);
  assertThrows(() => memory.bytes(), Error, "found disposed UserMemory");
});

Deno.test("equalBytes() finds one different byte at any alignment and length", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(64));
  for (let left = 0; left < 5; left++) {
    for (let length = 0; length < 20; length++) {
      const actual = bytes.subarray(left, left + length);
      const expected = actual.slice();
      assert(equalBytes(actual, expected));
      for (let at = 0; at < length; at++) {
        expected[at] = (expected[at] ?? 0) ^ 1;
        assert(!equalBytes(actual, expected));
        expected[at] = (expected[at] ?? 0) ^ 1;
      }
    }
  }
  assert(!equalBytes(new Uint8Array(3), new Uint8Array(4)));
});
