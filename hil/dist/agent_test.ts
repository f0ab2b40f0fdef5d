// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../fixtures/host/run.ts";
import { VERSION } from "../results/tool.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { makeAgentTarball } from "./agent.ts";
import { main } from "./dist.ts";

async function must(command: string, ...args: string[]): Promise<string> {
  const done = await run(command, args);
  assertEquals(done.code, 0, done.stderr);
  return done.stdout;
}

Deno.test("makeAgentTarball() packs the agent, and the sources that its module needs, and gives the same bytes again", async () => {
  const out = tempDir();
  const program = `${out}/agent`;
  await Deno.writeTextFile(program, "a program");
  const options = { arch: "armhf", out, build: () => Promise.resolve(program) } as const;
  const { path, version, sha256, agentSize } = await makeAgentTarball(options);
  assertEquals(agentSize, 9);
  assertStringIncludes(path, `plumbline-agent-${version}-linux-armhf.tar.gz`);
  assert([VERSION, `${VERSION}-dirty`].includes(version), version);
  const names = (await must("tar", "-tzf", path)).trim().split("\n");
  const has = (name: string) => names.includes(`plumbline-agent-${version}/${name}`);
  const needed = ["driver/kernel/Makefile", "driver/kernel/pldma_core.c", "driver/agent/agent.c"];
  for (const name of [...needed, "bin/plumbline-agent", "INSTALL", "LICENSE", "COMMIT"]) {
    assert(has(name), name);
  }
  assertEquals(names.filter((name) => /\/tests\/|\.ts$|\.ko$|\/hil\//.test(name)), []);
  const install = await must("tar", "-xzOf", path, `plumbline-agent-${version}/INSTALL`);
  assertStringIncludes(install, "ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-");
  assertEquals(/@[a-z]+@/.test(install), false, install);
  assertEquals((await makeAgentTarball(options)).sha256, sha256);
  await Deno.writeTextFile(program, "a Program");
  assert((await makeAgentTarball(options)).sha256 !== sha256);
});

Deno.test("dist refuses --agent with an unknown architecture, or with options of the other tarballs", async () => {
  for (const args of [["--agent=mips"], ["--agent=armhf", "--arch=arm64"]]) {
    assertEquals(await main(args), 2);
  }
});
