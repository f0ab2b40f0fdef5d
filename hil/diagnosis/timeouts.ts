// SPDX-License-Identifier: MIT
/**
 * What the board showed when a completion did not come: which side completed, and how much of the frame the
 * receive block holds.
 *
 * @module
 */
import { plural } from "../text/format.ts";
import type { TimeoutEvidence } from "../results/schema.ts";
import type { Group } from "./groups.ts";
import type { CaseRow } from "./observations.ts";
import type { Finding, Signature } from "./signature.ts";

type Transfer = Exclude<Signature["transfer"], "unknown">;

/** What moved, and how a sentence says it. The first rule that applies to a timeout decides. */
const RULES: readonly {
  readonly value: Transfer;
  readonly when: (late: TimeoutEvidence) => boolean;
  readonly text: string;
}[] = [
  {
    value: "arrived",
    // an interrupt that came excludes both causes
    when: ({ direction, arrived, size, interrupts }) =>
      direction === "rx" && arrived !== null && arrived >= size && (interrupts ?? 0) === 0,
    text: "the whole frame was in the receive block",
  },
  {
    value: "stopped",
    when: ({ direction, arrived, size }) =>
      direction === "rx" && arrived !== null && arrived > 0 && arrived < size,
    text: "the data stopped within the frame",
  },
  {
    value: "sent",
    when: ({ direction, arrived, changed, transmitted }) =>
      direction === "rx" && arrived === 0 && changed === false && transmitted === true,
    text: "the frame was sent, and nothing arrived in the receive block",
  },
  {
    value: "nothing",
    when: ({ direction, arrived, changed, transmitted }) =>
      direction === "rx" && arrived === 0 && changed === false && transmitted === false,
    text: "nothing moved in either direction",
  },
];

/** Frames moved before, so clock, reset and address are right. */
const HALTED = {
  value: "halted",
  text: "nothing moved in either direction, although frames moved before",
} as const;

/**
 * Finds what moved before the timeouts of a group.
 *
 * @param group The group
 * @param all All cases of the run
 * @returns The finding; `unknown` if the board did not show it, or if the timeouts differ
 */
export function transferOf(
  { cases, damage }: Pick<Group, "cases" | "damage">,
  all: readonly CaseRow[],
): Finding<Signature["transfer"]> {
  // of a completion that is missing, the next one shows more
  if (damage[0] !== "timeout") return { value: "unknown" };
  // a ring does not show its blocks, and an engine that is not idle may still hold them
  const late = cases.flatMap(({ test: { late } }) =>
    late === undefined || late.direction === null || late.arrived === null ? [] : [late]
  );
  if (late.length === 0) return { value: "unknown" };
  // a timeout that shows something else excludes nothing
  const found = late.map((one) => RULES.find(({ when }) => when(one)))
    .filter((rule) => rule !== undefined);
  // of timeouts in which less than a frame arrived, the one in which most moved tells the cause
  const first = RULES.find((rule) => found.includes(rule));
  if (first === undefined || 2 * found.length < late.length) return { value: "unknown" };
  if (first.value === "arrived" && found.some((one) => one !== first)) return { value: "unknown" };
  const same = found.filter((one) => one === first).length;
  const moved = all.some(({ frames }) => frames > 0);
  const { value, text } = first.value === "nothing" && moved ? HALTED : first;
  return {
    value,
    text: `In ${
      same === late.length
        ? plural(same, "timeout")
        : `${same} of ${plural(late.length, "timeout")}`
    }, ${text}`,
  };
}
