// SPDX-License-Identifier: MIT
// A differential oracle: the same scenario and seed on every engine. What an engine does differently must be
// explained by what is known about it (testing/compare.ts), so a model of ours is not its own judge.
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Arch,
  buildModules,
  type Engine,
  hostArch,
  type Iommu,
  runInGuest,
} from "../../../fixtures/boards/vm/mod.ts";
import { boardTest, copyModules } from "../../../fixtures/boards/vm/testing/board.ts";
import { explain } from "../../../fixtures/boards/vm/testing/explain.ts";
import { targetTest } from "../../../fixtures/boards/vm/testing/target.ts";
import { VirtualTarget } from "../../../fixtures/boards/vm/target/target.ts";
import { Device } from "../../../driver/device.ts";
import { parseRemoteAddress, Remote } from "../../../driver/remote.ts";
import type { TimeoutRun } from "../../frames/testing/on_timeouts.ts";
import { main } from "../../cli/main.ts";
import type { Results } from "../../results/schema.ts";
import { AXI_SOFTDMA, compare, FOREIGN } from "./testing/compare.ts";
import { runOnSim } from "./testing/on_sim.ts";
import { type Run, runScenario } from "./testing/scenario.ts";

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";
const SEEDS = FULL ? [5, 6, 7, 8, 9] : [5];
const RUN = "deno run -A --no-check";
const SCENARIO = `${RUN} hil/suite_tests/engines/testing/on_scenario.ts`;

/** Boots a board, and runs a script in it. */
async function inGuest(
  outDir: string,
  script: readonly string[],
  board: { arch: Arch; engine?: Engine; iommu?: Iommu },
): Promise<void> {
  const run = await runInGuest({
    ...board,
    outDir,
    command: ["sh", "-c", script.join("\n")],
    env: { NO_COLOR: "1" },
    timeoutSeconds: 1800,
    stdout: "piped",
    stderr: "piped",
  });
  const text = `${run.stdout}\n${run.stderr}`;
  assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
  console.log(`${run.seconds.toFixed(0)} s with the boot`);
}

const read = <T>(path: string): T => JSON.parse(Deno.readTextFileSync(path));

/**
 * The boards, whether the engine in software is loaded beside their own, and of what lengths must be multiples, bytes.
 */
const BOARDS = [
  { name: "AXI DMA", engine: "xilinx-dma", driver: "xilinx-vdma", beside: true, multiple: 1 },
  { name: "AXI-DMAC", engine: "axi-dmac", driver: "dma-axi-dmac", beside: false, multiple: 8 },
  { name: "ZDMA", engine: "memory", driver: "xilinx-zynqmp-dma", beside: false, multiple: 1 },
] as const satisfies readonly { engine: Engine; [key: string]: unknown }[];

for (const { name, engine, driver, beside, multiple } of BOARDS) {
  await boardTest(
    "aarch64",
    `${name}${beside ? " and pl_softdma" : ""} on vm:aarch64 end the scenario as sim does`,
    async (outDir) => {
      const { modules } = await buildModules("aarch64");
      const { pl_softdma } = await copyModules(
        modules.filter((path) => path.endsWith("/pl_softdma.ko")),
        outDir,
        "modules",
      );
      const runs = SEEDS.flatMap((seed) =>
        (beside ? [0, 1] : [0]).map((n) => ({
          ...{ seed, path: `/dev/pldma${n}`, file: `${seed}-${n}.json` },
          engine: n === 0 ? driver : "pl_softdma",
        }))
      );
      await inGuest(outDir, [
        ...(beside ? [`insmod ${pl_softdma} devices=1 || exit 9`] : []),
        ...runs.map(({ seed, path, file }) =>
          `${SCENARIO} ${path} ${seed} ${multiple} > /out/${file} || exit 1`
        ),
      ], { arch: "aarch64", engine });
      for (const { seed, file, engine } of runs) {
        const found = read<Run>(`${outDir}/${file}`);
        assertEquals(found.engine, engine);
        const result = compare(engine, found, runOnSim(seed, multiple));
        assertEquals(result, { disagreements: [], unused: [] }, result.disagreements.join("\n"));
      }
    },
    engine,
  );
}

/** What drivers of real engines do, all at once. */
const MANNERS = [
  ...["foreign", "no-max-seg", "first-segment", "coalesce", "silent-errors", "no-residue"],
  "no-directions",
].join();

