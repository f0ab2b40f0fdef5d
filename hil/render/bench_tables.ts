// SPDX-License-Identifier: MIT
/**
 * The results of a benchmark as tables, and the recommended policies.
 *
 * @module
 */

import type { Advice, Crossover, Measurement, Results } from "../results/schema.ts";
import { formatBytes, plural } from "../text/format.ts";
import { wrap } from "../text/text.ts";
import { MEMORY_LOOP } from "../results/memory_loop.ts";

/** The conditions of a measurement. */
type Conditions = Readonly<Record<string, string | number | boolean>>;

/** A measurement with its policy. */
interface Entry {
  readonly policy: string;
  readonly at: Conditions;
  readonly one: Measurement;
}

const SYNC_CALLS = ["for_device tx", "for_device rx", "for_cpu rx", "for_cpu tx"];

/**
 * The bytes that the driver of 2015 was measured with: reading them one by one took 20 s from a block and
 * 1 s from ordinary memory.
 */
const OF_2015 = 200e6;

/**
 * Renders the measurements of a benchmark. No line is longer than 80 columns.
 *
 * @param results The results
 * @returns The text, without a line feed at the end; null if the results hold no benchmark
 */
export function renderBench(results: Results): string | null {
  const entries = new Entries(results);
  const advice = results.advice ?? [];
  const parts = [
    ...throughput(entries),
    syncCalls(entries),
    handover(entries),
    userPages(entries),
    access(entries),
    latency(entries),
    idleGaps(entries),
    overhead(entries),
    crossovers(results.crossovers ?? []),
    recommendations(advice),
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  return [...heading(results), ...parts].join("\n\n");
}

/** The measurements of a run that have conditions. */
class Entries {
  readonly #byName: Map<string, Entry[]>;

  constructor(results: Results) {
    const all = results.tests.flatMap((test) =>
      test.measurements.filter(({ at }) => at !== undefined).map((one): Entry => ({
        policy: test.policy ?? "-",
        at: one.at ?? {},
        one,
      }))
    );
    this.#byName = Map.groupBy(all, ({ one }) => one.name);
  }

  /** All measurements of a name under the given conditions. */
  filter(name: string, at: Conditions = {}): Entry[] {
    return (this.#byName.get(name) ?? [])
      .filter((entry) => Object.entries(at).every(([key, value]) => entry.at[key] === value));
  }

  /** The first measurement of a name and a policy under the given conditions. */
  find(name: string, policy: string, at: Conditions): Measurement | undefined {
    return this.filter(name, at).find((entry) => entry.policy === policy)?.one;
  }
}

function heading({ board, run, summary }: Results): string[] {
  const lines: string[] = [];
  if (board.simulated) {
    lines.push(
      "SIMULATED: measured on a virtual board. The values say nothing about hardware.",
      "Only ratios within one run have a meaning." +
        (board.kind === "sim" ? " Calls that wait take simulated time." : ""),
    );
  }
  if (board.memoryLoop === true) lines.push(`This is a ${MEMORY_LOOP}.`);
  if (run.cut !== undefined) lines.push(`PARTIAL: ${run.cut}.`);
  const failed = summary.fail + summary.timeout;
  if (failed > 0) {
    lines.push(`FAILED: ${plural(failed, "case")}, see below; a failed policy is not recommended.`);
  }
  return lines.length === 0 ? [] : [lines.join("\n")];
}

function throughput(entries: Entries): string[] {
  const kinds = [
    ["loop, data not accessed", { direction: "loop", touched: false }],
    ["transmit, the CPU fills each frame first", { direction: "tx", touched: true }],
    ["receive, the CPU then reads each whole frame", { direction: "rx", touched: true }],
    ["loop, frames filled and read", { direction: "loop", touched: true }],
  ] as const;
  const tables = kinds.map(([title, at]) =>
    bySize(`Throughput, MB/s: ${title}`, deepest(entries.filter("throughput", at)))
  );
  const cpu = bySize(
    "Processor time of that loop, % of one processor, user and system",
    deepest(entries.filter("cpu share", { direction: "loop", touched: true })),
  );
  return [...tables, cpu].filter((table) => table !== null);
}

/** Keeps the measurement with the deepest queue for each policy and size. */
function deepest(entries: readonly Entry[]): Entry[] {
  const depth = ({ at }: Entry): number => Number(at["depth"]);
  const groups = Map.groupBy(entries, ({ policy, at }) => `${policy} ${at["size"]}`);
  return [...groups.values()].flatMap((some) =>
    some.toSorted((a, b) => depth(b) - depth(a)).slice(0, 1)
  );
}

/** Renders a row for each policy and a column for each size. */
function bySize(title: string, entries: readonly Entry[]): string | null {
  if (entries.length === 0) return null;
  const sizes = sorted(entries);
  const policies = [...new Set(entries.map(({ policy }) => policy))];
  return table(
    title,
    ["policy", ...sizes.map(formatBytes)],
    policies.map((policy) => [
      policy,
      ...sizes.map((size) =>
        number(entries.find((one) => one.policy === policy && one.at["size"] === size)?.one.value)
      ),
    ]),
  );
}

/** Renders the sync calls as they were measured for the driver of 2015. */
function syncCalls(entries: Entries): string | null {
  const calls = entries.filter("sync call").filter(({ policy }) => policy === "streaming");
  if (calls.length === 0) return null;
  const rows = sorted(calls).map((size) => [
    formatBytes(size),
    ...SYNC_CALLS.map((call) => withSpread(entries.find("sync call", "streaming", { size, call }))),
    number(entries.find("memcpy", "streaming", { size })?.value),
  ]);
  return table(
    "The four sync calls of policy streaming, µs: median ± half the 5–95 % range",
    ["size", ...SYNC_CALLS, "memcpy"],
    rows,
  );
}

function handover(entries: Entries): string | null {
  const times = deepest(entries.filter("handover time", { direction: "loop", touched: true }));
  if (times.length === 0) return null;
  const sizes = sorted(times);
  const policies = [...new Set(times.map(({ policy }) => policy))];
  return table(
    "Handing a frame over (sync, map, pin, copy), µs per frame; bytes synced per byte",
    ["policy", ...sizes.map(formatBytes), "B/B"],
    policies.map((policy) => {
      const own = times.filter((entry) => entry.policy === policy);
      const last = own.at(-1);
      return [
        policy,
        ...sizes.map((size) => number(own.find(({ at }) => at["size"] === size)?.one.value)),
        number(last && entries.find("bytes synced per byte", policy, last.at)?.value),
      ];
    }),
  );
}

function userPages(entries: Entries): string | null {
  const pins = entries.filter("pin and map").filter(({ policy }) => policy === "user-pages");
  const copies = entries.filter("copy").filter(({ policy }) => policy === "bounce");
  if (pins.length === 0 && copies.length === 0) return null;
  const cell = (name: string, policy: string, size: number, direction: string): string =>
    number(entries.find(name, policy, { size, direction })?.value);
  return table(
    "User pages compared with copying, µs per frame; pin and map per page, ns",
    ["size", "pin+map tx", "rx", "unmap tx", "rx", "ns/page", "copy tx", "rx"],
    sorted([...pins, ...copies]).map((size) => [
      formatBytes(size),
      cell("pin and map", "user-pages", size, "tx"),
      cell("pin and map", "user-pages", size, "rx"),
      cell("unmap and unpin", "user-pages", size, "tx"),
      cell("unmap and unpin", "user-pages", size, "rx"),
      cell("pin and map per page", "user-pages", size, "tx"),
      cell("copy", "bounce", size, "tx"),
      cell("copy", "bounce", size, "rx"),
    ]),
  );
}

function access(entries: Entries): string | null {
  const all = entries.filter("cpu access");
  if (all.length === 0) return null;
  const size = Math.max(...sorted(all));
  const kinds = ["byte read", "word read", "memcpy out", "memcpy in"];
  const policies = [...new Set(entries.filter("cpu access", { size }).map(({ policy }) => policy))];
  const rate = (policy: string, access: string, memory: string): number | undefined =>
    entries.find("cpu access", policy, { size, access, memory })?.value;
  const [first = ""] = policies;
  const secondsFor = (policy: string, memory: string): string =>
    number(OF_2015 / 1e6 / (rate(policy, "byte read", memory) ?? NaN));
  return table(
    `CPU access to ${formatBytes(size)}, MB/s; reading 200 MB by byte: block / ordinary memory`,
    ["memory", "by byte", "by word", "copy out", "copy in", "200 MB, s"],
    [
      ["ordinary", ...kinds.map((access) => number(rate(first, access, "ordinary")))],
      ...policies.map((policy) => [
        policy,
        ...kinds.map((access) => number(rate(policy, access, "block"))),
        `${secondsFor(policy, "block")} / ${secondsFor(policy, "ordinary")}`,
      ]),
    ],
  );
}

function latency(entries: Entries): string | null {
  const all = entries.filter("completion latency").filter(({ one }) => one.spread !== undefined);
  const trips = entries.filter("ioctl round trip");
  if (all.length === 0 && trips.length === 0) return null;
  const row = (name: string, size: string, one: Measurement | undefined): string[] => [
    ...[name, size, number(one?.value), number(one?.spread?.min), number(one?.spread?.p5)],
    ...[number(one?.spread?.p95), number(one?.spread?.max), String(one?.spread?.samples ?? "")],
  ];
  return table(
    "Latency from ENQUEUE until the program wakes up with the frame, µs",
    ["policy", "size", "median", "min", "5 %", "95 %", "max", "samples"],
    [
      ...trips.slice(0, 1).map(({ one }) => row("ioctl only", "", one)),
      ...all.map(({ policy, at, one }) => row(policy, formatBytes(Number(at["size"])), one)),
    ],
  );
}

function overhead(entries: Entries): string | null {
  const ratios = entries.filter("deno over c");
  if (ratios.length === 0) return null;
  return table(
    "Overhead of the benchmark: the same verifying loop in Deno and in C, MB/s",
    ["size", "Deno", "Deno, batches", "C", "Deno / C", "batches / C"],
    ratios.map(({ policy, at, one }) => [
      formatBytes(Number(at["size"])),
      withSpread(entries.find("deno loop", policy, at)),
      withSpread(entries.find("deno loop with batches", policy, at)),
      withSpread(entries.find("c loop", policy, at)),
      withSpread(one),
      withSpread(entries.find("deno with batches over c", policy, at)),
    ]),
  );
}

function idleGaps(entries: Entries): string | null {
  const all = entries.filter("engine idle gap");
  if (all.length === 0) return null;
  return table(
    "Idle time of the engine between two queued receive blocks, µs",
    ["policy", "size", "median", "5 %", "95 %", "samples", "engine depth"],
    all.map(({ policy, at, one }) => [
      ...[policy, formatBytes(Number(at["size"])), number(one.value)],
      ...[number(one.spread?.p5), number(one.spread?.p95), String(one.spread?.samples ?? "")],
      String(at["engine depth"] ?? ""),
    ]),
  );
}

function crossovers(all: readonly Crossover[]): string | null {
  if (all.length === 0) return null;
  const lines = Map.groupBy(all, ({ use }) => use).entries().toArray().flatMap(([use, some]) => [
    `  ${use}`,
    ...some.flatMap(({ detail }) => wrap(`    ${detail}`, 80, "  ")),
  ]);
  return ["Crossovers", ...lines].join("\n");
}

function recommendations(all: readonly Advice[]): string | null {
  if (all.length === 0) return null;
  const lines = Map.groupBy(all, ({ use }) => use).entries().toArray().flatMap(([use, some]) => [
    `  ${use}`,
    ...some.flatMap(({ size, policy, value, unit, runnerUp, ratio, why }) => [
      `    ${formatBytes(size).padStart(7)}  ${policy ?? "no policy"}` +
      (value === null ? "" : `, ${number(value)} ${unit}`) +
      (runnerUp === null
        ? ""
        : ratio === null
        ? `: about as fast as ${runnerUp}`
        : `: ${number(ratio)} x ${runnerUp}`),
      // the heading already says that the board is simulated
      ...wrap(" ".repeat(13) + why.replace(/^SIMULATED[^:]*: /, ""), 80, ""),
    ]),
  ]);
  return ["Recommended policies, by payload per second, then by processor time", ...lines].join(
    "\n",
  );
}

/** The sizes of measurements, the smallest first. */
function sorted(entries: readonly Entry[]): number[] {
  return [...new Set(entries.map(({ at }) => Number(at["size"])))].sort((a, b) => a - b);
}

/** Formats a median and half its 5–95 % range. */
function withSpread(one: Measurement | undefined): string {
  if (one?.spread === undefined || one.value === 0) return number(one?.value);
  const half = (one.spread.p95 - one.spread.p5) / 2 / one.value;
  return `${number(one.value)} ±${Math.round(half * 100)}%`;
}

/** Formats a value with three digits, and as many decimals as its neighbours in a column. */
function number(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "";
  if (value === 0) return "0";
  if (Math.abs(value) >= 99.95) return value.toFixed(0);
  if (Math.abs(value) < 0.005) return "<0.01";
  return value.toFixed(Math.abs(value) >= 9.995 ? 1 : 2);
}

/** Renders a table. The first column is aligned to the left, the others to the right. */
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
