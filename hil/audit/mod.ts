// SPDX-License-Identifier: MIT
/**
 * The audit: a yes or a no on what the hardware snoops, and what follows from it.
 *
 * Old data are put into memory and new data into the cache only, with cache operations that do not ask what the
 * kernel believes (request CACHE). What the device reads, and what the CPU sees after the device's write, is the
 * answer. The audit touches two blocks of its own and nothing else.
 *
 * @module
 */

export { AuditError, mostLines } from "./probe.ts";
export type { AuditVerdict } from "./judge.ts";
export { type Sweep, sweepAttributes, type SweptAttributes, type SweptPort } from "./sweep.ts";

import type { Device } from "../../driver/device.ts";
import type { Direction } from "../../driver/uapi.ts";
import { Examination } from "./examination.ts";
import type { Fix } from "./fixes.ts";
import {
  type AuditVerdict,
  chooseFix,
  judgeDevice,
  judgePattern,
  judgePort,
  judgeSnoops,
  type Snoops,
} from "./judge.ts";
import { AuditError, type DriverSync, type Held, Probe } from "./probe.ts";

/** What to audit. */
export interface AuditOptions {
  /** Number of cache lines, which is rounded up to what an operation handles together. Defaults to 64. */
  readonly lines?: number;
  /** Number of rounds in each direction. Defaults to 32. */
  readonly repeats?: number;
  /** Seed of the contents. Defaults to 1. */
  readonly seed?: number;
  /** Whether the machine has no device tree, as x86. Defaults to false. */
  readonly pci?: boolean;
}

/** One direction. */
export interface PortAudit {
  /** Whether the device snoops, or `null` if this cannot be known here. */
  readonly snoops: Snoops | null;
  /** Why it cannot be known, or `null`. */
  readonly reason: string | null;
  /** If it snoops sometimes: whether always the same lines miss, or other lines each time. */
  readonly pattern: "same lines" | "by chance" | null;
  /** What the driver's sync call does to the cache, or `null` if unknown. */
  readonly driver: DriverSync | null;
  /** What follows. */
  readonly verdict: AuditVerdict;
  /** Number of lines by what they proved. */
  readonly lines: Readonly<Record<"missed" | "snooped" | "unclear" | "foreign", number>>;
  /** The control without a device, or `null` if the processor has no invalidate. */
  readonly control: Held | null;
}

/** What the audit of a device found. */
export interface Audit {
  /** Size of a line, bytes. */
  readonly line: number;
  /** Number of lines in a round. */
  readonly lines: number;
  /** Number of rounds in each direction. */
  readonly repeats: number;
  /** Whether the kernel takes the device for coherent, so that it makes no syncs. */
  readonly coherent: boolean;
  /** Both directions. */
  readonly ports: Readonly<Record<Direction, PortAudit>>;
  /** The worst of both directions. */
  readonly verdict: AuditVerdict;
  /** The one change that mends it, or `null`. */
  readonly fix: Fix | null;
}

/**
 * Audit a device.
 *
 * @param device The device, with both directions. It must return each frame that it is sent.
 * @param options What to audit.
 * @returns What was found.
 * @throws {AuditError} If the device has one direction only, if it does not return what it is sent, or if the
 * caller may not use the request CACHE.
 *
 * @example A board that snoops although its device tree does not say so
 * ```ts
 * import { Device } from "../../driver/device.ts";
 * import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
 * import { audit } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * using board = new SimBoard({ seed: 1, snoops: { tx: 256, rx: 256 } });
 * using device = Device.open({ syscalls: board });
 * const { verdict, ports } = audit(device);
 * assertEquals([verdict, ports.tx.snoops, ports.rx.snoops], ["slow", "yes", "yes"]);
 * ```
 */
export function audit(device: Device, options: AuditOptions = {}): Audit {
  const { repeats = 32, seed = 1, pci = false } = options;
  const { tx, rx } = device.info;
  if (tx === null || rx === null) {
    throw new AuditError(
      `Expected a device with both directions, found ${
        tx === null ? "no tx" : "no rx"
      }: one direction shows what the other did`,
    );
  }
  // bounce buffers are syncs, whatever the device tree says
  const coherent = !tx.needsSync && !rx.needsSync;
  using probe = new Probe(device, options.lines ?? 64, seed);
  const { line, count: lines } = probe.lines;
  const examination = new Examination(probe);
  const judged = (direction: Direction): PortAudit => {
    const evidence = examination.of(direction, repeats);
    const { snoops, reason } = judgeSnoops(evidence);
    const { missed, snooped, unclear, foreign } = evidence.counts;
    return {
      ...{ snoops, reason },
      pattern: snoops === "sometimes" ? judgePattern(evidence.counts) : null,
      driver: evidence.driver,
      verdict: judgePort(snoops, coherent, evidence.driver),
      lines: { missed, snooped, unclear, foreign },
      control: evidence.held,
    };
  };
  const ports = { tx: judged("tx"), rx: judged("rx") };
  return {
    ...{ line, lines, repeats, coherent, ports },
    verdict: judgeDevice(ports),
    fix: chooseFix(ports, coherent, pci),
  };
}
