// SPDX-License-Identifier: MIT
// On real kernels: what is kept when the engine hangs, what a timeout means, frames of many megabytes, and
// what is said and done where memory is short.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Engine, type GuestRun, hostArch, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";
import { checkResults } from "../results/check.ts";
import type { Results } from "../results/schema.ts";
import type { Shortage } from "./testing/on_shortage.ts";
import type { TimeoutRun } from "./testing/on_timeouts.ts";

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";
const here = "hil/frames/testing";
const RUN = "deno run -A --no-check";
const MiB = 1 << 20;

/** Boots a board, and runs commands of which each one writes to a file of its own. */
async function inGuest(
  outDir: string,
  commands: readonly string[],
  options: { readonly engine?: Engine; readonly pldma?: string } = {},
): Promise<GuestRun> {
  const { engine = "softdma", pldma } = options;
  const run = await runInGuest({
    arch: hostArch,
    engine,
    outDir,
    command: ["sh", "-c", commands.join("\n")],
    env: { NO_COLOR: "1" },
    ...(pldma === undefined ? {} : { moduleArgs: { pldma } }),
    timeoutSeconds: 1800,
    stdout: "piped",
    stderr: "piped",
  });
  const text = `${run.stdout}\n${run.stderr}`;
  assertEquals([run.lost, run.kernelReports, run.exitCode], [null, [], 0], text);
  console.log(`vm:${hostArch}, ${engine}: ${run.seconds.toFixed(0)} s with the boot`);
  return run;
}

const read = (path: string) => Deno.readTextFileSync(path);
const results = (path: string): Results => checkResults(JSON.parse(read(`${path}/results.json`)));

/** Faults, and the rule that their timeouts must meet. */
const ON_SOFTDMA = [
  ["kind=lost-interrupt direction=rx frame=5", "data without completion"],
  ["kind=lost-interrupt direction=tx frame=5", "received but tx completion missing"],
  ["kind=lose frame=5", "sent but nothing arrived"],
  ["kind=wedge frame=5", "engine holds the block"],
  ["kind=stall frame=5", "core stopped within the frame"],
] as const;

/** The same, with interrupts that are counted. */
const ON_RTL = [
  ["kind=lost-interrupt frame=5", "completion lost"],
  ["kind=lose frame=5", "sent but nothing arrived"],
  ["kind=stall frame=5", "core stopped within the frame"],
] as const;

const arguments_ = (faults: readonly (readonly [string, string])[]) =>
  faults.map(([fault]) => `'${fault}'`).join(" ");

/** Checks the sentence of each timeout; the last fault is run twice, the second time with a line in the log. */
function checkTimeouts(runs: readonly TimeoutRun[], faults: typeof ON_SOFTDMA | typeof ON_RTL) {
  assertEquals(runs.length, faults.length + 1);
  faults.forEach(([fault, rule], i) => {
    const run = runs[i];
    assert(run !== undefined);
    console.log(`${fault}: ${run.timeout}`);
    assertEquals([run.rule, run.thrown, run.faults], [rule, null, []], run.timeout ?? fault);
    assertEquals([run.evidence?.frame, run.evidence?.primer], [5, false]);
    // a line that is older than the run is no evidence
    assertEquals(run.evidence?.log, [], run.timeout ?? fault);
  });
  const last = runs.at(-1);
  assertEquals(last?.evidence?.log, [
    "xilinx-vdma a0000000.dma: Channel 00000000fe0f1a5c has errors 10, cdr 0 tdr 0",
  ]);
  assertStringIncludes(last?.timeout ?? "", "; the kernel logged: xilinx-vdma a0000000.dma: ");
}

const HANG = `--fault 'kind=flip frame=3; kind=wedge frame=5'`;

/** Policies whose blocks may be longer than 4 MiB here. */
const BIG = [
  ...["streaming", "streaming-lazy", "user-pages", "user-pages-registered", "manual", "bounce"],
];

/** The sizes of the frames, MiB. */
const SIZES = FULL ? [8, 32] : [8];

