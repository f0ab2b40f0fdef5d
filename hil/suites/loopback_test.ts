// SPDX-License-Identifier: MIT
/**
 * Loopback: what the CPU sends comes back whole, under every policy that the board offers, from one
 * byte to the largest block, one frame at a time and with full queues.
 *
 * Policy `none` is the control. It leaves out every sync, so on a board where syncs matter it must
 * fail; if it does not, a pass of the other policies proves nothing about coherence.
 */

import { Device } from "../../driver/device.ts";
import { POLICIES, type PolicyName } from "../../driver/uapi.ts";
import { armFault, disarmFault } from "../../fixtures/boards/vm/fault.ts";
import { type CaseResult, Journal } from "../journal.ts";
import { guardSize, loopDepth } from "../block_set.ts";
import type { FrameReport } from "../flow.ts";
import { runLoop } from "../loop.ts";
import { TaggedPattern } from "../patterns/tagged.ts";
import { findProblem } from "../precheck.ts";
import { toolInfo } from "../results_tool.ts";
import { readSettings } from "../settings.ts";
import type { FrameSize } from "../values.ts";

const SUITE = "loopback";

/** One byte; odd; around a cache line; a page and one more; large; the largest with guards. */
const SIZES: readonly FrameSize[] = [
  1,
  3,
  8,
  63,
  64,
  65,
  1000,
  4096,
  4097,
  65536,
  1048576 + 4093,
  "largest",
  "block",
];

/** Frames of a case that nobody gave a number for, and the bytes that bound them. */
const FRAMES = 300;
const BYTES = 16 * 2 ** 20;

const settings = readSettings();
const [path = ""] = settings.devices;
const journal = Journal.open();
let pattern: TaggedPattern | null = null;

const problem = findProblem(path);
if (problem === null) {
  using device = Device.open({ path });
  register(device);
} else {
  journal.bench("device", problem);
  Deno.test(`${SUITE}: ${path} is there`, () => {
    throw new Error(problem);
  });
}

/** Register one test for each case; reads INFO only. */
function register(device: Device): void {
  const { info } = device;
  const { core } = info;
  journal.header({
    tool: toolInfo(),
    board: {
      kind: "local",
      simulated: false,
      arch: Deno.build.arch,
      kernel: Deno.osRelease(),
      coherent: !needsSync(device),
      cacheLine: info.cacheAlign,
      engine: info.tx?.engine ?? info.rx?.engine ?? null,
      core: core.id === 0 ? null : `0x${core.id.toString(16)} ${core.version}`,
    },
    run: { seed: settings.seed },
  });
  let cases = 0;
  for (const policy of settings.policies ?? POLICIES) {
    for (const size of settings.sizes ?? SIZES) {
      for (const depth of settings.depths ?? [1, "max" as const]) {
        registerCase(device, policy, size, depth);
        cases++;
      }
    }
  }
  if (cases === 0) throw new Error("Expected at least one case, found none: nothing was asked for");
}

function registerCase(
  device: Device,
  policy: PolicyName,
  asked: FrameSize,
  depth: number | "max",
): void {
  const { info } = device;
  const { maxBlock, alias } = info.policies[policy];
  const guarded = asked !== "block";
  const size = asked === "block"
    ? maxBlock
    : asked === "largest"
    ? maxBlock - 2 * guardSize(device)
    : asked;
  const name = `loop policy=${policy} size=${asked} depth=${depth}`;
  const id = `${SUITE}/${name}`;
  const skip = reasonToSkip(device, policy, size, guarded);
  journal.register({
    id,
    suite: SUITE,
    name,
    policy,
    params: { size, depth, alias },
    control: policy === "none",
    skip,
  });
  Deno.test({
    name,
    ignore: skip !== null,
    retry: 0,
    fn: () => runCase(id, policy, size, depth, guarded),
  });
}

