// SPDX-License-Identifier: MIT
/**
 * Runs of the loopback suite on the simulated board within one process, with a fault for each case. A
 * case takes milliseconds, so a test can make hundreds of runs.
 *
 * @module
 */
import { Device } from "../../../driver/device.ts";
import type { PolicyName } from "../../../driver/uapi.ts";
import { SimBoard } from "../../../fixtures/boards/sim/mod.ts";
import { loopDepth } from "../../frames/block_set.ts";
import { summarizeReport } from "../../frames/intact.ts";
import { runLoop } from "../../frames/loop.ts";
import { BrokenRunError, type FrameReport } from "../../frames/report.ts";
import { patterns } from "../../patterns/mod.ts";
import type { BoardInfo, Results, TestResult } from "../../results/schema.ts";

/** The parameters of a case. */
export interface SimCase {
  /** The policy. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in flight. */
  readonly depth: number | "max";
}

/** Options of {@linkcode runOnSim}. */
export interface SimRun {
  /** The fault of each case, as `--fault` takes it; a function if not every case has it. */
  readonly fault: string | ((one: SimCase) => string | null);
  /** Policies. Defaults to six of all kinds. */
  readonly policies?: readonly PolicyName[];
  /** Sizes. Defaults to six up to 20 KB, with whole lines and partial beats. */
  readonly sizes?: readonly number[];
  /** Depths. Defaults to 1 and max. */
  readonly depths?: readonly (number | "max")[];
  /** Frames of a case. Defaults to 16. */
  readonly frames?: number;
  /** Whether the board is coherent. Defaults to false. */
  readonly coherent?: boolean;
  /** Seed of board and frames. Defaults to 1. */
  readonly seed?: number;
  /** Faults after which a case ends. Defaults to 16. */
  readonly maxFaults?: number;
  /** Longest wait for a completion, milliseconds. Defaults to 5000. */
  readonly timeoutMs?: number;
}

const SIZES = [64, 65, 1000, 4096, 4097, 20_000];
const POLICIES = [
  "coherent",
  "write-combine",
  "streaming",
  "noncoherent",
  "user-pages",
  "bounce",
] as const;

/** A board for one case. */
export interface CaseBoard extends Disposable {
  /** The device. Disposing the board closes it. */
  readonly device: Device;
  /** Arms a fault. */
  arm(fault: string): void;
}

/** Results as far as the diagnosis reads them. */
export type MatrixResults = Pick<Results, "tests" | "board">;

/**
 * Runs a matrix of cases on the simulated board.
 *
 * @param run The cases and their fault
 * @returns Results as far as the diagnosis reads them
 */
export function runOnSim(run: SimRun): MatrixResults {
  const { seed = 1, coherent = false } = run;
  const board = { kind: "sim", engine: "pl_sim", coherent } as const;
  return runMatrix(run, board, () => {
    const sim = new SimBoard({ seed, coherent });
    const device = Device.open({ syscalls: sim });
    return {
      device,
      arm: (fault) => sim.arm(fault),
      [Symbol.dispose]() {
        using _sim = sim;
        sim.disarm();
        device[Symbol.dispose]();
      },
    };
  });
}

/**
 * Runs a matrix of cases on any board.
 *
 * @param run The cases and their fault
 * @param about What the results say about the board
 * @param open Opens the board for one case
 * @returns Results as far as the diagnosis reads them
 */
export function runMatrix(
  run: SimRun,
  about: Pick<BoardInfo, "kind" | "engine" | "coherent">,
  open: () => CaseBoard,
): MatrixResults {
  const { policies = POLICIES, sizes = SIZES } = run;
  const tests: TestResult[] = [];
  for (const policy of policies) {
    for (const size of sizes) {
      for (const depth of run.depths ?? [1, "max"]) {
        tests.push(runCase({ policy, size, depth }, run, open()));
      }
    }
  }
  const board = { ...about, simulated: true, arch: null, kernel: null, cacheLine: 64, core: null };
  return { tests, board };
}

function runCase(one: SimCase, run: SimRun, board: CaseBoard): TestResult {
  const { policy, size, depth } = one;
  const { seed = 1, frames = 16, maxFaults, timeoutMs = 5000 } = run;
  const fault = typeof run.fault === "string" ? run.fault : run.fault(one);
  const { device } = board;
  const pattern = patterns.tagged().create({ seed, maxLength: size + 8192 });
  let report: FrameReport | null = null;
  let thrown: unknown = null;
  try {
    report = runLoop(device, pattern, {
      policy,
      size,
      depth: depth === "max" ? loopDepth(device, size) : depth,
      frames,
      timeoutMs,
      ...(maxFaults === undefined ? {} : { maxFaults }),
      onPrimed: () => fault === null ? undefined : board.arm(fault),
    });
  } catch (error) {
    if (error instanceof BrokenRunError) report = error.reports[0] ?? null;
    thrown = error;
  }
  try {
    board[Symbol.dispose]();
  } catch (error) {
    thrown ??= error;
  }
  const failed = thrown !== null || report === null || report.faults.length > 0 ||
    report.timeout !== null;
  const late = report !== null && report.timeout !== null;
  return {
    suite: "loopback",
    name: `loop policy=${policy} size=${size} depth=${depth}`,
    policy,
    params: { size, depth },
    outcome: !failed ? "PASS" : late ? "TIMEOUT" : "FAIL",
    reason: !failed ? null : thrown !== null ? String(thrown) : summarizeReport(report!),
    seconds: 0,
    frames: report?.frames ?? 0,
    bytes: report?.bytes ?? 0,
    faults: report?.faults ?? [],
    measurements: [],
    ...(report?.late === undefined ? {} : { late: report.late }),
  };
}
