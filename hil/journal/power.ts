// SPDX-License-Identifier: MIT
/**
 * What the controls of a run prove about its board.
 *
 * @module
 */
import { PATTERN_NAMES, patternNamed } from "../patterns/mod.ts";
import type { Evidence } from "../results/outcome.ts";
import type { BoardInfo, Power } from "../results/schema.ts";
import { plural } from "../text/format.ts";
import type { CaseResult } from "./lines.ts";

/**
 * Says what a pattern cannot reveal on any board.
 *
 * @param pattern The name of the pattern, if it is known
 * @returns A clause to append; empty if there is nothing to say
 */
export function patternWarning(pattern: string | undefined): string {
  if (pattern === undefined || !PATTERN_NAMES.includes(pattern)) return "";
  const { period } = patternNamed(pattern).create({ seed: 0, maxLength: 64 });
  if (period > 1) return "";
  return `; all frames of pattern ${pattern} are equal, so it cannot reveal a lost, repeated or stale one`;
}

/**
 * Judges all controls together, because a large frame may evict itself from the cache.
 *
 * @param board The board
 * @param controls The results of the controls
 * @returns What the controls proved about the board, and what was missing if they failed in one direction only
 */
export function judgePower(
  board: BoardInfo,
  controls: readonly CaseResult[],
): { power: Power } & Pick<Evidence, "control" | "half"> {
  const seen = { tx: direction(controls, "tx"), rx: direction(controls, "rx") };
  const tx = seen.tx === true && board.coherent !== true;
  const rx = seen.rx === true && board.coherent !== true;
  const used = (["tx", "rx"] as const).filter((name) => seen[name] !== null);
  const failed = used.filter((name) => seen[name] === true);
  const missed = used.filter((name) => seen[name] === false);

  if (board.coherent === true) {
    const detail = failed.length > 0
      ? `the board claims to be cache coherent, but policy none failed in ${failed.join(", ")}`
      : "the board is cache coherent, so a missing sync has no effect and policy none proves nothing";
    return {
      power: { coherence: false, tx, rx, detail },
      control: controls.length > 0 ? "powerless" : "absent",
    };
  }
  const judged = controls.some(({ outcome }) =>
    ["PASS", "FAIL", "XFAIL", "XPASS"].includes(outcome)
  );
  if (!judged) {
    const why = controls.length === 0
      ? "did not run"
      : `reached no result in ${plural(controls.length, "case")}`;
    const detail =
      `policy none ${why}, so it is unknown whether this board can reveal missing syncs`;
    return { power: { coherence: false, tx, rx, detail }, control: "absent" };
  }
  if (used.length === 0 && controls.some((result) => result.outcome === "XFAIL")) {
    const detail = "policy none failed, as it must, but the direction is unknown";
    return { power: { coherence: true, tx, rx, detail }, control: "powerful" };
  }
  const powerful = failed.length > 0 && missed.length === 0;
  let detail: string;
  let half: string | null = null;
  if (powerful && used.length === 2) {
    detail =
      "policy none failed in both directions, as it must: this board can reveal missing syncs";
  } else if (powerful) {
    detail = `policy none failed in ${used.join("")}, as it must: ` +
      `this board can reveal missing syncs there; nothing is known about the other direction`;
  } else if (failed.length > 0) {
    detail = `policy none failed in ${failed.join("")} only: ` +
      `this board cannot reveal a missing sync in ${missed.join("")}`;
    half =
      `Policy none failed in ${failed.join("")} only, and on a non-coherent board it must fail ` +
      `in both directions: this run cannot reveal a missing sync in ${missed.join("")}`;
  } else {
    detail = "policy none passed: this board cannot reveal a missing sync";
  }
  return {
    power: { coherence: powerful, tx, rx, detail },
    control: powerful ? "powerful" : "powerless",
    half,
  };
}

/** Whether a control failed because of a missing sync in a direction; `null` if no control used it. */
function direction(controls: readonly CaseResult[], name: "tx" | "rx"): boolean | null {
  const seen = controls.map((result) => result.evidence?.[name])
    .filter((value) => value !== undefined);
  return seen.length === 0 ? null : seen.includes(true);
}
