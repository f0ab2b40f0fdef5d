// SPDX-License-Identifier: MIT
// Files of 100 MB, valid and invalid: the report must not need much time or memory, or write a large page.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { summarizeOutcomes } from "../results/outcome.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { exampleResults } from "./testing/example.ts";

const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;
const SIZE = 100_000_000;
/** The heap of each process: somewhat more than parsed results of this size need. */
const HEAP_MB = 1500;
const HTML = 5_000_000;

async function report(file: string): Promise<{ code: number; stderr: string; html: number }> {
  const html = `${file}.html`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "report", file, "--quiet", `--html=${html}`],
    env: { DENO_V8_FLAGS: `--max-old-space-size=${HEAP_MB}`, NO_COLOR: "1" },
    signal: AbortSignal.timeout(120_000),
  }).output();
  const size = await Deno.stat(html).then((file) => file.size, () => 0);
  return { code, stderr: new TextDecoder().decode(stderr), html: size };
}

/** Writes a file of 100 MB, with copies of an item in place of the mark. */
function write(frame: unknown, item: (n: number) => string): string {
  const path = `${tempDir()}/huge.json`;
  const [before = "", behind = ""] = JSON.stringify(frame).split('"HERE"');
  using file = Deno.openSync(path, { write: true, create: true });
  const put = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    return bytes.length;
  };
  let size = put(before);
  for (let n = 0; size < SIZE;) {
    let chunk = "";
    for (let i = 0; i < 1000; i++, n++) chunk += (n === 0 ? "" : ",") + item(n);
    size += put(chunk);
  }
  put(behind);
  return path;
}

Deno.test("plumbline report shows a failed case with 100 MB of faults", async () => {
  const results = exampleResults();
  const [test] = results.tests.filter(({ faults }) => faults.length > 0);
  const [fault] = test?.faults ?? [];
  const summary = summarizeOutcomes([{ outcome: "FAIL" }]);
  const frame = { ...results, summary, tests: [{ ...test, faults: ["HERE"] }] };
  const file = write(frame, (n) => JSON.stringify({ ...fault, frame: n }));
  const { code, stderr, html } = await report(file);
  assertEquals(code, 1, stderr);
  assert(html > 10_000 && html < HTML, `${html} bytes of a page, ${stderr}`);
});

Deno.test("plumbline report shows 100 MB of measurements, each of another name", async () => {
  const results = exampleResults();
  const [test] = results.tests.filter(({ measurements }) => measurements.length > 0);
  const [measurement] = test?.measurements ?? [];
  const frame = {
    ...results,
    summary: summarizeOutcomes([{ outcome: "PASS" }]),
    tests: [{ ...test, measurements: ["HERE"] }],
  };
  const file = write(
    frame,
    (n) => JSON.stringify({ ...measurement, name: `n${n % 5000}`, at: { size: n, way: n % 999 } }),
  );
  const { code, stderr, html } = await report(file);
  assertEquals(code, results.verdict.exit, stderr);
  assert(html > 10_000 && html < HTML, `${html} bytes of a page, ${stderr}`);
});

Deno.test("plumbline report refuses 100 MB of brackets, and more than it reads", async () => {
  const frame = { ...exampleResults(), extra: ["HERE"] };
  const deep = await report(write(frame, () => "[".repeat(1000)));
  assertEquals([deep.code, deep.html], [2, 0]);
  assertStringIncludes(deep.stderr, "nested deeper than 32");
  const many = await report(write(frame, () => "[],[],[],[],[],[]"));
  assertEquals([many.code, many.html], [2, 0]);
  assertStringIncludes(many.stderr, "more than 4000000 lists and objects");
  const sparse = `${tempDir()}/sparse.json`;
  Deno.writeTextFileSync(sparse, "");
  Deno.truncateSync(sparse, 2 ** 40);
  const large = await report(sparse);
  assertEquals([large.code, large.html], [2, 0]);
  assertStringIncludes(large.stderr, "Expected results of at most 128 MiB together, found more");
});
