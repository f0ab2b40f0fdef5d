// SPDX-License-Identifier: MIT
/**
 * From counts to a verdict: what the hardware snoops, what the kernel believes and what the driver does.
 *
 * @module
 */

import { type Direction, DIRECTIONS } from "../../driver/uapi.ts";
import { AXCACHE, AXPROT, type Fix, fixes } from "./fixes.ts";
import type { Counts, DriverSync, Held, Reach } from "./probe.ts";

/** Whether the device snoops the CPU's cache. */
export type Snoops = "yes" | "no" | "sometimes";

/**
 * What follows: data are intact at no needless cost, data can be wrong, syncs and uncached memory cost time for
 * nothing, or unknown.
 */
export type AuditVerdict = "right" | "corrupt" | "slow" | "unknown";

/** What the experiments of one direction found. */
export interface Evidence {
  readonly reach: Reach;
  readonly counts: Counts;
  /** Stores that are not cleaned, without a device. `null` if the processor has no invalidate. */
  readonly held: Held | null;
  /** What the driver's sync call does. `null` if the processor has no invalidate to find out. */
  readonly driver: DriverSync | null;
}

/** Of this many lines, one that left the cache by itself is not taken for a snoop. */
const BY_ITSELF = 64;

/**
 * Tell whether the device snoops.
 *
 * @param evidence What was found.
 * @returns The answer, or the reason why there is none.
 */
export function judgeSnoops(evidence: Evidence): { snoops: Snoops | null; reason: string | null } {
  const { reach, counts, held } = evidence;
  const { missed, snooped, unclear, foreign } = counts;
  const total = missed + snooped + unclear + foreign;
  const unknown = (reason: string) => ({ snoops: null, reason });
  if (reach === "copy") {
    return unknown("the device accesses a copy (a bounce buffer) instead of the block's memory");
  }
  if (total === 0) return unknown("the processor has no cache operations that the driver can use");
  if (foreign > 0) {
    return unknown(
      `${foreign} of ${total} lines held neither old nor new data: find out why with plumbline run first`,
    );
  }
  const answer = (snoops: Snoops) => ({ snoops, reason: null });
  // old data prove by themselves that the cache held newer ones
  if (missed > 0) {
    const lost = held === null ? 0 : held.lost / (held.held + held.lost);
    const often = snooped / total > lost + 1 / BY_ITSELF || unclear > missed;
    return answer(often ? "sometimes" : "no");
  }
  if (held === null) {
    return unknown(
      `the processor cannot drop a line without writing it back, so the new data in all ${total} lines prove nothing`,
    );
  }
  if (held.held === 0) {
    return unknown(
      "no store stayed in the cache: this machine models no caches, or a hypervisor cleans instead of invalidating",
    );
  }
  return answer("yes");
}

/**
 * Tell how a device snoops that does so sometimes.
 *
 * @param counts What was found.
 * @returns `"same lines"` if each line either always misses or never does.
 */
export function judgePattern({ missedAt, rounds }: Counts): "same lines" | "by chance" {
  return missedAt.every((missed) => missed === 0 || missed === rounds) ? "same lines" : "by chance";
}

/**
 * Judge one direction.
 *
 * @param snoops What the hardware does.
 * @param coherent Whether the kernel takes the device for coherent.
 * @param driver What the driver's sync call does.
 * @returns The verdict.
 */
export function judgePort(
  snoops: Snoops | null,
  coherent: boolean,
  driver: DriverSync | null,
): AuditVerdict {
  if (snoops === null) return "unknown";
  // without syncs, and with coherent memory that is cached
  if (coherent) return snoops === "yes" ? "right" : "corrupt";
  if (snoops === "yes") return "slow";
  if (driver === null) return "unknown";
  return driver === "syncs" ? "right" : "corrupt";
}

/** What {@linkcode chooseFix} needs of one direction. */
export interface JudgedPort {
  readonly snoops: Snoops | null;
  readonly verdict: AuditVerdict;
}

/**
 * Judge the device: the worst of its directions, because one property of the device tree speaks for both.
 *
 * @param ports The directions.
 * @returns The verdict.
 */
export function judgeDevice(ports: Readonly<Record<Direction, JudgedPort>>): AuditVerdict {
  const found = DIRECTIONS.map((direction) => ports[direction].verdict);
  const worst = (["corrupt", "unknown", "slow"] as const).find((one) => found.includes(one));
  return worst ?? "right";
}

/**
 * Choose the one change that mends the device.
 *
 * @param ports The directions.
 * @param coherent Whether the kernel takes the device for coherent.
 * @param pci Whether the device has no device tree, as on x86.
 * @returns The change, or `null` if nothing has to change, or if it is unknown what.
 */
export function chooseFix(
  ports: Readonly<Record<Direction, JudgedPort>>,
  coherent: boolean,
  pci: boolean,
): Fix | null {
  const { tx, rx } = ports;
  const verdict = judgeDevice(ports);
  if (verdict === "right" || verdict === "unknown") return null;
  if (verdict === "corrupt" && !coherent) return fixes.outerCache;
  if (pci) return verdict === "corrupt" ? fixes.noSnoop : null;
  if (tx.snoops === "yes" && rx.snoops === "yes") return fixes.addCoherent;
  // the port, its interconnect and its broadcasts are right if the other direction snoops
  const half = [tx.snoops, rx.snoops].includes("yes");
  if (half) return fixes.attributes(tx.snoops === "yes" ? "write" : "read", coherent);
  const sometimes = [tx.snoops, rx.snoops].includes("sometimes");
  return sometimes ? fixes.removeCoherent([AXCACHE, AXPROT]) : fixes.removeCoherent(null);
}
