// SPDX-License-Identifier: MIT
/**
 * The command line of `plumbline run`.
 *
 * What the suites are asked for goes to them as text, in `PLUMBLINE_*`; it is read here only to refuse
 * what makes no sense before anything runs.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { parseFaults } from "../../fixtures/boards/sim/faults/spec.ts";
import { checkFault } from "../../fixtures/boards/vm/fault.ts";
import type { Bus } from "../../fixtures/boards/vm/mod.ts";
import { nearest } from "../text/nearest.ts";
import { patternNamed } from "../patterns/mod.ts";
import {
  parseSettings,
  SETTING_NAMES,
  type SettingName,
  type SettingTexts,
  SWITCH_NAMES,
} from "../settings/settings.ts";
import { place } from "../settings/place.ts";
import { parseDuration, parseList, parseName } from "../settings/values.ts";

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
  | { readonly kind: "sim" }
  | { readonly kind: "vm"; readonly arch: "aarch64" | "x86_64" };

/** What `plumbline run` was asked for. */
export interface RunOptions {
  /** The board. */
  readonly board: BoardChoice;
  /** What stands between the device of a virtual machine and memory. */
  readonly bus: Bus;
  /** What the suites are asked for, as it was written; the board is not among it. */
  readonly settings: SettingTexts;
  /** Test files, or folders of such; none means the suites of this package. */
  readonly files: readonly string[];
  /** Where the results go besides the folder: a file, or `-` for standard output. */
  readonly json: string | null;
  /** Where results go as JUnit XML. */
  readonly junit: string | null;
  /** Where results go as a page with charts. */
  readonly html: string | null;
  /** The folder of the run. */
  readonly results: string | null;
  /** File of limits that measurements are held against. */
  readonly limits: string | null;
  /** Limit for the whole run, seconds. */
  readonly timeout: number;
  /** What the core of a virtual machine is: software, or the RTL in simulation. */
  readonly core: "softdma" | "rtl";
  /** Folder for recordings of the simulated core's signals. */
  readonly waves: string | null;
  /** Whether only the verdict is printed. */
  readonly quiet: boolean;
  /** Whether help was asked for. */
  readonly help: boolean;
}

/** One option, as help and parser see it. */
export interface OptionInfo {
  /** Its name, without dashes. */
  readonly name: string;
  /** What stands for the value in the help; `null` for a switch. */
  readonly value: string | null;
  /** One line; `null` for an option that the line of another tells of. */
  readonly help: string | null;
}

const DEFAULT_TIMEOUT = 900;

/** What `--quick` stands for. */
const QUICK = { size: "64K,1M", depth: "8" };

/**
 * What a run on a simulated core is asked for unless it says otherwise: it moves some megabytes a
 * second. The largest size takes several descriptors where bounce buffers bound a mapping.
 */
const SIMULATED = { size: "1,3,8,63,64,65,1000,4096,4097,64K,300001", frames: "64" };

/** Every option of `plumbline run`. */
export const RUN_OPTIONS: readonly OptionInfo[] = [
  { name: "board", value: "BOARD", help: "local (default), sim, vm, vm:aarch64 or vm:x86_64" },
  { name: "device", value: "PATH,…", help: "device nodes (default /dev/pldma0)" },
  { name: "policy", value: "NAME,…", help: "sync policies (default all that the board offers)" },
  { name: "suite", value: "NAME,…", help: "suites (default all)" },
  { name: "size", value: "BYTES,…", help: "frame sizes: 64,4K,1M,largest,block" },
  { name: "depth", value: "N,…", help: "blocks in flight at once, such as 1,max" },
  { name: "frames", value: "N", help: "frames per case; or --duration 10m for each suite" },
  { name: "duration", value: "TIME", help: null },
  { name: "pattern", value: "NAME", help: "what frames are filled with (default tagged)" },
  { name: "bitstream", value: "FILE", help: "load it first (see plumbline bitstream)" },
  { name: "loader", value: "LOADER", help: 'by fpga-manager, overlay or "COMMAND {file}"' },
  { name: "require-identity", value: null, help: "fail unless it proves to be that one" },
  { name: "seed", value: "N", help: "seed of every random choice (default 1)" },
  {
    name: "core",
    value: "CORE",
    help: "softdma, rtl [--waves DIR]; --bus adversarial; --coherent",
  },
  { name: "waves", value: "DIR", help: null },
  { name: "coherent", value: null, help: null },
  { name: "bus", value: "BUS", help: null },
  { name: "fault", value: "SPEC", help: 'virtual boards: inject, as "kind=flip frame=17"' },
  { name: "limits", value: "FILE", help: "hold measurements against these: see hil/bench" },
  { name: "json", value: "FILE", help: "results, - is stdout; also --junit FILE, --html FILE" },
  { name: "junit", value: "FILE", help: null },
  { name: "html", value: "FILE", help: null },
  { name: "results", value: "DIR", help: "folder of the run (default results/PID-START)" },
  { name: "timeout", value: "TIME", help: "limit for the run (default 15m and durations)" },
  { name: "quiet", value: null, help: "print the verdict only" },
  { name: "help", value: null, help: "this text" },
  { name: "version", value: null, help: "the version" },
];

