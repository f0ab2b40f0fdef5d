// SPDX-License-Identifier: MIT
/**
 * An audit as lines of text.
 *
 * @module
 */

import { type Direction, DIRECTIONS } from "../../driver/uapi.ts";
import type { Audit, PortAudit } from "./mod.ts";

/** What each direction does with memory, seen from the device. */
const ACCESS = { tx: "reads", rx: "writes" } as const satisfies Record<Direction, string>;

/** What a driver's sync call does to the cache. */
const DRIVER = { syncs: "syncs", nothing: "no syncs", partly: "syncs in part" } as const;

/** An audit as text. */
export interface AuditText {
  /** What was done. */
  readonly heading: string;
  /** A table of both directions, the verdict, and the change with its source, in lines. */
  readonly body: readonly string[];
  /** The line with the verdict, which is also in the body. */
  readonly verdict: string;
}

/**
 * Write an audit as text.
 *
 * @param found The audit.
 * @returns The text.
 */
export function renderAudit(found: Audit): AuditText {
  const rows = [
    ["", "hardware snoops", "kernel says", "driver makes", "verdict"],
    ...DIRECTIONS.map((direction) => row(direction, found)),
  ];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map((one) => one[at]?.length ?? 0)));
  const verdict = `${found.verdict.toUpperCase()}: ${sentence(found)}`;
  return {
    heading:
      `${found.lines} lines of ${found.line} bytes, ${found.repeats} times in each direction`,
    body: [
      ...rows.map((one) =>
        one.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ").trimEnd()
      ),
      ...DIRECTIONS.map((direction) => evidence(direction, found.ports[direction])),
      verdict,
      ...change(found),
    ],
    verdict,
  };
}

function row(direction: Direction, { ports, coherent }: Audit): string[] {
  const { snoops, driver, verdict } = ports[direction];
  return [
    `  ${direction}`,
    snoops ?? "unknown",
    coherent ? "coherent" : "needs syncs",
    driver === null ? "unknown" : DRIVER[driver],
    verdict,
  ];
}

function evidence(direction: Direction, { reason, lines, control, pattern }: PortAudit): string {
  if (reason !== null) return `  ${direction}: unknown, because ${reason}`;
  const { missed, snooped, unclear } = lines;
  const held = control === null
    ? ""
    : `; without a device ${control.held} of ${
      control.held + control.lost
    } stores stayed in the cache`;
  const how = pattern === null
    ? ""
    : pattern === "same lines"
    ? "; the same lines miss each time"
    : "; which lines miss differs each time";
  return `  ${direction}: ${snooped} lines snooped, ${missed} missed, ${unclear} unclear${how}${held}`;
}

/** What the verdict means here. */
function sentence({ ports, coherent, verdict }: Audit): string {
  const which = (wanted: string): string =>
    DIRECTIONS.filter((direction) => ports[direction].verdict === wanted)
      .map((direction) => ACCESS[direction]).join(" and ");
  switch (verdict) {
    case "right":
      return coherent
        ? "the device snoops what it reads and writes, and the kernel knows it"
        : "the driver's syncs hand over what the device does not snoop";
    case "corrupt":
      return coherent
        ? `the kernel takes the device for coherent, but its ${
          which("corrupt")
        } do not always snoop`
        : `the device's ${
          which("corrupt")
        } do not always snoop, and the driver's syncs do not help`;
    case "slow":
      return `the device's ${
        which("slow")
      } snoop, so that their syncs and uncached memory cost time for nothing`;
    case "unknown":
      return "this board does not show what the hardware snoops";
  }
}

function change({ fix, verdict }: Audit): string[] {
  if (fix === null) return verdict === "right" ? ["Nothing has to change"] : [];
  const others = fix.otherwise.length === 0 ? [] : [
    fix.unless,
    ...fix.otherwise.map(({ change, source }, i) => `  ${i + 1}. ${change} (${source})`),
  ];
  return [`Change: ${fix.change}`, `Source: ${fix.source}`, ...others];
}
