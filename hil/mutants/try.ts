// SPDX-License-Identifier: MIT
/**
 * Runs the tests of a part on a mutant until one of them turns red.
 *
 * @module
 */

import type { Copy } from "./copy.ts";
import type { Mutant, Part } from "./mutant.ts";
import { type CopiedPart, type Suite, suitesFor } from "./suites.ts";

/** What came of a mutant. */
export interface Tried {
  /** The part of the mutant. */
  readonly part: Part;
  /** The mutant. */
  readonly mutant: Mutant;
  /** The name of the suite that turned red, or `null` if all of them stayed green. */
  readonly by: string | null;
  /** The first line that says why it turned red; empty if none did. */
  readonly why: string;
}

/** How a suite ended. */
interface Ended {
  readonly red: boolean;
  readonly why: string;
  readonly seconds: number;
}

/** The unmutated copy is red, so the result of a mutant would mean nothing. */
export class RedCopyError extends Error {
  override readonly name = "RedCopyError";
}

/** A suite may take this many times as long as on the unmutated copy. */
const PATIENCE = 5;
/** Limit for the unmutated copy: a virtual board may first have to be built. */
const FIRST_SECONDS = 1800;

/** How mutants are tried. */
export interface TrialOptions {
  /** Returns the tests of a mutant in their order. Defaults to those of its part. */
  readonly suites?: (part: CopiedPart, file: string) => readonly Suite[];
  /** The shortest time limit of a suite, seconds. Defaults to a minute. */
  readonly leastSeconds?: number;
  /** Ends the suite that is running. Defaults to never. */
  readonly signal?: AbortSignal;
}

/** Tries mutants in one copy. */
export class Trials {
  readonly #copy: Copy;
  readonly #suites: (part: CopiedPart, file: string) => readonly Suite[];
  readonly #leastSeconds: number;
  readonly #signal: AbortSignal | undefined;
  /** Time of each suite on the unmutated copy, seconds. */
  readonly #green = new Map<Suite, number>();

  /**
   * @param copy The copy
   * @param options How mutants are tried
   */
  constructor(copy: Copy, options: TrialOptions = {}) {
    this.#copy = copy;
    this.#suites = options.suites ?? suitesFor;
    this.#leastSeconds = options.leastSeconds ?? 60;
    this.#signal = options.signal;
  }

  /**
   * Tries a mutant. A suite that runs for the first time runs on the unmutated copy before.
   *
   * @param part The part of the mutant
   * @param mutant The mutant
   * @returns What came of it
   * @throws {RedCopyError} If a suite is red on the unmutated copy
   * @throws {EditError} If the edit does not apply
   * @throws What `signal` was aborted with
   */
  async of(part: CopiedPart, mutant: Mutant): Promise<Tried> {
    for (const suite of this.#suites(part, mutant.file)) {
      const limit = PATIENCE * await this.#unmutated(suite);
      await using _planted = await this.#copy.plant(mutant);
      const { red, why } = await this.#run(suite, Math.max(this.#leastSeconds, limit));
      if (red) return { part, mutant, by: suite.name, why };
    }
    return { part, mutant, by: null, why: "" };
  }

  /** Runs a suite on the unmutated copy, once; returns its time in seconds. */
  async #unmutated(suite: Suite): Promise<number> {
    const known = this.#green.get(suite);
    if (known !== undefined) return known;
    const { red, why, seconds } = await this.#run(suite, FIRST_SECONDS);
    if (red) {
      throw new RedCopyError(
        `Expected "${suite.name}" to pass without a mutant, found: ${why}. Mend it first`,
      );
    }
    this.#green.set(suite, seconds);
    return seconds;
  }

  async #run({ args }: Suite, limitSeconds: number): Promise<Ended> {
    this.#signal?.throwIfAborted();
    const start = performance.now();
    const { PLUMBLINE_RESULTS: _results, PLUMBLINE_BOARD: _board, ...env } = Deno.env.toObject();
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: this.#copy.root,
      env: { ...env, NO_COLOR: "1" },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    // a detached child leads a group, which holds everything that it started
    const kill = () => Deno.kill(-child.pid, "SIGKILL");
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, limitSeconds * 1000);
    this.#signal?.addEventListener("abort", kill);
    const [{ success }, out, errors] = await Promise.all([
      child.status,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    clearTimeout(timer);
    this.#signal?.removeEventListener("abort", kill);
    this.#signal?.throwIfAborted();
    const seconds = (performance.now() - start) / 1000;
    if (late) {
      return { red: true, why: `did not end within ${Math.round(limitSeconds)} s`, seconds };
    }
    // a filter that no name meets is no error of deno test
    if (success && args[0] === "test" && !/^ok \| [1-9]\d* passed/m.test(out)) {
      return { red: true, why: "no test ran", seconds };
    }
    return { red: !success, why: success ? "" : reasonIn(`${out}\n${errors}`), seconds };
  }
}

/**
 * Finds the line that says why a command failed: the first case of a suite, test or error.
 *
 * @param output What the command wrote
 * @returns That line, or the last one if there is none
 *
 * @example A failed test
 * ```ts
 * import { reasonIn } from "./try.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(reasonIn("one ... ok (1ms)\ntwo ... FAILED (1ms)\nthree"), "two");
 * ```
 */
export function reasonIn(output: string): string {
  const lines = output.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const test = lines.flatMap((line) => /^(.*) \.\.\. FAILED( \(.*\))?$/.exec(line)?.[1] ?? [])[0];
  const verdict =
    lines.flatMap((line) =>
      /(?:^|['"`])((?:FAIL|ERROR|TIMEOUT|XPASS) .*?)['"`]?,?$/.exec(line)?.[1] ?? []
    )[0];
  const error = lines.find((line) => /^error: /i.test(line));
  return (verdict ?? test ?? error ?? lines.at(-1) ?? "nothing was printed").slice(0, 160);
}
