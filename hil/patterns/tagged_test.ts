// SPDX-License-Identifier: MIT
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { STAMP_SIZE } from "../../driver/stamp.ts";
import { MIN_STAMPED, SLOTS, TaggedPattern } from "./tagged.ts";
import { identify } from "./tags.ts";
import { STEP } from "./tape.ts";

const pattern = new TaggedPattern({ seed: 7, maxLength: 1 << 16 });

function frame(sequence: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  pattern.write(bytes, sequence);
  return bytes;
}

Deno.test("TaggedPattern.write() writes words that identify their place on the tape", () => {
  const bytes = frame(1234, 4096);
  const view = new DataView(bytes.buffer);
  for (let word = 0; word < 511; word++) {
    const [low, high] = [view.getUint32(word * 8, true), view.getUint32(word * 8 + 4, true)];
    assertEquals(identify(7, low, high), { class: "frame", index: 1234 * STEP + word });
  }
});

Deno.test("TaggedPattern.write() writes other low bytes into short frames that share a block", () => {
  for (const length of [1, 2, 7, 8, 63]) {
    for (let sequence = 0; sequence < 512; sequence++) {
      for (const depth of [1, 2, 16, 64]) {
        assertNotEquals(
          frame(sequence, length)[length - 1 - ((length - 1) % 8)],
          frame(sequence + depth, length)[length - 1 - ((length - 1) % 8)],
          `low byte of the last word, length ${length}, frames ${sequence} and +${depth}`,
        );
      }
    }
  }
});

Deno.test("TaggedPattern.write() distinguishes frames a whole tape apart by their stamps", () => {
  for (const sequence of [5, 2 ** 31 - 1, 2 ** 32 - 2, 2 ** 40]) {
    for (const tapes of [1, 2, 1000, 2 ** 20]) {
      const [a, b] = [sequence, sequence + tapes * SLOTS].map((n) => frame(n, MIN_STAMPED));
      const rest = MIN_STAMPED - STAMP_SIZE;
      assertEquals(a?.subarray(0, rest), b?.subarray(0, rest));
      assertNotEquals(a?.subarray(rest), b?.subarray(rest), `frame ${sequence}, ${tapes} tapes`);
    }
  }
});

Deno.test("identify() returns null for words of another seed and for damaged words", () => {
  const view = new DataView(pattern.body(0, 1 << 16).slice().buffer);
  for (let at = 0; at < 1 << 16; at += 8) {
    const [low, high] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    assertEquals(identify(8, low, high), null);
    assertEquals(identify(7, low ^ 1, high), null);
    assertEquals(identify(7, low, high ^ 0x8000_0000), null);
  }
});

Deno.test("TaggedPattern.poison() returns words that differ from those of every frame", () => {
  const bytes = pattern.poison(64, 800).slice();
  const view = new DataView(bytes.buffer);
  assertEquals(identify(7, view.getUint32(0, true), view.getUint32(4, true)), {
    class: "poison",
    index: 8,
  });
});

Deno.test("TaggedPattern throws for a seed or a length out of range", () => {
  assertThrows(() => new TaggedPattern({ seed: -1, maxLength: 64 }), RangeError, "seed");
  assertThrows(() => new TaggedPattern({ seed: 1, maxLength: 0 }), RangeError, "maxLength");
  assertThrows(() => pattern.body(0, (1 << 16) + 1), RangeError, "at most 65536");
  assertEquals(STEP % 2, 1);
});

Deno.test("TaggedPattern.stamp() depends on sequence, seed and length, and is apart from all others", () => {
  const stamps = new Set<number | null>();
  for (const seed of [3, 4]) {
    const pattern = new TaggedPattern({ seed, maxLength: 256 });
    for (const length of [MIN_STAMPED, 255, 256]) {
      for (let sequence = 0; sequence < 100; sequence++) {
        stamps.add(pattern.stamp(sequence, length));
      }
    }
    assertEquals(pattern.stamp(1, MIN_STAMPED - 1), null);
  }
  assertEquals(stamps.size, 600);
  // otherwise a stale word at the end of a frame would not be detected
  const pattern = new TaggedPattern({ seed: 3, maxLength: 256 });
  const words = new Set<bigint>();
  for (let sequence = 0; sequence < 3000; sequence++) {
    const bytes = new Uint8Array(256);
    pattern.write(bytes, sequence);
    words.add(new BigUint64Array(bytes.buffer).at(-1) ?? 0n);
  }
  assertEquals(words.size, 3000);
});
