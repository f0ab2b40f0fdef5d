// SPDX-License-Identifier: MIT
// Test files made for the occasion, run by a real `deno test` on the simulated board.
import { exists } from "../../../fixtures/host/exists.ts";
import { fold } from "../../journal/fold.ts";
import { Journal, parseJournal } from "../../journal/journal.ts";
import type { Results } from "../../results/schema.ts";
import { tempDir } from "../../testing/temp_dir.ts";

const MOD = new URL("../../../mod.ts", import.meta.url).href;

/** How a `deno test` ended. */
export interface Ended {
  dir: string;
  code: number;
  output: string;
  results: Results;
  outcomes: Record<string, string>;
}

/** Run `deno test` on files of the given bodies, with settings behind `--`. */
export async function denoTest(
  files: Record<string, string>,
  settings: readonly string[] = [],
  options: { flags?: readonly string[]; env?: Record<string, string>; board?: string } = {},
): Promise<Ended> {
  const dir = tempDir();
  for (const [name, body] of Object.entries(files)) {
    Deno.writeTextFileSync(
      `${dir}/${name}_test.ts`,
      `import { assertIntact, designs, hil, patterns, tolerance } from "${MOD}";\n${body}`,
    );
  }
  const { PLUMBLINE_RESULTS: _r, PLUMBLINE_BOARD: _b, ...env } = Deno.env.toObject();
  const { flags = [], board = "sim" } = options;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...flags, "--", `--board=${board}`, ...settings],
    cwd: dir,
    env: { ...env, NO_COLOR: "1", PLUMBLINE_RESULTS: `${dir}/results`, ...options.env },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const journal = `${dir}/results/journal.jsonl`;
  // where no board was found there is none
  const results = fold(exists(journal) ? Journal.read(journal) : parseJournal(""));
  return {
    dir,
    code,
    output: text(stdout) + text(stderr),
    results,
    outcomes: Object.fromEntries(results.tests.map((test) => [test.name, test.outcome])),
  };
}
