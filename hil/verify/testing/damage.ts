// SPDX-License-Identifier: MIT
/**
 * Damages frames in known ways, to test the classifier with. It shares no module with the classifier.
 *
 * @module
 */

import type { Random } from "../../../driver/testing/random.ts";
import { type Arrival, type KnownDamage, Path, type Transfer } from "./transfer.ts";

const LINE = 64;
const BEAT = 8;

/** The part of a frame that one damage may change. */
class Part {
  readonly transfer: Transfer;
  readonly path: Path;
  readonly random: Random;
  readonly low: number;
  readonly high: number;

  constructor(transfer: Transfer, path: Path, random: Random, low: number, high: number) {
    this.transfer = transfer;
    this.path = path;
    this.random = random;
    this.low = low;
    this.high = high;
  }

  /** Draws the offset of a beat. */
  beat(from: number, to: number): number {
    return this.random.between(Math.ceil(from / BEAT), Math.floor(to / BEAT)) * BEAT;
  }

  /** Draws a few whole cache lines of the block. */
  lines(): [number, number] {
    const { base } = this.transfer;
    const first = Math.ceil((base + this.low) / LINE);
    const last = Math.floor((base + this.high) / LINE);
    const count = this.random.between(1, Math.min(4, last - first));
    const at = this.random.between(first, last - count) * LINE - base;
    return [at, at + count * LINE];
  }

  /** Draws a few beats that need not be whole cache lines. */
  piece(): [number, number] {
    const from = this.beat(this.low + BEAT, this.high - 12 * BEAT);
    return [from, from + this.random.between(3, 10) * BEAT];
  }

  /** The whole words of the part. */
  words(width: number): [number, number] {
    return [Math.ceil(this.low / width) * width, Math.floor(this.high / width) * width];
  }

  /** Remembers what was done. A `to` of -1 stands for the end of the bytes that are moved. */
  done(kind: string, from: number, to: number, blame: KnownDamage["blame"]): void {
    this.path.known.push({ kind, from, to, blame });
  }

  /** Flips a bit; the core's own bits are drawn when the frame arrives there. */
  flip(bytes: Uint8Array, blame: KnownDamage["blame"]): void {
    const at = this.random.between(this.low, this.high - 1);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << this.random.below(8));
    this.done("bit-flip", at, at + 1, blame);
  }

  /** Lets the core change a copy of what it read. */
  change(edit: (copy: Uint8Array<ArrayBuffer>, read: Uint8Array) => void): void {
    this.path.inCore.push((read) => {
      const copy = read.slice();
      edit(copy, read);
      return copy;
    });
  }
}

/** A damage: what it does, and to which frames it can be done. */
interface DamageSpec {
  /** The shortest frame in which it shows as what it is, bytes. Defaults to 128. */
  readonly minLength?: number;
  /** Whether it changes the whole frame, so that there is no room for a second damage. */
  readonly whole?: boolean;
  readonly inject: (part: Part) => void;
}

function lose(part: Part, beats: number): void {
  const at = part.beat(part.low + BEAT, part.high - (beats + 3) * BEAT);
  part.path.inCore.push((bytes) => {
    const left = new Uint8Array(bytes.length - beats * BEAT);
    left.set(bytes.subarray(0, at));
    left.set(bytes.subarray(at + beats * BEAT), at);
    return left;
  });
  part.done("lost", at, -1, "core");
}

/** Shifts all bytes, and fills the room with random ones. */
function shift(part: Part, late: boolean): void {
  const { random, transfer: { length } } = part;
  const by = random.between(1, 40);
  part.change((bytes) => {
    if (late) bytes.copyWithin(by, 0);
    else bytes.copyWithin(0, by);
    const free = late ? 0 : length - by;
    for (let at = free; at < free + by; at++) bytes[at] = random.below(256);
  });
  part.done("shifted", 0, length, "core");
}

