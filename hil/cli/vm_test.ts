// SPDX-License-Identifier: MIT
// plumbline run in real guests: a good design, injected faults, and a board that is lost.
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { type Arch, hostArch, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";
import { checkResults } from "../results/check.ts";
import type { Results } from "../results/schema.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

/** Small cases of the policy streaming and of the control. */
const SMALL = [
  ...["--suite=loopback", "--policy=streaming,none"],
  ...["--size=64,4096", "--depth=1,max"],
];

function runTest(arch: Arch, name: string, fn: (dir: string) => Promise<void>): Promise<void> {
  return boardTest(arch, `plumbline run --board vm:${arch} ${name}`, fn);
}

function plumbline(arch: Arch | "versal", dir: string, ...args: string[]): Deno.ChildProcess {
  const { PLUMBLINE_RESULTS: _r, ...env } = Deno.env.toObject();
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", MAIN, "run", `--board=vm:${arch}`, "--json=-"],
      ...[`--results=${dir}/run`, "--timeout=1200", ...args],
    ],
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function end(
  child: Deno.ChildProcess,
): Promise<{ code: number; results: Results; stderr: string }> {
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const shown = text(stderr);
  try {
    return { code, results: checkResults(JSON.parse(text(stdout))), stderr: shown };
  } catch (error) {
    throw new Error(`status ${code}, no results: ${error}\n${shown}`);
  }
}

/** Outcomes of a policy's cases, each once. */
function outcomes(results: Results, policy: string): string[] {
  const tests = results.tests.filter((test) => test.policy === policy);
  return [...new Set(tests.map((test) => test.outcome))];
}

for (const arch of ["aarch64", "x86_64"] as const) {
  await runTest(arch, "passes, and shows power by the control that fails", async (dir) => {
    const { code, results, stderr } = await end(
      plumbline(arch, dir, ...SMALL, "--frames=30", "--seed=5"),
    );
    assertEquals(code, 0, stderr);
    assertEquals(outcomes(results, "streaming"), ["PASS"]);
    assertEquals(outcomes(results, "none"), ["XFAIL"]);
    assertEquals(results.summary.pass, 8);
    assertEquals(results.summary.xfail, 8);
    const { coherence, tx, rx } = results.power;
    assertEquals({ coherence, tx, rx }, { coherence: true, tx: true, rx: true });
    const { kind, simulated, coherent } = results.board;
    assertEquals({ kind, simulated, coherent }, { kind: "vm", simulated: true, coherent: false });
    assertEquals(results.board.arch, arch);
    assertEquals(results.run.seed, 5);
    const passed = results.tests.filter((test) => test.outcome === "PASS");
    assertEquals(passed.map((test) => test.frames), Array(8).fill(30));
    assert(stderr.startsWith("plumbline: virtual"), stderr);
    assertStringIncludes(stderr, `SIMULATED: board vm ${arch}`);
  });
}

await boardTest(
  "aarch64",
  "plumbline run --board vm:versal passes, and says that a memory loop tests no design",
  async (dir) => {
    const { code, results, stderr } = await end(
      plumbline("versal", dir, ...SMALL, "--frames=30"),
    );
    assertEquals(code, 0, stderr);
    assertEquals(outcomes(results, "streaming"), ["PASS"]);
    assertEquals(outcomes(results, "none"), ["XFAIL"]);
    const { memoryLoop, engine, core, bus } = results.board;
    assertEquals([memoryLoop, engine, core, bus], [true, "xilinx-zynqmp-dma", null, "swiotlb"]);
    assertStringIncludes(stderr.replaceAll(/\s+/g, " "), "memory loop: this tests memory, caches");
  },
  "memory",
);

await boardTest(
  "aarch64",
  "plumbline doctor reads the live device tree of a virtual AXI DMA, and finds nothing to mend",
  async (dir) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", MAIN, "doctor", "--board=vm:aarch64"],
        ...["--engine=xilinx-dma", `--json=${dir}/doctor.json`],
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals(code, 0, text(stderr));
    assertStringIncludes(text(stdout), "Ready: frames can move");
    const { ready, next, conditions, controllers } = JSON.parse(
      Deno.readTextFileSync(`${dir}/doctor.json`),
    );
    assertEquals([ready, next], [true, null]);
    // what a made-up tree cannot show: that a real kernel has these files where the doctor looks
    const found = (id: string) =>
      conditions.find((one: { id: string }) => one.id.startsWith(id))?.found;
    assertEquals(found("controller-driver"), "xilinx-vdma");
    assertEquals(found("length-width"), "26 bits");
    assertStringIncludes(found("clocks"), "s_axi_lite_aclk");
    assertStringIncludes(found("channel-nodes"), "xlnx,axi-dma-s2mm-channel");
    assertStringIncludes(found("interrupts"), "2 lines of the driver");
    assertStringIncludes(found("quirks"), "resets-both");
    assertStringIncludes(found("page-size"), "4 KiB");
    assertStringIncludes(controllers.join(), "a stream, driver xilinx-vdma, node /dma-controller@");
  },
  "xilinx-dma",
);

