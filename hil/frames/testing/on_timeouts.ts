// SPDX-License-Identifier: MIT
// Run in a guest by ../vm_test.ts, with the names of faults as arguments. Each fault hits frame 5 of a loop with
// one frame in flight. The output is JSON: what each report says.
import { Device } from "../../../driver/device.ts";
import { libc } from "../../../driver/libc.ts";
import { armFault, disarmFault } from "../../../fixtures/boards/vm/fault.ts";
import { watchEngine } from "../../board/watch.ts";
import { patterns } from "../../patterns/mod.ts";
import { runLoop } from "../loop.ts";
import type { TimeoutEvidence } from "../../results/schema.ts";
import { timeoutRule } from "../timeout.ts";

/** What a run reports. */
export interface TimeoutRun {
  readonly fault: string;
  /** The rule that decided; null without a timeout. */
  readonly rule: string | null;
  readonly timeout: string | null;
  readonly evidence: TimeoutEvidence | null;
  /** Kind and frame of each fault. */
  readonly faults: readonly (readonly [kind: string, frame: number])[];
  /** What was thrown, if anything was. */
  readonly thrown: string | null;
}

const SIZE = 4096;
const PATH = "/dev/pldma0";

/** A line that drivers of AXI DMA log. */
const LINE = "xilinx-vdma a0000000.dma: Channel 00000000fe0f1a5c has errors 10, cdr 0 tdr 0";

/** What injects a fault, and what ends it. */
export interface Injector {
  arm(fault: string): void;
  disarm(): void;
  /** How long to wait for a completion, milliseconds. Defaults to 1000. */
  readonly timeoutMs?: number;
}

/**
 * Runs a loop with a fault.
 *
 * @param fault The fault, in frame 5
 * @param line A line to write to the kernel log, or null
 * @param injector What injects it. Defaults to the faults of virtual boards
 * @returns What the run reports
 */
export function runWithFault(
  fault: string,
  line: string | null,
  injector: Injector = { arm: (text) => void armFault(text), disarm: () => void disarmFault() },
): TimeoutRun {
  const device = Device.open({ path: PATH, syscalls: libc });
  const pattern = patterns.tagged().create({ seed: 5, maxLength: 1 << 16 });
  try {
    // an engine that hung before may do so still
    device.reset({ force: true });
    const report = runLoop(device, pattern, {
      ...{ policy: "streaming", size: SIZE, depth: 1, frames: 12 },
      timeoutMs: injector.timeoutMs ?? 1000,
      watch: (one) => watchEngine({ kind: "vm", remote: null }, one),
      onPrimed() {
        injector.arm(fault);
        if (line !== null) Deno.writeTextFileSync("/dev/kmsg", `${line}\n`);
      },
    });
    return {
      fault,
      rule: report.late === undefined ? null : timeoutRule(report.late).id,
      timeout: report.timeout,
      evidence: report.late ?? null,
      faults: report.faults.map(({ kind, frame }) => [kind, frame]),
      thrown: null,
    };
  } catch (error) {
    const nothing = { rule: null, timeout: null, evidence: null, faults: [] };
    return { fault, ...nothing, thrown: String(error) };
  } finally {
    injector.disarm();
    device[Symbol.dispose]();
  }
}

if (import.meta.main) {
  // a line that is older than the run must not be quoted
  Deno.writeTextFileSync("/dev/kmsg", `old: ${LINE}\n`);
  const runs = Deno.args.map((fault) => runWithFault(fault, null));
  const last = Deno.args.at(-1);
  if (last !== undefined) runs.push(runWithFault(last, LINE));
  console.log(JSON.stringify(runs));
}
