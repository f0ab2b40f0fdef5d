// SPDX-License-Identifier: MIT
/**
 * Tries the classifier on damage that is known, and keeps the score.
 *
 * @module
 */

import type { Block } from "../../../driver/block.ts";
import { Guards } from "../../frames/guards.ts";
import { patternNamed } from "../../patterns/mod.ts";
import type { Pattern } from "../../patterns/pattern.ts";
import type { Fault } from "../fault.ts";
import { classify } from "../classify.ts";
import { type Arrival, type Damage, damage, DAMAGES, Draw, fits, WHOLE } from "./damage.ts";

/** How often the classifier was right. */
export interface Score {
  /** Frames that were damaged. */
  cases: number;
  /** Damages that changed a byte. */
  damages: number;
  /** Those of the right kind, at their place. */
  named: number;
  /** Those with the right first and last byte, whatever their kind. */
  placed: number;
  /** Those laid on the right part of the path. */
  blamed: number;
  /** Faults that are no damage. */
  surplus: number;
  /** Faults that are named `foreign` and are not garbage. */
  foreign: number;
}

/** What to try. */
export interface Trials {
  readonly seed: number;
  readonly cases: number;
  /** Names of patterns, each as often as it is listed. */
  readonly patterns: readonly string[];
  /** Pairs of damages, as `a + b`, that are not tried, or the only ones that are. */
  readonly pairs: { readonly without: readonly string[] } | { readonly only: readonly string[] };
  /** Whether check values are withheld. */
  readonly blind?: boolean;
  /** Told of each case that is not all right. */
  readonly wrong?: (text: string) => void;
}

const GUARD = 64;
const LONGEST = 16384;

/**
 * Damage frames, let them be classified, and compare.
 *
 * @param trials What to try
 * @returns The score of all, and of each damage or pair
 */
