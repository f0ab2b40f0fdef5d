// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { tempDir } from "../testing/temp_dir.ts";
import { findLaunchers, isGone } from "./launcher.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

/** A /proc of a few processes: id, name, parent, start and command line. */
function proc(...rows: [pid: number, parent: number, started: number, cmdline: string][]) {
  return (path: string): string | null => {
    const row = rows.find(([pid]) => path.startsWith(`/proc/${pid}/`));
    if (row === undefined) return null;
    const [pid, parent, started, cmdline] = row;
    const fields = ["S", parent, ...Array(17).fill(0), started, 0];
    return path.endsWith("/cmdline") ? cmdline : `${pid} (npm exec (1)) ${fields.join(" ")}`;
  };
}

Deno.test("findLaunchers() finds the npx above shells and Deno, and nothing else", () => {
  const shell = [40, 1, 7, "bash\0"] as const;
  const npx = [41, 40, 8, "npm exec deno@2.9.5 task hil\0"] as const;
  const between = [42, 41, 9, "sh\0-c\0deno\0"] as const;
  const own = [43, 42, 10, "deno\0run\0npx\0"] as const;
  assertEquals(findLaunchers(43, proc([...shell], [...npx], [...between], [...own])), [
    { pid: 41, started: "8" },
  ]);
  assertEquals(findLaunchers(43, proc([...shell], [42, 40, 9, "sh\0"], [...own])), []);
  const early = [41, 40, 8, "node\0/usr/bin/npx\0-y\0deno\0"] as const;
  const two = proc([40, 1, 7, "npm exec a\0"], [...early], [...between], [...own]);
  assertEquals(findLaunchers(43, two).map(({ pid }) => pid), [41, 40]);
});

Deno.test("isGone() tells a process from a later one with its id", () => {
  const launcher = { pid: 41, started: "8" };
  assertEquals(isGone(launcher, proc([41, 1, 8, "npm exec x\0"])), false);
  assertEquals(isGone(launcher, proc([41, 1, 9, "npm exec x\0"])), true);
  assertEquals(isGone(launcher, proc()), true);
});

Deno.test("plumbline run ends when the npx that started it is killed, and saves its results", async () => {
  const dir = tempDir();
  const run = [
    ...[Deno.execPath(), "run", "-A", "--no-check", MAIN, "run", "--board=sim"],
    ...["--suite=loopback", "--policy=streaming", "--duration=100", `--results=${dir}/run`],
  ].join(" ");
  // a shell in place of npx: only its name counts; the inner one has a child of its own, as npx has
  const npx = new Deno.Command("bash", {
    args: ["-c", `exec -a "npm exec plumbline" bash -c '${run} > ${dir}/log 2>&1; true'`],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const journal = () => read(`${dir}/run/journal.jsonl`);
  for (let i = 0; i < 600 && !journal().includes('"line":"start"'); i++) await pause();
  npx.kill("SIGKILL");
  await npx.status;
  for (let i = 0; i < 600 && read(`${dir}/run/results.json`) === ""; i++) await pause();
  const results = JSON.parse(read(`${dir}/run/results.json`));
  assertStringIncludes(results.run.cut, "npx, which started the run, was ended");
  assert(results.verdict.exit === 3, results.verdict.reason);
});

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}
