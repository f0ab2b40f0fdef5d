// SPDX-License-Identifier: MIT
// A design that cuts frames of any length into packets of at most 256 bytes. A packet begins with a header of three
// bytes: the number of the frame, the number of the packet in it, and the length of the packet minus one. Two words
// travel beside it: TUSER marks the first and the last packet of a frame, and TDEST is that of the frame.
import { assertIntact, designs, hil, type SidebandFrame } from "@plumbline/hil";

type Bytes = Uint8Array<ArrayBuffer>;

type Cut = (frame: Bytes, sequence: number, words: readonly number[]) => SidebandFrame[];

const PAYLOAD = 253;
const [FIRST, LAST] = [1, 2];

/** What the design should do. The model of the logic is the same function. */
function packets(): Cut {
  return (frame, sequence, [, dest = 0]) => {
    const count = Math.ceil(frame.length / PAYLOAD);
    return Array.from({ length: count }, (_, i) => {
      const part = frame.subarray(i * PAYLOAD, (i + 1) * PAYLOAD);
      const data = new Uint8Array(3 + part.length);
      data.set([sequence & 0xff, i, part.length + 2]);
      data.set(part, 3);
      const user = (i === 0 ? FIRST : 0) | (i === count - 1 ? LAST : 0);
      return { data, sideband: [user, dest] };
    });
  };
}

/** A model of the logic. It runs on the simulated board. */
function logic(): Cut {
  const cut = packets();
  return (frame, sequence, words) => cut(frame, sequence, words);
}

const top = await hil({ bitstream: "packetiser.bit", design: designs.transform(logic) });

top.matrix(
  "packets",
  { policy: ["coherent", "streaming", "none"], size: [2048], depth: [1, 4] },
  async ({ loop, size }) =>
    assertIntact(
      await loop.run({
        frames: 50,
        // edges first: one byte, a full packet, one byte more, and several full packets
        lengths: (sequence) =>
          [1, PAYLOAD, PAYLOAD + 1, 4 * PAYLOAD, size][sequence] ??
            1 + (sequence * 7919) % size,
        sideband: (sequence) => [0, sequence % 4],
        expect: packets(),
        returns: Math.ceil(size / PAYLOAD),
        room: PAYLOAD + 3,
      }),
    ),
);
