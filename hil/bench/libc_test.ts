// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { UserMemory } from "../../driver/memory.ts";
import { copyIn, copyOut, cpuTime } from "./libc.ts";

Deno.test("cpuTime() grows while this process computes, and not while it sleeps", async () => {
  const before = cpuTime();
  let sum = 0;
  const start = performance.now();
  while (performance.now() - start < 60) sum += Math.sqrt(sum + 1);
  const busy = cpuTime();
  await new Promise((resolve) => setTimeout(resolve, 60));
  const idle = cpuTime();
  const worked = busy.user + busy.system - before.user - before.system;
  const slept = idle.user + idle.system - busy.user - busy.system;
  assert(sum > 0 && worked > 0 && slept < worked, `${worked} ${slept}`);
});

Deno.test("copyIn() and copyOut() copy every byte, and none after the end", () => {
  using memory = UserMemory.allocate(4096);
  const source = crypto.getRandomValues(new Uint8Array(1000));
  copyIn(memory.address + 8n, source);
  assertEquals(memory.bytes().subarray(8, 1008), source);
  assertEquals([memory.bytes()[7], memory.bytes()[1008]], [0, 0]);
  const target = new Uint8Array(1000);
  copyOut(target, memory.address + 8n);
  assertEquals(target, source);
});
