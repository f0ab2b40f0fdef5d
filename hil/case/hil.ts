// SPDX-License-Identifier: MIT
/**
 * The entry point of a test file: `hil()` finds the board, and `matrix` and `test` register one
 * `Deno.test` for each case.
 *
 * @module
 */

import { fileURLToPath as fromFileUrl } from "node:url";
import type { CoreInfo } from "../../driver/info.ts";
import { POLICIES, type PolicyName } from "../../driver/uapi.ts";
import { offerDesign } from "../../fixtures/boards/sim/design/offer.ts";
import type { Design } from "../../fixtures/boards/sim/mod.ts";
import { localFiles } from "../board/local_files.ts";
import { type Done, doneBefore } from "../journal/resume.ts";
import { lineOfAuthor, registeredAt } from "./author_place.ts";
import { runCase } from "./case.ts";
import { type Names, unknownOption, wrongTestOption } from "./check_options.ts";
import type { CaseContext } from "./context.ts";
import { listFaults } from "../frames/intact.ts";
import { isFine, type Outcome } from "../results/outcome.ts";
import { type Plan, planCase, SIZE, type TestOptions } from "./plan_case.ts";
import { countRounds, patternOf, resultOfRound, Shares } from "./rounds.ts";
import { Session } from "./session.ts";
import type { FrameSize } from "../settings/values.ts";
import { nearest } from "../text/nearest.ts";

/** The least time of a case in seconds, also if the duration is over: each case must move a frame. */
const LEAST_SHARE = 0.01;

/** Seconds for closing the devices after the time limit. A short limit has a shorter margin. */
const MARGIN = 60;

export type { TestOptions } from "./plan_case.ts";

/** Options of {@linkcode hil}. */
export interface HilOptions {
  /** Device nodes. Defaults to those of `--device`. */
  readonly device?: string | readonly string[];
  /**
   * Bitstream to load before the first case: a path relative to the working folder, or a `file:` URL.
   * `--bitstream` wins over it. It is not loaded again if the same file is loaded already. Loading needs
   * `deno test -A`, because Deno requires `-A` for access to `/sys`.
   */
  readonly bitstream?: string | URL;
  /**
   * Identifies a design that the driver's INFO does not know. It is called only while the FPGA manager
   * reports that the logic operates. The answer is compared with the bitstream's side file.
   *
   * @param device Path of the first device
   * @returns What the core reports about itself
   */
  readonly identify?: (device: string) => CoreInfo | Promise<CoreInfo>;
  /** A model of the design, which only the simulated board runs. Defaults to a loopback core. */
  readonly design?: Design;
  /** Reserved: partial reconfiguration is not part of this version. */
  readonly partial?: never;
  /** Reserved: partial reconfiguration is not part of this version. */
  readonly region?: never;
}

const OPTIONS: Names<Omit<HilOptions, "partial" | "region">> = {
  ...{ device: true, bitstream: true, identify: true, design: true },
};

/** Options of a matrix. It has one case for each combination of policy, size and depth. */
export interface MatrixOptions extends Omit<TestOptions, "policy" | "size" | "depth"> {
  /**
   * Sync policies, or `all`. `all` includes the control `none`, which must fail on a board where syncs
   * matter. Defaults to `streaming`.
   */
  readonly policy?: "all" | readonly PolicyName[];
  /**
   * Bytes of a frame. `block` is the largest block, and `largest` is the largest block without its guards.
   * Defaults to 64 KiB.
   */
  readonly size?: readonly FrameSize[];
  /** Blocks in flight, in each direction; `max` for full queues. Defaults to `max`. */
  readonly depth?: readonly (number | "max")[];
}

/** A test function. It may return a promise. */
export type TestFunction = (context: CaseContext) => void | Promise<void>;

/**
 * Finds the board, so that tests can be registered for it. It reads what the devices offer, and loads
 * nothing yet. It never throws: if there is no board, one failing test says which step is missing.
 *
 * @param options Device and bitstream
 * @returns The board
 *
 * @example A loop under every policy, and a generator
 * ```ts ignore
 * import { assertIntact, hil, patterns } from "@plumbline/hil";
 *
 * const top = await hil();
 *
 * top.matrix("loop", { policy: "all", size: [64, 4096, 1 << 20], depth: [1, "max"] },
 *   async ({ loop }) => assertIntact(await loop.run()));
 *
 * top.test("generator counts up", { directions: ["rx"] }, async ({ rx }) =>
 *   assertIntact(await rx.receive({ frames: 100, expect: patterns.counter() })));
 * ```
 */
