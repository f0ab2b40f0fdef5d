// SPDX-License-Identifier: MIT
/**
 * A sweep of attributes as lines of text.
 *
 * @module
 */

import { DIRECTIONS } from "../../driver/uapi.ts";
import { nameAttributes } from "./attributes.ts";
import { snooping, type Sweep, type SweptAttributes, type SweptPort } from "./sweep.ts";

/** The changes of a port that no attribute makes coherent, in words. */
const ELSE =
  "so look at the port, at snoops in the interconnect and at the broadcasts of the processors (docs/audit.md)";

/**
 * Write a sweep as text: a table, a line for each reason why an answer is unknown, and one sentence.
 *
 * @param sweep The sweep.
 * @returns Lines.
 */
export function renderSweep(sweep: Sweep): readonly string[] {
  const rows = [
    ["AxCACHE", "AxPROT", "tx: reads snoop", "MB/s", "rx: writes snoop", "MB/s", ""],
    ...sweep.rows.map((row) => [
      `${row.cache}`,
      `${row.prot}`,
      row.ports.tx.snoops ?? "unknown",
      rateOf(row.ports.tx),
      row.ports.rx.snoops ?? "unknown",
      rateOf(row.ports.rx),
      noteOf(row, sweep),
    ]),
  ];
  const widths = [0, 1, 2, 3, 4, 5].map((at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0))
  );
  const numbers = [0, 1, 3, 5];
  const table = rows.map((row) =>
    "  " +
    row.map((cell, at) =>
      numbers.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)
    ).join("  ").trimEnd()
  );
  return [
    `${sweep.rows.length} attributes, ${sweep.repeats} times in each direction:`,
    ...table,
    ...reasons(sweep),
    sentence(sweep),
  ];
}

function rateOf({ megabytesPerSecond }: SweptPort): string {
  return megabytesPerSecond === null ? "-" : megabytesPerSecond.toFixed(0);
}

/** Which directions have these attributes without a sweep. */
function noteOf({ cache, prot }: SweptAttributes, { defaults }: Sweep): string {
  const own = DIRECTIONS.filter((direction) =>
    defaults[direction].cache === cache && defaults[direction].prot === prot
  );
  return own.length === 0 ? "" : own.length === 2 ? "default" : `default of ${own[0]}`;
}

/** Why answers are unknown, the attributes with the same reason together. */
function reasons({ rows }: Sweep): string[] {
  return DIRECTIONS.flatMap((direction) => {
    const by = new Map<string, SweptAttributes[]>();
    for (const row of rows) {
      const { reason } = row.ports[direction];
      if (reason !== null) by.set(reason, [...by.get(reason) ?? [], row]);
    }
    return [...by].map(([reason, some]) => {
      const which = some.length === rows.length ? "with all" : `with ${nameAttributes(some)}`;
      return `  ${direction}: unknown ${which}, because ${reason}`;
    });
  });
}

/**
 * Say which attributes make the port coherent.
 *
 * @param sweep The sweep.
 * @returns One line.
 */
export function sentence(sweep: Sweep): string {
  const both = snooping(sweep);
  const most = Math.max(...both.map(({ cache }) => cache));
  const example = both.find(({ cache }) => cache === most);
  if (example !== undefined) {
    const now = DIRECTIONS.every((direction) =>
      both.some(({ cache, prot }) =>
        sweep.defaults[direction].cache === cache && sweep.defaults[direction].prot === prot
      )
    );
    return `Reads and writes snoop with ${nameAttributes(both)}` +
      (now
        ? "; the defaults are among them"
        : `: for example plumbline,axcache = <${example.cache}>, plumbline,axprot = <${example.prot}> ` +
          "and dma-coherent in the core's node make the port coherent");
  }
  const [reads, writes] = DIRECTIONS.map((direction) => snooping(sweep, [direction])) as [
    ReturnType<typeof snooping>,
    ReturnType<typeof snooping>,
  ];
  const unknown =
    sweep.rows.filter(({ ports }) => ports.tx.snoops === null || ports.rx.snoops === null).length;
  if (unknown === sweep.rows.length) {
    return "This board does not show which attributes would make the port coherent";
  }
  const rest = unknown === 0 ? "" : ` (${unknown} of ${sweep.rows.length} are unknown)`;
  if (reads.length === 0 && writes.length === 0) {
    return `None of these attributes${rest} makes reads or writes always snoop, ${ELSE}`;
  }
  const how = (access: string, some: ReturnType<typeof snooping>) =>
    `${access} snoop with ${some.length === 0 ? "none of them" : nameAttributes(some)}`;
  return `None of these attributes${rest} makes both directions snoop: ${how("reads", reads)}; ${
    how("writes", writes)
  }`;
}
