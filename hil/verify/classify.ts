// SPDX-License-Identifier: MIT
/**
 * Names what is wrong with a received frame, and finds the part of the path that caused it.
 *
 * The wrong bytes are explained by their sources (`find_differences.ts`): this frame displaced, another frame,
 * poison, a repeated byte, exchanged byte lanes, stuck or flipped bits, or unknown bytes. Each difference
 * becomes a fault.
 *
 * The blame comes from check values (`blame.ts`). Without check values, the shape decides: a cache holds
 * whole lines of previous content, and it displaces nothing (`content_rules.ts`).
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { alignmentOf, extentText, type Units } from "./alignment.ts";
import { plural } from "../text/format.ts";
import { assignBlame, type CheckComparison, compareCheckValues, firstChange } from "./blame.ts";
import { type Content, type Held, ruleFor } from "./content_rules.ts";
import { damageOf } from "./damage.ts";
import type { Difference } from "./difference.ts";
import { findDifferences } from "./find_differences.ts";
import type { Blame, FaultKind } from "./fault.ts";
import type { Context, EarlierContent, NamedFault, ReceivedFrame } from "./frame.ts";
import type { PreviousContent, Range, Source } from "./source.ts";
import type { Sources } from "./sources.ts";

export type { Alignment, Units } from "./alignment.ts";
export { type CheckComparison, compareCheckValues } from "./blame.ts";
export type { Context, NamedFault, ReceivedFrame } from "./frame.ts";
export { FaultHistory } from "./history.ts";
export type { PreviousContent } from "./source.ts";

/** Bytes that are not equal by chance. */
const BEAT = 8;
/** The most faults of a frame that are listed one by one. */
const MAX_FAULTS = 16;
/** The most differences of a frame whose wrong bits can each be a bit that is stuck over several frames. */
const MAX_FLIPPED = 4;

/**
 * Names what is wrong with a frame. The time that it takes is proportional to the length of the frame,
 * whatever the frame holds. It generates at most a few hundred other frames, or gets them from `frameOf`.
 *
 * `README.md` lists what cannot be distinguished. A frame that the core lost and a frame that changed
 * places with the next one look the same until the next frame arrives: pass a {@linkcode FaultHistory}, and
 * let it reclassify the faults at the end.
 *
 * @param frame The frame, with at least one byte that is wrong, missing or surplus
 * @param context What else is known
 * @returns The faults, at least one, in the order of their offsets
 */
export function classify(frame: ReceivedFrame, context: Context): NamedFault[] {
  return new FrameClassifier(frame, context).faults();
}

class FrameClassifier {
  readonly #frame: ReceivedFrame;
  readonly #context: Context;
  readonly #sources: Sources;
  readonly #differences: readonly Difference[];
  readonly #checks: CheckComparison;
  readonly #end: number;
  readonly #length: number;
  /** Whether another frame came, of another length, which explains how many bytes were moved. */
  readonly #isOther: boolean;
  readonly #base: number;
  readonly #units: Units;

