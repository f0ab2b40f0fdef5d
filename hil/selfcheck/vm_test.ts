// SPDX-License-Identifier: MIT
// On real kernels: faults of the engine, the cache and the driver are caught and named, and correct frames
// cause no faults.
import { assert, assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import type { SoakResult } from "../../fixtures/boards/sim/testing/soak.ts";
import {
  type Arch,
  archNames,
  type Bus,
  hostArch,
  runInGuest,
} from "../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";
import { checkResults } from "../results/check.ts";
import { shortfalls } from "./judge.ts";

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";

/** A seed that was not used for development. */
const SEED = 161_803;

interface Run {
  readonly arch: Arch;
  readonly bus: Bus;
  /** Every n-th fault. */
  readonly every: number;
  /** The least number of single faults. */
  readonly single: number;
}

const CHECKS: readonly Run[] = FULL
  ? archNames.flatMap((arch): Run[] => [
    { arch, bus: "adversarial", every: 1, single: 110 },
    { arch, bus: "swiotlb", every: 1, single: 85 },
  ])
  : [{ arch: hostArch, bus: "adversarial", every: 2, single: 55 }];

for (const { arch, bus, every, single } of CHECKS) {
  const name =
    `plumbline selfcheck on vm:${arch}, ${bus}, catches all faults, and names and blames them correctly`;
  await boardTest(arch, name, async (dir) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", new URL("../cli/main.ts", import.meta.url).pathname],
        ...["selfcheck", `--board=vm:${arch}`, `--bus=${bus}`, `--seed=${SEED}`],
        ...[`--every=${every}`, `--json=${dir}/selfcheck.json`],
      ],
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    const output = decoder.decode(stdout) + decoder.decode(stderr);
    assertEquals(code, 0, output);
    const text = await Deno.readTextFile(`${dir}/selfcheck.json`);
    const { board, selfcheck: found } = checkResults(JSON.parse(text));
    assertEquals([board.kind, board.arch, board.bus], ["vm", arch, bus]);
    assert(found !== undefined);
    const { single: one, ambiguous, pairs, heldOut } = found.total;
    const counts = JSON.stringify({ single: one, ambiguous, pairs, heldOut });
    const wrong = found.faults.filter(({ namedRight, blamedRight }) => !namedRight || !blamedRight)
      .map(({ fault, named, blamed }) => `\n  ${fault}: ${named} (${blamed})`);
    console.log(`vm:${arch}, ${bus}: ${counts}; wrong:${wrong.join("")}`);
    assertEquals(found.faults.filter(({ caught }) => !caught), []);
    assertEquals(shortfalls(found), []);
    assertGreaterOrEqual(one.faults + ambiguous.faults, single);
    assertGreaterOrEqual(pairs.faults, Math.floor(91 / every));
    for (const where of ["core", "memory", "driver"]) {
      assertGreater(found.faults.filter((fault) => fault.where === where).length, 5, where);
    }
  });
}

const BYTES = FULL ? 1e9 : 3e7;

/** Every architecture with every bus; without PLUMBLINE_FULL, each architecture and each bus once. */
const SOAKS = archNames.flatMap((arch) =>
  (["swiotlb", "adversarial"] as const)
    .filter((bus) => FULL || (bus === "adversarial") === (arch === hostArch))
    .map((bus): { arch: Arch; bus: Bus } => ({ arch, bus }))
);

for (const { arch, bus } of SOAKS) {
  const name = `${BYTES / 1e6} MB of correct frames cause no faults on vm:${arch}, ${bus}`;
  await boardTest(arch, name, async (outDir) => {
    const soak = "fixtures/boards/sim/testing/soak.ts";
    const run = await runInGuest({
      arch,
      bus,
      outDir,
      command: ["deno", "run", "-A", "--no-check", soak, String(BYTES), "local"],
      timeoutSeconds: 1200,
      stdout: "piped",
      stderr: "piped",
    });
    assertEquals(run.lost, null, run.stderr);
    assertEquals(run.exitCode, 0, run.stderr);
    assertEquals(run.kernelReports, []);
    const { frames, bytes, runs, wrong }: SoakResult = JSON.parse(run.stdout);
    console.log(`vm:${arch}, ${bus}: ${bytes} bytes in ${frames} frames, ${runs} runs`);
    assertEquals(wrong, {});
    assertGreaterOrEqual(bytes, BYTES);
    // every pattern under every policy except none
    assertGreaterOrEqual(runs, 100);
  });
}
