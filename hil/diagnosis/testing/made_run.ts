// SPDX-License-Identifier: MIT
/**
 * Results that are made up: a matrix of cases, in which a function decides which frames are wrong.
 *
 * @module
 */
import type { Results, TestResult } from "../../results/schema.ts";
import type { Fault } from "../../verify/fault.ts";
import { Random } from "../../../driver/testing/random.ts";

/** A frame of a made run. */
export interface MadeFrame {
  /** The policy of its case. */
  readonly policy: string;
  /** Its bytes. */
  readonly size: number;
  /** Blocks in flight; `Infinity` for full queues. */
  readonly depth: number;
  /** Its number. */
  readonly frame: number;
  /** Its block. */
  readonly block: number;
  /** Random numbers. */
  readonly random: Random;
}

/** A fault without what the frame determines. */
export type MadeFault = Pick<Fault, "kind" | "blame" | "offset" | "length" | "found"> & {
  /** The wrong bits. Defaults to several bits of each byte. */
  readonly xor?: string;
};

/** Options of {@linkcode madeRun}. */
export interface MadeRun {
  /** Returns what is wrong with a frame. */
  readonly faults: (frame: MadeFrame) => readonly MadeFault[];
  /** How the case ends at a frame, for reasons such as a completion that does not come. Defaults to null. */
  readonly end?: (frame: MadeFrame) => "timeout" | "mix-up" | null;
  /** Whether the board is coherent. Defaults to false. */
  readonly coherent?: boolean;
  /** Policies. Defaults to five of all kinds. */
  readonly policies?: readonly string[];
  /** Sizes. Defaults to nine up to 70,000 bytes. */
  readonly sizes?: readonly number[];
  /** Blocks in flight; `Infinity` for full queues. Defaults to 1 and full queues. */
  readonly depths?: readonly number[];
  /** The number of blocks of a full queue. Defaults to 12. */
  readonly blocks?: (one: Pick<MadeFrame, "size">) => number;
  /** Frames of a case. Defaults to 64. */
  readonly frames?: number;
}

const POLICIES = ["coherent", "write-combine", "streaming", "noncoherent", "user-pages"];
const SIZES = [64, 300, 1001, 4096, 4100, 10_000, 20_000, 40_960, 70_000];

/** The faults after which a case ends, the bytes before a frame in its block, and the number of blocks. */
const MOST = 16;
const BASE = 64;
const BLOCKS = 12;

/**
 * Makes results.
 *
 * @param run What is wrong
 * @returns The results, as far as the diagnosis reads them
 */
export function madeRun(run: MadeRun): Pick<Results, "tests" | "board"> {
  const random = new Random(1);
  const tests = (run.policies ?? POLICIES).flatMap((policy) =>
    (run.sizes ?? SIZES).flatMap((size) =>
      (run.depths ?? [1, Infinity]).map((depth) => madeCase(run, { policy, size, depth, random }))
    )
  );
  return {
    tests,
    board: {
      kind: "local",
      simulated: false,
      arch: null,
      kernel: null,
      coherent: run.coherent ?? false,
      cacheLine: 64,
      engine: null,
      core: null,
    },
  };
}

function madeCase(
  { faults: faultsOf, end = () => null, blocks = () => BLOCKS, frames = 64 }: MadeRun,
  one: Omit<MadeFrame, "frame" | "block">,
): TestResult {
  const { policy, size, depth } = one;
  const faults: Fault[] = [];
  let frame = 0;
  let ending: "timeout" | "mix-up" | null = null;
  for (; frame < frames && faults.length < MOST; frame++) {
    const block = depth === 1 ? 3 : 3 + frame % blocks(one);
    const made = { ...one, frame, block };
    ending = end(made);
    if (ending !== null) break;
    for (const fault of faultsOf(made)) {
      const { xor = "5a".repeat(Math.min(256, fault.length)), ...rest } = fault;
      const damage = { offset: fault.offset, xor, base: BASE };
      faults.push({ ...rest, frame, block, detail: "made up", damage });
    }
  }
  const name = `loop policy=${policy} size=${size} depth=${depth === 1 ? 1 : "max"}`;
  return {
    suite: "loopback",
    name,
    policy,
    params: { size, depth: depth === 1 ? 1 : "max" },
    outcome: ending === "timeout"
      ? "TIMEOUT"
      : ending !== null || faults.length > 0
      ? "FAIL"
      : "PASS",
    reason: ending === "mix-up"
      ? "MixUpError: made up"
      : ending ?? (faults.length > 0 ? "faults" : null),
    seconds: 0,
    frames: frame,
    bytes: frame * size,
    faults,
    measurements: [],
  };
}
