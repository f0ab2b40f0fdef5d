// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { UserMemory } from "../../driver/memory.ts";
import { copyBytes, cpuTime } from "./libc.ts";

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

Deno.test("copyBytes() copies every byte, and none after the end", () => {
  using from = UserMemory.allocate(4096);
  using to = UserMemory.allocate(4096);
  const source = crypto.getRandomValues(from.bytes());
  copyBytes(to.address + 8n, from.address + 1n, 1000);
  assertEquals(to.bytes().subarray(8, 1008), source.subarray(1, 1001));
  assertEquals([to.bytes()[7], to.bytes()[1008]], [0, 0]);
});
