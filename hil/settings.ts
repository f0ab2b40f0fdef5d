// SPDX-License-Identifier: MIT
/**
 * What the suites are asked to do: environment variables, and arguments behind `--`, which win.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { POLICIES, type PolicyName } from "../driver/uapi.ts";

/** A frame size: bytes, or a name for what the board can do at most. */
export type FrameSize = number | "largest" | "block";

/** Settings of the suites; null leaves the choice to the suite. */
export interface Settings {
  /** The device node. */
  readonly device: string;
  /** Policies to test. */
  readonly policies: readonly PolicyName[] | null;
  /** Frame sizes, bytes; `block` is the largest block, `largest` the same less its guards. */
  readonly sizes: readonly FrameSize[] | null;
  /** Blocks in flight at once; `max` is a full queue. */
  readonly depths: readonly (number | "max")[] | null;
  /** Frames per case. */
  readonly frames: number | null;
  /** Seed of every pattern. */
  readonly seed: number;
  /** Fault to inject into each case, on virtual boards. */
  readonly fault: string | null;
}

const OPTIONS = {
  device: { type: "string" },
  policy: { type: "string" },
  size: { type: "string" },
  depth: { type: "string" },
  frames: { type: "string" },
  seed: { type: "string" },
  fault: { type: "string" },
} as const;

/**
 * Read the settings.
 *
 * @param args Arguments behind `--`
 * @param env Looks up an environment variable
 * @returns The settings
 * @throws {RangeError} For a value that makes no sense
 * @throws {TypeError} For an unknown option
 */
export function readSettings(
  args: readonly string[] = Deno.args,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Settings {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true });
  const text = (name: keyof typeof OPTIONS): string | null =>
    values[name] ?? (env(`PLUMBLINE_${name.toUpperCase()}`) || null);
  return {
    device: text("device") ?? "/dev/pldma0",
    policies: list(text("policy"), policy),
    sizes: list(text("size"), size),
    depths: list(text("depth"), (one) => one === "max" ? "max" : whole("depth", one, 1)),
    frames: single(text("frames"), (one) => whole("frames", one, 1)),
    seed: single(text("seed"), (one) => whole("seed", one, 0, 2 ** 32 - 1)) ?? 1,
    fault: text("fault"),
  };
}

function single<T>(text: string | null, parse: (one: string) => T): T | null {
  return text === null ? null : parse(text);
}

function list<T>(text: string | null, parse: (one: string) => T): T[] | null {
  return text === null || text === "all" ? null : text.split(",").map((one) => parse(one.trim()));
}

function policy(text: string): PolicyName {
  const name = POLICIES.find((one) => one === text);
  if (name !== undefined) return name;
  throw new RangeError(`Expected policy to be one of all, ${POLICIES.join(", ")}, found ${text}`);
}

function size(text: string): FrameSize {
  return text === "largest" || text === "block" ? text : whole("size", text, 1);
}

function whole(what: string, text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new RangeError(`Expected ${what} to be a whole number of at least ${min}, found ${text}`);
}
