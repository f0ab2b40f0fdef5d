// SPDX-License-Identifier: MIT
/**
 * Mistakes in the kernel module `pldma.ko`, and how to try them on virtual boards.
 *
 * @module
 */

import type { Tried } from "../try.ts";
import { RedCopyError } from "../try.ts";
import { type Outcome, type Trial, tryOn, type TryOptions } from "./boots.ts";
import { MutantBuilds } from "./build.ts";
import { CALLS } from "./calls.ts";
import { HOSTILE } from "./hostile.ts";
import { MEMORY } from "./memory.ts";
import { type BoardName, BOARDS, type DriverMutant, type MutantKernel } from "./probe.ts";
import { RESETS } from "./resets.ts";
import { REVOKES } from "./revokes.ts";
import { SHARING } from "./sharing.ts";
import { SYNCS } from "./syncs.ts";
import { TRANSFERS } from "./transfers.ts";

/** The mutants of pldma.ko. */
export const DRIVER_MUTANTS: readonly DriverMutant[] = [
  ...MEMORY,
  ...SYNCS,
  ...TRANSFERS,
  ...CALLS,
  ...SHARING,
  ...RESETS,
  ...REVOKES,
  ...HOSTILE,
];

/**
 * Tries mutants of the kernel module, many of them in one boot of a virtual board.
 *
 * Before that, each of their probes runs on the module as it is.
 *
 * @param mutants The mutants
 * @param report Called with each result, in the order in which they are tried
 * @param options The kernel of the boards, and a signal
 * @throws {RedCopyError} If a probe is red without a mutant
 * @throws {EditError} If an edit does not apply
 */
export async function tryDriver(
  mutants: readonly DriverMutant[],
  report: (tried: Tried) => void,
  options: TryOptions,
): Promise<void> {
  for (const board of Object.keys(BOARDS) as BoardName[]) {
    const here = mutants.filter(({ probe }) => probe.board === board);
    if (here.length === 0) continue;
    const trials = await build(board, here, options.kernel);
    const red = (outcome: Outcome) => {
      const { trial: { mutant, probe }, why } = outcome;
      if (mutant !== null) {
        report({ part: "driver", mutant, by: outcome.red ? probe.name : null, why });
      } else if (outcome.red) {
        throw new RedCopyError(
          `Expected "${probe.name}" to pass on ${board} without a mutant, found: ${why}. ` +
            "Mend it first",
        );
      }
    };
    await tryOn(board, trials, red, options);
  }
}

/** Builds the modules of a board: first the module as it is for each probe, then the mutants. */
async function build(
  board: BoardName,
  mutants: readonly DriverMutant[],
  kernel: MutantKernel,
): Promise<Trial[]> {
  await using builds = new MutantBuilds(BOARDS[board].arch, kernel);
  const good = await builds.of(null);
  const probes = new Map(mutants.map(({ probe }) => [JSON.stringify(probe), probe]));
  const trials: Trial[] = [];
  for (const probe of probes.values()) trials.push({ mutant: null, probe, module: good });
  for (const mutant of mutants) {
    trials.push({ mutant, probe: mutant.probe, module: await builds.of(mutant) });
  }
  return trials;
}
