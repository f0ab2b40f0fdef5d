// SPDX-License-Identifier: MIT
/**
 * Coherence: litmus tests of single cache lines, under every policy that the board offers.
 *
 * `coherence/litmus.ts` has the tests, and `coherence/expected.ts` has one table of how they must end on each
 * board. Policy `none` is a control, and so is policy `manual` with one SYNC call left out. If a control passes
 * although the table says that the board reveals the missing call, it is an ERROR, because then the other cases
 * prove nothing either.
 */

import { type DeviceInfo, knowsIdle } from "../../driver/info.ts";
import { type Direction, POLICIES, type PolicyName } from "../../driver/uapi.ts";
import { registeredAt } from "../case/author_place.ts";
import { runCase } from "../case/case.ts";
import { BrokenRunError, type FrameReport, joinReports } from "../frames/report.ts";
import { assertIntact, listFaults } from "../frames/intact.ts";
import type { CaseResult } from "../journal/journal.ts";
import { isFine, type Outcome } from "../results/outcome.ts";
import type { Fault } from "../verify/fault.ts";
import { patterns } from "../patterns/mod.ts";
import { Session } from "../case/session.ts";
import { plural } from "../text/format.ts";
import { isSimulated } from "../board/board.ts";
import { type Caches, frameSizes, readCaches } from "./coherence/caches.ts";
import {
  expectationOf,
  expectedOutcome,
  type Kind,
  kindOf,
  LITMUS_NAMES,
  type LitmusName,
  powerError,
} from "./coherence/expected.ts";
import type { SyncCall } from "../frames/handover.ts";
import { LITMUS } from "./coherence/litmus.ts";
import { Pressure } from "./coherence/pressure.ts";
import { alignment, runLitmus } from "./coherence/litmus_run.ts";

/** Time limit of a case, seconds. It is longer than every wait inside a case. */
const LIMIT = 300;

/** Limits for the rounds of a litmus test, and the bytes that bound the default number of rounds. */
const ROUNDS = { least: 8, most: 64, bytes: 1 << 20 } as const;

/** Largest number of faults at one size. A control needs fewer. */
const MOST_FAULTS = { test: 16, control: 4 } as const;

/** Lines of a frame in tests that need only a few. */
const FEW_LINES = 20;

/** One case. */
interface LitmusCase {
  readonly name: string;
  readonly litmus: LitmusName;
  readonly policy: PolicyName;
  /** The call that is left out on purpose. */
  readonly without: SyncCall | null;
}

/** The devices and settings that all cases share. */
interface Context {
  readonly session: Session;
  readonly infos: readonly DeviceInfo[];
  readonly kind: Kind;
  /** Null if the caches have no size, which is so on every simulated and virtual board. */
  readonly caches: Caches | null;
  readonly pressure: Pressure | null;
  /** Whether the logic is simulated cycle by cycle, at some megabytes per second. */
  readonly slow: boolean;
}

const controls: Outcome[] = [];
const session = await Session.openLoaded();
if (typeof session === "string") {
  Deno.test({ name: "the board is there", retry: 0, fn: () => fail(session) });
} else if (session !== null) {
  const context = prepare(session);
  Deno.test.afterAll(() => context.pressure?.[Symbol.dispose]());
  registerAll(context);
}

function prepare(session: Session): Context {
  const infos = session.infos ?? [];
  const [info] = infos;
  if (info === undefined) throw new Error(`Expected INFO of ${session.paths[0]}, found none`);
  const { kind: board, remote } = session.board;
  const caches = readCaches(remote === null ? undefined : (path) => remote.readFile(path));
  const slow = info.tx?.engine === "pl_cosim";
  // on sim only one thread reaches the memory; beside QEMU the simulated logic needs the processors
  const pressure = board === "sim" || board === "remote" || slow
    ? null
    : new Pressure(caches, info.cacheAlign);
  const kind = kindOf(board, info);
  const sized = board === "local" || (board === "remote" && !isSimulated(info));
  return { session, infos, kind, caches: sized ? caches : null, pressure, slow };
}

function registerAll(context: Context): void {
  const { settings } = context.session;
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
  const skips = cases.map((one) => reasonToSkip(one, context));
  const running = skips.filter((reason) => reason === null).length;
  cases.forEach((one, i) => register(one, skips[i] ?? null, running, context));
  if (!cases.some((one, i) => isControl(one) && skips[i] === null)) return;
  // plumbline run judges the controls of all files; this is for a plain deno test
  Deno.test({
    name: "a litmus test without its sync fails somewhere, as it must",
    retry: 0,
    fn: () => {
      const passed = controls.filter((outcome) => outcome === "XPASS").length;
      if (passed === 0 || controls.includes("XFAIL")) return;
      fail(
        `No control failed, and ${passed} passed without a sync: on this board the other cases ` +
          "say nothing about missing syncs",
      );
    },
  });
}

function isControl({ policy, without }: LitmusCase): boolean {
  return policy === "none" || without !== null;
}

/** The directions of a test in which every device offers the policy. */
function directionsOf({ litmus, policy, without }: LitmusCase, context: Context): Direction[] {
  return expectationOf(litmus).directions.filter((direction) =>
    // a missing call has an effect in its own direction only
    (without === null || without.startsWith(direction)) &&
    !(policy === "bounce" && direction === "rx" && leavesBlocks(context)) &&
    context.infos.every(({ policies }) => policies[policy][direction])
  );
}

/** Whether read() would leave blocks with an engine, and no RESET could take them back. */
function leavesBlocks({ infos }: Context): boolean {
  return infos.some(({ rx }) => rx !== null && !knowsIdle(rx));
}