await runTest("aarch64", "--coherent has no power, and says why", async (dir) => {
  const { code, results, stderr } = await end(
    plumbline("aarch64", dir, ...SMALL, "--frames=30", "--coherent"),
  );
  assertEquals(code, 0, stderr);
  assertEquals(outcomes(results, "none"), ["PASS"]);
  assertEquals(results.board.coherent, true);
  assertEquals([results.power.coherence, results.power.tx, results.power.rx], [
    false,
    false,
    false,
  ]);
  assertStringIncludes(results.power.detail, "cache coherent");
});

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";

/** Faults to inject into the engine, and what the results must report for frame 17. */
const ALL_FAULTS = [
  { fault: "kind=flip frame=17 seed=3", outcome: "FAIL", kinds: ["bit-flip"] },
  { fault: "kind=no-move frame=17", outcome: "FAIL", kinds: ["not-written"] },
  { fault: "kind=repeat frame=17", outcome: "FAIL", kinds: ["duplicated"] },
  { fault: "kind=drop frame=17", outcome: "FAIL", kinds: ["lost", "truncated"] },
  { fault: "kind=overrun frame=17", outcome: "FAIL", kinds: ["overrun"] },
  { fault: "kind=short frame=17", outcome: "FAIL", kinds: ["truncated"] },
  { fault: "kind=error frame=17", outcome: "FAIL", kinds: ["truncated"] },
  { fault: "kind=stall frame=17", outcome: "TIMEOUT", kinds: [] },
] as const;

/** Damage, a frame that is missing, and none at all. The self-check of this board has all of them. */
const FAULTS = FULL ? ALL_FAULTS : ALL_FAULTS.filter(({ fault }) => /flip|drop|stall/.test(fault));

await runTest(hostArch, "--fault exits 1 and names the frame", async (dir) => {
  // one boot for all: the guest's plumbline is what the host's would start
  const size = [
    "--suite=loopback",
    "--policy=streaming",
    "--size=4096",
    "--depth=1",
    "--frames=30",
  ];
  const command = FAULTS.map(({ fault }, i) =>
    `deno run -A --no-check hil/cli/main.ts run ${size.join(" ")} --fault='${fault}' \
      --results=/out/${i} --timeout=400 --quiet; echo $? >> /out/codes`
  );
  const run = await runInGuest({
    arch: hostArch,
    command: ["sh", "-c", command.join("\n")],
    outDir: dir,
    timeoutSeconds: 1800,
    stdout: "piped",
    stderr: "piped",
  });
  assertEquals(run.lost, null, run.stderr);
  assertEquals(run.kernelReports, []);
  const codes = Deno.readTextFileSync(`${dir}/codes`).trim().split("\n");
  assertEquals(codes, FAULTS.map(() => "1"), run.stderr);
  FAULTS.forEach(({ fault, outcome, kinds }, i) => {
    const path = `${dir}/${i}/results.json`;
    assert(exists(path), run.stderr);
    const text = Deno.readTextFileSync(path);
    const [test] = checkResults(JSON.parse(text)).tests;
    assertEquals(test?.outcome, outcome, fault);
    // a stall delivers nothing that could be classified
    const frames = new Set(test?.faults.map((one) => one.frame));
    assertEquals([...frames], kinds.length === 0 ? [] : [17], fault);
    const named = test?.faults[0]?.kind;
    assert(
      named === undefined || (kinds as readonly string[]).includes(named),
      `${fault}: ${named}`,
    );
    assertStringIncludes(test?.injected?.[0] ?? "", fault.split(" ")[0] ?? "");
    if (fault.startsWith("kind=flip")) {
      // the engine and the classifier must agree on the byte
      const offset = /offset=(\d+)/.exec(test?.injected?.[0] ?? "")?.[1];
      assertEquals(String(test?.faults[0]?.offset), offset);
    }
  });
});

