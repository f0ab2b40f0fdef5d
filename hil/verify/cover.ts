// SPDX-License-Identifier: MIT
/**
 * Cuts a frame into pieces, each of one source, and leaves what no source explains.
 *
 * @module
 */

import { byteOf, type FrameSource, type Run, type Source, type Sources } from "./sources.ts";
import { findLanes } from "./bits.ts";

/** Bytes that differ from what the source around them has. */
export interface Flaw {
  /** First byte. */
  readonly from: number;
  /** Behind the last byte. */
  readonly to: number;
  /** What is around them. */
  readonly source: Source;
}

/** A frame, cut up. */
export interface Cover {
  /** Pieces of it from start to end, without a gap; what is right is this frame with shift 0. */
  readonly pieces: readonly Run[];
  /** Small differences within them, from start to end. */
  readonly flaws: readonly Flaw[];
}

/** A source must go on for so many bytes before it is taken for what follows. */
const STEADY = 16;
/** Differences up to this are no run of something else when that explains little more. */
const FLAW = 2;
/** A frame up to this may differ from another by so little. */
const SHORT = 64;
/** Pieces and flaws after which the rest is not looked at any closer. */
const MOST = 1 << 16;
/** How far is looked for the end of what is wrong, bytes. */
const FAR = 4096;
/** How often lanes are tried: that is slow where bytes hardly change. */
const LANES_TRIED = 16;
/** A run of a known source with so many wrong bytes is none of mixed up lanes. */
const SURE = 32;

/**
 * Cut a frame into pieces.
 *
 * @param sources What its bytes can have come from
 * @param frame The frame: what is due and what is there
 * @param end Where the bytes that moved end
 * @returns The pieces and flaws
 */
export function cover(
  sources: Sources,
  frame: {
    readonly sequence: number;
    readonly expected: Uint8Array;
    readonly received: Uint8Array;
  },
  end: number,
): Cover {
  const pieces: Run[] = [];
  const flaws: Flaw[] = [];
  const own = (shift: number): FrameSource => ({ kind: "frame", sequence: frame.sequence, shift });
  let active = own(0);
  let start = 0;
  let triedLanes = 0;
  /** Close the piece of the active source, if there is any. */
  const close = (to: number) => {
    if (to > start) pieces.push({ from: start, to, source: active, wrong: 0, flaws: [] });
  };
  let at = 0;
  while (at < end) {
    const place = sources.place(active);
    while (at < end && sources.fits(place, at)) at++;
    if (at === end) break;
    if (pieces.length + flaws.length >= MOST) {
      close(at);
      pieces.push({ from: at, to: end, source: { kind: "unknown" }, wrong: end - at, flaws: [] });
      start = end;
      break;
    }
    // a displaced frame that goes on where it should
    if (active.shift !== 0 && steady(sources, own(0), at, end)) {
      close(at);
      start = at;
      active = own(0);
      continue;
    }
    const until = clusterEnd(sources, active, at, end);
    const small = until - at <= FLAW;
    const bits = small ? flipped(sources, active, frame.received, at, until) : null;
    let run = sources.explain(at, end, active.shift, bits === null || end <= SHORT);
    if ((run === null || run.wrong < SURE) && triedLanes++ < LANES_TRIED) {
      const lanes = findLanes(frame, at, end, sources.keep, active.shift);
      if (lanes !== null && lanes.wrong > (run?.wrong ?? 0)) run = lanes;
    }
    const little = run !== null && small && run.wrong < 2 * (until - at);
    if (run === null || (little && !wholly(sources, run, frame, end))) {
      const flips = bits ?? flipped(sources, active, frame.received, at, until);
      if (flips !== null) {
        for (const flip of flips) flaws.push(flip);
        at = until;
        continue;
      }
      run = nextRun(sources, at, until, end, active.shift);
      const to = run?.from ?? until;
      // a few bytes that are right by chance do not part what nobody knows
      const before = pieces.at(-1);
      let from = at;
      if (before?.source.kind === "unknown" && before.to === start && at - start < STEADY) {
        from = before.from;
        pieces.pop();
      } else close(at);
      pieces.push({ from, to, source: { kind: "unknown" }, wrong: to - from, flaws: [] });
      start = at = to;
      if (run === null) continue;
    }
    close(run.from);
    start = at = run.to;
    const { source } = run;
    for (const { from, to } of run.flaws) flaws.push({ from, to, source });
    if (source.kind === "frame" && source.sequence === frame.sequence) {
      active = source;
      start = run.from;
    } else pieces.push(run);
  }
  close(end);
  return { pieces, flaws: flaws.sort((a, b) => a.from - b.from) };
}

/** Whether a short frame is all of a source, and not of one byte that a single bit could have made. */
function wholly(
  sources: Sources,
  run: Run,
  { expected, received }: { readonly expected: Uint8Array; readonly received: Uint8Array },
  end: number,
): boolean {
  const bits = (expected[0] ?? 0) ^ (received[0] ?? 0);
  return (end > 1 || (bits & (bits - 1)) !== 0) && sources.covers(run.source, 0, end);
}

/** Where a source fits again for a while behind bytes that it does not explain. */
function clusterEnd(sources: Sources, source: Source, at: number, end: number): number {
  const place = sources.place(source);
  let until = at + 1;
  for (let next = at + 1; next < Math.min(end, at + FAR) && next - until < STEADY; next++) {
    if (!sources.fits(place, next)) until = next + 1;
  }
  return until;
}

/** Single bits that are wrong close together; null when it is more than that. */
function flipped(
  sources: Sources,
  source: Source,
  received: Uint8Array,
  from: number,
  to: number,
): Flaw[] | null {
  const place = sources.place(source);
  const flaws: Flaw[] = [];
  for (let at = from; at < to; at++) {
    if (sources.fits(place, at)) continue;
    const bits = (received[at] ?? 0) ^ (byteOf(place, at) ?? 0);
    // two bits of a byte at most
    const but = bits & (bits - 1);
    if ((but & (but - 1)) !== 0) return null;
    flaws.push({ from: at, to: at + 1, source });
  }
  return flaws;
}

/** The next run of a known source, behind bytes that nobody knows. */
function nextRun(
  sources: Sources,
  from: number,
  until: number,
  end: number,
  shift: number,
): Run | null {
  for (let ahead = 4; from + ahead < until; ahead = Math.ceil(ahead * 1.25)) {
    const run = sources.explain(from + ahead, end, shift);
    if (run === null) continue;
    const place = sources.place(run.source);
    let at = from + ahead;
    while (at > from + 1 && sources.fits(place, at - 1)) at--;
    return { ...run, from: at };
  }
  return null;
}

/** Whether a source goes on from a byte for a while, or to the end. */
function steady(sources: Sources, source: Source, at: number, end: number): boolean {
  return sources.covers(source, at, Math.min(at + STEADY, end));
}
