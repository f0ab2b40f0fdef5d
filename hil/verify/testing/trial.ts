// SPDX-License-Identifier: MIT
/**
 * Classifies frames with known damages, and counts how often the classifier is right.
 *
 * @module
 */

import type { Block } from "../../../driver/block.ts";
import { Guards } from "../../frames/guards.ts";
import { patternNamed } from "../../patterns/mod.ts";
import type { Pattern } from "../../patterns/pattern.ts";
import type { Fault } from "../fault.ts";
import { classify } from "../classify.ts";
import { type Damage, damage, DAMAGES, fits, isWhole } from "./damage.ts";
import { Random } from "../../../driver/testing/random.ts";
import type { Arrival, KnownDamage } from "./transfer.ts";

/** How often the classifier was right. */
export interface Score {
  /** Frames that were damaged. */
  cases: number;
  /** Damages that changed at least one byte. */
  damages: number;
  /** Damages of which a fault at their place has the right kind. */
  named: number;
  /** Damages of which the first and the last byte are right, whatever the kind. */
  placed: number;
  /** Damages for which the right part of the path is blamed. */
  blamed: number;
  /** Faults without a damage. */
  surplus: number;
  /** Faults that are named `foreign` although they are not garbage. */
  foreign: number;
}

/** What to classify. */
export interface Trials {
  readonly seed: number;
  readonly cases: number;
  /** Names of patterns. One that is listed twice is drawn twice as often. */
  readonly patterns: readonly string[];
  /** Pairs of damages, as `a + b`: those that are left out, or the only ones that are done. */
  readonly pairs: { readonly without: readonly string[] } | { readonly only: readonly string[] };
  /** Whether the classifier gets no check values. Defaults to false. */
  readonly unchecked?: boolean;
  /** Called with a description of each frame that is not classified perfectly. */
  readonly wrong?: (text: string) => void;
}

/** Bytes of the guard zone on either side of a frame. */
const GUARD = 64;
/** Bytes of the longest frame. */
const MAX_LENGTH = 16384;

/**
 * Damages frames, classifies them, and compares the faults with what was done.
 *
 * @param trials What to classify
 * @returns The score of all frames, and of each damage or pair
 */
export function score(trials: Trials): { total: Score; by: Map<string, Score> } {
  const random = new Random(trials.seed);
  const made = new Map<string, Pattern>();
  const total = zero();
  const by = new Map<string, Score>();
  for (let done = 0; done < trials.cases; done++) {
    const name = random.oneOf(trials.patterns);
    let pattern = made.get(name);
    if (pattern === undefined) {
      const longest = MAX_LENGTH + 2 * GUARD + 64;
      pattern = patternNamed(name).create({ seed: random.below(2 ** 32), maxLength: longest });
      made.set(name, pattern);
    }
    const length = random.oneOf([
      random.between(128, 1024),
      random.between(1024, MAX_LENGTH),
      4096,
    ]);
    const damages = choose(trials, random, length);
    const label = damages.join(" + ");
    const one = by.get(label) ?? zero();
    by.set(label, one);
    const single = trial(pattern, length, damages, random, trials);
    for (const key of Object.keys(total) as (keyof Score)[]) {
      total[key] += single[key];
      one[key] += single[key];
    }
  }
  return { total, by };
}

function zero(): Score {
  return { cases: 0, damages: 0, named: 0, placed: 0, blamed: 0, surplus: 0, foreign: 0 };
}

function choose(trials: Trials, random: Random, length: number): Damage[] {
  const { pairs } = trials;
  if ("only" in pairs) return random.oneOf(pairs.only).split(" + ") as Damage[];
  for (;;) {
    const first = random.oneOf(DAMAGES);
    if (!fits(first, length)) continue;
    if (random.below(3) > 0 || isWhole(first) || length < 2048) return [first];
    const second = random.oneOf(DAMAGES);
    if (isWhole(second) || first === second || first === "short") continue;
    if (!fits(second, length / 2 - 64) || !fits(first, length / 2 - 64)) continue;
    // after a displacement, these damages would begin or end in another place than they report
    if (/tx|torn tail/.test(second) && /lost|doubled/.test(first)) continue;
    const label = `${first} + ${second}`;
    if (!pairs.without.includes(label)) return [first, second];
  }
}

