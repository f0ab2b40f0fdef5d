// SPDX-License-Identifier: MIT
// Run in a guest by ../vm_test.ts, with a max_bytes= that is soon used up. The output is JSON: what a loop and an
// allocation do about that.
import { Device } from "../../../driver/device.ts";
import { libc } from "../../../driver/libc.ts";
import { errorMessage } from "../../text/error_message.ts";
import { patterns } from "../../patterns/mod.ts";
import { isIntact } from "../intact.ts";
import { runLoop } from "../loop.ts";

/** What was seen. */
export interface Shortage {
  /** The limit of the device, bytes. */
  readonly maxBytes: number;
  /** The message of an allocation beyond the limit. */
  readonly message: string;
  /** Whether all frames of a loop with full queues passed beside blocks that hold most of the memory. */
  readonly intact: boolean;
  /** The notes of its report. */
  readonly notes: readonly string[];
  /** The message of the same loop, if a smaller depth is not allowed. */
  readonly strict: string;
}

const BLOCK = 1 << 20;
const DEPTH = 8;

/** What blocks of a loop of that depth take, without its spare blocks: most of what is left. */
const LEFT = 12 * BLOCK;

if (import.meta.main) {
  using device = Device.open({ path: "/dev/pldma0", syscalls: libc });
  const { maxBytes } = device.info;
  const messageOf = (action: () => unknown): string => {
    try {
      action();
    } catch (error) {
      return errorMessage(error);
    }
    return "nothing was thrown";
  };
  const size = 3 * BLOCK;
  const count = Math.floor((maxBytes - LEFT) / size);
  const held = device.alloc({ direction: "rx", policy: "streaming", size, count });
  const pattern = patterns.tagged().create({ seed: 5, maxLength: 2 * BLOCK });
  const loop = (shallower: boolean) =>
    runLoop(device, pattern, {
      ...{ policy: "streaming", size: BLOCK - 4096, depth: DEPTH, frames: 4 },
      shallower,
    });
  const strict = messageOf(() => loop(false));
  const report = loop(true);
  const message = messageOf(() =>
    device.alloc({ direction: "tx", policy: "streaming", size: BLOCK, count: 16 })
  );
  for (const block of held) block.free();
  const result: Shortage = {
    ...{ maxBytes, message, strict },
    intact: isIntact(report),
    notes: report.notes ?? [],
  };
  console.log(JSON.stringify(result));
}
