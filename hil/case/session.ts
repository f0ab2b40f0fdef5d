// SPDX-License-Identifier: MIT
/**
 * What the cases of a test file share: settings, journal, board, lock, and the loaded bitstream.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import { ResetError } from "../../driver/errors.ts";
import type { CoreInfo, DeviceInfo } from "../../driver/info.ts";
import type { BitstreamInfo } from "../../fixtures/bitstream/mod.ts";
import {
  loadBitstream,
  type LoadResult,
  readPayload,
  runningBitstream,
} from "../../fixtures/bitstream/load/mod.ts";
import type { Design } from "../../fixtures/boards/sim/mod.ts";
import { type Board, describeBoard, openBoard } from "../board/board.ts";
import { gatherEnvironment } from "../board/environment.ts";
import { loadFiles } from "../board/load_files.ts";
import { type CaseResult, Journal, type RunHeader } from "../journal/journal.ts";
import type { Seen } from "../journal/lines.ts";
import { CaseUnderWay } from "./case_under_way.ts";
import { planFile, unknownSuite } from "./plan_file.ts";
import { findDesign } from "./sim_design.ts";
import { withoutBuffers } from "./without_buffers.ts";
import { openFree } from "./open_free.ts";
import { type BoardLock, LOCK_VARIABLE } from "../board/lock.ts";
import { lockAll } from "../board/remote.ts";
import type { Pattern, PatternSpec } from "../patterns/pattern.ts";
import { toolInfo } from "../results/tool.ts";
import type { Fault } from "../verify/fault.ts";
import { readSettings, type Settings } from "../settings/settings.ts";
import { suiteName } from "../settings/suite_names.ts";
import { errorMessage } from "../text/error_message.ts";

/** Longest wait for a device that another process of this run uses while it is opened, milliseconds. */
const TURN_MS = 600_000;

/** Longest wait if no other test file should use it, milliseconds. */
const INFO_MS = 2000;

/** Options of a session. */
export interface SessionOptions {
  /** Device nodes. Defaults to those of the settings. */
  readonly devices?: readonly string[];
  /** Bitstream to load before the first case, unless the settings name one. */
  readonly bitstream?: string;
  /** Identifies the design, in place of INFO. */
  readonly identify?: (device: string) => CoreInfo | Promise<CoreInfo>;
  /** A model of the design, for the simulated board. */
  readonly design?: Design;
  /** What is wrong with the options of the test file. Defaults to nothing. */
  readonly problem?: string;
}

/** The logic holds another design than the requested one, so no frame was sent. */
export class WrongDesignError extends Error {
  override readonly name = "WrongDesignError";
}

/** A test file's board. */
export class Session {
  /** The suite: the name of the test file. */
  readonly suite: string;
  /** The settings. */
  readonly settings: Settings;
  /** The board. */
  readonly board: Board;
  /** The journal of the run. */
  readonly journal: Journal;
  /** Paths of the devices, at least one. */
  readonly paths: readonly string[];
  readonly #options: SessionOptions;
  readonly #locks: readonly BoardLock[];
  readonly #patterns = new WeakMap<PatternSpec, Pattern>();
  #infos: readonly DeviceInfo[] | null = null;
  #loading: Promise<LoadResult | null> | null = null;
  #current: CaseUnderWay | null = null;
  #problem: string | null = null;

  private constructor(
    parts: Pick<Session, "suite" | "settings" | "board" | "journal" | "paths">,
    options: SessionOptions,
    locks: readonly BoardLock[],
  ) {
    this.suite = parts.suite;
    this.settings = parts.settings;
    this.board = parts.board;
    this.journal = parts.journal;
    this.paths = parts.paths;
    this.#options = options;
    this.#locks = locks;
  }

