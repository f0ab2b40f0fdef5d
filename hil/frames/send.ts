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
import { BlockSet, blockSize } from "./block_set.ts";
import { Flow, runFlows } from "./flow.ts";
import { checkOf, fillFrame } from "./framed.ts";
import type { SendFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";

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
  return runFlows(
    (own) => devices.map((device) => own(new SendFlow(device, pattern, options))),
    options.onPrimed,
  );
}

class SendFlow extends Flow {
  readonly #pattern: Pattern;
  readonly #options: SendFlowOptions;
  readonly #blocks: BlockSet;

  constructor(device: Device, pattern: Pattern, options: SendFlowOptions) {
    super(device, options);
    const { policy, depth } = options;
    this.#pattern = pattern;
    this.#options = options;
    const size = blockSize(device, options.size);
    this.#blocks = new BlockSet(device, { direction: "tx", policy, size, count: depth });
  }

  protected override prime(): void {}

  protected override send(sequence: number): void {
    const { size } = this.#options;
    const block = this.#blocks.of(sequence);
    fillFrame(block, { pattern: this.#pattern, sequence, size, at: 0 });
    this.give(block, { length: size, cookie: BigInt(sequence) });
  }

  protected override receive(sequence: number): number | null {
    const { size, accept } = this.#options;
    const block = this.#blocks.of(sequence);
    const { done, failed } = this.take(block, sequence);
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

  /** What the core read in place of the frame, by its check value; null if it read the frame. */
  #changed(
    done: CompletedTransfer,
    sequence: number,
  ): Pick<Fault, "kind" | "blame" | "detail"> | null {
    const { check } = done;
    if (check === null) return null;
    const changed = check !== this.#checkOf(sequence);
    this.see("tx", changed);
    if (!changed) return null;
    const before = sequence - this.#blocks.all.length;
    const old = before >= 0
      ? check === this.#checkOf(before) && `frame ${before}`
      : check === crc32(new Uint8Array(this.#options.size)) && "zeros";
    return {
      kind: old === false ? "foreign" : "stale-tx",
      blame: "tx",
      detail: old === false
        ? "the core's check value is not that of the frame: it read other data, or partly old data"
        : `the core's check value is that of ${old}, which the block held before`,
    };
  }

  #checkOf(sequence: number): number {
    return checkOf({ pattern: this.#pattern, sequence, size: this.#options.size });
  }

  protected override free(): void {
    this.#blocks[Symbol.dispose]();
  }
}

/** The fault that a design itself reports. */
function refused(why: string | null): Pick<Fault, "kind" | "blame" | "detail"> | null {
  return why === null ? null : { kind: "foreign", blame: "core", detail: why };
}
