// SPDX-License-Identifier: MIT
/**
 * Random faults, of any kind and under any condition, and the causes whose words are true of each one. The
 * table follows from what the fault does, and not from what a diagnosis says about it.
 *
 * @module
 */

import { mix } from "../../../fixtures/boards/sim/random.ts";
import { type Kind, KINDS, parseFaults } from "../../../fixtures/boards/sim/faults/spec.ts";

/** True causes of each kind, whatever its parameters and conditions are. */
const OF_KIND: { readonly [kind in Kind]: readonly string[] } = {
  flip: ["random-flips"],
  drop: ["beats-lost", "fifo-overflow"],
  duplicate: ["beats-lost"],
  swap: ["frames-mixed-up", "descriptors-overtake", "bursts-reordered"],
  short: ["tlast-early"],
  repeat: ["frames-mixed-up", "descriptors-overtake", "prefetch"],
  stall: ["receive-stalls"],
  wedge: ["receive-stalls"],
  "no-move": ["writes-lost"],
  overrun: ["write-past-end"],
  error: ["bus-error", "tlast-early"],
  lose: ["receive-stalls", "frames-mixed-up"],
  long: ["tlast-late", "tlast-missing"],
  stray: ["wrong-address"],
  "length-mask": ["length-register"],
  "stuck-bit": ["stuck-line"],
  "byte-lanes": ["byte-order"],
  shift: ["frame-offset"],
  misplace: ["wrong-address", "bursts-reordered"],
  hole: ["beats-lost"],
  torn: ["tlast-early"],
  fill: ["wrong-read-address"],
  invert: [],
  exchange: ["bursts-reordered"],
  rotate: ["bursts-reordered"],
  interleave: ["bursts-reordered"],
  alias: ["wrong-address", "above-offset"],
  hold: ["every-nth-beat", "beats-lost"],
  early: [],
  "sync-skip": [],
  "sync-misdirect": [],
  "sync-previous": [],
  "sync-short": [],
  "sync-late": [],
  "sync-elsewhere": [],
  "wrong-block": ["completion-mix-up"],
  "wrong-cookie": ["completion-mix-up"],
  "wrong-length": ["length-short"],
  twice: ["completion-mix-up"],
  "lost-interrupt": ["lost-interrupt", "completion-lost", "completion-mix-up"],
  unsubmitted: ["completion-lost", "completion-mix-up"],
  "repeat-block": ["frames-mixed-up", "descriptors-overtake", "prefetch"],
  "swap-blocks": ["frames-mixed-up", "descriptors-overtake", "prefetch"],
};

/** Causes that are true as well in one direction. */
const OF_DIRECTION: Readonly<Record<string, readonly string[]>> = {
  "flip tx": ["weak-memory", "memory-cell"],
  "flip rx": ["weak-memory", "memory-cell"],
  "hole rx": ["writes-lost"],
  "torn rx": ["writes-lost"],
  "hole tx": ["wrong-read-address", "early-read", "prefetch"],
  "torn tx": ["wrong-read-address", "early-read", "prefetch"],
  "fill rx": ["weak-memory"],
  "fill tx": ["bus-error"],
  "early rx": ["early-completion"],
  "early tx": ["early-read"],
  "shift rx": ["wrong-address"],
  "shift tx": ["wrong-read-address"],
  "misplace tx": ["wrong-read-address"],
  "alias tx": ["wrong-read-address"],
  "sync-skip rx": ["for-cpu-missing"],
  "sync-skip tx": ["for-device-missing"],
  "sync-misdirect rx": ["for-cpu-missing"],
  "sync-misdirect tx": ["for-device-missing"],
  "sync-previous rx": ["for-cpu-missing", "for-cpu-short"],
  "sync-previous tx": ["for-device-missing", "for-device-short"],
  "sync-short rx": ["for-cpu-short"],
  "sync-short tx": ["for-device-short"],
  "sync-late rx": ["for-cpu-late"],
  "sync-late tx": ["for-device-late"],
  "sync-elsewhere rx": ["for-cpu-missing"],
  "sync-elsewhere tx": ["for-device-missing"],
};

