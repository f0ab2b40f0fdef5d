// SPDX-License-Identifier: MIT
// The conformance suite on the simulated board: all checks run, or are skipped with a reason.
import { assert, assertEquals } from "@std/assert";
import { CHECKS } from "../../suites/abi/mod.ts";
import { tempDir } from "../../testing/temp_dir.ts";
import { readEnding } from "./testing/ending.ts";

const SUITE = new URL("../../suites/abi_test.ts", import.meta.url).pathname;

/** Checks that need a device in the kernel. */
const SKIPPED = [
  "ioctl fails with EFAULT for a struct that cannot be written, and does nothing",
  "CACHE fails with EPERM without CAP_SYS_RAWIO",
  "process: a duplicate descriptor is the same open device until both are closed",
  "process: a child that inherits the descriptor keeps the device open",
  "process: ENQUEUE fails with EPERM for memory of another process, and changes nothing",
  "process: DEQUEUE that waits fails with EINTR at a signal, and stores it in the struct",
  "process: DEQUEUE that the kernel restarts keeps its deadline",
];

for (const coherent of ["0", "1"]) {
  Deno.test(`the conformance suite passes on sim with coherent=${coherent}`, () => {
    const dir = tempDir();
    const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", SUITE],
      env: {
        NO_COLOR: "1",
        PLUMBLINE_BOARD: "sim",
        PLUMBLINE_COHERENT: coherent,
        PLUMBLINE_RESULTS: dir,
      },
    }).outputSync();
    const { names, failed, skipped } = readEnding(dir);
    assertEquals(failed, []);
    assertEquals(code, 0, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    assertEquals(names, CHECKS.map(({ name }) => name));
    const why = "the kernel does not know this device, because it is simulated in this process";
    assertEquals(skipped, SKIPPED.map((name) => `SKIP ${name}: ${why}`));
  });
}

Deno.test("the conformance suite has at least 80 checks, each with its own name", () => {
  const names = CHECKS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  assert(names.length >= 80, `${names.length}`);
});
