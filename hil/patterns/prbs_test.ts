// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { prbs, prbsBytes, type PrbsOrder } from "./prbs.ts";

const ORDERS: readonly PrbsOrder[] = [7, 15, 23, 31];
const TAPS = { 7: 6, 15: 14, 23: 18, 31: 28 };

/** The first 102 of the 127 bits of the sequence with 7 stages, as OEIS lists them in A011686. */
const A011686 = "000000100000110000101000111100100010110011101010011111010000" +
  "111000100100110110101101111011000110100101";

/**
 * The first bits of the other orders as OEIS lists them, in reverse order: A011728, A011736 and A011744, the
 * reciprocals of x^15 + x + 1, x^23 + x^5 + 1 and x^31 + x^3 + 1.
 */
const BACKWARDS = [
  [15, "00000000000000111111111111111010101010101010011001100110011101110111011101001011"],
  [23, "000000000000000000000010000100001000010000100101000010010100001001011000110101000"],
  [31, "000000000000000000000000000000100100100100100100100100100100110100110100110100110"],
] as const;

/** Bits in the order of time: shifts a register of ones one bit at a time. */
function reference(order: PrbsOrder, count: number): number[] {
  const bits: number[] = new Array(order).fill(1);
  while (bits.length < count) {
    const t = bits.length;
    bits.push((bits[t - TAPS[order]] ?? 0) ^ (bits[t - order] ?? 0));
  }
  return bits.slice(0, count);
}

function unpack(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length * 8 }, (_, t) => ((bytes[t >> 3] ?? 0) >> (t & 7)) & 1);
}

function fromText(text: string): number[] {
  return [...text].map(Number);
}

function stateOf(bits: readonly number[], order: number): number {
  return bits.slice(0, order).reduce((state, bit, i) => state | bit << i, 0);
}

function made(order: PrbsOrder, bytes: number, skip = 0): Uint8Array {
  const target = new Uint8Array(bytes);
  prbsBytes(order, 2 ** order - 1, skip, target);
  return target;
}

Deno.test("prbsBytes() writes the published sequence of 7 stages repeatedly", () => {
  const published = fromText(A011686);
  const target = new Uint8Array(127);
  prbsBytes(7, stateOf(published, 7), 0, target);
  const bits = unpack(target);
  for (let t = 0; t < bits.length; t++) {
    if (t % 127 < published.length) assertEquals(bits[t], published[t % 127], `bit ${t}`);
  }
});

Deno.test("prbsBytes() writes the published sequences of 15, 23 and 31 stages", () => {
  for (const [order, text] of BACKWARDS) {
    const published = fromText(text).reverse();
    const target = new Uint8Array(Math.floor(published.length / 8));
    prbsBytes(order, stateOf(published, order), 0, target);
    assertEquals(unpack(target), published.slice(0, target.length * 8), `order ${order}`);
  }
});

Deno.test("prbsBytes() agrees with a bit-by-bit shift register, from any bit on and at any length", () => {
  for (const order of ORDERS) {
    const bits = reference(order, 40_000);
    for (const [skip, bytes] of [[0, 2048], [1, 129], [777, 1003], [12_345, 3], [31, 1]] as const) {
      assertEquals(
        unpack(made(order, bytes, skip)),
        bits.slice(skip, skip + bytes * 8),
        `order ${order}, bit ${skip}`,
      );
    }
  }
});

Deno.test("prbsBytes() repeats after 2^n - 1 bits and not before, with the runs of O.150", () => {
  for (const [order, half] of [[7, 64], [15, 2 ** 14], [23, 2 ** 22]] as const) {
    const cycle = 2 ** order - 1;
    const bytes = made(order, Math.ceil((cycle + 64) / 8));
    // each content of the register occurs once in a period, so the first bits must repeat exactly there
    const start = stateOf(unpack(bytes.subarray(0, 8)), order);
    let state = 0;
    let ones = 0;
    let again = -1;
    let [run, longest, runOfZeros, longestZeros] = [0, 0, 0, 0];
    for (let t = 0; t < cycle + order; t++) {
      const bit = ((bytes[t >> 3] ?? 0) >> (t & 7)) & 1;
      state = (state >>> 1) | bit << (order - 1);
      if (t >= order && again < 0 && state === start) again = t - order + 1;
      if (t >= cycle) continue;
      ones += bit;
      run = bit === 1 ? run + 1 : 0;
      runOfZeros = bit === 0 ? runOfZeros + 1 : 0;
      longest = Math.max(longest, run);
      longestZeros = Math.max(longestZeros, runOfZeros);
    }
    assertEquals([again, ones, longest, longestZeros], [cycle, half, order, order - 1]);
  }
});

