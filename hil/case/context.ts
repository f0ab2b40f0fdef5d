// SPDX-License-Identifier: MIT
/**
 * The argument of a test function: devices, parameters, and the three ways to move frames.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { RegisterMap } from "../../driver/register_map.ts";
import { type MapRegistersOptions, Registers } from "../../driver/registers.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import { loopDepth } from "../frames/block_set.ts";
import type { LoopOptions, ReceiveOptions, SendOptions } from "../frames/options.ts";
import type { FrameReport } from "../frames/report.ts";
import type { PatternSpec } from "../patterns/pattern.ts";
import type { Measurement } from "../results/schema.ts";
import { verifyBlock, type VerifyOptions } from "../frames/verify_block.ts";
import { Attachments } from "./attachments.ts";
import { checkedComparison, checkNames, type Names } from "./check_options.ts";
import type { CaseParameters } from "./parameters.ts";
import { Runs } from "./runs.ts";
import type { Session } from "./session.ts";
import { SkipError } from "./skip_error.ts";

/** Frames through a loop, or through a design that returns one frame for each. */
export interface LoopRunner {
  /**
   * Sends frames, receives as many, and compares every byte. With several devices, each gets all frames.
   *
   * @param options The frames. Defaults to those of the test case
   * @returns The report; pass it to `assertIntact`
   */
  run(options?: LoopOptions): Promise<FrameReport>;
}

/** Frames to a design that consumes or checks them. */
export interface Sender {
  /**
   * Sends frames. A frame counts as verified if the core computes a check value over what it read, or if
   * `accept` asks the design.
   *
   * @param options The frames. Defaults to those of the test case
   * @returns The report; pass it to `assertIntact`
   */
  send(options?: SendOptions): Promise<FrameReport>;
}

/** Frames from a design that generates them. */
export interface Receiver {
  /**
   * Receives frames and compares every byte.
   *
   * @param options What the frames must contain, and what differs from the test case
   * @returns The report; pass it to `assertIntact`
   */
  receive(options: ReceiveOptions): Promise<FrameReport>;
}

/**
 * The argument of a test function. Its members may be destructured. The devices are open and reset, and
 * are closed after the test.
 */
export interface CaseContext {
  /** The first device. */
  readonly device: Device;
  /** Every device: several with `--device /dev/pldma0,/dev/pldma1`. */
  readonly devices: readonly Device[];
  /** Sync policy of the case. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in flight at the same time, in each direction. */
  readonly depth: number;
  /** Number of frames; Infinity if `--duration` bounds the case. */
  readonly frames: number;
  /** Pattern of the frames: that of `--pattern`, or that of the test. Defaults to `tagged`. */
  readonly pattern: PatternSpec;
  /** Seed of the run. */
  readonly seed: number;
  /** Frames through a loop. */
  readonly loop: LoopRunner;
  /** Frames to the design. */
  readonly tx: Sender;
  /** Frames from the design. */
  readonly rx: Receiver;
  /**
   * Adds a measurement to the results.
   *
   * @param name What was measured
   * @param value The value
   * @param unit Its unit
   * @param more What was varied within the case; the spread of the samples whose median it is; and the limit of
   * the value, `min` or `max`. A case whose value is outside of its limit fails
   */
  measure(name: string, value: number, unit: string, more?: MeasureOptions): void;
  /**
   * Attaches a file to the results, such as a picture or a dump of registers. It is written at once.
   *
   * @param name Its name, unique within the case, such as `frame 5.bin`
   * @param content Its content
   */
  attach(name: string, content: Uint8Array | string): void;
  /**
   * Verifies a frame that the test moved by hand, with `device` and blocks. The report is like that of a run:
   * it names faults and blame, and counts as evidence in a control.
   *
   * @param block The receive block, owned by the caller. Under policy `manual` it is synced already
   * @param expected The expected bytes
   * @param options What else is known about the frame
   * @returns The report; pass it to `assertIntact`
   */
  verify(block: Block, expected: Uint8Array, options?: VerifyOptions): FrameReport;
  /**
   * Maps registers of the design. They are unmapped after the test.
   *
   * @param source A UIO device such as `/dev/uio0`, or a node of the device tree: see `Registers.map`
   * @param map The registers
   * @param options Whether to write. Defaults to reading only
   * @returns The registers
   */
  registers<const Map extends RegisterMap>(
    source: string,
    map: Map,
    options?: Pick<MapRegistersOptions, "write">,
  ): Registers<Map>;
  /**
   * Ends the case as skipped, because this board or design cannot do it. Use it for what is known only
   * while the test runs. Deno counts the test as passed, and the results count it as skipped.
   *
   * @param reason Why it is skipped
   */
  skip(reason: string): never;
}

/** What a test says about a measurement besides its value. */
export interface MeasureOptions extends Pick<Measurement, "at" | "spread"> {
  /** The least value that is allowed. Defaults to no limit. */
  readonly min?: number;
  /** The greatest value that is allowed. A measurement has either `min` or `max`. Defaults to no limit. */
  readonly max?: number;
}

