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
import { checkEngineFault, isVendorEngine } from "../../fixtures/boards/vm/vendor/shape.ts";
import { parseStress, STRESSES, type StressPlan } from "../board/stress.ts";
import type { Arguments, CommandLine, OptionGroup, OptionInfo } from "../settings/arguments.ts";
import { absolutePath } from "../settings/paths.ts";
import {
  parseSettings,
  settingArguments,
  settingOption,
  type SettingTexts,
  settingTexts,
} from "../settings/settings.ts";
import {
  alternatives,
  parseDuration,
  parseList,
  parseName,
  UsageError,
} from "../settings/values.ts";
import {
  BOARD_OPTION,
  type BoardChoice,
  type BoardOptions,
  BUS_OPTION,
  ENGINE_FAULT_OPTION,
  ENGINE_OPTION,
  IOMMU_OPTION,
  KERNEL_OPTION,
  readBoardOptions,
} from "./board_options.ts";
import {
  EXIT,
  FORMAT_OPTIONS,
  HTML_OPTION,
  JSON_OPTION,
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
  /** Files for the results in the formats of other tools, by the name of the option. */
  readonly formats: Readonly<Record<string, string>>;
  /** File for the results as a page with charts. */
  readonly html: string | null;
  /** Folder for everything that the run writes. */
  readonly results: string | null;
  /** File with limits for measurements. */
  readonly limits: string | null;
  /** Limit for the whole run, in seconds. */
  readonly timeout: number;
  /** Fault of the modelled engine. */
  readonly engineFault: string | null;
  /** What loads the machine during the run, as text and as numbers of threads; null for nothing. */
  readonly stress: { readonly text: string; readonly plan: StressPlan } | null;
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

const RESUME_OPTION: OptionInfo = {
  name: "resume",
  value: "DIR",
  help: "Go on with the run in DIR, which ended early. Takes no other option",
};

/** Option groups of `plumbline run`. */
const RUN_GROUPS: readonly OptionGroup[] = [
  {
    title: "Board",
    options: [
      BOARD_OPTION,
      settingOption("device"),
      ENGINE_OPTION,
      ENGINE_FAULT_OPTION,
      IOMMU_OPTION,
      BUS_OPTION,
      KERNEL_OPTION,
      settingOption("coherent"),
      settingOption("fault"),
      { name: "waves", value: "DIR", help: "Record the signals of --engine rtl" },
    ],
  },
  {
    title: "Tests",
    options: [
      ...(["suite", "policy", "size", "depth", "frames"] as const).map(settingOption),
      ...(["duration", "rounds", "pattern", "seed"] as const).map(settingOption),
      {
        name: "stress",
        value: "NAME=N,...",
        help: "Load the machine by N threads each of " + alternatives(Object.keys(STRESSES)),
      },
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
      ...FORMAT_OPTIONS,
      HTML_OPTION,
      { name: "results", value: "DIR", help: "Folder of the run. Defaults to results/PID-START" },
      RESUME_OPTION,
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
      "Test one policy for an hour per suite, with its control, in rounds",
    ],
    ["plumbline run --resume results/soak", "Go on after a reboot with the run in that folder"],
  ],
  exit: EXIT,
};

/** Options of `plumbline run` that have no meaning for a measurement. */
const NOT_FOR_BENCH = ["frames", "duration", "rounds", "pattern", "stress", "fault", "resume"];

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
    simulated: (choice.engine === "rtl" || isVendorEngine(choice.engine)) && around.bench !== true,
  });
  const { timeout, waves } = values;
  const engineFault = values["engine-fault"] ?? null;
  if (engineFault !== null) refuseOutOfRange("--engine-fault", () => checkEngineFault(engineFault));
  return {
    ...choice,
    settings,
    files,
    json: values["json"] ?? null,
    formats: formatsIn(values),
    html: values["html"] ?? null,
    results: values["results"] ?? null,
    limits: values["limits"] ?? null,
    timeout: timeout === undefined
      ? DEFAULT_TIMEOUT + Math.max(1, around.suites(files).length) * (duration ?? 0)
      : parseDuration("--timeout", timeout),
    engineFault,
    stress: values["stress"] === undefined ? null : readStress(values["stress"], choice.board),
    waves: waves === undefined ? null : absolutePath(waves),
    quiet: switches.has("quiet"),
  };
}

/** The load of the machine that has the board. */
function readStress(text: string, board: BoardChoice): RunOptions["stress"] {
  const plan = parseStress("--stress", text);
  if (board.kind !== "remote" && board.kind !== "target") return { text, plan };
  throw new UsageError(
    "--stress loads the machine that runs Plumbline, and this board is another one: leave it out, " +
      "and start a load there",
  );
}

/** The files of `--junit` and its like. */
function formatsIn(values: Arguments["values"]): Record<string, string> {
  const given = FORMAT_OPTIONS.map(({ name }) => [name, values[name]] as const);
  return Object.fromEntries(
    given.flatMap(([name, file]) => file === undefined ? [] : [[name, file]]),
  );
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
  refuseOutOfRange("--fault", () => board.kind === "sim" ? parseFaults(fault) : checkFault(fault));
}

/** Runs a check of an option's value, and turns its RangeError into a usage error. */
function refuseOutOfRange(option: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`${option}: ${error.message}`);
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