function trial(
  pattern: Pattern,
  asked: number,
  damages: readonly Damage[],
  random: Random,
  trials: Trials,
): Score {
  const length = damages.length === 2 ? Math.max(asked, 2048) : asked;
  const sequence = random.between(1, 5000);
  const base = random.oneOf([64, 128, 64 + 8]);
  const depth = random.between(1, 9);
  const txDepth = trials.unchecked === true ? depth + 1 : random.oneOf([depth, depth + 1]);
  const frame = (number: number) => {
    const bytes = new Uint8Array(length);
    pattern.write(bytes, number);
    return bytes;
  };
  const rxOld = sequence >= depth ? frame(sequence - depth) : pattern.poison(base, length).slice();
  const txOld = sequence >= txDepth ? frame(sequence - txDepth) : new Uint8Array(length);
  const arrival = damage(
    { sequence, frame, length, base, txOld, rxOld, guard: GUARD },
    damages,
    random,
  );
  const expected = frame(sequence);
  const known = arrival.known
    .map((one) => {
      const { from, to } = trim(one.from, one.to, expected, arrival);
      // two displacements may cancel each other: then no byte is wrong where the second one begins
      const cancelled = from === to && /lost|duplicated/.test(one.kind);
      return cancelled ? { ...one, to: one.from + 8 } : { ...one, from, to };
    })
    .filter(({ from, to }) => to > from);
  const same = expected.every((byte, at) => byte === arrival.received[at]);
  if (same && arrival.moved === length && arrival.overrun === null) {
    return { ...zero(), cases: 1, damages: known.length };
  }
  const unchecked = trials.unchecked === true;
  const inFrame = same && arrival.moved === length ? [] : classify({
    sequence,
    expected,
    received: arrival.received,
    moved: arrival.moved,
    txCheck: unchecked ? null : arrival.txCheck,
    rxCheck: unchecked ? null : arrival.rxCheck,
  }, {
    pattern,
    base,
    rxHeld: sequence >= depth ? sequence - depth : "poison",
    txHeld: sequence >= txDepth ? sequence - txDepth : "zeros",
  });
  const faults = [...inFrame, ...around(pattern, base, length, arrival)];
  if (faults.length === 0) throw new Error(`Expected faults of ${damages}, found none`);
  const result = match(known, faults, unchecked, (from, to) => trim(from, to, expected, arrival));
  const { damages: most, named, placed, blamed, surplus } = result;
  if (named < most || placed < most || blamed < most || surplus > 0) {
    const lines = [
      ...known.map(({ kind, from, to, blame }) => `expected: ${kind} ${from}..${to} ${blame}`),
      ...faults.map(({ kind, offset, length, blame, detail }) =>
        `found: ${kind} ${offset}..${offset + length} ${blame} ${detail}`
      ),
    ];
    trials.wrong?.(
      `${damages.join(" + ")} | ${pattern.name} frame ${sequence} length ${length} base ${base} ` +
        `depth ${depth}/${txDepth}\n  ${lines.join("\n  ")}`,
    );
  }
  return result;
}

/** Compares faults with the damages that were done. `trimmed` leaves out correct bytes at the edges. */
function match(
  known: readonly KnownDamage[],
  faults: readonly Pick<Fault, "kind" | "offset" | "length" | "blame">[],
  unchecked: boolean,
  trimmed: (from: number, to: number) => { from: number; to: number },
): Score {
  const result = { ...zero(), cases: 1, damages: known.length };
  const left = new Set(faults);
  for (const one of known) {
    const candidates = [...left].map((fault) => {
      const end = fault.offset + fault.length;
      const { from, to } = trimmed(fault.offset, end);
      return from === to ? { fault, from: fault.offset, to: end } : { fault, from, to };
    }).filter(({ from, to }) => from < one.to && to > one.from);
    const sameKind = candidates.filter(({ fault }) => fault.kind === one.kind);
    const found = sameKind.find(({ from, to }) => from === one.from && to === one.to) ??
      sameKind[0] ?? candidates[0];
    if (found === undefined) continue;
    left.delete(found.fault);
    const { kind, blame } = found.fault;
    if (kind === one.kind) result.named++;
    else if (kind === "foreign") result.foreign++;
    if (found.from === one.from && found.to === one.to) result.placed++;
    if (blame === one.blame || (unchecked && blame === null)) result.blamed++;
  }
  result.surplus = left.size;
  return result;
}

/** The faults in the guard zones of a block, as a flow names them. */
function around(
  pattern: Pattern,
  guard: number,
  size: number,
  { received, overrun }: Arrival,
): Pick<Fault, "kind" | "offset" | "length" | "blame" | "detail">[] {
  const fresh = pattern.poison(0, guard + size + GUARD);
  const held = fresh.slice();
  held.set(received, guard);
  for (let at = overrun?.from ?? 0; at < (overrun?.to ?? 0); at++) {
    held[guard + at] = ~(held[guard + at] ?? 0);
  }
  const bytes = (at: number, length: number) => held.subarray(at, at + length);
  const block = {
    equals: (data: Uint8Array, at: number) => bytes(at, data.length).toHex() === data.toHex(),
    copyTo: (target: Uint8Array, at: number) => target.set(bytes(at, target.length)),
  } as unknown as Block; // only what the guards use
  return new Guards({ guard, size, fresh, count: 1 }).damage(block, 0)
    .map((extent) => ({ ...extent, kind: "overrun", blame: "core", detail: "" }));
}

/** A range without the correct bytes at its edges. No byte outside of the frame is correct. */
function trim(
  from: number,
  to: number,
  expected: Uint8Array,
  { received, moved }: Arrival,
): { from: number; to: number } {
  const isCorrect = (at: number) => at >= 0 && at < moved && expected[at] === received[at];
  while (from < to && isCorrect(from)) from++;
  while (to > from && isCorrect(to - 1)) to--;
  return { from, to };
}
