// SPDX-License-Identifier: MIT
/**
 * The settings of the suites, from `PLUMBLINE_*` variables and from arguments after `--`. An argument
 * overrides the variable of the same name.
 *
 * @module
 */

import { parseRemoteAddress, REMOTE_FORMS, type RemoteAddress } from "../../driver/remote.ts";
import { POLICIES, type PolicyName } from "../../driver/uapi.ts";
import { PATTERN_NAMES } from "../patterns/mod.ts";
import { type Arguments, type OptionInfo, parseOptions } from "./arguments.ts";
import {
  type FrameSize,
  parseDepth,
  parseDevice,
  parseDuration,
  parseList,
  parseName,
  parseSize,
  parseWhole,
  UsageError,
  valueError,
} from "./values.ts";

/**
 * Boards that a suite can run on. Inside a virtual machine, the machine itself is the board `vm`; the
 * guest says so in `PLUMBLINE_BOARD`.
 */
export const SUITE_BOARDS = ["local", "sim", "vm"] as const;

/** Settings of the suites. With `null` the suite chooses. */
export interface Settings {
  /** The board. */
  readonly board: typeof SUITE_BOARDS[number] | "remote";
  /** Where the agent of a remote board is, or null for other boards. */
  readonly agent: RemoteAddress | null;
  /** The device nodes, at least one. */
  readonly devices: readonly string[];
  /** Policies to test. */
  readonly policies: readonly PolicyName[] | null;
  /** Suites to run, by the names of their files. */
  readonly suites: readonly string[] | null;
  /** Frame sizes in bytes. `block` is the largest block, `largest` the largest block without guards. */
  readonly sizes: readonly FrameSize[] | null;
  /** Blocks in flight at once. `max` fills the queue. */
  readonly depths: readonly (number | "max")[] | null;
  /** Frames per case. */
  readonly frames: number | null;
  /** Time for all cases of a suite together, in seconds. Replaces the number of frames. */
  readonly duration: number | null;
  /** Rounds through the cases within {@linkcode duration}. */
  readonly rounds: number | null;
  /** Name of the pattern, for tests that do not choose one. */
  readonly pattern: string | null;
  /** Seed of every pattern and every random choice. */
  readonly seed: number;
  /** Whether the device of a virtual board is cache coherent. */
  readonly coherent: boolean;
  /** Fault to inject into each case, on virtual boards. */
  readonly fault: string | null;
  /** Bitstream to load before the first case, in place of the one that a test file names. */
  readonly bitstream: string | null;
  /** How to load the bitstream; see `loadBitstream`. */
  readonly loader: string | null;
  /** Whether a bitstream must prove its identity. */
  readonly requireIdentity: boolean;
}

/** The most rounds that a command line may ask for, because each one adds lines to the journal. */
const MOST_ROUNDS = 1000;

/** Every setting as an option. */
export const SETTING_OPTIONS = [
  {
    name: "board",
    value: "BOARD",
    help: "Board to run on: local (default), sim, vm or remote:HOST",
  },
  { name: "device", value: "PATH,...", help: "Device nodes. Defaults to /dev/pldma0" },
  {
    name: "policy",
    value: "NAME,...",
    help: "Sync policies. Defaults to all that the board offers",
  },
  { name: "suite", value: "NAME,...", help: "Suites. Defaults to all" },
  {
    name: "size",
    value: "BYTES,...",
    help: "Frame sizes, such as 64,4K,1M, or block (a whole block) or largest (without guards)",
  },
  { name: "depth", value: "N,...", help: "Blocks in flight at once, such as 1,max" },
  { name: "frames", value: "N", help: "Frames per case" },
  {
    name: "duration",
    value: "TIME",
    help: "Time for each suite, such as 10m, in place of --frames",
  },
  {
    name: "rounds",
    value: "N",
    help: "Rounds through the cases within --duration. Defaults to as many as fit, up to 48",
  },
  {
    name: "pattern",
    value: "NAME",
    help: "Content of the frames. Defaults to tagged. help lists them",
  },
  { name: "seed", value: "N", help: "Seed of every random choice. Defaults to 1" },
  {
    name: "fault",
    value: "SPEC",
    help:
      'Inject a fault on a simulated or virtual board: "kind=flip frame=17". help lists the kinds',
  },
  { name: "bitstream", value: "FILE", help: "Bitstream to load before the first case" },
  {
    name: "loader",
    value: "LOADER",
    help: 'Load it by fpga-manager, overlay, dfx-mgr or "COMMAND {file}"',
  },
  {
    name: "coherent",
    value: null,
    help: "Make the device of a simulated or virtual board cache coherent",
  },
  {
    name: "require-identity",
    value: null,
    help: "Fail unless the core proves that it is the expected one",
  },
] as const satisfies readonly OptionInfo[];

/** Name of a setting. */
export type SettingName = typeof SETTING_OPTIONS[number]["name"];

/** Names of all settings. */
export const SETTING_NAMES: readonly SettingName[] = SETTING_OPTIONS.map(({ name }) => name);

/**
 * Returns a setting as an option, for the command line of a command.
 *
 * @param name The setting
 * @returns The option
 */
export function settingOption(name: SettingName): OptionInfo {
  const option = SETTING_OPTIONS.find((one) => one.name === name);
  if (option === undefined) throw new TypeError(`Expected the name of a setting, found ${name}`);
  return option;
}

/** Settings as text, as the user wrote them. A switch that is on is `1`. */
export type SettingTexts = Readonly<Partial<Record<SettingName, string>>>;

