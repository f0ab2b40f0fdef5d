// SPDX-License-Identifier: MIT
/**
 * Judges frames of designs that round: how far a received value may be from the expected one.
 *
 * @module
 */

import { formatNumber, plural } from "../text/format.ts";
import { compareCheckValues, firstChange } from "./blame.ts";
import { classify } from "./classify.ts";
import { damageOf } from "./damage.ts";
import type { Blame, Fault, FaultKind } from "./fault.ts";
import type { Context, NamedFault, ReceivedFrame } from "./frame.ts";

/** How a received frame deviates from the expected one, further than is allowed. */
export interface Deviation {
  /** Offset of the first wrong value in the frame, bytes. */
  readonly offset: number;
  /** Bytes from the first to the last wrong value. Defaults to the rest of the frame. */
  readonly length?: number;
  /** What is wrong, one line, such as `sample 17 is 1203, expected 1200`. */
  readonly text: string;
  /**
   * The expected frame, in which every value that is near enough is the received one. It allows to
   * distinguish stale or displaced data from values that are wrong. Absent if that is not known.
   */
  readonly accepted?: Uint8Array;
}

/**
 * Judges a received frame. It is called once for each frame, in order, so it may keep state. With several
 * devices it is called for the frames of all of them, so it must not keep state from one frame to the next.
 *
 * @param expected What `expect` returned for the frame; without `expect`, the frame that was sent. Do not
 * write to it, and do not keep it
 * @param received The frame that was received, as long as the expected one. The same holds for it
 * @param sequence Number of the received frame, from 0
 * @returns How the frame deviates, or null if it is right
 */
export type Comparison = (
  expected: Uint8Array,
  received: Uint8Array,
  sequence: number,
) => Deviation | null;

/** How many bytes a value has, and how they are read. Bytes are little-endian. */
export type SampleType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "float32"
  | "float64";

/** How to read a frame as values. */
export interface SampleOptions {
  /** The type of each value. Defaults to `int16`. */
  readonly sample?: SampleType;
}

/** Size in bytes, how to read a value, and the largest value minus the smallest one of an integer type. */
const TYPES: Readonly<
  Record<SampleType, readonly [number, (view: DataView, at: number) => number, number | null]>
> = {
  uint8: [1, (view, at) => view.getUint8(at), 2 ** 8 - 1],
  int8: [1, (view, at) => view.getInt8(at), 2 ** 8 - 1],
  uint16: [2, (view, at) => view.getUint16(at, true), 2 ** 16 - 1],
  int16: [2, (view, at) => view.getInt16(at, true), 2 ** 16 - 1],
  uint32: [4, (view, at) => view.getUint32(at, true), 2 ** 32 - 1],
  int32: [4, (view, at) => view.getInt32(at, true), 2 ** 32 - 1],
  float32: [4, (view, at) => view.getFloat32(at, true), null],
  float64: [8, (view, at) => view.getFloat64(at, true), null],
};

/**
 * Allows a distance of some units of the last place (LSB) between integers.
 *
 * @param most The largest distance that is allowed, a whole number from 0
 * @param options The type of the values, an integer type
 * @returns A judge, for the option `compare`
 * @throws {RangeError} If the distance is no whole number, or the values are no integers
 *
 * @example A filter that may round either way
 * ```ts
 * import { lsb } from "./tolerance.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const near = lsb(1);
 * const bytes = (...values: number[]) => new Uint8Array(Int16Array.from(values).buffer);
 * assertEquals(near(bytes(100, 200), bytes(101, 199), 0), null);
 * assertEquals(
 *   near(bytes(100, 200), bytes(101, 203), 0)?.text,
 *   "1 of 2 values is off by more than 1 LSB: value 1 is 203, expected 200",
 * );
 * ```
 */
export function lsb(most: number, options: SampleOptions = {}): Comparison {
  const { sample = "int16" } = options;
  if (!Number.isSafeInteger(most) || most < 0) {
    throw new RangeError(`Expected a whole number of LSB from 0, found ${most}`);
  }
  if (range(sample) === null) {
    throw new RangeError(`Expected integers for lsb(), found ${sample}: use absolute()`);
  }
  return within(sample, `${most} LSB`, () => most);
}

