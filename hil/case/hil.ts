// SPDX-License-Identifier: MIT
/**
 * The entry point of a test file: `hil()` finds the board, and `matrix` and `test` register one
 * `Deno.test` for each case.
 *
 * @module
 */

import { fileURLToPath as fromFileUrl } from "node:url";
import type { CoreInfo, DeviceInfo } from "../../driver/info.ts";
import { type Direction, DIRECTIONS, POLICIES, type PolicyName } from "../../driver/uapi.ts";
import { guardSize } from "../frames/guards.ts";
import { runCase } from "./case.ts";
import type { CaseContext, CaseParameters } from "./context.ts";
import { listFaults } from "../frames/intact.ts";
import { isFine, type Outcome } from "../results/outcome.ts";
import { patternNamed, patterns, type PatternSpec } from "../patterns/mod.ts";
import { Session } from "./session.ts";
import type { Settings } from "../settings/settings.ts";
import type { FrameSize } from "../settings/values.ts";

/** Default time limit of a case, seconds. It is longer than every wait inside a case. */
const LIMIT = 300;

/** Default bytes of a frame. */
const SIZE = 65536;

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
  /** Reserved: partial reconfiguration is not part of this version. */
  readonly partial?: never;
  /** Reserved: partial reconfiguration is not part of this version. */
  readonly region?: never;
}

/** Options of a test. */
export interface TestOptions {
  /** Sync policy of the blocks. Defaults to `streaming`. */
  readonly policy?: PolicyName;
  /** Bytes of a frame. Defaults to 64 KiB, or to the largest frame of the board if that is smaller. */
  readonly size?: FrameSize;
  /** Blocks in flight, in each direction. Defaults to `max`: full queues. */
  readonly depth?: number | "max";
  /** Pattern of the frames, unless `--pattern` names one. Defaults to `tagged`. */
  readonly pattern?: PatternSpec;
  /** Directions that the test uses. Defaults to both. A device without one of them skips the test. */
  readonly directions?: readonly Direction[];
  /** Time limit of each case, seconds, to which `--duration` is added. Defaults to 300. */
  readonly timeoutSeconds?: number;
}

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
  const { device, bitstream, identify } = options;
  if ("partial" in options || "region" in options) {
    return new Registrar(
      "Partial reconfiguration is not part of this version: load the whole bitstream",
    );
  }
  let file: string | undefined;
  try {
    if (bitstream !== undefined) file = pathOf(bitstream);
  } catch {
    return new Registrar(`Expected the bitstream to be a path or a file: URL, found ${bitstream}`);
  }
  return new Registrar(
    await Session.open({
      ...(device === undefined ? {} : { devices: typeof device === "string" ? [device] : device }),
      ...(file === undefined ? {} : { bitstream: file }),
      ...(identify === undefined ? {} : { identify }),
    }),
  );
}

