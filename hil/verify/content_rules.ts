// SPDX-License-Identifier: MIT
/**
 * Names bytes that lie in the place of the expected ones: old data, another frame, poison, or unknown
 * bytes. One table of rules for each part of the path; the first rule that applies decides.
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
  /** Whether they reach from the start of the frame or up to its end. */
  readonly atEdge: boolean;
  /** Whether they are poison. */
  readonly poison: boolean;
  /** Whether they are all zero. */
  readonly zeros: boolean;
  /** Whether no known source explains them. */
  readonly unknown: boolean;
  /** Whether they are an earlier or a later frame than the expected one; `null` if they are no frame. */
  readonly frame: "earlier" | "later" | null;
  /** Whether the receive block held them before; `null` if its previous content is not known. */
  readonly inRxBlock: boolean | null;
  /** Whether the transmit block held them before; `null` if its previous content is not known. */
  readonly inTxBlock: boolean | null;
  /** Whether the CPU sees what the core wrote; `null` without a check value. */
  readonly asWritten: boolean | null;
  /** Whether the core reported that it wrote nothing. */
  readonly coreWroteNothing: boolean;
}

/** One row of a table. */
export interface ContentRule {
  /** Whether the rule applies. */
  readonly when: (content: Content) => boolean;
  /** The kind of the fault. */
  readonly kind: FaultKind;
  /** Who gets the blame. Defaults to the part of the path whose table this is. */
  readonly blame?: Blame;
  /** Explanation for a person, after a description of the bytes; empty if there is none. */
  readonly text: string;
  /** Whether the frames that follow can change the kind, as `FaultHistory` does. Defaults to false. */
  readonly dependsOnOthers?: boolean;
}

const isOld = ({ poison, frame, inRxBlock, inTxBlock }: Content): boolean =>
  poison || inRxBlock === true || inTxBlock === true || frame === "earlier";

const isWholeFrame = ({ whole, frame }: Content): boolean => whole && frame !== null;

/** Old data, as far as the previous content of the receive block does not contradict. */
const isStaleInRx = (content: Content): boolean =>
  content.zeros || content.poison || (isOld(content) && content.inRxBlock !== false);

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

/** Without any other rule, the bytes are foreign. */
const FOREIGN: ContentRule = { when: () => true, kind: "foreign", text: "" };

/** The core read other bytes than were sent. */
const TX: readonly ContentRule[] = [
  {
    when: (content) =>
      isWholeFrame(content) && content.frame === "earlier" && content.inTxBlock !== true,
    kind: "stale-tx",
    text: CAME_AGAIN,
    dependsOnOthers: true,
  },
  {
    when: (content) => isWholeFrame(content) && content.inTxBlock !== true,
    kind: "swapped",
    text: CAME_EARLY,
    dependsOnOthers: true,
  },
  {
    when: (content) =>
      content.zeros || content.poison ||
      (isOld(content) && (content.inTxBlock !== false || content.wholeLines)),
    kind: "stale-tx",
    text: "the core read old data",
  },
  {
    when: ({ frame }) => frame !== null,
    kind: "torn",
    text: "the core read data of another frame",
  },
  {
    when: ({ wholeLines }) => wholeLines,
    kind: "stale-tx",
    text: "the core read wrong data in whole cache lines",
  },
  FOREIGN,
];

/** The core wrote other bytes than it read. */
const CORE: readonly ContentRule[] = [
  {
    when: (content) => {
      const { whole, poison, inRxBlock, asWritten } = content;
      return poison || (inRxBlock === true && !(whole && asWritten === true)) ||
        (whole && isOld(content) && asWritten !== true);
    },
    kind: "not-written",
    text: "the core did not overwrite the previous content",
  },
  ...WHOLE_FRAME,
  { when: ({ frame }) => frame !== null, kind: "torn", text: "data of another frame" },
  FOREIGN,
];

/** The CPU sees other bytes than the core wrote. */
const RX: readonly ContentRule[] = [
  {
    when: ({ whole, coreWroteNothing }) => whole && coreWroteNothing,
    kind: "not-written",
    blame: "core",
    text: "the core wrote nothing",
  },
  {
    when: (content) => isStaleInRx(content) && content.wholeLines,
    kind: "stale-rx",
    text: "a stale cache line on the CPU side",
  },
  {
    when: (content) => isStaleInRx(content) && content.atEdge && content.frame !== null,
    kind: "torn",
    text: "the rest of the frame was not written",
  },
  {
    when: isStaleInRx,
    kind: "not-written",
    text: "no cache caused this, because it is not a whole cache line",
  },
  ...WHOLE_FRAME,
  {
    when: ({ frame }) => frame !== null,
    kind: "torn",
    text: "data of another frame, which the core did not write",
  },
  {
    when: ({ wholeLines, unknown }) => wholeLines && unknown,
    kind: "stale-rx",
    text: "a stale cache line",
  },
  FOREIGN,
];

const NOT_WRITTEN = "either not written, or hidden by a stale cache line";

/** There are no check values, so only the shape and the previous content of the blocks decide. */
const NO_CHECK_VALUES: readonly ContentRule[] = [
  {
    when: ({ whole, poison, inRxBlock }) => whole && (poison || inRxBlock === true),
    kind: "not-written",
    text: NOT_WRITTEN,
  },
  {
    when: ({ poison, inRxBlock, wholeLines }) => (poison || inRxBlock === true) && !wholeLines,
    kind: "not-written",
    blame: "core",
    text: "no cache caused this, because it is not a whole cache line",
  },
  { when: ({ poison }) => poison, kind: "not-written", text: NOT_WRITTEN },
  {
    when: ({ inRxBlock, inTxBlock }) => inRxBlock === true && inTxBlock !== true,
    kind: "stale-rx",
    blame: "rx",
    text: "the previous content of the receive block",
  },
  {
    when: ({ inRxBlock }) => inRxBlock === true,
    kind: "stale-rx",
    text: "the previous content of the receive block",
  },
  {
    when: ({ inTxBlock, wholeLines, whole }) => inTxBlock === true && (wholeLines || whole),
    kind: "stale-tx",
    blame: "tx",
    text: "the previous content of the transmit block",
  },
  ...WHOLE_FRAME,
  { when: ({ frame }) => frame !== null, kind: "torn", text: "data of another frame" },
  FOREIGN,
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
  return rules.find(({ when }) => when(content)) ?? FOREIGN;
}
