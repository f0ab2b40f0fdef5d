// SPDX-License-Identifier: MIT
/// <reference lib="webworker" />
// The second thread: walks through its memory, storing into every line, while it is told to.
import { END, REST, walk, type WorkerStart } from "./pressure.ts";

/** Bytes between two looks at what it is told. */
const STRETCH = 1 << 16;

self.onmessage = ({ data }: MessageEvent<WorkerStart>) => {
  const { control, bytes, line } = data;
  const told = new Int32Array(control);
  const memory = new Uint8Array(bytes);
  for (let at = 0; Atomics.load(told, 0) !== END; at = (at + STRETCH) % bytes) {
    Atomics.wait(told, 0, REST);
    walk(memory.subarray(at, at + STRETCH), line);
    Atomics.add(told, 1, 1);
  }
  self.close();
};
