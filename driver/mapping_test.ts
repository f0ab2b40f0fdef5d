// SPDX-License-Identifier: MIT

import { assert, assertEquals } from "@std/assert";
import { Mapping } from "./mapping.ts";

Deno.test("Mapping.revoke() keeps the buffer if it was not lent", () => {
  const mapping = new Mapping(0x1000n, new ArrayBuffer(8));
  const { buffer } = mapping;
  mapping.revoke();
  assert(mapping.buffer === buffer && !buffer.detached);
});

Deno.test("Mapping.revoke() detaches a lent buffer and keeps the bytes", () => {
  const mapping = new Mapping(0x1000n, new ArrayBuffer(8));
  const view = new Uint8Array(mapping.lend());
  view[3] = 5;
  mapping.revoke();
  assertEquals([view.length, new Uint8Array(mapping.buffer)[3]], [0, 5]);
  assertEquals([mapping.length, mapping.base, mapping.address], [8, 0x1000, 0x1000n]);
});

Deno.test("Mapping.detach() leaves an empty buffer", () => {
  const mapping = new Mapping(0x1000n, new ArrayBuffer(8));
  const { buffer } = mapping;
  mapping.detach();
  assert(buffer.detached);
  assertEquals(mapping.buffer.byteLength, 0);
});

Deno.test("Mapping.addressOf() gets the address of any offset, in any order", () => {
  const mapping = new Mapping(0x7fff_1234_5000n, new ArrayBuffer(8));
  const addresses = [0, 5, 5, 0, 7].map((at) => mapping.addressOf(at) - mapping.address);
  assertEquals(addresses, [0n, 5n, 5n, 0n, 7n]);
});
