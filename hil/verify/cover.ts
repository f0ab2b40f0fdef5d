// SPDX-License-Identifier: MIT
/**
 * Cuts a frame into pieces, each of one source, and leaves what no source explains.
 *
 * @module
 */

import type { FrameSource, Run, Source, Sources } from "./sources.ts";
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
/** The longest difference that is a flaw. */
const FLAW = 2;
/** Pieces and flaws after which the rest is not looked at any closer. */
const MOST = 4096;

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
    const run = sources.explain(at, end, active.shift);
    const lanes = findLanes(frame, at, end);
    const better = lanes !== null && lanes.wrong > (run?.wrong ?? 0) ? lanes : run;
    if (better !== null && (until - at > FLAW || better.wrong >= 2 * (until - at))) {
      close(better.from);
      start = at = better.to;
      for (const { from, to } of better.flaws) flaws.push({ from, to, source: better.source });
      const { source } = better;
      if (source.kind === "frame" && source.sequence === frame.sequence) {
        active = source;
        start = better.from;
      } else pieces.push(better);
      continue;
    }
    if (until - at <= FLAW) {
      flaws.push({ from: at, to: until, source: active });
      at = until;
      continue;
    }
    close(at);
    pieces.push({ from: at, to: until, source: { kind: "unknown" }, wrong: until - at, flaws: [] });
    start = at = until;
  }
  close(end);
  return { pieces, flaws: flaws.sort((a, b) => a.from - b.from) };
}

/** Where a source fits again for a while behind bytes that it does not explain. */
function clusterEnd(sources: Sources, source: Source, at: number, end: number): number {
  const place = sources.place(source);
  let until = at + 1;
  for (let next = at + 1; next < end && next - until < STEADY; next++) {
    if (!sources.fits(place, next)) until = next + 1;
  }
  return until;
}

/** Whether a source goes on from a byte for a while, or to the end. */
function steady(sources: Sources, source: Source, at: number, end: number): boolean {
  return sources.covers(source, at, Math.min(at + STEADY, end));
}