/** An engine as dma-axi-dmac presents it. */
const AXI_DMAC = {
  soft: "manners=foreign,align-bytes",
  pldma: "quirks=pl_softdma:one-segment+copy-align-bytes",
};

/**
 * pl_softdma with manners of real drivers: the parameters of both modules, the name for explanations, and the step
 * that must go wrong because pldma does not know of the manner; null if none must.
 */
const MANNERED = [
  { soft: `axi_dma=1 manners=${MANNERS}`, pldma: "", name: FOREIGN, harm: null },
  ...(FULL
    ? [
      {
        soft: "axi_dma=1 manners=first-segment",
        pldma: "",
        name: AXI_SOFTDMA,
        harm: /short frame .* found "tx ok \d+, rx ok 0 wrong"$/,
      },
      {
        soft: "axi_dma=1 manners=first-segment",
        ...{ pldma: "quirks=pl_softdma:one-segment", name: AXI_SOFTDMA, harm: null },
      },
      {
        soft: "manners=coalesce",
        pldma: "",
        name: "pl_softdma",
        harm: /frame by frame .*found "tx ok \d+, rx ok .*rx ETIMEDOUT/,
      },
      { soft: "manners=coalesce", pldma: "engine_depth=1", name: "pl_softdma", harm: null },
      { soft: "manners=no-max-seg", pldma: "", name: "pl_softdma", harm: null },
    ]
    : []),
];

await boardTest(
  hostArch,
  `pl_softdma on vm:${hostArch} with the manners of real drivers ends the scenario, or is found out`,
  async (outDir) => {
    const load = ({ soft, pldma }: { soft: string; pldma: string }) => `
      echo pl_softdma.0 > /sys/bus/platform/drivers/pl_softdma/unbind
      rmmod pl_softdma pldma || exit 2
      insmod /run/control/modules/pldma.ko ${pldma} || exit 3
      insmod /run/control/modules/pl_softdma.ko devices=1 ${soft} || exit 4`;
    const silent = `${RUN} hil/frames/testing/on_timeouts.ts`;
    await inGuest(outDir, [
      // a name that does not exist is refused
      "rmmod pl_softdma; insmod /run/control/modules/pl_softdma.ko manners=kind && exit 1",
      "insmod /run/control/modules/pl_softdma.ko devices=1",
      ...MANNERED.flatMap((one, i) => [
        load(one),
        `${SCENARIO} /dev/pldma0 5 > /out/${i}.json || exit 5`,
      ]),
      load({ soft: "manners=silent-errors", pldma: "" }),
      `${silent} 'kind=error frame=5' > /out/silent.json || exit 6`,
      ...(FULL
        ? [
          load(AXI_DMAC),
          `${RUN} hil/cli/main.ts run --board=local --suite=loopback --quiet --results=/out/align \\`,
          "--policy=coherent --size=1,64 --depth=1 --frames=4 > /out/align.txt 2>&1 || exit 7",
          load({ soft: `axi_dma=1 manners=${MANNERS}`, pldma: "" }),
          `${RUN} hil/cli/main.ts run --board=local --suite=loopback --quiet --results=/out/suite \\`,
          "--size=1,4097,65536 --frames=20 > /out/suite.txt 2>&1 || exit 8",
        ]
        : []),
    ], { arch: hostArch });
    for (const [i, { soft, name, harm }] of MANNERED.entries()) {
      const result = compare(name, read<Run>(`${outDir}/${i}.json`), runOnSim(5));
      const lines = result.disagreements.join("\n");
      if (harm === null) {
        assertEquals(result, { disagreements: [], unused: [] }, `${soft}:\n${lines}`);
      } else {
        console.log(`${soft}: ${result.disagreements.length} steps differ, as they must`);
        assert(result.disagreements.some((line) => harm.test(line)), `${soft}:\n${lines}`);
      }
    }
    const [silence] = read<TimeoutRun[]>(`${outDir}/silent.json`);
    assertEquals(silence?.rule, "engine reported an error", silence?.timeout ?? "");
    assertMatch(`${silence?.timeout}`, /the kernel logged: .*Channel dma0chan\d has errors 20/);
    if (!FULL) return;
    // a length that the engine never takes is skipped with the reason, and not tried
    const { tests } = read<Results>(`${outDir}/align/results.json`);
    const ended = tests.filter(({ name }) => !name.includes("reused"))
      .map(({ params, outcome, reason }) => [params?.["size"], outcome, reason]);
    assertEquals(ended, [
      [1, "SKIP", "the engine moves only multiples of 8 bytes"],
      [64, "PASS", null],
    ]);
  },
);