/** Options of `plumbline run` that measure nothing. */
const NOT_OF_BENCH = ["frames", "duration", "pattern", "fault"];

/** Every option of `plumbline bench`. */
export const BENCH_OPTIONS: readonly OptionInfo[] = [
  ...RUN_OPTIONS.filter(({ name }) => !NOT_OF_BENCH.includes(name)).toSpliced(6, 0, {
    name: "quick",
    value: null,
    help: `in half of the time: as --size ${QUICK.size} --depth ${QUICK.depth}`,
  }),
];

const BOARDS: Readonly<Record<string, BoardChoice>> = {
  local: { kind: "local" },
  sim: { kind: "sim" },
  vm: { kind: "vm", arch: Deno.build.arch },
  "vm:aarch64": { kind: "vm", arch: "aarch64" },
  "vm:x86_64": { kind: "vm", arch: "x86_64" },
};

/**
 * Read the command line of `plumbline run`, or `bench`.
 *
 * @param args the arguments behind `run`
 * @param around.bench whether it is that of `plumbline bench`
 * @param around.suites the suites that there are, given the files
 * @param around.virtual whether this machine is a virtual board already
 * @returns what was asked for
 * @throws {UsageError} naming the nearest good option or value
 */
export function parseRunOptions(
  args: readonly string[],
  around: {
    suites: (files: readonly string[]) => readonly string[];
    virtual: boolean;
    bench?: boolean;
  },
): RunOptions {
  const { values, switches, rest: files } = around.bench === true
    ? parseOptions("bench", args, BENCH_OPTIONS)
    : parseOptions("run", args, RUN_OPTIONS);
  return usage(() => {
    const boardName = values["board"] ?? "local";
    const board = BOARDS[parseName("--board", boardName, Object.keys(BOARDS))] ?? { kind: "local" };
    const settings: Partial<Record<SettingName, string>> = {};
    for (const name of SETTING_NAMES) {
      const value = values[name];
      if (value !== undefined && name !== "board") settings[name] = value;
    }
    for (const name of SWITCH_NAMES) if (switches.has(name)) settings[name] = "1";
    if (switches.has("quick")) Object.assign(settings, { ...QUICK, ...settings });
    // the suites may have another working folder
    if (settings.bitstream !== undefined) settings.bitstream = place(settings.bitstream);
    const { duration, pattern, fault } = parseSettings(settings);
    if (settings.suite !== undefined) {
      const known = around.suites(files);
      parseList("--suite", settings.suite, (what, one) => parseName(what, one, known));
    }
    if (pattern !== null) patternNamed(pattern);
    if (board.kind === "local" && !around.virtual) {
      const advice = "needs a virtual board: add --board sim or --board vm";
      if (switches.has("coherent")) throw new UsageError(`--coherent ${advice}`);
      if (fault !== null) throw new UsageError(`--fault ${advice}`);
    }
    if (fault !== null) {
      if (board.kind === "sim") parseFaults(fault);
      else checkFault(fault);
    }
    const bus = parseBus(values["bus"], board.kind === "vm");
    if (bus === "adversarial" && switches.has("coherent")) {
      throw new UsageError("--bus adversarial and --coherent exclude each other: give one");
    }
    if (bus === "adversarial" && settings.bitstream !== undefined) {
      throw new UsageError("--bus adversarial has no FPGA manager: leave --bitstream out");
    }
    const core = parseName("--core", values["core"] ?? "softdma", ["softdma", "rtl"] as const);
    if (core === "rtl" && bus === "adversarial") {
      throw new UsageError("--bus adversarial is for --core softdma: its caches are in software");
    }
    if (values["core"] !== undefined && board.kind !== "vm") {
      throw new UsageError("--core needs a virtual machine: add --board vm");
    }
    if (core === "rtl" && around.bench !== true) {
      const { size, frames } = SIMULATED;
      settings.size ??= size;
      if (settings.duration === undefined) settings.frames ??= frames;
    }
    const waves = values["waves"];
    if (waves !== undefined && core !== "rtl") {
      throw new UsageError("--waves records the simulated core: add --board vm --core rtl");
    }
    const timeout = values["timeout"];
    return {
      board,
      bus,
      settings,
      files,
      json: values["json"] ?? null,
      junit: values["junit"] ?? null,
      html: values["html"] ?? null,
      results: values["results"] ?? null,
      limits: values["limits"] ?? null,
      timeout: timeout === undefined
        ? DEFAULT_TIMEOUT + Math.max(1, around.suites(files).length) * (duration ?? 0)
        : parseDuration("--timeout", timeout),
      core,
      waves: waves === undefined ? null : place(waves),
      quiet: switches.has("quiet"),
      help: switches.has("help"),
    };
  });
}

/** What a virtual machine's device can be connected by. */
const BUSES = ["swiotlb", "adversarial"] as const satisfies readonly Bus[];