/**
 * Allows an absolute distance between values.
 *
 * @param most The largest distance that is allowed, from 0
 * @param options The type of the values
 * @returns A judge, for the option `compare`
 * @throws {RangeError} If the distance is negative or no number
 */
export function absolute(most: number, options: SampleOptions = {}): Comparison {
  return within(options.sample ?? "int16", String(notNegative("distance", most)), () => most);
}

/**
 * Allows a distance between values that is a part of the expected value.
 *
 * @param most The largest distance that is allowed, as a part of the expected value: 0.01 is 1 %
 * @param options The type of the values; `least`: a distance that is always allowed, for values near 0.
 * Defaults to 0
 * @returns A judge, for the option `compare`
 * @throws {RangeError} If a distance is negative or no number
 */
export function relative(
  most: number,
  options: SampleOptions & { readonly least?: number } = {},
): Comparison {
  const { sample = "int16", least = 0 } = options;
  notNegative("least", least);
  const text = `${formatNumber(notNegative("part", most) * 100)} %`;
  return within(
    sample,
    least === 0 ? text : `${text} and ${least}`,
    (value) => Math.max(least, most * Math.abs(value)),
  );
}

/**
 * Demands a peak signal-to-noise ratio (PSNR) of a whole frame: 10 log10 (peak² / mean squared error), as in
 * ITU-T J.340. Equal frames have an infinite one.
 *
 * @param least The least ratio that is allowed, dB
 * @param options The type of the values, by default `uint8`; `peak`: the value of full scale. Defaults to the
 * largest value minus the smallest one of the type
 * @returns A judge, for the option `compare`
 * @throws {RangeError} If the ratio is no number, or a type without a largest value has no `peak`
 */
export function psnr(
  least: number,
  options: SampleOptions & { readonly peak?: number } = {},
): Comparison {
  const { sample = "uint8" } = options;
  const peak = options.peak ?? range(sample);
  if (!Number.isFinite(least)) throw new RangeError(`Expected a ratio in dB, found ${least}`);
  if (peak === null || !(peak > 0)) {
    throw new RangeError(`Expected a peak above 0 for ${sample}, found ${peak}: give peak`);
  }
  // an error of this size everywhere gives the least ratio
  const even = peak / 10 ** (least / 20);
  const [size] = TYPES[sample];
  return (expected, received) => {
    const found = distances(sample, expected, received, () => 3 * even);
    const ratio = 10 * Math.log10(peak ** 2 / (found.squares / (expected.length / size)));
    if (ratio >= least) return null;
    const shown = Number.isNaN(ratio) ? "not a number" : `${ratio.toFixed(1)} dB`;
    const [{ index, value, due }, from, to] = found.wrong === 0
      ? [found.worst, 0, expected.length]
      : [found.worst, found.from, found.to];
    return {
      offset: from,
      length: to - from,
      text:
        `the PSNR is ${shown}, expected at least ${least} dB: value ${index} is off most, it is ` +
        `${show(value)}, expected ${show(due)}`,
      accepted: found.accepted,
    };
  };
}

/** Judges by the distance of each value. */
function within(sample: SampleType, text: string, most: (due: number) => number): Comparison {
  const [size] = TYPES[sample];
  return (expected, received) => {
    const { wrong, from, to, first, worst, accepted } = distances(sample, expected, received, most);
    if (wrong === 0) return null;
    const where = ({ index, value, due }: Place) =>
      `value ${index} is ${show(value)}, expected ${show(due)}`;
    const more = worst.index === first.index ? "" : `; most of all ${where(worst)}`;
    return {
      offset: from,
      length: to - from,
      text: `${wrong} of ${plural(Math.floor(expected.length / size), "value")} ` +
        `${wrong === 1 ? "is" : "are"} off by more than ${text}: ${where(first)}${more}`,
      accepted,
    };
  };
}

/** A value, and the one that was expected. */
interface Place {
  readonly index: number;
  readonly value: number;
  readonly due: number;
}

