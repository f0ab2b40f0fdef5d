// SPDX-License-Identifier: MIT
/**
 * What a test file shares between its cases: settings, journal, board, lock, and what is in the logic.
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

/** Longest wait for another test file of this run to be done with a device, milliseconds. */
const TURN_MS = 600_000;

/** Longest wait where no other test file should have it, milliseconds. */
const INFO_MS = 2000;

/** How often to look whether it is, milliseconds. */
const LOOK_MS = 50;

/** What a session is made of. */
export interface SessionOptions {
  /** Devices instead of those of the settings. */
  readonly devices?: readonly string[];
  /** Bitstream to load before the first case, where the settings name none. */
  readonly bitstream?: string;
  /** Asks the design who it is, in place of INFO. */
  readonly identify?: (device: string) => CoreInfo | Promise<CoreInfo>;
}

/** What runs in the logic is not what was asked for: no frame was sent. */
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
   * Read the settings, open the journal, take the board, and ask the devices what they offer.
   *
   * @param options What is not left to the settings
   * @returns The session; null when the settings leave this suite out; or why there is none, in one
   * line, which the journal has then, if there is one
   */
  static async open(options: SessionOptions = {}): Promise<Session | string | null> {
    const suite = suiteName(Deno.mainModule);
    let journal: Journal | null = null;
    const refuse = (name: string, error: unknown): string => {
      const reason = errorMessage(error);
      // several files of one run may find the same
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
        // else plumbline run has told it
        ...(token === undefined ? { environment: gatherEnvironment({ device: paths[0] }) } : {}),
      });
      const session = new Session({ suite, settings, board, journal, paths }, options, locks);
      // what another bitstream offers says nothing about this one
      if (session.#wanted() !== null && !session.#runs()) return session;
      // before the first case only a test file that shares the lock can be in the way
      const patience = locks.some((lock) => lock.shared) ? TURN_MS : INFO_MS;
      const problem = await session.#ask(patience);
      return problem === null ? session : refuse("device", problem);
    } catch (error) {
      return refuse("session", error);
    }
  }

  /**
   * Open a session and load its bitstream: for suites that want to know what the design offers before
   * they register a case. What was loaded is given up again after the last test.
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

  /** What each device offers, in the order of their paths; null before the bitstream is loaded. */
  get infos(): readonly DeviceInfo[] | null {
    return this.#infos;
  }

  /** Whether {@linkcode load} has something to load. */
  get loads(): boolean {
    return this.#wanted() !== null;
  }

  /**
   * Load the bitstream, if there is one and it does not run already. Once for all cases.
   *
   * @throws {Error} When it cannot be loaded
   * @throws {WrongDesignError} When what runs then is another design
   */
  async load(): Promise<void> {
    this.#loading ??= this.#load();
    await this.#loading;
  }

  /** Put the board back as it was found. */
  async restore(): Promise<void> {
    const loading = this.#loading;
    this.#loading = null;
    const loaded = await loading?.catch(() => null);
    await loaded?.restore();
  }

  async #load(): Promise<LoadResult | null> {
    const bitstream = this.#wanted();
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
      throw new Error(`${bitstream} was loaded, and nothing proves that it runs: ${detail}`);
    }
    const problem = await this.#ask(TURN_MS);
    if (problem !== null) throw new Error(problem);
    return loaded;
  }

  #wanted(): string | null {
    return this.settings.bitstream ?? this.#options.bitstream ?? null;
  }

  /** Whether the bitstream is known to run already. */
  #runs(): boolean {
    const bitstream = this.#wanted();
    if (bitstream === null) return true;
    try {
      return runningBitstream()?.sha256 === readBitstream(bitstream).info.sha256;
    } catch {
      return false; // loading will say why
    }
  }

  /** Ask the devices what they offer; returns why that fails, in one line. */
  async #ask(patience: number): Promise<string | null> {
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
   * Open the devices for one case, waiting for another test file of this run, and reset them.
   *
   * @returns The devices, which the caller owns
   * @throws {Error} When one cannot be had
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
   * Make sure that the board was this run's all the time.
   *
   * @throws {Error} When a lock was lost
   */
  checkLocks(): void {
    for (const lock of this.#locks) lock.check();
  }

  /**
   * Make a pattern, or take the one that an earlier case made.
   *
   * @param spec The pattern
   * @returns Its frames, up to the largest block
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

/** Bytes of the largest block, with room for its rounding. */
function longest({ policies, pageSize }: DeviceInfo): number {
  return Math.max(...Object.values(policies).map(({ maxBlock }) => maxBlock)) + pageSize;
}

/** Null when this suite is merely not meant; a reason when nobody is. */
function unknownSuite(
  asked: readonly string[],
  refuse: (reason: string) => string,
): string | null {
  const known = suitesBelow(Deno.cwd());
  const stranger = asked.find((name) => !known.includes(name));
  if (stranger === undefined) return null;
  const expected = known.length === 0 ? "a suite below this folder" : alternatives(known);
  return refuse(valueError("--suite", expected, stranger, nearest(stranger, known)).message);
}

/** Open a device; while another test file of this process has it, wait: the run has the lock. */
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
