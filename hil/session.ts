// SPDX-License-Identifier: MIT
/**
 * What a test file shares between its cases: settings, journal, board, lock, and what is in the logic.
 *
 * @module
 */

import { Device } from "../driver/device.ts";
import { ERRNO, ErrnoError } from "../driver/errno.ts";
import type { DeviceInfo } from "../driver/info.ts";
import { type Board, describeBoard, openBoard } from "./board.ts";
import { Journal } from "./journal.ts";
import { type BoardLock, LOCK_VARIABLE, lockDevice } from "./lock.ts";
import { nearest } from "./nearest.ts";
import type { Pattern, PatternSpec } from "./patterns/pattern.ts";
import { toolInfo } from "./results_tool.ts";
import { readSettings, type Settings } from "./settings.ts";
import { suiteName, suitesBelow } from "./suite_names.ts";

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
  /** The settings; those of this process when left out. */
  readonly settings?: Settings;
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
  /** What each device offers, in the order of {@linkcode paths}. */
  readonly infos: readonly DeviceInfo[];
  readonly #locks: readonly BoardLock[];
  readonly #patterns = new Map<string, Pattern>();

  private constructor(
    parts: Pick<Session, "suite" | "settings" | "board" | "journal" | "paths" | "infos">,
    locks: readonly BoardLock[],
  ) {
    this.suite = parts.suite;
    this.settings = parts.settings;
    this.board = parts.board;
    this.journal = parts.journal;
    this.paths = parts.paths;
    this.infos = parts.infos;
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
      const reason = error instanceof Error ? error.message : String(error);
      // several files of one run may find the same
      const id = `bench/${name}`;
      const lines = journal === null ? [] : Journal.read(journal.path).lines;
      if (!lines.some((line) => line.line === "end" && line.id === id)) {
        journal?.bench(name, reason);
      }
      return reason;
    };
    try {
      journal = Journal.open();
      const settings = options.settings ?? readSettings();
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
      const infos: DeviceInfo[] = [];
      for (const path of paths) {
        // before the first case only a test file that shares the lock can be in the way
        const patience = locks.some((lock) => lock.shared) ? TURN_MS : INFO_MS;
        let device: Device;
        try {
          device = await openFree(board, path, patience);
        } catch (error) {
          return refuse("device", board.explain(path) ?? error);
        }
        using _closed = device;
        infos.push(device.info);
        journal.header({
          tool: toolInfo(),
          board: describeBoard(board, device),
          run: { seed: settings.seed },
        });
      }
      return new Session({ suite, settings, board, journal, paths, infos }, locks);
    } catch (error) {
      return refuse("session", error);
    }
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
    const known = this.#patterns.get(spec.name);
    if (known !== undefined) return known;
    const maxLength = Math.max(...this.infos.map(longest));
    const made = spec.create({ seed: this.settings.seed, maxLength });
    this.#patterns.set(spec.name, made);
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
  const guess = nearest(stranger, known);
  return refuse(
    `--suite knows no "${stranger}": ` +
      (guess === null ? `there is ${known.join(", ")}` : `did you mean ${guess}?`),
  );
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