export async function hil(options: HilOptions = {}): Promise<Hil> {
  const { device, bitstream, identify, design } = options;
  let problem = "partial" in options || "region" in options
    ? "Partial reconfiguration is not part of this version: load the whole bitstream"
    : unknownOption("hil()", options, OPTIONS);
  let file: string | undefined;
  try {
    const isPath = typeof bitstream === "string" && !bitstream.startsWith("file:");
    if (bitstream !== undefined) file = isPath ? bitstream : fromFileUrl(bitstream);
  } catch {
    problem ??= `Expected the bitstream to be a path or a file: URL, found ${bitstream}`;
  }
  if (offerDesign(design, file)) return new Registrar(null);
  return new Registrar(
    await Session.open({
      ...(problem === null ? {} : { problem }),
      ...(device === undefined ? {} : { devices: typeof device === "string" ? [device] : device }),
      ...(file === undefined ? {} : { bitstream: file }),
      ...(identify === undefined ? {} : { identify }),
      ...(design === undefined ? {} : { design }),
    }),
  );
}

/** A board for which tests can be registered. */
export interface Hil {
  /**
   * Registers one test for each combination of policy, size and depth, with a name such as
   * `loop policy=streaming size=4096 depth=1`. `--policy` chooses among the policies. `--size` and
   * `--depth` replace the sizes and depths.
   *
   * @param name Name of the matrix, with which the name of each case begins
   * @param options Policies, sizes, depths, and options of each case
   * @param fn The test function
   */
  matrix(name: string, options: MatrixOptions, fn: TestFunction): void;
  /**
   * Registers one test. `--policy`, `--size` and `--depth` do not affect it.
   *
   * @param name Its name
   * @param options Options of the test
   * @param fn The test function
   */
  test(name: string, options: TestOptions, fn: TestFunction): void;
  /**
   * Registers one test with default options.
   *
   * @param name Its name
   * @param fn The test function
   */
  test(name: string, fn: TestFunction): void;
}

class Registrar implements Hil {
  readonly #session: Session | null;
  /** Number of registered cases, and of those that are not skipped. */
  #cases = 0;
  /** The cases that are not skipped, for the rounds of `--duration`. */
  readonly #running: { readonly name: string; readonly plan: Plan; readonly fn: TestFunction }[] =
    [];
  #rounds = 1;
  /** How many cases ended in ERROR, one after the other. */
  #errors = 0;
  #shares: Shares | null = null;
  /** What is done, if this run was resumed. */
  readonly #done: Done;
  /** Whether a control is among them, and the outcomes of the controls that ran. */
  #hasControl = false;
  readonly #controls: Outcome[] = [];

  /** @param session The board; null if `--suite` leaves this file out; or why there is no board */
  constructor(session: Session | string | null) {
    this.#session = session instanceof Session ? session : null;
    this.#done = doneBefore(this.#session === null ? [] : this.#session.journal.lines());
    if (typeof session === "string") {
      Deno.test({ name: "the board is there", retry: 0, fn: () => fail(session) });
      return;
    }
    if (session === null) return;
    if (session.loads) Deno.test.afterAll(() => session.restore());
    // the file has run when it is loaded, so it registers no more cases
    globalThis.addEventListener("load", () => {
      if (this.#cases > 0) {
        this.#planRounds(session);
        return this.#judgeControls();
      }
      const reason = "No case is left: the file registers none, or --policy, --size and --depth " +
        "leave none";
      session.journal.infrastructureError(`cases of ${session.suite}`, reason);
      Deno.test({ name: `${session.suite} has cases`, retry: 0, fn: () => fail(reason) });
    });
  }

