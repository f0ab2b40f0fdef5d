// SPDX-License-Identifier: MIT
/**
 * The command lines of `plumbline run` and `plumbline bench`.
 *
 * The suites get their settings as text, in `PLUMBLINE_*`. This module parses them only to refuse
 * invalid ones before anything runs.
 *
 * @module
 */
import { parseFaults } from "../../fixtures/boards/sim/faults/spec.ts";
import { checkFault } from "../../fixtures/boards/vm/fault.ts";
import type { Arguments, CommandLine, OptionGroup } from "../settings/arguments.ts";
import { absolutePath } from "../settings/paths.ts";
import {
  parseSettings,
  settingArguments,
  settingOption,
  type SettingTexts,
  settingTexts,
} from "../settings/settings.ts";
import { parseDuration, parseList, parseName, UsageError } from "../settings/values.ts";
import {
  BOARD_OPTION,
  type BoardChoice,
  type BoardOptions,
  BUS_OPTION,
  ENGINE_OPTION,
  readBoardOptions,
} from "./board_options.ts";
import {
  EXIT,
  HTML_OPTION,
  JSON_OPTION,
  JUNIT_OPTION,
  LIMITS_OPTION,
  QUIET_OPTION,
} from "./command.ts";

/** The options of `plumbline run` and `plumbline bench`. */
export interface RunOptions extends BoardOptions {
  /** Settings of the suites as text, without the board. */
  readonly settings: SettingTexts;
  /** Test files and folders. If empty, the suites of this package run. */
  readonly files: readonly string[];
  /** File for the results as JSON, or `-` for standard output. */
  readonly json: string | null;
  /** File for the results as JUnit XML. */
  readonly junit: string | null;
  /** File for the results as a page with charts. */
  readonly html: string | null;
  /** Folder for everything that the run writes. */
  readonly results: string | null;
  /** File with limits for measurements. */
  readonly limits: string | null;
  /** Limit for the whole run, in seconds. */
  readonly timeout: number;
  /** Folder for recordings of a simulated design's signals. */
  readonly waves: string | null;
  /** Whether to print only the verdict. */
  readonly quiet: boolean;
}

const DEFAULT_TIMEOUT = 900;

/** What `--quick` stands for. */
const QUICK = { size: "64K,1M", depth: "8" };

/**
 * Defaults for a simulated design, which moves a few megabytes per second. The largest size takes
 * several descriptors, because bounce buffers limit the size of a mapping.
 */
const SIMULATED = { size: "1,3,8,63,64,65,1000,4096,4097,64K,300001", frames: "64" };

/** Option groups of `plumbline run`. */
const RUN_GROUPS: readonly OptionGroup[] = [
  {
    title: "Board",
    options: [
      BOARD_OPTION,
      settingOption("device"),
      ENGINE_OPTION,
      BUS_OPTION,
      settingOption("coherent"),
      settingOption("fault"),
      { name: "waves", value: "DIR", help: "Record the signals of --engine rtl" },
    ],
  },
  {
    title: "Tests",
    options: [
      ...(["suite", "policy", "size", "depth", "frames"] as const).map(settingOption),
      ...(["duration", "pattern", "seed"] as const).map(settingOption),
      {
        name: "timeout",
        value: "TIME",
        help: "Limit for the run. Defaults to 15m, plus each --duration",
      },
    ],
  },
  {
    title: "Bitstream",
    options: (["bitstream", "loader", "require-identity"] as const).map(settingOption),
  },
  {
    title: "Results",
    options: [
      JSON_OPTION,
      JUNIT_OPTION,
      HTML_OPTION,
      { name: "results", value: "DIR", help: "Folder of the run. Defaults to results/PID-START" },
      LIMITS_OPTION,
      QUIET_OPTION,
    ],
  },
];

/** The command line of `plumbline run`. */
export const RUN_LINE: CommandLine = {
  command: "plumbline run",
  purpose: "Test the design on a board.",
  details: "FILE is a test file or a folder. Without FILE, the suites of Plumbline run.",
  operands: "[FILE ...]",
  groups: RUN_GROUPS,
  examples: [
    ["plumbline run --board sim", "Try it without a board"],
    ["plumbline run --bitstream top.bit --html report.html", "Load a bitstream and test it"],
    [
      "plumbline run --policy streaming,none --size 4096 --duration 1h",
      "Test one policy for an hour per suite, with its control",
    ],
  ],
  exit: EXIT,
};

