// SPDX-License-Identifier: MIT
/**
 * Names what is wrong with a received frame, and lays it on one part of the path.
 *
 * The frame is cut into pieces by where their bytes come from (`cover.ts`, `sources.ts`): this frame in its
 * place or displaced, another frame, poison, one and the same byte, this frame with its byte lanes mixed
 * up, or nothing known. What then differs still is single bits. Each piece that is not right is a fault.
 *
 * Blame comes from check values (`blame.ts`); without them the shape has to do: caches hold whole lines of
 * what a block held before, and displace nothing.
 *
 * @module
 */

import type { Blame, FaultKind } from "./fault.ts";
import { alignmentOf, extentText, plural, type Units } from "./alignment.ts";
import { blameOf, blamesOf, sight, type Sightings } from "./blame.ts";
import { damageOf } from "./damage.ts";
import { type Finding, readFrame } from "./findings.ts";
import type { Context, NamedFault, ReceivedFrame } from "./frame.ts";
import type { Held, Source, Sources } from "./sources.ts";

export type { Alignment, Units } from "./alignment.ts";
export { sight, type Sightings } from "./blame.ts";
export type { Context, NamedFault, ReceivedFrame } from "./frame.ts";
export { FaultHistory } from "./history.ts";
export type { Held } from "./sources.ts";

/** Bytes that are not alike by chance. */
const BEAT = 8;
/** Faults of one frame that are told one by one; further ones are told together. */
const MOST_FAULTS = 16;
/** Wrong bits of a frame that can each be one that is stuck over several frames. */
const FEW = 4;
/**
 * Name what is wrong with a frame. Takes time in proportion to its length, whatever it holds, in which
 * at most some hundred other frames are made, or asked from `frameOf`.
 *
 * What cannot be told: in a pattern whose frames are alike, one frame from another; without check values,
 * old data that the core did not replace from old data in a cache, unless it is less than a line; in
 * frames of a few bytes, one bit flipped from another frame that differs by one bit. A frame that the
 * core lost and one swapped with the next look alike until the next has come: give a
 * {@linkcode FaultHistory}, and let it settle the faults in the end.
 *
 * @param frame The frame, with at least one byte wrong, missing or too many
 * @param context What is known besides
 * @returns The faults, at least one, in the order of their offsets
 */
export function classify(frame: ReceivedFrame, context: Context): NamedFault[] {
  return new Case(frame, context).faults();
}

/** One frame on trial. */
class Case {
  readonly #frame: ReceivedFrame;
  readonly #context: Context;
  readonly #sources: Sources;
  readonly #findings: readonly Finding[];
  readonly #seen: Sightings;
  readonly #end: number;
  readonly #length: number;
  readonly #base: number;
  readonly #units: Units;

