// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Case, Journal, parseJournal, RESULTS_VARIABLE } from "./journal.ts";
import { JournalTail } from "./tail.ts";
import { tempDir } from "../testing/temp_dir.ts";

const item: Case = { id: "loopback/a", suite: "loopback", name: "a", policy: "none" };
const pass = { outcome: "PASS", reason: null, seconds: 1, frames: 2, bytes: 128 } as const;

function folder(): string {
  return tempDir();
}

Deno.test("Journal writes one line for each call, in order", () => {
  using journal = Journal.open({ dir: `${folder()}/new/folder` });
  journal.header({ run: { seed: 7 } });
  journal.register(item);
  journal.start(item.id);
  journal.end(item.id, pass);
  const { lines, torn, unreadable } = Journal.read(journal.path);
  assertEquals(lines.map((line) => line.line), ["run", "case", "start", "end"]);
  assertEquals({ torn, unreadable }, { torn: false, unreadable: [] });
  assert(lines.every((line) => !Number.isNaN(Date.parse(line.at))));
  assertEquals(Deno.readTextFileSync(journal.path).split("\n").length, 5);
});

Deno.test("Journal.open() lets several writers share a file", () => {
  const dir = folder();
  using one = Journal.open({ dir });
  using two = Journal.open({ dir });
  one.start("a");
  two.start("b");
  one.start("c");
  const ids = Journal.read(one.path).lines.map((line) => line.line === "start" ? line.id : "");
  assertEquals(ids, ["a", "b", "c"]);
});

Deno.test("Journal.open() uses the folder in PLUMBLINE_RESULTS, or sets the variable to a new folder", () => {
  const before = Deno.env.get(RESULTS_VARIABLE);
  const cwd = Deno.cwd();
  try {
    const dir = Deno.realPathSync(folder());
    Deno.env.set(RESULTS_VARIABLE, `${dir}/given`);
    using given = Journal.open();
    assertEquals(given.dir, `${dir}/given`);

    Deno.env.delete(RESULTS_VARIABLE);
    Deno.chdir(dir);
    using first = Journal.open();
    using second = Journal.open();
    assert(first.dir.startsWith(`${dir}/results/${Deno.pid}-`), first.dir);
    assertEquals(second.path, first.path);
  } finally {
    Deno.chdir(cwd);
    if (before === undefined) Deno.env.delete(RESULTS_VARIABLE);
    else Deno.env.set(RESULTS_VARIABLE, before);
  }
});

Deno.test("Journal.open() uses a folder of this user if the current folder cannot be written", () => {
  const before = Deno.env.get(RESULTS_VARIABLE);
  const cwd = Deno.cwd();
  const own = `/tmp/plumbline-results-${Deno.uid()}`;
  try {
    Deno.env.delete(RESULTS_VARIABLE);
    Deno.chdir("/proc"); // not even root can make a folder here
    using journal = Journal.open();
    assert(journal.dir.startsWith(`${own}/${Deno.pid}-`), journal.dir);
    Deno.removeSync(journal.dir, { recursive: true });
  } finally {
    Deno.chdir(cwd);
    if (before === undefined) Deno.env.delete(RESULTS_VARIABLE);
    else Deno.env.set(RESULTS_VARIABLE, before);
  }
});

Deno.test("Journal.read() accepts a torn last line", () => {
  const dir = folder();
  using journal = Journal.open({ dir });
  journal.register(item);
  Deno.writeTextFileSync(journal.path, '{"line":"start","at":"2026-01', { append: true });
  const { lines, torn, unreadable } = Journal.read(journal.path);
  assertEquals(lines.length, 1);
  assertEquals({ torn, unreadable }, { torn: true, unreadable: [] });
});

Deno.test("Journal.open() begins a new line after a torn one", () => {
  const dir = folder();
  Deno.writeTextFileSync(`${dir}/journal.jsonl`, '{"line":"start","at":"2026-01');
  using journal = Journal.open({ dir });
  journal.start("b");
  const { lines, torn, unreadable } = Journal.read(journal.path);
  assertEquals(lines.length, 1);
  assertEquals({ torn, unreadable }, { torn: false, unreadable: [1] });
});

Deno.test("parseJournal() reports lines of an unknown kind as unreadable", () => {
  const at = "2026-01-01T00:00:00Z";
  const bad = ["nonsense", "7", "null", `{"line":"start","at":"${at}"}`, '{"line":"run"}', "[]"];
  for (const line of bad) {
    assertEquals(parseJournal(`${line}\n`), { lines: [], unreadable: [1], torn: false }, line);
  }
});

Deno.test("Journal has every line on disk if its process is killed", async () => {
  const dir = folder();
  const module = JSON.stringify(new URL("./journal.ts", import.meta.url).href);
  const script = `
    import { Journal } from ${module};
    const journal = Journal.open({ dir: ${JSON.stringify(dir)} });
    for (let i = 0; i < 20; i++) journal.start("case " + i);
    Deno.kill(Deno.pid, "SIGKILL");
    journal.start("after the end");`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    stderr: "piped",
  }).spawn();
  const { signal, stderr } = await child.output();
  assertEquals(signal, "SIGKILL", new TextDecoder().decode(stderr));
  const { lines } = Journal.read(`${dir}/journal.jsonl`);
  assertEquals(lines.map((line) => line.line === "start" && line.id).at(-1), "case 19");
  assertEquals(lines.length, 20);
});

Deno.test("JournalTail.poll() returns each line once, when it is complete", () => {
  const dir = folder();
  const tail = new JournalTail(`${dir}/journal.jsonl`);
  assertEquals(tail.poll(), []);
  using journal = Journal.open({ dir });
  journal.start("a µ");
  journal.start("b");
  assertEquals(tail.poll().length, 2);
  assertEquals(tail.poll(), []);
  journal.start("c");
  const text = Deno.readTextFileSync(journal.path);
  const line = text.split("\n")[2] ?? "";
  Deno.writeTextFileSync(journal.path, line.slice(0, 20), { append: true });
  assertEquals(tail.poll().length, 1);
  Deno.writeTextFileSync(journal.path, line.slice(20) + "\n", { append: true });
  assertEquals(tail.poll().length, 1);
});

Deno.test("Journal throws if the disk is full", () => {
  // every write to /dev/full fails as on a full disk
  const dir = folder();
  Deno.symlinkSync("/dev/full", `${dir}/journal.jsonl`);
  using journal = Journal.open({ dir });
  let message = "";
  try {
    journal.start("a");
  } catch (error) {
    message = String(error);
  }
  assertStringIncludes(message, "No space left");
});
