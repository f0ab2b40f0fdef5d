// SPDX-License-Identifier: MIT
/**
 * A sweep of attributes as lines of text.
 *
 * @module
 */

import type { Attributes } from "../../driver/attributes.ts";
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
  // without a value of its own AxUSER is that of the defaults
  const hasUser = sweep.rows.some(({ user }) => user !== undefined);
  const columns: readonly Column[] = [
    { title: "AxCACHE", cell: ({ cache }) => `${cache}`, isNumber: true },
    { title: "AxPROT", cell: ({ prot }) => `${prot}`, isNumber: true },
    ...(hasUser
      ? [{ title: "AxUSER", cell: ({ user }: SweptAttributes) => `${user ?? "-"}`, isNumber: true }]
      : []),
    { title: "tx: reads snoop", cell: ({ ports }) => ports.tx.snoops ?? "unknown" },
    { title: "MB/s", cell: ({ ports }) => rateOf(ports.tx), isNumber: true },
    { title: "rx: writes snoop", cell: ({ ports }) => ports.rx.snoops ?? "unknown" },
    { title: "MB/s", cell: ({ ports }) => rateOf(ports.rx), isNumber: true },
    { title: "", cell: (row) => noteOf(row, sweep) },
  ];
  const cells = columns.map(({ title, cell, isNumber = false }) => {
    const column = [title, ...sweep.rows.map(cell)];
    const width = Math.max(...column.map(({ length }) => length));
    return column.map((text) => isNumber ? text.padStart(width) : text.padEnd(width));
  });
  const table = ["", ...sweep.rows].map((_, row) =>
    `  ${cells.map((column) => column[row]).join("  ").trimEnd()}`
  );
  return [
    `${sweep.rows.length} attributes, ${sweep.repeats} times in each direction:`,
    ...table,
    ...reasons(sweep),
    sentence(sweep),
  ];
}

/** A column of the table. */
interface Column {
  readonly title: string;
  readonly cell: (row: SweptAttributes) => string;
  readonly isNumber?: boolean;
}

function rateOf({ megabytesPerSecond }: SweptPort): string {
  return megabytesPerSecond === null ? "-" : megabytesPerSecond.toFixed(0);
}

/** Which directions have these attributes without a sweep. */
function noteOf(row: SweptAttributes, { defaults }: Sweep): string {
  const own = DIRECTIONS.filter((direction) => isDefault(row, defaults[direction]));
  return own.length === 0 ? "" : own.length === 2 ? "default" : `default of ${own[0]}`;
}

function isDefault({ cache, prot, user }: Attributes, defaults: Required<Attributes>): boolean {
  return cache === defaults.cache && prot === defaults.prot &&
    (user ?? defaults.user) === defaults.user;
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
      both.some((one) => isDefault(one, sweep.defaults[direction]))
    );
    const { cache, prot, user } = example;
    const values = Object.entries({ axcache: cache, axprot: prot, axuser: user })
      .flatMap(([name, value]) => value === undefined ? [] : [`plumbline,${name} = <${value}>`]);
    return `Reads and writes snoop with ${nameAttributes(both)}` +
      (now
        ? "; the defaults are among them"
        : `: for example ${
          values.join(", ")
        } and dma-coherent in the core's node make the port coherent`);
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
