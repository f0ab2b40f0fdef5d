// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { warmUp } from "./warm_up.ts";

Deno.test("warmUp() runs by the given clock, and returns the time of a step", () => {
  let steps = 0;
  const now = () => steps * 2e6; // 2 ms a step
  assertEquals(warmUp({ now, seconds: 0.1 }, () => steps++), 2e6);
  assert(steps >= 50 && steps % 50 === 0, `${steps}`);
  const before = steps;
  warmUp({ now, seconds: 0, least: 7 }, () => steps++);
  assertEquals((steps - before) % 7, 0);
});

Deno.test("warmUp() continues while other threads compute, within a limit", () => {
  const now = () => performance.now() * 1e6;
  const looks = (busy: number): number => {
    let count = 0;
    const others = () => {
      count++;
      return busy * performance.now() / 1000;
    };
    warmUp({ now, seconds: 0.01, others }, () => {});
    return count / 2;
  };
  assertEquals(looks(0.05), 1);
  const start = performance.now();
  assert(looks(0.5) > 1);
  assert(performance.now() - start > 500);
});
