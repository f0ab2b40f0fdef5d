// SPDX-License-Identifier: MIT
// A design that changes every frame. The test computes the expected frame from the sent one.
import { assertIntact, hil } from "@plumbline/hil";
import { bitstream } from "../bitstreams.ts";

/** The scrambler combines each 64-bit word with this constant, by exclusive or. */
const KEY = new Uint8Array(new BigUint64Array([0x5aa55aa5f00ff00fn]).buffer);

function scramble(frame: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(frame, (byte, i) => byte ^ (KEY[i % 8] ?? 0));
}

const top = await hil({ bitstream: bitstream("scrambler") });

top.matrix(
  "scrambled",
  { policy: ["coherent", "streaming", "none"], size: [8, 4096, 20000] },
  async ({ loop }) => assertIntact(await loop.run({ frames: 20, expect: scramble })),
);
