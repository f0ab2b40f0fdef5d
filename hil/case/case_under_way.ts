// SPDX-License-Identifier: MIT
/**
 * The case that runs, for what has to be done if Deno ends it.
 *
 * A case that never gives control back, such as an endless loop, cannot end itself. Deno ends it, and
 * nothing of the case runs any more: no `finally`, no `using`, no line of the journal.
 *
 * @module
 */
import type { Device } from "../../driver/device.ts";
import type { Journal } from "../journal/journal.ts";
import type { Seen } from "../journal/lines.ts";
import { type Fault, namesOf, placeOf } from "../verify/fault.ts";

/** Faults of a case that are recorded one by one; all of them are recorded with their report. */
const MOST_NOTED = 8;

/** A case that started. */
export class CaseUnderWay {
  /** The devices that it has open. */
  devices: readonly Device[] = [];
  /** The time from its start to its first fault, in seconds, or null. */
  faultAfter: number | null = null;
  readonly #journal: Journal;
  readonly #id: string;
  readonly #limit: number;
  readonly #round: number | undefined;
  readonly #start = performance.now();
  #seen: Seen | null = null;
  readonly #noted: Fault[] = [];

  /**
   * Records that a case starts.
   *
   * @param journal The journal
   * @param id The id of the case
   * @param limit Its time limit, seconds
   * @param round The number of the round, from 1, in a run with `--duration`
   */
  constructor(journal: Journal, id: string, limit: number, round?: number) {
    journal.start(id, limit, round);
    this.#journal = journal;
    this.#id = id;
    this.#limit = limit;
    this.#round = round;
  }

  /** Whether the case may still end by itself. */
  get isInTime(): boolean {
    return performance.now() - this.#start < this.#limit * 1000;
  }

  /**
   * Records damage that the case found, because it may never end.
   *
   * @param seen What was found
   */
  record(seen: Seen): void {
    this.#seen = seen;
    this.#journal.seen(this.#id, seen);
  }

  /**
   * Records one fault, when it is found. The first few of a case suffice.
   *
   * @param fault The fault
   */
  note(fault: Fault): void {
    this.faultAfter ??= (performance.now() - this.#start) / 1000;
    if (this.#noted.push(fault) > MOST_NOTED) return;
    const [first = fault] = this.#noted;
    this.record({
      outcome: "FAIL",
      reason: `${placeOf(first)}, offset ${first.offset}: ${namesOf(first)}`,
      frames: 0,
      bytes: 0,
      faults: this.#noted.slice(),
    });
  }

  /** Ends the case in the journal after Deno ended it, and closes the devices that it left open. */
  abandon(): void {
    for (const device of this.devices) {
      try {
        device[Symbol.dispose]();
      } catch {
        // the next case finds the device busy, and says so
      }
    }
    const seconds = (performance.now() - this.#start) / 1000;
    const what = `not end within ${this.#limit} s, and blocked its process, so that only Deno ` +
      `could end it, after ${seconds.toFixed(0)} s`;
    const seen = this.#seen;
    const result = seen === null
      ? { outcome: "ERROR", reason: `The test did ${what}`, seconds, frames: 0, bytes: 0 } as const
      : { ...seen, reason: `${seen.reason}; then the test did ${what}`, seconds };
    const round = this.#round;
    this.#journal.end(
      this.#id,
      round === undefined ? result : {
        ...result,
        round: { number: round },
      },
    );
  }
}
