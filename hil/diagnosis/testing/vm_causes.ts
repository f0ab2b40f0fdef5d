// SPDX-License-Identifier: MIT
/**
 * Faults of a virtual board with caches, and the causes that the diagnosis of each run must leave. The matrix is
 * small, because a real kernel on a simulated processor is slow.
 *
 * @module
 */
import type { SimCase, SimRun } from "./sim_run.ts";

/** A fault with a seed of the case's own. */
const varied = (spec: string) => ({ policy, size, depth }: SimCase) =>
  `${spec} seed=${
    [...`${policy}${size}${depth}`].reduce((sum, one) => sum * 31 % 9973 + one.charCodeAt(0), 7)
  }`;

const MATRIX = {
  policies: ["coherent", "write-combine", "streaming", "noncoherent", "user-pages-registered"],
  sizes: [64, 1000],
  depths: [1, 4],
  frames: 16,
  maxFaults: 4,
  timeoutMs: 1000,
} as const;

/** A fault, and the names of the causes that are left, in the order of the table. */
export interface VmCause {
  readonly causes: string;
  readonly run: SimRun;
}

const cause = (causes: string, fault: SimRun["fault"], some: Partial<SimRun> = {}): VmCause => ({
  causes,
  run: { ...MATRIX, fault, ...some },
});

/** The faults. */
export const VM_CAUSES: readonly VmCause[] = [
  // mistakes of a test build of the driver
  cause("for-cpu-missing", "kind=sync-skip direction=rx op=for-cpu"),
  cause("for-device-missing", "kind=sync-skip direction=tx op=for-device"),
  // faults of the engine
  cause("stuck-line", "kind=stuck-bit bit=7 value=0 direction=rx", { sizes: [64, 1000, 4097] }),
  cause("byte-order", "kind=byte-lanes"),
  cause("random-flips", varied("kind=flip rate=4")),
  cause("random-flips weak-memory", varied("kind=flip rate=4 direction=rx")),
  cause("beats-lost", varied("kind=drop rate=3")),
  cause("tlast-early", varied("kind=short rate=3")),
  cause("write-past-end", varied("kind=overrun rate=3")),
  cause("frame-offset", "kind=shift"),
  cause("frames-mixed-up", varied("kind=repeat rate=4")),
  cause("bursts-reordered", varied("kind=exchange bytes=64 rate=2"), { sizes: [1000, 4097] }),
  cause("early-completion writes-lost", varied("kind=hole bytes=64 rate=2 direction=rx")),
  cause("early-read wrong-read-address", varied("kind=torn rate=2 direction=tx")),
  cause("after-reset", varied("kind=flip frame=0")),
  cause("completion-lost", "kind=lost-interrupt frame=5", {
    policies: ["coherent", "streaming"],
    sizes: [64, 4097],
  }),
];
