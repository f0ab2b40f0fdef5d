// SPDX-License-Identifier: MIT
/**
 * Boards whose truth is known, and what an audit must say of them. The answers are written down here, and not
 * computed by the code under test.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Audit } from "../mod.ts";

/** Chances of 256 that a line snoops. The last is nine times in ten. */
export const SNOOPS = { yes: 256, no: 0, sometimes: 230 } as const;
type Truth = keyof typeof SNOOPS;

/** What the kernel believes, then what tx and rx snoop: verdict of tx, of rx, and the start of the change. */
const TABLE: Readonly<Record<string, readonly [string, string, string | null]>> = {
  "coherent yes yes": ["right", "right", null],
  "coherent yes no": ["right", "corrupt", "Drive AWCACHE[3:2]"],
  "coherent yes sometimes": ["right", "corrupt", "Drive AWCACHE[3:2]"],
  "coherent no yes": ["corrupt", "right", "Drive ARCACHE[3:2]"],
  "coherent no no": ["corrupt", "corrupt", "Remove the property dma-coherent"],
  "coherent no sometimes": ["corrupt", "corrupt", "Remove the property dma-coherent"],
  "coherent sometimes yes": ["corrupt", "right", "Drive ARCACHE[3:2]"],
  "coherent sometimes no": ["corrupt", "corrupt", "Remove the property dma-coherent"],
  "coherent sometimes sometimes": ["corrupt", "corrupt", "Remove the property dma-coherent"],
  "syncs yes yes": ["slow", "slow", "Add the property dma-coherent"],
  "syncs yes no": ["slow", "right", "Drive AWCACHE[3:2]"],
  "syncs yes sometimes": ["slow", "right", "Drive AWCACHE[3:2]"],
  "syncs no yes": ["right", "slow", "Drive ARCACHE[3:2]"],
  "syncs no no": ["right", "right", null],
  "syncs no sometimes": ["right", "right", null],
  "syncs sometimes yes": ["right", "slow", "Drive ARCACHE[3:2]"],
  "syncs sometimes no": ["right", "right", null],
  "syncs sometimes sometimes": ["right", "right", null],
};

/** A board. */
export interface TruthOf {
  /** What the kernel believes and what the hardware does, in words. */
  readonly name: string;
  readonly coherent: boolean;
  readonly reads: Truth;
  readonly writes: Truth;
  /** Verdict of tx and of rx. */
  readonly verdicts: readonly [string, string];
  /** How the change starts. */
  readonly change: string | null;
}

/** All boards. */
export const TRUTHS: readonly TruthOf[] = Object.entries(TABLE).map(([name, [tx, rx, change]]) => {
  const [kernel, reads, writes] = name.split(" ") as [string, Truth, Truth];
  return {
    name: `kernel ${kernel}, reads snoop ${reads}, writes snoop ${writes}`,
    coherent: kernel === "coherent",
    ...{ reads, writes, verdicts: [tx, rx], change },
  };
});

/** Asserts that an audit found a truth. */
export function expectTruth(found: Audit, truth: TruthOf, message: string): void {
  const { ports: { tx, rx }, fix } = found;
  const driver = truth.coherent ? "nothing" : "syncs";
  assertEquals([tx.snoops, rx.snoops], [truth.reads, truth.writes], message);
  assertEquals([tx.verdict, rx.verdict], truth.verdicts, message);
  assertEquals(fix?.change.slice(0, truth.change?.length) ?? null, truth.change, message);
  assertEquals([tx.driver, rx.driver], [driver, driver], message);
  assertEquals(found.coherent, truth.coherent, message);
  assertEquals(tx.lines.foreign + rx.lines.foreign, 0, message);
  // the proof itself: memory stayed old, or a dirty line gave way
  const all = found.lines * found.repeats;
  if (truth.reads === "yes") assertEquals(tx.lines.snooped, all, message);
  if (truth.writes === "yes") assertEquals(rx.lines.snooped, all / 2, message);
  if (truth.reads === "no") assertEquals(tx.lines.snooped, 0, message);
  if (truth.writes === "no") assertEquals(rx.lines.snooped, 0, message);
  for (const { pattern, snoops } of [tx, rx]) {
    assertEquals(pattern, snoops === "sometimes" ? "by chance" : null, message);
  }
}
