// SPDX-License-Identifier: MIT
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { poissonUpperBound, withBound } from "./soak.ts";

/**
 * The 95 % quantile of chi-square by its degrees of freedom, from the NIST/SEMATECH e-Handbook of
 * Statistical Methods, section 1.3.6.7.4.
 */
const CHI_SQUARE = {
  ...{ 2: 5.991, 4: 9.488, 6: 12.592, 8: 15.507, 10: 18.307, 12: 21.026, 20: 31.410, 22: 33.924 },
  ...{ 30: 43.773, 40: 55.758, 60: 79.082, 100: 124.342 },
};

Deno.test("poissonUpperBound() is half the quantile of chi-square with 2 n + 2 degrees of freedom", () => {
  for (const [degrees, quantile] of Object.entries(CHI_SQUARE)) {
    const events = Number(degrees) / 2 - 1;
    // the table has three decimals
    assertAlmostEquals(2 * poissonUpperBound(events), quantile, 0.00051, `${events} events`);
  }
});

Deno.test("poissonUpperBound() solves its equation, added up in whole numbers", () => {
  // the sum of the chances of 0 to n events, each from the one before, without logarithms
  for (const events of [0, 1, 2, 3, 5, 16, 48, 100, 300]) {
    const mean = poissonUpperBound(events);
    let term = Math.exp(-mean);
    let sum = term;
    for (let i = 1; i <= events; i++) sum += term *= mean / i;
    assertAlmostEquals(sum, 0.05, 1e-9, `${events} events`);
  }
  assertAlmostEquals(poissonUpperBound(0), -Math.log(0.05), 1e-11);
});

Deno.test("poissonUpperBound() stays finite for many events, and refuses what is no number of them", () => {
  // for many events the bound is near n + 1.645 sqrt(n) + 1
  const events = 1_000_000;
  assertAlmostEquals(poissonUpperBound(events), events + 1645 + 1.6, 2);
  for (const wrong of [-1, 0.5, NaN]) {
    assertThrows(() => poissonUpperBound(wrong), RangeError, `found ${wrong}`);
  }
});

Deno.test("withBound() divides by bits, and knows nothing without bytes", () => {
  const rate = withBound({ frames: 10, bytes: 1000, faults: 0 }).errorRateAtMost;
  assertAlmostEquals(rate ?? NaN, -Math.log(0.05) / 8000, 1e-12);
  assertEquals(withBound({ frames: 0, bytes: 0, faults: 0 }).errorRateAtMost, null);
  assertEquals(withBound({ frames: 1, bytes: 1, faults: 99 }).errorRateAtMost, 1);
});
