// SPDX-License-Identifier: MIT
/**
 * What the suites are asked to do: `PLUMBLINE_*` variables, and arguments behind `--`, which win.
 *
 * @module
 */

import { POLICIES, type PolicyName } from "../../driver/uapi.ts";
import { nearest } from "../text/nearest.ts";
import {
  type FrameSize,
  parseDepth,
  parseDevice,
  parseDuration,
  parseList,
  parseName,
  parseSize,
  parseWhole,
} from "./values.ts";

/** Boards that a suite can be on; `vm` is told by the guest, where it is the machine itself. */
export const SUITE_BOARDS = ["local", "sim", "vm"] as const;

/** Settings of the suites; null leaves the choice to the suite. */
export interface Settings {
  /** The board. */
  readonly board: typeof SUITE_BOARDS[number];
  /** The device nodes, at least one. */
  readonly devices: readonly string[];
  /** Policies to test. */
  readonly policies: readonly PolicyName[] | null;
  /** Suites to run, by the names of their files. */
  readonly suites: readonly string[] | null;
  /** Frame sizes, bytes; `block` is the largest block, `largest` the same less its guards. */
  readonly sizes: readonly FrameSize[] | null;
  /** Blocks in flight at once; `max` is a full queue. */
  readonly depths: readonly (number | "max")[] | null;
  /** Frames per case. */
  readonly frames: number | null;
  /** Time for the cases of a suite together, seconds; instead of a number of frames. */
  readonly duration: number | null;
  /** Pattern by name, for the tests that leave it open. */
  readonly pattern: string | null;
  /** Seed of every pattern and every random choice. */
  readonly seed: number;
  /** Whether a virtual board's device is cache coherent. */
  readonly coherent: boolean;
  /** Fault to inject into each case, on virtual boards. */
  readonly fault: string | null;
  /** Bitstream to load before the first case, instead of the one that a test file names. */
  readonly bitstream: string | null;
  /** By what to load it; see `loadBitstream`. */
  readonly loader: string | null;
  /** Whether a bitstream must prove to be the one that was asked for. */
  readonly requireIdentity: boolean;
}

/** Every setting that is a value, with what stands for the value in a help. */
export const SETTING_NAMES = [
  "board",
  "device",
  "policy",
  "suite",
  "size",
  "depth",
  "frames",
  "duration",
  "pattern",
  "seed",
  "fault",
  "bitstream",
  "loader",
] as const;

/** Every setting that is a switch. */
export const SWITCH_NAMES = ["coherent", "require-identity"] as const;

/** Name of a setting. */
export type SettingName = typeof SETTING_NAMES[number] | typeof SWITCH_NAMES[number];

/** Settings as text, as they were written. */
export type SettingTexts = Readonly<Partial<Record<SettingName, string>>>;

/**
 * Read the settings of a test file.
 *
 * @param args Arguments behind `--`
 * @param env Looks up an environment variable
 * @returns The settings
 * @throws {RangeError} For an unknown option, with the nearest good one, or a value that makes no
 * sense
 */
export function readSettings(
  args: readonly string[] = Deno.args,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Settings {
  const texts: Partial<Record<SettingName, string>> = {};
  const names: Partial<Record<SettingName, string>> = {};
  for (const name of [...SETTING_NAMES, ...SWITCH_NAMES]) {
    const variable = settingVariable(name);
    const value = env(variable);
    if (value === undefined || value === "") continue;
    texts[name] = value;
    names[name] = variable;
  }
  for (const [name, value] of Object.entries(readArguments(args))) {
    texts[name as SettingName] = value;
    names[name as SettingName] = `--${name}`;
  }
  return parseSettings(texts, (name) => names[name] ?? `--${name}`);
}

/**
 * The environment variable of a setting.
 *
 * @param name The setting
 * @returns Such as `PLUMBLINE_POLICY`
 */
export function settingVariable(name: SettingName): string {
  return `PLUMBLINE_${name.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * Make sense of settings.
 *
 * @param texts What was written
 * @param what How errors call a setting
 * @returns The settings
 * @throws {RangeError} For a value that makes no sense
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
    throw new RangeError(`${what("frames")} and ${what("duration")} exclude each other: give one`);
  }
  return {
    board: one("board", (option, value) => parseName(option, value, SUITE_BOARDS)) ?? "local",
    devices: many("device", parseDevice) ?? ["/dev/pldma0"],
    policies: many("policy", (option, value) => parseName(option, value, POLICIES)),
    suites: many("suite", (_option, value) => value),
    sizes: many("size", parseSize),
    depths: many("depth", parseDepth),
    frames,
    duration,
    pattern: text("pattern"),
    seed: one("seed", (option, value) => parseWhole(option, value, 0, 2 ** 32 - 1)) ?? 1,
    coherent: one("coherent", parseSwitch) ?? false,
    fault: text("fault"),
    bitstream: text("bitstream"),
    loader: text("loader"),
    requireIdentity: one("require-identity", parseSwitch) ?? false,
  };
}

/** A switch in a variable: 0 or 1. */
function parseSwitch(what: string, text: string): boolean {
  return parseName(what, text, ["0", "1"]) === "1";
}

/** Arguments behind `--`: `--name value`, `--name=value`, and switches. */
function readArguments(args: readonly string[]): SettingTexts {
  const texts: Partial<Record<SettingName, string>> = {};
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? "";
    const [, given = "", value] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    const names = [...SETTING_NAMES, ...SWITCH_NAMES];
    const name = names.find((one) => one === given);
    if (name === undefined) {
      const guess = nearest(given, names);
      throw new RangeError(
        `Unknown option "${argument.split("=")[0]}" behind --: ` +
          (guess === null ? `use --${names.join(", --")}` : `did you mean --${guess}?`),
      );
    }
    if (SWITCH_NAMES.some((one) => one === name)) {
      if (value !== undefined) throw new RangeError(`--${name} takes no value`);
      texts[name] = "1";
      continue;
    }
    const text = value ?? args[++i];
    if (text === undefined || text === "" || (value === undefined && text.startsWith("--"))) {
      throw new RangeError(`--${name} needs a value`);
    }
    texts[name] = text;
  }
  return texts;
}
