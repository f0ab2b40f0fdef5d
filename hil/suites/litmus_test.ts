// SPDX-License-Identifier: MIT
/**
 * Litmus: generated programs of CPU and device on one or two cache lines. Each outcome is compared with those
 * that an executable model of caches and DMA API allows.
 *
 * `coherence/generated/README.md` describes the programs and the model. Simulated boards run all programs.
 * Other boards run a sample, which the seed chooses. `--frames` is the number of programs in each case.
 */

import type { DeviceInfo } from "../../driver/info.ts";
import { registeredAt } from "../case/author_place.ts";
import { runCase } from "../case/case.ts";
import { Session } from "../case/session.ts";
import { assertIntact, listFaults } from "../frames/intact.ts";
import type { CaseResult } from "../journal/journal.ts";
import { patterns } from "../patterns/mod.ts";
import { isFine } from "../results/outcome.ts";
import type { Fault } from "../verify/fault.ts";
import { type Kind, kindOf } from "./coherence/expected.ts";
import {
  type Layout,
  LAYOUTS,
  LitmusBench,
  ShortTransferError,
} from "./coherence/generated/bench.ts";
import { generatedTests, sampleTests } from "./coherence/generated/enumerate.ts";
import { Histogram, lostPower, MACHINES_OF } from "./coherence/generated/judge.ts";
import { formatProgram, type Program } from "./coherence/generated/program.ts";

/** Time limit of a case, seconds. */
const LIMIT = 600;

/** Programs of a case where a frame takes long, and where the logic is simulated cycle by cycle. */
const SAMPLE = { usual: 200, slow: 32 } as const;

/** Runs of each program on sim, where a frame takes microseconds: one in each layout. */
const PASSES = LAYOUTS.length;

/** Largest number of faults of a case. */
const MOST_FAULTS = 16;

/** What a transfer may take, milliseconds. */
const WAIT = { timeoutMs: 10_000 } as const;

/** One case: the programs whose lines have the same directions. */
interface LitmusCase {
  readonly name: string;
  readonly lines: string;
  readonly programs: readonly Program[];
}

const session = await Session.openLoaded();
if (typeof session === "string") {
  Deno.test({ name: "the board is there", retry: 0, fn: () => fail(session) });
} else if (session !== null) {
  registerAll(session);
}

function registerAll(session: Session): void {
  const [info] = session.infos ?? [];
  if (info === undefined) throw new Error(`Expected INFO of ${session.paths[0]}, found none`);
  const kind = kindOf(session.board.kind, info);
  const byLines = Map.groupBy(generatedTests(), ({ lines }) => lines.join("+"));
  for (const [lines, programs] of byLines) {
    register({ name: `programs on ${lines}`, lines, programs }, kind, session);
  }
}

function reasonToSkip(session: Session): string | null {
  if (session.settings.policies?.includes("manual") === false) {
    return "the suite runs under policy manual, which --policy leaves out";
  }
  for (const { tx, rx, policies } of session.infos ?? []) {
    const missing = tx === null ? "tx" : rx === null ? "rx" : null;
    if (missing !== null) {
      return `the suite sends frames through a loop, and this device has no ${missing}`;
    }
    for (const policy of ["manual", "coherent"] as const) {
      const { tx, rx } = policies[policy];
      if (!tx || !rx) return `the driver does not offer policy ${policy} here`;
    }
  }
  return null;
}

/** The number of programs of a case on this board. */
function mostPrograms({ settings, board, infos }: Session): number {
  const slow = infos?.some((info: DeviceInfo) => info.tx?.engine === "pl_cosim") ?? false;
  if (settings.frames !== null) return settings.frames;
  if (board.kind === "sim") return Infinity;
  return slow ? SAMPLE.slow : SAMPLE.usual;
}

