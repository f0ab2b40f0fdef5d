// SPDX-License-Identifier: MIT
/**
 * Names bytes that lie in the place of the expected ones: old data, another frame, poison, or unknown
 * bytes. One table of rules for each part of the path; the first rule that applies decides.
 *
 * A rule names only what can be true. A stale copy needs memory that a cache or a bounce buffer stands in front of,
 * whole cache lines, and bytes that this block held before. Where the evidence allows several kinds, the rule
 * names all of them.
 *
 * @module
 */

import type { Blame, FaultKind } from "./fault.ts";

/** What is known about bytes that lie in the place of the expected ones. */
export interface Content {
  /** Whether they are the whole frame, and all of it comes from their source. */
  readonly whole: boolean;
  /** Whether they begin and end at edges of cache lines or of the frame. */
  readonly wholeLines: boolean;
  /** Whether they reach to the end of the frame. A frame arrives from its start to its end. */
  readonly atEnd: boolean;
  /** Whether they are poison. */
  readonly poison: boolean;
  /** Whether every bit is one, in at least a word. */
  readonly ones: boolean;
  /** Whether they are what the CPU stored into the transmit block after its completion. */
  readonly spoil: boolean;
  /** Whether they are an earlier or a later frame than the expected one; `null` if they are no frame. */
  readonly frame: "earlier" | "later" | null;
  /** What is known about the receive block. */
  readonly rx: Held;
  /** What is known about the transmit block. */
  readonly tx: Held;
  /** What a second look at the receive block showed; `null` if there was none. */
  readonly later: "arrived" | "arriving" | "same" | null;
  /** Whether the CPU sees what the core wrote; `null` without a check value. */
  readonly asWritten: boolean | null;
  /** Whether the core reported that it wrote nothing. */
  readonly coreWroteNothing: boolean;
}

/** What is known about one of the frame's blocks. */
export interface Held {
  /**
   * Whether the block held the bytes before, and no frame was right there since. So they can still be in
   * memory, or in a cache. `null` if that is not known.
   */
  readonly before: boolean | null;
  /** Whether a cache or a bounce buffer can hold an old copy of it. */
  readonly canBeStale: boolean;
}

/** One row of a table. */
export interface ContentRule {
  /** Whether the rule applies. */
  readonly when: (content: Content) => boolean;
  /** The kind of the fault. */
  readonly kind: FaultKind;
  /** Other kinds that the same evidence allows. Defaults to none. */
  readonly or?: (content: Content) => readonly FaultKind[];
  /** Who gets the blame. Defaults to the part of the path whose table this is. */
  readonly blame?: Blame;
  /** Explanation for a person, after a description of the bytes; empty if there is none. */
  readonly text: string;
  /** Whether the frames that follow can change the kind, as `FaultHistory` does. Defaults to false. */
  readonly dependsOnOthers?: boolean;
}

const isWholeFrame = ({ whole, frame }: Content): boolean => whole && frame !== null;

/** The receive block held the bytes before. Poison is there from the beginning only. */
const isUnwritten = ({ rx, poison }: Content): boolean =>
  rx.before === true || (rx.before === null && poison);

/** The CPU can have read an old copy of these bytes. */
const canHideRx = (content: Content): boolean =>
  content.rx.canBeStale && content.wholeLines && isUnwritten(content);

/** The device can have read an old copy of these bytes. */
const canHideTx = ({ tx, wholeLines }: Content): boolean =>
  tx.canBeStale && wholeLines && tx.before === true;

/** The data are in memory now. */
const hasArrived = ({ later }: Content): boolean => later === "arrived" || later === "arriving";

/** The data can have come after their completion: what is missing then is the end of the frame. */
const canBeLate = ({ atEnd, later }: Content): boolean => atEnd && later !== "same";

const CAME_AGAIN = "that frame arrived again";
const CAME_EARLY = "that frame arrived before the expected one";

/** A whole frame in the place of another one. */
const WHOLE_FRAME: readonly ContentRule[] = [
  {
    when: (content) => isWholeFrame(content) && content.frame === "earlier",
    kind: "duplicated",
    text: CAME_AGAIN,
    dependsOnOthers: true,
  },
  { when: isWholeFrame, kind: "swapped", text: CAME_EARLY, dependsOnOthers: true },
];

/** Bytes that no block and no frame explains. */
const UNKNOWN: readonly ContentRule[] = [
  {
    when: ({ ones }) => ones,
    kind: "reads-ones",
    text:
      "as of a bus that nothing answers: the address is not reachable, or the bus reported an error",
  },
  { when: () => true, kind: "foreign", text: "" },
];

/** The CPU overwrote the transmit block when its completion came, and the device sent the new bytes. */
const SPOILED: ContentRule = {
  when: ({ spoil }) => spoil,
  kind: "early-completion",
  blame: "tx",
  text: "the transmit completion came before the engine had read the block",
};

