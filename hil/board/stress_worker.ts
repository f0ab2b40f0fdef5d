// SPDX-License-Identifier: MIT
/// <reference lib="webworker" />
// A thread that loads the machine until it is told to end. It counts pieces of work that take some milliseconds.
import type { Stress, StressStart } from "./stress.ts";

/** A piece of work of each kind. */
const WORK: Readonly<Record<Stress, (start: StressStart) => () => void>> = {
  cpu: () => {
    let state = 1;
    return () => {
      for (let i = 0; i < 1_000_000; i++) state = Math.imul(state, 1_664_525) + 1_013_904_223;
    };
  },
  memory: () => {
    const half = 32 << 20;
    const memory = new Uint8Array(2 * half);
    return () => memory.copyWithin(half, 0, half);
  },
  cache: () => {
    const memory = new Uint8Array(16 << 20);
    let line = 0;
    return () => {
      line = (line + 64) % 4096;
      for (let at = line; at < memory.length; at += 4096) memory[at] = (memory[at] ?? 0) + 1;
    };
  },
  interrupts: ({ pair, side }) => {
    const turn = new Int32Array(pair);
    return () => {
      for (let i = 0; i < 100; i++) {
        // the other thread may have been ended
        Atomics.wait(turn, 0, 1 - side, 10);
        Atomics.store(turn, 0, 1 - side);
        Atomics.notify(turn, 0);
      }
    };
  },
};

self.onmessage = ({ data }: MessageEvent<StressStart>) => {
  const control = new Int32Array(data.control);
  const work = WORK[data.stress](data);
  while (Atomics.load(control, 0) === 0) {
    work();
    Atomics.add(control, data.index, 1);
  }
  self.close();
};
