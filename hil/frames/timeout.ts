// SPDX-License-Identifier: MIT
/**
 * What a timeout means. After a completion did not come in time, a flow looks at what the board shows: the
 * completion of the other direction, the bytes in the receive block, whether the engine is idle, interrupts and
 * the kernel log. The rules below turn that into one sentence. They are data: the first one that applies decides.
 *
 * @module
 */

import type { TimeoutEvidence } from "../results/schema.ts";
import { plural } from "../text/format.ts";

/** One row of the table. */
export interface TimeoutRule {
  /** A short name, which is unique. */
  readonly id: string;
  /** Whether the rule applies. */
  readonly when: (evidence: TimeoutEvidence) => boolean;
  /** What the evidence shows, and what it leaves open. */
  readonly text: (evidence: TimeoutEvidence) => string;
}

/** Whether the transmit transfer completed, as part of a sentence. */
const sent = ({ transmitted }: TimeoutEvidence) =>
  transmitted === true
    ? "; the frame was sent completely"
    : transmitted === false
    ? "; the transmit transfer did not complete either"
    : "";

/** What a receive block that no completion returns may mean, although the engine got the whole frame. */
const NO_TLAST = "the block is full and no TLAST was seen, because the frame is longer than the " +
  "block or its TLAST is missing";

const whole = ({ size, arrived }: TimeoutEvidence) => arrived !== null && arrived >= size;

/** What the bits say in the line "has errors" of the driver `xilinx_dma` (its XILINX_DMA_DMASR_*). */
const ERRORS: readonly (readonly [bit: number, text: string])[] = [
  [0x10, "an internal error, such as a length of 0"],
  [0x20, "an access to memory got an error response"],
  [0x40, "nothing answers at an address"],
  [0x100, "an internal error of scatter-gather"],
  [0x200, "an access to a descriptor got an error response"],
  [0x400, "nothing answers at the address of a descriptor"],
];

/** The errors that the driver of the engine logged, as a number of bits; 0 for none. */
function loggedErrors({ log }: TimeoutEvidence): number {
  return log.map((line) => parseInt(/\bhas errors ([0-9a-f]+)\b/.exec(line)?.[1] ?? "0", 16))
    .reduce((all, one) => all | one, 0);
}

/** The rules, in their order. */
export const TIMEOUT_RULES: readonly TimeoutRule[] = [
  {
    id: "engine reported an error",
    when: (e) => loggedErrors(e) > 0,
    text: (e) => {
      const bits = loggedErrors(e);
      const known = ERRORS.filter(([bit]) => (bits & bit) !== 0).map(([, text]) => text);
      return `the engine stopped with errors ${bits.toString(16)}` +
        (known.length === 0 ? "" : `: ${known.join("; ")}`);
    },
  },
  {
    id: "engine does not reset",
    when: ({ log }) => log.some((line) => line.includes("reset timeout")),
    text: () =>
      "the engine did not halt, and its reset did not end: an access to memory gets no answer, or the " +
      "clock of the engine stopped",
  },
  {
    id: "interrupt without completion",
    when: (e) => e.direction === "rx" && whole(e) && (e.interrupts ?? 0) > 0,
    text: ({ size }) =>
      `all ${
        plural(size, "byte")
      } are in the receive block and an interrupt came, but the engine's ` +
      "driver reported no completion",
  },
  {
    id: "completion lost",
    when: (e) => e.direction === "rx" && whole(e) && e.interrupts === 0,
    text: ({ size }) =>
      `all ${
        plural(size, "byte")
      } are in the receive block, and no interrupt came: either ${NO_TLAST}, or the interrupt is ` +
      "lost or not connected",
  },
  {
    id: "data without completion",
    when: (e) => e.direction === "rx" && whole(e),
    text: ({ size }) =>
      `data arrived, completion did not: all ${plural(size, "byte")} are in the receive block. ` +
      `Either ${NO_TLAST}, or the interrupt is lost`,
  },
  {
    id: "core stopped within the frame",
    when: (e) => e.direction === "rx" && (e.arrived ?? 0) > 0,
    text: (e) =>
      `${e.arrived} of ${plural(e.size, "byte")} are in the receive block, then the data stopped` +
      sent(e),
  },
  {
    id: "other data arrived",
    when: (e) => e.direction === "rx" && e.arrived === 0 && e.changed === true,
    text: () => "bytes in the receive block changed, but they do not begin with this frame",
  },
  {
    id: "sent but nothing arrived",
    when: (e) => e.direction === "rx" && e.arrived === 0 && e.transmitted === true,
    text: () =>
      "the frame was sent completely, and nothing arrived in the receive block: the core keeps the data, " +
      "or the writes go to another address",
  },
  {
    id: "nothing moved",
    when: (e) =>
      e.arrived === 0 &&
      (e.direction === "rx" ? e.transmitted === false : e.direction === "tx" && !e.changed),
    text: () =>
      "nothing moved in either direction: check the clock and the reset of the logic, and the address of " +
      "the engine",
  },
  {
    id: "received but tx completion missing",
    when: (e) => e.direction === "tx" && whole(e),
    text: ({ size, interrupts }) =>
      `all ${
        plural(size, "byte")
      } went through the core, so the data were sent, but their transmit ` +
      `completion did not come: ${
        interrupts === 0 ? "no interrupt came" : "the interrupt is lost, or the driver missed it"
      }`,
  },
  {
    id: "transmit stopped",
    when: (e) => e.direction === "tx" && e.arrived !== null,
    text: ({ arrived, size }) =>
      `the transmit transfer did not complete, and ${arrived} of ${
        plural(size, "byte")
      } came out of the ` +
      "core",
  },
  {
    id: "engine holds the block",
    when: (e) => e.idle === false && e.arrived === null && e.direction !== null,
    text: (e) =>
      "the engine still holds the receive block, so it is unknown what arrived" +
      (e.direction === "rx" ? sent(e) : "") +
      (e.direction === "rx" && e.transmitted === true
        ? `. Either ${NO_TLAST}, or a part of the frame or the interrupt is lost`
        : ""),
  },
  {
    id: "unknown",
    when: () => true,
    text: () => "the board does not show more",
  },
];

/**
 * Finds the rule that applies.
 *
 * @param evidence What the board shows
 * @returns The first rule that applies
 */
export function timeoutRule(evidence: TimeoutEvidence): TimeoutRule {
  const rule = TIMEOUT_RULES.find(({ when }) => when(evidence));
  if (rule === undefined) throw new Error("Expected the last rule to apply, found none");
  return rule;
}

/**
 * Describes a timeout in one line.
 *
 * @param evidence What the board shows
 * @param message What the driver said
 * @returns The frame, what is missing, and what the evidence shows
 */
export function describeTimeout(evidence: TimeoutEvidence, message: string): string {
  const { frame, primer, idle, log } = evidence;
  const where = primer ? "the primer, before frame 0" : `frame ${frame}`;
  const hung = idle === false ? "; RESET could not prove that the engine is idle" : "";
  const logged = log.length === 0 ? "" : `; the kernel logged: ${log.join(" | ")}`;
  return `${where}: ${message}: ${timeoutRule(evidence).text(evidence)}${hung}${logged}`;
}
