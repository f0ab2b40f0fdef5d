// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { isAlive, thisProcess } from "./writer.ts";

Deno.test("isAlive() knows a process that lives, that ended, and another with the same number", async () => {
  const me = thisProcess();
  assertEquals(isAlive(me), true);
  assertEquals(isAlive({ ...me, start: (me.start ?? 0) + 1 }), false);
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const parts = Deno.readTextFileSync(`/proc/${child.pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  const it = { ...me, pid: child.pid, start: Number(parts[19]) };
  assertEquals(isAlive(it), true);
  child.kill("SIGKILL");
  await child.status;
  assertEquals(isAlive(it), false);
});

Deno.test("isAlive() gives null if the process cannot be seen from here", () => {
  const me = thisProcess();
  assertEquals(isAlive({ ...me, start: null }), null);
  assertEquals(isAlive({ ...me, machine: null }), null);
  assertEquals(isAlive({ ...me, machine: "another boot" }), null);
  for (const pid of [0, -1, 1.5, NaN]) assertEquals(isAlive({ ...me, pid }), null);
});
