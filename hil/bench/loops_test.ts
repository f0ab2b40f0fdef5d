// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { UserMemory } from "../../driver/memory.ts";
import { loops } from "./loops.ts";

Deno.test("loops() add up exactly the requested bytes and words", () => {
  using memory = UserMemory.allocate(8192);
  const bytes = memory.bytes();
  crypto.getRandomValues(bytes);
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, 1024);
  const { byte, word } = loops();
  for (const [start, count] of [[0, 1], [5, 3], [1, 4096], [0, 8192]] as const) {
    const expected = bytes.subarray(start, start + count).reduce((sum, one) => sum + one, 0);
    assertEquals(byte(memory.address + BigInt(start), count), BigInt(expected));
  }
  for (const [start, count] of [[0, 1], [3, 4], [0, 1024]] as const) {
    const expected = words.subarray(start, start + count).reduce((sum, one) => sum + one, 0n);
    assertEquals(word(memory.address + 8n * BigInt(start), count), BigInt.asUintN(64, expected));
  }
});
