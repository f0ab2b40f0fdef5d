// SPDX-License-Identifier: MIT
/**
 * Which bits of a word are wrong.
 *
 * @module
 */
import { isForced } from "./chance.ts";
import type { Group } from "./groups.ts";
import { FEW, INFORMATIVE } from "./places.ts";
import type { Finding, Signature } from "./signature.ts";

/** Bytes of the narrowest word of which a byte lane can be told apart. */
const NARROWEST = 4;

/**
 * Finds which bits are wrong.
 *
 * @param group The group
 * @returns The finding
 */
export function bitOf({ faults }: Group): Finding<Signature["bit"]> {
  const known = faults.filter(({ bytes }) => bytes.length > 0);
  if (known.length === 0) return { value: "unknown" };
  const wrong = known.flatMap(({ bytes, address, fault }) =>
    bytes.map(([offset, bits]) => ({ at: address - fault.offset + offset, bits }))
  );
  const places = [...new Set(wrong.map(({ at }) => at))];
  const [first] = wrong;
  const width = laneWidth(places);
  const isOne = (bits: number) => (bits & (bits - 1)) === 0;
  const areSingle = known.every(({ bytes }) => bytes.length === 1 && isOne(bytes[0]?.[1] ?? 0));
  const areEqual = isOne(first?.bits ?? 0) && wrong.every(({ bits }) => bits === first?.bits);
  const mayBeLane = places.every((at) => (at - (places[0] ?? 0)) % NARROWEST === 0);
  const unknown = {
    value: "unknown",
    left: [
      "many",
      ...(areEqual ? ["one" as const, "same" as const] : []),
      ...(areSingle ? ["single" as const] : []),
      ...(mayBeLane ? ["lane" as const] : []),
    ],
  } as const;
  if (known.length < 0.9 * faults.length) return unknown;
  if (first !== undefined && areEqual) {
    if (!isForced(Math.pow(1 / 8, wrong.length - 1))) return unknown;
    const bit = 31 - Math.clz32(first.bits);
    const large = known.filter((row) => (row.case.size ?? 0) >= INFORMATIVE);
    const frames = new Set(large.map((row) => `${row.case.index} ${row.fault.frame}`)).size;
    const perFrame = large.reduce((sum, { bytes }) => sum + bytes.length, 0) / frames;
    // a line that is stuck is wrong in half of all words, which only a long frame shows
    if (frames === 0) return unknown;
    if (perFrame < 4) {
      return { value: "same", facts: { bit }, text: `Only bit ${bit} of single bytes is wrong` };
    }
    const lane = first.at % width;
    const every = places.length === 1 ? `byte ${first.at} of a block` : everyText(width);
    const line = width === 1
      ? `The data line of bit ${bit} of ${every}`
      : `Data line ${8 * lane + bit} (byte lane ${lane}, bit ${bit})`;
    return {
      value: "one",
      facts: { bit, lane, line, width: 8 * width },
      text: `Only bit ${bit} of ${every} is wrong`,
    };
  }
  // a lane that is open is wrong in every word
  if (
    !areSingle && width >= NARROWEST && places.length > 1 &&
    isForced(Math.pow(1 / width, places.length - 1))
  ) {
    const lane = (first?.at ?? 0) % width;
    return {
      value: "lane",
      facts: { lane, every: everyText(width), width: 8 * width },
      text: `Only byte ${lane} of every ${8 * width}-bit word is wrong`,
    };
  }
  if (areSingle) {
    return known.length < FEW
      ? unknown
      : { value: "single", text: "Each fault is a single bit, and the bits differ" };
  }
  return known.length < FEW ? unknown : { value: "many" };
}

/** The widest word in which all addresses are the same byte, as far as the number of addresses shows it. */
function laneWidth(places: readonly number[]): number {
  let width = 1;
  const [first = 0] = places;
  const enough = Math.pow(1 / 2, places.length - 1) <= 1 / 64;
  while (enough && width < 64 && places.every((at) => (at - first) % (2 * width) === 0)) width *= 2;
  return width;
}

function everyText(width: number): string {
  const words: Record<number, string> = { 2: "second", 4: "fourth", 8: "eighth", 16: "16th" };
  return width === 1
    ? "a byte"
    : `every ${words[width] ?? `${width}${width === 32 ? "nd" : "th"}`} byte`;
}
