// SPDX-License-Identifier: MIT
/**
 * Follows how far a frame is displaced from segment to segment, and finds what each change means: bytes
 * were lost or inserted, the frame was shifted, or two pieces of it changed places.
 *
 * @module
 */

import type { Difference } from "./difference.ts";
import type { FrameSource, Range, Segment, Source } from "./source.ts";
import type { Sources } from "./sources.ts";

/** Bytes that are not equal by chance. */
const BEAT = 8;

/** The frame and its place, as far as displacements depend on them. */
export interface Placement {
  /** Number of the frame. */
  readonly sequence: number;
  /** Whether the engine reported as many bytes as were expected. */
  readonly complete: boolean;
  /** Where the frame begins in its block, bytes. */
  readonly base: number;
  /** Where the bytes that were moved end. */
  readonly end: number;
  /** Size of a cache line, bytes. */
  readonly cacheLine: number;
}

/** A displacement whose end is not known yet. */
interface OpenDisplacement {
  readonly from: number;
  readonly by: number;
  readonly type: "displaced" | "shifted";
}

const COMMON = { by: 0, keep: null, text: "" } as const;

/**
 * Collects the differences that segments make, in the order of the segments. Give it each segment by
 * {@linkcode add}, then call {@linkcode finish}.
 */
export class Displacement {
  readonly #placement: Placement;
  readonly #sources: Sources;
  readonly #mismatches: readonly Range[];
  readonly #differences: Difference[] = [];
  /** How far the frame is displaced at the current segment. */
  #shift = 0;
  /** The segment directly before, if it holds something else than this frame. */
  #gap: Segment | null = null;
  #open: OpenDisplacement | null = null;

  /**
   * @param placement The frame and its place
   * @param sources The sources of its bytes
   * @param mismatches Small differences within the segments
   */
  constructor(placement: Placement, sources: Sources, mismatches: readonly Range[]) {
    this.#placement = placement;
    this.#sources = sources;
    this.#mismatches = mismatches;
  }

  /**
   * Takes the next segment.
   *
   * @param segment The segment
   */
  add(segment: Segment): void {
    const { source } = segment;
    if (!isOwn(source, this.#placement.sequence)) {
      this.#addGap();
      this.#gap = segment;
      return;
    }
    if (source.shift !== this.#shift) this.#change(segment, source);
    else this.#addGap();
    this.#gap = null;
  }

  /**
   * Ends the last displacement.
   *
   * @returns All differences
   */
  finish(): Difference[] {
    const gap = this.#gap;
    // the end of a frame that moved towards its start was not written
    const unwritten = gap !== null && this.#open !== null && this.#shift < 0 &&
      gap.to - gap.from <= -this.#shift;
    if (unwritten) this.#close(gap.to);
    else {
      this.#addGap();
      this.#close(gap?.from ?? this.#placement.end);
    }
    return this.#differences;
  }

  /** Takes a segment of this frame that is displaced differently than the one before. */
  #change(segment: Segment, source: FrameSource): void {
    const by = source.shift - this.#shift;
    const filled = this.#filledBy(segment, by);
    if (filled === null) this.#addGap();
    const from = filled?.from ?? segment.from;
    // the same bytes several times, or several losses one after the other, are one displacement
    const open = this.#open;
    const continues = open !== null && open.by * by > 0 && source.shift !== 0 &&
      filled === null && from - open.from <= Math.abs(open.by);
    if (continues) {
      this.#open = { ...open, by: open.by + by };
      this.#shift = source.shift;
      return;
    }
    this.#close(from);
    this.#shift = source.shift;
    const whole = segment.from === 0 && this.#placement.complete;
    const type = filled !== null || whole ? "shifted" : "displaced";
    if (source.shift !== 0) this.#open = { from, by, type };
    else {
      // the frame is in its place again, so no byte after this is wrong
      this.#differences.push({ ...COMMON, from, to: from, type, source, shift: 0, by });
    }
  }

  /**
   * What fills the room that a frame leaves free if it comes late: the gap before, or a byte or two that
   * look like wrong bits. `null` if the frame leaves no room, or not enough.
   */
  #filledBy({ from: start }: Segment, by: number): Range | null {
    if (by < 0) return null;
    const gap = this.#gap;
    if (gap !== null) return gap.to - gap.from <= by ? gap : null;
    return this.#mismatches.find(({ from, to }) => from >= start - by && to <= start) ?? null;
  }

  /** Adds the open displacement, which ends here. */
  #close(to: number): void {
    if (this.#open === null) return;
    const { from, by, type } = this.#open;
    const shift = this.#shift;
    const source = { kind: "frame", sequence: this.#placement.sequence, shift } as const;
    this.#differences.push({ ...COMMON, from, to, type, source, shift, by });
    this.#open = null;
  }

  /**
   * Adds the segment before, if it is in the place of bytes of this frame. It is extended to the edge of
   * a word or a cache line if the bytes up to there match its source, too.
   */
  #addGap(): void {
    if (this.#gap === null) return;
    const { source } = this.#gap;
    let { from, to } = this.#gap;
    if (source.kind !== "unknown" && source.kind !== "lanes") {
      const { base, end, cacheLine } = this.#placement;
      for (const unit of [BEAT, cacheLine]) {
        const before = Math.max(0, from - (base + from) % unit);
        if (from - before < BEAT && this.#sources.covers(source, before, from)) from = before;
        const after = Math.min(end, to + (unit - (base + to) % unit) % unit);
        if (after - to < BEAT && this.#sources.covers(source, to, after)) to = after;
      }
    }
    const type = source.kind === "lanes" ? "lanes" : "content";
    this.#differences.push({ ...COMMON, from, to, type, source, shift: this.#shift });
  }
}

/** Whether bytes come from this frame, in its place or displaced. */
function isOwn(source: Source, sequence: number): source is FrameSource {
  return source.kind === "frame" && source.sequence === sequence;
}
