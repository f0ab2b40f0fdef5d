// SPDX-License-Identifier: MIT
// plumbline run on virtual machines of 32-bit Arm, where Deno does not run.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { targetTest } from "../../../fixtures/boards/vm/testing/target.ts";
import type { Results } from "../../results/schema.ts";
import { ROOT } from "../../settings/paths.ts";

const full = Deno.env.get("PLUMBLINE_FULL") === "1";

const LOOPBACK = [
  "--suite=loopback",
  `--size=${full ? "64,4096,64K" : "4096"}`,
  "--depth=1",
  "--frames=10",
];

async function plumbline(
  dir: string,
  ...args: string[]
): Promise<{ code: number; results: Results; output: string }> {
  const json = `${dir}/results.json`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "hil/cli/main.ts", "run", ...args],
      ...[`--json=${json}`, `--results=${dir}/run`, "--timeout=25m"],
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  return { code, results: JSON.parse(await Deno.readTextFile(json)), output };
}

/** Checks what every target must show: a verdict, a control that fails, and a clean kernel log. */
function check({ code, results, output }: Awaited<ReturnType<typeof plumbline>>): void {
  assertEquals(code, 0, output);
  assertEquals(results.power.coherence, true, output);
  const { kind, simulated, arch } = results.board;
  assertEquals([kind, simulated, arch], ["remote", true, "armv7l"]);
  for (const policy of ["coherent", "streaming", "user-pages", "bounce"]) {
    const outcomes = results.tests.filter((test) => test.policy === policy)
      .map(({ outcome }) => outcome);
    assert(outcomes.length > 0 && outcomes.every((one) => one === "PASS"), `${policy}: ${output}`);
  }
}

/** Checks that policy `none` failed in both directions, which check values of the engine tell apart. */
function checkDirections({ results, output }: Awaited<ReturnType<typeof plumbline>>): void {
  assertEquals([results.power.tx, results.power.rx], [true, true], output);
}

await targetTest(
  "armhf",
  "plumbline run --board vm:armhf passes, and policy none fails in both directions",
  async (dir) => {
    const ended = await plumbline(dir, "--board=vm:armhf", ...LOOPBACK);
    check(ended);
    checkDirections(ended);
    assertEquals(ended.results.board.engine, "pl_softdma");
    // the boot, and the end after the driver has given back everything
    const log = await Deno.readTextFile(`${dir}/run/console.log`);
    assert(/swiotlb=65536,force[^]*plumbline: stopped/.test(log), log.slice(-2000));
  },
);

await targetTest(
  "armhf",
  "plumbline run --board vm:armhf --bus adversarial passes suite coherence, and policy none fails each of its cases",
  async (dir) => {
    const args = ["--board=vm:armhf", "--bus=adversarial", "--suite=coherence"];
    const { code, results, output } = await plumbline(dir, ...args, "--policy=streaming,none");
    assertEquals([code, results.board.engine], [0, "pl_advbus"], output);
    const of = (policy: string) =>
      results.tests.filter((test) => test.policy === policy && test.outcome !== "SKIP");
    assert(of("streaming").length > 5, output);
    assert(of("streaming").every(({ outcome }) => outcome === "PASS"), output);
    // under none the same cases run, and each shows the missing syncs
    const names = (policy: string) =>
      of(policy).map(({ name }) => name.replace(`policy=${policy}`, "")).sort();
    assertEquals(names("none"), names("streaming"));
    assert(of("none").every(({ outcome }) => outcome === "XFAIL"), output);
  },
);

/** Runs the audit. Returns its exit status and what it says. */
async function audit(...args: string[]): Promise<[code: number, output: string]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "hil/cli/main.ts", "audit", "--lines=16", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return [code, decoder.decode(stdout) + decoder.decode(stderr)];
}

await targetTest(
  "armhf",
  "plumbline audit --board vm:armhf --bus adversarial finds that the device snoops nothing",
  async () => {
    const [code, output] = await audit("--board=vm:armhf", "--bus=adversarial");
    assertEquals(code, 0, output);
    for (const direction of ["tx", "rx"]) {
      assertMatch(output, new RegExp(`^ *${direction} +no +needs syncs +syncs +right$`, "m"));
    }
  },
);

// the first use builds its kernel, which takes minutes
await targetTest(
  "zynq",
  "plumbline run --board vm:zynq passes over the PL330, and policy none fails",
  async (dir) => {
    const ended = await plumbline(dir, "--board=vm:zynq", ...LOOPBACK);
    check(ended);
    const { engine, memoryLoop, coherent } = ended.results.board;
    assertEquals([engine, memoryLoop, coherent], ["dma-pl330", true, false]);
    // the PL330 has no check values, so nothing says on which way the data were stale
    const { tx, rx, detail } = ended.results.power;
    assertEquals([tx, rx], [false, false]);
    assertStringIncludes(detail, "the direction is unknown");
    const log = await Deno.readTextFile(`${dir}/run/console.log`);
    assertStringIncludes(log, "plumbline: FPGA manager fpga0: Xilinx Zynq FPGA Manager");
    assertStringIncludes(log, "plumbline: stopped");
  },
);

// the instructions of Armv7 and the registers of the L2C-310, which hold nothing in QEMU
await targetTest(
  "zynq",
  "plumbline audit --board vm:zynq runs the cache operations of a Zynq-7000, and knows a bounce buffer",
  async () => {
    const [code, output] = await audit("--board=vm:zynq");
    assertEquals(code, 3, output);
    assertStringIncludes(output, "UNKNOWN: this board does not show what the hardware snoops");
    assertStringIncludes(output, "a copy (a bounce buffer)");
  },
);

if (full) {
  await targetTest(
    "armhf",
    "plumbline run --board vm:armhf --bus adversarial passes, and policy none fails",
    async (dir) => {
      const args = ["--board=vm:armhf", "--bus=adversarial", ...LOOPBACK];
      const ended = await plumbline(dir, ...args);
      check(ended);
      checkDirections(ended);
      assertEquals(ended.results.board.engine, "pl_advbus");
    },
  );

  await targetTest(
    "zynq",
    "plumbline run --board vm:zynq --bus adversarial passes, and policy none fails",
    async (dir) => {
      const args = ["--board=vm:zynq", "--bus=adversarial", ...LOOPBACK];
      const ended = await plumbline(dir, ...args);
      check(ended);
      checkDirections(ended);
      assertEquals(ended.results.board.engine, "pl_advbus");
    },
  );
}
