// SPDX-License-Identifier: MIT
import {
  assert,
  assertEquals,
  assertNotMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { madeUpBoard, RELEASE } from "../doctor/testing/board.ts";
import { Journal } from "../journal/journal.ts";
import { UsageError } from "../settings/values.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { journalOf, makeBundle } from "./bundle.ts";
import { readRuns } from "./results_file.ts";

/** A run that failed, on a board with a kernel; its journal has names and addresses. */
function failedRun(kernel: string): string {
  const dir = tempDir();
  using journal = Journal.open({ dir });
  const plan = journal.plan("plumbline run", ["/home/ann/tests/a_test.ts"]);
  journal.header({
    board: { kind: "local", kernel, coherent: false },
    run: { seed: 7, command: ["plumbline", "run", "--board", "remote:ssh://ann@10.1.2.3"] },
    environment: { "kernel command line": "cma=256M ip=10.1.2.4", desk: "lab7, x86_64" },
  });
  journal.file({ file: "/home/ann/tests/a_test.ts", suite: "a", state: "started" });
  journal.register({ id: "a/x", suite: "a", name: "x", policy: "streaming" });
  journal.start("a/x");
  journal.end("a/x", {
    ...{ outcome: "FAIL", reason: `wrong on ${Deno.hostname()}`, seconds: 1, frames: 9, bytes: 9 },
    faults: [{
      ...{ kind: "bit-flip", frame: 1, offset: 7, length: 1, blame: "core", detail: "bit 7" },
      damage: { offset: 7, xor: "80", base: 64, expected: "76" },
    }],
  });
  journal.file({ file: "/home/ann/tests/a_test.ts", suite: "a", state: "ended" });
  journal.close(plan);
  return dir;
}

Deno.test("makeBundle() holds no name and no address, and is judged as the run was", () => {
  const dir = failedRun(RELEASE);
  const bundle = makeBundle(dir, madeUpBoard());
  const text = JSON.stringify(bundle, null, 2);
  assertNotMatch(text, /\bann\b|10\.1\.2|lab7/);
  assert(Deno.hostname().length < 3 || !text.includes(Deno.hostname()), text);

  const file = `${tempDir()}/bundle.json`;
  Deno.writeTextFileSync(file, text);
  const [before, after] = readRuns([dir, file]).map(({ results }) => results);
  assertEquals(after?.verdict, before?.verdict);
  assertEquals(after?.verdict.word, "FAIL");
  assertEquals(after?.diagnosis, before?.diagnosis);
  assertEquals(after?.tests[0]?.faults, before?.tests[0]?.faults);
  assertEquals(after?.environment?.["kernel command line"], "cma=256M (1 more word)");
});

Deno.test("makeBundle() adds doctor, interrupts and device tree only of the machine of the run", () => {
  const own = makeBundle(failedRun(RELEASE), madeUpBoard());
  assertEquals(own.doctor?.conditions[0]?.id, "architecture");
  assertStringIncludes(own.interrupts?.join() ?? "", "xilinx-dma-controller");
  const node = own.deviceTree?.["/axi/dma@a0000000"];
  assertEquals(node?.["xlnx,sg-length-width"], "0000001a");
  assertEquals(Object.keys(own.deviceTree ?? {}).length, 4);
  const other = makeBundle(failedRun("6.1.0-other"), madeUpBoard());
  assertEquals([other.doctor, other.interrupts, other.deviceTree], [null, null, null]);
});

Deno.test("makeBundle() refuses what is no run", () => {
  assertThrows(() => makeBundle(tempDir()), UsageError, "the folder of a run or its journal");
});

Deno.test("journalOf() refuses a damaged bundle, and says where", () => {
  const good = makeBundle(failedRun(RELEASE), madeUpBoard());
  assertEquals(journalOf({ schema: 1 }), null);
  assertEquals(journalOf(good)?.split("\n").length, good.journal.length + 1);
  const wrong: [change: object, message: string][] = [
    [{ bundle: 2 }, "Expected bundle of a bundle to be 1, found 2"],
    [{ plumbline: null }, "Expected plumbline"],
    [{ journal: [1] }, "Expected journal of a bundle to be a list of texts, found [1]"],
    [{ kernelLog: "x" }, "Expected kernelLog"],
    [{ doctor: 7 }, "Expected doctor"],
  ];
  for (const [change, message] of wrong) {
    assertThrows(() => journalOf({ ...good, ...change }), UsageError, message);
  }
});
