// SPDX-License-Identifier: MIT
// The conformance suite on the simulated board: the list of checks, all of them done or named.
import { assert, assertEquals } from "@std/assert";
import { CHECKS } from "../../suites/abi/mod.ts";
import { tempDir } from "../../testing/temp_dir.ts";
import { readEnding } from "./testing/ending.ts";

const SUITE = new URL("../../suites/abi_test.ts", import.meta.url).pathname;

/** What only a device in the kernel can be asked. */
const SKIPPED = [
  "ioctl with a struct that cannot be written is EFAULT, and nothing was done",
  "process: a duplicate descriptor is the same open device, until both are closed",
  "process: a child that inherits the descriptor keeps the device open",
  "process: ENQUEUE of another process's memory is EPERM, and nothing changes",
  "process: a signal ends a DEQUEUE that waits: EINTR, stored in the struct",
  "process: a DEQUEUE that the kernel restarts keeps its deadline",
];

for (const coherent of ["0", "1"]) {
  Deno.test(`the conformance suite passes on sim, coherent=${coherent}`, () => {
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
    const why = "the device is in this process: the kernel does not know it";
    assertEquals(skipped, SKIPPED.map((name) => `SKIP ${name}: ${why}`));
  });
}

Deno.test("the conformance suite has its checks by name, each once, and at least 80", () => {
  const names = CHECKS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  assert(names.length >= 80, `${names.length}`);
});
