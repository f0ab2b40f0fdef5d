// SPDX-License-Identifier: MIT
/**
 * A stand-in for `@std/cli/parse-args`, over `node:util`. It does what the published function does
 * with options that are declared; dotted names and groups of short options with values in them are
 * left out.
 *
 * @module
 */
import { parseArgs as parseTokens } from "node:util";

/** What {@linkcode parseArgs} is told about the options. */
export interface ParseOptions<
  TBooleans extends string = string,
  TStrings extends string = string,
  TCollectable extends string = string,
  TDoubleDash extends boolean = boolean,
> {
  /** Put what follows `--` under the key `--` instead of `_`. */
  "--"?: TDoubleDash;
  /** Other names of an option. A name of one letter is given with one dash. */
  alias?: Record<string, string | readonly string[]>;
  /** Options without a value; `false` when absent. */
  boolean?: TBooleans | readonly TBooleans[];
  /** Values of options that are absent. */
  default?: Record<string, unknown>;
  /** Everything from the first positional argument on is positional. */
  stopEarly?: boolean;
  /** Options with a value that stays a string. */
  string?: TStrings | readonly TStrings[];
  /** Options that may come more than once; an array, empty when absent. */
  collect?: TCollectable | readonly TCollectable[];
  /** Boolean options that `--no-NAME` sets to `false`. */
  negatable?: string | readonly string[];
  /** Called for each positional argument and undeclared option; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} found. */
export type Args<
  TBooleans extends string = string,
  TStrings extends string = string,
  TCollectable extends string = string,
  TDoubleDash extends boolean = boolean,
> =
  & { [K in TBooleans]: boolean }
  & { [K in Exclude<TStrings, TCollectable | "_">]?: string }
  & { [K in Extract<TStrings, TCollectable>]: string[] }
  & { _: Array<string | number> }
  & (TDoubleDash extends true ? { "--": string[] } : Record<never, never>)
  & Record<string, unknown>;

function list(names: string | readonly string[] | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === "string" ? [names] : names;
}

function numeric(text: string): string | number {
  return /\S/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

/**
 * Take a command line apart.
 *
 * A value follows its option after `=` or as the next argument, unless that starts with a dash.
 *
 * @param args the arguments, such as `Deno.args`
 * @param options which options there are
 * @returns the options by name, and the positional arguments under `_`
 *
 * @example Options of three kinds
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseArgs } from "@std/cli/parse-args";
 *
 * const args = parseArgs(["--quiet", "--seed", "7", "--policy=none", "loop"], {
 *   boolean: ["quiet"],
 *   string: ["seed", "policy"],
 *   collect: ["policy"],
 * });
 * assertEquals(args, { quiet: true, seed: "7", policy: ["none"], _: ["loop"] });
 * ```
 */
export function parseArgs<
  TBooleans extends string = never,
  TStrings extends string = never,
  TCollectable extends string = never,
  TDoubleDash extends boolean = false,
>(
  args: string[],
  options: ParseOptions<TBooleans, TStrings, TCollectable, TDoubleDash> = {},
): Args<TBooleans, TStrings, TCollectable, TDoubleDash> {
  const names = new Map<string, string[]>(); // every name of an option to all its names
  for (const [key, value] of Object.entries(options.alias ?? {})) {
    const all = [key, ...list(value)];
    for (const name of all) names.set(name, all);
  }
  const widen = (of: string | readonly string[] | undefined): Set<string> =>
    new Set(list(of).flatMap((name) => names.get(name) ?? [name]));
  const booleans = widen(options.boolean);
  const strings = widen(options.string);
  const collected = widen(options.collect);
  const negatable = widen(options.negatable);
  const unknown = options.unknown ?? (() => true);

  const end = args.indexOf("--");
  const rest = end < 0 ? [] : args.slice(end + 1);
  const before = end < 0 ? args : args.slice(0, end);

  // node:util lets a value start with a dash and gives undeclared options none: settle both first
  const settled: string[] = [];
  for (let i = 0; i < before.length; i++) {
    const arg = before[i] ?? "";
    const key = /^(?:--([^=]+)|-([^-=\d]))$/s.exec(arg);
    if (key === null) {
      settled.push(arg);
      if (options.stopEarly === true && !arg.startsWith("-")) {
        settled.push(...before.slice(i + 1));
        break;
      }
      continue;
    }
    const name = key[1] ?? key[2] ?? "";
    const next = before[i + 1];
    const negates = name.startsWith("no-") && negatable.has(name.slice(3));
    const takes = next !== undefined && !next.startsWith("-") && !booleans.has(name) && !negates ||
      next === "true" || next === "false";
    if (takes) i++;
    settled.push(takes ? `--${name}=${next}` : strings.has(name) ? `--${name}=` : arg);
  }

  const found: Record<string, unknown> = {};
  const positionals: Array<string | number> = [];
  const set = (key: string, raw: string | boolean, arg: string): void => {
    const declared = booleans.has(key) || strings.has(key) || names.has(key);
    if (!declared && unknown(arg, key, raw) === false) return;
    const value = typeof raw === "string" && !strings.has(key) ? numeric(raw) : raw;
    for (const name of names.get(key) ?? [key]) {
      if (!collected.has(name)) found[name] = value;
      else if (Array.isArray(found[name])) found[name].push(value);
      else found[name] = [value];
    }
  };

  const { tokens } = parseTokens({ args: settled, strict: false, tokens: true });
  let stopped = false;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional" || stopped) {
      const arg = settled[token.index] ?? "";
      if (stopped || unknown(arg) !== false) {
        positionals.push(strings.has("_") ? arg : numeric(arg));
      }
      stopped ||= options.stopEarly === true;
      continue;
    }
    const arg = token.value === undefined ? token.rawName : `${token.rawName}=${token.value}`;
    if (
      token.value === undefined && token.name.startsWith("no-") &&
      negatable.has(token.name.slice(3))
    ) {
      set(token.name.slice(3), false, arg);
    } else if (booleans.has(token.name)) {
      set(token.name, token.value !== "false", arg);
    } else {
      set(token.name, token.value ?? true, arg);
    }
  }

  for (const [key, value] of Object.entries(options.default ?? {})) {
    for (const name of names.get(key) ?? [key]) if (!(name in found)) found[name] = value;
  }
  for (const name of booleans) if (!(name in found)) found[name] = collected.has(name) ? [] : false;
  for (const name of collected) if (!(name in found)) found[name] = [];
  if (options["--"] === true) found["--"] = rest;
  else positionals.push(...rest);
  found["_"] = positionals;
  return found as Args<TBooleans, TStrings, TCollectable, TDoubleDash>;
}
