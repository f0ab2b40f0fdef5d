// SPDX-License-Identifier: MIT
/**
 * Compares what boards did in the scenario. A difference needs an explanation: something that is known about the
 * engine or its driver, and what exactly follows from it.
 *
 * @module
 */

import type { Quirk } from "../../../../driver/uapi.ts";
import type { Kind, Run } from "./scenario.ts";

/** Why an engine ends steps of one kind in another way than the simulated board. */
export interface Explanation {
  /** A quirk in force, the name of an engine's driver, or the beginning of a board's name. */
  readonly of:
    | { readonly quirk: Quirk }
    | { readonly engine: string }
    | { readonly board: string };
  readonly kind: Kind;
  /** What the caller sees there; a function of the step's name if it has numbers. */
  readonly outcome: string | ((name: string) => string);
  readonly why: string;
}

/** The numbers in the name of a step. */
const numbers = (name: string) => (name.match(/\d+/g) ?? []).map(Number);

function outcomeOf({ outcome }: Explanation, name: string): string {
  return typeof outcome === "string" ? outcome : outcome(name);
}

/** The board in software that ends frames as AXI DMA does. */
export const AXI_SOFTDMA = "pl_softdma as AXI DMA";
/** The same, with a driver of which `pldma` knows nothing. */
export const FOREIGN = `${AXI_SOFTDMA}, with a foreign driver`;

/** A block of more than one segment of the DMA API's default of 64 KiB is refused. */
const refused = (name: string) => (numbers(name).at(-1) ?? 0) > 65536 ? "ALLOC EINVAL" : "";

/** All differences that are known. Each must be seen on its engines, so none outlives its reason. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    of: { quirk: "oneSegment" },
    kind: "scattered receive",
    outcome: "REGISTER EOPNOTSUPP",
    why: "a short frame ends one descriptor, and the others stay armed, so there must be only one",
  },
  {
    of: { quirk: "resetsBoth" },
    kind: "reset of one direction",
    outcome: "reset EOPNOTSUPP, right",
    why: "the reset of one channel resets the whole core",
  },
  {
    of: { quirk: "length" },
    kind: "short frame",
    outcome: (name) => {
      const [length, room] = numbers(name).slice(-2);
      return `tx ok ${length}, rx ok ${room} right`;
    },
    why: "the driver does not report how many bytes came",
  },
  {
    of: { quirk: "length" },
    kind: "full queue",
    outcome: (name) => numbers(name).map((n) => `tx ok ${n}, rx ok 9000 right`).join("; "),
    why: "the driver does not report how many bytes came",
  },
  {
    of: { quirk: "length" },
    kind: "frame by frame",
    outcome: (name) =>
      numbers(name).map((n) => `tx ok ${n}, rx ok 9000 right`).join("; ") + ", reset returned 0",
    why: "the driver does not report how many bytes came",
  },
  {
    of: { board: AXI_SOFTDMA },
    kind: "long frame",
    outcome: "tx ETIMEDOUT, rx ok 4096, reset returned 1, beginning right",
    why: "the frame goes on in the next descriptor, and there is none",
  },
  {
    of: { board: FOREIGN },
    kind: "whole frame",
    outcome: refused,
    why: "its driver sets no limit for segments, and a frame is received into one",
  },
  {
    of: { board: FOREIGN },
    kind: "short frame",
    outcome: refused,
    why: "its driver sets no limit for segments, and a frame is received into one",
  },
  {
    of: { board: FOREIGN },
    kind: "many segments",
    outcome: "ALLOC EINVAL",
    why: "its driver sets no limit for segments, and a frame is received into one",
  },
  {
    of: { engine: "xilinx-vdma" },
    kind: "many segments",
    outcome: "ENQUEUE ENOMEM",
    why: "the driver has 255 descriptors for a channel (XILINX_DMA_NUM_DESCS), and tells nobody",
  },
  {
    of: { engine: "xilinx-vdma" },
    kind: "long frame",
    outcome: "tx ok 5000, rx ETIMEDOUT, reset EIO, beginning right",
    why:
      "the core interrupts at the end of a frame, and a full block is none; terminate proves nothing",
  },
  ...["xilinx-vdma", "dma-axi-dmac"].flatMap((engine): Explanation[] => [{
    of: { engine },
    kind: "transmit without receive",
    outcome: "tx ETIMEDOUT, reset EIO",
    why: "terminate proves nothing of a transfer that has begun",
  }, {
    of: { engine },
    kind: "receive without transmit",
    outcome: "rx ETIMEDOUT, reset EIO, right",
    why: "terminate proves nothing of a transfer that waits",
  }]),
  {
    of: { engine: "dma-axi-dmac" },
    kind: "long frame",
    outcome: "tx ok 5000, rx ok 4096, reset returned 0, beginning right",
    why:
      "a full block ends a transfer as TLAST does, and the rest of the frame waits for the next one",
  },
  {
    of: { engine: "dma-axi-dmac" },
    kind: "reset of one direction",
    outcome: "reset EIO, right",
    why: "terminate proves nothing of a transfer that waits",
  },
];

/**
 * Compares the run of a board with that of the reference.
 *
 * @param board Name of the board
 * @param run What it did
 * @param reference What the simulated board did with the same seed
 * @param explanations What is known. Defaults to {@linkcode EXPLANATIONS}
 * @returns One line for each difference that nothing explains, and the explanations of this engine that explained
 * nothing
 */
export function compare(
  board: string,
  run: Run,
  reference: Run,
  explanations: readonly Explanation[] = EXPLANATIONS,
): { disagreements: string[]; unused: Explanation[] } {
  const names = ({ steps }: Run) => steps.map(({ name }) => name).join("\n");
  if (names(run) !== names(reference)) {
    return { disagreements: [`${board}: expected the steps of the reference`], unused: [] };
  }
  const applies = ({ of }: Explanation) =>
    "quirk" in of
      ? run.quirks.includes(of.quirk)
      : "engine" in of
      ? run.engine === of.engine
      : board.startsWith(of.board);
  const known = explanations.filter(applies);
  const used = new Set<Explanation>();
  const disagreements = run.steps.flatMap(({ kind, name, outcome }, i) => {
    const expected = reference.steps[i]?.outcome;
    if (outcome === expected) return [];
    const found = known.find((one) => one.kind === kind && outcomeOf(one, name) === outcome);
    if (found !== undefined) {
      used.add(found);
      return [];
    }
    return [`${board}: ${name}: expected "${expected}" as on sim, found "${outcome}"`];
  });
  return { disagreements, unused: known.filter((one) => !used.has(one)) };
}
