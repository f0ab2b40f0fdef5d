// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withDiagnosis } from "../diagnosis/diagnose.ts";
import { fold } from "../journal/fold.ts";
import { type Outcome, OUTCOMES } from "../results/outcome.ts";
import type { Results } from "../results/schema.ts";
import { wholeJournal } from "../testing/whole_journal.ts";
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
  place?: string;
  reason?: string;
  faults?: Fault[];
  suite?: string;
}

function render(
  rows: Row[],
  options: TableOptions = {},
  board: object = {},
  finish: <Any extends Results>(results: Any) => Any = (results) => results,
): string {
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
    ({ outcome, policy = "streaming", reason = null, suite = "loopback", faults, place }, i) => {
      const id = `${i}`;
      const name = `loop policy=${policy} size=4096 depth=${i}`;
      const skip = outcome === "SKIP" ? reason : null;
      const control = policy === "none";
      lines.push({ line: "case", at, id, suite, name, policy, skip, control, place });
      if (outcome === "SKIP") return;
      const frames = outcome === "PASS" ? 300 : 0;
      const counts = { seconds: 1, frames, bytes: frames * 4096 };
      const evidence = outcome === "XFAIL" ? { tx: true, rx: true } : undefined;
      lines.push({ line: "end", at, id, outcome, reason, ...counts, faults, evidence });
    },
  );
  const results = finish(fold(wholeJournal(lines)));
  return renderTable(results, results.verdict, options);
}

Deno.test("renderTable() says that a memory loop tests no design, and only then", () => {
  const said = (board: object) => render([{ outcome: "PASS" }], {}, board).includes("memory loop");
  assertEquals([said({ memoryLoop: true }), said({})], [true, false]);
});

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
  // each of two cases has two, and the headline one
  assertEquals(text.match(/bit-flip/g)?.length, 5);
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

Deno.test("renderTable() says first what failures have in common, and folds the cases of a group", () => {
  const at = { offset: 0, length: 64, detail: "holds frame 1", frame: 3, block: 3 };
  const stale = { ...at, kind: "stale-rx", blame: "rx" } as const;
  const rows = ["coherent", "write-combine", "streaming", "noncoherent"].flatMap((policy, i) =>
    Array.from(
      { length: 12 },
      (): Row => i < 2 ? { policy, outcome: "PASS" } : { policy, outcome: "FAIL", faults: [stale] },
    )
  );
  const text = render(rows, { width: 200 }, {}, withDiagnosis);
  assertMatch(
    text,
    /\n\nWhat the failures have in common\n\* 24 cases contain old data in place of new data\. /,
  );
  const [first, second] = text.split("\n");
  assertEquals(
    first,
    "FAIL stale-rx by the receive path, under streaming, noncoherent, and not under coherent, " +
      "write-combine: 24 of 24 failed cases",
  );
  assertMatch(second ?? "", /^ {2}loopback: frame 3, offset 0: holds frame 1, in loop/);
  assertStringIncludes(text, "Only policies through the CPU's cache fail.");
  assertMatch(
    text,
    /\nEvidence for item 1:\n {2}24 cases failed; 24 other cases would have shown this damage/,
  );
  assertEquals(text.split("FAIL loopback:").length - 1, 1);
  assertStringIncludes(text, "  ... and 23 cases like this one");
  assert(!render([{ outcome: "PASS" }], {}, {}, withDiagnosis).includes("in common"));
});

Deno.test("renderTable() folds the errors of a suite that have one reason", () => {
  const row = (reason: string): Row => ({ outcome: "ERROR", reason });
  const text = render([row("no logic"), row("no logic"), row("died here"), row("no logic")]);
  assertEquals(text.match(/ERROR loopback:/g)?.length, 2);
  assertStringIncludes(text, "... and 2 cases like this one");
});

Deno.test("renderTable() shows the bytes of a fault and the line of the test file", () => {
  const damage = { offset: 4096, xor: "20", base: 64, expected: "5a01" };
  const text = render(
    [{ outcome: "FAIL", place: "tests/a_test.ts:7", faults: [{ ...flip, damage }] }],
    { width: 200 },
  );
  assertMatch(
    text,
    /^ {2}loopback: frame 17, .*expected 5a, received 7a, in .*\(tests\/a_test.ts:7\)$/m,
  );
  assertMatch(text, /^FAIL loopback: .* \(tests\/a_test.ts:7\)$/m);
  assertMatch(text, /bit-flip \(core\): bit 5 of 0x20 is 0x00: expected 5a, received 7a$/m);
});
