// SPDX-License-Identifier: MIT
/**
 * The self-check: inject every known fault, and see whether it is caught and rightly named. What
 * injects (`fixtures/boards`) and what names (`hil/verify`) share no module.
 *
 * @module
 */

import { Device } from "../../driver/device.ts";
import { FAULTS } from "../../fixtures/boards/sim/mod.ts";
import { driverMakesMistakes, type VmFault, vmFaults } from "../../fixtures/boards/vm/faults.ts";
import type { Board } from "../board/board.ts";
import type { InjectedFault } from "../results/schema.ts";
import { judge } from "./judge.ts";
import { pairsOf } from "./pairs.ts";
import { runTrial } from "./trial.ts";

export { shortfalls, totals } from "./judge.ts";

/** What to check on. */
export interface SelfcheckOptions {
  /** The board. */
  readonly board: Board;
  /** The device. */
  readonly path: string;
  /** Seed of which frame is hit, where, and what the frames hold. */
  readonly seed: number;
  /** Inject one in so many only; 1 when left out. */
  readonly every?: number;
}

/**
 * Inject one fault after another, then pairs of them.
 *
 * @param options What to check on
 * @yields What came of each
 * @throws {Error} When the board does not inject what it is asked for
 */
export function* selfcheck(options: SelfcheckOptions): Generator<InjectedFault> {
  const known = options.board.kind === "sim" ? FAULTS : ofVm(options);
  const pairs = pairsOf(known);
  const chosen = (_: unknown, i: number) => i % (options.every ?? 1) === 0;
  for (const [i, fault] of [...known.entries()].filter(chosen)) yield trial(options, i, [fault]);
  for (const [i, { faults, heldOut }] of [...pairs.entries()].filter(chosen)) {
    yield trial(options, known.length + i, faults, heldOut);
  }
}

/** What the virtual board can do wrong on which this runs. */
function ofVm({ board, path }: SelfcheckOptions): VmFault[] {
  using device = Device.open({ path, syscalls: board.syscalls });
  const bus = device.info.tx?.engine === "pl_advbus" ? "adversarial" : "swiotlb";
  return vmFaults(bus, driverMakesMistakes());
}

/** Places that are drawn until each fault changes something, and those of a pair hide not one another. */
const DRAWS = 20;

function trial(
  { board, path, seed }: SelfcheckOptions,
  number: number,
  faults: readonly VmFault[],
  heldOut?: boolean,
): InjectedFault {
  const frame = 5 + (seed + number) % 8;
  const { needs, policy } = faults[0] ?? {};
  const run = (draw: number) => {
    const spec = faults.map((fault, i) => seeded(fault.spec, frame, seed * 1000 + draw + i))
      .join("; ");
    const options = {
      spec,
      seed,
      ...(needs === undefined ? {} : { needs }),
      ...(policy === undefined ? {} : { policy }),
    };
    return { spec, sight: runTrial(board, path, options) };
  };
  let { spec, sight } = run(2 * number);
  const missing = () => faults.filter((fault) => !kindsOf(sight.injected).includes(kindOf(fault)));
  for (let i = 1; i < DRAWS && (missing().length > 0 || overlap(sight.injected)); i++) {
    ({ spec, sight } = run(2 * number + i * 1e6));
  }
  for (const { name } of missing()) {
    const said = sight.injected.join("; ") || "nothing";
    throw new Error(`The board did not inject "${name}" (${spec}), it says: ${said}`);
  }
  return judge(faults, sight, heldOut);
}

/** Whether one fault lies where another does, or where that leaves nothing. Stuck lines hide nothing. */
function overlap(lines: readonly string[]): boolean {
  const places = lines.filter((line) => !/missed=|kind=stuck-bit/.test(line)).flatMap((line) => {
    const [, frame, from, length] = /^frame=(\d+) .*offset=(\d+) length=(\d+)/.exec(line) ?? [];
    return { frame, from: Number(from), to: Number(from) + Number(length) };
  });
  return places.some((one, i) =>
    places.slice(i + 1).some((other) =>
      one.frame === other.frame && one.from < other.to && other.from < one.to
    )
  );
}

/** The same fault in another frame, at a place that another seed chooses. */
function seeded(spec: string, frame: number, seed: number): string {
  const words = spec.split(" ").filter((word) => !word.startsWith("seed="))
    .map((word) => word.startsWith("frame=") ? `frame=${frame}` : word);
  return [...words, `seed=${seed}`].join(" ");
}

function kindOf({ spec }: VmFault): string {
  return /kind=(\S+)/.exec(spec)?.[1] ?? "";
}

/** What a board says that it did. */
function kindsOf(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.includes("missed="))
    .flatMap((line) => / kind=(\S+)/.exec(line)?.[1] ?? []);
}