/**
 * Reads the settings of a test file.
 *
 * @param args The arguments after `--`
 * @param env Looks up an environment variable
 * @returns The settings
 * @throws {UsageError} If an option is not known, with the nearest one, or if a value is not valid
 */
export function readSettings(
  args: readonly string[] = Deno.args,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Settings {
  const texts: Partial<Record<SettingName, string>> = {};
  const names: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const variable = settingVariable(name);
    const value = env(variable);
    if (value === undefined || value === "") continue;
    texts[name] = value;
    names[name] = variable;
  }
  const given = settingTexts(parseOptions(SETTING_OPTIONS, args));
  for (const name of SETTING_NAMES) {
    if (given[name] === undefined) continue;
    texts[name] = given[name];
    names[name] = `--${name}`;
  }
  return parseSettings(texts, (name) => names[name] ?? `--${name}`);
}

/**
 * Selects the settings among the parts of a command line.
 *
 * @param given The parts
 * @returns The settings that were given
 */
export function settingTexts({ values, switches }: Pick<Arguments, "values" | "switches">): {
  [Name in SettingName]?: string;
} {
  const texts: { [Name in SettingName]?: string } = {};
  for (const { name, value } of SETTING_OPTIONS) {
    const text = value === null ? (switches.has(name) ? "1" : undefined) : values[name];
    if (text !== undefined) texts[name] = text;
  }
  return texts;
}

/**
 * Writes settings as arguments, for another process.
 *
 * @param texts The settings
 * @returns Arguments that {@linkcode readSettings} takes
 *
 * @example A value and a switch
 * ```ts
 * import { settingArguments } from "./settings.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(settingArguments({ seed: "7", coherent: "1" }), ["--seed=7", "--coherent"]);
 * ```
 */
export function settingArguments(texts: SettingTexts): string[] {
  return SETTING_OPTIONS.flatMap(({ name, value }) => {
    const text = texts[name];
    if (text === undefined) return [];
    return [value === null ? `--${name}` : `--${name}=${text}`];
  });
}

/**
 * Returns the name of a setting's environment variable.
 *
 * @param name The setting
 * @returns Such as `PLUMBLINE_POLICY`
 */
export function settingVariable(name: SettingName): string {
  return `PLUMBLINE_${name.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * Parses settings.
 *
 * @param texts The settings as text
 * @param what The name of a setting in errors. Defaults to that of its option
 * @returns The settings
 * @throws {UsageError} If a value is not valid
 */
export function parseSettings(
  texts: SettingTexts,
  what: (name: SettingName) => string = (name) => `--${name}`,
): Settings {
  const one = <T>(name: SettingName, parse: (what: string, text: string) => T): T | null => {
    const text = texts[name];
    return text === undefined ? null : parse(what(name), text);
  };
  const many = <T>(name: SettingName, parse: (what: string, item: string) => T): T[] | null =>
    one(name, (option, text) => parseList(option, text, parse));
  const text = (name: SettingName): string | null => texts[name] ?? null;
  const frames = one("frames", (option, value) => parseWhole(option, value, 1));
  const duration = one("duration", parseDuration);
  if (frames !== null && duration !== null) {
    throw new UsageError(`${what("frames")} and ${what("duration")} exclude each other: give one`);
  }
  const rounds = one("rounds", (option, value) => parseWhole(option, value, 1, MOST_ROUNDS));
  if (rounds !== null && duration === null) {
    throw new UsageError(`${what("rounds")} needs a time: add ${what("duration")}`);
  }
  return {
    ...one("board", parseBoard) ?? { board: "local", agent: null },
    devices: many("device", parseDevice) ?? ["/dev/pldma0"],
    policies: many("policy", (option, value) => parseName(option, value, POLICIES)),
    suites: many("suite", (_option, value) => value),
    sizes: many("size", parseSize),
    depths: many("depth", parseDepth),
    frames,
    duration,
    rounds,
    pattern: one("pattern", (option, value) => parseName(option, value, PATTERN_NAMES)),
    seed: one("seed", (option, value) => parseWhole(option, value, 0, 2 ** 32 - 1)) ?? 1,
    coherent: one("coherent", parseSwitch) ?? false,
    fault: text("fault"),
    bitstream: text("bitstream"),
    loader: text("loader"),
    requireIdentity: one("require-identity", parseSwitch) ?? false,
  };
}

/** What the address of a remote board begins with. */
const REMOTE = "remote:";

function parseBoard(option: string, text: string): Pick<Settings, "board" | "agent"> {
  if (!text.startsWith(REMOTE)) {
    return { board: parseName(option, text, SUITE_BOARDS), agent: null };
  }
  return { board: "remote", agent: parseRemote(option, text) };
}

/**
 * Parses the name of a remote board.
 *
 * @param option The option, for errors
 * @param text Such as `remote:zed` or `remote:ssh://root@zed`
 * @returns Where its agent is, or null for a board that is not remote
 * @throws {UsageError} If the address is not valid
 *
 * @example An agent on port 7562
 * ```ts
 * import { parseRemote } from "./settings.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRemote("--board", "remote:zed")?.text, "zed");
 * assertEquals(parseRemote("--board", "sim"), null);
 * ```
 */
export function parseRemote(option: string, text: string): RemoteAddress | null {
  if (!text.startsWith(REMOTE)) return null;
  const address = parseRemoteAddress(text.slice(REMOTE.length));
  if (address === null) throw valueError(option, REMOTE_FORMS, text);
  return address;
}

/** A switch in a variable is 0 or 1. */
function parseSwitch(option: string, text: string): boolean {
  return parseName(option, text, ["0", "1"]) === "1";
}
