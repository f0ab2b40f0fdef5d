// SPDX-License-Identifier: MIT
// The host's side of a virtual board. The guest is a function; vm_test.ts boots a real one.
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { GuestOptions, GuestRun } from "../../fixtures/boards/vm/mod.ts";
import { Journal } from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import { runVirtual } from "./board_vm.ts";
import { parseArguments } from "../settings/arguments.ts";
import { readRunOptions, RUN_LINE, type RunOptions } from "./options.ts";
import { tempDir } from "../testing/temp_dir.ts";

function parse(args: readonly string[], virtual: boolean): RunOptions {
  return readRunOptions(parseArguments(RUN_LINE, args), { suites: () => ["loopback"], virtual });
}

/** Runs a guest that writes a journal and ends as `end` says. */
async function boot(
  { end = {}, write = passes, args = [], fails }: {
    end?: Partial<GuestRun>;
    write?: (journal: Journal) => void;
    args?: string[];
    fails?: Error;
  } = {},
) {
  const options = parse(["--board=vm:aarch64", ...args], false);
  if (options.board.kind !== "vm") throw new Error("not reached");
  const dir = tempDir();
  using journal = Journal.open({ dir });
  let asked: GuestOptions | null = null;
  const plan = journal.plan("plumbline run", []);
  const died = await runVirtual({
    options: { ...options, board: options.board },
    journal,
    files: ["hil/suites/loopback_test.ts"],
    seed: 5,
    progress: null,
    signal: new AbortController().signal,
    boot(guest) {
      asked = guest;
      if (fails !== undefined) return Promise.reject(fails);
      using inside = Journal.open({ dir: guest.outDir });
      const insidePlan = inside.plan("plumbline run", []);
      write(inside);
      if (typeof guest.stderr === "function") {
        guest.stderr(new TextEncoder().encode("last words\n"));
      }
      if ((end.lost ?? null) === null) inside.close(insidePlan);
      return Promise.resolve({
        exitCode: 0,
        lost: null,
        kernelReports: [],
        consoleLog: `${dir}/console.log`,
        logic: null,
        outDir: dir,
        seconds: 1,
        stdout: "",
        stderr: "",
        ...end,
      });
    },
  });
  journal.close(plan);
  const results = fold(Journal.read(journal.path), died);
  return { asked: asked as GuestOptions | null, results, exit: results.verdict.exit };
}

function passes(journal: Journal): void {
  starts(journal);
  journal.end("a", { outcome: "PASS", reason: null, seconds: 1, frames: 9, bytes: 9 });
}

function starts(journal: Journal): void {
  journal.register({ id: "a", suite: "loopback", name: "a", policy: "streaming" });
  journal.start("a");
}

Deno.test("runVirtual() boots a machine with an IOMMU if --iommu asks for one", async () => {
  const without = await boot({ args: ["--engine=edu"] });
  assertEquals([without.asked?.engine, without.asked?.iommu], ["edu", undefined]);
  const strict = await boot({ args: ["--engine=edu", "--iommu=strict"] });
  assertEquals([strict.asked?.engine, strict.asked?.iommu], ["edu", "strict"]);
});

Deno.test("runVirtual() runs the same command in the guest and takes the verdict from its journal", async () => {
  const args = ["--policy=none", "--coherent", "--json=-", "--quiet", "--fault=kind=flip frame=17"];
  const { asked, exit } = await boot({ args });
  assertEquals(exit, 0);
  assertEquals(asked?.arch, "aarch64");
  assertEquals(asked?.coherent, true);
  const command = asked?.command ?? [];
  const inner = parse(command.slice(command.indexOf("run", 2) + 1), true);
  assertEquals(inner.settings, { policy: "none", seed: "5", fault: "kind=flip frame=17" });
  assertEquals(inner.files, ["hil/suites/loopback_test.ts"]);
  assertEquals([inner.results, inner.json, inner.board.kind], ["/out", null, "local"]);
});

Deno.test("runVirtual() reports a lost guest in the case that was running", async () => {
  const lost = "QEMU was killed by SIGKILL";
  const { results, exit } = await boot({ write: starts, end: { exitCode: null, lost } });
  assertEquals(results.tests[0]?.reason, `died here: ${lost}`);
  assertStringIncludes(results.tests[1]?.reason ?? "", `The board was lost: ${lost}`);
  assertEquals(exit, 3);
});

Deno.test("runVirtual() reports an error if the kernel complained", async () => {
  const report = "WARNING: CPU: 1 PID: 7 at mm/slub.c";
  const { results, exit } = await boot({ end: { kernelReports: [report, report] } });
  assertEquals(results.summary.error, 2);
  assertEquals(results.tests[1]?.reason, report);
  assertEquals(exit, 3);
});

Deno.test("runVirtual() boots the kernel that --kernel chooses", async () => {
  assertEquals((await boot({})).asked?.kernel, "main");
  assertEquals((await boot({ args: ["--kernel=debug"] })).asked?.kernel, "debug");
});

Deno.test("runVirtual() fails if the simulated logic died or the core broke the rules of its bus", async () => {
  const logic = {
    ...{ cycles: 9, beatsRead: 8, beatsWritten: 7, burstsRead: 2, burstsWritten: 1 },
    ...{ decodeErrors: 0, slaveErrors: 0, accesses: 5, interrupts: 3, loads: 1 },
    reads: [{ cache: 3, prot: 0, user: 0, bursts: 2 }],
    writes: [{ cache: 3, prot: 0, user: 0, bursts: 1 }],
    ...{ violations: 0, violation: "" },
  };
  const args = ["--engine=rtl", "--waves=/tmp/w"];
  const good = await boot({ args, end: { logic } });
  assertEquals([good.exit, good.asked?.engine, good.asked?.rtl?.waves?.dir], [0, "rtl", "/tmp/w"]);
  assertEquals(good.results.tests[1]?.measurements.map(({ value }) => value), [9, 8, 7, 5, 3]);
  const violation = "cycle 7: AW changed before it was taken";
  const bad = await boot({ args, end: { logic: { ...logic, violations: 2, violation } } });
  assertEquals(bad.exit, 1);
  assertStringIncludes(bad.results.tests[1]?.reason ?? "", `2 times, first in ${violation}`);
  const died = await boot({ args, end: { logic: "The simulated logic was killed by SIGKILL" } });
  assertEquals([died.exit, died.results.tests[1]?.reason], [
    3,
    "The simulated logic was killed by SIGKILL",
  ]);
});

Deno.test("runVirtual() reports an error if the guest's exit status contradicts its journal", async () => {
  const { results, exit } = await boot({ end: { exitCode: 1 } });
  assertEquals(exit, 3);
  assertStringIncludes(results.tests[1]?.reason ?? "", "found status 1");
  assertStringIncludes(results.tests[1]?.reason ?? "", "last words");
});

Deno.test("runVirtual() reports an infrastructure error if the board cannot be started", async () => {
  const { results, exit } = await boot({ fails: new Error("QEMU is not installed") });
  assertEquals(exit, 3);
  assertEquals(results.tests.map((test) => test.reason), ["QEMU is not installed"]);
});
