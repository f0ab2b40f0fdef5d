// SPDX-License-Identifier: MIT
/**
 * Which bytes of a frame are wrong: where, in which units, and how much is missing.
 *
 * Offsets count from the start of the frame, addresses from the start of its block. A block begins at a
 * line, and one of the driver at a page, so boundaries of lines, bursts and pages are those of addresses.
 *
 * @module
 */
import { formatBytes, plural } from "../text/format.ts";
import { isForced } from "./chance.ts";
import { CLASS_OF, type Group } from "./groups.ts";
import { type FaultRow, USER_PAGES } from "./observations.ts";
import type { Finding, Signature } from "./signature.ts";
import { gcd, ordinal } from "./times.ts";

/** Bytes of a beat of the narrowest bus that matters, and of the longest sensible unit of a segment. */
const BEAT = 8;
const LONGEST = 1 << 20;

/** Bytes of a page, which no burst of AXI may cross. */
const PAGE = 4096;

/** In shorter frames, every fault is at the start, at the end, and nearly the whole frame. */
export const INFORMATIVE = 256;

/** The least number of wrong places from which their positions mean something. */
export const FEW = 3;

/** The share of edges that must agree. The others are equal by chance, or where two pieces of damage meet. */
const MOST = 0.9;

/** Where a fault is, in a frame of known size. */
interface Place {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly address: number;
  /** Offset of the first byte that is known to be wrong. */
  readonly exact: number;
  /** The frame, unique in the run. */
  readonly frame: string;
  /** Whether the block is known, and begins at a page. A program's own memory begins anywhere. */
  readonly inPages: boolean;
  /** As in {@linkcode FaultRow}. */
  readonly joined: boolean;
}

function placesOf({ faults }: Group): Place[] {
  return faults.flatMap(({ fault, address, joined, case: { index, size, test } }) => {
    const { offset, length, frame, block } = fault;
    if (size === null || offset < 0 || offset >= size) return [];
    // the first and the last bytes may be equal by chance, and those of a frame's header often are
    const isLong = length >= BEAT;
    const from = isLong && offset < BEAT ? 0 : offset;
    const to = isLong && offset + length > size - BEAT ? size : Math.min(size, offset + length);
    const at = address - offset + from;
    const inPages = block !== undefined && !USER_PAGES.has(test.policy ?? "");
    return [{
      ...{ from, to, size, address: at, exact: offset, frame: `${index} ${frame}` },
      ...{ inPages, joined },
    }];
  });
}

/**
 * Finds where frames are wrong.
 *
 * @param group The group
 * @param line Bytes of a cache line
 * @returns The finding
 */
export function placeOf(group: Group, line: number): Finding<Signature["place"]> {
  // what is wrong beside a frame is at no place in it
  const places = placesOf(group).filter(({ from, to, size }) => size >= INFORMATIVE && to > from);
  const frames = new Set(places.map(({ frame }) => frame)).size;
  if (frames < FEW) return { value: "unknown", left: placesLeft(places, line) };
  const all = (test: (place: Place) => boolean) => places.every(test);
  const repeated = repeats(places) ?? repeatsWithin(group);
  if (repeated !== null) return repeated;
  const whole = places.filter(({ from, to, size }) => from === 0 && to >= 0.9 * size).length;
  if (whole >= 0.9 * places.length) return { value: "whole", text: "The whole frame is wrong" };
  if (all(({ from, to }) => from === 0 && to <= line)) {
    return { value: "start", text: `Only the first ${plural(line, "byte")} of a frame are wrong` };
  }
  const starts = new Set(places.map(({ from }) => from));
  const toEnd = all(({ to, size }) => to === size);
  if (toEnd && all(({ from, size }) => size - from <= line)) {
    const most = Math.max(...places.map(({ from, size }) => size - from));
    return {
      value: "end",
      facts: { most },
      text: `Only the end of a frame is wrong, at most ${plural(most, "byte")}`,
    };
  }
  const [only = 0] = starts;
  if (starts.size === 1) {
    const facts = { offset: only };
    return toEnd
      ? { value: "from", facts, text: `Frames are wrong from offset ${only} to their end` }
      : { value: "fixed", facts, text: `Frames are wrong at offset ${only}` };
  }
  const boundary = boundaryOf(places, line);
  if (boundary !== null) return boundary;
  if (toEnd) return { value: "tail", text: "Frames are wrong from some offset to their end" };
  return starts.size >= FEW
    ? { value: "anywhere" }
    : { value: "unknown", left: placesLeft(places, line) };
}

