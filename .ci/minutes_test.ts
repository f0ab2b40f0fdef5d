// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { Minutes, minutesTable } from "./minutes.ts";

const lines: readonly (readonly [seconds: number, text: string])[] = [
  [30, "Check mod.ts"],
  [60, "vm: fetching Linux"],
  [120, "running 2 tests from ./fixtures/host/fresh_machine_test.ts"],
  [180, "a step ... ok (1m0s)"],
  [240, "the first command ... ok (2m0s)"],
  [300, "the main job ...'the main job' has been running for over (1m0s)"],
  [330, " FAILED (1m30s)"],
  [360, "vm: building pldma.ko"],
  [390, "running 1 test from ./hil/cli/vm_test.ts"],
  [392, "plumbline run (skipped: no QEMU) ... ignored (0ms)"],
  [400, "running 1 test from ./hil/cli/vm_test.ts$12-20.ts"],
  [401, "example ... ok (1ms)"],
  [416, "ok | 3 passed (1 step) | 1 failed | 1 ignored (6m)"],
  [426, "the end"],
];

Deno.test("Minutes adds the time of loading a file to its tests, and names who is over", () => {
  const minutes = new Minutes();
  for (const [seconds, text] of lines) minutes.line(text, seconds);
  assertEquals(minutesTable([minutes.end()], 426).split("\n"), [
    "Minutes by group of tests:",
    "   5.0  fresh root  over its cap of 3",
    "   1.2  commands",
    "   0.9  everything else",
    "   7.1  from start to end",
  ]);
});

Deno.test("Minutes counts nothing twice", () => {
  const minutes = new Minutes();
  minutes.line("running 1 test from ./driver/uapi_test.ts", 0);
  for (const [at, step] of ["one", "two", "both"].entries()) {
    minutes.line(`  ${step} ... ok (1m0s)`, 60 * (at + 1));
  }
  const seconds = [...minutes.end()].filter(([, value]) => value > 0);
  assertEquals(seconds, [["binding", 180]]);
});

Deno.test("Minutes of tests that start later do not count the time before", () => {
  const minutes = new Minutes(100);
  minutes.line("running 1 test from ./driver/uapi_test.ts", 101);
  minutes.line("one ... ok (59s)", 160);
  assertEquals([...minutes.end()], [["binding", 60], ["everything else", 0]]);
});

Deno.test("minutesTable() adds up streams that ran at the same time", () => {
  const streams = [new Map([["binding", 60]]), new Map([["binding", 30], ["RTL", 120]])];
  assertEquals(minutesTable(streams, 150).split("\n").slice(1), [
    "   1.5  binding",
    "   2.0  RTL",
    "   2.5  from start to end",
  ]);
});
