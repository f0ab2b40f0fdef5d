// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Advice, Measurement, Results, TestResult } from "./schema.ts";
import { advise, findCrossovers, type USES } from "./advise.ts";

type Measured = Pick<Results, "tests" | "board">;

/** What was measured of a policy; rates in MB/s, times in µs, processor time in percent. */
interface Measures {
  readonly size?: number;
  readonly depth?: number;
  readonly tx?: number;
  readonly rx?: number;
  readonly cpu?: number;
  readonly handover?: number;
  /** Half the distance from p5 to p95 of the 100 samples. */
  readonly scatter?: number;
  readonly reading?: number;
  readonly outcome?: TestResult["outcome"];
  readonly alias?: boolean;
}

function test(policy: string, did: Measures): TestResult[] {
  const { size = 65536, depth = 8, scatter = 0, outcome = "PASS", alias = false } = did;
  const spread = (value: number) => ({
    samples: 100,
    min: value - scatter,
    p5: value - scatter,
    p95: value + scatter,
    max: value + scatter,
  });
  const one = (name: string, value: number, at: Measurement["at"], unit = "MB/s"): Measurement => ({
    ...{ name, value, unit, limit: null, at: at ?? {} },
    ...(name === "throughput" ? { spread: spread(value) } : {}),
  });
  const base = {
    ...{ policy, outcome, reason: null, seconds: 1, frames: 1, bytes: 1, faults: [] },
    params: { size, depth, alias },
  };
  const measurements = (["tx", "rx"] as const).flatMap((direction) => {
    const rate = did[direction];
    if (rate === undefined) return [];
    const at = { size, depth, direction, touched: true };
    return [
      one("throughput", rate * 3, { ...at, touched: false }), // must not be used
      one("throughput", rate, at),
      ...(did.cpu === undefined ? [] : [one("cpu share", did.cpu, at, "%")]),
      ...(did.handover === undefined ? [] : [one("handover time", did.handover, at, "µs")]),
    ];
  });
  const access = (memory: string, value: number) =>
    one("cpu access", value, { size, access: "memcpy out", memory });
  return [
    // with a measurement without conditions, which must not be used
    {
      ...base,
      suite: "throughput",
      name: policy,
      measurements: [...measurements, one("throughput", 9e9, {})],
    },
    ...(did.reading === undefined ? [] : [{
      ...{ ...base, suite: "access", name: policy },
      measurements: [access("block", did.reading), access("ordinary", 5000)],
    }]),
  ];
}

function measured(policies: readonly (readonly [string, Measures])[], simulated = false): Measured {
  return {
    board: {
      ...{ kind: "local", simulated, arch: null, kernel: null, coherent: null },
      ...{ cacheLine: null, engine: null, core: null },
    },
    tests: policies.flatMap(([policy, did]) => test(policy, did)),
  };
}

function only(results: Measured, use: typeof USES[number]): Advice {
  const found = advise(results).filter((one) => one.use === use);
  assertEquals(found.length, 1);
  return found[0] as Advice;
}

Deno.test("advise() recommends nothing without a benchmark", () => {
  assertEquals(advise(measured([])), []);
  assertEquals(findCrossovers(measured([])), []);
  assertEquals(advise(measured([["streaming", {}]])), []);
});

Deno.test("advise() ranks each use and size alone, with the second best policy and the ratio", () => {
  const results = measured([
    ["coherent", { tx: 600, rx: 30, reading: 40 }],
    ["streaming", { tx: 150, rx: 145, handover: 400, reading: 4000 }],
    ["streaming-lazy", { tx: 290, rx: 280, handover: 200, reading: 4000 }],
    ["coherent", { tx: 100, rx: 20, size: 4096 }],
    ["streaming", { tx: 120, rx: 110, size: 4096 }],
  ]);
  const tx = advise(results).filter(({ use }) => use === "transmit, written once");
  assertEquals(
    tx.map(({ size, policy, runnerUp, ratio, value, unit }) => ({
      ...{ size, policy, runnerUp, ratio, value, unit },
    })),
    [
      {
        size: 4096,
        policy: "streaming",
        runnerUp: "coherent",
        ratio: 1.2,
        value: 120,
        unit: "MB/s",
      },
      {
        ...{ size: 65536, policy: "coherent", runnerUp: "streaming-lazy" },
        ...{ ratio: 600 / 290, value: 600, unit: "MB/s" },
      },
    ],
  );
  const rx = advise(results).filter(({ use }) => use === "receive, read once");
  assertEquals(rx.map(({ policy }) => policy), ["streaming", "streaming-lazy"]);
  // 65536 / 145 - 65536 / 280 = 217.9
  assertEquals(
    rx[1]?.why,
    "streaming takes 218 µs longer per frame, 200 µs of it to hand the frame over",
  );
});