/**
 * Read `--bus`.
 *
 * @param text its value, if it was given
 * @param virtual whether the board is a virtual machine
 * @returns the bus; bounce buffers when it was not given
 * @throws {UsageError} on another board
 * @throws {RangeError} for a bus that there is not
 */
export function parseBus(text: string | undefined, virtual: boolean): Bus {
  if (text === undefined) return "swiotlb";
  if (!virtual) throw new UsageError("--bus is for virtual machines: add --board vm");
  return parseName("--bus", text, BUSES);
}

/** What {@linkcode parseOptions} found. */
export interface ParsedOptions {
  /** Options with a value. */
  readonly values: Readonly<Record<string, string | undefined>>;
  /** Switches that were given. */
  readonly switches: ReadonlySet<string>;
  /** Arguments that are no options. */
  readonly rest: readonly string[];
}

/**
 * Take a command line apart.
 *
 * @param command the command, for errors
 * @param args the arguments behind it
 * @param options the options that it knows; one with "…" in its value may be given several times
 * @returns what was given
 * @throws {UsageError} naming the nearest good option
 */
export function parseOptions(
  command: string,
  args: readonly string[],
  options: readonly OptionInfo[],
): ParsedOptions {
  const names = options.map((option) => option.name);
  const switches = options.filter((option) => option.value === null).map(({ name }) => name);
  const values = options.filter((option) => option.value !== null).map(({ name }) => name);
  const lists = options.filter((option) => option.value?.includes("…")).map(({ name }) => name);
  const parsed = parseArgs(joinValues(command, args, { values, switches }), {
    string: values,
    boolean: switches,
    collect: lists,
    alias: { help: "h" },
    unknown: (arg, key) => {
      if (key === undefined) return true;
      const guess = nearest(key, names);
      throw new UsageError(
        `Unknown option ${arg.split("=")[0]}` +
          (guess === null ? ": see --help" : `: did you mean --${guess}?`),
      );
    },
  });
  const found: Record<string, string> = {};
  for (const name of values) {
    const value = parsed[name];
    const text = Array.isArray(value) ? value.join(",") : value;
    if (typeof text === "string" && text !== "") found[name] = text;
  }
  return {
    values: found,
    switches: new Set(switches.filter((name) => parsed[name] === true)),
    rest: parsed._.map(String),
  };
}

/**
 * Write options back as a command line, for the same run on another machine.
 *
 * @param options what was asked for
 * @returns arguments for {@linkcode parseRunOptions}, without those that belong to this machine:
 * board, bus, coherence, files, json, junit, html, results, timeout and quiet
 */
export function runArguments(options: Pick<RunOptions, "settings">): string[] {
  const { settings } = options;
  return [
    ...SETTING_NAMES.flatMap((name) =>
      settings[name] === undefined ? [] : [`--${name}=${settings[name]}`]
    ),
    ...(settings["require-identity"] === undefined ? [] : ["--require-identity"]),
  ];
}

/**
 * Put `--name` and its value into one argument, so that a value may be `-` or begin with a dash.
 */
function joinValues(
  command: string,
  args: readonly string[],
  known: { values: readonly string[]; switches: readonly string[] },
): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") throw new UsageError(`Unexpected "--" behind plumbline ${command}`);
    const [, name = "", value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!known.values.includes(name)) {
      const isSwitch = known.switches.includes(name);
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

/** What a value throws that makes no sense is wrong usage here. */
function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/**
 * Write the help of a command, for 80 columns and 24 lines.
 *
 * @param usage what follows `plumbline`
 * @param purpose one line
 * @param options its options; help and version share a line
 * @param exit what its exit status means
 * @returns the text, without a last end of line
 */
export function commandHelp(
  usage: string,
  purpose: string,
  options: readonly OptionInfo[],
  exit: string,
): string {
  const lines = options.filter(({ name, help }) => name !== "version" && help !== null).map((
    { name, value, help },
  ) =>
    name === "help"
      ? `  ${"--help --version".padEnd(18)} ${help}, the version`
      : `  ${`--${name}${value === null ? "" : ` ${value}`}`.padEnd(18)} ${help}`
  );
  return [`Usage: plumbline ${usage}`, purpose, ...lines, `Exit: ${exit}`].join("\n");
}

/**
 * Write the help of `plumbline run`.
 *
 * @returns the text, without a last end of line
 */
export function runHelp(): string {
  return commandHelp(
    "run [OPTIONS] [TEST FILE OR FOLDER ...]",
    "Validate the design on a board: a verdict per suite and sync policy.",
    RUN_OPTIONS,
    "0 as expected, 1 the design failed, 2 usage, 3 the bench failed",
  );
}

/**
 * Write the help of `plumbline bench`.
 *
 * @returns the text, without a last end of line
 */
export function benchHelp(): string {
  return commandHelp(
    "bench [OPTIONS]",
    "What every sync policy costs on a board, and which one to choose for what.",
    BENCH_OPTIONS,
    "0 as expected, 1 a policy or limit failed, 2 usage, 3 the bench failed",
  );
}
