// SPDX-License-Identifier: MIT
// A desk on this machine and plumbline-agent in a guest: suites, and what breaks between the two.
import {
  assert,
  assertEquals,
  assertGreater,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { formatSideFile } from "../../../fixtures/bitstream/identity.ts";
import { virtualBitstream, virtualPromise } from "../../../fixtures/bitstream/virtual.ts";
import { boardTest } from "../../../fixtures/boards/vm/testing/board.ts";
import { CHECKS } from "../../suites/abi/mod.ts";
import { type DeskRun, moving, outcome, Proxy, Target } from "./testing/target.ts";

const full = Deno.env.get("PLUMBLINE_FULL") === "1";

/** How often each part of the path is broken. */
const ROUNDS = full ? 50 : 1;

/** A short run that passes. */
const SHORT = ["--suite=loopback", "--policy=streaming", "--size=4096", "--depth=1", "--frames=20"];

/** A run that is long enough to be broken off. */
const LONG = ["--suite=loopback", "--policy=streaming", "--size=4096", "--duration=1h"];

await boardTest(
  "aarch64",
  "plumbline run on a remote board reaches the same verdicts as on the board itself",
  async (dir) => {
    await using target = await Target.start("aarch64", dir);

    const results = async (name: string) =>
      JSON.parse(await Deno.readTextFile(`${dir}/${name}.json`));
    const options = ["--size=4096", "--frames=20", `--json=${dir}/loopback.json`];
    const loopback = await target.run(["--suite=loopback", ...options]);
    assertEquals(loopback.code, 0, loopback.output);
    const { board, environment } = await results("loopback");
    const { kind, simulated, arch, coherent, engine } = board;
    assertEquals([kind, simulated, arch, coherent], ["remote", true, "aarch64", false]);
    assertEquals(engine, "pl_softdma");
    // facts of the target, and not of the desk
    assertStringIncludes(environment["kernel version"], board.kernel);
    assertStringIncludes(environment["kernel command line"], "swiotlb=131072,force");
    assert("module pldma" in environment, Object.keys(environment).join());
    assertStringIncludes(loopback.output, "Controls: policy none failed in both directions");

    const abi = await target.run(["--suite=abi", `--json=${dir}/abi.json`]);
    assertEquals(abi.code, 0, abi.output);
    const { tests } = await results("abi");
    assertEquals(tests.map((test: { name: string }) => test.name), CHECKS.map(({ name }) => name));
    const skipped = tests.filter((test: { outcome: string }) => test.outcome === "SKIP");
    for (const { name, reason } of skipped) {
      const allowed = /on another machine/.test(reason);
      assert(allowed, `${name}: ${reason}`);
    }

    const check = [`--every=${full ? 1 : 40}`, `--json=${dir}/selfcheck.json`];
    const checked = await target.run(check, "selfcheck");
    const { selfcheck, environment: there } = await results("selfcheck");
    const { faults } = selfcheck;
    assertEquals(faults.filter(({ caught }: { caught: boolean }) => !caught), [], checked.output);
    assertGreater(faults.length, full ? 100 : 4, checked.output);
    assertEquals(there["kernel version"], environment["kernel version"]);

    const run = await target.stop();
    assertEquals([run.lost, run.kernelReports], [null, []], run.stdout + run.stderr);
  },
);

await boardTest(
  "aarch64",
  "a lost desk, network or agent ends the run with status 3, and the next run passes",
  async (dir) => {
    await using target = await Target.start("aarch64", dir, {
      timeoutSeconds: ROUNDS > 1 ? 7200 : 1800,
    });
    using cut = new DisposableStack();
    const silent: Promise<DeskRun>[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // the desk
      {
        using proxy = new Proxy(target.port);
        const desk = target.spawn(["--timeout=60", ...LONG], proxy.port);
        await moving(proxy);
        desk.kill("SIGKILL");
        await outcome(desk);
      }
      await passes(target);

      // the agent
      {
        using proxy = new Proxy(target.port);
        const desk = target.spawn(LONG, proxy.port);
        await moving(proxy);
        await target.killAgent();
        const { code, output } = await outcome(desk);
        assertEquals(code, 3, output);
        assertStringIncludes(output, "was lost");
      }
      await target.ready();
      await passes(target);

      // the network
      {
        const proxy = cut.use(new Proxy(target.port));
        const desk = target.spawn(LONG, proxy.port);
        await moving(proxy);
        // the agent notices within 15 s, and the desk within 30 s, which is waited for below
        proxy.cut();
        proxy.closeTarget();
        silent.push(outcome(desk));
      }
      await passes(target);
    }
    for (const { code, output } of await Promise.all(silent)) {
      assertEquals(code, 3, output);
      assertStringIncludes(output, "did not answer within");
    }
    const run = await target.stop();
    assertEquals([run.lost, run.kernelReports], [null, []], run.stdout + run.stderr);
  },
);

await boardTest(
  "aarch64",
  "plumbline run loads a bitstream on a remote board, and finds out that another core runs",
  async (dir) => {
    const write = async (name: string, id: number, promised: number) => {
      const bytes = virtualBitstream({ core: "loopback", id });
      const promise = virtualPromise(virtualBitstream({ core: "loopback", id: promised }));
      await Deno.writeFile(`${dir}/${name}.bit`, bytes);
      const { sha256 } = virtualPromise(bytes);
      await Deno.writeTextFile(`${dir}/${name}.bit.json`, formatSideFile({ ...promise, sha256 }));
    };
    await write("right", 0x1001, 0x1001);
    await write("wrong", 0x1002, 0x1003);
    await using target = await Target.start("aarch64", dir, { pl: "empty", agent: "--allow-load" });
    const run = async (name: string) => {
      const files = [`--bitstream=${dir}/${name}.bit`, `--json=${dir}/run.json`];
      const { code, output } = await target.run([...SHORT, ...files]);
      const { bitstream } = JSON.parse(await Deno.readTextFile(`${dir}/run.json`));
      return { code, output, bitstream };
    };
    const first = await run("right");
    assertEquals([first.code, first.bitstream.identity], [0, "proved"], first.output);
    // the second time it runs already, which the record on the target says
    const again = await run("right");
    assertEquals([again.code, again.bitstream], [0, first.bitstream], again.output);
    const wrong = await run("wrong");
    assertEquals(wrong.bitstream.identity, "wrong", wrong.output);
    assertNotEquals(wrong.code, 0, wrong.output);
    const ended = await target.stop();
    assertEquals([ended.lost, ended.kernelReports], [null, []], ended.stdout + ended.stderr);
  },
);

async function passes(target: Target): Promise<void> {
  const { code, output } = await target.run(SHORT);
  assertEquals(code, 0, output);
}