export function score(trials: Trials): { total: Score; by: Map<string, Score> } {
  const draw = new Draw(trials.seed);
  const made = new Map<string, Pattern>();
  const total = zero();
  const by = new Map<string, Score>();
  for (let done = 0; done < trials.cases; done++) {
    const name = draw.one(trials.patterns);
    let pattern = made.get(name);
    if (pattern === undefined) {
      const longest = LONGEST + 2 * GUARD + 64;
      pattern = patternNamed(name).create({ seed: draw.below(2 ** 32), maxLength: longest });
      made.set(name, pattern);
    }
    const length = draw.one([draw.from(128, 1024), draw.from(1024, LONGEST), 4096]);
    const damages = choose(trials, draw, length);
    const label = damages.join(" + ");
    const one = by.get(label) ?? zero();
    by.set(label, one);
    const single = trial(pattern, length, damages, draw, trials);
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

function choose(trials: Trials, draw: Draw, length: number): Damage[] {
  const { pairs } = trials;
  if ("only" in pairs) return draw.one(pairs.only).split(" + ") as Damage[];
  for (;;) {
    const first = draw.one(DAMAGES);
    if (!fits(first, length)) continue;
    if (draw.below(3) > 0 || WHOLE.includes(first) || length < 2048) return [first];
    const second = draw.one(DAMAGES);
    if (WHOLE.includes(second) || first === second || first === "short") continue;
    if (!fits(second, length / 2 - 64) || !fits(first, length / 2 - 64)) continue;
    // behind a displacement, these would begin or end elsewhere than the truth says
    if (/tx|torn tail/.test(second) && /lost|doubled/.test(first)) continue;
    const label = `${first} + ${second}`;
    if (!pairs.without.includes(label)) return [first, second];
  }
}

function trial(
  pattern: Pattern,
  asked: number,
  damages: readonly Damage[],
  draw: Draw,
  trials: Trials,
): Score {
  const length = damages.length === 2 ? Math.max(asked, 2048) : asked;
  const sequence = draw.from(1, 5000);
  const base = draw.one([64, 128, 64 + 8]);
  const depth = draw.from(1, 9);
  const txDepth = trials.blind === true ? depth + 1 : draw.one([depth, depth + 1]);
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
    draw,
  );
  const expected = frame(sequence);
  const truths = arrival.truths
    .map((truth) => {
      const { from, to } = trim(truth.from, truth.to, expected, arrival);
      // two displacements may cancel each other: the second begins where nothing is wrong any more
      const cancelled = from === to && /lost|duplicated/.test(truth.kind);
      return cancelled ? { ...truth, to: truth.from + 8 } : { ...truth, from, to };
    })
    .filter(({ from, to }) => to > from);
  const result = { ...zero(), cases: 1, damages: truths.length };
  const same = expected.every((byte, at) => byte === arrival.received[at]);
  if (same && arrival.moved === length && arrival.overrun === null) return result;
  const blind = trials.blind === true;
  const inFrame = same && arrival.moved === length ? [] : classify({
    sequence,
    expected,
    received: arrival.received,
    moved: arrival.moved,
    txCheck: blind ? null : arrival.txCheck,
    rxCheck: blind ? null : arrival.rxCheck,
  }, {
    pattern,
    base,
    rxHeld: sequence >= depth ? sequence - depth : "poison",
    txHeld: sequence >= txDepth ? sequence - txDepth : "zeros",
  });
  const faults = [...inFrame, ...around(pattern, base, length, arrival)];
  if (faults.length === 0) throw new Error(`Expected faults of ${damages}, found none`);
  const left = new Set(faults);
  for (const truth of truths) {
    const candidates = [...left].map((fault) => {
      const end = fault.offset + fault.length;
      const { from, to } = trim(fault.offset, end, expected, arrival);
      return from === to ? { fault, from: fault.offset, to: end } : { fault, from, to };
    }).filter(({ from, to }) => from < truth.to && to > truth.from);
    const found = candidates.find(({ fault, from, to }) =>
      fault.kind === truth.kind && from === truth.from && to === truth.to
    ) ?? candidates.find(({ fault }) =>
      fault.kind === truth.kind
    ) ?? candidates[0];
    if (found === undefined) continue;
    left.delete(found.fault);
    if (found.fault.kind === truth.kind) result.named++;
    else if (found.fault.kind === "foreign") result.foreign++;
    if (found.from === truth.from && found.to === truth.to) result.placed++;
    const { blame } = found.fault;
    if (blame === truth.blame || (blind && blame === null)) result.blamed++;
  }
  result.surplus = left.size;
  const right = result.damages;
  if (
    trials.wrong !== undefined &&
    (result.named < right || result.placed < right || result.blamed < right || result.surplus > 0)
  ) {
    const told = faults.map((f) =>
      `${f.kind} ${f.offset}..${f.offset + f.length} ${f.blame} ${f.detail}`
    );
    const due = truths.map((t) => `${t.kind} ${t.from}..${t.to} ${t.blame}`);
    trials.wrong(
      `${damages.join(" + ")} | ${pattern.name} frame ${sequence} length ${length} base ${base} ` +
        `depth ${depth}/${txDepth}\n  due: ${due.join("\n       ")}\n  got: ${
          told.join("\n       ")
        }`,
    );
  }
  return result;
}

/** What the guards of a block tell, as a flow names it. */
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
  } as unknown as Block; // all of it that guards look at
  return new Guards({ guard, size, fresh, count: 1 }).damage(block, 0)
    .map((extent) => ({ ...extent, kind: "overrun", blame: "core", detail: "" }));
}

/** A range without the bytes at its edges that happen to be right; nothing is right outside the frame. */
function trim(
  from: number,
  to: number,
  expected: Uint8Array,
  { received, moved }: Arrival,
): { from: number; to: number } {
  const right = (at: number) => at >= 0 && at < moved && expected[at] === received[at];
  while (from < to && right(from)) from++;
  while (to > from && right(to - 1)) to--;
  return { from, to };
}
