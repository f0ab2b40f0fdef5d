// SPDX-License-Identifier: MIT
/**
 * The command line of `plumbline run`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { POLICIES } from "../../driver/uapi.ts";
import type { FrameSize } from "../values.ts";
import { nearest } from "../nearest.ts";

/** A command line that makes no sense: exit status 2. */
export class UsageError extends Error {
  /** @param message what is wrong and what would be right */
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Which board to run on. */
export type BoardChoice =
  | { readonly kind: "local" }
  | { readonly kind: "vm"; readonly arch: "aarch64" | "x86_64" };

/** What `plumbline run` was asked for; `null` leaves the choice to the suites. */
export interface RunOptions {
  /** The board. */
  readonly board: BoardChoice;
  /** The device node; `null` when none was named. */
  readonly device: string | null;
  /** Policies, by name. */
  readonly policy: readonly string[] | null;
  /** Suites, by name. */
  readonly suite: readonly string[] | null;
  /** Frame sizes, bytes or by name. */
  readonly size: readonly FrameSize[] | null;
  /** Blocks in flight at once. */
  readonly depth: readonly (number | "max")[] | null;
  /** Frames per case. */
  readonly frames: number | null;
  /** Seed of every random choice; `null` when none was given. */
  readonly seed: number | null;
  /** Whether a virtual board's device is cache coherent. */
  readonly coherent: boolean;
  /** Fault for a virtual board's engine. */
  readonly fault: string | null;
  /** Where the results go besides the folder: a file, or `-` for standard output. */
  readonly json: string | null;
  /** The folder of the run. */
  readonly results: string | null;
  /** Limit for the whole run, seconds. */
  readonly timeout: number;
  /** Whether only the verdict is printed. */
  readonly quiet: boolean;
  /** Whether help was asked for. */
  readonly help: boolean;
}

/** One option, as help and parser see it. */
interface OptionInfo {
  readonly name: string;
  /** What stands for the value in the help; `null` for a switch. */
  readonly value: string | null;
  readonly help: string;
}

const DEFAULT_TIMEOUT = 900;

/** Every option of `plumbline run`. */
export const RUN_OPTIONS: readonly OptionInfo[] = [
  { name: "board", value: "BOARD", help: "local (default), vm, vm:aarch64 or vm:x86_64" },
  { name: "device", value: "PATH", help: "device node (default /dev/pldma0)" },
  { name: "policy", value: "NAME,…", help: "sync policies (default all that the board offers)" },
  { name: "suite", value: "NAME,…", help: "suites (default all)" },
  { name: "size", value: "BYTES,…", help: "frame sizes: 64,4K,1M,largest,block" },
  { name: "depth", value: "N,…", help: "blocks in flight at once, such as 1,max" },
  { name: "frames", value: "N", help: "frames per case" },
  { name: "seed", value: "N", help: "seed of every random choice (default 1)" },
  { name: "coherent", value: null, help: "virtual board: a cache coherent device" },
  { name: "fault", value: "SPEC", help: 'virtual board: inject, such as "kind=flip frame=17"' },
  { name: "json", value: "FILE", help: "write results there too; - is standard output" },
  { name: "results", value: "DIR", help: "folder of the run (default results/PID-START)" },
  { name: "timeout", value: "TIME", help: "limit for the whole run (default 15m)" },
  { name: "quiet", value: null, help: "print the verdict only" },
  { name: "help", value: null, help: "this text" },
  { name: "version", value: null, help: "the version" },
];

/** Faults that the virtual boards' engine knows. */
const FAULTS = [
  "flip",
  "drop",
  "duplicate",
  "swap",
  "short",
  "repeat",
  "stall",
  "wedge",
  "no-move",
  "overrun",
  "error",
] as const;

const BOARDS: Readonly<Record<string, BoardChoice>> = {
  local: { kind: "local" },
  vm: { kind: "vm", arch: Deno.build.arch },
  "vm:aarch64": { kind: "vm", arch: "aarch64" },
  "vm:x86_64": { kind: "vm", arch: "x86_64" },
};

/**
 * Read the command line of `plumbline run`.
 *
 * @param args the arguments behind `run`
 * @param around.suites the suites that there are
 * @param around.virtual whether this machine is a virtual board already
 * @returns what was asked for
 * @throws {UsageError} naming the nearest good option or value
 */
export function parseRunOptions(
  args: readonly string[],
  around: { suites: readonly string[]; virtual: boolean },
): RunOptions {
  const names = RUN_OPTIONS.map((option) => option.name);
  const switches = RUN_OPTIONS.filter((option) => option.value === null).map(({ name }) => name);
  const values = names.filter((name) => !switches.includes(name));
  const lists = ["policy", "suite", "size", "depth"];
  const parsed = parseArgs(joinValues(args, values), {
    string: values,
    boolean: switches,
    collect: lists,
    alias: { help: "h" },
    unknown: (arg, key) => {
      if (key === undefined) {
        throw new UsageError(`Unexpected "${arg}": plumbline run takes options only`);
      }
      const guess = nearest(key, names);
      throw new UsageError(
        `Unknown option ${arg.split("=")[0]}` +
          (guess === null ? ": see --help" : `: did you mean --${guess}?`),
      );
    },
  });

  const one = (name: string): string | null => {
    const value = parsed[name];
    return typeof value === "string" ? value : null;
  };
  const many = (name: string): string[] | null => {
    const value = parsed[name];
    const given = Array.isArray(value) ? value.map(String) : [];
    if (given.length === 0) return null;
    const items = given.join(",").split(",").map((item) => item.trim());
    if (items.includes("")) throw new UsageError(`--${name} has an empty item`);
    return [...new Set(items)];
  };
  const chosen = (name: string, known: readonly string[]): string[] | null => {
    const items = many(name);
    if (items === null || items.includes("all")) return null;
    for (const item of items) oneOf(`--${name}`, item, known, ["all"]);
    return items;
  };

  const boardName = one("board") ?? "local";
  oneOf("--board", boardName, Object.keys(BOARDS));
  const board = BOARDS[boardName] ?? { kind: "local" };
  const coherent = parsed["coherent"] === true;
  const fault = one("fault");
  if (board.kind === "local" && !around.virtual) {
    if (coherent) throw new UsageError("--coherent needs a virtual board: add --board vm");
    if (fault !== null) throw new UsageError("--fault needs a virtual board: add --board vm");
  }
  if (fault !== null) checkFault(fault);

  const device = one("device");
  if (device !== null && !device.startsWith("/")) {
    throw new UsageError(`--device takes an absolute path, not "${device}": try /dev/${device}`);
  }
  const frames = one("frames");
  const seed = one("seed");
  const timeout = one("timeout");
  return {
    board,
    device,
    policy: chosen("policy", POLICIES),
    suite: chosen("suite", around.suites),
    size: many("size")?.map(parseSize) ?? null,
    depth: many("depth")?.map((item) => item === "max" ? item : whole("--depth", item, 1)) ?? null,
    frames: frames === null ? null : whole("--frames", frames, 1),
    seed: seed === null ? null : whole("--seed", seed, 0, 2 ** 32 - 1),
    coherent,
    fault,
    json: one("json"),
    results: one("results"),
    timeout: timeout === null ? DEFAULT_TIMEOUT : parseDuration(timeout),
    quiet: parsed["quiet"] === true,
    help: parsed["help"] === true,
  };
}

/**
 * Write options back as a command line, for the same run on another machine.
 *
 * @param options what was asked for
 * @returns arguments for {@linkcode parseRunOptions}, without those that belong to this machine:
 * board, coherence, json, results, timeout and quiet
 */
export function runArguments(options: RunOptions): string[] {
  const args: string[] = [];
  const add = (name: string, value: string | number | null): void => {
    if (value !== null) args.push(`--${name}=${value}`);
  };
  add("device", options.device);
  add("policy", options.policy?.join(",") ?? null);
  add("suite", options.suite?.join(",") ?? null);
  add("size", options.size?.join(",") ?? null);
  add("depth", options.depth?.join(",") ?? null);
  add("frames", options.frames);
  add("seed", options.seed);
  add("fault", options.fault);
  return args;
}

/**
 * Put `--name` and its value into one argument, so that a value may be `-` or begin with a dash.
 */
function joinValues(args: readonly string[], values: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") throw new UsageError('Unexpected "--": plumbline run takes options only');
    const [, name = "", value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!values.includes(name)) {
      const isSwitch = RUN_OPTIONS.some((option) => option.name === name);
      if (isSwitch && value !== undefined) throw new UsageError(`--${name} takes no value`);
      // an argument that follows a switch is never its value
      joined.push(arg);
      if (isSwitch && ["true", "false"].includes(args[i + 1] ?? "")) {
        throw new UsageError(`Unexpected "${args[i + 1]}": --${name} takes no value`);
      }
      continue;
    }
    const next = args[i + 1];
    const given = value ?? (next?.startsWith("--") ? undefined : next);
    if (given === undefined || given === "") throw new UsageError(`--${name} needs a value`);
    if (value === undefined) i++;
    joined.push(`--${name}=${given}`);
  }
  return joined;
}

