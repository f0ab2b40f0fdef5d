// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { connected } from "../../driver/testing/agent.ts";
import { AgentError } from "../../driver/remote.ts";
import { localFiles } from "./local_files.ts";
import { lockDevice, LockHeldError } from "./lock.ts";
import { connectTarget, explainRemote, lockTarget } from "./remote.ts";

Deno.test("lockTarget() shares a lock within a run, and takes a stale one over", async () => {
  using board = await connected();
  const device = `/dev/pldma-test-${crypto.randomUUID()}`;
  const path = `/run/lock/plumbline${device.replaceAll("/", "-")}.lock`;
  try {
    const first = lockTarget(board.remote, device, { what: "a test" });
    assertEquals([first.shared, first.stale], [false, null]);
    {
      using other = connectTarget(board.agent.address);
      const second = lockTarget(other, device, { what: "another file", token: first.token });
      assertEquals([second.shared, second.token], [true, first.token]);
      second.check();
    }
    first.check();
    // a run on the target is excluded, too
    const held = assertThrows(() => lockDevice(device, { what: "a run there" }), LockHeldError);
    assertStringIncludes(held.message, `a test, from ${Deno.hostname()}, process ${Deno.pid}`);
    board.remote[Symbol.dispose]();
    assertThrows(() => first.check(), AgentError);
    using next = connectTarget(board.agent.address);
    const third = lockTarget(next, device, { what: "the next run" });
    assertEquals([third.shared, third.stale?.token], [false, first.token]);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("explainRemote() names the missing step and the machine", async () => {
  using board = await connected();
  assertEquals(explainRemote(board.remote, "/dev/pldma0"), null);
  const missing = explainRemote(board.remote, "/dev/pldma3");
  assert(missing?.startsWith(`On ${Deno.hostname()}: There is no /dev/pldma3`), missing ?? "null");
  assertStringIncludes(explainRemote(board.remote, "/dev/null") ?? "", "No permission");
});

Deno.test("Remote reads the interrupts and the kernel log of a target", async () => {
  using board = await connected();
  const { remote } = board;
  assertStringIncludes(remote.readFile("/proc/interrupts") ?? "", "CPU0");
  // the target is this machine, and the agent may read what this process may
  assertEquals(remote.kernelLog(4096)?.length, localFiles.kernelLog(4096)?.length);
  assertEquals(remote.readFile("/proc/kcore"), null);
});