/**
 * What may be true of the places of few frames. Rules that hold for all faults are broken by one of them, and
 * those that hold for most are not.
 */
function placesLeft(
  places: readonly Place[],
  line: number,
): readonly Exclude<Signature["place"], "unknown">[] {
  const all = (test: (place: Place) => boolean) => places.every(test);
  const isOne = new Set(places.map(({ from }) => from)).size <= 1;
  const toEnd = all(({ to, size }) => to === size);
  const unit = unitOfStarts(places);
  // with damage at the start of blocks only, each unit is possible
  const mayBe = (least: number) => unit === 0 || unit >= least;
  const rules = {
    whole: true,
    start: all(({ from, to }) => from === 0 && to <= line),
    end: toEnd && all(({ from, size }) => size - from <= line),
    from: toEnd && isOne,
    tail: toEnd,
    fixed: isOne,
    burst: mayBe(2 * line),
    "4 KiB": mayBe(PAGE),
    segment: mayBe(2 * PAGE),
    repeats: true,
    anywhere: true,
  } as const satisfies Readonly<Record<Exclude<Signature["place"], "unknown">, boolean>>;
  return (Object.keys(rules) as (keyof typeof rules)[]).filter((value) => rules[value]);
}

/** The largest power of 2 that divides all addresses at which damage begins; 0 if all are 0 or unknown. */
function unitOfStarts(places: readonly Place[]): number {
  const unit = startsOf(places).reduce(gcd, 0);
  return Math.min(LONGEST, unit & -unit);
}

/** The addresses at which damage begins, without those in memory that begins anywhere. */
function startsOf(places: readonly Place[]): number[] {
  // the first bytes of a wrong beat may be equal by chance
  const starts = places.filter(({ inPages }) => inPages)
    .map(({ address }) => address - address % BEAT);
  return [...new Set(starts)];
}

/** Damage begins at multiples of a unit that is larger than a cache line. */
function boundaryOf(
  places: readonly Place[],
  line: number,
): Finding<"burst" | "4 KiB" | "segment"> | null {
  const size = unitOfStarts(places);
  if (size <= line) return null;
  // damage in whole lines begins at lines, without any larger boundary
  if (!isForced(10 * Math.pow(line / size, startsOf(places).length))) return null;
  return {
    value: size < PAGE ? "burst" : size === PAGE ? "4 KiB" : "segment",
    facts: { boundary: formatBytes(size), unit: size },
    text: `Damage begins only at multiples of ${formatBytes(size)} in a block`,
  };
}

/** Several faults of each frame, all of one distance. */
function repeats(places: readonly Place[]): Finding<"repeats"> | null {
  const separate = places.filter(({ joined }) => !joined);
  const all = [...Map.groupBy(separate, ({ frame }) => frame).values()];
  const frames = all.filter((frame) => frame.length >= 4)
    .map((frame) => frame.toSorted((a, b) => a.from - b.from));
  // a case ends within a frame after its last fault, so the frame then has fewer
  if (frames.length < Math.max(FEW, MOST * all.length)) return null;
  return periodOf(
    frames.map((frame) => frame.map(({ address, from, to }) => [address, to - from])),
  );
}

/** Runs of wrong bytes within the recorded damage, all of one distance. */
function repeatsWithin({ faults }: Group): Finding<"repeats"> | null {
  const runs = faults.filter(({ bytes }) => bytes.length >= 8).map(runsOf);
  if (runs.length < FEW || !runs.every((list) => list.length >= 4)) return null;
  // single bytes are a byte lane or a bit
  if (runs.flat().every(([, length]) => length < 2)) return null;
  return periodOf(runs);
}

function runsOf({ bytes, address, fault }: FaultRow): [at: number, length: number][] {
  const runs: [number, number][] = [];
  for (const [offset] of bytes) {
    const at = address - fault.offset + offset;
    const last = runs.at(-1);
    // an equal byte within a wrong beat is chance
    if (last !== undefined && at <= last[0] + last[1] + 1) last[1] = at - last[0] + 1;
    else runs.push([at, 1]);
  }
  return runs;
}

type Run = readonly [at: number, length: number];