/** Sizes of the frames of a case, bytes, in ascending order. */
function sizesOf({ litmus, policy }: LitmusCase, { infos, caches, session }: Context): number[] {
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

/** Returns why a case cannot run here, or null. */
function reasonToSkip(one: LitmusCase, context: Context): string | null {
  const { litmus, policy, without } = one;
  for (const { tx, rx, policies, cacheAlign } of context.infos) {
    const missing = tx === null ? "tx" : rx === null ? "rx" : null;
    if (missing !== null) {
      return `the suite sends frames through a loop, and this device has no ${missing}`;
    }
    if (!policies[policy].tx && !policies[policy].rx) {
      return policy === "dma-buf"
        ? "no dma-heap makes buffers here, or the driver does not offer policy dma-buf"
        : `the driver does not offer policy ${policy} here`;
    }
    if (policies[policy].alias) return "an alias of coherent here, with the same memory attribute";
    if (litmus === "shared line" && 2 * alignment({ tx, rx }) > cacheAlign) {
      return "the engine moves whole cache lines only, so two frames cannot share one";
    }
    if (litmus === "partial sync" && alignment({ tx, rx }) > cacheAlign) {
      return "the engine cannot start at every cache line, so it cannot move a part of a block";
    }
  }
  const { not } = expectationOf(litmus);
  if (not?.[policy] !== undefined) return not[policy];
  if (expectedOutcome(context.kind, litmus, policy, without) === "SKIP") {
    return `a board of kind ${context.kind} cannot reveal that ${without} is missing`;
  }
  if (directionsOf(one, context).length === 0) {
    if (policy === "bounce" && leavesBlocks(context)) {
      return "read() leaves blocks with the engine, and no RESET can know when this engine is idle";
    }
    return `the driver does not offer policy ${policy} in this direction`;
  }
  if (sizesOf(one, context).length > 0) return null;
  const asked = context.session.settings.sizes === null ? "" : ": --size leaves none";
  return `needs frames of ${
    plural(LITMUS[litmus].lines, "cache line")
  } that fit into a block, as the ` +
    `engine moves them${asked}`;
}

function register(one: LitmusCase, skip: string | null, running: number, context: Context): void {
  const { session, caches } = context;
  const { suite, journal, settings } = session;
  const { name, policy, without } = one;
  const id = `${suite}/${name}`;
  const control = isControl(one);
  const params = {
    litmus: one.litmus,
    ...(without === null ? {} : { without }),
    ...(skip === null ? { size: sizesOf(one, context).join(",") } : {}),
    ...(caches === null ? {} : { caches: caches.source }),
  };
  journal.register({ id, suite, name, policy, control, skip, params, ...registeredAt() });
  const limit = LIMIT + (settings.duration ?? 0);
  Deno.test({
    name,
    ignore: skip !== null,
    retry: 0,
    // the journal has no entry for what Deno's own limit ends, so that limit comes last
    timeout: (limit + 60) * 1000,
    fn: async () => {
      session.startCase(id, limit);
      const seconds = settings.duration === null ? null : settings.duration / running;
      context.pressure?.begin();
      let result: CaseResult;
      try {
        result = judge(one, await run(one, seconds, limit, context), context.kind);
      } finally {
        context.pressure?.rest();
      }
      session.endCase(id, result);
      if (control) controls.push(result.outcome);
      if (isFine(result.outcome)) return;
      fail(`${result.outcome}: ${result.reason}${listFaults(result.faults ?? [])}`);
    },
  });
}

/** Runs a case on every device, in each direction, at each size. */
async function run(
  one: LitmusCase,
  seconds: number | null,
  limit: number,
  context: Context,
): Promise<CaseResult> {
  const { session, pressure, slow } = context;
  const { settings, board } = session;
  const { policy, litmus, without } = one;
  const { setups, half = false } = LITMUS[litmus];
  const [sizes, directions] = [sizesOf(one, context), directionsOf(one, context)];
  const control = isControl(one);
  const pattern = session.pattern(patterns.tagged());
  const reports: FrameReport[] = [];
  const deadline = performance.now() + limit * 1000;
  const chosen = { policy, size: Math.max(...sizes), depth: 1, guarded: false, seconds };
  const { result } = await runCase(
    session,
    () => ({ ...chosen, pattern: patterns.tagged() }),
    { control, directions, limit, id: `${session.suite}/${one.name}` },
    ({ devices }) => {
      const names: string[] = [];
      const share = seconds === null
        ? null
        : seconds / (sizes.length * directions.length * devices.length);
      for (const device of devices) {
        for (const direction of directions) {
          const part = setups[direction];
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
              reports.push(runLitmus(device, part, {
                ...{ policy, direction, size, without, half, pattern, pressure, ...rounds },
                ...(control ? {} : { onFault: (fault: Fault) => session.noteFault(fault) }),
                ...{ deadline, maxFaults: control ? MOST_FAULTS.control : MOST_FAULTS.test },
              }, arm));
            } catch (error) {
              if (!(error instanceof BrokenRunError)) throw error;
              // the faults that were found stay in the result, whatever ended the run
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

/** Turns a control that passed, although the table says that it must fail, into an infrastructure error. */
function judge(
  { litmus, policy, without }: LitmusCase,
  result: CaseResult,
  kind: Kind,
): CaseResult {
  const reason = result.outcome === "XPASS" ? powerError(kind, litmus, policy, without) : null;
  return reason === null ? result : { ...result, outcome: "ERROR", reason };
}

function fail(reason: string): never {
  throw new Error(reason);
}