/** Options of `plumbline run` that have no meaning for a measurement. */
const NOT_FOR_BENCH = ["frames", "duration", "pattern", "fault"];

/** The command line of `plumbline bench`. */
export const BENCH_LINE: CommandLine = {
  command: "plumbline bench",
  purpose: "Measure what each sync policy costs, and advise which one to use.",
  details: "FILE is a test file or a folder. Without FILE, the benchmarks of Plumbline run.",
  operands: "[FILE ...]",
  groups: RUN_GROUPS.map(({ title, options }) => ({
    title,
    options: [
      ...options.filter(({ name }) => !NOT_FOR_BENCH.includes(name)),
      ...(title === "Tests"
        ? [{
          name: "quick",
          value: null,
          help: `Take half the time: the same as --size ${QUICK.size} --depth ${QUICK.depth}`,
        }]
        : []),
    ],
  })),
  examples: [
    ["plumbline bench --board sim --quick", "Try it without a board"],
    ["plumbline bench --html costs.html", "Measure this board and write a page with charts"],
  ],
  exit: { ...EXIT, 1: "A policy failed, or a measurement exceeds its limit" },
};

/** What the options depend on besides the command line. */
export interface Surroundings {
  /** Returns the suites in test files and folders. */
  readonly suites: (files: readonly string[]) => readonly string[];
  /** Whether this machine is itself a virtual board. */
  readonly virtual: boolean;
  /** Whether the command is `plumbline bench`. Defaults to `plumbline run`. */
  readonly bench?: boolean;
}

/**
 * Reads the options of `plumbline run` or `plumbline bench`.
 *
 * @param given The parts of the command line
 * @param around What else the options depend on
 * @returns The options
 * @throws {UsageError} If a value is not valid, or if options do not fit together
 */
export function readRunOptions(given: Arguments, around: Surroundings): RunOptions {
  const { values, switches, operands: files } = given;
  const { board: _, ...written } = settingTexts(given);
  const { duration, fault } = checkSettings(written, files, around);
  const choice = readBoardOptions(given, around.virtual);
  if (fault !== null) checkFaultText(fault, choice.board);
  const settings = addDefaults(written, given, {
    simulated: choice.engine === "rtl" && around.bench !== true,
  });
  const { timeout, waves } = values;
  return {
    ...choice,
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
    waves: waves === undefined ? null : absolutePath(waves),
    quiet: switches.has("quiet"),
  };
}

/** Parses settings only to refuse those that are not valid. */
function checkSettings(
  settings: SettingTexts,
  files: readonly string[],
  around: Surroundings,
): { duration: number | null; fault: string | null } {
  const parsed = parseSettings(settings);
  if (settings.suite !== undefined) {
    const known = around.suites(files);
    parseList("--suite", settings.suite, (option, one) => parseName(option, one, known));
  }
  return parsed;
}

/** Parses a fault only to refuse one that the board cannot inject. */
function checkFaultText(fault: string, board: BoardChoice): void {
  try {
    if (board.kind === "sim") parseFaults(fault);
    else checkFault(fault);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--fault: ${error.message}`);
    throw error;
  }
}

/** The settings as the suites get them: with defaults, and with an absolute path. */
function addDefaults(
  written: SettingTexts,
  { switches }: Arguments,
  { simulated }: { simulated: boolean },
): SettingTexts {
  const { size, frames } = SIMULATED;
  return {
    ...(switches.has("quick") ? QUICK : {}),
    ...(simulated ? { size } : {}),
    ...(simulated && written.duration === undefined ? { frames } : {}),
    ...written,
    // a suite may run in another folder
    ...(written.bitstream === undefined ? {} : { bitstream: absolutePath(written.bitstream) }),
  };
}

/**
 * Writes options as arguments, for the same run on another machine.
 *
 * @param options The options
 * @returns Arguments of `plumbline run`, without those that belong to this machine: board, bus,
 * engine, coherence, files, outputs, limit for the run, and quiet
 */
export function runArguments({ settings }: Pick<RunOptions, "settings">): string[] {
  const { coherent: _, ...others } = settings;
  return settingArguments(others);
}
