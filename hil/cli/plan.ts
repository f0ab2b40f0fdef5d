// SPDX-License-Identifier: MIT
/**
 * What a run will do, decided from the command line before anything happens.
 *
 * @module
 */
import { driverOf } from "../../driver/adapters/adapter.ts";
import { exists } from "../../fixtures/host/exists.ts";
import { JOURNAL_FILE, RESULTS_VARIABLE } from "../journal/journal.ts";
import { type Limit, LimitsError, readLimits } from "../results/limits.ts";
import type { Arguments } from "../settings/arguments.ts";
import { absolutePath, ROOT } from "../settings/paths.ts";
import { readSettings, settingArguments, type Settings } from "../settings/settings.ts";
import { suiteName, testFilesBelow } from "../settings/suite_names.ts";
import { UsageError } from "../settings/values.ts";
import { printable } from "../text/text.ts";
import { readRunOptions, type RunOptions } from "./options.ts";
import { type FormatFile, formatFiles, jsonFile, outputFile } from "./output.ts";

/** The commands that run suites, each with the folder of its own suites. */
const SUITES = {
  run: `${ROOT}hil/suites`,
  bench: `${ROOT}hil/bench/suites`,
} as const;

/** Files for the results, besides the folder of the run. */
export interface Outputs {
  /** For JSON: an absolute path, or `-` for standard output. */
  readonly json: string | null;
  /** For other tools. */
  readonly formats: readonly FormatFile[];
  /** For the page with charts: an absolute path. */
  readonly html: string | null;
}

/** What a run will do. */
export interface Plan {
  /** The command as the results record it. */
  readonly command: readonly string[];
  /** The options. */
  readonly options: RunOptions;
  /** The settings as the suites will read them. */
  readonly settings: Settings;
  /** The limits for measurements. */
  readonly limits: readonly Limit[] | null;
  /** Absolute paths of the test files. */
  readonly files: readonly string[];
  /** Where test files were looked for, for messages. */
  readonly source: string;
  /** Files for the results. */
  readonly outputs: Outputs;
  /** Folder of the run, or `null` for a new one. */
  readonly dir: string | null;
  /** Whether this machine is itself a virtual board. */
  readonly virtual: boolean;
}

/**
 * Decides what a run will do.
 *
 * @param command The command
 * @param given The parts of its command line
 * @param args The arguments as the user wrote them
 * @param dir The folder of the run, if it is resumed
 * @returns The plan
 * @throws {UsageError} If the command line is not valid
 */
export function planRun(
  command: keyof typeof SUITES,
  given: Arguments,
  args: readonly string[],
  dir?: string,
): Plan {
  const virtual = Deno.env.get("PLUMBLINE_BOARD") === "vm";
  const suites = SUITES[command];
  const options = readRunOptions(given, {
    suites: (asked) => testFiles(asked, suites).map(suiteName),
    virtual,
    bench: command === "bench",
  });
  const settings = suiteSettings(options);
  if (command === "bench" && options.files.length === 0) refuseAdapted(settings.devices);
  const files = testFiles(options.files, suites)
    .filter((file) => settings.suites?.includes(suiteName(file)) ?? true);
  const { bitstream } = settings;
  if (bitstream !== null && options.board.kind !== "remote" && !exists(absolutePath(bitstream))) {
    throw new UsageError(`Expected --bitstream to be a file, found no ${bitstream}`);
  }
  if (settings.requireIdentity && bitstream === null && options.files.length === 0) {
    throw new UsageError(
      "--require-identity needs a bitstream whose identity the core can prove: add --bitstream FILE",
    );
  }
  if (options.board.kind === "vm") {
    refuseOutside(bitstream === null ? files : [...files, bitstream]);
  }
  return {
    command: ["plumbline", command, ...args],
    options,
    settings,
    limits: options.limits === null ? null : limitsFrom(options.limits),
    files,
    source: options.files.join(", ") || suites,
    outputs: {
      json: jsonFile(options.json),
      formats: formatFiles(options.formats),
      html: outputFile("--html", options.html),
    },
    dir: dir ?? runFolder(options, virtual),
    virtual,
  };
}

/** The benchmarks of Plumbline need what only pldma counts and allocates. */
function refuseAdapted(devices: readonly string[]): void {
  for (const device of devices) {
    const driver = driverOf(device);
    if (driver === null) continue;
    throw new UsageError(
      `The benchmark reads the driver's statistics of syncs and needs coherent memory, and ${driver} at ` +
        `${device} has neither: bind pldma to the engine, or check data by plumbline run`,
    );
  }
}

/** The settings as the suites will read them: from the command line, else from variables. */
function suiteSettings({ settings }: RunOptions): Settings {
  const ignored = ["PLUMBLINE_BOARD", "PLUMBLINE_COHERENT"];
  return readSettings(
    settingArguments(settings),
    (name) => ignored.includes(name) ? undefined : Deno.env.get(name),
  );
}

/**
 * Reads the file that `--limits` names.
 *
 * @param path The path as the user wrote it
 * @returns The limits
 * @throws {UsageError} If the file cannot be read or is not valid
 */
export function limitsFrom(path: string): Limit[] {
  try {
    return readLimits(absolutePath(path));
  } catch (error) {
    if (error instanceof LimitsError) throw new UsageError(printable(`--limits: ${error.message}`));
    throw error;
  }
}

/** Absolute paths of the test files that the user asked for, or of those in a folder. */
function testFiles(asked: readonly string[], folder: string): string[] {
  if (asked.length === 0) return testFilesBelow(folder);
  return [
    ...new Set(asked.flatMap((path) => {
      const file = absolutePath(path).replace(/\/+$/, "");
      try {
        if (Deno.statSync(file).isDirectory) return testFilesBelow(file);
      } catch {
        throw new UsageError(`Expected a test file or folder, found no ${path}`);
      }
      if (/\.[mc]?[jt]sx?$/.test(file)) return [file];
      // deno test runs the code in a text of Markdown
      throw new UsageError(`Expected a test file such as loop_test.ts or a folder, found ${path}`);
    })),
  ];
}

function refuseOutside(files: readonly string[]): void {
  const outside = files.find((file) => !file.startsWith(ROOT));
  if (outside === undefined) return;
  throw new UsageError(
    `Expected files below ${ROOT}, which is all that a virtual machine sees, found ${outside}`,
  );
}

/** The folder that the user asked for, or `null` for a new one. */
function runFolder(options: RunOptions, virtual: boolean): string | null {
  const asked = options.results ?? (Deno.env.get(RESULTS_VARIABLE) || null);
  if (asked === null) return null;
  const dir = absolutePath(asked);
  const option = options.results === null ? RESULTS_VARIABLE : "--results";
  if (exists(dir) && !exists(`${dir}/.`)) {
    throw new UsageError(`Expected ${option} to be a folder, found the file ${asked}`);
  }
  // in a virtual board, the host began the journal in this folder
  if (!virtual && exists(`${dir}/${JOURNAL_FILE}`)) {
    throw new UsageError(
      `Expected ${option} to be a new folder, found ${asked}, which contains another run`,
    );
  }
  return dir;
}