/** A random fault. */
export interface RandomFault {
  /** Its text. */
  readonly fault: string;
  /** The causes whose words are true of it. */
  readonly causes: readonly string[];
}

/**
 * Makes random faults.
 *
 * @param seed The seed
 * @param count How many
 * @returns The faults
 */
export function randomFaults(seed: number, count: number): RandomFault[] {
  let drawn = 0;
  const below = (limit: number): number => mix(seed, drawn++) % limit;
  const one = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  return Array.from({ length: count }, () => {
    const kind = one(Object.keys(KINDS) as Kind[]);
    const known: readonly string[] = KINDS[kind];
    const words = [`kind=${kind}`, `seed=${below(1000)}`];
    const take = (name: string, values: readonly (number | string)[], chance = 2) => {
      if (known.includes(name) && below(chance) === 0) words.push(`${name}=${one(values)}`);
    };
    take("direction", ["tx", "rx"]);
    take("at", [0, 8, 64], 4);
    take("bit", kind === "flip" ? [0, 3, 7] : [0, 5, 37, 63]);
    take("lane", [0, 5], 4);
    take("value", kind === "stuck-bit" ? [0, 1] : [0, 85, 255]);
    take("bytes", [8, 16, 64, 256]);
    take("beats", [1, 2, 4]);
    take("bits", [8, 10, 12]);
    const times = one([
      "",
      "rate=1",
      "rate=3",
      "rate=10",
      "frame=0",
      "frame=3",
      "every=4",
      "every=7",
    ]);
    if (times !== "") words.push(times);
    const condition = one([
      ...[
        "",
        "",
        "",
        "",
        "block=0",
        "block=1",
        "above=8192",
        "min=1000",
        "max=1000",
        "after=100000",
      ],
      ...["from=3", "depth=2", "edge=4096", "edge=128", "ragged=8"],
    ]);
    if (condition !== "") words.push(condition);
    const fault = words.join(" ");
    return { fault, causes: causesOf(fault) };
  });
}

/** The causes that are true of a fault. */
function causesOf(fault: string): string[] {
  const [spec] = parseFaults(fault);
  if (spec === undefined) return [];
  const { kind, when } = spec;
  const { edge, ragged } = when;
  // the faults of the driver are in rx by default, and those of the core in neither
  const inDriver = kind === "early" || kind.startsWith("sync-");
  const direction = spec.direction ?? (inDriver ? "rx" : "core");
  return [
    ...OF_KIND[kind],
    ...(OF_DIRECTION[`${kind} ${direction}`] ?? []),
    // the frame begins late or early by some beats, as in the held-out faults
    ...(spec.at === 0 && (kind === "drop" || kind === "duplicate") ? ["frame-offset"] : []),
    // without a byte of its own, the frame is the one before it, byte for byte as with kind=repeat
    ...(kind === "torn" && spec.at === 0 && direction === "core" ? OF_KIND.repeat : []),
    ...(spec.rate === 0 && spec.frame === 0 ? ["after-reset"] : []),
    ...(when.every !== undefined ? ["ring-wrap"] : []),
    ...(when.block !== undefined ? ["bad-block", "ring-wrap"] : []),
    ...(when.above !== undefined ? ["above-offset", "bad-block"] : []),
    ...(when.min !== undefined ? ["length-limit", "large-block", "fifo-overflow"] : []),
    ...(edge === 4096 ? ["4k-boundary", "page-translation", "segment-boundary"] : []),
    ...(edge !== undefined && edge !== 4096
      ? ["burst-boundary", "segment-boundary", "every-nth-beat"]
      : []),
    ...(ragged !== undefined ? ["partial-beat", "no-realignment"] : []),
  ];
}