  matrix(name: string, options: MatrixOptions, fn: TestFunction): void {
    const session = this.#session;
    if (session === null) return;
    if (this.#refuse(session, name, wrongTestOption("matrix()", options))) return;
    const { settings } = session;
    const { policy: offered = ["streaming"], size = [SIZE], depth = ["max"], ...rest } = options;
    const policies = offered === "all" ? POLICIES : offered;
    for (const policy of policies) {
      if (this.#refusePolicy(session, name, policy)) continue;
      if (settings.policies !== null && !settings.policies.includes(policy)) continue;
      for (const frame of settings.sizes ?? size) {
        for (const blocks of settings.depths ?? depth) {
          const full = `${name} policy=${policy} size=${frame} depth=${blocks}`;
          const chosen = { ...rest, policy, size: frame, depth: blocks };
          this.#register(session, full, chosen, policy, fn);
        }
      }
    }
  }

  test(name: string, second: TestOptions | TestFunction, third?: TestFunction): void {
    const [options, fn] = typeof second === "function" ? [{}, second] : [second, third];
    if (fn === undefined) throw new TypeError(`Expected a function for test "${name}", found none`);
    if (this.#session === null) return;
    if (this.#refuse(this.#session, name, wrongTestOption("test()", options))) return;
    if (this.#refusePolicy(this.#session, name, options.policy)) return;
    this.#register(this.#session, name, options, options.policy ?? null, fn);
  }

  /** Fails a test whose policy is misspelt. */
  #refusePolicy(session: Session, name: string, policy?: PolicyName): boolean {
    if (policy === undefined || POLICIES.includes(policy)) return false;
    return this.#refuse(session, name, unknownPolicy(policy), ` policy=${policy}`);
  }

  /** Fails a test with a wrong option, so that the other cases of the file still run. */
  #refuse(
    { journal, suite }: Session,
    name: string,
    problem: string | null,
    suffix = "",
  ): boolean {
    if (problem === null) return false;
    const place = lineOfAuthor();
    const reason = `${problem}${place === null ? "" : ` (${place})`}`;
    this.#cases++;
    journal.infrastructureError(`${suite}: ${name}`, reason);
    Deno.test({ name: `${name}${suffix}`, retry: 0, fn: () => fail(reason) });
    return true;
  }

  /** Judges the controls together, as `plumbline run` does, for a plain `deno test`. */
  #judgeControls(): void {
    if (!this.#hasControl) return;
    Deno.test({
      name: "policy none fails somewhere, as it must",
      retry: 0,
      fn: () => {
        const passed = this.#controls.filter((outcome) => outcome === "XPASS").length;
        if (passed === 0 || this.#controls.includes("XFAIL")) return;
        fail(
          `No control failed, and ${passed} passed without any sync: on this board the other cases ` +
            "say nothing about missing syncs",
        );
      },
    });
  }

  #register(
    session: Session,
    name: string,
    options: TestOptions,
    policy: PolicyName | null,
    fn: TestFunction,
  ): void {
    const plan = planCase(session, name, options, policy);
    const { id, control, skip } = plan;
    this.#cases++;
    session.journal.register({
      ...{ id, suite: session.suite, name, policy, control, skip },
      ...(plan.params === null ? {} : { params: plan.params }),
      ...registeredAt(),
    });
    if (skip === null) this.#running.push({ name, plan, fn });
    if (skip === null && control) this.#hasControl = true;
    this.#addTest(session, name, {
      plan,
      fn,
      round: 1,
      ignore: skip !== null || this.#isDone(id, 1),
    });
  }

  /** Whether an earlier part of a resumed run has done this round of a case. */
  #isDone(id: string, round: number): boolean {
    return (this.#done.cases.get(id) ?? 0) >= round;
  }

  /** Registers the rounds after the first one. */
  #planRounds(session: Session): void {
    const { settings, suite } = session;
    if (settings.duration === null) return;
    this.#rounds = countRounds(settings, this.#running.length);
    let cases = 0;
    for (let round = 1; round <= this.#rounds; round++) {
      for (const { name, plan, fn } of this.#running) {
        if (this.#isDone(plan.id, round)) continue;
        cases++;
        if (round === 1) continue;
        this.#addTest(session, `${name} [round ${round}]`, { plan, fn, round, ignore: false });
      }
    }
    const spent = this.#done.seconds.get(suite) ?? 0;
    this.#shares = new Shares(settings.duration - spent, cases);
  }

  #addTest(
    session: Session,
    name: string,
    { plan, fn, round, ignore }: {
      readonly plan: Plan;
      readonly fn: TestFunction;
      readonly round: number;
      readonly ignore: boolean;
    },
  ): void {
    const { limit } = plan;
    Deno.test({
      name,
      ignore,
      retry: 0,
      // a case ends itself if it can, because Deno's own limit leaves its devices open
      timeout: (limit + Math.min(MARGIN, MARGIN / 6 + limit)) * 1000,
      fn: () => this.#run(session, plan, fn, round),
    });
  }

  async #run(session: Session, plan: Plan, fn: TestFunction, round: number): Promise<void> {
    const { id, control, directions, limit } = plan;
    const share = this.#shares?.take() ?? null;
    // only the first round must run; a round of nothing but errors shows that the board is gone
    const gone = this.#errors >= this.#running.length;
    if (round > 1 && (share === 0 || gone)) return;
    const seconds = share === null ? null : Math.max(share, LEAST_SHARE);
    const own = session.settings.duration === null ? undefined : round;
    const underWay = session.startCase(id, limit, own);
    const { result, thrown } = await runCase(
      session,
      (infos) => {
        const parameters = plan.choose(infos, patternOf(round));
        return typeof parameters === "string" ? parameters : { ...parameters, seconds };
      },
      { control, directions, limit, id },
      fn,
    );
    const { board } = session;
    const { faultAfter } = underWay;
    const files = board.kind === "sim" ? null : board.remote?.files ?? localFiles;
    session.endCase(
      id,
      own === undefined ? result : resultOfRound(result, { number: own, faultAfter }, files),
    );
    if (control) this.#controls.push(result.outcome);
    this.#errors = result.outcome === "ERROR" ? this.#errors + 1 : 0;
    if (isFine(result.outcome)) return;
    const message = `${result.outcome}: ${result.reason}${listFaults(result.faults ?? [])}`;
    throw new Error(message, thrown === null ? {} : { cause: thrown });
  }
}

function unknownPolicy(found: string): string {
  const guess = nearest(found, POLICIES);
  const which = guess === null ? `one of ${POLICIES.join(", ")}` : `the policy ${guess}`;
  return `Expected ${which}, found "${found}"`;
}

function fail(reason: string): never {
  throw new Error(reason);
}
