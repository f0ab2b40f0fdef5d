// SPDX-License-Identifier: MIT
/**
 * Finds the model of a design, for the simulated board, which cannot load a bitstream.
 *
 * @module
 */

import { type BitstreamInfo, readBitstream } from "../../fixtures/bitstream/mod.ts";
import { readVirtual } from "../../fixtures/bitstream/virtual.ts";
import type { Design } from "../../fixtures/boards/sim/mod.ts";
import { virtualDesign } from "../../fixtures/boards/sim/design/virtual.ts";

/** What runs on the simulated board in place of a bitstream. */
export interface SimulatedDesign {
  /** The model; null for a loopback core. */
  readonly design: Design | null;
  /** One line that says so; null if the test asks for no bitstream. */
  readonly notice: string | null;
  /** The bitstream that is not loaded; null if there is none. */
  readonly info: BitstreamInfo | null;
}

/**
 * Finds the model of a design. The first of these counts: the option `design` of `hil()`; what a virtual
 * bitstream names; a loopback core.
 *
 * @param given The option `design`
 * @param bitstream Path of the bitstream that a real board would load, or null
 * @returns The model
 * @throws {Error} If the bitstream cannot be read and there is no model of it, or if the model is none
 */
export function findDesign(
  given: Design | undefined,
  bitstream: string | null,
): SimulatedDesign {
  if (given !== undefined) checkDesign(given);
  if (bitstream === null) return { design: given ?? null, notice: null, info: null };
  const notice = (what: string) =>
    `SIMULATED: ${bitstream} is not loaded, because a simulated board has no logic. ${what}`;
  const inPlace = ({ name }: Design) => notice(`The model "${name}" runs in its place`);
  if (given !== undefined) {
    return { design: given, notice: inPlace(given), info: infoOf(bitstream) };
  }
  // without a model, the file must say what the design is
  const read = readBitstream(bitstream);
  const virtual = readVirtual(read);
  const design = virtual === null ? null : virtualDesign(virtual);
  return {
    design,
    notice: design === null
      ? notice(
        virtual === null
          ? "A loopback core runs in its place: give a model in hil({ design })"
          : "A loopback core runs in its place",
      )
      : inPlace(design),
    info: read.info,
  };
}

/** Facts about a bitstream for the results; null if it cannot be read. */
function infoOf(bitstream: string): BitstreamInfo | null {
  try {
    return readBitstream(bitstream).info;
  } catch {
    return null; // the design may have none yet
  }
}

/** Checks what an author without types may have given. */
function checkDesign(value: Partial<Design>): void {
  if (typeof value?.name === "string" && typeof value.reset === "function") return;
  throw new Error(
    `Expected design in hil({ design }) to be a design, such as designs.transform(…), found ${
      value === null ? "null" : typeof value
    }`,
  );
}