  /**
   * Reads the settings, opens the journal, locks the board, and reads what the devices offer.
   *
   * @param options What does not come from the settings
   * @returns The session; null if the settings leave this suite out; or why there is no session, in one
   * line, which is also in the journal
   */
  static async open(options: SessionOptions = {}): Promise<Session | string | null> {
    const suite = suiteName(Deno.mainModule);
    let journal: Journal | null = null;
    let session: Session | null = null;
    const refuse = (name: string, error: unknown): string => {
      const reason = errorMessage(error);
      // several files of one run may find the same problem
      const id = `infrastructure/${name}`;
      const lines = journal === null ? [] : Journal.read(journal.path).lines;
      if (!lines.some((line) => line.line === "end" && line.id === id)) {
        journal?.infrastructureError(name, reason);
      }
      return reason;
    };
    try {
      journal = Journal.open();
      const close = planFile(journal, suite);
      let loaded = false;
      globalThis.addEventListener("load", () => loaded = true);
      globalThis.addEventListener("unload", () => {
        // Deno.exit() sends this event too, from a file that loads or from a case
        if (!loaded || session !== null && session.#current?.isInTime === true) return;
        if (session !== null) session.#endAbandoned();
        close?.();
      });
      const settings = readSettings();
      if (settings.suites !== null && !settings.suites.includes(suite)) {
        return unknownSuite(settings.suites, (reason) => refuse("suite", reason));
      }
      if (options.problem !== undefined) return refuse(`options of ${suite}`, options.problem);
      const simulated = settings.board === "sim"
        ? findDesign(options.design, settings.bitstream ?? options.bitstream ?? null)
        : null;
      const board = openBoard(settings, simulated?.design);
      if (simulated?.notice) console.warn(simulated.notice);
      const paths = options.devices ?? settings.devices;
      const token = Deno.env.get(LOCK_VARIABLE);
      const locks = board.kind === "sim"
        ? []
        : lockAll(board.remote, paths, { what: `plumbline, suite ${suite}`, token });
      journal.header({
        tool: toolInfo(),
        board: describeBoard(board, null),
        ...(simulated?.info ? simulatedBitstream(simulated.info) : {}),
        run: {
          seed: settings.seed,
          ...(settings.pattern === null ? {} : { pattern: settings.pattern }),
        },
        // plumbline run has recorded it already
        ...(token === undefined
          ? { environment: gatherEnvironment({ device: paths[0], files: board.remote?.files }) }
          : {}),
      });
      session = new Session({ suite, settings, board, journal, paths }, options, locks);
      // the devices' answers would be about another bitstream
      if (session.#bitstream() !== null && !session.#isLoaded()) return session;
      // before the first case, only a test file that shares the lock can use the device
      const patience = locks.some((lock) => lock.shared) ? TURN_MS : INFO_MS;
      const problem = await session.#readInfos(patience);
      return problem === null ? session : refuse("device", problem);
    } catch (error) {
      return refuse("session", error);
    }
  }

  /**
   * Opens a session and loads its bitstream, for suites that must know what the design offers before they
   * register a case. The board is restored after the last test.
   *
   * @returns As {@linkcode Session.open}
   */
  static async openLoaded(): Promise<Session | string | null> {
    const session = await Session.open();
    if (!(session instanceof Session)) return session;
    try {
      await session.load();
    } catch (error) {
      const reason = errorMessage(error);
      session.journal.infrastructureError(session.suite, reason);
      return reason;
    }
    if (session.loads) Deno.test.afterAll(() => session.restore());
    return session;
  }

  /** What each device offers, in the order of the paths; null before the bitstream is loaded. */
  get infos(): readonly DeviceInfo[] | null {
    return this.#infos;
  }

  /** Whether {@linkcode load} has something to load. */
  get loads(): boolean {
    return this.board.kind !== "sim" && this.#bitstream() !== null;
  }

  /** Why the bitstream could not be loaded; null if it was, or if that was not tried. */
  get loadProblem(): string | null {
    return this.#problem;
  }

  /**
   * Loads the bitstream, if there is one and it is not loaded already. All cases share one load.
   *
   * @throws {Error} If it cannot be loaded
   * @throws {WrongDesignError} If another design runs afterwards
   */
  async load(): Promise<void> {
    this.#loading ??= this.#load();
    try {
      await this.#loading;
    } catch (error) {
      // another design is a failure of each case
      if (!(error instanceof WrongDesignError)) this.#problem = errorMessage(error);
      throw error;
    }
  }

  /** Restores the board as it was before the load. */
  async restore(): Promise<void> {
    const loading = this.#loading;
    this.#loading = null;
    const loaded = await loading?.catch(() => null);
    await loaded?.restore();
  }

  async #load(): Promise<LoadResult | null> {
    const bitstream = this.#bitstream();
    const { loader, requireIdentity } = this.settings;
    if (bitstream === null || this.board.kind === "sim") {
      if (!requireIdentity) return null;
      throw new Error("--require-identity needs a real core and --bitstream FILE to compare with");
    }
    const [device = ""] = this.paths;
    const loaded = await loadBitstream(bitstream, {
      device,
      syscalls: this.board.syscalls,
      files: loadFiles(this.board),
      identify: this.#options.identify,
      ...(loader === null ? {} : { loader }),
    });
    const { file, sha256, part, identity, detail } = loaded;
    this.journal.header({ bitstream: { file, sha256, part, identity } });
    if (identity === "wrong") throw new WrongDesignError(`${bitstream}: ${detail}`);
    if (requireIdentity && identity !== "proved") {
      throw new Error(
        `${bitstream} was loaded, but the core did not prove its identity: ${detail}`,
      );
    }
    const problem = await this.#readInfos(TURN_MS);
    if (problem !== null) throw new Error(problem);
    return loaded;
  }

  #bitstream(): string | null {
    return this.settings.bitstream ?? this.#options.bitstream ?? null;
  }