Deno.test("prbsBytes() repeats after the 2^31 - 1 bits of the longest sequence", () => {
  assertEquals(made(31, 256, 2 ** 31 - 1), made(31, 256));
  assertNotEquals(made(31, 256, 2 ** 30), made(31, 256));
});

Deno.test("prbs() inverts all orders but 7, as O.150 does, so its runs of zeros are longer", () => {
  for (const order of ORDERS) {
    const pattern = prbs(order).create({ seed: 5, maxLength: 1 << 16 });
    const plain = prbs(order, { inverted: false }).create({ seed: 5, maxLength: 1 << 16 });
    const inverted = prbs(order, { inverted: true }).create({ seed: 5, maxLength: 1 << 16 });
    assertEquals(pattern.body(3, 4096), (order === 7 ? plain : inverted).body(3, 4096));
    assertEquals(inverted.body(3, 4096), plain.body(3, 4096).map((byte) => ~byte));
  }
});

Deno.test("prbs() with msbFirst sends the most significant bit of a word first", () => {
  const lsb = prbs(23).create({ seed: 1, maxLength: 64 }).body(0, 64);
  const msb8 = prbs(23, { msbFirst: 8 }).create({ seed: 1, maxLength: 64 }).body(0, 64);
  const msb64 = prbs(23, { msbFirst: 64 }).create({ seed: 1, maxLength: 64 }).body(0, 64);
  const bits = unpack(lsb);
  for (let t = 0; t < 512; t++) {
    assertEquals(((msb8[t >> 3] ?? 0) >> (7 - (t & 7))) & 1, bits[t]);
    const inWord = 63 - (t & 63);
    assertEquals(((msb64[(t & ~63) / 8 + (inWord >> 3)] ?? 0) >> (inWord & 7)) & 1, bits[t]);
  }
});

Deno.test("prbs().expectFrom() locks on at any phase, even if some bytes are wrong", () => {
  for (const order of ORDERS) {
    for (const options of [{}, { msbFirst: 32 }, { inverted: order === 7 }] as const) {
      const spec = prbs(order, options);
      for (const length of [32, 1000, 4096 + 4, 20_000]) {
        // a long piece from the middle of the sequence, divided into frames
        const stream = spec.create({ seed: length + order, maxLength: 4 * length }).body(
          1,
          4 * length,
        );
        const first = stream.slice(0, length);
        if (length > 100) {
          first.fill(0, 0, 40);
          for (let at = 60; at < length; at += 97) first[at] = (first[at] ?? 0) ^ 4;
        }
        const found = spec.expectFrom?.(first, { seed: 1, maxLength: length });
        assert(found !== null && found !== undefined, `order ${order}, length ${length}`);
        for (const sequence of [0, 1, 2, 3, 1]) {
          assertEquals(
            found.body(sequence, length),
            stream.slice(sequence * length, (sequence + 1) * length),
            `order ${order}, length ${length}, frame ${sequence}`,
          );
        }
      }
    }
  }
});

Deno.test("prbs().expectFrom() returns null for zeros, ones, garbage and another order", () => {
  const other = prbs(15).create({ seed: 1, maxLength: 4096 }).body(0, 4096);
  const garbage = Uint8Array.from({ length: 4096 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
  for (const bytes of [new Uint8Array(4096), new Uint8Array(4096).fill(255), garbage, other]) {
    assertEquals(prbs(31).expectFrom?.(bytes, { seed: 1, maxLength: 4096 }), null);
  }
});