  constructor(frame: ReceivedFrame, context: Context) {
    this.#frame = frame;
    this.#context = context;
    this.#units = context.units ?? {};
    this.#base = context.base ?? this.#units.cacheLine ?? 64;
    this.#length = frame.expected.length;
    this.#end = Math.max(0, Math.min(frame.moved, this.#length));
    this.#seen = sight(frame);
    const reading = readFrame(frame, context, this.#base, this.#end);
    this.#sources = reading.sources;
    this.#findings = reading.findings;
  }

  faults(): NamedFault[] {
    const findings = this.#findings;
    const stages = blamesOf(findings, this.#frame, this.#context, this.#seen);
    const faults = [
      ...findings.map((finding, i) => this.#name(finding, stages[i] ?? null)),
      this.#shortage(findings),
      this.#surplus(),
    ].filter((fault) => fault !== null);
    if (faults.length === 0) faults.push(this.#unexplained());
    return this.#gather(faults.sort((a, b) => a.offset - b.offset));
  }

  /** More bytes than there was room for. */
  #surplus(): NamedFault | null {
    const { moved } = this.#frame;
    if (moved <= this.#length) return null;
    const text = `${moved} bytes are said to have moved, there was room for ${this.#length}`;
    return this.#fault("overrun", this.#length, moved, "driver", text);
  }

  /** The bytes that did not move, unless those that were lost before account for them. */
  #shortage(findings: readonly Finding[]): NamedFault | null {
    const { moved } = this.#frame;
    if (moved >= this.#length) return null;
    const lost = findings.reduce((sum, { by }) => sum + Math.max(0, -by), 0);
    if (lost >= this.#length - moved) return null;
    const text = `${moved} of ${this.#length} bytes arrived`;
    // a block that holds what it is said to lack was written whole
    const own = { kind: "frame", sequence: this.#frame.sequence, shift: 0 } as const;
    const there = this.#length - moved >= BEAT && this.#sources.covers(own, moved, this.#length);
    return there
      ? this.#fault(
        "truncated",
        moved,
        this.#length,
        "driver",
        `${text}, it is said, and all are there`,
      )
      : this.#fault("truncated", moved, this.#length, "core", text);
  }

  /** Nothing in the bytes is wrong, and yet somebody thinks so. */
  #unexplained(): NamedFault {
    const text = "the bytes are right now: they were wrong when they were compared";
    return this.#fault("foreign", 0, this.#length, blameOf(this.#seen), text);
  }

  #name(finding: Finding, stage: Blame): NamedFault {
    const { from, to, what, by, text } = finding;
    switch (what) {
      case "bits":
        return this.#fault("bit-flip", from, to, stage, text, finding);
      case "stuck":
        return this.#fault("stuck-bit", from, to, stage, text);
      case "lanes":
        return this.#fault("byte-lanes", from, to, stage, text || lanesText(finding.source));
      case "exchanged":
        return this.#fault("swapped", from, to, stage, text);
      case "shifted": {
        const way = by > 0 ? "late" : "early";
        const told = `holds this frame ${plural(by)} too ${way}`;
        return this.#fault("shifted", from, to, stage ?? "core", told);
      }
      case "displaced": {
        const told = by < 0
          ? `${plural(by)} lost: what follows comes early`
          : `${plural(by)} twice: what follows comes late`;
        // the last of several displacements may end where the frame is in its place again
        const end = Math.max(to, Math.min(from + Math.abs(by), this.#end));
        return this.#fault(by < 0 ? "lost" : "duplicated", from, end, stage ?? "core", told);
      }
      default:
        return this.#contentFault(finding, stage);
    }
  }

  /** Bytes of something else in the place of the frame's own. */
  #contentFault({ from, to, source }: Finding, stage: Blame): NamedFault {
    const { sequence, moved, rxCheck } = this.#frame;
    const { rxHeld, txHeld } = this.#context;
    const other = source.kind === "frame" ? source.sequence : null;
    const whole = moved >= this.#length && this.#findings.length === 1 &&
      this.#sources.covers(source, 0, this.#length);
    if (whole) [from, to] = [0, this.#length];
    const inPlace = source.kind !== "frame" || source.shift === 0;
    const isPoison = source.kind === "poison";
    const isZero = source.kind === "constant" && source.value === 0;
    const is = (held: Held | undefined) =>
      inPlace && held !== undefined &&
      (held === other || (held === "poison" && isPoison) || (held === "zeros" && isZero));
    const old = isPoison || is(rxHeld) || is(txHeld) || (other !== null && other < sequence);
    const lines = this.#wholeLines(from, to);
    const told = `holds ${sourceText(source, sequence)}`;
    const make = (kind: FaultKind, blame: Blame, why: string) =>
      this.#fault(kind, from, to, blame, why === "" ? told : `${told}: ${why}`);
    const moving = whole && other !== null
      ? (blame: Blame) => this.#moved(make, other, blame)
      : null;

    if (source.kind === "unknown" && this.#isInverted(from, to)) {
      return this.#fault("bit-flip", from, to, stage, "every bit is inverted");
    }
    if (stage === "tx") {
      const known = txHeld === undefined || is(txHeld);
      if (moving !== null && !is(txHeld)) return moving(stage);
      if (isZero || isPoison || (old && (known || lines))) {
        return make("stale-tx", stage, "old data that the core read");
      }
      if (other !== null) return make("torn", stage, "another frame's data that the core read");
      if (lines) return make("stale-tx", stage, "whole cache lines that the core read");
      return make("foreign", stage, "");
    }
    if (stage === "rx") {
      if (whole && rxCheck === 0) return make("not-written", "core", "the core wrote nothing");
      const known = rxHeld === undefined || is(rxHeld);
      if (isZero || isPoison || (old && known)) {
        if (lines) return make("stale-rx", stage, "a stale cache line on the CPU side");
        const edge = from === 0 || to >= this.#end;
        if (edge && other !== null) {
          return make("torn", stage, "the rest of the frame was not written");
        }
        return make("not-written", stage, "less than a cache line, so no cache did it");
      }
      if (moving !== null) return moving(stage);
      if (other !== null) return make("torn", stage, "another frame's data behind the core");
      if (lines && source.kind === "unknown") return make("stale-rx", stage, "a stale cache line");
      return make("foreign", stage, "");
    }
    const written = this.#seen.rx === false;
    if (stage === "core") {
      if (
        (isPoison && inPlace) || (is(rxHeld) && !(whole && written)) || (whole && old && !written)
      ) {
        return make("not-written", stage, "what was there before the core wrote");
      }
      if (moving !== null) return moving(stage);
      if (other !== null) return make("torn", stage, "another frame's data");
      return make("foreign", stage, "");
    }
    // no check values
    if (whole && (isPoison || is(rxHeld))) {
      return make("not-written", null, "not written, or old data in a cache");
    }
    if (is(rxHeld) || isPoison) {
      if (!lines) return make("not-written", "core", "less than a cache line, so no cache did it");
      if (isPoison) return make("not-written", null, "not written, or old data in a cache");
      const sure = !is(txHeld);
      return make("stale-rx", sure ? "rx" : null, "what the receive block held before");
    }
    if (is(txHeld) && (lines || whole)) {
      return make("stale-tx", "tx", "what the transmit block held before");
    }
    if (moving !== null) return moving(null);
    return make(
      other !== null ? "torn" : "foreign",
      null,
      other !== null ? "another frame's data" : "",
    );
  }

  /** A whole frame in the place of another: which of several things it is, later frames tell. */
  #moved(
    make: (kind: FaultKind, blame: Blame, why: string) => NamedFault,
    found: number,
    blame: Blame,
  ): NamedFault {
    const late = found < this.#frame.sequence;
    const fault = late
      // which of the two it is, the block's history would say
      ? make(blame === "tx" ? "stale-tx" : "duplicated", blame, "it came again")
      : make("swapped", blame, "it came before the frame that was due");
    this.#context.history?.moved(fault, this.#frame.sequence, found);
    return fault;
  }

  /** Whether every bit of a range, not one that is alike by chance, is the opposite of what is due. */
  #isInverted(from: number, to: number): boolean {
    const { expected, received } = this.#frame;
    for (let at = from; at < to; at++) {
      if (((expected[at] ?? 0) ^ (received[at] ?? 0)) !== 0xff) return false;
    }
    return to - from >= BEAT;
  }

  /** Whether both edges are edges of cache lines, or of the frame. */
  #wholeLines(from: number, to: number): boolean {
    const line = this.#units.cacheLine ?? 64;
    const on = (edge: number) => (this.#base + edge) % line === 0;
    return (from === 0 || on(from)) && (to >= this.#end || on(to));
  }

  #fault(
    kind: FaultKind,
    from: number,
    to: number,
    blame: Blame,
    text: string,
    bits: Finding | null = null,
  ): NamedFault {
    const units = this.#units;
    const alignment = alignmentOf(from, to, this.#length, this.#base, units);
    const detail = `${extentText(from, to, alignment, units)}: ${text}${this.#evidence(blame)}`;
    const { sequence } = this.#frame;
    const damage = damageOf(this.#frame, from, to, this.#base);
    const fault = {
      kind,
      frame: sequence,
      offset: from,
      length: to - from,
      blame,
      detail,
      alignment,
      ...(damage === undefined ? {} : { damage }),
    };
    if (bits !== null && this.#findings.length <= FEW) {
      this.#context.history?.flipped(fault, this.#frame, from, to);
    }
    return fault;
  }

  /** What the check values say for a blame. */
  #evidence(blame: Blame): string {
    const { tx, rx } = this.#seen;
    if (blame === "tx" && tx === true) {
      return "; the core's check value is not that of what was sent";
    }
    if (blame === "rx" && rx === true && tx === false) {
      return "; the core's check value matches what was sent";
    }
    if (blame === "core" && tx === false) return "; the core read what was sent";
    return "";
  }

  /** So many faults one by one; the rest of a kind together. */
  #gather(faults: NamedFault[]): NamedFault[] {
    if (faults.length <= MOST_FAULTS) return faults;
    const groups = new Map<string, NamedFault[]>();
    for (const fault of faults) {
      const key = `${fault.kind} ${fault.blame}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [fault]);
      else group.push(fault);
    }
    return [...groups.values()].map((group) => {
      const [first] = group as [NamedFault];
      if (group.length === 1) return first;
      const to = group.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
      const detail = `in ${group.length} places, the first: ${first.detail}`;
      return { ...first, length: to - first.offset, detail, alignment: null };
    });
  }
}

function sourceText(source: Source, sequence: number): string {
  switch (source.kind) {
    case "frame": {
      const away = sequence - source.sequence;
      if (away === 0) return `this frame, ${plural(source.shift)} displaced`;
      const count = Math.abs(away) === 1 ? "1 frame" : `${Math.abs(away)} frames`;
      const where = source.shift === 0 ? "" : `, ${plural(source.shift)} displaced`;
      return `frame ${source.sequence}, ${count} ${away > 0 ? "old" : "ahead"}${where}`;
    }
    case "poison":
      return "poison, which no frame has replaced yet";
    case "constant":
      return `0x${source.value.toString(16).padStart(2, "0")} everywhere`;
    default:
      return "nothing that this run made";
  }
}

function lanesText(source: Source): string {
  if (source.kind !== "lanes") return "";
  const moved = source.map.map((from, lane) => [lane, from] as const).filter(([a, b]) => a !== b);
  const named = moved.slice(0, 8).map(([lane, from]) => `${lane} from ${from}`).join(", ");
  return `byte lanes of ${8 * source.width}-bit words mixed up: ${named}`;
}