function oneOf(
  what: string,
  value: string,
  known: readonly string[],
  more: readonly string[] = [],
): void {
  if (known.includes(value)) return;
  const guess = nearest(value, [...known, ...more]);
  throw new UsageError(
    `${what} knows no "${value}": ` +
      (guess === null ? `use one of ${[...more, ...known].join(", ")}` : `did you mean ${guess}?`),
  );
}

function whole(what: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`${what} takes a whole number ${range}, not "${text}"`);
  }
  return value;
}

/** Bytes, with K, M or G (KiB, MiB, GiB) for powers of 1024, or what the board can do at most. */
function parseSize(text: string): FrameSize {
  if (text === "largest" || text === "block") return text;
  const [, digits, unit = ""] = /^(\d+)(?:([KMG])(?:i?B)?)?$/i.exec(text) ?? [];
  const factor = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit.toUpperCase()] ?? NaN;
  const size = digits === undefined ? NaN : Number(digits) * factor;
  if (!(size >= 1 && size <= Number.MAX_SAFE_INTEGER)) {
    throw new UsageError(
      `--size takes bytes from 1, such as 64, 4K or 1M, or largest, block, not "${text}"`,
    );
  }
  return size;
}

/** Seconds, or a number with s, m or h. */
function parseDuration(text: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)([smh])?$/.exec(text) ?? [];
  const factor = { s: 1, m: 60, h: 3600 }[unit] ?? NaN;
  const seconds = digits === undefined ? NaN : Number(digits) * factor;
  // a timer of more than 2^31 ms would fire at once
  if (!(seconds > 0 && seconds <= 500 * 3600)) {
    throw new UsageError(
      `--timeout takes a time up to 500h, such as 90s, 10m or 2h, not "${text}"`,
    );
  }
  return seconds;
}

