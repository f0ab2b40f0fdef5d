// SPDX-License-Identifier: MIT
/**
 * Tries mutants of the kernel module on virtual boards, many in one boot.
 *
 * Between two of them the guest unloads the modules and loads them with the next mutant. A boot ends early
 * after a complaint of the kernel, after a mutant that cannot be unloaded, and when the board hangs. The
 * next boot goes on with those that are left.
 *
 * @module
 */

import { runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { makeScratch } from "../../../fixtures/host/scratch.ts";
import type { GuestPlan, GuestResult } from "./plan.ts";
import {
  type BoardName,
  BOARDS,
  type DriverMutant,
  type MutantKernel,
  type Probe,
} from "./probe.ts";

/** A module to try. */
export interface Trial {
  /** The mutant, or `null` for the module as it is. */
  readonly mutant: DriverMutant | null;
  /** What runs. */
  readonly probe: Probe;
  /** Path of `pldma.ko` on the host. */
  readonly module: string;
}

/** How a trial ended. */
export interface Outcome {
  /** The trial. */
  readonly trial: Trial;
  /** Whether the probe failed, the kernel complained, or the board hung. */
  readonly red: boolean;
  /** Why it is red, in one line; empty if it is green. */
  readonly why: string;
}

/**
 * What a program may take, what a trial may take with its share of a boot, and what a boot may take until
 * the first trial begins, in seconds. On Debian's kernel no trial takes a quarter of that.
 */
const LIMITS: Readonly<Record<MutantKernel, { program: number; trial: number; boot: number }>> = {
  main: { program: 100, trial: 120, boot: 400 },
  debug: { program: 600, trial: 660, boot: 900 },
};

/** How to try the modules of one board. */
export interface TryOptions {
  /** The kernel of the board. */
  readonly kernel: MutantKernel;
  /** Ends the guest that runs. */
  readonly signal?: AbortSignal;
}

/**
 * Tries modules on one board, in as many boots as it takes.
 *
 * @param board The board
 * @param trials The modules; those of mutants with `alone` have a boot of their own
 * @param report Called with each outcome
 * @param options The kernel, and a signal
 */
export async function tryOn(
  board: BoardName,
  trials: readonly Trial[],
  report: (outcome: Outcome) => void,
  options: TryOptions,
): Promise<void> {
  const alone = trials.filter(({ mutant }) => mutant?.alone);
  let left = trials.filter(({ mutant }) => !mutant?.alone);
  while (left.length > 0) {
    const done = await boot(board, left, options);
    done.forEach(report);
    left = left.slice(done.length);
  }
  for (const trial of alone) (await boot(board, [trial], options)).forEach(report);
}

/** Tries modules in one boot; returns the outcomes of the first ones, at least one. */
async function boot(
  board: BoardName,
  trials: readonly Trial[],
  { kernel, signal }: TryOptions,
): Promise<Outcome[]> {
  const limits = LIMITS[kernel];
  const out = await makeScratch("plumbline-mutants");
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal?.addEventListener("abort", stop);
  // a mutant may hang the guest, so the time of each trial is limited from here
  let watch = setTimeout(stop, limits.boot * 1000);
  let seen = "";
  const poll = setInterval(() => {
    const now = results(out, trials.length).map((result) => result.ended).join();
    if (now === seen) return;
    seen = now;
    clearTimeout(watch);
    watch = setTimeout(stop, limits.trial * 1000);
  }, 1000);
  try {
    const plan: GuestPlan = trials.map(({ probe }) => ({
      args: probe.pldma ?? "",
      probe: probe.command,
      seconds: limits.program,
    }));
    await Deno.writeTextFile(`${out}/plan.json`, JSON.stringify(plan));
    for (const [i, { module }] of trials.entries()) await Deno.copyFile(module, `${out}/${i}.ko`);
    const run = await runInGuest({
      ...BOARDS[board],
      // only Debian has packages of modules
      ...(kernel === "main" ? {} : { kernel, kernelModules: [] }),
      outDir: out,
      command: ["deno", "run", "-A", "--no-check", "hil/mutants/driver/in_guest.ts"],
      env: { NO_COLOR: "1" },
      timeoutSeconds: limits.boot + trials.length * limits.trial,
      stdout: "piped",
      stderr: "piped",
      signal: abort.signal,
    });
    signal?.throwIfAborted();
    const done = results(out, trials.length);
    if (done.length === 0) {
      throw new Error(`The board began no trial: ${run.lost ?? `${run.stdout}\n${run.stderr}`}`);
    }
    const complaint = run.kernelReports[0];
    return done.map(({ ended, why }, i) => {
      const last = i === done.length - 1;
      if (!ended) why = `the board was lost: ${complaint ?? run.lost ?? run.stderr}`;
      else if (last && why !== "" && complaint !== undefined) why += `: ${complaint}`;
      return { trial: trials[i] as Trial, red: why !== "", why: why.replaceAll(/\s+/g, " ") };
    });
  } finally {
    clearInterval(poll);
    clearTimeout(watch);
    signal?.removeEventListener("abort", stop);
    await Deno.remove(out, { recursive: true });
  }
}

/** Reads the results of the trials that have begun. */
function results(out: string, count: number): GuestResult[] {
  const found: GuestResult[] = [];
  for (let i = 0; i < count; i++) {
    try {
      found.push(JSON.parse(Deno.readTextFileSync(`${out}/${i}.json`)));
    } catch {
      break;
    }
  }
  return found;
}
