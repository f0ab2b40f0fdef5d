// SPDX-License-Identifier: MIT
/**
 * Coherence: litmus tests of single cache lines, under every policy that the board offers.
 *
 * What each does is in `coherence/litmus.ts`; what must come of it on which board, in one table, in
 * `coherence/expected.ts`. Policy `none` is the control, and so is policy `manual` with one SYNC call
 * left out: a control that passes where the table says that the board shows the missing call is an
 * ERROR, for then the other cases prove nothing either.
 */

import type { DeviceInfo } from "../../driver/info.ts";
import { type Direction, POLICIES, type PolicyName } from "../../driver/uapi.ts";
import { runCase } from "../case/case.ts";
import { BrokenRunError, type FrameReport, joinReports } from "../frames/report.ts";
import { assertIntact, listFaults } from "../frames/intact.ts";
import type { CaseResult } from "../journal/journal.ts";
import { isFine, type Outcome } from "../results/outcome.ts";
import { patterns } from "../patterns/mod.ts";
import { Session } from "../case/session.ts";
import { type Caches, frameSizes, readCaches } from "./coherence/caches.ts";
import {
  expectationOf,
  expectedOutcome,
  type Kind,
  kindOf,
  LITMUS_NAMES,
  type LitmusName,
  lostPower,
} from "./coherence/expected.ts";
import type { SyncCall } from "../frames/handover.ts";
import { LITMUS } from "./coherence/litmus.ts";
import { Pressure } from "./coherence/pressure.ts";
import { alignment, runStand } from "./coherence/stand.ts";

/** Time for a case, seconds: longer than every wait inside it. */
const LIMIT = 300;

/** Rounds of a litmus test, and the bytes that bound them where nobody gave a number. */
const ROUNDS = { least: 8, most: 64, bytes: 1 << 20 } as const;

/** Faults of one size that are told; after fewer a control has proved its point. */
const MOST_FAULTS = { test: 16, control: 4 } as const;

/** A frame for tests that need a few lines only. */
const FEW_LINES = 20;

/** One case. */
interface Litmus {
  readonly name: string;
  readonly litmus: LitmusName;
  readonly policy: PolicyName;
  /** The call that is left out on purpose. */
  readonly without: SyncCall | null;
}

/** What all cases share. */
interface Bench {
  readonly session: Session;
  readonly infos: readonly DeviceInfo[];
  readonly kind: Kind;
  /** Null where caches have no size: on every simulated board. */
  readonly caches: Caches | null;
  readonly pressure: Pressure | null;
  /** Whether the logic is simulated cycle by cycle: some megabytes a second. */
  readonly slow: boolean;
}

const controls: Outcome[] = [];
const session = await Session.openLoaded();
if (typeof session === "string") {
  Deno.test({ name: "the board is there", retry: 0, fn: () => fail(session) });
} else if (session !== null) {
  const bench = prepare(session);
  Deno.test.afterAll(() => bench.pressure?.[Symbol.dispose]());
  registerAll(bench);
}

function prepare(session: Session): Bench {
  const infos = session.infos ?? [];
  const [info] = infos;
  if (info === undefined) throw new Error(`Expected INFO of ${session.paths[0]}, found none`);
  const { kind: board } = session.board;
  const caches = readCaches();
  const slow = info.tx?.engine === "pl_cosim";
  // in process nobody but the one thread reaches memory; beside QEMU the logic needs the processors
  const pressure = board === "sim" || slow ? null : new Pressure(caches, info.cacheAlign);
  const kind = kindOf(board, info);
  return { session, infos, kind, caches: board === "local" ? caches : null, pressure, slow };
}