function register(one: LitmusCase, kind: Kind, session: Session): void {
  const { suite, journal, settings } = session;
  const { name, lines, programs } = one;
  const id = `${suite}/${name}`;
  const skip = reasonToSkip(session);
  const params = { lines, of: programs.length };
  journal.register({ id, suite, name, policy: "manual", skip, params, ...registeredAt() });
  const limit = LIMIT + (settings.duration ?? 0);
  Deno.test({
    name,
    ignore: skip !== null,
    retry: 0,
    // the journal has no entry for what Deno's own limit ends, so that limit comes last
    timeout: (limit + 60) * 1000,
    fn: async () => {
      session.startCase(id, limit);
      const result = await run(one, kind, limit, session);
      session.endCase(id, result);
      if (isFine(result.outcome)) return;
      fail(`${result.outcome}: ${result.reason}${listFaults(result.faults ?? [])}`);
    },
  });
}

async function run(
  one: LitmusCase,
  kind: Kind,
  limit: number,
  session: Session,
): Promise<CaseResult> {
  const { settings, board } = session;
  const { seed, duration, fault } = settings;
  const share = duration === null ? null : duration / 5;
  const histogram = new Histogram(MACHINES_OF[kind]);
  const programs = sampleTests(one.programs, mostPrograms(session), seed);
  let bytes = 0;
  const chosen = { policy: "manual" as const, size: 1, depth: 1, guarded: false, seconds: share };
  const { result } = await runCase(
    session,
    () => ({ ...chosen, pattern: patterns.tagged() }),
    { control: false, directions: ["tx", "rx"], limit, id: `${session.suite}/${one.name}` },
    ({ devices, attach, measure }) => {
      const faults: Fault[] = [];
      const start = performance.now();
      for (const device of devices) {
        using bench = new LitmusBench(device, seed, WAIT);
        if (fault !== null && device === devices[0]) board.arm(fault);
        const end = share === null ? 0 : performance.now() + 1000 * share / devices.length;
        let left = board.kind === "sim" ? PASSES : 1;
        do {
          for (const [i, program] of programs.entries()) {
            const layout = LAYOUTS[(i + left) % LAYOUTS.length];
            for (const found of runProgram(bench, program, layout, histogram)) {
              faults.push(found);
              session.noteFault(found);
            }
            bytes += program.lines.length * bench.line;
            if (isOver(faults)) break;
          }
        } while ((--left > 0 || performance.now() < end) && !isOver(faults));
      }
      attach("histogram.txt", histogram.text());
      measure("programs", histogram.programs, "programs");
      measure("runs", histogram.runs, "runs");
      measure("outcomes seen", histogram.states, "outcomes");
      measure("outcomes allowed", histogram.allowed, "outcomes");
      measure("runs unlike a coherent device", histogram.powerful, "runs");
      assertIntact({
        asked: histogram.runs,
        frames: histogram.runs,
        bytes,
        faults,
        timeout: null,
        seen: { tx: null, rx: null },
        seconds: (performance.now() - start) / 1000,
      });
    },
  );
  const power = result.outcome === "PASS" ? lostPower(kind, histogram) : null;
  return {
    ...result,
    ...(power === null ? {} : { outcome: "ERROR", reason: power }),
    frames: histogram.runs,
    bytes,
    ...(histogram.programs === one.programs.length ? {} : {
      notes: [`${histogram.programs} of ${one.programs.length} programs on ${one.lines} ran`],
    }),
  };
}

/** Runs a program once; returns what is wrong with what it showed. */
function runProgram(
  bench: LitmusBench,
  program: Program,
  layout: Layout | undefined,
  histogram: Histogram,
): Fault[] {
  try {
    return histogram.add(program, bench.run(program, layout));
  } catch (error) {
    if (!(error instanceof ShortTransferError)) throw error;
    const { direction, moved, asked, message } = error;
    return [{
      kind: "truncated",
      frame: histogram.runs,
      offset: moved,
      length: asked - moved,
      blame: direction === "tx" ? "tx" : "core",
      detail: `${formatProgram(program)}: ${message}`,
    }];
  }
}

/** Whether no more programs can run: there are enough faults, or transfers of a short one may be under way. */
function isOver(faults: readonly Fault[]): boolean {
  return faults.length >= MOST_FAULTS || faults.at(-1)?.kind === "truncated";
}

function fail(reason: string): never {
  throw new Error(reason);
}
