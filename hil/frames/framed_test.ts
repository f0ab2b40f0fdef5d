// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { fillFrame, holdsFrame } from "./framed.ts";

const AT = 64;

for (
  const [name, spec, size] of [
    ["with a stamp", patterns.tagged(), 200],
    ["without a stamp", patterns.counter({ width: 8 }), 200],
    ["of a single byte", patterns.address(), 1],
  ] as const
) {
  Deno.test(`holdsFrame() compares every byte of a frame ${name}, and no other`, () => {
    using board = new SimBoard({ seed: 1 });
    using device = Device.open({ syscalls: board });
    const [block] = device.alloc({ direction: "tx", policy: "coherent", size: 4096 });
    assert(block !== undefined);
    const pattern = spec.create({ seed: 1, maxLength: 256 });
    const frame = { pattern, sequence: 3, size, at: AT };
    block.bytes().fill(0x5a);
    fillFrame(block, frame);
    const unseen: number[] = [];
    for (let at = AT - 8; at < AT + size + 8; at++) {
      const bytes = block.bytes();
      const byte = bytes[at] ?? 0;
      bytes[at] = byte ^ 1;
      if (holdsFrame(block, frame)) unseen.push(at);
      bytes[at] = byte;
    }
    const around = Array.from({ length: 8 }, (_, i) => i);
    assertEquals(unseen, [
      ...around.map((i) => AT - 8 + i),
      ...around.map((i) => AT + size + i),
    ]);
    assert(holdsFrame(block, frame));
  });
}
