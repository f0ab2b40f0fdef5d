// SPDX-License-Identifier: MIT
/**
 * A test author's way in: `hil()` finds the board, `matrix` and `test` register one `Deno.test` for
 * each case.
 *
 * @module
 */

import { fileURLToPath as fromFileUrl } from "node:url";
import type { CoreInfo, DeviceInfo } from "../../driver/info.ts";
import { type Direction, DIRECTIONS, POLICIES, type PolicyName } from "../../driver/uapi.ts";
import { guardSize } from "../frames/block_set.ts";
import { type CaseContext, type CaseParameters, runCase } from "./case.ts";
import { listFaults } from "../frames/intact.ts";
import { isFine, type Outcome } from "../results/outcome.ts";
import { patternNamed, patterns, type PatternSpec } from "../patterns/mod.ts";
import { Session } from "./session.ts";
import type { Settings } from "../settings/settings.ts";
import type { FrameSize } from "../settings/values.ts";

/** Time for a case, seconds: longer than every wait inside it. */
const LIMIT = 300;

/** Bytes of a frame where a test names none. */
const SIZE = 65536;

/** What a test file runs on. */
export interface HilOptions {
  /** Device nodes, instead of those of `--device`. */
  readonly device?: string | readonly string[];
  /**
   * Bitstream to load before the first case, a path from the working folder or a `file:` URL; one
   * given by `--bitstream` wins. It is not loaded again while the same file runs. Needs all
   * permissions (`deno test -A`), for Deno lets nobody else into `/sys`.
   */
  readonly bitstream?: string | URL;
  /**
   * Asks the design who it is, for one that INFO knows nothing of. Called only while the FPGA manager
   * says that the logic operates; the answer is held against the bitstream's side file.
   *
   * @param device Path of the first device
   * @returns What the core says of itself
   */
  readonly identify?: (device: string) => CoreInfo | Promise<CoreInfo>;
  /** Reserved: partial reconfiguration is not part of this version. */
  readonly partial?: never;
  /** Reserved: partial reconfiguration is not part of this version. */
  readonly region?: never;
}

/** What a test may choose. */
export interface TestOptions {
  /** Policy of blocks; `streaming` when left out. */
  readonly policy?: PolicyName;
  /** Bytes of a frame; 64 KiB, or the largest that the board can do, when left out. */
  readonly size?: FrameSize;
  /** Blocks in each direction; full queues when left out. */
  readonly depth?: number | "max";
  /** Pattern where `--pattern` names none; tagged when left out. */
  readonly pattern?: PatternSpec;
  /** Directions that the test uses; both when left out. It is skipped where one is absent. */
  readonly directions?: readonly Direction[];
  /** Time for each case, seconds; 300 when left out, and `--duration` on top. */
  readonly timeoutSeconds?: number;
}

/** What a matrix runs over: one case for each combination. */
export interface MatrixOptions extends Omit<TestOptions, "policy" | "size" | "depth"> {
  /**
   * Policies. With `all` each that there is; the control `none` must fail then, on a board where
   * syncs matter.
   */
  readonly policy?: "all" | readonly PolicyName[];
  /**
   * Bytes of a frame; `block` is the largest block, `largest` the same less its guards. 64 KiB when
   * left out.
   */
  readonly size?: readonly FrameSize[];
  /** Blocks in each direction; `max` for full queues. That when left out. */
  readonly depth?: readonly (number | "max")[];
}

/** A test. */
export type TestFunction = (context: CaseContext) => void | Promise<void>;

/**
 * Find the board. This reads what the devices offer and registers nothing yet; it does not throw:
 * where there is no board, one failing test says which step is missing.
 *
 * @param options What the file runs on
 * @returns The board, to register tests with
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

/** A board, to register tests with. */
export interface Hil {
  /**
   * Register one test for each combination of policy, size and depth, named such as
   * `loop policy=streaming size=4096 depth=1`. `--policy`, `--size` and `--depth` choose among the
   * policies, and replace sizes and depths.
   *
   * @param name Name of the matrix, the first word of each case
   * @param options What it runs over
   * @param fn The test
   */
  matrix(name: string, options: MatrixOptions, fn: TestFunction): void;
  /**
   * Register one test. `--policy`, `--size` and `--depth` do not touch it.
   *
   * @param name Its name
   * @param options What it runs with
   * @param fn The test
   */
  test(name: string, options: TestOptions, fn: TestFunction): void;
  /**
   * Register one test.
   *
   * @param name Its name
   * @param fn The test
   */
  test(name: string, fn: TestFunction): void;
}

