// SPDX-License-Identifier: MIT
/**
 * How long an engine is idle between two transfers that are queued.
 *
 * The driver of an engine that takes one transfer at a time submits the next one after a completion. If it
 * cannot, because a call holds a lock while it syncs a block, the engine waits.
 *
 * @module
 */

import type { CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import type { Remote } from "../../driver/remote.ts";
import { DEQUEUE, IOC } from "../../driver/uapi.ts";
import { BlockSet, blockSize } from "../frames/block_set.ts";
import { recordCalls, recordsOf, sample, targetOf } from "./on_target.ts";

/** Times of a transfer, nanoseconds. */
export type Times = Pick<CompletedTransfer, "queuedNs" | "submittedNs" | "doneNs">;

/**
 * Computes how long the engine was idle before each transfer that was already queued when the transfers
 * before it had ended.
 *
 * @param transfers Transfers of one direction, in their order
 * @returns Nanoseconds, 0 if the engine still had another transfer
 */
export function idleGaps(transfers: readonly Times[]): number[] {
  const gaps: number[] = [];
  let busyUntil = -Infinity;
  for (const { queuedNs, submittedNs, doneNs } of transfers) {
    if (queuedNs < busyUntil) gaps.push(Math.max(0, submittedNs - busyUntil));
    busyUntil = Math.max(busyUntil, doneNs);
  }
  return gaps;
}

/** What {@linkcode measureGaps} moves. */
export interface GapOptions {
  /** Policy of the receive blocks. The transmit blocks are `coherent`. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Frames in flight. */
  readonly depth: number;
  /** Frames in all. */
  readonly frames: number;
}

/**
 * Moves frames through a loop as fast as the program can, and measures how long the receive engine was idle
 * although a block was queued.
 *
 * @param device The device, with no transfer in flight
 * @param options The frames
 * @returns Nanoseconds for each pair of frames of which the second one was queued in time
 * @throws {ErrnoError} ENOMEM without memory; or the error of a call or a transfer
 */
export function measureGaps(device: Device, options: GapOptions): number[] {
  const { policy, size, depth, frames } = options;
  using owned = new DisposableStack();
  const block = { size: blockSize(device, size), count: depth };
  const tx = owned.use(new BlockSet(device, { direction: "tx", policy: "coherent", ...block }));
  const rx = owned.use(new BlockSet(device, { direction: "rx", policy, ...block }));
  // in any case, because blocks that the engine holds cannot be freed
  owned.defer(() => device.reset());
  const remote = targetOf(device);
  const transfers: Times[] = [];
  const give = (sequence: number): void => {
    rx.of(sequence).enqueue({ length: size });
    tx.of(sequence).enqueue({ length: size });
  };
  for (let given = 0; given < Math.min(depth, frames); given++) give(given);
  if (remote !== null) return idleGaps(timesOnTarget(remote, { device, depth, frames, give }));
  for (let taken = 0; taken < frames; taken++) {
    transfers.push(device.dequeue("rx"));
    device.dequeue("tx");
    if (taken + depth < frames) give(taken + depth);
  }
  return idleGaps(transfers);
}

/** Most seconds for all frames on a target. */
const SECONDS = 2;

/** Moves frames on a target, where `depth` frames are in flight. Returns the times of the receive blocks. */
function timesOnTarget(
  remote: Remote,
  { device, depth, frames, give }: Pick<GapOptions, "depth" | "frames"> & {
    readonly device: Device;
    readonly give: (sequence: number) => void;
  },
): Times[] {
  const program = recordCalls(remote, () => {
    for (let i = 0; i < depth; i++) {
      device.dequeue("rx");
      device.dequeue("tx");
      give(i);
    }
  });
  const { queued_ns: from, done_ns: to } = DEQUEUE.at;
  const width = (to - from) / 8 + 1;
  program.keep(IOC.DEQUEUE, from, width);
  const most = Math.ceil(frames / depth);
  const times: Times[] = [];
  for (const records of recordsOf(sample(remote, program, { seconds: SECONDS, least: 1, most }))) {
    // each frame has the times of its receive block, then those of its transmit block
    for (let at = 0; at < records.length; at += 2 * width) {
      const [queuedNs = NaN, submittedNs = NaN, doneNs = NaN] = records.slice(at);
      times.push({ queuedNs, submittedNs, doneNs });
    }
  }
  return times;
}
