// SPDX-License-Identifier: MIT
// plumbline on a remote board, with an agent on this machine that has the driver of its tests.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startAgent, startAgentOn } from "../../driver/testing/agent.ts";
import { freePort } from "../../fixtures/host/port.ts";
import { connectLines } from "../../driver/testing/line.ts";
import type { Measurement } from "../results/schema.ts";
import { Proxy } from "../suite_tests/remote/testing/target.ts";
import { examine } from "../doctor/doctor.ts";
import { localFacts } from "../doctor/facts.ts";
import { ROOT } from "../settings/paths.ts";
import { tempDir } from "../testing/temp_dir.ts";

async function plumbline(...args: string[]): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "hil/cli/main.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", PLUMBLINE_RESULTS: `${tempDir()}/run` },
  }).output();
  const decoder = new TextDecoder();
  return { code, output: (decoder.decode(stdout) + decoder.decode(stderr)).replace(/\s+/g, " ") };
}

const SHORT = ["--suite=loopback", "--policy=streaming", "--size=64", "--depth=1", "--frames=20"];

Deno.test("plumbline run passes on a remote board, and plumbline info describes it", async () => {
  using agent = await startAgent();
  const board = `--board=remote:${agent.address.text}`;
  const run = await plumbline("run", board, ...SHORT);
  assertEquals(run.code, 0, run.output);
  assertStringIncludes(run.output, `board remote ${Deno.build.arch}`);
  assertStringIncludes(run.output, "engine fake");
  const info = await plumbline("info", board, "--device=/dev/pldma0");
  assertEquals(info.code, 0, info.output);
  assertStringIncludes(info.output, "fake");
});

Deno.test("plumbline run passes on a remote board at the end of a serial line", async () => {
  using line = await connectLines();
  using _agent = await startAgentOn(line.ends[0]);
  const board = `--board=remote:serial:${line.ends[1]}`;
  for (let run = 0; run < 2; run++) {
    const { code, output } = await plumbline("run", board, ...SHORT);
    assertEquals(code, 0, output);
    assertStringIncludes(output, "engine fake");
  }
  const { code, output } = await plumbline(
    "run",
    board,
    ...SHORT.slice(0, 2),
    "--size=256K",
    "--frames=3",
  );
  assertEquals(code, 3, output);
  assertStringIncludes(output, "data need a network");
});

Deno.test("plumbline run and info end with status 3 and the reason without an agent or a device", async () => {
  const nobody = `--board=remote:127.0.0.1:${freePort()}`;
  for (const command of [["run", ...SHORT], ["info"]]) {
    const { code, output } = await plumbline(...command, nobody);
    assertEquals(code, 3, output);
    assertStringIncludes(output, "start it on the target with --listen");
  }
  using agent = await startAgent();
  const board = `--board=remote:${agent.address.text}`;
  const { code, output } = await plumbline("run", board, "--device=/dev/pldma7", ...SHORT);
  assertEquals(code, 3, output);
  assertStringIncludes(output, `On ${Deno.hostname()}: There is no /dev/pldma7`);
});

Deno.test("plumbline bench measures a remote board without the network", async () => {
  const delayMs = 3;
  using agent = await startAgent();
  assert(agent.address.kind === "tcp");
  using proxy = new Proxy(agent.address.port, delayMs);
  const json = `${tempDir()}/bench.json`;
  const { code, output } = await plumbline(
    "bench",
    `--board=remote:127.0.0.1:${proxy.port}`,
    ...[
      "--policy=streaming",
      "--size=65536",
      "--suite=latency,throughput",
      `--json=${json}`,
    ],
  );
  assertEquals(code, 0, output);
  const { tests } = JSON.parse(await Deno.readTextFile(json));
  const all = tests.flatMap(({ measurements = [] }: { measurements?: Measurement[] }) =>
    measurements
  );
  const of = (name: string): Measurement[] => {
    const found = all.filter((one: Measurement) => one.name === name);
    assert(found.length > 0, `${name}: ${output}`);
    return found;
  };
  // each contained a delay if it contained a single reply
  const us = ["completion latency", "wake-up latency", "ioctl round trip"];
  for (const { name, value, at } of us.flatMap(of)) {
    const outermost = Number(at?.["percentile"] ?? 50) > 50;
    assert(value > 0 && (outermost || value < 1000 * delayMs), `${name}: ${value} µs`);
  }
  for (const { value } of of("throughput")) assert(value > 65536 / (1000 * delayMs), `${value}`);
  for (const { value } of of("cpu share")) assert(value > 0 && value < 101, `${value}`);
});

Deno.test("plumbline refuses what does not work on a remote board", async () => {
  const board = "--board=remote:zed";
  for (
    const [args, reason] of [
      [["run", board, "--coherent"], "--coherent needs a virtual board"],
      [["run", "--board=remote:a b"], "Expected --board to be remote:HOST[:PORT]"],
      [["run", "--board=remote:ssh://-x"], 'found "remote:ssh://-x"'],
    ] as const
  ) {
    const { code, output } = await plumbline(...args);
    assertEquals(code, 2, output);
    assertStringIncludes(output, reason);
  }
});

Deno.test("plumbline doctor has each condition of a remote board answered by its agent", async () => {
  using agent = await startAgent();
  const json = `${tempDir()}/doctor.json`;
  const { code, output } = await plumbline(
    "doctor",
    `--board=remote:${agent.address.text}`,
    `--json=${json}`,
  );
  assertEquals(code, 3, output);
  const { ready, next, conditions } = JSON.parse(await Deno.readTextFile(json));
  assertEquals([ready, next.status], [false, "missing"]);
  const of = (id: string) => {
    const one = conditions.find((one: { id: string }) => one.id === id);
    assert(one !== undefined, `${id}: ${output}`);
    return one;
  };
  // the target is this machine, so this machine knows the answers
  const host = examine(localFacts()).conditions;
  for (const id of ["page-size", "kernel", "fpga", "cma", "locked-memory", "iommu", "governor"]) {
    const here = host.find((one) => one.id === id);
    assertEquals([of(id).status, of(id).found], [here?.status, here?.found], id);
  }
  assertStringIncludes(of("agent").found, Deno.uid() === 0 ? "as root" : `as user ${Deno.uid()}`);
  assertEquals(of("module-signature").expected, "one that the kernel accepts, if it asks for one");
  if (of("module-loaded").status === "missing") {
    assertStringIncludes(of("module-loaded").mend, `on ${Deno.hostname()}: modprobe pldma `);
    assertEquals(of("device").status, "waits");
  }
  // nothing is left that only a desk could answer
  const ids = conditions.map((one: { id: string }) => one.id);
  assertEquals(
    ids.filter((id: string) => ["headers", "compiler", "architecture"].includes(id)),
    [],
  );
});