const MEASURE: Names<MeasureOptions> = { min: true, max: true, at: true, spread: true };
const VERIFY: Names<VerifyOptions> = {
  ...{ at: true, received: true, transmitted: true, sent: true, before: true, sequence: true },
  compare: true,
};

/** Default number of frames of a run, and the bytes that bound it. */
const FRAMES = 300;
const BYTES = 16 * 2 ** 20;

/** The context of a case, with what the test did. */
export class Context implements CaseContext {
  readonly device: Device;
  readonly devices: readonly Device[];
  readonly policy: PolicyName;
  readonly size: number;
  readonly depth: number;
  readonly frames: number;
  readonly pattern: PatternSpec;
  readonly seed: number;
  readonly loop: LoopRunner;
  readonly tx: Sender;
  readonly rx: Receiver;
  /** The reports of the test's runs, in their order. */
  readonly reports: FrameReport[] = [];
  /** The measurements of the test, in their order. */
  readonly measurements: Measurement[] = [];
  /** What the test attached. */
  readonly attachments: Attachments;
  /** The registers that the test mapped, to be unmapped after it. */
  readonly mapped = new DisposableStack();

  /**
   * @param session The board
   * @param devices The open devices, at least one
   * @param parameters The parameters of the case
   * @param options `control`: whether the case must fail; `deadline`, as `performance.now()` counts; `id` of
   * the case
   */
  constructor(
    session: Session,
    devices: readonly Device[],
    parameters: CaseParameters,
    options: { readonly control: boolean; readonly deadline: number; readonly id: string },
  ) {
    this.attachments = new Attachments(session.journal.dir, options.id);
    const [device] = devices;
    if (device === undefined) throw new Error("Expected at least one device, found none");
    this.device = device;
    this.devices = devices;
    this.policy = parameters.policy;
    this.size = parameters.size;
    this.depth = parameters.depth === "max"
      ? Math.min(...devices.map((one) => loopDepth(one, parameters.size)))
      : parameters.depth;
    this.frames = defaultFrames(session, parameters, this.depth);
    this.pattern = parameters.pattern;
    this.seed = session.settings.seed;
    const runs = new Runs(session, this, parameters, options, this.reports, this.attach);
    this.loop = { run: (chosen) => runs.loop(chosen) };
    this.tx = { send: (chosen) => runs.send(chosen) };
    this.rx = { receive: (chosen) => runs.receive(chosen) };
  }

  readonly measure = (
    name: string,
    value: number,
    unit: string,
    options: MeasureOptions = {},
  ): void => {
    checkNames("measure()", options, MEASURE);
    const { min, max, ...more } = options;
    if (typeof value !== "number") {
      throw new TypeError(`Expected the value of ${name} to be a number, found "${value}"`);
    }
    if (min !== undefined && max !== undefined) {
      throw new RangeError(
        `Expected either min or max for ${name}, found both: measure it twice, under two names`,
      );
    }
    const limit = min ?? max ?? null;
    if (limit !== null && (typeof limit !== "number" || Number.isNaN(limit))) {
      throw new RangeError(`Expected the limit of ${name} to be a number, found ${limit}`);
    }
    const bound = limit === null ? {} : { bound: min === undefined ? "max" : "min" } as const;
    this.measurements.push({ name, value, unit, limit, ...bound, ...more });
  };

  readonly attach = (name: string, content: Uint8Array | string): void =>
    this.attachments.add(name, content);

  readonly verify = (
    block: Block,
    expected: Uint8Array,
    options: VerifyOptions = {},
  ): FrameReport => {
    const device = this.devices.find(({ blocks }) => blocks.includes(block)) ?? this.device;
    checkNames("verify()", options, VERIFY);
    const report = verifyBlock(device, block, expected, {
      ...options,
      ...(options.compare ? { compare: checkedComparison(options.compare) } : {}),
    });
    this.reports.push(report);
    return report;
  };

  readonly registers = <const Map extends RegisterMap>(
    source: string,
    map: Map,
    options: Pick<MapRegistersOptions, "write"> = {},
  ): Registers<Map> => {
    const { syscalls } = this.device;
    return this.mapped.use(Registers.map(source, map, { ...options, syscalls }));
  };

  readonly skip = (reason: string): never => {
    throw new SkipError(reason);
  };
}

/** Number of frames of a run for which nothing is chosen. */
function defaultFrames(
  { board, settings }: Session,
  { size, seconds }: CaseParameters,
  depth: number,
): number {
  if (seconds !== null) return Infinity;
  // a simulated board has no data path that many frames would stress, and somebody waits for it
  const room = board.kind === "sim"
    ? Math.max(depth + 1, Math.floor(BYTES / 16 / size))
    : Math.max(2 * depth + 1, Math.floor(BYTES / size));
  return settings.frames ?? Math.min(FRAMES, room);
}