/** Changes every word of the part. The lanes are drawn before the frame is sent. */
function mixLanes(part: Part, reversed: boolean): void {
  const { random } = part;
  const width = random.oneOf([4, 8, 16]);
  const a = random.below(width);
  const b = (a + random.between(1, width - 1)) % width;
  const [from, to] = part.words(width);
  part.change((bytes, read) => {
    for (let at = from; at < to; at += width) {
      if (reversed) bytes.subarray(at, at + width).reverse();
      else {
        bytes[at + a] = read[at + b] ?? 0;
        bytes[at + b] = read[at + a] ?? 0;
      }
    }
  });
  part.done("byte-lanes", from, to, "core");
}

function killLane(part: Part): void {
  const { random } = part;
  const width = random.oneOf([4, 8, 16]);
  const lane = random.below(width);
  const [from, to] = part.words(width);
  const salt = random.below(256);
  part.change((bytes) => {
    for (let at = from + lane; at < to; at += width) bytes[at] = (at * 167 + salt) >> 3;
  });
  part.done("byte-lanes", from, to, "core");
}

function stick(part: Part): void {
  const { random, transfer } = part;
  const sent = transfer.frame(transfer.sequence);
  let [width, lane, mask, one] = [0, 0, 0, false];
  // if a bit had the value anyway in nearly all words, it looks like a few flipped bits
  for (let tries = 0, wrong = 0; tries < 100 && wrong < 8; tries++) {
    width = random.oneOf([4, 8, 16]);
    lane = random.below(width);
    mask = 1 << random.below(8);
    one = random.below(2) === 1;
    wrong = 0;
    for (let at = lane; at < transfer.length; at += width) {
      if (((sent[at] ?? 0) & mask) !== 0 !== one) wrong++;
    }
  }
  part.change((bytes) => {
    for (let at = lane; at < bytes.length; at += width) {
      bytes[at] = one ? (bytes[at] ?? 0) | mask : (bytes[at] ?? 0) & ~mask;
    }
  });
  part.done("stuck-bit", 0, -1, "core");
}

function tear(part: Part, tail: boolean): void {
  const { random, transfer: { frame, sequence } } = part;
  const other = frame(random.oneOf([sequence + 1, sequence + 2]));
  const [from, end] = part.piece();
  const to = tail ? part.high : end;
  part.change((bytes) => bytes.set(other.subarray(from, Math.min(to, bytes.length)), from));
  part.done("torn", from, to, "core");
}

function fillRandomly(part: Part, [from, to]: [number, number]): void {
  part.change((bytes) => {
    for (let at = from; at < to; at++) bytes[at] = part.random.below(256);
  });
  part.done("foreign", from, to, "core");
}

function readOld(part: Part, [from, to]: [number, number]): void {
  const { txOld } = part.transfer;
  part.path.beforeCore.push((read) => read.set(txOld.subarray(from, to), from));
  part.done("stale-tx", from, to, "tx");
}

function seeOld(part: Part, [from, to]: [number, number]): void {
  const { rxOld } = part.transfer;
  part.path.afterCore.push((seen) => seen.set(rxOld.subarray(from, to), from));
  part.done("stale-rx", from, to, "rx");
}

const all = ({ transfer }: Part): [number, number] => [0, transfer.length];

