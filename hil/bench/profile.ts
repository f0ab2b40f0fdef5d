// SPDX-License-Identifier: MIT
/**
 * Where the time of the verifying loop goes: system calls, memory, and the rest, which is JavaScript. Run
 * `deno run -A hil/bench/profile.ts` on a board, or `deno run -A hil/bench/profile.ts sim` without one.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import { Device } from "../../driver/device.ts";
import { libc } from "../../driver/libc.ts";
import type { Syscalls } from "../../driver/syscalls.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { fillFrame, holdsFrame } from "../frames/framed.ts";
import { runLoop } from "../frames/loop.ts";
import { TaggedPattern } from "../patterns/tagged.ts";

/** Sizes of a frame, and how many frames of each. */
const RUNS = [[4096, 4000], [65536, 1000], [1048576, 100]] as const;
const DEPTH = 4;
const policy = "streaming-lazy";

/** Passes system calls on, and adds up the milliseconds that they take. */
function timed(syscalls: Syscalls): { syscalls: Syscalls; spent: () => number } {
  let ms = 0;
  const proxy = new Proxy(syscalls, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const start = performance.now();
        try {
          return Reflect.apply(value, target, args);
        } finally {
          ms += performance.now() - start;
        }
      };
    },
  });
  return { syscalls: proxy, spent: () => ms };
}

/** Milliseconds in which frames are written to a block and compared with it, without a system call. */
function memoryMs(block: Block, pattern: TaggedPattern, size: number, count: number): number {
  const start = performance.now();
  for (let sequence = 0; sequence < count; sequence++) {
    const framed = { pattern, sequence, size, at: 0 };
    fillFrame(block, framed);
    if (!holdsFrame(block, framed)) throw new Error("The block lost bytes without a transfer");
  }
  return performance.now() - start;
}

function profile(syscalls: Syscalls, size: number, count: number): string {
  const pattern = new TaggedPattern({ seed: 1, maxLength: size });
  const clock = timed(syscalls);
  using device = Device.open({ path: "/dev/pldma0", syscalls: clock.syscalls });
  const loop = { policy, size, depth: DEPTH, guarded: false, primed: false } as const;
  runLoop(device, pattern, { ...loop, frames: count }); // compiled, caches warm
  const before = clock.spent();
  const start = performance.now();
  const report = runLoop(device, pattern, { ...loop, frames: count });
  const total = performance.now() - start;
  const calls = clock.spent() - before;
  if (report.faults.length > 0 || report.timeout !== null) throw new Error("The loop found faults");
  const [block] = device.alloc({ direction: "tx", policy, size });
  if (block === undefined) throw new Error("Expected a block, found none");
  memoryMs(block, pattern, size, count);
  const memory = memoryMs(block, pattern, size, count);
  block.free();
  const us = (ms: number) => `${(ms / count * 1000).toFixed(1)} µs`.padStart(12);
  const script = total - calls - memory;
  return `${size}`.padStart(8) + [total, calls, memory, script].map(us).join("");
}

const syscalls = Deno.args[0] === "sim" ? new SimBoard({ seed: 1 }) : libc;
console.log("    size       frame system calls      memory  JavaScript");
for (const [size, count] of RUNS) console.log(profile(syscalls, size, count));
