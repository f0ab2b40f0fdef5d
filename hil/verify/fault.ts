// SPDX-License-Identifier: MIT
/**
 * Faults: what is wrong with received data, where it is wrong, and which part of the path caused it.
 *
 * @module
 */

/**
 * Every kind of fault, as the results name them.
 *
 * - `stale-tx`: the device read what memory held before the CPU wrote, because the CPU's stores were still
 *   in its cache. This needs memory that is cached and not coherent, whole cache lines, and bytes that this
 *   block held before.
 * - `stale-rx`: the CPU read an old copy from its cache, or an old copy was written back over received data.
 *   This needs the same.
 * - `early-completion`: the completion was reported before the data were in memory (receive), or before
 *   the engine had read them (transmit).
 * - `not-written`: the receive block still holds its previous content, because nothing was written there.
 * - `shifted`: bytes of this frame are at another offset, and what should be there is overwritten or old.
 * - `lost`: bytes are missing, and all that follow are early.
 * - `duplicated`: bytes came twice, and all that follow are late; or a whole earlier frame came again.
 * - `swapped`: two whole frames, or two blocks, changed places.
 * - `reordered`: pieces of this frame are in another order. Nothing is lost.
 * - `truncated`: fewer bytes were reported than were sent.
 * - `too-long`: more bytes came than were sent, or the end of the frame did not come within the block.
 * - `overrun`: bytes outside the frame were overwritten.
 * - `byte-lanes`: the bytes of each bus word are in another order.
 * - `bit-flip`: single bits are wrong. `stuck-bit`: one bit has the same value in every word.
 * - `torn`: part of another frame, which this block did not hold before.
 * - `reads-ones`: all bits are one, as of a bus that nothing answers, and the block never held that.
 * - `out-of-tolerance`: values of a design that rounds, further from the expected ones than the test allows.
 * - `sideband`: the words that travel beside a frame, such as TUSER, are wrong.
 * - `foreign`: bytes that are none of these.
 */
export const FAULT_KINDS = [
  "stale-tx",
  "stale-rx",
  "early-completion",
  "not-written",
  "shifted",
  "lost",
  "duplicated",
  "swapped",
  "reordered",
  "truncated",
  "too-long",
  "overrun",
  "byte-lanes",
  "bit-flip",
  "stuck-bit",
  "torn",
  "reads-ones",
  "out-of-tolerance",
  "sideband",
  "foreign",
] as const;

/** A kind of fault. */
export type FaultKind = typeof FAULT_KINDS[number];

/** The part of the path that caused a fault; `null` if it is unknown. */
export type Blame = "tx" | "core" | "rx" | "driver" | null;

/** One place where received data differ from what was expected. */
export interface Fault {
  /** What happened to the data. */
  readonly kind: FaultKind;
  /** Other kinds that the evidence allows as well as {@linkcode kind}; absent if there are none. */
  readonly alternatives?: readonly FaultKind[];
  /** Number of the frame within its case, from 0. It is 0 in the primer. */
  readonly frame: number;
  /**
   * Whether the fault is in the primer and not in a frame. The primer is the transfer that fills a receive
   * block with poison before frame 0.
   */
  readonly primer?: true;
  /** Id of the frame's block, as the driver counts them; absent if the frame was in no block. */
  readonly block?: number;
  /** Offset of the first wrong byte in the frame's data; negative in the guard zone before them. */
  readonly offset: number;
  /** Bytes from the first to the last wrong one. */
  readonly length: number;
  /** The part of the path that caused it. */
  readonly blame: Blame;
  /** How the engine ended the transfer, if it failed it, such as `write-failed`. Absent otherwise. */
  readonly status?: string;
  /** Number of the frame whose bytes are there instead; absent if they are of no other frame. */
  readonly found?: number;
  /** Description for a person, one line. */
  readonly detail: string;
  /** The wrong bits, from the first wrong byte on; absent if they are unknown. */
  readonly damage?: {
    /** Offset of the first byte of {@linkcode xor} in the frame's data. */
    readonly offset: number;
    /** Received bytes XOR expected bytes: two hexadecimal digits a byte, at most 256 bytes. */
    readonly xor: string;
    /** Where the frame's data begin in their block, bytes. Edges of lines and pages follow from it. */
    readonly base: number;
    /** The expected bytes from {@linkcode offset} on: two hexadecimal digits a byte, at most 16 bytes. */
    readonly expected?: string;
  };
}

/**
 * Shows the first wrong bytes of a fault beside the expected ones.
 *
 * @param fault The fault
 * @returns Such as `expected 5a 01, received da 01`, or null if the bytes are unknown
 */
export function bytesOf({ damage, length }: Pick<Fault, "damage" | "length">): string | null {
  if (damage?.expected === undefined) return null;
  const pairs = (hex: string): number[] =>
    (hex.match(/../g) ?? []).map((pair) => parseInt(pair, 16)).slice(0, Math.max(1, length));
  const flips = pairs(damage.xor);
  const wanted = pairs(damage.expected).slice(0, Math.min(EXAMPLE, flips.length));
  if (wanted.length === 0) return null;
  const show = (bytes: readonly number[]): string =>
    bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const more = length > wanted.length ? " …" : "";
  const received = wanted.map((byte, i) => byte ^ (flips[i] ?? 0));
  return `expected ${show(wanted)}${more}, received ${show(received)}${more}`;
}

/** The bytes that {@linkcode bytesOf} shows: more do not fit into a line. */
const EXAMPLE = 8;

/**
 * Names the frame of a fault.
 *
 * @param fault The fault
 * @param asked Frames that were requested; absent if that does not matter
 * @returns Such as `frame 5`, `frame 5 of 300`, or `primer`
 */
export function placeOf(
  { frame, primer }: Pick<Fault, "frame" | "primer">,
  asked?: number,
): string {
  if (primer === true) return "primer";
  return asked === undefined ? `frame ${frame}` : `frame ${frame} of ${asked}`;
}

/**
 * Names the kind of a fault, and every other kind that the evidence allows.
 *
 * @param fault The fault
 * @returns Such as `bit-flip`, or `not-written or stale-rx`
 */
export function namesOf({ kind, alternatives = [] }: Pick<Fault, "kind" | "alternatives">): string {
  return [kind, ...alternatives].join(" or ");
}
