// SPDX-License-Identifier: MIT
/**
 * A loopback run with a fault on the simulated board, in this process: the blocks, the verification and the
 * judgement of a real run, with fewer cases. Then its diagnosis, and what that says next to the truth.
 *
 * @module
 */

import { Device } from "../../../driver/device.ts";
import { DIRECTIONS, POLICIES, type PolicyName } from "../../../driver/uapi.ts";
import { SimBoard } from "../../../fixtures/boards/sim/mod.ts";
import { needsSync } from "../../board/board.ts";
import { lateOf } from "../../case/case.ts";
import { judge, judgeControl } from "../../case/judge.ts";
import { loopDepth } from "../../frames/block_set.ts";
import { assertIntact, IntactError } from "../../frames/intact.ts";
import { runLoop } from "../../frames/loop.ts";
import { BrokenRunError, type FrameReport } from "../../frames/report.ts";
import { patterns } from "../../patterns/mod.ts";
import type { Diagnosis, Results, TestResult } from "../../results/schema.ts";
import { withDiagnosis } from "../diagnose.ts";

/** Sizes of frames: those of the suite loopback up to 64 KiB, and a smaller one in place of 1 MiB and 4093. */
const SIZES = [1, 3, 8, 63, 64, 65, 1000, 4096, 4097, 32768 + 4093, 65536];

/** The largest number of blocks in flight. The suite uses full queues, which take longer. */
const DEPTH = 7; // not 8, so that every 8th frame is in each block

/** Frames of more than a page and a bit are large. */
const PAGE = 5000;

/** Most bytes of a case, apart from one frame more than its blocks. */
const BYTES = 1 << 18;

/**
 * Runs the loop under every policy with a fault.
 *
 * @param fault The fault
 * @param seed Seed of the board and of the frames
 * @param sizes Sizes of frames. Defaults to those of the suite, up to 64 KiB
 * @param policies Policies. Defaults to all
 * @returns The cases that ran, and the diagnosis; `null` if no case failed
 */
export function runWith(
  fault: string,
  seed: number,
  sizes: readonly number[] = SIZES,
  policies: readonly PolicyName[] = POLICIES,
): { tests: readonly TestResult[]; diagnosis: Diagnosis | null } {
  using board = new SimBoard({ seed });
  const pattern = patterns.tagged().create({ seed, maxLength: 1 << 20 });
  const tests: TestResult[] = [];
  for (const policy of policies) {
    for (const size of sizes) {
      for (const depth of [1, "max"] as const) {
        using device = Device.open({ syscalls: board });
        const { alias, tx, rx } = device.info.policies[policy];
        if (alias || !tx || !rx) continue;
        const blocks = depth === 1 ? 1 : Math.min(DEPTH, loopDepth(device, size));
        tests.push(runCase(board, device, fault, { policy, size, depth, blocks, pattern }));
      }
    }
  }
  const info = { kind: "sim", simulated: true, arch: null, kernel: null, coherent: false };
  const results = {
    tests,
    board: { ...info, cacheLine: 64, engine: "pl_sim", core: null },
  } as unknown as Results; // a diagnosis uses nothing else
  return { tests, diagnosis: withDiagnosis(results).diagnosis ?? null };
}

/** Runs one case as hil() does. */
function runCase(
  board: SimBoard,
  device: Device,
  fault: string,
  { policy, size, depth, blocks, pattern }: {
    readonly policy: PolicyName;
    readonly size: number;
    readonly depth: 1 | "max";
    readonly blocks: number;
    readonly pattern: ReturnType<ReturnType<typeof patterns.tagged>["create"]>;
  },
): TestResult {
  const control = policy === "none";
  const reports: FrameReport[] = [];
  let thrown: unknown = null;
  try {
    const report = runLoop(device, pattern, {
      ...{ policy, size, depth: blocks, guarded: true },
      frames: Math.min(300, Math.max(blocks + 1, Math.floor(BYTES / size))),
      // the fewest faults that show a period, because damage of a large frame takes long to name
      ...(control ? { maxFaults: 4, brief: true } : size > PAGE ? { maxFaults: 6 } : {}),
      onPrimed: () => board.arm(fault),
    });
    reports.push(report);
    assertIntact(report);
  } catch (error) {
    if (error instanceof BrokenRunError) reports.push(...error.reports);
    thrown = error instanceof BrokenRunError ? error.cause : error;
  }
  if (thrown !== null && !(thrown instanceof Error)) throw thrown;
  if (thrown instanceof IntactError && thrown.report !== reports[0]) throw thrown;
  const matters = needsSync(device);
  const judged = control
    ? judgeControl(judge(thrown, reports), reports, DIRECTIONS, matters, thrown)
    : judge(thrown, reports);
  const injected = board.disarm();
  return {
    suite: "loopback",
    name: `loop policy=${policy} size=${size} depth=${depth}`,
    policy,
    outcome: judged.outcome,
    reason: judged.reason,
    seconds: 0,
    frames: reports.reduce((sum, { frames }) => sum + frames, 0),
    bytes: reports.reduce((sum, { bytes }) => sum + bytes, 0),
    faults: reports.flatMap(({ faults }) => faults),
    measurements: [],
    params: { size, depth, alias: false },
    ...lateOf(reports),
    injected,
  };
}

/** What a diagnosis says next to the truth. `silent` if no case failed. */
export type Standing = "named" | "narrowed" | "unknown" | "wrong" | "silent";

/**
 * Compares a diagnosis with the causes that may be named.
 *
 * @param diagnosis The diagnosis
 * @param causes Ids of the causes that are true
 * @returns How it stands. One group with a wrong cause makes all of it wrong
 */
export function standing(diagnosis: Diagnosis | null, causes: readonly string[]): Standing {
  if (diagnosis === null) return "silent";
  let best: Standing = "unknown";
  for (const { status, causes: said } of diagnosis.groups) {
    if (status !== "named" && status !== "narrowed") continue;
    if (!said.some(({ id }) => causes.includes(id))) return "wrong";
    // two causes that are both true are as good as one
    if (status === "named" || best === "unknown") best = status;
  }
  return best;
}

/** Counts of what diagnoses said, and the faults about which something wrong was said. */
export class Tally {
  /** How many diagnoses stand how. */
  readonly counts: Record<Standing, number> = {
    ...{ named: 0, narrowed: 0, unknown: 0, wrong: 0, silent: 0 },
  };
  /** What was said, by fault. */
  readonly wrong: Record<string, string> = {};

  /**
   * Runs a fault, and counts what is said about it.
   *
   * @param fault The fault
   * @param causes Ids of the causes that are true
   * @param options What runs, as for {@linkcode runWith}
   * @returns The diagnosis, and how it stands
   */
  add(
    fault: string,
    causes: readonly string[],
    { seed, sizes, policies }: {
      readonly seed: number;
      readonly sizes?: readonly number[] | undefined;
      readonly policies?: readonly PolicyName[] | undefined;
    },
  ): { diagnosis: Diagnosis | null; stands: Standing } {
    const { diagnosis } = runWith(fault, seed, sizes, policies);
    const stands = standing(diagnosis, causes);
    this.counts[stands]++;
    if (stands === "wrong") this.wrong[fault] = diagnosis?.sentences[0] ?? "";
    return { diagnosis, stands };
  }

  /** Prints the counts, and what was wrong. */
  print(what: string): void {
    console.log(`${what}: ${JSON.stringify(this.counts)}`);
    for (const [fault, said] of Object.entries(this.wrong)) {
      console.log(`  wrong: ${fault}: ${said}`);
    }
  }
}
