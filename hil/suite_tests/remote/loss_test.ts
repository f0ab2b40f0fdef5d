// SPDX-License-Identifier: MIT
// What breaks between a desk and its target in mid-transfer: the desk, the network or the agent is lost. The agent
// runs on this machine, with the driver of its tests. PLUMBLINE_FULL=1 breaks each part 50 times.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startAgent, type TestAgent } from "../../../driver/testing/agent.ts";
import { ROOT } from "../../settings/paths.ts";
import { type DeskRun, moving, outcome, Proxy } from "./testing/target.ts";

/** How often each part of the path is broken. */
const ROUNDS = Deno.env.get("PLUMBLINE_FULL") === "1" ? 50 : 2;

/** A short run that passes. */
const SHORT = ["--suite=loopback", "--policy=streaming", "--size=4096", "--depth=1", "--frames=20"];

/** A run that is long enough to be broken off. */
const LONG = ["--suite=loopback", "--policy=streaming", "--size=4096", "--duration=1h"];

/** Starts `plumbline run`, with a process group of its own. */
function spawn(port: number, args: readonly string[]): Deno.ChildProcess {
  const run = ["run", "-A", "--no-check", "hil/cli/main.ts", "run"];
  return new Deno.Command("setsid", {
    args: [Deno.execPath(), ...run, `--board=remote:127.0.0.1:${port}`, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", PLUMBLINE_AGENT_TOKEN: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function passes(agent: TestAgent): Promise<void> {
  const { code, output } = await outcome(spawn(portOf(agent), SHORT));
  assertEquals(code, 0, output);
}

function portOf({ address }: TestAgent): number {
  assert(address.kind === "tcp");
  return address.port;
}

/** Some moment of a transfer, a different one each time. */
async function anyMoment(proxy: Proxy): Promise<void> {
  await moving(proxy);
  await new Promise((resolve) => setTimeout(resolve, 200 * Math.random()));
}

/** Shows that a run ended with status 3 and a reason. */
function assertLost({ code, output }: DeskRun, reason: string): void {
  assertEquals(code, 3, output);
  assertStringIncludes(output, reason);
}

Deno.test(`the next run passes after ${ROUNDS} lost desks`, async () => {
  using agent = await startAgent();
  for (let round = 0; round < ROUNDS; round++) {
    using proxy = new Proxy(portOf(agent));
    const desk = spawn(proxy.port, LONG);
    await anyMoment(proxy);
    Deno.kill(-desk.pid, "SIGKILL");
    assertEquals((await outcome(desk)).code, 137);
    await passes(agent);
  }
});

Deno.test(`a lost agent ends the run with status 3, and the next run passes, ${ROUNDS} times`, async () => {
  let agent = await startAgent();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      using proxy = new Proxy(portOf(agent));
      const desk = spawn(proxy.port, LONG);
      await anyMoment(proxy);
      agent[Symbol.dispose]();
      assertLost(await outcome(desk), "was lost");
      agent = await startAgent();
      await passes(agent);
    }
  } finally {
    agent[Symbol.dispose]();
  }
});

Deno.test(`a lost network ends the run with status 3, and the next run passes, ${ROUNDS} times`, async () => {
  using agent = await startAgent();
  using open = new DisposableStack();
  const desks: Promise<DeskRun>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const proxy = open.use(new Proxy(portOf(agent)));
    const desk = spawn(proxy.port, LONG);
    await anyMoment(proxy);
    // the agent notices within 15 s, and the desk within 30 s, which is waited for below
    proxy.cut();
    proxy.closeTarget();
    desks.push(outcome(desk));
    await passes(agent);
  }
  for (const desk of await Promise.all(desks)) assertLost(desk, "did not answer within");
});
