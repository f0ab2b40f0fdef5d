// SPDX-License-Identifier: MIT
/**
 * What the host and the guest tell each other about mutants, as JSON.
 *
 * @module
 */

/** What runs on a mutant: checks of the suite `abi`, or a program of `driver/kernel/tests/`. */
export type Command = { readonly abi: string } | { readonly program: string };

/** The trials of one boot. The module of trial `n` is `/out/n.ko`. */
export type GuestPlan = readonly {
  /** Parameters of `pldma.ko`. */
  readonly args: string;
  /** What runs. */
  readonly probe: Command;
  /** A program that takes longer is red, in seconds. */
  readonly seconds: number;
}[];

/** How a trial ended, in `/out/n.json`. */
export interface GuestResult {
  /** False while it runs. */
  readonly ended: boolean;
  /** Why it is red; empty if it is green. */
  readonly why: string;
}