function pathOf(file: string | URL): string {
  if (typeof file === "string" && !file.startsWith("file:")) return file;
  return fromFileUrl(file);
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
  #running = 0;
  /** Whether a control is among them, and the outcomes of the controls that ran. */
  #hasControl = false;
  readonly #controls: Outcome[] = [];

  /** @param session The board; null if `--suite` leaves this file out; or why there is no board */
  constructor(session: Session | string | null) {
    this.#session = session instanceof Session ? session : null;
    if (typeof session === "string") {
      Deno.test({ name: "the board is there", retry: 0, fn: () => fail(session) });
      return;
    }
    if (session === null) return;
    if (session.loads) Deno.test.afterAll(() => session.restore());
    // the file has run when it is loaded, so it registers no more cases
    globalThis.addEventListener("load", () => {
      if (this.#cases > 0) return this.#judgeControls();
      const reason = "No case is left: the file registers none, or --policy, --size and --depth " +
        "leave none";
      session.journal.infrastructureError(`cases of ${session.suite}`, reason);
      Deno.test({ name: `${session.suite} has cases`, retry: 0, fn: () => fail(reason) });
    });
  }

  matrix(name: string, options: MatrixOptions, fn: TestFunction): void {
    const session = this.#session;
    if (session === null) return;
    const { settings } = session;
    const { policy: offered = ["streaming"], size = [SIZE], depth = ["max"], ...rest } = options;
    const policies = offered === "all" ? POLICIES : offered;
    for (const policy of policies) {
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
    this.#register(this.#session, name, options, options.policy ?? null, fn);
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
    const { id, control, skip, limit } = plan;
    this.#cases++;
    session.journal.register({
      ...{ id, suite: session.suite, name, policy, control, skip },
      ...(plan.params === null ? {} : { params: plan.params }),
    });
    if (skip === null) this.#running++;
    if (skip === null && control) this.#hasControl = true;
    Deno.test({
      name,
      ignore: skip !== null,
      retry: 0,
      // the journal has no entry for what Deno's own limit ends, so that limit comes last
      timeout: (limit + 60) * 1000,
      fn: () => this.#run(session, plan, fn),
    });
  }

  async #run(session: Session, plan: Plan, fn: TestFunction): Promise<void> {
    const { id, control, directions, limit } = plan;
    const { duration } = session.settings;
    const seconds = duration === null ? null : duration / this.#running;
    session.journal.start(id, limit);
    const { result, thrown } = await runCase(
      session,
      (infos) => {
        const parameters = plan.choose(infos);
        return typeof parameters === "string" ? parameters : { ...parameters, seconds };
      },
      { control, directions, limit },
      fn,
    );
    session.journal.end(id, result);
    if (control) this.#controls.push(result.outcome);
    if (isFine(result.outcome)) return;
    const message = `${result.outcome}: ${result.reason}${listFaults(result.faults ?? [])}`;
    throw new Error(message, thrown === null ? {} : { cause: thrown });
  }
}

/** A case, as it is decided when it is registered. */
interface Plan {
  /** Its name in the journal. */
  readonly id: string;
  /** Whether it must fail on a board that reveals missing syncs. */
  readonly control: boolean;
  /** Directions that it uses. */
  readonly directions: readonly Direction[];
  /** Why it cannot run here; null if it can, or if that is unknown until the bitstream is loaded. */
  readonly skip: string | null;
  /** Its parameters, for the results; null for a test without a policy. */
  readonly params: { size: FrameSize; depth: number | "max"; alias: boolean } | null;
  /** Time limit, seconds. */
  readonly limit: number;
  /** Returns the parameters of the case on these devices, or why they cannot do it. */
  readonly choose: (infos: readonly DeviceInfo[]) => CaseParameters | string;
}

function planCase(
  { suite, settings, infos }: Session,
  name: string,
  options: TestOptions,
  policy: PolicyName | null,
): Plan {
  const choose = (known: readonly DeviceInfo[]) =>
    chooseCase(known, settings, options, policy !== null);
  // what a bitstream offers is unknown until it is loaded; then the case itself decides
  const chosen = infos === null ? null : choose(infos);
  return {
    id: `${suite}/${name}`,
    control: policy === "none",
    directions: options.directions ?? DIRECTIONS,
    skip: typeof chosen === "string" ? chosen : null,
    params: policy === null ? null : describe(options, chosen, infos),
    limit: (options.timeoutSeconds ?? LIMIT) + (settings.duration ?? 0),
    choose,
  };
}

/** The parameters of a case, for the results. */
function describe(
  options: TestOptions,
  chosen: CaseParameters | string | null,
  infos: readonly DeviceInfo[] | null,
): { size: FrameSize; depth: number | "max"; alias: boolean } {
  const { size = SIZE, depth = "max", policy = "streaming" } = options;
  const known = chosen === null || typeof chosen === "string" ? null : chosen;
  const alias = infos?.every((info) => info.policies[policy].alias) ?? false;
  return { size: known?.size ?? size, depth, alias };
}

/** Returns the parameters of a case on these devices, or why they cannot do it. */
function chooseCase(
  infos: readonly DeviceInfo[],
  settings: Settings,
  options: TestOptions,
  ranked: boolean,
): CaseParameters | string {
  const { policy = "streaming", directions = DIRECTIONS, size: asked = SIZE } = options;
  const maxBlock = Math.min(...infos.map((info) => info.policies[policy].maxBlock));
  const largest = maxBlock - 2 * Math.max(...infos.map((info) => guardSize({ info })));
  const size = asked === "block" ? maxBlock : asked === "largest" ? largest : asked;
  const named = settings.pattern === null ? undefined : patternNamed(settings.pattern);
  const parameters: CaseParameters = {
    policy,
    // the default size was not requested, so it may shrink
    size: options.size === undefined ? Math.min(size, largest) : size,
    depth: options.depth ?? "max",
    guarded: asked !== "block",
    pattern: named ?? options.pattern ?? patterns.tagged(),
    seconds: null,
  };
  for (const info of infos) {
    const reason = reasonToSkip(info, parameters, directions, ranked);
    if (reason !== null) return reason;
  }
  return parameters;
}

/** Returns why a device cannot do a case, or null if it can. */
function reasonToSkip(
  info: DeviceInfo,
  { policy, size, guarded }: CaseParameters,
  directions: readonly Direction[],
  ranked: boolean,
): string | null {
  for (const direction of directions) {
    if (info[direction] !== null) continue;
    const uses = directions.length === 2 ? "both channels" : `channel ${direction}`;
    return `the test needs ${uses}, and this device has no ${direction}`;
  }
  const offered = info.policies[policy];
  if (directions.some((direction) => !offered[direction])) {
    return `the driver does not offer policy ${policy} here`;
  }
  if (offered.alias && ranked) return "an alias of coherent here, with the same memory attribute";
  const block = size + (guarded ? 2 * guardSize({ info }) : 0);
  if (block > offered.maxBlock) {
    return `${block} bytes with guards exceed the largest block of ${offered.maxBlock} bytes`;
  }
  const align = Math.max(1, ...directions.map((direction) => info[direction]?.lengthAlign ?? 1));
  if (size % align !== 0) return `the engine moves only multiples of ${align} bytes`;
  return null;
}

function fail(reason: string): never {
  throw new Error(reason);
}
