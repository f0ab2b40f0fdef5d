// SPDX-License-Identifier: MIT
/**
 * What the cases of a test file share: settings, journal, board, lock, and the loaded bitstream.
 *
 * @module
 */

import { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import type { CoreInfo, DeviceInfo } from "../../driver/info.ts";
import { readBitstream } from "../../fixtures/bitstream/mod.ts";
import {
  loadBitstream,
  type LoadResult,
  runningBitstream,
} from "../../fixtures/bitstream/load/mod.ts";
import { type Board, describeBoard, openBoard } from "../board/board.ts";
import { gatherEnvironment } from "../board/environment.ts";
import { Journal } from "../journal/journal.ts";
import { type BoardLock, LOCK_VARIABLE, lockDevice } from "../board/lock.ts";
import { nearest } from "../text/nearest.ts";
import type { Pattern, PatternSpec } from "../patterns/pattern.ts";
import { toolInfo } from "../results/tool.ts";
import { readSettings, type Settings } from "../settings/settings.ts";
import { suiteName, suitesBelow } from "../settings/suite_names.ts";
import { alternatives, valueError } from "../settings/values.ts";
import { errorMessage } from "../text/error_message.ts";

/** Longest wait for another test file of this run that uses the device, milliseconds. */
const TURN_MS = 600_000;

/** Longest wait if no other test file should use it, milliseconds. */
const INFO_MS = 2000;

/** Time between two attempts, milliseconds. */
const LOOK_MS = 50;

/** Options of a session. */
export interface SessionOptions {
  /** Device nodes. Defaults to those of the settings. */
  readonly devices?: readonly string[];
  /** Bitstream to load before the first case, unless the settings name one. */
  readonly bitstream?: string;
  /** Identifies the design, in place of INFO. */
  readonly identify?: (device: string) => CoreInfo | Promise<CoreInfo>;
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
      const settings = readSettings();
      if (settings.suites !== null && !settings.suites.includes(suite)) {
        return unknownSuite(settings.suites, (reason) => refuse("suite", reason));
      }
      const board = openBoard(settings);
      const paths = options.devices ?? settings.devices;
      const token = Deno.env.get(LOCK_VARIABLE);
      const locks = board.kind === "sim" ? [] : paths.map((path) =>
        lockDevice(path, {
          what: `plumbline, suite ${suite}`,
          ...(token === undefined ? {} : { token }),
        })
      );
      journal.header({
        tool: toolInfo(),
        board: describeBoard(board, null),
        run: {
          seed: settings.seed,
          ...(settings.pattern === null ? {} : { pattern: settings.pattern }),
        },
        // plumbline run has recorded it already
        ...(token === undefined ? { environment: gatherEnvironment({ device: paths[0] }) } : {}),
      });
      const session = new Session({ suite, settings, board, journal, paths }, options, locks);
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
    return this.#bitstream() !== null;
  }

  /**
   * Loads the bitstream, if there is one and it is not loaded already. All cases share one load.
   *
   * @throws {Error} If it cannot be loaded
   * @throws {WrongDesignError} If another design runs afterwards
   */
  async load(): Promise<void> {
    this.#loading ??= this.#load();
    await this.#loading;
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
    if (bitstream === null) return null;
    const { loader, requireIdentity } = this.settings;
    if (this.board.kind === "sim") {
      throw new Error("The simulated board has no logic to load: leave --bitstream out");
    }
    const [device = ""] = this.paths;
    const loaded = await loadBitstream(bitstream, {
      device,
      syscalls: this.board.syscalls,
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
    if (bitstream === null) return true;
    try {
      return runningBitstream()?.sha256 === readBitstream(bitstream).info.sha256;
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
        infos.push(device.info);
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
   * Opens and resets the devices for one case. It waits while another test file of this run uses them.
   *
   * @returns The devices, which the caller disposes of
   * @throws {Error} If one cannot be opened
   */
  async openDevices(): Promise<Device[]> {
    const devices: Device[] = [];
    try {
      for (const path of this.paths) {
        const device = await openFree(this.board, path, TURN_MS);
        devices.push(device);
        device.reset();
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

/** Bytes of the largest block, rounded up to a page. */
function longest({ policies, pageSize }: DeviceInfo): number {
  return Math.max(...Object.values(policies).map(({ maxBlock }) => maxBlock)) + pageSize;
}

/** Returns null if `--suite` names other suites only, or a reason if one of its names is unknown. */
function unknownSuite(
  asked: readonly string[],
  refuse: (reason: string) => string,
): string | null {
  const known = suitesBelow(Deno.cwd());
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown === undefined) return null;
  const expected = known.length === 0 ? "a suite below this folder" : alternatives(known);
  return refuse(valueError("--suite", expected, unknown, nearest(unknown, known)).message);
}

/** Opens a device, and waits while another test file of this run has it open. */
async function openFree(board: Board, path: string, patience: number): Promise<Device> {
  for (let waited = 0;; waited += LOOK_MS) {
    try {
      return Device.open({ path, syscalls: board.syscalls });
    } catch (error) {
      const busy = error instanceof ErrnoError && error.errno === ERRNO.EBUSY;
      if (!busy || waited >= patience) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
