// SPDX-License-Identifier: MIT
// The generated litmus tests in a real kernel: on the adversarial bus no program shows a forbidden outcome,
// and each mistake of its caches does.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { makeModules, moduleSources, moduleTarget } from "../../../fixtures/boards/vm/build.ts";
import { runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { boardTest, copyModules } from "../../../fixtures/boards/vm/testing/board.ts";
import type { Arch } from "../../../fixtures/host/arch.ts";
import { checkout, copyFiles, hashFiles, listFiles, once } from "../../../fixtures/host/cache.ts";
import { makeScratch } from "../../../fixtures/host/scratch.ts";
import { BUS_MUTANTS } from "../../mutants/bus_mutants.ts";
import { applyEdit } from "../../mutants/mutant.ts";
import type { OnBus } from "./testing/on_bus.ts";

const ARCH: Arch = "aarch64";
/** All programs with PLUMBLINE_FULL, else a sample of this many. */
const PROGRAMS = Deno.env.get("PLUMBLINE_FULL") === "1" ? 100_000 : 3000;
const FAULTS = ["lose_clean", "lose_invalidate", "stray"];
const BUS = "fixtures/boards/vm/bus";

/** The modules that the bus needs, in load order, and itself. */
const BUILT = moduleSources.filter(({ name }) =>
  ["pldma", "pl_softdma", "pl_advbus"].includes(name)
);

/** Builds the bus with each mutant, or takes what an earlier run built from the same sources. */
async function buildMutants(): Promise<string[]> {
  const target = await moduleTarget(ARCH);
  const files: string[] = [];
  for (const { dir } of BUILT) {
    const found = await listFiles(
      `${checkout}/${dir}`,
      (path) => /(^|\/)(Kbuild|Makefile|[^/]+\.[ch])$/.test(path) && !path.startsWith("tests/"),
    );
    files.push(...found.map((path) => `${dir}/${path}`));
  }
  const edits = BUS_MUTANTS.map(({ id, file, find, replace }) => [id, file, find, replace]);
  const hash = await hashFiles(checkout, files, `${target.release} ${JSON.stringify(edits)}`);
  const made = await once(`mutants/bus-${ARCH}`, hash, async (to) => {
    const sources = await makeScratch("plumbline-mutants");
    await copyFiles(checkout, files, sources);
    const symbols: string[] = [];
    for (const { dir } of BUILT.filter(({ dir }) => dir !== BUS)) {
      await makeModules(target, `${sources}/${dir}`, { symbols });
      symbols.push(`${sources}/${dir}/Module.symvers`);
    }
    for (const mutant of BUS_MUTANTS) {
      const original = await Deno.readTextFile(`${checkout}/${mutant.file}`);
      await Deno.writeTextFile(`${sources}/${mutant.file}`, applyEdit(mutant, original));
      await makeModules(target, `${sources}/${BUS}`, { symbols });
      await Deno.copyFile(`${sources}/${BUS}/pl_advbus.ko`, `${to}/${mutant.id}.ko`);
      await Deno.writeTextFile(`${sources}/${mutant.file}`, original);
    }
    await Deno.remove(sources, { recursive: true });
  }, { unusedDays: 7 });
  return BUS_MUTANTS.map(({ id }) => `${made}/${id}.ko`);
}

await boardTest(
  ARCH,
  `generated litmus tests on the adversarial bus of vm:${ARCH}: only its mistakes show what is forbidden`,
  async (outDir) => {
    const mutants = Object.values(await copyModules(await buildMutants(), outDir, "mutants"));
    const run = await runInGuest({
      arch: ARCH,
      bus: "adversarial",
      outDir,
      command: [
        "sh",
        "-c",
        `deno run -A --no-check hil/suite_tests/litmus/testing/on_bus.ts 1 ${PROGRAMS} ` +
        `${mutants.join(" ")} > /out/found.json`,
      ],
      env: { NO_COLOR: "1" },
      timeoutSeconds: 1800,
      stdout: "piped",
      stderr: "piped",
    });
    const text = `${run.stdout}\n${run.stderr}`;
    assertEquals(run.lost, null, text);
    assertEquals(run.exitCode, 0, text);
    assertEquals(run.kernelReports, []);
    const found: OnBus[] = JSON.parse(await Deno.readTextFile(`${outDir}/found.json`));
    const [good, ...bad] = found;
    assert(good !== undefined);
    for (const { mistake, programs, forbidden, first, powerful } of found) {
      console.log(
        `${mistake}: ${programs} programs, ${forbidden} forbidden, ${powerful} stale. ${first}`,
      );
    }
    assertEquals([good.mistake, good.forbidden], ["none", 0], good.first);
    assertGreater(good.programs, 2999);
    assertGreater(good.powerful, good.programs / 4);
    const green = bad.filter(({ forbidden }) => forbidden === 0);
    assertEquals(green.map(({ mistake }) => mistake), []);
    assertEquals(bad.length, FAULTS.length + BUS_MUTANTS.length);
  },
);
