// SPDX-License-Identifier: MIT
/**
 * The self-check: injects every known fault, and checks whether it is caught, named and blamed correctly.
 * The injectors (`fixtures/boards`) and the classifier (`hil/verify`) share no module.
 *
 * @module
 */

import { Device } from "../../driver/device.ts";
import { FAULTS } from "../../fixtures/boards/sim/mod.ts";
import { driverMakesMistakes, type VmFault, vmFaults } from "../../fixtures/boards/vm/faults.ts";
import { type Board, openBoard } from "../board/board.ts";
import type { InjectedFault } from "../results/schema.ts";
import { parseSettings } from "../settings/settings.ts";
import { judge } from "./judge.ts";
import { pairsOf } from "./pairs.ts";
import { runTrial } from "./trial.ts";

export { shortfalls, totals } from "./judge.ts";

/** Where and how to check. */
export interface SelfcheckOptions {
  /** The board. */
  readonly board: Board;
  /** The device. */
  readonly path: string;
  /** Decides which frame is hit, where it is hit, and the content of the frames. */
  readonly seed: number;
  /** Injects only every n-th fault and every n-th pair. Defaults to 1. */
  readonly every?: number;
}

/**
 * Injects one fault after the other, then pairs of faults.
 *
 * @param options Where and how to check
 * @yields The result of each fault or pair
 * @throws {Error} If the board does not inject a fault
 */
export function* selfcheck(options: SelfcheckOptions): Generator<InjectedFault> {
  const catalogue = options.board.kind === "sim" ? FAULTS : ofVm(options);
  const pairs = pairsOf(catalogue);
  const chosen = (_: unknown, i: number) => i % (options.every ?? 1) === 0;
  for (const [i, fault] of [...catalogue.entries()].filter(chosen)) {
    yield trial(options, i, [fault], fault.heldOut);
  }
  for (const [i, { faults, heldOut }] of [...pairs.entries()].filter(chosen)) {
    yield trial(options, catalogue.length + i, faults, heldOut);
  }
}

/** The faults that this virtual board can inject. */
function ofVm({ board, path }: SelfcheckOptions): VmFault[] {
  using device = Device.open({ path, syscalls: board.syscalls });
  const bus = device.info.tx?.engine === "pl_advbus" ? "adversarial" : "swiotlb";
  const target = board.remote;
  const isThere = target === null ? undefined : (path: string) => target.exists(path);
  return vmFaults(bus, driverMakesMistakes(isThere));
}

/** The most places that are drawn until each fault changes something, and no fault of a pair hides the other. */
const MAX_DRAWS = 20;

function trial(
  { board, path, seed }: SelfcheckOptions,
  number: number,
  faults: readonly VmFault[],
  heldOut: boolean,
): InjectedFault {
  const frame = 5 + (seed + number) % 8;
  const { needs, policy, coherent = false } = faults[0] ?? {};
  const run = (draw: number) => {
    const spec = faults.map((fault, i) => seeded(fault.spec, frame, seed * 1000 + draw + i))
      .join("; ");
    const options = {
      spec,
      seed,
      ...(needs === undefined ? {} : { needs }),
      ...(policy === undefined ? {} : { policy }),
    };
    return { spec, observed: runTrial(coherent ? snooping(seed) : board, path, options) };
  };
  let { spec, observed } = run(2 * number);
  const missing = () =>
    faults.filter((fault) => !kindsOf(observed.injected).includes(kindOf(fault)));
  for (let i = 1; i < MAX_DRAWS && (missing().length > 0 || overlap(observed.injected)); i++) {
    ({ spec, observed } = run(2 * number + i * 1e6));
  }
  for (const { name } of missing()) {
    const reported = observed.injected.join("; ") || "nothing";
    throw new Error(`The board did not inject "${name}" (${spec}). It reported: ${reported}`);
  }
  return judge(faults, observed, heldOut);
}

/** A simulated board whose device snoops the CPU's caches. */
function snooping(seed: number): Board {
  return openBoard(parseSettings({ board: "sim", seed: String(seed), coherent: "1" }));
}

/** Whether two faults changed the same bytes. Stuck lines do not count, because they hide nothing. */
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

/** The same fault in another frame, at a place that another seed decides. */
function seeded(spec: string, frame: number, seed: number): string {
  const words = spec.split(" ").filter((word) => !word.startsWith("seed="))
    .map((word) => word.startsWith("frame=") ? `frame=${frame}` : word);
  return [...words, `seed=${seed}`].join(" ");
}

function kindOf({ spec }: VmFault): string {
  return /kind=(\S+)/.exec(spec)?.[1] ?? "";
}

/** The kinds of the faults that a board reports as injected. */
function kindsOf(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.includes("missed="))
    .flatMap((line) => / kind=(\S+)/.exec(line)?.[1] ?? []);
}