if (FULL) {
  for (const iommu of [undefined, "strict"] as const) {
    const where = iommu === undefined ? "without an IOMMU" : `behind an IOMMU, ${iommu} mode`;
    await boardTest(
      hostArch,
      `edu on vm:${hostArch} ${where} ends the scenario as sim does`,
      async (dir) => {
        // it moves 20 kB in a second
        const run = `${SCENARIO} /dev/pldma0 5 1 30 > /out/edu.json`;
        await inGuest(dir, [run], {
          ...{ arch: hostArch, engine: "edu" as const },
          ...(iommu === undefined ? {} : { iommu }),
        });
        const found = read<Run>(`${dir}/edu.json`);
        const result = compare(found.engine, found, runOnSim(5));
        assertEquals(result, { disagreements: [], unused: [] }, result.disagreements.join("\n"));
      },
      "edu",
    );
  }

  // building its kernel takes minutes, so a checkout with an empty cache must not pay for it
  await targetTest("zynq", "PL330 on vm:zynq ends the scenario as sim does", async () => {
    await using target = await VirtualTarget.start({ machine: "zynq" });
    const address = parseRemoteAddress(`127.0.0.1:${target.port}`);
    assert(address !== null);
    for (const seed of SEEDS) {
      using remote = Remote.connect(address, target.token);
      using device = Device.open({ syscalls: remote });
      const found = runScenario(device, seed);
      assertEquals(found.engine, "dma-pl330");
      const result = compare(found.engine, found, runOnSim(seed));
      assertEquals(result, { disagreements: [], unused: [] }, result.disagreements.join("\n"));
    }
    const { lost, kernelReports } = await target.stop();
    assertEquals([lost, kernelReports], [null, []]);
  });
}

/** The suites that run on an engine nowhere else: `vendor/`, `axi_dmac/` and `hil/cli/` have the others. */
const SUITES = [
  { board: "vm:aarch64", arch: "aarch64", engine: "xilinx-dma", suite: "coherence" },
  { board: "vm:aarch64", arch: "aarch64", engine: "axi-dmac", suite: "coherence" },
  { board: "vm:versal", arch: "aarch64", engine: "memory", suite: "coherence" },
  { board: "vm:versal", arch: "aarch64", engine: "memory", suite: "abi" },
  { board: "vm:x86_64", arch: "x86_64", engine: "edu", suite: "coherence" },
  { board: "vm:x86_64", arch: "x86_64", engine: "edu", suite: "abi" },
] as const satisfies readonly { arch: Arch; engine: Engine; [key: string]: unknown }[];

for (const { board, arch, engine, suite } of FULL ? SUITES : []) {
  // vm:versal has one engine
  const args = [`--board=${board}`, ...(engine === "memory" ? [] : [`--engine=${engine}`])];
  const name = `plumbline run ${
    args.join(" ")
  } --suite=${suite} has no failure, and its controls fail`;
  await boardTest(arch, name, async (dir) => {
    const exit = await main([
      ...["run", ...args, `--suite=${suite}`, `--results=${dir}/run`, "--quiet"],
      ...["--policy=coherent,streaming,none", "--frames=4", "--timeout=60m"],
    ]);
    const results = read<Results>(`${dir}/run/results.json`);
    const { tests, board, verdict } = results;
    assertEquals([exit, verdict?.word], [0, "PASS"], explain(results));
    const count = (outcome: string) =>
      tests.filter((test) => test.suite === suite && test.outcome === outcome).length;
    const [pass, fail, skip] = [count("PASS"), count("XFAIL"), count("SKIP")];
    console.log(`${board.engine}: ${pass} PASS, ${fail} XFAIL, ${skip} SKIP`);
    assertEquals(pass + fail + skip, tests.filter((test) => test.suite === suite).length);
    assert(pass > 0, `${pass} passed`);
    assertEquals(fail > 0, suite === "coherence", `${fail} controls failed`);
  }, engine);
}
