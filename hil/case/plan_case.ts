// SPDX-License-Identifier: MIT
/**
 * Decides what a case is when it is registered, and what it needs from the devices.
 *
 * @module
 */

import { type DeviceInfo, knowsIdle } from "../../driver/info.ts";
import { type Direction, DIRECTIONS, type PolicyName } from "../../driver/uapi.ts";
import { guardSize, movesFromGuards } from "../frames/guards.ts";
import { patternNamed, patterns, type PatternSpec } from "../patterns/mod.ts";
import type { Settings } from "../settings/settings.ts";
import type { FrameSize } from "../settings/values.ts";
import type { CaseParameters } from "./parameters.ts";
import type { Session } from "./session.ts";

/** Default time limit of a case, seconds. It is longer than every wait inside a case. */
const LIMIT = 300;

/** Default bytes of a frame. */
export const SIZE = 65536;

/** Options of a test. */
export interface TestOptions {
  /** Sync policy of the blocks. Defaults to `streaming`. */
  readonly policy?: PolicyName;
  /** Bytes of a frame. Defaults to 64 KiB, or to the largest frame of the board if that is smaller. */
  readonly size?: FrameSize;
  /** Blocks in flight, in each direction. Defaults to `max`: full queues. */
  readonly depth?: number | "max";
  /** Pattern of the frames, unless `--pattern` names one. Defaults to `tagged`. */
  readonly pattern?: PatternSpec;
  /** Directions that the test uses. Defaults to both. A device without one of them skips the test. */
  readonly directions?: readonly Direction[];
  /** Time limit of each case, seconds, to which `--duration` is added. Defaults to 300. */
  readonly timeoutSeconds?: number;
}

/** A case, as it is decided when it is registered. */
export interface Plan {
  /** Its name in the journal. */
  readonly id: string;
  /** Whether it must fail on a board that reveals missing syncs. */
  readonly control: boolean;
  /** Directions that it uses. */
  readonly directions: readonly Direction[];
  /** Why it cannot run here; null if it can, or if that is unknown until the bitstream is loaded. */
  readonly skip: string | null;
  /** Its parameters, for the results; null for a test without a policy. */
  readonly params: { size: FrameSize; depth: number | "max"; alias: boolean } | null;
  /** Time limit, seconds. */
  readonly limit: number;
  /** Returns the parameters of the case on these devices, or why they cannot do it. */
  readonly choose: (
    infos: readonly DeviceInfo[],
    pattern?: PatternSpec,
  ) => CaseParameters | string;
}

/**
 * Decides what a case is.
 *
 * @param session The board
 * @param name The name of the case
 * @param options Its options
 * @param policy Its policy in a matrix, or null
 * @returns The case
 */
export function planCase(
  { suite, settings, infos }: Session,
  name: string,
  options: TestOptions,
  policy: PolicyName | null,
): Plan {
  const choose = (known: readonly DeviceInfo[], pattern?: PatternSpec) =>
    chooseCase(
      known,
      settings,
      { ...(pattern === undefined ? {} : { pattern }), ...options },
      policy !== null,
    );
  // what a bitstream offers is unknown until it is loaded; then the case itself decides
  const chosen = infos === null ? null : choose(infos);
  return {
    id: `${suite}/${name}`,
    control: policy === "none",
    directions: options.directions ?? DIRECTIONS,
    skip: typeof chosen === "string" ? chosen : null,
    params: policy === null ? null : describe(options, chosen, infos),
    limit: (options.timeoutSeconds ?? LIMIT) + (settings.duration ?? 0),
    choose,
  };
}

/** The parameters of a case, for the results. */
function describe(
  options: TestOptions,
  chosen: CaseParameters | string | null,
  infos: readonly DeviceInfo[] | null,
): { size: FrameSize; depth: number | "max"; alias: boolean } {
  const { size = SIZE, depth = "max", policy = "streaming" } = options;
  const known = chosen === null || typeof chosen === "string" ? null : chosen;
  const alias = infos?.every((info) => info.policies[policy].alias) ?? false;
  return { size: known?.size ?? size, depth, alias };
}

/** Returns the parameters of a case on these devices, or why they cannot do it. */
function chooseCase(
  infos: readonly DeviceInfo[],
  settings: Settings,
  options: TestOptions,
  ranked: boolean,
): CaseParameters | string {
  const { policy = "streaming", directions = DIRECTIONS, size: asked = SIZE } = options;
  const maxBlock = Math.min(...infos.map((info) => info.policies[policy].maxBlock));
  const largest = maxBlock - 2 * Math.max(...infos.map((info) => guardSize({ info })));
  const size = asked === "block" ? maxBlock : asked === "largest" ? largest : asked;
  const named = settings.pattern === null ? undefined : patternNamed(settings.pattern);
  const parameters: CaseParameters = {
    policy,
    // the default size was not requested, so it may shrink
    size: options.size === undefined ? Math.min(size, largest) : size,
    depth: options.depth ?? "max",
    guarded: asked !== "block" && infos.every(movesFromGuards),
    pattern: named ?? options.pattern ?? patterns.tagged(),
    seconds: null,
  };
  for (const info of infos) {
    const reason = reasonToSkip(info, parameters, directions, ranked);
    if (reason !== null) return reason;
  }
  return parameters;
}

/** Returns why a device cannot do a case, or null if it can. */
function reasonToSkip(
  info: DeviceInfo,
  { policy, size, depth, guarded }: CaseParameters,
  directions: readonly Direction[],
  ranked: boolean,
): string | null {
  for (const direction of directions) {
    if (info[direction] !== null) continue;
    const uses = directions.length === 2 ? "both channels" : `channel ${direction}`;
    return `the test needs ${uses}, and this device has no ${direction}`;
  }
  const offered = info.policies[policy];
  if (directions.some((direction) => !offered[direction])) {
    return policy === "dma-buf"
      ? "no dma-heap makes buffers here, or the driver does not offer policy dma-buf"
      : `the driver does not offer policy ${policy} here`;
  }
  if (offered.alias && ranked) return "an alias of coherent here, with the same memory attribute";
  const block = size + (guarded ? 2 * guardSize({ info }) : 0);
  if (block > offered.maxBlock) {
    return `${block} bytes with guards exceed the largest block of ${offered.maxBlock} bytes`;
  }
  if (depth !== "max" && depth > info.maxBlocks) {
    return `${depth} blocks in flight exceed the ${info.maxBlocks} blocks of the device`;
  }
  if (policy === "bounce" && info.rx !== null && directions.includes("rx") && !knowsIdle(info.rx)) {
    return "read() leaves blocks with the engine, and no RESET can know when this engine is idle";
  }
  const align = Math.max(1, ...directions.map((direction) => info[direction]?.lengthAlign ?? 1));
  if (size % align !== 0) return `the engine moves only multiples of ${align} bytes`;
  return null;
}