function checkFault(spec: string): void {
  const keys = new Set<string>();
  for (const word of spec.trim().split(/\s+/)) {
    const [, key, value] = /^([a-z]+)=(.+)$/.exec(word) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(`--fault takes words like kind=flip frame=17, not "${word}"`);
    }
    if (keys.has(key)) throw new UsageError(`--fault has ${key} twice`);
    keys.add(key);
    if (key === "kind") oneOf("--fault kind", value, FAULTS);
    else if (["frame", "rate", "seed"].includes(key)) whole(`--fault ${key}`, value, 0);
    else oneOf("--fault", key, ["kind", "frame", "rate", "seed"]);
  }
  if (!keys.has("kind")) throw new UsageError(`--fault needs a kind: one of ${FAULTS.join(", ")}`);
  if (keys.has("frame") && keys.has("rate")) {
    throw new UsageError("--fault takes a frame or a rate, not both");
  }
}

/**
 * Write the help of `plumbline run`, for 80 columns and 24 lines.
 *
 * @returns the text, without a last end of line
 */
export function runHelp(): string {
  const lines = RUN_OPTIONS.map(({ name, value, help }) =>
    `  ${`--${name}${value === null ? "" : ` ${value}`}`.padEnd(18)} ${help}`
  );
  return [
    "Usage: plumbline run [OPTIONS]",
    "Validate the design on a board: a verdict per suite and sync policy.",
    "",
    ...lines,
    "",
    "Exit: 0 as expected, 1 the design failed, 2 usage, 3 the bench failed",
  ].join("\n");
}