/** The core read other bytes than were sent. */
const TX: readonly ContentRule[] = [
  SPOILED,
  ...WHOLE_FRAME.map((rule) => ({
    ...rule,
    when: (content: Content) => rule.when(content) && content.tx.before !== true,
  })),
  { when: canHideTx, kind: "stale-tx", text: "the device read what the block held before" },
  {
    when: ({ tx, wholeLines }) => tx.canBeStale && wholeLines && tx.before === null,
    kind: "stale-tx",
    or: () => ["foreign"],
    text: "perhaps what the block held before, which is unknown",
  },
  {
    when: ({ frame }) => frame !== null,
    kind: "torn",
    text: "the device read data of another frame",
  },
  ...UNKNOWN,
];

/** The core reported that it wrote nothing. */
const WROTE_NOTHING: ContentRule = {
  when: ({ whole, coreWroteNothing }) => whole && coreWroteNothing,
  kind: "not-written",
  blame: "core",
  text: "the core wrote nothing",
};

/** The core wrote other bytes than it read. */
const CORE: readonly ContentRule[] = [
  SPOILED,
  WROTE_NOTHING,
  {
    when: (content) => isUnwritten(content) && !(content.whole && content.asWritten === true),
    kind: "not-written",
    text: "the core did not overwrite the previous content",
  },
  ...WHOLE_FRAME,
  { when: ({ frame }) => frame !== null, kind: "torn", text: "data of another frame" },
  { when: ({ poison }) => poison, kind: "not-written", text: "poison of another place" },
  ...UNKNOWN,
];

const NOT_THERE = "the data were not there when their completion was reported";

/** The CPU sees other bytes than the core wrote. */
const RX: readonly ContentRule[] = [
  SPOILED,
  WROTE_NOTHING,
  {
    when: (content) => canHideRx(content) && hasArrived(content),
    kind: "stale-rx",
    or: (content) => canBeLate(content) ? ["early-completion"] : [],
    text: "the data are in memory now: a stale copy hid them, or they came after their completion",
  },
  {
    when: canHideRx,
    kind: "stale-rx",
    or: (content) => canBeLate(content) ? ["not-written", "early-completion"] : ["not-written"],
    text: "a cache hid the data behind an old copy, or the data were not in memory",
  },
  {
    when: (content) => isUnwritten(content) && hasArrived(content),
    kind: "early-completion",
    text: `${NOT_THERE}, and came later. No cache can hide them here`,
  },
  {
    when: (content) => isUnwritten(content) && canBeLate(content),
    kind: "not-written",
    or: () => ["early-completion"],
    text: `${NOT_THERE}. No cache can hide them here`,
  },
  {
    when: isUnwritten,
    kind: "not-written",
    text: `${NOT_THERE}, and did not come later. No cache can hide them here`,
  },
  ...WHOLE_FRAME,
  {
    when: ({ frame }) => frame !== null,
    kind: "torn",
    or: () => ["overrun"],
    text: "a write of that frame went astray into this block, or its data were mixed in",
  },
  ...UNKNOWN,
];

/** There are no check values, so only the memory, the shape and the content of the blocks decide. */
const NO_CHECK_VALUES: readonly ContentRule[] = [
  SPOILED,
  {
    when: (content) => canHideRx(content) && !content.whole,
    kind: "stale-rx",
    or: (content) => [
      ...(hasArrived(content) ? [] : ["not-written" as const]),
      ...(canBeLate(content) ? ["early-completion" as const] : []),
      ...(canHideTx(content) ? ["stale-tx" as const] : []),
    ],
    text: "the previous content of the receive block",
  },
  {
    when: (content) => isUnwritten(content) && hasArrived(content),
    kind: "early-completion",
    or: (content) => canHideRx(content) ? ["stale-rx"] : [],
    blame: "rx",
    text: `${NOT_THERE}, and came later`,
  },
  {
    when: isUnwritten,
    kind: "not-written",
    or: (content) => [
      ...(canBeLate(content) ? ["early-completion" as const] : []),
      ...(canHideRx(content) ? ["stale-rx" as const] : []),
      ...(canHideTx(content) ? ["stale-tx" as const] : []),
    ],
    text: NOT_THERE,
  },
  {
    when: (content) => canHideTx(content),
    kind: "stale-tx",
    or: ({ whole, frame }) => whole && frame === "earlier" ? ["duplicated"] : [],
    blame: "tx",
    text: "earlier content of the transmit block",
  },
  ...WHOLE_FRAME,
  { when: ({ frame }) => frame !== null, kind: "torn", text: "data of another frame" },
  ...UNKNOWN,
];

/**
 * Finds the rule that applies to bytes in the place of the expected ones.
 *
 * @param content What is known about the bytes
 * @param stage The part of the path that changed them, by the check values; `null` if it is unknown
 * @returns The first rule that applies
 */
export function ruleFor(content: Content, stage: Blame): ContentRule {
  const tables = { tx: TX, core: CORE, rx: RX };
  const rules = stage === "tx" || stage === "core" || stage === "rx"
    ? tables[stage]
    : NO_CHECK_VALUES;
  const rule = rules.find(({ when }) => when(content));
  if (rule === undefined) throw new Error("Expected the last rule to apply, found none");
  return rule;
}