function registerAll(bench: Bench): void {
  const { settings } = bench.session;
  const wanted = (policy: PolicyName) => settings.policies?.includes(policy) ?? true;
  const cases = LITMUS_NAMES.flatMap((litmus) => [
    ...POLICIES.map((policy) => ({
      ...{ litmus, policy, without: null },
      name: `${litmus} policy=${policy}`,
    })),
    ...expectationOf(litmus).needs.map((without) => ({
      ...{ litmus, policy: "manual" as const, without },
      name: `${litmus} policy=manual without=${without}`,
    })),
  ]).filter(({ policy }) => wanted(policy));
  const skips = cases.map((one) => reasonToSkip(one, bench));
  const running = skips.filter((reason) => reason === null).length;
  cases.forEach((one, i) => register(one, skips[i] ?? null, running, bench));
  if (!cases.some((one, i) => isControl(one) && skips[i] === null)) return;
  // what `plumbline run` says of the controls of all files, for those who run plain `deno test`
  Deno.test({
    name: "a litmus test without its sync fails somewhere, as it must",
    retry: 0,
    fn: () => {
      const passed = controls.filter((outcome) => outcome === "XPASS").length;
      if (passed === 0 || controls.includes("XFAIL")) return;
      fail(
        `Syncs were left out in ${passed} cases, and nothing was wrong: on this board ` +
          "the other cases say nothing about missing syncs",
      );
    },
  });
}

function isControl({ policy, without }: Litmus): boolean {
  return policy === "none" || without !== null;
}

/** Directions in which a policy is offered on every device, of those that a test tries. */
function directionsOf({ litmus, policy, without }: Litmus, bench: Bench): Direction[] {
  return expectationOf(litmus).directions.filter((direction) =>
    // a call that is left out shows in its own direction only
    (without === null || without.startsWith(direction)) &&
    bench.infos.every(({ policies }) => policies[policy][direction])
  );
}

/** Bytes of the frames of a case, rising. */
function sizesOf({ litmus, policy }: Litmus, { infos, caches, session }: Bench): number[] {
  const { around, lines } = LITMUS[litmus];
  const line = Math.max(...infos.map(({ cacheAlign }) => cacheAlign));
  const page = Math.max(...infos.map(({ pageSize }) => pageSize));
  const align = Math.max(...infos.map(alignment));
  const most = Math.min(
    ...infos.flatMap(({ policies }) =>
      [policies[policy], policies.coherent].map(({ maxBlock }) => maxBlock).filter((max) => max > 0)
    ),
  );
  const asked = session.settings.sizes?.map((size) => typeof size === "number" ? size : most);
  const own = around ? frameSizes(caches, { line, page, most }) : [FEW_LINES * line];
  return [...new Set(asked ?? own)]
    .filter((size) => size >= lines * line && size <= most && size % align === 0)
    .sort((a, b) => a - b);
}

/** Why a case cannot be here; null when it can. */
function reasonToSkip(one: Litmus, bench: Bench): string | null {
  const { litmus, policy, without } = one;
  for (const { tx, rx, policies, cacheAlign } of bench.infos) {
    const missing = tx === null ? "tx" : rx === null ? "rx" : null;
    if (missing !== null) return `the suite sends frames round: this device has no ${missing}`;
    if (!policies[policy].tx && !policies[policy].rx) {
      return `the driver does not offer policy ${policy} here`;
    }
    if (policies[policy].alias) return "an alias of coherent here: the same memory attribute";
    if (litmus === "shared line" && 2 * alignment({ tx, rx }) > cacheAlign) {
      return "the engine moves whole cache lines only: frames share none";
    }
  }
  const { not } = expectationOf(litmus);
  if (not?.[policy] !== undefined) return not[policy];
  if (expectedOutcome(bench.kind, litmus, policy, without) === "SKIP") {
    return `a board of kind ${bench.kind} cannot show that ${without} is missing`;
  }
  if (directionsOf(one, bench).length === 0) {
    return `the driver does not offer policy ${policy} in this direction`;
  }
  if (sizesOf(one, bench).length > 0) return null;
  return `needs frames of ${
    LITMUS[litmus].lines
  } cache lines that fit into a block, as the engine ` +
    "moves them: --size leaves none";
}

