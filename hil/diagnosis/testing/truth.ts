// SPDX-License-Identifier: MIT
/**
 * Random faults of the simulated board, and which known causes are true of each. This is written from what
 * the faults do (`fixtures/boards/sim/faults/editors.ts`), and not from the table of causes.
 *
 * @module
 */
import type { Random } from "../../../driver/testing/random.ts";
import { KINDS } from "../../../fixtures/boards/sim/faults/spec.ts";

/** A random fault. */
export interface RandomFault {
  /** The fault without its seed, as `--fault` takes it. */
  readonly spec: string;
  /** The causes that are true of it. */
  readonly allowed: readonly string[];
}

/** A piece or the rest of a frame is old: nothing was written, or it was not read in time. */
const OLD = {
  core: ["writes-lost", "early-completion"],
  tx: ["early-read", "wrong-read-address"],
  rx: ["writes-lost", "early-completion"],
} as const;

type Kind = keyof typeof KINDS;
type Side = "core" | "tx" | "rx";

/** The causes that are true of a kind of fault, by the side on which it is. */
const TRUE: Readonly<Record<string, (side: Side) => readonly string[]>> = {
  flip: (side) => side === "core" ? ["random-flips"] : ["random-flips", "weak-memory"],
  // beats that are lost from one offset on are what a FIFO of that size loses
  drop: () => ["beats-lost", "fifo-overflow"],
  duplicate: () => ["beats-lost"],
  swap: () => ["descriptors-overtake", "frames-mixed-up"],
  short: () => ["tlast-early"],
  repeat: () => ["frames-mixed-up", "descriptors-overtake"],
  // the core takes no more data
  stall: () => ["receive-stalls"],
  wedge: () => ["receive-stalls"],
  "no-move": () => ["writes-lost"],
  overrun: () => ["write-past-end"],
  // with one block in flight, the core took the frame and gives nothing back
  lose: () => ["frames-mixed-up", "descriptors-overtake", "receive-stalls"],
  long: () => ["tlast-late"],
  error: () => ["bus-error"],
  "stuck-bit": () => ["stuck-line"],
  "byte-lanes": () => ["byte-order"],
  shift: (side) => side === "core" ? ["frame-offset"] : ["frame-offset", "wrong-address"],
  misplace: (side) => side === "core" ? [] : ["wrong-address"],
  hole: (side) => OLD[side],
  torn: (side) => OLD[side],
  // a read from a wrong address returns a constant, too
  fill: (side) => side === "tx" ? ["bus-error", "wrong-read-address"] : ["bus-error"],
  exchange: reordered,
  rotate: reordered,
  interleave: reordered,
  "length-mask": () => ["length-register"],
  alias: (side) => side === "core" ? [] : ["wrong-address"],
  hold: (side) => side === "core" ? ["beats-lost"] : ["wrong-address"],
  "sync-skip": sync("missing"),
  "sync-misdirect": sync("missing"),
  "sync-elsewhere": sync("missing"),
  "sync-previous": sync("missing", "short"),
  "sync-short": sync("short", "missing"),
  "sync-late": sync("late", "missing"),
  "wrong-block": () => ["completion-mix-up"],
  "wrong-cookie": () => ["completion-mix-up"],
  twice: () => ["completion-mix-up"],
  "lost-interrupt": () => ["lost-interrupt", "completion-lost", "completion-mix-up"],
  unsubmitted: () => ["completion-lost", "completion-mix-up"],
  "wrong-length": () => ["length-short"],
  early: () => ["early-completion"],
  stray: () => ["stray-write", "write-past-end"],
  "repeat-block": (
    side,
  ) => ["descriptors-overtake", "frames-mixed-up", ...side === "tx" ? OLD.tx : []],
  "swap-blocks": () => ["descriptors-overtake", "frames-mixed-up"],
};

function reordered(side: Side): readonly string[] {
  return side === "core" ? ["bursts-reordered"] : ["bursts-reordered", "wrong-address"];
}

function sync(...names: readonly string[]): (side: Side) => readonly string[] {
  return (side) => names.map((name) => `for-${side === "tx" ? "device" : "cpu"}-${name}`);
}

/**
 * Makes a random fault.
 *
 * @param random Random numbers
 * @returns The fault
 */
export function randomFault(random: Random): RandomFault {
  const pick = <T>(items: readonly T[]): T => random.oneOf(items);
  // an engine that stops or hangs damages nothing
  const kind = pick((Object.keys(KINDS) as Kind[]).filter((one) => one !== "wedge"));
  const takes: readonly string[] = KINDS[kind];
  const words = [`kind=${kind}`];
  const when = pick(["rate=1", "rate=2", "rate=3", "rate=5", "frame=0", "frame=4", "frame=7"]);
  words.push(when);
  const syncs = kind.startsWith("sync-");
  let side: Side = syncs || kind === "repeat-block" ? "rx" : "core";
  if (takes.includes("direction") && kind !== "error") {
    const direction = pick(syncs ? ["tx", "rx"] : ["", "tx", "rx"] as const);
    if (direction !== "") words.push(`direction=${direction}`);
    if (direction === "tx" || direction === "rx") side = direction;
  }
  if (takes.includes("bytes") && kind !== "byte-lanes") {
    words.push(`bytes=${pick([8, 64, 256, 1024])}`);
  }
  if (takes.includes("beats")) words.push(`beats=${pick([1, 1, 2, 8])}`);
  const at = takes.includes("at") && random.below(5) === 0 ? pick([0, 64, 512, 4096]) : null;
  if (at !== null) words.push(`at=${at}`);
  const allowed = [
    ...TRUE[kind]?.(side) ?? [],
    ...when === "frame=0" ? ["after-reset"] : [],
    // the frame begins late or early by some beats, as in the held-out faults
    ...["drop", "duplicate"].includes(kind) && at === 0 ? ["frame-offset"] : [],
    // of each frame, the same number of bytes is new, which is what a limit does
    ...kind === "torn" && when === "rate=1" && at !== null && at > 0 ? ["length-limit"] : [],
  ];
  return { spec: words.join(" "), allowed };
}
