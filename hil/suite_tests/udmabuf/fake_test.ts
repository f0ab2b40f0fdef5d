// SPDX-License-Identifier: MIT
// The suites through the adapter for u-dma-buf, on a fake of that driver and of AXI DMA. An import map puts
// the fake in the place of the system calls of this machine.
import { assertEquals } from "@std/assert";
import { fold } from "../../journal/fold.ts";
import { Journal } from "../../journal/journal.ts";
import { ROOT } from "../../settings/paths.ts";
import { tempDir } from "../../testing/temp_dir.ts";

async function suite(name: string, options: string, ...settings: readonly string[]) {
  const dir = tempDir();
  const url = (path: string) => new URL(path, `file://${ROOT}`).href;
  Deno.writeTextFileSync(
    `${dir}/libc.ts`,
    `import { FakeUdmabuf } from "${url("driver/adapters/testing/fake_udmabuf.ts")}";
export const libc = new FakeUdmabuf(${options});\n`,
  );
  // locks still need the system calls of this machine
  const fake = { [url("driver/libc.ts")]: `file://${dir}/libc.ts` };
  const map = { imports: {}, scopes: { [url("hil/board/board.ts")]: fake } };
  Deno.writeTextFileSync(`${dir}/map.json`, JSON.stringify(map));
  const { PLUMBLINE_BOARD: _b, PLUMBLINE_DEVICE: _d, ...env } = Deno.env.toObject();
  const flags = ["-A", "--no-check", "--no-config", `--import-map=${dir}/map.json`];
  const device = "--device=/dev/udmabuf0+/dev/uio0+20";
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", ...flags, `${ROOT}hil/suites/${name}`, "--", device, ...settings],
    cwd: dir,
    env: { ...env, NO_COLOR: "1", PLUMBLINE_RESULTS: `${dir}/results` },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const { tests, board } = fold(Journal.read(`${dir}/results/journal.jsonl`));
  return { code, output: text(stdout) + text(stderr), tests, board };
}

/** Counts cases by policy and outcome. */
function counts(tests: readonly { policy: string | null; outcome: string }[]) {
  const found: Record<string, number> = {};
  for (const { policy, outcome } of tests) {
    const key = `${policy} ${outcome}`;
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}
Deno.test("the loopback suite runs on u-dma-buf under its policies, and the control fails", async () => {
  const { code, output, tests, board } = await suite(
    "loopback_test.ts",
    "{ version: 4 }",
    "--size=63,4096",
  );
  assertEquals(code, 0, output);
  assertEquals([board.engine, board.coherent], ["axi-dma-direct", false]);
  const ran = tests.filter(({ outcome }) => outcome !== "SKIP");
  assertEquals(counts(ran), {
    "coherent PASS": 8,
    "streaming PASS": 8,
    "streaming-lazy PASS": 8,
    "manual PASS": 8,
    "none XFAIL": 8,
  });
  assertEquals(ran.every(({ frames }) => frames > 0), true);
  const alias = tests.find(({ policy }) => policy === "write-combine");
  assertEquals(alias?.reason, "an alias of coherent here, with the same memory attribute");
});

Deno.test("the coherence suite runs on u-dma-buf, and each policy without its syncs fails", async () => {
  const { code, output, tests } = await suite("coherence_test.ts", "{ version: 5 }");
  assertEquals(code, 0, output);
  const ran = tests.filter(({ outcome }) => outcome !== "SKIP");
  const { "manual XFAIL": failed, "manual XPASS": stayed, ...others } = counts(ran);
  assertEquals(others, {
    "coherent PASS": 9,
    "streaming PASS": 8,
    "streaming-lazy PASS": 7,
    "manual PASS": 8,
    "none XFAIL": 8,
  });
  // the fake evicts no line by itself
  assertEquals([failed, stayed], [11, 1]);
  const kept = tests.find(({ outcome }) => outcome === "XPASS");
  assertEquals(kept?.name, "dirty-line eviction policy=manual without=rx-for-device");
});