function register(one: Litmus, skip: string | null, running: number, bench: Bench): void {
  const { session, caches } = bench;
  const { suite, journal, settings } = session;
  const { name, policy, without } = one;
  const id = `${suite}/${name}`;
  const control = isControl(one);
  const params = {
    litmus: one.litmus,
    ...(without === null ? {} : { without }),
    ...(skip === null ? { size: sizesOf(one, bench).join(",") } : {}),
    ...(caches === null ? {} : { caches: caches.source }),
  };
  journal.register({ id, suite, name, policy, control, skip, params });
  const limit = LIMIT + (settings.duration ?? 0);
  Deno.test({
    name,
    ignore: skip !== null,
    retry: 0,
    // Deno's own limit is the last: what it ends has no entry in the journal
    timeout: (limit + 60) * 1000,
    fn: async () => {
      journal.start(id, limit);
      const seconds = settings.duration === null ? null : settings.duration / running;
      bench.pressure?.begin();
      let result: CaseResult;
      try {
        result = judge(one, await run(one, seconds, limit, bench), bench.kind);
      } finally {
        bench.pressure?.rest();
      }
      journal.end(id, result);
      if (control) controls.push(result.outcome);
      if (isFine(result.outcome)) return;
      fail(`${result.outcome}: ${result.reason}${listFaults(result.faults ?? [])}`);
    },
  });
}

/** Run a case on every device, in each direction, at each size. */
async function run(
  one: Litmus,
  seconds: number | null,
  limit: number,
  bench: Bench,
): Promise<CaseResult> {
  const { session, pressure, slow } = bench;
  const { settings, board } = session;
  const { policy, litmus, without } = one;
  const { parts, half = false } = LITMUS[litmus];
  const [sizes, directions] = [sizesOf(one, bench), directionsOf(one, bench)];
  const control = isControl(one);
  const pattern = session.pattern(patterns.tagged());
  const reports: FrameReport[] = [];
  const deadline = performance.now() + limit * 1000;
  const chosen = { policy, size: Math.max(...sizes), depth: 1, guarded: false, seconds };
  const { result } = await runCase(
    session,
    () => ({ ...chosen, pattern: patterns.tagged() }),
    { control, directions, limit },
    ({ devices }) => {
      const names: string[] = [];
      const share = seconds === null
        ? null
        : seconds / (sizes.length * directions.length * devices.length);
      for (const device of devices) {
        for (const direction of directions) {
          const part = parts[direction];
          if (part === undefined) throw new Error(`${litmus} has no part for ${direction}`);
          for (const size of sizes) {
            const bounded = Math.min(ROUNDS.most, Math.floor(ROUNDS.bytes / size));
            const wanted = settings.frames ?? bounded;
            const rounds = share !== null
              ? { rounds: Infinity, seconds: share }
              : { rounds: Math.max(ROUNDS.least, slow ? Math.min(wanted, bounded) : wanted) };
            const first = reports.length === 0 && settings.fault !== null;
            names.push(`${devices.length > 1 ? `${device.path}, ` : ""}${size} bytes ${direction}`);
            const arm = first ? () => board.arm(settings.fault ?? "") : undefined;
            try {
              reports.push(runStand(device, part, {
                ...{ policy, direction, size, without, half, pattern, pressure, ...rounds },
                ...{ deadline, maxFaults: control ? MOST_FAULTS.control : MOST_FAULTS.test },
              }, arm));
            } catch (error) {
              if (!(error instanceof BrokenRunError)) throw error;
              // what was seen to be wrong stays wrong, whatever ended it
              reports.push(...error.reports);
              assertIntact(joinReports(reports, names));
            }
          }
        }
      }
      assertIntact(joinReports(reports, names));
    },
  );
  const faults = reports.flatMap((report) => report.faults);
  return {
    ...result,
    frames: reports.reduce((sum, { frames }) => sum + frames, 0),
    bytes: reports.reduce((sum, { bytes }) => sum + bytes, 0),
    faults,
    ...(control
      ? {
        evidence: Object.fromEntries(
          directions.map((direction) => [
            direction,
            faults.some(({ blame }) => blame === direction),
          ]),
        ),
      }
      : {}),
  };
}

/** A control that passes where the table says that it cannot is a failure of the bench. */
function judge({ litmus, policy, without }: Litmus, result: CaseResult, kind: Kind): CaseResult {
  const reason = result.outcome === "XPASS" ? lostPower(kind, litmus, policy, without) : null;
  return reason === null ? result : { ...result, outcome: "ERROR", reason };
}

function fail(reason: string): never {
  throw new Error(reason);
}
