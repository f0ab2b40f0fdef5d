// SPDX-License-Identifier: MIT
// The driver under hostile calls, with fixed seeds: fuzz.c says what each call must answer.
import { assertEquals } from "@std/assert";
import { type Arch, runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../../fixtures/boards/vm/testing/board.ts";

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";
const CALLS = FULL ? 2_000_000 : 300_000;
const ROUNDS = FULL ? 1000 : 50;
const arches: readonly Arch[] = FULL ? ["x86_64", "aarch64"] : ["x86_64"];

for (const arch of arches) {
  await boardTest(
    arch,
    `pldma on vm:${arch} gives the right answer to ${CALLS} hostile calls, and outlives ${ROUNDS} dead owners`,
    async (outDir) => {
      const commands = [
        `fuzz model 1 ${CALLS}`,
        `fuzz storm 1 ${ROUNDS}`,
        `fuzz storm 2 ${ROUNDS} unbind`,
      ];
      const run = await runInGuest({
        arch,
        outDir,
        command: ["sh", "-c", commands.join(" && ")],
        timeoutSeconds: FULL ? 3600 : 1200,
        stdout: "piped",
        stderr: "piped",
      });
      const text = `${run.stdout}\n${run.stderr}`;
      assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
      const figures = text.match(/\d+(?= calls| frames| owners)/g)?.map(Number) ?? [];
      const [calls = 0, frames = 0, storm = 0, owners = 0, removed = 0, last = 0] = figures;
      assertEquals(
        [calls >= CALLS, frames > 500, storm > ROUNDS, owners, removed > ROUNDS, last],
        [true, true, true, ROUNDS, true, ROUNDS],
        text,
      );
      console.log(run.stdout.trim());
    },
  );
}
