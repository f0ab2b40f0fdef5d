// SPDX-License-Identifier: MIT
// plumbline bench on real kernels: ratios of one run, never an absolute time.
import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import type { Arch } from "../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";
import { checkResults } from "../results/check.ts";
import type { Results } from "../results/schema.ts";

const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;
const [SMALL, LARGE] = [65536, 1048576];

async function bench(
  arch: Arch,
  dir: string,
  ...args: string[]
): Promise<{ results: Results; stderr: string }> {
  const { PLUMBLINE_RESULTS: _results, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", MAIN, "bench", `--board=vm:${arch}`, "--json=-"],
      ...[`--results=${dir}/run`, "--timeout=900", "--quick", ...args],
    ],
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(code, 0, text(stderr));
  return { results: checkResults(JSON.parse(text(stdout))), stderr: text(stderr) };
}

/** The only measurement of a policy under these conditions. */
function valueOf(
  results: Results,
  policy: string,
  name: string,
  at: Readonly<Record<string, string | number | boolean>>,
): number {
  const found = results.tests.filter((test) => test.policy === policy)
    .flatMap((test) => test.measurements)
    .filter((one) =>
      one.name === name && one.at !== undefined &&
      Object.entries(at).every(([key, value]) => one.at?.[key] === value)
    );
  assertEquals(found.length, 1, `${policy} ${name} ${JSON.stringify(at)}`);
  return found[0]?.value ?? NaN;
}

/** Calls that copy a bounce buffer take time in proportion to the size. The others cost little. */
function assertBounces(results: Results): void {
  const sync = (call: string, size: number) =>
    valueOf(results, "streaming", "sync call", { call, size });
  for (const call of ["for_device tx", "for_cpu rx"]) {
    const ratio = sync(call, LARGE) / sync(call, SMALL);
    assert(ratio > 6 && ratio < 40, `${call}: ${ratio}`);
    assert(sync(call, LARGE) > 3 * sync("for_cpu tx", LARGE), call);
  }
}

await boardTest(
  "aarch64",
  "plumbline bench --board vm:aarch64 prints the tables of 2015",
  async (dir) => {
    const { results, stderr } = await bench("aarch64", dir, "--policy=streaming,streaming-lazy");
    assert(stderr.includes("\nSIMULATED: measured on a virtual board."), stderr.slice(0, 400));
    for (
      const title of [
        ...["Throughput, MB/s", "The four sync calls of", "CPU access to 1 MiB"],
        ...[
          "Latency from ENQUEUE",
          "Overhead of the benchmark",
          "Crossovers",
          "Recommended policies",
        ],
      ]
    ) assertStringIncludes(stderr, `\n\n${title}`);
    assertBounces(results);

    for (const size of [SMALL, LARGE]) {
      const at = { size, direction: "loop", touched: true };
      const [full, lazy] = ["streaming", "streaming-lazy"].map((policy) =>
        valueOf(results, policy, "bytes synced per byte", at)
      );
      assertEquals([full, lazy], [4, 2]);
      const [share, user, system] = ["cpu share", "cpu user", "cpu system"].map((name) =>
        valueOf(results, "streaming", name, at)
      );
      assert(share !== undefined && user !== undefined && system !== undefined);
      assert(share > 0 && share < 400 && Math.abs(user + system - share) < 0.01, `${share}`);
    }
    assertEquals(results.advice?.length, 6);
    for (const { policy, runnerUp } of results.advice ?? []) {
      assert([policy, runnerUp].every((one) => one?.startsWith("streaming")), `${policy}`);
    }
    // small frames need more blocks, so that batches of eight of them can take turns
    for (const [size, depth] of [[4096, 16], [SMALL, 4], [LARGE, 4]] as const) {
      const of = (name: string) => valueOf(results, "streaming-lazy", name, { size, depth });
      assert(of("deno loop") > 0 && of("c loop") > 0 && of("deno over c") < 4);
    }

    const facts = results.environment ?? {};
    assertStringIncludes(String(facts["kernel command line"]), "swiotlb=131072,force");
    assertStringIncludes(String(facts["module pldma"]), "build ");
    assertEquals(facts["device tree dma-coherent tx"], false);
    assert(Number(facts["memory (KiB)"]) > 1e6);
  },
);

await boardTest(
  "x86_64",
  "plumbline bench --board vm:x86_64 --kernel newest times sync calls that bounce, and has a row for dma-buf",
  async (dir) => {
    const { results } = await bench(
      "x86_64",
      dir,
      ...["--kernel=newest", "--policy=streaming,dma-buf", "--suite=handover,throughput"],
    );
    assertBounces(results);
    assertEquals(results.environment?.["device tree dma-coherent tx"], null);
    // the kernel that has a dma-heap; larger buffers have more segments than the bounce buffers map
    for (const policy of ["streaming", "dma-buf"]) {
      const at = { size: SMALL, direction: "loop", touched: true };
      assertGreater(valueOf(results, policy, "throughput", at), 0);
    }
    assert(results.advice?.every((advice) => advice.policy !== "dma-buf"), "it needs own syncs");
  },
);

for (const arch of ["aarch64", "x86_64"] as const) {
  const name = `plumbline bench --coherent on vm:${arch} has sync calls that cost next to nothing`;
  await boardTest(arch, name, async (dir) => {
    const { results } = await bench(
      arch,
      dir,
      "--coherent",
      "--policy=streaming",
      "--suite=handover",
    );
    assertEquals(results.board.coherent, true);
    for (const call of ["for_device tx", "for_cpu rx"]) {
      const at = { size: LARGE };
      const part = valueOf(results, "streaming", "sync call", { ...at, call }) /
        valueOf(results, "streaming", "memcpy", at);
      assert(part < 0.05, `${call}: ${part} of a memcpy`);
    }
  });
}
