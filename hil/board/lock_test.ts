// SPDX-License-Identifier: MIT
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { lockDevice, LockHeldError } from "./lock.ts";
import { tempDir } from "../testing/temp_dir.ts";

const LOCK = new URL("./lock.ts", import.meta.url).href;

/** Starts a process that holds the lock until its input ends, and waits until it has the lock. */
async function holder(
  dir: string,
): Promise<{ pid: number; kill: (how: Deno.Signal) => Promise<void> }> {
  const script = `
    import { lockDevice } from "${LOCK}";
    lockDevice("/dev/pldma0", { what: "the other run", dir: "${dir}" });
    console.log("held");
    await Deno.stdin.read(new Uint8Array(1));`;
  Deno.writeTextFileSync(`${dir}/holder.ts`, script);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-config", `${dir}/holder.ts`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "held\n");
  return {
    pid: child.pid,
    async kill(how) {
      child.kill(how);
      await child.status;
      await reader.cancel();
      await child.stdin.abort().catch(() => {});
    },
  };
}

Deno.test("lockDevice() names the process that holds the lock, and takes over the lock of a dead one", async () => {
  const dir = tempDir();
  const other = await holder(dir);
  const error = assertThrows(
    () => lockDevice("/dev/pldma0", { what: "this run", dir }),
    LockHeldError,
    `/dev/pldma0 is held by the other run, process ${other.pid}, since 20`,
  );
  assertEquals(error.holder?.pid, other.pid);
  // another device is free meanwhile
  assertEquals(lockDevice("/dev/pldma1", { what: "this run", dir }).stale, null);
  await other.kill("SIGKILL");
  const lock = lockDevice("/dev/pldma0", { what: "this run", dir });
  assertEquals(lock.stale?.pid, other.pid);
  assertMatch(Deno.readTextFileSync(`${dir}/plumbline-dev-pldma0.lock`), /this run/);
});

Deno.test("lockDevice() shares the lock with processes that have the same token", async () => {
  const dir = tempDir();
  const other = await holder(dir);
  const { token } = JSON.parse(Deno.readTextFileSync(`${dir}/plumbline-dev-pldma0.lock`));
  assertEquals(lockDevice("/dev/pldma0", { what: "a child", dir, token }).token, token);
  assertThrows(
    () => lockDevice("/dev/pldma0", { what: "a stranger", dir, token: "another" }),
    LockHeldError,
  );
  await other.kill("SIGTERM");
});

Deno.test("lockDevice() shares the lock among the test files of one process", () => {
  const dir = tempDir();
  const first = lockDevice("/dev/pldma0", { what: "one file", dir });
  const second = lockDevice("/dev/pldma0", { what: "another", dir });
  assertEquals([first.shared, second.shared], [false, true]);
  assertEquals(second.token, first.token);
  second.check();
});

Deno.test("BoardLock.check() throws if the lock was removed or replaced", () => {
  const dir = tempDir();
  const lock = lockDevice("/dev/pldma0", { what: "this run", dir });
  lock.check();
  const path = `${dir}/plumbline-dev-pldma0.lock`;
  Deno.removeSync(path);
  assertStringIncludes(assertThrows(() => lock.check(), Error).message, "found none");
  const other = lockDevice("/dev/pldma0", { what: "another run", dir });
  assertStringIncludes(assertThrows(() => lock.check(), Error).message, "found another");
  other.check();
});
