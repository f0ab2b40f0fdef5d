// SPDX-License-Identifier: MIT
/// <reference lib="webworker" />
// The second thread: walks through its memory and stores into every line, until it gets another command.
import { END, REST, walk, type WorkerStart } from "./pressure.ts";

/** Bytes between two reads of the command. */
const STRETCH = 1 << 16;

self.onmessage = ({ data }: MessageEvent<WorkerStart>) => {
  const { control, bytes, line } = data;
  const commands = new Int32Array(control);
  const memory = new Uint8Array(bytes);
  for (let at = 0; Atomics.load(commands, 0) !== END; at = (at + STRETCH) % bytes) {
    Atomics.wait(commands, 0, REST);
    walk(memory.subarray(at, at + STRETCH), line);
    Atomics.add(commands, 1, 1);
  }
  self.close();
};
