// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fold } from "../journal/fold.ts";
import { parseJournal } from "../journal/journal.ts";
import { type Outcome, OUTCOMES } from "../results/outcome.ts";
import type { Fault } from "../verify/fault.ts";
import { renderTable, type TableOptions } from "./table.ts";

const at = "2026-01-01T00:00:00.000Z";
const flip: Fault = {
  kind: "bit-flip",
  frame: 17,
  offset: 4096,
  length: 1,
  blame: "core",
  detail: "bit 5 of 0x20 is 0x00",
};

interface Row {
  outcome: Outcome;
  policy?: string;
  reason?: string;
  faults?: Fault[];
  suite?: string;
}

function render(rows: Row[], options: TableOptions = {}, board: object = {}): string {
  const lines: object[] = [
    {
      line: "run",
      at,
      board: {
        kind: "vm",
        simulated: true,
        arch: "aarch64",
        kernel: "6.1.0-44-arm64",
        coherent: false,
        engine: "pl_softdma",
        ...board,
      },
      run: { seed: 7, seconds: 12.34 },
    },
  ];
  rows.forEach(
    ({ outcome, policy = "streaming", reason = null, suite = "loopback", faults }, i) => {
      const id = `${i}`;
      const name = `loop policy=${policy} size=4096 depth=${i}`;
      const skip = outcome === "SKIP" ? reason : null;
      lines.push({ line: "case", at, id, suite, name, policy, skip, control: policy === "none" });
      if (outcome === "SKIP") return;
      const frames = outcome === "PASS" ? 300 : 0;
      const counts = { seconds: 1, frames, bytes: frames * 4096 };
      const evidence = outcome === "XFAIL" ? { tx: true, rx: true } : undefined;
      lines.push({ line: "end", at, id, outcome, reason, ...counts, faults, evidence });
    },
  );
  const results = fold(parseJournal(lines.map((line) => JSON.stringify(line) + "\n").join("")));
  return renderTable(results, results.verdict, options);
}

Deno.test("renderTable() shows SIMULATED first, then suites and policies, and the verdict last", () => {
  const text = render([
    { outcome: "PASS" },
    { outcome: "PASS" },
    { outcome: "PASS", policy: "streaming-lazy" },
    { outcome: "XFAIL", policy: "none", reason: "stale", faults: [flip] },
    { outcome: "SKIP", policy: "bounce", reason: "no mapping" },
  ]);
  assertEquals(
    text,
    `SIMULATED: board vm aarch64, Linux 6.1.0-44-arm64, not coherent, engine
  pl_softdma, seed 7

suite    policy          PASS XFAIL  SKIP    frames     data
loopback streaming          2     .     .       600  2.46 MB
loopback streaming-lazy     1     .     .       300  1.23 MB
loopback none               .     1     .         0      0 B
loopback bounce             .     .     1         0      0 B
all                         3     1     1       900  3.69 MB

SKIP 1 case: no mapping
Controls: policy none failed in both directions, as it must: this board can
  reveal missing syncs
PASS: 3 cases passed, 1 control failed as expected, 1 skipped (12.3 s)`,
  );
});

Deno.test("renderTable() shows frame and offset of each fault of a failed case", () => {
  const text = render([{ outcome: "FAIL", reason: "1 of 300 frames is wrong", faults: [flip] }]);
  assertStringIncludes(
    text,
    `FAIL loopback: loop policy=streaming size=4096 depth=0
  1 of 300 frames is wrong
  frame 17, offset 4096, length 1: bit-flip (core): bit 5 of 0x20 is 0x00`,
  );
  assertEquals(text.split("\n").at(-1), "FAIL: The design failed in 1 case (12.3 s)");
});

Deno.test("renderTable() never exceeds its width", () => {
  const long = "a reason of many words that says much more than anyone wants to read here, "
    .repeat(3);
  const rows = OUTCOMES.flatMap((outcome): Row[] => [
    { outcome, policy: "user-pages-registered", reason: long, suite: "a-rather-long-suite-name" },
    { outcome, policy: "none", reason: "x".repeat(200), faults: Array(30).fill(flip) },
  ]);
  for (const width of [60, 80, 100]) {
    for (const line of render(rows, { width }).split("\n")) assert(line.length <= width, line);
  }
});

Deno.test("renderTable() explains `most` cases and faults, and counts the rest", () => {
  const rows = Array<Row>(5).fill({ outcome: "FAIL", faults: Array(7).fill(flip) });
  const text = render(rows, { most: 2 });
  assertEquals(text.match(/bit-flip/g)?.length, 4);
  assertStringIncludes(text, "... and 5 more faults");
  assertStringIncludes(text, "... and 3 more cases");
});

Deno.test("renderTable() uses colours only if asked to", () => {
  const rows: Row[] = [{ outcome: "PASS" }, { outcome: "FAIL" }];
  // deno-lint-ignore no-control-regex
  const escapes = /\x1b\[\d+m/g;
  assertEquals(render(rows).match(escapes), null);
  const colored = render(rows, { color: true });
  assert(colored.match(escapes) !== null);
  assertEquals(colored.replace(escapes, ""), render(rows));
});

Deno.test("renderTable() prints no control character from the results", () => {
  const text = render([{ outcome: "FAIL", reason: "red\x1b[2Jgone\r\nforged line" }], {}, {
    engine: "evil\x1b[H",
  });
  // deno-lint-ignore no-control-regex
  assertEquals(text.match(/[\x00-\x09\x0b-\x1f]/), null);
  assertEquals(text.split("\n").includes("forged line"), false);
});

Deno.test("renderTable() prints only the verdict if quiet, with SIMULATED before it", () => {
  assertEquals(
    render([{ outcome: "PASS" }], { quiet: true }),
    "SIMULATED PASS: 1 case passed (12.3 s)",
  );
  assertEquals(
    render([{ outcome: "PASS" }], { quiet: true }, { simulated: false }),
    "PASS: 1 case passed (12.3 s)",
  );
});

Deno.test("renderTable() says that no case matched", () => {
  assertStringIncludes(render([]), "ERROR: Nothing was verified: no case matched");
});