await runTest(
  hostArch,
  "exits 3 when QEMU is killed, and leaves nothing running",
  async (dir) => {
    const child = plumbline(hostArch, dir, ...SMALL, "--frames=1000000");
    const started = `${dir}/run/journal.jsonl`;
    let qemu: number | null = null;
    for (let i = 0; i < 1200 && qemu === null; i++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      // not before a case is under way in the guest
      const journal = await Deno.readTextFile(started).catch(() => "");
      if (journal.includes('"line":"start"')) qemu = childrenOf(child.pid).find(isQemu) ?? null;
    }
    assertNotEquals(qemu, null, "No case started in time");
    if (qemu !== null) Deno.kill(qemu, "SIGKILL");
    const { code, results, stderr } = await end(child);
    assertEquals(code, 3, stderr);
    const died = results.tests.filter((test) => test.reason?.startsWith("died here"));
    assertEquals(died.length, 1);
    assertStringIncludes(died[0]?.reason ?? "", "SIGKILL");
    assert(results.tests.some((test) => test.reason?.startsWith("The board was lost")));
    assertEquals(childrenOf(child.pid), []);
  },
);

/** How often the power is cut; each takes a boot. */
const CUTS = FULL ? 10 : 2;

await boardTest(
  hostArch,
  `plumbline report names the case in which vm:${hostArch} lost its power`,
  async (dir) => {
    for (let i = 0; i < CUTS; i++) {
      const outDir = `${dir}/${i}`;
      const journal = `${outDir}/run/journal.jsonl`;
      let cut = false;
      const run = runInGuest({
        arch: hostArch,
        outDir,
        command: ["deno", "test", "-P", "--no-check", "hil/suites/loopback_test.ts"],
        env: { PLUMBLINE_RESULTS: "/out/run", NO_COLOR: "1" },
        timeoutSeconds: 1200,
        stdout: "null",
        stderr: "null",
      });
      const read = () => Deno.readTextFile(journal).catch(() => "");
      while (!(await read()).includes('"line":"start"')) {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 6000));
      const qemu = childrenOf(Deno.pid).find(isQemu);
      if (qemu !== undefined) {
        Deno.kill(qemu, "SIGKILL");
        cut = true;
      }
      assertNotEquals((await run).lost, null);
      assert(cut, "the guest ended before its power was cut");

      // what was under way, by a reading of the journal that shares nothing with the tool's
      const open = new Set<string>();
      for (const line of (await read()).split("\n")) {
        const [, kind, id = ""] = /^\{"line":"(start|end)",.*?"id":"([^"]+)"/.exec(line) ?? [];
        if (kind === "start") open.add(id);
        if (kind === "end") open.delete(id);
      }
      assert(open.size <= 1, [...open].join(", "));
      const child = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", MAIN, "report", "--json=-", `${outDir}/run`],
      }).output();
      assertEquals(child.code, 3);
      const { tests } = checkResults(JSON.parse(new TextDecoder().decode(child.stdout)));
      const died = tests.filter((test) => test.reason === "died here");
      assertEquals(died.map((test) => `${test.suite}/${test.name}`), [...open]);
      assert(tests.some((test) => test.reason === "never ran"));
    }
  },
);

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function childrenOf(pid: number): number[] {
  return [...Deno.readDirSync("/proc")].filter((entry) => /^\d+$/.test(entry.name))
    .map((entry) => Number(entry.name))
    .filter((one) => parentOf(one) === pid);
}

function parentOf(pid: number): number | null {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 1).trim().split(" ")[1]);
  } catch {
    return null;
  }
}

function isQemu(pid: number): boolean {
  return Deno.readTextFileSync(`/proc/${pid}/comm`).startsWith("qemu");
}
