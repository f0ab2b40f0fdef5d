// SPDX-License-Identifier: MIT
// What a receive block may hold after a shorter frame.
import { assert, assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { RxContent } from "./rx_content.ts";

const SIZE = 256;
const SHORT = 64;

const pattern = patterns.tagged().create({ seed: 1, maxLength: SIZE });
const poison = pattern.poison(0, SIZE);
/** In no frame, and unlike poison. */
const WRITTEN = 0xc3;

Deno.test("RxContent.compare() explains a byte by poison that was stored, or by what was there before", () => {
  using board = new SimBoard({ seed: 1 });
  using device = Device.open({ syscalls: board });
  const [block] = device.alloc({ size: SIZE, direction: "rx", policy: "coherent" });
  assert(block !== undefined);
  for (const store of ["always", "repeated", "never"] as const) {
    const content = new RxContent({
      ...{ back: { pattern, length: () => SHORT }, count: 1, size: SIZE, store, poison },
      initial: new Uint8Array(SIZE),
    });
    const compare = (number: number, bytes: Uint8Array) => {
      block.set(bytes);
      return content.compare(block, number, { at: 0, moved: SHORT, right: true });
    };
    const bytes = new Uint8Array(SIZE);
    pattern.write(bytes.subarray(0, SHORT), 0);
    assertEquals(compare(0, bytes), null, `${store}: nothing changed`);
    // a sync dropped what was stored, but not in one cache line, nor in a part of another
    pattern.write(bytes.subarray(0, SHORT), 1);
    bytes.set(poison.subarray(128, 212), 128);
    const gap = store === "repeated" ? { offset: 128, length: 84 } : null;
    assertEquals(compare(1, bytes), gap, `${store}: poison`);
    // what was there then is what was before
    pattern.write(bytes.subarray(0, SHORT), 2);
    assertEquals(compare(2, bytes), null, `${store}: the same again`);
    pattern.write(bytes.subarray(0, SHORT), 3);
    bytes.set(poison.subarray(64, 80), 64);
    bytes.fill(WRITTEN, 90, 94);
    bytes.fill(WRITTEN, 200, 201);
    assertEquals(
      compare(3, bytes),
      store === "never"
        ? null
        : store === "always"
        ? { offset: 90, length: 111 }
        : { offset: 64, length: 137 },
      `${store}: written`,
    );
    assertEquals(compare(4, bytes), null, `${store}: it is told once`);
  }
});
