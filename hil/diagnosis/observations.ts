// SPDX-License-Identifier: MIT
/**
 * What a run observed, as rows: one for each case, and one for each fault. Nothing is judged here.
 *
 * @module
 */
import { POLICIES, UNCACHED_POLICIES, USER_POLICIES } from "../../driver/uapi.ts";
import type { Results, TestResult } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";

/** The policies whose data the CPU reads and writes through its cache. */
export const CACHED: ReadonlySet<string> = new Set(POLICIES).difference(new Set(UNCACHED_POLICIES));

/** The policies whose memory belongs to the program and consists of scattered pages. */
export const USER_PAGES: ReadonlySet<string> = new Set(USER_POLICIES);

/** A case that moved data, or that failed. */
export interface CaseRow {
  /** The index of the case in `Results.tests`. */
  readonly index: number;
  /** The case. */
  readonly test: TestResult;
  /** Bytes of a frame; `null` if unknown, or if frames differ in length. */
  readonly size: number | null;
  /** Blocks in flight; `Infinity` for full queues, `null` if unknown. */
  readonly depth: number | null;
  /** The number of verified frames. */
  readonly frames: number;
  /** Whether the case failed. */
  readonly failed: boolean;
}

/** A fault with its case. */
export interface FaultRow {
  /** The fault. */
  readonly fault: Fault;
  /** Its case. */
  readonly case: CaseRow;
  /** Where the block holds the first wrong byte; the offset in the frame if the base is unknown. */
  readonly address: number;
  /** Whether these are many faults of a frame that were joined into one, with intact bytes between them. */
  readonly joined: boolean;
  /** Offsets in the frame of the wrong bytes that are known, each with the bits that are wrong. */
  readonly bytes: readonly (readonly [offset: number, bits: number])[];
}

/** Everything that a run observed. */
export interface Observations {
  /** Cases that passed or failed. Controls, skipped cases and infrastructure errors are left out. */
  readonly cases: readonly CaseRow[];
  /** The faults of the cases that failed, up to a limit. */
  readonly faults: readonly FaultRow[];
  /** Whether the kernel treats the device as cache coherent; `null` if unknown. */
  readonly coherent: boolean | null;
  /** Whether the engine copies memory, without a stream; false if unknown. */
  readonly copiesMemory: boolean;
  /** Bytes of a cache line. */
  readonly line: number;
}

/** The most faults of a case and of a run that are read. A case ends after 16. */
const MOST_OF_CASE = 64;
const MOST_FAULTS = 50_000;

/** The most bytes of damage that a fault holds. */
const MOST_DAMAGE = 256;

/** How a case ends that says something about the design. */
const FAILED: readonly string[] = ["FAIL", "TIMEOUT"];

/**
 * Reads the observations of a run from its results.
 *
 * @param results The results
 * @returns The rows
 *
 * @example A case that passed
 * ```ts
 * import { observe } from "./observations.ts";
 * import { resultsOf } from "../testing/results.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const nothing = { reason: null, seconds: 1, faults: [], measurements: [] };
 * const { cases } = observe(resultsOf([{
 *   suite: "loopback",
 *   name: "loop",
 *   policy: "streaming",
 *   outcome: "PASS",
 *   frames: 300,
 *   bytes: 300 * 4096,
 *   params: { size: 4096, depth: "max" },
 *   ...nothing,
 * }]));
 * assertEquals(cases.map(({ size, depth }) => [size, depth]), [[4096, Infinity]]);
 * ```
 */
export function observe(results: Pick<Results, "tests" | "board">): Observations {
  const cases: CaseRow[] = [];
  const faults: FaultRow[] = [];
  for (const [index, test] of results.tests.entries()) {
    const failed = FAILED.includes(test.outcome);
    if (!failed && (test.outcome !== "PASS" || test.frames === 0)) continue;
    const { frames } = test;
    const row = { index, test, size: sizeOf(test), depth: depthOf(test), frames, failed };
    cases.push(row);
    // the primer is no frame, although its faults have a number; the frames behind it show its effects
    const framed = test.faults.filter((fault) => !("primer" in fault));
    if (!failed) continue;
    for (const fault of framed.slice(0, MOST_OF_CASE)) {
      if (faults.length < MOST_FAULTS) faults.push(faultRow(fault, row));
    }
  }
  const { coherent, cacheLine, memoryLoop: copiesMemory = false } = results.board;
  // cacheAlign of arm64 is 128, and its cores have lines of 64 bytes
  return { cases, faults, coherent, copiesMemory, line: Math.min(cacheLine ?? 64, 64) };
}

function sizeOf({ params, frames, bytes }: TestResult): number | null {
  const size = params?.["size"];
  if (typeof size === "number") return size;
  return frames > 0 && bytes > 0 && bytes % frames === 0 ? bytes / frames : null;
}

function depthOf({ params }: TestResult): number | null {
  const depth = params?.["depth"];
  return depth === "max" ? Infinity : typeof depth === "number" ? depth : null;
}

function faultRow(fault: Fault, row: CaseRow): FaultRow {
  const { damage } = fault;
  const bytes: [number, number][] = [];
  for (let i = 0; damage !== undefined && 2 * i < damage.xor.length; i++) {
    const bits = parseInt(damage.xor.slice(2 * i, 2 * i + 2), 16);
    if (bits !== 0) bytes.push([damage.offset + i, bits]);
  }
  // the damage of joined faults is that of the first one
  const joined = damage !== undefined &&
    damage.xor.length / 2 < Math.min(MOST_DAMAGE, fault.length);
  return { fault, case: row, address: (damage?.base ?? 0) + fault.offset, joined, bytes };
}