  /** Whether the bitstream is known to be loaded. */
  #isLoaded(): boolean {
    const bitstream = this.#bitstream();
    if (bitstream === null || this.board.kind === "sim") return true;
    try {
      return runningBitstream(loadFiles(this.board))?.sha256 ===
        readPayload(bitstream).sha256;
    } catch {
      return false; // the load reports the reason
    }
  }

  /** Reads what the devices offer. Returns why that failed, in one line, or null. */
  async #readInfos(patience: number): Promise<string | null> {
    const infos: DeviceInfo[] = [];
    for (const path of this.paths) {
      try {
        using device = await openFree(this.board, path, patience);
        infos.push(withoutBuffers(device.info, this.board.syscalls));
        this.journal.header({ board: describeBoard(this.board, device) });
      } catch (error) {
        const reason = errorMessage(error);
        return this.board.explain(path) ?? reason;
      }
    }
    this.#infos = infos;
    return null;
  }

  /**
   * Records that a case starts. If Deno ended the case before it, ends that one in the journal too, and
   * closes the devices that it left open. Rounds count from 1.
   *
   * @param id The id of the case
   * @param limit Its time limit, seconds
   */
  startCase(id: string, limit: number, round?: number): CaseUnderWay {
    this.#endAbandoned();
    return this.#current = new CaseUnderWay(this.journal, id, limit, round);
  }

  /** Records damage that the case under way found, because it may never end. */
  recordSeen(seen: Seen): void {
    this.#current?.record(seen);
  }

  /** Records a fault of the case under way when it is found, because the process may die before the report. */
  noteFault(fault: Fault): void {
    this.#current?.note(fault);
  }

  /**
   * Records the result of the case that was started last.
   *
   * @param id The id of the case
   * @param result The result
   */
  endCase(id: string, result: CaseResult): void {
    this.#current = null;
    this.journal.end(id, result);
  }

  /** Ends a case that Deno ended. */
  #endAbandoned(): void {
    const left = this.#current;
    this.#current = null;
    left?.abandon();
  }

  /**
   * Opens and resets the devices for one case. It waits while another process of this run uses them.
   *
   * @param patience The longest wait, in milliseconds
   * @returns The devices, which the caller disposes of
   * @throws {Error} If one cannot be opened
   */
  async openDevices(patience: number): Promise<Device[]> {
    const devices: Device[] = [];
    if (this.#current !== null) this.#current.devices = devices;
    const end = performance.now() + Math.min(patience, TURN_MS);
    try {
      for (const path of this.paths) {
        const device = await openFree(this.board, path, Math.max(0, end - performance.now()));
        devices.push(device);
        try {
          device.reset();
        } catch (error) {
          if (!(error instanceof ResetError)) throw error;
          // this says nothing about the case, because it has not begun
          throw new Error(`The engine hangs since before this case: ${error.message}`, {
            cause: error,
          });
        }
      }
    } catch (error) {
      for (const device of devices) device[Symbol.dispose]();
      throw error;
    }
    return devices;
  }

  /**
   * Checks that this run has held the locks of the board all the time.
   *
   * @throws {Error} If a lock was lost
   */
  checkLocks(): void {
    for (const lock of this.#locks) lock.check();
  }

  /**
   * Returns a pattern, made once for all cases.
   *
   * @param spec The pattern
   * @returns Its frames, as large as the largest block at most
   */
  pattern(spec: PatternSpec): Pattern {
    const known = this.#patterns.get(spec);
    if (known !== undefined) return known;
    const maxLength = Math.max(...(this.#infos ?? []).map(longest));
    const made = spec.create({ seed: this.settings.seed, maxLength });
    this.#patterns.set(spec, made);
    return made;
  }
}

/** What the results say about a bitstream that a simulated board does not load. */
function simulatedBitstream({ path, sha256, part }: BitstreamInfo): Pick<RunHeader, "bitstream"> {
  return { bitstream: { file: path, sha256, part, identity: "unknown" } };
}

/** Bytes of the largest block, rounded up to a page. */
function longest({ policies, pageSize }: DeviceInfo): number {
  return Math.max(...Object.values(policies).map(({ maxBlock }) => maxBlock)) + pageSize;
}