/** Measures how far each value is from the expected one. */
function distances(
  sample: SampleType,
  expected: Uint8Array,
  received: Uint8Array,
  most: (due: number) => number,
): {
  wrong: number;
  from: number;
  to: number;
  squares: number;
  first: Place;
  worst: Place;
  accepted: Uint8Array;
} {
  const [size, read] = TYPES[sample];
  if (expected.length % size !== 0) {
    throw new RangeError(
      `Expected a frame of whole values of ${size} bytes (${sample}), found ${expected.length} bytes`,
    );
  }
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [due, got] = [view(expected), view(received)];
  const accepted = received.slice();
  let first: Place | null = null;
  let worst: Place = { index: 0, value: 0, due: 0 };
  let [wrong, from, to, squares, largest] = [0, 0, 0, 0, -1];
  for (let at = 0; at < expected.length; at += size) {
    const [value, wanted] = [read(got, at), read(due, at)];
    const equal = Object.is(value, wanted) || value === wanted;
    const distance = equal ? 0 : Math.abs(value - wanted);
    const place = { index: at / size, value, due: wanted };
    squares += distance ** 2;
    // nothing is further away than what is no number
    if (distance > largest || (Number.isNaN(distance) && !Number.isNaN(largest))) {
      [largest, worst] = [distance, place];
    }
    if (distance <= most(wanted)) continue;
    accepted.set(expected.subarray(at, at + size), at);
    first ??= place;
    if (wrong++ === 0) from = at;
    to = at + size;
  }
  return { wrong, from, to, squares, first: first ?? worst, worst, accepted };
}

function range(sample: SampleType): number | null {
  const known = TYPES[sample];
  if (known === undefined) {
    throw new RangeError(
      `Expected a type of values, one of ${Object.keys(TYPES).join(", ")}; found ${sample}`,
    );
  }
  return known[2];
}

function notNegative(what: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new RangeError(`Expected the ${what} to be a number from 0, found ${value}`);
}

function show(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** How a test allows a design to round. */
export const tolerance = { lsb, absolute, relative, psnr } as const;

/** Kinds of which a wrong value looks like one, because the classifier compares bytes. */
const OF_VALUES: readonly FaultKind[] = ["bit-flip", "stuck-bit", "byte-lanes", "foreign"];

/** Kinds that wrong values of a smooth signal imitate, because a neighbour has nearly the same value. */
const OF_NEIGHBOURS: readonly FaultKind[] = ["lost", "duplicated", "shifted", "reordered"];

/**
 * Names what is wrong with a frame that a {@linkcode Comparison} refused. Data from elsewhere keep their names,
 * such as `stale-rx`. All else is one fault, named by the position and the size of the error.
 *
 * @param frame The frame, with the bytes that were sent
 * @param context What else is known
 * @param deviation What the judge said
 * @returns The faults, at least one, in the order of their offsets
 */
export function nameDeviation(
  frame: ReceivedFrame,
  context: Context,
  deviation: Deviation,
): NamedFault[] {
  const { accepted, offset, text } = deviation;
  const end = frame.expected.length;
  const length = Math.max(1, Math.min(deviation.length ?? end - offset, end - offset));
  const inexact = (blame: Blame): NamedFault => {
    const damage = damageOf(frame, offset, offset + length, context.base ?? 0);
    return {
      ...{ kind: "out-of-tolerance", frame: frame.sequence, offset, length, blame, detail: text },
      alignment: null,
      ...(damage === undefined ? {} : { damage }),
    };
  };
  const sent = frame.sent ?? frame.expected;
  const near = { ...frame, expected: accepted ?? frame.expected, sent, inexact: true } as const;
  // a ratio of a whole frame can be too low although no value is far off
  if (accepted?.every((byte, i) => byte === frame.received[i]) ?? true) {
    return [inexact(firstChange(compareCheckValues(near)))];
  }
  const faults = classify(near, context);
  const values = faults.filter(({ kind }) => OF_VALUES.includes(kind));
  if (values.length === 0) return faults;
  const isValue = ({ kind, found }: Fault) =>
    OF_VALUES.includes(kind) || (OF_NEIGHBOURS.includes(kind) && found === undefined);
  const blame = values.find((fault) => fault.blame !== null)?.blame ?? null;
  return [...faults.filter((fault) => !isValue(fault)), inexact(blame)]
    .sort((a, b) => a.offset - b.offset);
}
