// SPDX-License-Identifier: MIT
/**
 * The bench for a person: the tables of 2015, what else was measured, and the advice.
 *
 * @module
 */

import type { Advice, Crossover, Measurement, Results } from "../results/schema.ts";
import { bytes, fold } from "../text/text.ts";

/** A measurement, and what it is of. */
interface Figure {
  readonly policy: string;
  readonly at: Readonly<Record<string, string | number | boolean>>;
  readonly one: Measurement;
}

/** What a figure must have been measured at. */
type At = Readonly<Record<string, string | number | boolean>>;

const SYNC_CALLS = ["for_device tx", "for_device rx", "for_cpu rx", "for_cpu tx"];

/** Bytes that were read in 2015: byte by byte, in 20 s, against 1 s in ordinary memory. */
const OF_2015 = 200e6;

/**
 * Write what a bench measured. Every line has at most 80 columns.
 *
 * @param results The results
 * @returns The text, without a last end of line; null when nothing of a bench is in them
 */
export function renderBench(results: Results): string | null {
  const figures = new Figures(results);
  const advice = results.advice ?? [];
  const parts = [
    ...throughput(figures),
    syncCalls(figures),
    handover(figures),
    userPages(figures),
    access(figures),
    latency(figures),
    overhead(figures),
    crossovers(results.crossovers ?? []),
    advised(advice),
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  return [...heading(results), ...parts].join("\n\n");
}

/** All measurements of a run that say what they are of. */
class Figures {
  readonly #byName: Map<string, Figure[]>;

  constructor(results: Results) {
    const all = results.tests.flatMap((test) =>
      test.measurements.filter(({ at }) => at !== undefined).map((one): Figure => ({
        policy: test.policy ?? "-",
        at: one.at ?? {},
        one,
      }))
    );
    this.#byName = Map.groupBy(all, ({ one }) => one.name);
  }

  of(name: string, at: At = {}): Figure[] {
    return (this.#byName.get(name) ?? [])
      .filter((figure) => Object.entries(at).every(([key, value]) => figure.at[key] === value));
  }

  find(name: string, policy: string, at: At): Measurement | undefined {
    return this.of(name, at).find((figure) => figure.policy === policy)?.one;
  }
}

function heading({ board, run, summary }: Results): string[] {
  const lines: string[] = [];
  if (board.simulated) {
    lines.push(
      "SIMULATED: figures of a virtual board. They say nothing about hardware, and only",
      "ratios within one run mean something." +
        (board.kind === "sim" ? " Their time is virtual where a call waits." : ""),
    );
  }
  if (run.cut !== undefined) lines.push(`PARTIAL: ${run.cut}.`);
  const failed = summary.fail + summary.timeout;
  if (failed > 0) {
    const cases = failed === 1 ? "1 case" : `${failed} cases`;
    lines.push(`FAILED: ${cases}, see below; what failed is never advised.`);
  }
  return lines.length === 0 ? [] : [lines.join("\n")];
}

function throughput(figures: Figures): string[] {
  const kinds = [
    ["both ways, data untouched", { direction: "loop", touched: false }],
    ["transmit, each frame filled by the CPU before", { direction: "tx", touched: true }],
    ["receive, each frame read whole by the CPU after", { direction: "rx", touched: true }],
    ["both ways, filled and read", { direction: "loop", touched: true }],
  ] as const;
  const tables = kinds.map(([title, at]) =>
    bySize(`Throughput, MB/s: ${title}`, deepest(figures.of("throughput", at)))
  );
  const cpu = bySize(
    "Processor time of that, % of one processor, user and system",
    deepest(figures.of("cpu share", { direction: "loop", touched: true })),
  );
  return [...tables, cpu].filter((table) => table !== null);
}

/** Of each policy and size the figure with most frames under way. */
function deepest(figures: readonly Figure[]): Figure[] {
  const depth = ({ at }: Figure): number => Number(at["depth"]);
  const groups = Map.groupBy(figures, ({ policy, at }) => `${policy} ${at["size"]}`);
  return [...groups.values()].flatMap((some) =>
    some.toSorted((a, b) => depth(b) - depth(a)).slice(0, 1)
  );
}

/** Policies down, sizes across. */
function bySize(title: string, figures: readonly Figure[]): string | null {
  if (figures.length === 0) return null;
  const sizes = sorted(figures);
  const policies = [...new Set(figures.map(({ policy }) => policy))];
  return table(
    title,
    ["policy", ...sizes.map(bytes)],
    policies.map((policy) => [
      policy,
      ...sizes.map((size) =>
        number(figures.find((one) => one.policy === policy && one.at["size"] === size)?.one.value)
      ),
    ]),
  );
}

/** The table of 2015. */
function syncCalls(figures: Figures): string | null {
  const calls = figures.of("sync call").filter(({ policy }) => policy === "streaming");
  if (calls.length === 0) return null;
  const rows = sorted(calls).map((size) => [
    bytes(size),
    ...SYNC_CALLS.map((call) => scattered(figures.find("sync call", "streaming", { size, call }))),
    number(figures.find("memcpy", "streaming", { size })?.value),
  ]);
  return table(
    "The four sync calls of streaming alone, µs: median, ± 45 % of the samples",
    ["size", ...SYNC_CALLS, "memcpy"],
    rows,
  );
}

function handover(figures: Figures): string | null {
  const times = deepest(figures.of("handover time", { direction: "loop", touched: true }));
  if (times.length === 0) return null;
  const sizes = sorted(times);
  const policies = [...new Set(times.map(({ policy }) => policy))];
  return table(
    "Handing over (sync, map, pin, copy) both ways, µs a frame; bytes synced per byte",
    ["policy", ...sizes.map(bytes), "B/B"],
    policies.map((policy) => {
      const own = times.filter((figure) => figure.policy === policy);
      const last = own.at(-1);
      return [
        policy,
        ...sizes.map((size) => number(own.find(({ at }) => at["size"] === size)?.one.value)),
        number(last && figures.find("bytes synced per byte", policy, last.at)?.value),
      ];
    }),
  );
}

function userPages(figures: Figures): string | null {
  const pins = figures.of("pin and map").filter(({ policy }) => policy === "user-pages");
  const copies = figures.of("copy").filter(({ policy }) => policy === "bounce");
  if (pins.length === 0 && copies.length === 0) return null;
  const of = (name: string, policy: string, size: number, direction: string): string =>
    number(figures.find(name, policy, { size, direction })?.value);
  return table(
    "User pages against copying, µs a frame; and per page, ns",
    ["size", "pin+map tx", "rx", "unmap tx", "rx", "ns a page", "copy tx", "rx"],
    sorted([...pins, ...copies]).map((size) => [
      bytes(size),
      of("pin and map", "user-pages", size, "tx"),
      of("pin and map", "user-pages", size, "rx"),
      of("unmap and unpin", "user-pages", size, "tx"),
      of("unmap and unpin", "user-pages", size, "rx"),
      of("pin and map per page", "user-pages", size, "tx"),
      of("copy", "bounce", size, "tx"),
      of("copy", "bounce", size, "rx"),
    ]),
  );
}

function access(figures: Figures): string | null {
  const all = figures.of("cpu access");
  if (all.length === 0) return null;
  const size = Math.max(...sorted(all));
  const kinds = ["byte read", "word read", "memcpy out", "memcpy in"];
  const policies = [...new Set(figures.of("cpu access", { size }).map(({ policy }) => policy))];
  const rate = (policy: string, access: string, memory: string): number | undefined =>
    figures.find("cpu access", policy, { size, access, memory })?.value;
  const [first = ""] = policies;
  const took = (policy: string, memory: string): string =>
    number(OF_2015 / 1e6 / (rate(policy, "byte read", memory) ?? NaN));
  return table(
    `The CPU reaching ${bytes(size)}, MB/s; 200 MB byte by byte: there / ordinary memory`,
    ["memory", "by byte", "by word", "copy out", "copy in", "200 MB, s"],
    [
      ["ordinary", ...kinds.map((access) => number(rate(first, access, "ordinary")))],
      ...policies.map((policy) => [
        policy,
        ...kinds.map((access) => number(rate(policy, access, "block"))),
        `${took(policy, "block")} / ${took(policy, "ordinary")}`,
      ]),
    ],
  );
}

function latency(figures: Figures): string | null {
  const all = figures.of("completion latency").filter(({ one }) => one.spread !== undefined);
  const trips = figures.of("ioctl round trip");
  if (all.length === 0 && trips.length === 0) return null;
  const row = (name: string, size: string, one: Measurement | undefined): string[] => [
    ...[name, size, number(one?.value), number(one?.spread?.min), number(one?.spread?.p5)],
    ...[number(one?.spread?.p95), number(one?.spread?.max), String(one?.spread?.samples ?? "")],
  ];
  return table(
    "From ENQUEUE to waking up with the frame, µs",
    ["policy", "size", "median", "min", "5 %", "95 %", "max", "samples"],
    [
      ...trips.slice(0, 1).map(({ one }) => row("an ioctl alone", "", one)),
      ...all.map(({ policy, at, one }) => row(policy, bytes(Number(at["size"])), one)),
    ],
  );
}

function overhead(figures: Figures): string | null {
  const ratios = figures.of("deno over c");
  if (ratios.length === 0) return null;
  return table(
    "The bench's own overhead: one verifying loop in Deno and in C, same run, MB/s",
    ["size", "Deno", "C", "Deno / C"],
    ratios.map(({ policy, at, one }) => [
      bytes(Number(at["size"])),
      scattered(figures.find("deno loop", policy, at)),
      scattered(figures.find("c loop", policy, at)),
      scattered(one),
    ]),
  );
}

function crossovers(all: readonly Crossover[]): string | null {
  if (all.length === 0) return null;
  const lines = Map.groupBy(all, ({ use }) => use).entries().toArray().flatMap(([use, some]) => [
    `  ${use}`,
    ...some.flatMap(({ detail }) => fold(`    ${detail}`, 80, "  ")),
  ]);
  return ["Crossovers", ...lines].join("\n");
}

function advised(all: readonly Advice[]): string | null {
  if (all.length === 0) return null;
  const lines = Map.groupBy(all, ({ use }) => use).entries().toArray().flatMap(([use, some]) => [
    `  ${use}`,
    ...some.flatMap(({ size, policy, value, unit, runnerUp, ratio, why }) => [
      `    ${bytes(size).padStart(7)}  ${policy ?? "none of them"}` +
      (value === null ? "" : `, ${number(value)} ${unit}`) +
      (runnerUp === null
        ? ""
        : ratio === null
        ? `: alike to ${runnerUp}`
        : `: ${number(ratio)} x ${runnerUp}`),
      // the heading says it once for all
      ...fold(" ".repeat(13) + why.replace(/^SIMULATED[^:]*: /, ""), 80, ""),
    ]),
  ]);
  return ["Advice, by payload per second, then by processor time", ...lines].join("\n");
}

/** Sizes of figures, smallest first. */
function sorted(figures: readonly Figure[]): number[] {
  return [...new Set(figures.map(({ at }) => Number(at["size"])))].sort((a, b) => a - b);
}

/** A median, and how far from each other 5 and 95 % of the samples are, halved. */
function scattered(one: Measurement | undefined): string {
  if (one?.spread === undefined || one.value === 0) return number(one?.value);
  const half = (one.spread.p95 - one.spread.p5) / 2 / one.value;
  return `${number(one.value)} ±${Math.round(half * 100)}%`;
}

/** Three digits. */
function number(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "";
  if (value === 0) return "0";
  if (Math.abs(value) >= 99.95) return value.toFixed(0);
  if (Math.abs(value) < 0.005) return "<0.01";
  return value.toFixed(Math.abs(value) >= 9.995 ? 1 : 2);
}

/** A title, a head and rows: the first column to the left, the others to the right. */
function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | undefined)[])[],
): string {
  const lines = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length)));
  const write = (line: readonly (string | undefined)[]): string =>
    widths.map((width, i) => {
      const cell = line[i] ?? "";
      return i === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd();
  return [title, ...lines.map((line) => `  ${write(line)}`)].join("\n");
}