class Registrar implements Hil {
  readonly #session: Session | null;
  /** Cases registered, and those of them that run. */
  #cases = 0;
  #running = 0;
  /** Whether a control is among them, and how those that ran ended. */
  #hasControl = false;
  readonly #controls: Outcome[] = [];

  /** A board; null when the suite is left out; or why there is none. */
  constructor(session: Session | string | null) {
    this.#session = session instanceof Session ? session : null;
    if (typeof session === "string") {
      Deno.test({ name: "the board is there", retry: 0, fn: () => fail(session) });
      return;
    }
    if (session === null) return;
    if (session.loads) Deno.test.afterAll(() => session.restore());
    // all of the file has run when it is loaded: what it registered is what there is
    globalThis.addEventListener("load", () => {
      if (this.#cases > 0) return this.#judgeControls();
      const reason = "No case is left: the file registers none, or --policy, --size or --depth " +
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

  /** What `plumbline run` says of the controls together, for those who run plain `deno test`. */
  #judgeControls(): void {
    if (!this.#hasControl) return;
    Deno.test({
      name: "policy none fails somewhere, as it must",
      retry: 0,
      fn: () => {
        const passed = this.#controls.filter((outcome) => outcome === "XPASS").length;
        if (passed === 0 || this.#controls.includes("XFAIL")) return;
        fail(
          `No sync was done in ${passed} cases, and nothing was wrong: on this board the other ` +
            "cases say nothing about missing syncs",
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
    this.#cases++;
    const { suite, settings, journal, infos } = session;
    const choose = (known: readonly DeviceInfo[]) =>
      chooseCase(known, settings, options, policy !== null);
    // before the bitstream is loaded nobody knows what it can do: then the case itself finds out
    const chosen = infos === null ? null : choose(infos);
    const skip = typeof chosen === "string" ? chosen : null;
    const control = policy === "none";
    const id = `${suite}/${name}`;
    journal.register({
      ...{ id, suite, name, policy, control, skip },
      ...(policy === null ? {} : { params: describe(options, chosen, infos) }),
    });
    if (skip === null) this.#running++;
    if (skip === null && control) this.#hasControl = true;
    const limit = (options.timeoutSeconds ?? LIMIT) + (settings.duration ?? 0);
    Deno.test({
      name,
      ignore: skip !== null,
      retry: 0,
      // Deno's own limit is the last: what it ends has no entry in the journal
      timeout: (limit + 60) * 1000,
      fn: async () => {
        journal.start(id, limit);
        const seconds = settings.duration === null ? null : settings.duration / this.#running;
        const result = await runCase(
          session,
          (known) => {
            const made = choose(known);
            return typeof made === "string" ? made : { ...made, seconds };
          },
          { control, directions: options.directions ?? DIRECTIONS, limit },
          fn,
        );
        journal.end(id, result);
        if (control) this.#controls.push(result.outcome);
        if (isFine(result.outcome)) return;
        fail(`${result.outcome}: ${result.reason}${listFaults(result.faults ?? [])}`);
      },
    });
  }
}

/** What tells a case from its neighbours, for the results. */
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

/** From what a test chose to what its case is made with; or why these devices cannot do it. */
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
    // nobody asked for the default size
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

/** What a device cannot do, in words; null when it can. */
function reasonToSkip(
  info: DeviceInfo,
  { policy, size, guarded }: CaseParameters,
  directions: readonly Direction[],
  ranked: boolean,
): string | null {
  for (const direction of directions) {
    if (info[direction] !== null) continue;
    const uses = directions.length === 2 ? "both channels" : `channel ${direction}`;
    return `the test needs ${uses}: this device has no ${direction}`;
  }
  const offered = info.policies[policy];
  if (directions.some((direction) => !offered[direction])) {
    return `the driver does not offer policy ${policy} here`;
  }
  if (offered.alias && ranked) return "an alias of coherent here: the same memory attribute";
  const block = size + (guarded ? 2 * guardSize({ info }) : 0);
  if (block > offered.maxBlock) {
    return `${block} bytes with guards are more than the largest block, ${offered.maxBlock}`;
  }
  const align = Math.max(...directions.map((direction) => info[direction]?.lengthAlign ?? 1));
  if (size % align !== 0) return `the engine moves multiples of ${align} bytes only`;
  return null;
}

function fail(reason: string): never {
  throw new Error(reason);
}
