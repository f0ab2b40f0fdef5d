// SPDX-License-Identifier: MIT
/**
 * Sends frames to a design that consumes or checks them.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { Pattern } from "../patterns/pattern.ts";
import type { Fault } from "../verify/fault.ts";
import { BlockSet, blockSize, canBeStale } from "./block_set.ts";
import { Flow } from "./flow.ts";
import { withLengths } from "./lengths.ts";
import { runFlows } from "./run_flows.ts";
import { checkOf, fillFrame } from "./framed.ts";
import type { SendFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";
import { sharePauses } from "./shared.ts";
import { requireSideband } from "./sideband.ts";

/**
 * Sends frames, and verifies each one by the core's check value or by asking the design.
 *
 * @param devices The devices, each with a tx channel and no transfer in flight
 * @param pattern Frames
 * @param options The frames
 * @returns The report of each device
 */
export function sendFrames(
  devices: readonly Device[],
  pattern: Pattern,
  options: SendFlowOptions,
): FrameReport[] {
  const sized = sharePauses(withLengths(options, pattern.seed), devices.length);
  return runFlows(
    (own) => devices.map((device) => own(new SendFlow(device, pattern, sized))),
    options.onPrimed,
  );
}

class SendFlow extends Flow {
  readonly #pattern: Pattern;
  readonly #options: SendFlowOptions;
  readonly #blocks: BlockSet;
  readonly #lengthOf: (sequence: number) => number;

  constructor(device: Device, pattern: Pattern, options: SendFlowOptions) {
    super(device, options);
    const { policy, depth, lengthOf } = options;
    this.#lengthOf = lengthOf ?? (() => options.size);
    this.#pattern = pattern;
    this.#options = options;
    const size = blockSize(device, options.size);
    this.#blocks = new BlockSet(device, { direction: "tx", policy, size, count: depth });
  }

  protected override prime(): void {}

  protected override send(sequence: number): void {
    const size = this.#lengthOf(sequence);
    const block = this.#blocks.of(sequence);
    fillFrame(block, { pattern: this.#pattern, sequence, size, at: 0 });
    const words = this.#options.sideband?.(sequence);
    if (words !== undefined) requireSideband(this.device, this.#options.policy);
    const sideband = words === undefined ? {} : { sideband: words };
    this.give(block, { length: size, cookie: BigInt(sequence), ...sideband });
  }

  protected override receive(sequence: number): number | null {
    const { accept } = this.#options;
    const size = this.#lengthOf(sequence);
    const block = this.#blocks.of(sequence);
    const { done, failed } = this.take(block, sequence, size);
    const unverified = accept === undefined && done.check === null;
    if (failed) return unverified ? null : size;
    const lost = done.bytes !== size;
    const changed = lost ? null : this.#changed(done, sequence);
    const wrong: Pick<Fault, "kind" | "blame" | "detail"> | null = lost
      ? {
        kind: "lost",
        blame: "core",
        detail: `the engine took ${done.bytes} of ${size} bytes`,
      }
      : changed ?? refused(accept?.(done, sequence) ?? null);
    if (wrong !== null) {
      this.record({ ...wrong, frame: sequence, offset: 0, length: size, block: block.id });
    }
    return unverified ? null : size;
  }

  protected override sizeOf(sequence: number): number {
    return this.#lengthOf(sequence);
  }

  /** What the core read in place of the frame, by its check value; null if it read the frame. */
  #changed(
    done: CompletedTransfer,
    sequence: number,
  ): Pick<Fault, "kind" | "blame" | "detail"> | null {
    const { check } = done;
    if (check === null) return null;
    const size = this.#lengthOf(sequence);
    const changed = check !== this.#checkOf(sequence, size);
    this.see("tx", changed);
    if (!changed) return null;
    const before = sequence - this.#blocks.all.length;
    const old = before >= 0
      ? check === this.#checkOf(before, size) && `frame ${before}`
      : check === crc32(new Uint8Array(this.#lengthOf(sequence))) && "zeros";
    return {
      kind: old === false
        ? "foreign"
        : canBeStale(this.device, this.#options.policy, "tx")
        ? "stale-tx"
        : "duplicated",
      blame: "tx",
      detail: old === false
        ? "the core's check value is not that of the frame: it read other data, or partly old data"
        : `the core's check value is that of ${old}, which the block held before`,
    };
  }

  /** The check value of the first bytes of a frame. */
  #checkOf(sequence: number, size: number): number {
    return checkOf({ pattern: this.#pattern, sequence, size });
  }

  protected override free(): void {
    this.#blocks[Symbol.dispose]();
  }
}

/** The fault that a design itself reports. */
function refused(why: string | null): Pick<Fault, "kind" | "blame" | "detail"> | null {
  return why === null ? null : { kind: "foreign", blame: "core", detail: why };
}