/** What this device cannot do, in words; null when it can. */
function reasonToSkip(
  device: Device,
  policy: PolicyName,
  size: number,
  guarded: boolean,
): string | null {
  const { info } = device;
  const { tx, rx } = info;
  if (tx === null || rx === null) {
    return `a loop needs both channels: this device has no ${tx === null ? "tx" : "rx"}`;
  }
  const offered = info.policies[policy];
  if (!offered.tx || !offered.rx) return `the driver does not offer policy ${policy} here`;
  if (offered.alias) return `an alias of coherent here: the same memory attribute`;
  const block = size + (guarded ? 2 * guardSize(device) : 0);
  if (block > offered.maxBlock) {
    return `${block} bytes with guards are more than the largest block, ${offered.maxBlock}`;
  }
  const align = Math.max(tx.lengthAlign, rx.lengthAlign);
  if (size % align !== 0) return `the engine moves multiples of ${align} bytes only`;
  return null;
}

function runCase(
  id: string,
  policy: PolicyName,
  size: number,
  asked: number | "max",
  guarded: boolean,
): void {
  journal.start(id);
  const start = performance.now();
  let result: CaseResult;
  try {
    const control = policy === "none";
    using device = Device.open({ path });
    device.reset();
    const depth = asked === "max" ? loopDepth(device, size) : asked;
    const room = Math.max(2 * depth + 1, Math.floor(BYTES / size));
    const frames = settings.frames ?? Math.min(FRAMES, room);
    pattern ??= new TaggedPattern({ seed: settings.seed, maxLength: longest(device) });
    const loop = runLoop(device, pattern, {
      policy,
      size,
      depth,
      frames,
      guarded,
      verify: true,
      onPrimed: () => settings.fault === null || armFault(settings.fault),
    });
    result = judge(loop, frames, control, needsSync(device), performance.now() - start);
  } catch (error) {
    const reason = explain(error);
    const seconds = (performance.now() - start) / 1000;
    result = { outcome: "ERROR", reason, seconds, frames: 0, bytes: 0 };
  }
  const injected = settings.fault === null ? [] : disarmFault();
  journal.end(id, { ...result, ...(settings.fault === null ? {} : { injected }) });
  if (result.outcome !== "PASS" && result.outcome !== "XFAIL" && result.outcome !== "XPASS") {
    const faults = (result.faults ?? []).slice(0, 4).map((
      { kind, frame, offset, length, detail },
    ) => `\n  frame ${frame}, bytes ${offset} to ${offset + length - 1}: ${kind}: ${detail}`);
    throw new Error(`${result.outcome}: ${result.reason}${faults.join("")}`);
  }
}

/** What a loop says about the design, or, for the control, about the board. */
function judge(
  loop: FrameReport,
  frames: number,
  control: boolean,
  syncMatters: boolean,
  milliseconds: number,
): CaseResult {
  const { faults, seen } = loop;
  const rate = loop.bytes / loop.seconds / 1e6;
  const common = {
    seconds: milliseconds / 1000,
    frames: loop.frames,
    bytes: loop.bytes,
    faults,
    measurements: [
      { name: "throughput", value: rate, unit: "MB/s", limit: null },
      { name: "frame rate", value: loop.frames / loop.seconds, unit: "1/s", limit: null },
    ],
    ...(control ? { evidence: { tx: seen.tx === true, rx: seen.rx === true } } : {}),
  };
  if (loop.timeout !== null) return { ...common, outcome: "TIMEOUT", reason: loop.timeout };
  const first = faults[0];
  if (first !== undefined) {
    const reason = `frame ${first.frame} of ${frames}, offset ${first.offset}: ${first.kind}`;
    if (!control) return { ...common, outcome: "FAIL", reason };
    return { ...common, outcome: "XFAIL", reason: `without syncs, as it must: ${reason}` };
  }
  if (loop.frames !== frames) {
    const reason = `${loop.frames} of ${frames} frames were verified`;
    return { ...common, outcome: "ERROR", reason };
  }
  if (!control || !syncMatters) return { ...common, outcome: "PASS", reason: null };
  return { ...common, outcome: "XPASS", reason: "no sync was done, and nothing was wrong" };
}

/** Whether sync calls do anything on this board, in either direction. */
function needsSync(device: Device): boolean {
  const { tx, rx } = device.info;
  return tx?.needsSync === true || rx?.needsSync === true;
}

/** Bytes of the largest block, with room for its rounding. */
function longest(device: Device): number {
  const { policies, pageSize } = device.info;
  return Math.max(...Object.values(policies).map(({ maxBlock }) => maxBlock)) + pageSize;
}

function explain(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