Deno.test("advise() adds the cost of every further read for a frame that is read often", () => {
  const results = measured([
    ["coherent", { rx: 600, reading: 50 }],
    ["streaming", { rx: 200, reading: 4000 }],
    ["bounce", { rx: 170 }],
  ]);
  assertEquals(only(results, "receive, read once").policy, "coherent");
  const often = only(results, "receive, read often");
  assertEquals([often.policy, often.runnerUp], ["streaming", "bounce"]);
  // 1 / (1/200 + 7/4000); a frame that read() copied is in ordinary memory: 1 / (1/170 + 7/5000)
  assertEquals([often.value, often.ratio], [
    1 / (1 / 200 + 7 / 4000),
    (1 / (1 / 200 + 7 / 4000)) / (1 / (1 / 170 + 7 / 5000)),
  ]);
  // coherent has no measurement of reading, so it is not ranked
  const unread = measured([["coherent", { rx: 600 }], ["streaming", { rx: 200, reading: 4000 }]]);
  assertEquals(only(unread, "receive, read often").policy, "streaming");
  assertEquals(only(unread, "receive, read often").runnerUp, null);
});

Deno.test("advise() recommends nothing for frames that are read often if reading was not measured", () => {
  const advice = advise(measured([["streaming", { rx: 200 }]]));
  assertEquals(advice.map(({ use }) => use), ["receive, read once"]);
});

Deno.test("advise() says if the time to read blocks makes the difference", () => {
  const results = measured([
    ["coherent", { rx: 30, reading: 40 }],
    ["streaming", { rx: 150, reading: 4000 }],
  ]);
  const { why } = only(results, "receive, read once");
  assertStringIncludes(why, "coherent takes 1748 µs longer per frame");
  assertStringIncludes(why, "the CPU reads its blocks 100 times as slowly");
});

Deno.test("advise() never recommends the control, manual syncs, a failed policy or an alias", () => {
  const slow = ["bounce", { tx: 1 }] as const;
  for (
    const [policy, did, reason] of [
      ["none", { tx: 1000, outcome: "XFAIL" }, ""],
      ["manual", { tx: 1000 }, ""],
      ["manual", { tx: 1000, outcome: "FAIL" }, ""],
      ["streaming", { tx: 1000, outcome: "FAIL" }, "; failed: streaming"],
      ["streaming", { tx: 1000, outcome: "TIMEOUT" }, "; failed: streaming"],
      ["streaming", { tx: 1000, outcome: "ERROR" }, "; not measured: streaming"],
      ["streaming", { tx: 1000, outcome: "SKIP" }, ""],
      ["write-combine", { tx: 1000, alias: true }, ""],
    ] as const
  ) {
    const advice = only(measured([[policy, did], slow]), "transmit, written once");
    assertEquals([advice.policy, advice.runnerUp], ["bounce", null], JSON.stringify(did));
    assertEquals(advice.why, `no other measured policy can be recommended${reason}`);
  }
});

Deno.test("advise() omits a policy with an infrastructure error only at the size of the error", () => {
  const error = ["streaming", { size: 4096, outcome: "ERROR" }] as const;
  const shallow = ["streaming", { size: 4096, depth: 1, tx: 9 }] as const; // less than with a full queue
  const results = measured([
    ...[["streaming", { tx: 1000 }], ["bounce", { tx: 1 }]] as const,
    ...[shallow, error, ["bounce", { tx: 1, size: 4096 }]] as const,
  ]);
  const rows = (measured: Measured) =>
    advise(measured).map(({ size, policy, runnerUp, why }) => [size, policy, runnerUp, why]);
  const [small, large] = rows(results);
  assertEquals(small, [
    ...[4096, "bounce", null],
    "no other measured policy can be recommended; not measured: streaming",
  ]);
  assertEquals(large?.slice(0, 3), [65536, "streaming", "bounce"]);
  // an error in another suite says nothing about throughput
  const elsewhere = results.tests.map((test) =>
    test.outcome === "ERROR" ? { ...test, suite: "access", params: { size: 65536 } } : test
  );
  assertEquals(rows({ ...results, tests: elsewhere })[1], large);
});

Deno.test("advise() omits a policy that failed at another size or in another suite", () => {
  const results = measured([
    ["streaming", { tx: 1000 }],
    ["streaming", { size: 1, outcome: "FAIL" }],
    ["bounce", { tx: 1 }],
  ]);
  assertEquals(only(results, "transmit, written once").policy, "bounce");
});

Deno.test("advise() recommends no policy if all failed", () => {
  const advice = only(
    measured([["streaming", { tx: 1000, outcome: "FAIL" }]]),
    "transmit, written once",
  );
  assertEquals([advice.policy, advice.value, advice.runnerUp, advice.ratio], [
    ...[null, null, null, null],
  ]);
  assertEquals(advice.why, "no measured policy can be recommended; failed: streaming");
});