  constructor(frame: ReceivedFrame, context: Context) {
    this.#frame = frame;
    this.#context = context;
    this.#units = context.units ?? {};
    this.#base = context.base ?? this.#units.cacheLine ?? 64;
    this.#length = frame.expected.length;
    this.#end = Math.max(0, Math.min(frame.moved, this.#length));
    this.#checks = compareCheckValues(frame);
    const { sources, differences } = findDifferences(frame, context, this.#base, this.#end);
    this.#sources = sources;
    this.#differences = differences;
    const [first] = differences;
    this.#isOther = frame.moved !== this.#length && first !== undefined &&
      this.#isWhole(first.source) && sources.hasLength(first.source, frame.moved);
  }

  faults(): NamedFault[] {
    const stages = assignBlame(this.#differences, this.#frame, this.#context, this.#checks);
    const named = this.#differences.map((difference, i) =>
      this.#name(difference, stages[i] ?? null)
    );
    // the length of a frame that came whole belongs to it, but not that of old data in a block
    const isExplained = this.#isOther &&
      named.some(({ kind }) => kind === "swapped" || kind === "duplicated");
    const faults = [
      ...named,
      ...(isExplained ? [] : [this.#missingBytes(), this.#surplusBytes()]),
    ].filter((fault) => fault !== null);
    if (faults.length === 0) faults.push(this.#nowCorrect());
    return summarize(faults.sort((a, b) => a.offset - b.offset));
  }

  /** The frame is longer than expected, or the engine reported more bytes than there was room for. */
  #surplusBytes(): NamedFault | null {
    const { moved, room = this.#length } = this.#frame;
    if (moved <= this.#length) return null;
    if (moved <= room) {
      const text = `the frame has ${plural(moved - this.#length, "byte")} too many`;
      return this.#fault("too-long", this.#length, moved, "core", text);
    }
    const text = `the driver reported ${moved} bytes, but there was room for ${room}`;
    return this.#fault("overrun", this.#length, moved, "driver", text);
  }

  /** The engine reported fewer bytes than were expected, and bytes lost within do not account for that. */
  #missingBytes(): NamedFault | null {
    const { moved } = this.#frame;
    if (moved >= this.#length) return null;
    const lost = this.#differences.reduce((sum, { by }) => sum + Math.max(0, -by), 0);
    if (lost >= this.#length - moved) return null;
    // if the block holds the missing bytes, they were written, and the reported length is wrong
    const own = { kind: "frame", sequence: this.#frame.sequence, shift: 0 } as const;
    // the check value of the core tells whether it read no more bytes than these
    const { txCheck, expected } = this.#frame;
    const readFewer = txCheck !== null && txCheck !== crc32(expected) &&
      txCheck === crc32(expected.subarray(0, moved));
    const written = this.#length - moved >= BEAT &&
      this.#sources.covers(own, moved, this.#length);
    return written
      ? this.#fault(
        "truncated",
        moved,
        this.#length,
        "driver",
        `the driver reported ${moved} of ${this.#length} bytes, but the block holds all of them`,
      )
      : this.#fault(
        "truncated",
        moved,
        this.#length,
        readFewer ? "tx" : "core",
        `${moved} of ${this.#length} bytes arrived`,
      );
  }

  /** All bytes are correct, although the frame differed when it was compared. */
  #nowCorrect(): NamedFault {
    const text = "all bytes are correct now, but they differed when they were compared";
    return this.#fault("foreign", 0, this.#length, firstChange(this.#checks), text);
  }

  #name(difference: Difference, stage: Blame): NamedFault {
    const { from, to, type, source, by, text } = difference;
    switch (type) {
      case "bits": {
        const fault = this.#fault("bit-flip", from, to, stage, text);
        if (this.#differences.length <= MAX_FLIPPED) {
          this.#context.history?.flipped(fault, this.#frame, from, to);
        }
        return fault;
      }
      case "stuck":
        return this.#fault("stuck-bit", from, to, stage, text);
      case "lanes":
        return this.#fault("byte-lanes", from, to, stage, text || lanesText(source));
      case "reordered":
        return this.#fault("reordered", from, to, stage, text);
      case "misplaced":
        return this.#fault("shifted", from, to, stage, text);
      case "repeated":
        return this.#fault(["duplicated", "shifted"], from, to, stage, text);
      case "shifted": {
        const bytes = plural(Math.abs(by), "byte");
        const text = `holds this frame, which begins ${bytes} ${by > 0 ? "late" : "early"}`;
        // a frame that comes early has lost its first bytes
        const kinds = by < 0 ? ["shifted", "lost"] as const : "shifted";
        return this.#fault(kinds, from, to, stage ?? "core", text);
      }
      case "displaced": {
        const bytes = plural(Math.abs(by), "byte");
        const text = by < 0
          ? `${bytes} lost: all bytes after this are early`
          : `${bytes} duplicated: all bytes after this are late`;
        const kind = by < 0 ? "lost" : "duplicated";
        // if the frame is in its place again here, the last wrong bytes are before
        const start = from === to ? Math.max(0, from - Math.abs(by)) : from;
        return this.#fault(kind, start, to, stage ?? "core", text);
      }
      case "content":
        return this.#nameContent(difference, stage);
    }
  }

  /** Names bytes of something else in the place of the expected ones. */
  #nameContent({ from, to, source }: Difference, stage: Blame): NamedFault {
    const { sequence, moved } = this.#frame;
    const whole = this.#isOther || (moved >= this.#length && this.#isWhole(source));
    if (whole) [from, to] = [0, this.#end];
    if (source.kind === "unknown" && this.#isInverted(from, to)) {
      return this.#fault("bit-flip", from, to, stage, "every bit is inverted");
    }
    const content = this.#contentOf(source, from, to, whole);
    const rule = ruleFor(content, stage);
    const bytes = `holds ${sourceText(source, sequence)}`;
    const known = rule.text === "" ? bytes : `${bytes}: ${rule.text}`;
    const isMoved = rule.dependsOnOthers === true && source.kind === "frame";
    const hasOwnLength = isMoved && this.#isOther;
    const text = hasOwnLength ? `${known}, in its own length of ${plural(moved, "byte")}` : known;
    // no cache changes the length of a frame
    const likely = hasOwnLength ? stage ?? "core" : stage;
    const blame = rule.blame === undefined ? likely : rule.blame;
    const kinds = [rule.kind, ...(rule.or?.(content) ?? [])];
    const found = source.kind === "frame" ? source.sequence : null;
    // what is missing after a shorter frame is missing because of it
    const last = hasOwnLength ? this.#length : to;
    const fault = this.#fault(kinds, from, last, blame, text, found);
    if (isMoved) this.#context.history?.moved(fault, sequence, source.sequence);
    return fault;
  }

  /** Whether one source explains every byte that came. */
  #isWhole(source: Source): boolean {
    return this.#differences.length === 1 && this.#sources.covers(source, 0, this.#end);
  }

  /** What the rules need to know about bytes in the place of the expected ones. */
  #contentOf(source: Source, from: number, to: number, whole: boolean): Content {
    const { sequence, rxCheck, received } = this.#frame;
    const { rxHeld, txHeld, rxEarlier, txEarlier, stale, later = null } = this.#context;
    const { rx } = this.#checks;
    const frame = source.kind === "frame" ? source.sequence : null;
    const { tx: txCanBeStale, rx: rxCanBeStale } = stale ?? { tx: true, rx: true };
    return {
      whole,
      wholeLines: this.#isWholeLines(from, to),
      atEnd: to >= this.#end,
      poison: source.kind === "poison",
      ones: to - from >= BEAT && received.subarray(from, to).every((byte) => byte === 0xff),
      spoil: source.kind === "spoil" && !source.old,
      frame: frame === null ? null : frame < sequence ? "earlier" : "later",
      rx: this.#held(source, rxHeld, rxEarlier, rxCanBeStale),
      tx: source.kind === "spoil" && source.old
        ? { before: true, canBeStale: txCanBeStale }
        : this.#held(source, txHeld, txEarlier, txCanBeStale),
      later,
      asWritten: rx === null ? null : !rx,
      coreWroteNothing: rxCheck === 0,
    };
  }

  /** Whether a block held the bytes of a source in their place. */
  #held(
    source: Source,
    last: PreviousContent | undefined,
    earlier: EarlierContent | undefined,
    canBeStale: boolean,
  ): Held {
    if (last === undefined) return { before: null, canBeStale };
    const { sequence } = this.#frame;
    const held = (content: PreviousContent): boolean => {
      if (content === "poison") return source.kind === "poison" && source.base === this.#base;
      if (content === "zeros") return source.kind === "constant" && source.value === 0;
      return source.kind === "frame" && source.shift === 0 && source.sequence === content;
    };
    if (held(last) || earlier === undefined) return { before: held(last), canBeStale };
    const { every, initial } = earlier;
    const { wasWrong = () => true } = this.#context;
    // older content can be there only if no frame since was right
    for (let before = sequence - every; before >= 0; before -= every) {
      if (held(before)) return { before: true, canBeStale };
      if (!wasWrong(before)) return { before: false, canBeStale };
    }
    return { before: initial.some(held), canBeStale };
  }

