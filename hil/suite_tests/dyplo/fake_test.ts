// SPDX-License-Identifier: MIT
// The suites through the adapter for block ioctls of 2015, on a fake of such a driver. An import
// map puts the fake in the place of the system calls of this machine.
import { assertEquals } from "@std/assert";
import { fold } from "../../journal/fold.ts";
import { Journal } from "../../journal/journal.ts";
import { ROOT } from "../../settings/paths.ts";
import { tempDir } from "../../testing/temp_dir.ts";

async function run(suite: string, ...settings: readonly string[]) {
  const dir = tempDir();
  const url = (path: string) => new URL(path, `file://${ROOT}`).href;
  Deno.writeTextFileSync(
    `${dir}/libc.ts`,
    `import { FakeDyplo } from "${url("driver/adapters/testing/fake_dyplo.ts")}";
export const libc = new FakeDyplo();\n`,
  );
  // locks still need the system calls of this machine
  const fake = { [url("driver/libc.ts")]: `file://${dir}/libc.ts` };
  const map = { imports: {}, scopes: { [url("hil/board/board.ts")]: fake } };
  Deno.writeTextFileSync(`${dir}/map.json`, JSON.stringify(map));
  const { PLUMBLINE_BOARD: _b, PLUMBLINE_DEVICE: _d, ...env } = Deno.env.toObject();
  const file = `${ROOT}hil/suites/${suite}_test.ts`;
  const options = ["-A", "--no-check", "--no-config", `--import-map=${dir}/map.json`];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", ...options, file, "--", "--device=/dev/dyplod0", ...settings],
    cwd: dir,
    env: { ...env, NO_COLOR: "1", PLUMBLINE_RESULTS: `${dir}/results` },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const { tests, board } = fold(Journal.read(`${dir}/results/journal.jsonl`));
  return { code, output: text(stdout) + text(stderr), tests, board };
}

Deno.test("the loopback suite runs on a driver with block ioctls of 2015", async () => {
  const { code, output, tests, board } = await run("loopback", "--size=63,64,4096,block");
  assertEquals(code, 0, output);
  assertEquals(board.engine, "dyplo");
  const passed = tests.filter(({ outcome }) => outcome === "PASS");
  assertEquals(passed.map(({ policy, params }) => `${policy} ${params?.["size"]}`), [
    ...["streaming-lazy 64", "streaming-lazy 64", "streaming-lazy 4096", "streaming-lazy 4096"],
    ...["streaming-lazy 1048576", "streaming-lazy 1048576"],
    // transmit blocks that are written again at once, of all sizes
    ...["streaming-lazy 64", "streaming-lazy 64", "streaming-lazy 4096", "streaming-lazy 4096"],
    ...["streaming-lazy 1048576", "streaming-lazy 1048576"],
  ]);
  assertEquals(passed.every(({ frames }) => frames > 0), true);
  assertEquals(tests.filter(({ outcome }) => outcome !== "SKIP").length, passed.length);
  const why = tests.find(({ params, policy }) =>
    params?.["size"] === 63 && policy === "streaming-lazy"
  );
  assertEquals(why?.reason, "the engine moves only multiples of 8 bytes");
});

Deno.test("the coherence suite runs on a driver with block ioctls of 2015", async () => {
  const { code, output, tests } = await run("coherence");
  assertEquals(code, 0, output);
  const ran = tests.filter(({ outcome }) => outcome !== "SKIP");
  assertEquals(ran.map(({ name, outcome }) => `${outcome} ${name}`), [
    "PASS transmit visibility policy=streaming-lazy",
    "PASS transmit completion policy=streaming-lazy",
    "PASS receive visibility policy=streaming-lazy",
    "PASS ping-pong policy=streaming-lazy",
  ]);
  const why = tests.find(({ name }) => name === "neighbour prefetch policy=streaming-lazy");
  const reason = "needs frames of 1 cache line that fit into a block, as the engine moves them";
  assertEquals(why?.reason, reason);
});

Deno.test("the abi suite leaves a driver with block ioctls of 2015 alone", async () => {
  const { code, output, tests } = await run("abi");
  assertEquals(code, 0, output);
  assertEquals(
    new Set(tests.map(({ outcome, reason }) => `${outcome}: ${reason}`)),
    new Set([
      "SKIP: the suite checks the ioctls of pldma, and /dev/dyplod0 is a device of dyplo",
    ]),
  );
});
