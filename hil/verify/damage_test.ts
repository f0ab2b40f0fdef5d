// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { damageOf } from "./damage.ts";

Deno.test("damageOf() gives the bits from the first wrong byte on, within the extent and the limit", () => {
  const expected = new Uint8Array(1000).fill(0x55);
  const received = expected.slice();
  received[7] = 0x54;
  received[9] = 0xaa;
  const frame = { expected, received };
  assertEquals(damageOf(frame, 4, 10, 64), {
    ...{ offset: 7, xor: "0100ff", base: 64 },
    expected: "555555",
  });
  assertEquals(damageOf(frame, 8, 9, 64), undefined);
  assertEquals(damageOf(frame, -8, 8, 0), {
    ...{ offset: 7, xor: "01", base: 0 },
    expected: "55",
  });
  assertEquals(damageOf(frame, 1000, 1064, 0), undefined);
  received.fill(0, 600);
  assertEquals(damageOf(frame, 600, 1000, 64)?.xor, "55".repeat(256));
  assertEquals(damageOf(frame, 600, 1000, 64)?.expected, "55".repeat(16));
});