  /** Whether every bit of a range is inverted, and the range is too long for chance. */
  #isInverted(from: number, to: number): boolean {
    const { expected, received } = this.#frame;
    for (let at = from; at < to; at++) {
      if (((expected[at] ?? 0) ^ (received[at] ?? 0)) !== 0xff) return false;
    }
    return to - from >= BEAT;
  }

  /** Whether both edges of a range are edges of cache lines or of the frame. */
  #isWholeLines(from: number, to: number): boolean {
    const line = this.#units.cacheLine ?? 64;
    const isEdge = (offset: number) => (this.#base + offset) % line === 0;
    return (from === 0 || isEdge(from)) && (to >= this.#end || isEdge(to));
  }

  /** Makes a fault. Every fault that `classify()` returns gets its extent and its detail here. */
  #fault(
    kinds: FaultKind | readonly FaultKind[],
    from: number,
    to: number,
    blame: Blame,
    text: string,
    found: number | null = null,
  ): NamedFault {
    const [kind = "foreign", ...alternatives] = typeof kinds === "string" ? [kinds] : kinds;
    const units = this.#units;
    const alignment = alignmentOf(from, to, this.#length, this.#base, units);
    const extent = extentText(from, to, alignment, units);
    const damage = damageOf(this.#frame, from, to, this.#base);
    const wrong = this.#wrongPart(from, to);
    return {
      kind,
      ...(alternatives.length === 0 ? {} : { alternatives }),
      frame: this.#frame.sequence,
      offset: wrong.from,
      length: wrong.to - wrong.from,
      blame,
      detail: `${extent}: ${text}${this.#evidence(blame)}`,
      alignment,
      ...(found === null || found === this.#frame.sequence ? {} : { found }),
      ...(damage === undefined ? {} : { damage }),
    };
  }

  /** A range from its first to its last wrong byte. A range without any is about missing or surplus bytes. */
  #wrongPart(from: number, to: number): Range {
    const { expected, received, moved } = this.#frame;
    const isWrong = (at: number) => at < 0 || at >= moved || expected[at] !== received[at];
    let [first, last] = [from, to];
    while (first < last && !isWrong(first)) first++;
    while (last > first && !isWrong(last - 1)) last--;
    return first === last ? { from, to } : { from: first, to: last };
  }

  /** How the check values support a blame. */
  #evidence(blame: Blame): string {
    const { tx, rx } = this.#checks;
    if (blame === "tx" && tx === true) {
      return "; the core's check value differs from that of the data sent";
    }
    if (blame === "rx" && rx === true && tx === false) {
      return "; the core's check value matches the data sent";
    }
    if (blame === "core" && tx === false) return "; the core read the data as sent";
    return "";
  }
}

