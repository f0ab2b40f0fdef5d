// SPDX-License-Identifier: MIT
// A design with a generator and a checker. The generator counts 64-bit words and continues from frame
// to frame. The checker expects the same count. Each direction works without the other.
import { assertIntact, type FrameMaker, hil, patterns } from "@plumbline/hil";
import { bitstream } from "../bitstreams.ts";

const top = await hil({ bitstream: bitstream("counter") });

top.matrix("generator", {
  directions: ["rx"],
  policy: ["coherent", "streaming", "streaming-lazy", "user-pages", "none"],
  size: [8, 4096, 65536],
}, async ({ rx }) => assertIntact(await rx.receive({ expect: patterns.counter({ width: 64 }) })));

/** The count that the checker expects, from 0. */
const count: FrameMaker = (sequence, length) => {
  const words = new BigUint64Array(length / 8);
  const first = BigInt(sequence) * BigInt(words.length);
  for (let i = 0; i < words.length; i++) words[i] = first + BigInt(i);
  return new Uint8Array(words.buffer);
};

top.matrix("checker", {
  directions: ["tx"],
  policy: ["coherent", "streaming", "streaming-lazy", "user-pages", "none"],
  size: [8, 4096, 65536],
}, async ({ tx }) => assertIntact(await tx.send({ pattern: count })));

top.test("checker finds a frame that is out of order", { directions: ["tx"] }, async ({ tx }) => {
  const swapped: FrameMaker = (sequence, length) => count(sequence ^ 1, length);
  try {
    assertIntact(await tx.send({ frames: 2, size: 64, depth: 1, pattern: swapped }));
  } catch {
    return;
  }
  throw new Error("Expected the checker to refuse frames in the wrong order, but it accepted them");
});
