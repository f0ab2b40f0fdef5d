// SPDX-License-Identifier: MIT
/**
 * A loop of bytes that does known damage, to hold the classifier against. It shares no module with it.
 *
 * A frame is sent; transmit memory may give the core something else to read; the core may change what it
 * read; what it writes lands in a receive block that holds an older frame or poison; and the CPU may see
 * something else than was written. Each damage is done where its kind is done in life, so that check
 * values come out as they would.
 *
 * @module
 */

import { crc32 } from "node:zlib";

/** Numbers from a seed; the generator is mulberry32. */
export class Draw {
  #state: number;

  /** @param seed 0 to 2^32 - 1 */
  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to below a limit. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  /** A whole number from a range. */
  from(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** One of several. */
  one<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}

/** What was done, in the words of the results. */
export interface Truth {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly blame: "tx" | "core" | "rx";
}

/** A frame on its way, and what its blocks held before. */
export interface Trip {
  readonly sequence: number;
  /** Bytes of any frame of the run, a copy. */
  readonly frame: (sequence: number) => Uint8Array<ArrayBuffer>;
  readonly length: number;
  /** Where the frame begins in its blocks. */
  readonly base: number;
  /** What the transmit block held there. */
  readonly txOld: Uint8Array;
  /** What the receive block held there. */
  readonly rxOld: Uint8Array;
  /** Bytes of guard before the frame, and behind it. */
  readonly guard: number;
}

/** What came of it. */
export interface Arrival {
  readonly received: Uint8Array<ArrayBuffer>;
  readonly moved: number;
  readonly txCheck: number;
  readonly rxCheck: number;
  /** What was written around the frame, from its start. */
  readonly overrun: { readonly from: number; readonly to: number } | null;
  readonly truths: readonly Truth[];
}

/** Damage that is known by name. */
export const DAMAGES = [
  "stale-tx lines",
  "stale-tx whole",
  "flip tx",
  "flip core",
  "flip rx",
  "lost beat",
  "lost beats",
  "doubled beat",
  "shifted late",
  "shifted early",
  "short",
  "overrun",
  "lanes swapped",
  "lanes reversed",
  "lanes dead",
  "stuck bit",
  "torn tail",
  "torn middle",
  "hole",
  "nothing written",
  "repeated",
  "garbage",
  "garbage whole",
  "stale-rx lines",
  "stale-rx whole",
] as const;

/** A damage. */
export type Damage = typeof DAMAGES[number];

/** Damages of the whole frame: they leave no room for a second one. */
export const WHOLE: readonly Damage[] = [
  "stale-tx whole",
  "nothing written",
  "repeated",
  "garbage whole",
  "stale-rx whole",
  "shifted early",
  "shifted late",
];

/** Damages that need so many bytes, at least. */
const ROOMY: ReadonlyMap<Damage, number> = new Map([
  ["stuck bit", 512],
  ["lanes dead", 512],
  ["lanes swapped", 256],
  ["lanes reversed", 256],
  ["stale-tx lines", 512],
  ["stale-rx lines", 512],
  ["lost beats", 512],
  ["torn middle", 512],
  ["torn tail", 256],
  ["hole", 256],
  ["garbage", 256],
  ["shifted late", 256],
  ["shifted early", 256],
]);

/** Whether a frame is long enough for a damage to show as what it is. */
export function fits(damage: Damage, length: number): boolean {
  return length >= (ROOMY.get(damage) ?? 128);
}

const LINE = 64;
const BEAT = 8;

/**
 * Send a frame and do it damage.
 *
 * @param trip The frame
 * @param damages What to do; when two, the first in the first half of the frame, the second in the other
 * @param draw Where numbers come from
 * @returns What arrived, and the truth about it
 */
export function damage(trip: Trip, damages: readonly Damage[], draw: Draw): Arrival {
  const { length, base, sequence } = trip;
  const sent = trip.frame(sequence);
  const truths: Truth[] = [];
  let read = sent.slice();
  let moved = length;
  let overrun: Arrival["overrun"] = null;
  let nothing = false;
  const holes: [number, number][] = [];
  const later: ((seen: Uint8Array) => void)[] = [];
  const early: ((bytes: Uint8Array) => void)[] = [];
  const inCore: ((bytes: Uint8Array) => Uint8Array<ArrayBuffer>)[] = [];
  const tell = (kind: string, from: number, to: number, blame: Truth["blame"]) =>
    truths.push({ kind, from, to, blame });

  for (const [i, what] of damages.entries()) {
    // the part of the frame that is this damage's own
    const half = Math.floor(length / 2);
    const low = damages.length === 2 && i === 1 ? half + LINE : 0;
    const high = damages.length === 2 && i === 0 ? half - LINE : length;
    const beat = (from: number, to: number) =>
      draw.from(Math.ceil(from / BEAT), Math.floor(to / BEAT)) * BEAT;
    /** Whole cache lines of the block that lie in the part. */
    const lines = (): [number, number] => {
      const first = Math.ceil((base + low) / LINE);
      const last = Math.floor((base + high) / LINE);
      const count = draw.from(1, Math.min(4, last - first));
      const at = draw.from(first, last - count) * LINE - base;
      return [at, at + count * LINE];
    };
    /** An odd piece of the part, of a few beats. */
    const piece = (): [number, number] => {
      const from = beat(low + BEAT, high - 12 * BEAT);
      return [from, from + draw.from(3, 10) * BEAT];
    };
    const flip = (bytes: Uint8Array, blame: Truth["blame"]) => {
      const at = draw.from(low, high - 1);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << draw.below(8));
      tell("bit-flip", at, at + 1, blame);
    };
    switch (what) {
      case "stale-tx lines": {
        const [from, to] = lines();
        early.push((bytes) => bytes.set(trip.txOld.subarray(from, to), from));
        tell("stale-tx", from, to, "tx");
        break;
      }
      case "stale-tx whole":
        early.push((bytes) => bytes.set(trip.txOld));
        tell("stale-tx", 0, length, "tx");
        break;
      case "flip tx":
        early.push((bytes) => flip(bytes, "tx"));
        break;
      case "flip core":
        inCore.push((bytes) => {
          flip(bytes, "core");
          return bytes.slice();
        });
        break;
      case "flip rx":
        later.push((bytes) => flip(bytes, "rx"));
        break;
      case "lost beat":
      case "lost beats": {
        const count = what === "lost beat" ? 1 : draw.from(2, 20);
        const at = beat(low + BEAT, high - (count + 3) * BEAT);
        inCore.push((bytes) => {
          const rest = bytes.slice(at + count * BEAT);
          const left = new Uint8Array(bytes.length - count * BEAT);
          left.set(bytes.subarray(0, at));
          left.set(rest, at);
          return left;
        });
        tell("lost", at, -1, "core");
        break;
      }
      case "doubled beat": {
        const at = beat(low + BEAT, high - 4 * BEAT);
        inCore.push((bytes) => {
          const more = bytes.slice();
          more.copyWithin(at, at - BEAT, more.length - BEAT);
          return more;
        });
        tell("duplicated", at, -1, "core");
        break;
      }
      case "shifted late": {
        const by = draw.from(1, 40);
        inCore.push((bytes) => {
          const more = bytes.slice();
          more.copyWithin(by, 0);
          for (let at = 0; at < by; at++) more[at] = draw.below(256);
          return more;
        });
        tell("shifted", 0, length, "core");
        break;
      }
      case "shifted early": {
        const by = draw.from(1, 40);
        inCore.push((bytes) => {
          const more = bytes.slice();
          more.copyWithin(0, by);
          for (let at = length - by; at < length; at++) more[at] = draw.below(256);
          return more;
        });
        tell("shifted", 0, length, "core");
        break;
      }
      case "short": {
        const to = beat(low + BEAT, length - BEAT);
        inCore.push((bytes) => bytes.slice(0, to));
        tell("truncated", to, length, "core");
        break;
      }
      case "overrun": {
        const bytes = draw.from(1, trip.guard);
        overrun = bytes % 2 === 0 ? { from: length, to: length + bytes } : { from: -bytes, to: 0 };
        tell("overrun", overrun.from, overrun.to, "core");
        break;
      }
      case "lanes swapped":
      case "lanes reversed": {
        const width = draw.one([4, 8, 16]);
        const a = draw.below(width);
        const b = (a + draw.from(1, width - 1)) % width;
        const from = Math.ceil(low / width) * width;
        const to = Math.floor(high / width) * width;
        inCore.push((bytes) => {
          const mixed = bytes.slice();
          for (let at = from; at < to; at += width) {
            if (what === "lanes reversed") mixed.subarray(at, at + width).reverse();
            else {
              mixed[at + a] = bytes[at + b] ?? 0;
              mixed[at + b] = bytes[at + a] ?? 0;
            }
          }
          return mixed;
        });
        tell("byte-lanes", from, to, "core");
        break;
      }
      case "lanes dead": {
        const width = draw.one([4, 8, 16]);
        const lane = draw.below(width);
        const from = Math.ceil(low / width) * width;
        const to = Math.floor(high / width) * width;
        const salt = draw.below(256);
        inCore.push((bytes) => {
          const mixed = bytes.slice();
          for (let at = from + lane; at < to; at += width) mixed[at] = (at * 167 + salt) >> 3;
          return mixed;
        });
        tell("byte-lanes", from, to, "core");
        break;
      }
      case "stuck bit": {
        let [width, lane, mask, one] = [0, 0, 0, false];
        // a bit that had this value anyway, but for a word or two, cannot be told from flipped ones
        for (let tries = 0, wrong = 0; tries < 100 && wrong < 8; tries++) {
          width = draw.one([4, 8, 16]);
          lane = draw.below(width);
          mask = 1 << draw.below(8);
          one = draw.below(2) === 1;
          wrong = 0;
          for (let at = lane; at < length; at += width) {
            if (((sent[at] ?? 0) & mask) !== 0 !== one) wrong++;
          }
        }
        inCore.push((bytes) => {
          const mixed = bytes.slice();
          for (let at = lane; at < bytes.length; at += width) {
            mixed[at] = one ? (mixed[at] ?? 0) | mask : (mixed[at] ?? 0) & ~mask;
          }
          return mixed;
        });
        tell("stuck-bit", 0, -1, "core");
        break;
      }
      case "torn tail":
      case "torn middle": {
        const other = trip.frame(draw.one([sequence + 1, sequence + 2]));
        const [from, end] = piece();
        const to = what === "torn tail" ? high : end;
        inCore.push((bytes) => {
          const mixed = bytes.slice();
          mixed.set(other.subarray(from, Math.min(to, mixed.length)), from);
          return mixed;
        });
        tell("torn", from, to, "core");
        break;
      }
      case "hole": {
        const [from, to] = piece();
        holes.push([from, to]);
        tell("not-written", from, to, "core");
        break;
      }
      case "nothing written":
        nothing = true;
        tell("not-written", 0, length, "core");
        break;
      case "repeated": {
        const other = trip.frame(Math.max(0, sequence - draw.from(1, 8)));
        inCore.push(() => other.slice());
        tell("duplicated", 0, length, "core");
        break;
      }
      case "garbage":
      case "garbage whole": {
        const [from, to] = what === "garbage" ? piece() : [0, length];
        inCore.push((bytes) => {
          const mixed = bytes.slice();
          for (let at = from; at < to; at++) mixed[at] = draw.below(256);
          return mixed;
        });
        tell("foreign", from, to, "core");
        break;
      }
      case "stale-rx lines": {
        const [from, to] = lines();
        later.push((bytes) => bytes.set(trip.rxOld.subarray(from, to), from));
        tell("stale-rx", from, to, "rx");
        break;
      }
      case "stale-rx whole":
        later.push((bytes) => bytes.set(trip.rxOld));
        tell("stale-rx", 0, length, "rx");
        break;
    }
  }

  for (const change of early) change(read);
  const txCheck = crc32(read);
  for (const change of inCore) read = change(read);
  moved = Math.min(read.length, length);
  const received = trip.rxOld.slice() as Uint8Array<ArrayBuffer>;
  let rxCheck = 0;
  if (!nothing) {
    let at = 0;
    for (const [from, to] of [...holes.sort((a, b) => a[0] - b[0]), [moved, moved] as const]) {
      const part = read.subarray(at, Math.max(at, Math.min(from, moved)));
      received.set(part, at);
      rxCheck = crc32(part, rxCheck);
      at = to;
    }
  }
  for (const change of later) change(received);
  return {
    received,
    moved,
    txCheck,
    rxCheck,
    overrun,
    truths: truths.map((truth) => truth.to < 0 ? { ...truth, to: moved } : truth),
  };
}
