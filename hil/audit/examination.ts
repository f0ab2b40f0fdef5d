// SPDX-License-Identifier: MIT
/**
 * The experiments of an audit in their order: what can be known here, the controls, and the rounds.
 *
 * @module
 */

import type { Direction } from "../../driver/uapi.ts";
import type { Evidence } from "./judge.ts";
import {
  AuditError,
  type DriverSync,
  type Held,
  noCounts,
  type Probe,
  type Reach,
} from "./probe.ts";

/** Rounds of each control, which has no device in it. */
const CONTROL_ROUNDS = 4;

/** The examination of a device. Each experiment has a round number of its own, so that no content comes twice. */
export class Examination {
  readonly #probe: Probe;
  readonly #reach: Reach;
  readonly #operations: boolean;
  readonly #invalidates: boolean;
  readonly #held: Partial<Record<Direction, Held>> = {};
  #round = 2;

  /**
   * @param probe The blocks.
   * @throws {AuditError} If the device does not return what it is sent.
   */
  constructor(probe: Probe) {
    this.#probe = probe;
    this.#operations = probe.can("clean") && probe.can("clean-invalidate");
    this.#invalidates = this.#operations && probe.can("invalidate");
    this.#reach = this.#operations ? probe.reach() : "memory";
    if (this.#reach === "nowhere") {
      throw new AuditError(
        "Expected a design that returns each frame, found other data: load the loopback core",
      );
    }
  }

  /** Whether experiments can show anything at all. */
  get shows(): boolean {
    return this.#operations && this.#reach === "memory";
  }

  /**
   * Examine one direction.
   *
   * @param direction The direction.
   * @param repeats Number of rounds.
   * @returns What was found, with what the driver's sync call does.
   */
  of(direction: Direction, repeats: number): Evidence {
    const evidence = this.ofDevice(direction, repeats);
    // without a store that stays in the cache, nothing shows what a sync does to it
    const driver: DriverSync | null = (evidence.held?.held ?? 0) > 0
      ? this.#probe.driver(direction, this.#round++)
      : null;
    return { ...evidence, driver };
  }

  /**
   * Examine what the device does in one direction, and not what the driver does. The control without a device
   * is made once for each direction.
   *
   * @param direction The direction.
   * @param repeats Number of rounds.
   * @returns What was found.
   */
  ofDevice(direction: Direction, repeats: number): Evidence {
    const counts = noCounts(this.#probe.lines.count);
    const reach = this.#reach;
    if (!this.shows) return { reach, counts, held: null, driver: null };
    const held = this.#invalidates ? this.#control(direction) : null;
    for (let i = 0; i < repeats; i++) {
      if (direction === "tx") this.#probe.tx(this.#round++, counts, this.#invalidates);
      else this.#probe.rx(this.#round++, counts);
    }
    return { reach, counts, held, driver: null };
  }

  #control(direction: Direction): Held {
    const known = this.#held[direction];
    if (known !== undefined) return known;
    const control = { held: 0, lost: 0 };
    for (let i = 0; i < CONTROL_ROUNDS; i++) {
      const { held, lost } = this.#probe.held(direction, this.#round++);
      control.held += held;
      control.lost += lost;
    }
    this.#held[direction] = control;
    return control;
  }
}
