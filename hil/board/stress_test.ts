// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../settings/values.ts";
import { parseStress, STRESSES, Stressor } from "./stress.ts";

Deno.test("parseStress() names what is wrong", () => {
  assertEquals(parseStress("--stress", "interrupts=3"), { interrupts: 3 });
  for (
    const [text, message] of [
      ["disk=1", "cpu, memory, cache or interrupts"],
      ["cpu=0", "from 1"],
      ["cpu=65", "64"],
      ["cpu,cpu=2", "once"],
      ["", 'found ""'],
    ] as const
  ) assertThrows(() => parseStress("--stress", text), UsageError, message, text);
});

Deno.test("Stressor has threads of each kind that work until it is disposed of", async () => {
  const all = Object.fromEntries(Object.keys(STRESSES).map((name) => [name, 1]));
  let last: Stressor["pieces"];
  {
    using stressor = new Stressor(all);
    const end = Date.now() + 60_000;
    while (Object.values(stressor.pieces).some((count) => count < 3)) {
      assert(Date.now() < end, JSON.stringify(stressor.pieces));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(Object.keys(stressor.pieces), Object.keys(STRESSES));
    stressor[Symbol.dispose]();
    last = stressor.pieces;
    await new Promise((resolve) => setTimeout(resolve, 50));
    // the piece that was under way may still have been counted
    for (const [name, count] of Object.entries(stressor.pieces)) {
      assert(count <= (last[name as keyof typeof STRESSES] ?? 0) + 2, name);
    }
  }
});