/** If there are too many faults, joins those of one kind and blame. */
function summarize(faults: NamedFault[]): NamedFault[] {
  if (faults.length <= MAX_FAULTS) return faults;
  const groups = Map.groupBy(faults, ({ kind, blame }) => `${kind} ${blame}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined || group.length === 1) return group;
    const to = group.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
    const detail = `in ${group.length} places, the first one: ${first.detail}`;
    return [{ ...first, length: to - first.offset, detail, alignment: null }];
  });
}

/** Describes bytes by their source. */
function sourceText(source: Source, sequence: number): string {
  switch (source.kind) {
    case "frame": {
      const ago = sequence - source.sequence;
      const shift = source.shift === 0
        ? ""
        : `, displaced by ${plural(Math.abs(source.shift), "byte")}`;
      if (ago === 0) return `this frame${shift}`;
      const distance = `${plural(Math.abs(ago), "frame")} ${ago > 0 ? "old" : "ahead"}`;
      return `frame ${source.sequence}, ${distance}${shift}`;
    }
    case "poison":
      return "poison, which no frame has overwritten yet";
    case "spoil":
      return `what the CPU stored into the transmit block after ${
        source.old ? "the completion before" : "its completion"
      }`;
    case "constant":
      return `0x${source.value.toString(16).padStart(2, "0")} in every byte`;
    default:
      return "data that this run did not generate";
  }
}

/** Describes which byte lanes are exchanged; names the first eight of them. */
function lanesText(source: Source): string {
  if (source.kind !== "lanes") return "";
  const moved = source.map.map((from, lane) => [lane, from] as const).filter(([a, b]) => a !== b);
  const named = moved.slice(0, 8).map(([lane, from]) => `${lane} from ${from}`).join(", ");
  return `byte lanes of ${8 * source.width}-bit words mixed up: ${named}`;
}
