// SPDX-License-Identifier: MIT
/**
 * Runs a suite on the simulated board, as a user does.
 *
 * @module
 */

import type { Results } from "../../../results/schema.ts";
import { tempDir } from "../../../testing/temp_dir.ts";
import { readResults } from "./ending.ts";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;

/**
 * Runs a suite by `plumbline run`.
 *
 * @param suite Name of the suite
 * @param args Further arguments
 * @returns The exit status, the results, and what was printed on stderr
 */
export function runOnSim(
  suite: string,
  ...args: readonly string[]
): { code: number; results: Results; text: string } {
  const dir = `${tempDir()}/run`;
  const { PLUMBLINE_RESULTS: _r, PLUMBLINE_BOARD: _b, ...env } = Deno.env.toObject();
  const { code, stderr } = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", MAIN, "run", "--board=sim", `--suite=${suite}`],
      ...[`--results=${dir}`, ...args],
    ],
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  return { code, results: readResults(dir), text: new TextDecoder().decode(stderr) };
}
