// SPDX-License-Identifier: MIT

import { assertEquals, assertThrows } from "@std/assert";
import { MAX_TIMEOUT_MS, range, timeout, uint32, wholeNumber } from "./checks.ts";

Deno.test("wholeNumber() accepts only whole numbers from 0 to 2^53 - 1", () => {
  for (const good of [0, 1, 2 ** 32, 2 ** 53 - 1]) assertEquals(wholeNumber("size", good), good);
  for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(() => wholeNumber("size", bad), RangeError, `found ${bad}`);
  }
});

Deno.test("uint32() accepts only whole numbers from 0 to 2^32 - 1", () => {
  for (const good of [0, 1, 2 ** 32 - 1]) assertEquals(uint32("id", good), good);
  for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 32]) {
    assertThrows(() => uint32("id", bad), RangeError, `found ${bad}`);
  }
});

Deno.test("range() throws for a range with a byte outside", () => {
  range("it", 10, 0, 10);
  range("it", 10, 10, 0);
  const outside = [[0, 11], [10, 1], [11, 0], [5, 6], [2 ** 53 - 1, 2 ** 53 - 1]] as const;
  for (const [offset, length] of outside) {
    assertThrows(() => range("it", 10, offset, length), RangeError, "inside the 10 bytes of it");
  }
  assertThrows(() => range("it", 10, -1, 1), RangeError, "offset");
  assertThrows(() => range("it", 10, 1, -1), RangeError, "length");
});

Deno.test("timeout() throws for a timeout that is not from 0 to one day", () => {
  for (const good of [0, 0.5, MAX_TIMEOUT_MS]) assertEquals(timeout(good), good);
  for (const bad of [-1, NaN, Infinity, MAX_TIMEOUT_MS + 1]) {
    assertThrows(() => timeout(bad), RangeError, `found ${bad}`);
  }
});
