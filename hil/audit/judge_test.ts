// SPDX-License-Identifier: MIT
// What real caches do and no model here does: lines that leave the cache by themselves, snoops that write back,
// a cache that syncs do not reach, and PCI.
import { assertEquals } from "@std/assert";
import { chooseFix, type Evidence, judgePattern, judgePort, judgeSnoops } from "./judge.ts";
import { type Counts, noCounts } from "./probe.ts";

function evidence(counts: Partial<Counts>, held: Evidence["held"]): Evidence {
  return { reach: "memory", counts: { ...noCounts(4), ...counts }, held, driver: "syncs" };
}

Deno.test("judgeSnoops() does not take lines that leave the cache by themselves for snoops", () => {
  const counts = { missed: 900, snooped: 100 };
  assertEquals(judgeSnoops(evidence(counts, { held: 90, lost: 10 })).snoops, "no");
  assertEquals(judgeSnoops(evidence(counts, { held: 100, lost: 0 })).snoops, "sometimes");
});

Deno.test("judgeSnoops() accepts a snoop that also writes back, because the control shows that lines stay", () => {
  assertEquals(judgeSnoops(evidence({ unclear: 1000 }, { held: 100, lost: 0 })).snoops, "yes");
  assertEquals(judgeSnoops(evidence({ unclear: 1000 }, { held: 0, lost: 100 })).snoops, null);
});

Deno.test("judgeSnoops() gives no answer if a line held neither old nor new data", () => {
  const { snoops, reason } = judgeSnoops(
    evidence({ snooped: 99, foreign: 1 }, { held: 9, lost: 0 }),
  );
  assertEquals([snoops, reason?.startsWith("1 of 100 lines")], [null, true]);
});

Deno.test("judgeSnoops() gives no answer without cache operations", () => {
  const { snoops, reason } = judgeSnoops(evidence({}, null));
  assertEquals([snoops, reason?.includes("no cache operations")], [null, true]);
});

Deno.test("judgePattern() tells the same lines from chance", () => {
  const counts = { ...noCounts(3), rounds: 8 };
  assertEquals(judgePattern({ ...counts, missedAt: [8, 0, 8] }), "same lines");
  assertEquals(judgePattern({ ...counts, missedAt: [8, 1, 0] }), "by chance");
});

Deno.test("chooseFix() names the outer cache if syncs do not reach memory", () => {
  assertEquals(judgePort("no", false, "nothing"), "corrupt");
  assertEquals(judgePort("no", false, "partly"), "corrupt");
  const port = { snoops: "no", verdict: "corrupt" } as const;
  assertEquals(
    chooseFix({ tx: port, rx: port }, false, false)?.change.startsWith("Describe the outer cache"),
    true,
  );
});

Deno.test("chooseFix() speaks of No Snoop, and not of the device tree, on a machine without one", () => {
  const port = { snoops: "no", verdict: "corrupt" } as const;
  const fix = chooseFix({ tx: port, rx: port }, true, true);
  assertEquals(fix?.change.startsWith("Clear Enable No Snoop"), true);
  const slow = { snoops: "yes", verdict: "slow" } as const;
  assertEquals(chooseFix({ tx: slow, rx: slow }, false, true), null);
});