function periodOf(lists: readonly (readonly Run[])[]): Finding<"repeats"> | null {
  const beat = (at: number) => at - at % BEAT;
  const steps = lists.flatMap((runs) =>
    runs.slice(1).map(([at], i) => beat(at) - beat(runs[i]?.[0] ?? 0))
  );
  const [step = 0] = steps;
  const longest = Math.max(...lists.flat().map(([, length]) => length));
  if (step <= 0 || !steps.every((one) => one === step) || step < 2 * longest) return null;
  const beats = step / BEAT;
  return {
    value: "repeats",
    facts: { step, beats: beats === 1 ? "every beat" : `every ${ordinal(beats)} beat` },
    text: `Damage repeats every ${plural(step, "byte")}`,
  };
}

/**
 * Finds the unit of the damage.
 *
 * @param group The group
 * @param line Bytes of a cache line
 * @returns The finding
 */
export function unitOf(group: Group, line: number): Finding<Signature["unit"]> {
  // an edge byte that is equal by chance makes the damage shorter, but hardly by a beat
  const down = (at: number) => at - at % BEAT;
  const edges = placesOf(group).flatMap(({ from, to, size, address }) => [
    ...(from < BEAT ? [] : [down(address)]),
    ...(to > size - BEAT ? [] : [down(address - from + to + BEAT - 1)]),
  ]);
  const share = (unit: number) => edges.filter((edge) => edge % unit === 0).length / edges.length;
  const distinct = new Set(edges).size;
  if (edges.length === 0) return { value: "unknown" };
  if (share(line) >= MOST) {
    return isForced(Math.pow(BEAT / line, distinct))
      ? { value: "line", text: "Damage consists of whole cache lines" }
      : { value: "unknown" };
  }
  const exact = placesOf(group).every(({ from, to, size, address }) =>
    address % BEAT === 0 && (to === size || (address - from + to) % BEAT === 0)
  );
  return exact
    ? { value: "beat", text: "Damage consists of whole beats, and not of whole cache lines" }
    : { value: "byte" };
}

/**
 * Finds whether old data are certainly old. Zeros are not, because anything can write zeros.
 *
 * @param group The group
 * @returns The finding
 */
export function contentOf({ faults }: Group): Finding<Signature["content"]> {
  const isHeld = ({ fault: { found, detail } }: FaultRow) =>
    found !== undefined || !/ holds 0x00 in every byte/.test(detail);
  const old = faults.filter((row) => CLASS_OF[row.fault.kind] === "old");
  return { value: old.length === 0 || old.some(isHeld) ? "data" : "unknown" };
}

/**
 * Finds what the lengths of short frames have in common. A frame is short if the engine reported fewer
 * bytes, or if nothing was written up to its end.
 *
 * @param group The group
 * @param passing The sizes of the cases that pass although they were exposed
 * @returns The finding
 */
export function lengthOf(group: Group, passing: readonly number[]): Finding<Signature["length"]> {
  const places = placesOf(group);
  if (places.every(({ from }) => from === 0)) return { value: "unknown" };
  if (!places.every(({ to, size }) => to === size)) return { value: "inner" };
  const sizes = new Set(places.map(({ size }) => size));
  if (sizes.size < 2) return { value: "unknown" };
  const [{ from: first, size } = { from: 0, size: 0 }] = places;
  const least = Math.min(...sizes);
  const wraps = [];
  for (let bits = 4; 2 ** bits <= least; bits++) {
    const modulo = 2 ** bits;
    const fits = ({ from, exact, size }: Place) => [from, exact].includes(size % modulo);
    if (!places.every(fits)) continue;
    if (passing.every((size) => size < modulo)) wraps.push(bits);
  }
  const [bits] = wraps;
  if (bits !== undefined) {
    // no size of this run lies between the moduli, so all of them fit
    const most = wraps.at(-1) ?? bits;
    const moduli = wraps.map((bits) => 2 ** bits);
    return {
      value: "wraps",
      facts: {
        bits: most === bits ? `${bits}` : moduli.map((modulo) => Math.log2(modulo)).join(" or "),
        modulo: 2 ** most,
        sizes: moduli.flatMap((modulo) => [modulo - 1, modulo]).join(),
      },
      text: `What arrives is the length modulo ${moduli.join(" or ")}`,
    };
  }
  if (places.every(({ from }) => from === first) && first > 0) {
    return { value: "limit", facts: { limit: first }, text: `What arrives is ${first} bytes` };
  }
  const loss = size - first;
  if (places.every(({ from, size }) => size - from === loss)) {
    return {
      value: "loses",
      facts: { loss: plural(loss, "byte") },
      text: loss === 1 ? "The last byte is missing" : `The last ${loss} bytes are missing`,
    };
  }
  return { value: "varies" };
}