await boardTest(
  hostArch,
  `runLoop() on vm:${hostArch} keeps damage, explains timeouts, and carries large frames`,
  async (dir) => {
    const main = `${RUN} hil/cli/main.ts run --board=local --timeout=1200`;
    // the command of the user takes 40 s of waiting
    const hang = FULL ? "--suite=loopback --size=4096 --depth=1" : `${here}/loops.ts`;
    await inGuest(dir, [
      `${main} --results=/out/hang --policy=streaming ${HANG} ${hang} > /out/hang.txt 2>&1`,
      "echo $? > /out/hang.code",
      `${RUN} ${here}/on_timeouts.ts ${arguments_(ON_SOFTDMA)} > /out/timeouts.json || exit 1`,
      `${main} --results=/out/big --policy=${BIG} --frames=1 --size=${
        SIZES.map((size) => `${size}M`)
      } ${here}/loops.ts > /out/big.txt 2>&1 || exit 2`,
    ], { pldma: `max_block=${64 * MiB} max_bytes=${512 * MiB}` });

    assertEquals(read(`${dir}/hang.code`).trim(), "1", read(`${dir}/hang.txt`));
    for (const { outcome, reason, faults } of results(`${dir}/hang`).tests) {
      assertEquals(outcome, "FAIL");
      assertEquals(faults.map(({ kind, frame }) => [kind, frame]), [["bit-flip", 3]]);
      assertStringIncludes(reason ?? "", "bit-flip; then frame 5: no ");
      assertStringIncludes(reason ?? "", "x completion within ");
      assertStringIncludes(reason ?? "", "RESET could not prove that the engine is idle");
    }
    const shown = read(`${dir}/hang.txt`).replaceAll(/\s+/g, " ");
    assertStringIncludes(shown, "frame 5: no rx completion within ");
    assertStringIncludes(shown, "RESET could not prove that the engine is idle");

    checkTimeouts(JSON.parse(read(`${dir}/timeouts.json`)), ON_SOFTDMA);

    const { tests } = results(`${dir}/big`);
    for (const policy of BIG) {
      for (const size of SIZES) {
        const found = tests.filter((test) =>
          test.policy === policy && test.params?.["size"] === size * MiB
        );
        assertEquals(found.map(({ outcome }) => outcome), ["PASS"], `${policy} ${size}`);
        assertEquals(found.map(({ bytes }) => bytes), [size * MiB]);
      }
    }
  },
);

await boardTest(
  hostArch,
  `runLoop() on vm:${hostArch} names the limit of the memory, and uses a smaller depth`,
  async (dir) => {
    await inGuest(dir, [`${RUN} ${here}/on_shortage.ts > /out/shortage.json`], {
      pldma: `max_bytes=${48 * MiB}`,
    });
    const found: Shortage = JSON.parse(read(`${dir}/shortage.json`));
    console.log(JSON.stringify(found, null, 1));
    assertEquals(found.maxBytes, 48 * MiB);
    for (const message of [found.message, found.strict]) {
      assertStringIncludes(message, `of the ${48 * MiB} bytes of the device are in use: free some`);
      assertStringIncludes(message, "load pldma.ko with a larger max_bytes=");
    }
    assert(found.intact);
    assertEquals(found.notes.length, 1);
    assertStringIncludes(
      found.notes[0] ?? "",
      "in place of 8: the memory does not suffice for more",
    );
  },
);

await boardTest(
  hostArch,
  `runLoop() on vm:${hostArch} with the core in RTL counts the interrupts of a timeout`,
  async (dir) => {
    await inGuest(dir, [
      `${RUN} ${here}/on_timeouts.ts ${arguments_(ON_RTL)} > /out/timeouts.json || exit 1`,
    ], { engine: "rtl" });
    const runs: TimeoutRun[] = JSON.parse(read(`${dir}/timeouts.json`));
    checkTimeouts(runs, ON_RTL);
    assertEquals(runs[0]?.evidence?.interrupts, 0);
    assertStringIncludes(runs[0]?.timeout ?? "", "in the receive block, and no interrupt came: ");
  },
);