Deno.test("advise() compares processor times if the samples do not show which policy is faster", () => {
  // the uncertainty of each is 2 * 1.2533 * (100 / 3.29) / 10 = 7.6, of the difference 10.8
  const compare = (streaming: number, lazyCpu?: number) =>
    only(
      measured([
        ["streaming", { tx: streaming, scatter: 50, cpu: 80 }],
        ["streaming-lazy", {
          tx: 500,
          scatter: 50,
          ...(lazyCpu === undefined ? {} : { cpu: lazyCpu }),
        }],
      ]),
      "transmit, written once",
    );
  const tie = compare(505, 40);
  assertEquals([tie.policy, tie.runnerUp, tie.ratio], ["streaming-lazy", "streaming", null]);
  assertEquals(
    tie.why,
    "the samples show no difference to streaming, but streaming-lazy needs less processor time " +
      "per frame: 52.4 µs instead of 104 µs",
  );
  assertEquals(compare(515, 40).policy, "streaming"); // no tie
  assertEquals(compare(505, 80).policy, "streaming"); // a tie in both: first in the list
  assertEquals(compare(495, 80).policy, "streaming");
  assertEquals(compare(495).policy, "streaming"); // processor time unknown
  assertEquals(compare(495, 80).why, "the samples show no difference to streaming-lazy");
});

Deno.test("advise() recommends no policy that is clearly slower than another, even with less processor time", () => {
  // the scatter for an uncertainty of 120 and of 5 MB/s: the first two policies overlap
  const scatter = (uncertainty: number) => uncertainty * 10 * 3.29 / (2 * 2 * 1.2533);
  const advice = only(
    measured([
      ["coherent", { tx: 1000, scatter: scatter(120), cpu: 80 }],
      ["streaming", { tx: 990, scatter: scatter(5), cpu: 60 }],
      ["streaming-lazy", { tx: 900, scatter: scatter(5), cpu: 20 }],
    ]),
    "transmit, written once",
  );
  assertEquals([advice.policy, advice.runnerUp, advice.ratio], [
    ...["streaming", "streaming-lazy", 990 / 900],
  ]);
  assertEquals(advice.why, "streaming-lazy takes 6.62 µs longer per frame");
});

Deno.test("advise() uses the deepest queue that was measured", () => {
  for (const depths of [[1, 8], [8, 1]] as const) {
    const results = measured(depths.map((depth) => ["streaming", { depth, tx: depth * 10 }]));
    assertEquals(only(results, "transmit, written once").value, 80);
  }
});

Deno.test("advise() says that measurements of a virtual board say nothing about hardware", () => {
  const advice = only(measured([["streaming", { tx: 1 }]], true), "transmit, written once");
  assert(advice.why.startsWith("SIMULATED, says nothing about hardware: "), advice.why);
});

Deno.test("findCrossovers() finds the size from which on a policy stays faster", () => {
  const at = (size: number, streaming: number, bounce: number, scatter = 0) =>
    [
      ["streaming", { size, tx: streaming, scatter }],
      ["bounce", { size, tx: bounce, scatter }],
    ] as const;
  const find = (...rows: (readonly (readonly [string, Measures])[])[]) => {
    const found = findCrossovers(measured(rows.flat()));
    assertEquals(found.length, 1);
    const { use, faster, than, from, detail } = found[0] ?? {};
    assertEquals([use, faster, than], ["transmit, written once", "streaming", "bounce"]);
    return [from, detail];
  };
  assertEquals(find(at(16384, 3, 2), at(4096, 1, 2), at(65536, 4, 2)), [
    16384,
    "streaming beats bounce from 16 KiB on",
  ]);
  assertEquals(find(at(4096, 3, 2), at(16384, 4, 2)), [
    4096,
    "streaming beats bounce at every measured size",
  ]);
  assertEquals(find(at(4096, 1, 2)), [null, "streaming beats bounce at no measured size"]);
  assertEquals(find(at(4096, 3, 2), at(16384, 1, 2)), [null, "streaming beats bounce at 4 KiB"]);
  assertEquals(find(at(4096, 3, 2), at(16384, 1, 2), at(65536, 5, 2)), [
    65536,
    "streaming beats bounce at 4 KiB, 64 KiB",
  ]);
  assertEquals(find(at(64, 1, 2), at(512, 3, 2)), [512, "streaming beats bounce from 512 B on"]);
  // the samples show no difference
  assertEquals(find(at(4096, 101, 100, 50)), [null, "streaming beats bounce at no measured size"]);
});

Deno.test("findCrossovers() omits policies that failed or were not measured", () => {
  const results = measured([
    ["streaming", { tx: 3, outcome: "FAIL" }],
    ["bounce", { tx: 2 }],
    ["coherent", { tx: 1 }],
  ]);
  assertEquals(findCrossovers(results).map(({ faster, than }) => [faster, than]), [
    ["coherent", "bounce"],
  ]);
});
