// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { Journal } from "../journal/journal.ts";
import { follow, Progress } from "./progress.ts";
import { tempDir } from "../testing/temp_dir.ts";

const pass = { outcome: "PASS", reason: null, seconds: 0.25, frames: 1, bytes: 64 } as const;

function journal(): Journal {
  const journal = Journal.open({ dir: tempDir() });
  for (const name of ["a", "b", "c"]) {
    const skip = name === "c" ? "too long" : null;
    journal.register({ id: name, suite: "loopback", name, policy: null, skip });
  }
  return journal;
}

Deno.test("Progress prints a line for each ended case on a terminal", () => {
  using written = journal();
  const lines: string[] = [];
  const progress = new Progress(written.path, {
    terminal: true,
    print: (line) => lines.push(line),
  });
  progress.poll();
  assertEquals(lines, []);
  written.start("a");
  progress.poll();
  assertEquals(lines, []);
  written.end("a", pass);
  written.end("b", { ...pass, outcome: "FAIL" });
  progress.poll();
  progress.poll();
  assertEquals(lines, [
    "[1/2]      PASS    0.3 s  loopback: a",
    "[2/2]      FAIL    0.3 s  loopback: b",
  ]);
});

Deno.test("Progress prints one line per minute without a terminal", () => {
  using written = journal();
  const lines: string[] = [];
  const options = { terminal: false, print: (line: string) => lines.push(line) };
  const progress = new Progress(written.path, options, 0);
  written.end("a", { ...pass, outcome: "ERROR" });
  progress.poll(59_000);
  assertEquals(lines, []);
  progress.poll(60_000);
  progress.poll(61_000);
  progress.poll(119_000);
  assertEquals(lines, ["1 of 2 cases done, 1 not as expected"]);
});

Deno.test("follow() prints a case that ended just before the promise settled", async () => {
  using written = journal();
  const lines: string[] = [];
  const progress = new Progress(written.path, {
    terminal: true,
    print: (line) => lines.push(line),
  });
  const end = Promise.resolve().then(() => written.end("a", pass));
  await follow(progress, end);
  assertEquals(lines.length, 1);
  assertEquals(await follow(null, Promise.resolve(7)), 7);
});
