// SPDX-License-Identifier: MIT
/**
 * The sweep: which attributes of its accesses make a device snoop, in one run of one bitstream.
 *
 * @module
 */

import type { AttributePort, Attributes } from "../../driver/attributes.ts";
import type { Device } from "../../driver/device.ts";
import { ErrnoError } from "../../driver/errno.ts";
import { ResetError, TransferError } from "../../driver/errors.ts";
import { type Direction, DIRECTIONS } from "../../driver/uapi.ts";
import { Examination } from "./examination.ts";
import { judgePattern, judgeSnoops, type Snoops } from "./judge.ts";
import { AuditError, Probe } from "./probe.ts";
import { Rate } from "./rate.ts";

/** What to sweep. */
export interface SweepOptions {
  /** The attributes. */
  readonly attributes: readonly Attributes[];
  /** Number of cache lines, as in an audit. Defaults to 64. */
  readonly lines?: number;
  /** Number of rounds for each of the attributes and each direction. Defaults to 8. */
  readonly repeats?: number;
  /** Seed of the contents. Defaults to 1. */
  readonly seed?: number;
}

/** One direction under one of the attributes. */
export interface SweptPort {
  /** Whether the device snoops with these attributes, or `null` if this cannot be known here. */
  readonly snoops: Snoops | null;
  /** Why it cannot be known, or `null`. */
  readonly reason: string | null;
  /** If it snoops sometimes: whether always the same lines miss, or other lines each time. */
  readonly pattern: "same lines" | "by chance" | null;
  /** Number of lines by what they proved. */
  readonly lines: Readonly<Record<"missed" | "snooped" | "unclear" | "foreign", number>>;
  /** Megabytes (10^6 bytes) per second of frames whose lines are in no cache, or `null` if transfers failed. */
  readonly megabytesPerSecond: number | null;
}

/** What the sweep found for one of the attributes. */
export interface SweptAttributes extends Attributes {
  /** Both directions, each with these attributes while the other one had its defaults. */
  readonly ports: Readonly<Record<Direction, SweptPort>>;
}

/** What the sweep of a device found. */
export interface Sweep {
  /** Number of rounds for each of the attributes and each direction. */
  readonly repeats: number;
  /** What transfers have without a sweep. */
  readonly defaults: Readonly<Record<Direction, Required<Attributes>>>;
  /** What was found, in the order that was asked for. */
  readonly rows: readonly SweptAttributes[];
}

/**
 * Sweep the attributes of a device's transfers. One direction is examined at a time, and the other one has its
 * defaults. Attributes that make a transfer fail are a result, after which the device is reset.
 *
 * @param device The device, with both directions. It must return each frame that it is sent.
 * @param port What chooses the attributes of its transfers. The caller disposes of it, which restores the defaults.
 * @param options What to sweep.
 * @returns What was found.
 * @throws {AuditError} As an audit; or if the device cannot be reset after a transfer that failed.
 *
 * @example A port that snoops non-secure accesses only
 * ```ts
 * import { Device } from "../../driver/device.ts";
 * import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
 * import { sweepAttributes } from "./sweep.ts";
 * import { assertEquals } from "@std/assert";
 *
 * using board = new SimBoard({
 *   seed: 1,
 *   snoops: { tx: 256, rx: 256 },
 *   port: (_, { prot }) => (prot & 2) !== 0,
 * });
 * using device = Device.open({ syscalls: board });
 * using port = board.attributes("/dev/pldma0");
 * if (port === null) throw new Error("there is no port");
 * const attributes = [{ cache: 15, prot: 0 }, { cache: 15, prot: 2 }];
 * const { rows } = sweepAttributes(device, port, { attributes });
 * assertEquals(rows.map(({ ports }) => ports.tx.snoops), ["no", "yes"]);
 * ```
 */
export function sweepAttributes(
  device: Device,
  port: AttributePort,
  { attributes, lines = 64, repeats = 8, seed = 1 }: SweepOptions,
): Sweep {
  using probe = new Probe(device, lines, seed);
  using rate = new Rate(device);
  const examination = new Examination(probe);
  const sweep = (direction: Direction, one: Attributes): SweptPort => {
    port.set(direction, one);
    try {
      const evidence = examination.ofDevice(direction, repeats);
      const { snoops, reason } = judgeSnoops(evidence);
      const { missed, snooped, unclear, foreign } = evidence.counts;
      return {
        ...{ snoops, reason },
        pattern: snoops === "sometimes" ? judgePattern(evidence.counts) : null,
        lines: { missed, snooped, unclear, foreign },
        megabytesPerSecond: examination.shows ? rate.measure() : null,
      };
    } catch (error) {
      return failed(device, error);
    } finally {
      port.set(direction, port.defaults[direction]);
    }
  };
  const rows = attributes.map((one): SweptAttributes => ({
    ...one,
    ports: { tx: sweep("tx", one), rx: sweep("rx", one) },
  }));
  return { repeats, defaults: port.defaults, rows };
}

/** Makes a result of a transfer that failed or did not end, and takes the blocks back. */
function failed(device: Device, error: unknown): SweptPort {
  const reason = error instanceof TransferError
    ? `the transfer failed (${error.completion.status})`
    : error instanceof ErrnoError && error.code === "ETIMEDOUT"
    ? "the transfer did not end"
    : null;
  if (reason === null) throw error;
  try {
    device.reset();
  } catch (cause) {
    if (!(cause instanceof ResetError)) throw cause;
    throw new AuditError(`${reason}, and after it the core cannot be proved idle`, { cause });
  }
  return {
    ...{ snoops: null, reason, pattern: null, megabytesPerSecond: null },
    lines: { missed: 0, snooped: 0, unclear: 0, foreign: 0 },
  };
}

/**
 * List the attributes with which directions always snoop.
 *
 * @param sweep A sweep.
 * @param directions The directions, which all have to. Defaults to both.
 * @returns The attributes.
 */
export function snooping(
  { rows }: Sweep,
  directions: readonly Direction[] = DIRECTIONS,
): readonly Attributes[] {
  return rows.filter(({ ports }) =>
    directions.every((direction) => ports[direction].snoops === "yes")
  );
}