/** Every damage by its name. The order decides what a seed draws. */
const SPECS = {
  "stale-tx lines": { minLength: 512, inject: (part) => readOld(part, part.lines()) },
  "stale-tx whole": { whole: true, inject: (part) => readOld(part, all(part)) },
  "flip tx": {
    inject: (part) => part.path.beforeCore.push((read) => part.flip(read, "tx")),
  },
  "flip core": { inject: (part) => part.change((bytes) => part.flip(bytes, "core")) },
  "flip rx": { inject: (part) => part.path.afterCore.push((seen) => part.flip(seen, "rx")) },
  "lost beat": { inject: (part) => lose(part, 1) },
  "lost beats": { minLength: 512, inject: (part) => lose(part, part.random.between(2, 20)) },
  "doubled beat": {
    inject: (part) => {
      const at = part.beat(part.low + BEAT, part.high - 4 * BEAT);
      part.change((bytes) => bytes.copyWithin(at, at - BEAT, bytes.length - BEAT));
      part.done("duplicated", at, -1, "core");
    },
  },
  "shifted late": { minLength: 256, whole: true, inject: (part) => shift(part, true) },
  "shifted early": { minLength: 256, whole: true, inject: (part) => shift(part, false) },
  "short": {
    inject: (part) => {
      const { length } = part.transfer;
      const to = part.beat(part.low + BEAT, length - BEAT);
      part.path.inCore.push((bytes) => bytes.slice(0, to));
      part.done("truncated", to, length, "core");
    },
  },
  "overrun": {
    inject: (part) => {
      const { length, guard } = part.transfer;
      const bytes = part.random.between(1, guard);
      const [from, to] = bytes % 2 === 0 ? [length, length + bytes] : [-bytes, 0];
      part.path.overrun = { from, to };
      part.done("overrun", from, to, "core");
    },
  },
  "lanes swapped": { minLength: 256, inject: (part) => mixLanes(part, false) },
  "lanes reversed": { minLength: 256, inject: (part) => mixLanes(part, true) },
  "lanes dead": { minLength: 512, inject: killLane },
  "stuck bit": { minLength: 512, inject: stick },
  "torn tail": { minLength: 256, inject: (part) => tear(part, true) },
  "torn middle": { minLength: 512, inject: (part) => tear(part, false) },
  "hole": {
    minLength: 256,
    inject: (part) => {
      const [from, to] = part.piece();
      part.path.holes.push({ from, to });
      part.done("not-written", from, to, "core");
    },
  },
  "nothing written": {
    whole: true,
    inject: (part) => {
      part.path.nothingWritten = true;
      part.done("not-written", 0, part.transfer.length, "core");
    },
  },
  "repeated": {
    whole: true,
    inject: (part) => {
      const { frame, sequence, length } = part.transfer;
      const other = frame(Math.max(0, sequence - part.random.between(1, 8)));
      part.path.inCore.push(() => other.slice());
      part.done("duplicated", 0, length, "core");
    },
  },
  "garbage": { minLength: 256, inject: (part) => fillRandomly(part, part.piece()) },
  "garbage whole": { whole: true, inject: (part) => fillRandomly(part, all(part)) },
  "stale-rx lines": { minLength: 512, inject: (part) => seeOld(part, part.lines()) },
  "stale-rx whole": { whole: true, inject: (part) => seeOld(part, all(part)) },
} as const satisfies Record<string, DamageSpec>;

/** The name of a damage. */
export type Damage = keyof typeof SPECS;

/** The names of all damages. */
export const DAMAGES = Object.keys(SPECS) as Damage[];

/**
 * Whether a damage changes the whole frame, so that there is no room for a second one.
 *
 * @param damage Its name
 * @returns Whether it does
 */
export function isWhole(damage: Damage): boolean {
  const { whole = false }: DamageSpec = SPECS[damage];
  return whole;
}

/**
 * Whether a frame is long enough for a damage to show as what it is.
 *
 * @param damage Its name
 * @param length Bytes of the frame
 * @returns Whether it is
 */
export function fits(damage: Damage, length: number): boolean {
  const { minLength = 128 }: DamageSpec = SPECS[damage];
  return length >= minLength;
}

/**
 * Sends a frame and damages it.
 *
 * @param transfer The frame
 * @param damages What to do. Of two damages, the first changes the first half of the frame, and the second
 * the other half
 * @param random Where random numbers come from
 * @returns What arrived, and what was done to it
 */
export function damage(
  transfer: Transfer,
  damages: readonly Damage[],
  random: Random,
): Arrival {
  const path = new Path();
  const half = Math.floor(transfer.length / 2);
  for (const [i, name] of damages.entries()) {
    const low = damages.length === 2 && i === 1 ? half + LINE : 0;
    const high = damages.length === 2 && i === 0 ? half - LINE : transfer.length;
    SPECS[name].inject(new Part(transfer, path, random, low, high));
  }
  return path.send(transfer);
}
