// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Advice, Measurement, Results, TestResult } from "./schema.ts";
import { advise, findCrossovers, type USES } from "./advise.ts";

type Measured = Pick<Results, "tests" | "board">;

/** How a policy did; numbers are MB/s, processor time in percent. */
interface Did {
  readonly size?: number;
  readonly depth?: number;
  readonly tx?: number;
  readonly rx?: number;
  readonly cpu?: number;
  readonly handover?: number;
  /** Of the samples, half of what lies between p5 and p95; 100 samples. */
  readonly scatter?: number;
  readonly reading?: number;
  readonly outcome?: TestResult["outcome"];
  readonly alias?: boolean;
}

function test(policy: string, did: Did): TestResult[] {
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
      one("throughput", rate * 3, { ...at, touched: false }), // not what is asked for
      one("throughput", rate, at),
      ...(did.cpu === undefined ? [] : [one("cpu share", did.cpu, at, "%")]),
      ...(did.handover === undefined ? [] : [one("handover time", did.handover, at, "µs")]),
    ];
  });
  const access = (memory: string, value: number) =>
    one("cpu access", value, { size, access: "memcpy out", memory });
  return [
    // what the verified loop says of itself
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

function measured(policies: readonly (readonly [string, Did])[], simulated = false): Measured {
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

Deno.test("advise() has nothing to say of results without a bench", () => {
  assertEquals(advise(measured([])), []);
  assertEquals(findCrossovers(measured([])), []);
  assertEquals(advise(measured([["streaming", {}]])), []);
});

Deno.test("advise() ranks each use and size by itself, with the runner-up and by how much", () => {
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
  assertEquals(rx[1]?.why, "streaming takes 218 µs a frame longer: 200 µs more to hand it over");
});

Deno.test("advise() reckons with every further reading of a frame that is read often", () => {
  const results = measured([
    ["coherent", { rx: 600, reading: 50 }],
    ["streaming", { rx: 200, reading: 4000 }],
    ["bounce", { rx: 170 }],
  ]);
  assertEquals(only(results, "receive, read once").policy, "coherent");
  const often = only(results, "receive, read often");
  assertEquals([often.policy, often.runnerUp], ["streaming", "bounce"]);
  // by hand: 1 / (1/200 + 7/4000), and what read() gives is ordinary memory: 1 / (1/170 + 7/5000)
  assertEquals([often.value, often.ratio], [
    1 / (1 / 200 + 7 / 4000),
    (1 / (1 / 200 + 7 / 4000)) / (1 / (1 / 170 + 7 / 5000)),
  ]);
  // where nobody measured how fast it is read, nothing is known of reading often
  const unread = measured([["coherent", { rx: 600 }], ["streaming", { rx: 200, reading: 4000 }]]);
  assertEquals(only(unread, "receive, read often").policy, "streaming");
  assertEquals(only(unread, "receive, read often").runnerUp, null);
});

Deno.test("advise() has nothing to say of reading often where nobody measured reading", () => {
  const advice = advise(measured([["streaming", { rx: 200 }]]));
  assertEquals(advice.map(({ use }) => use), ["receive, read once"]);
});

Deno.test("advise() says when it is the reading that makes the difference", () => {
  const results = measured([
    ["coherent", { rx: 30, reading: 40 }],
    ["streaming", { rx: 150, reading: 4000 }],
  ]);
  const { why } = only(results, "receive, read once");
  assertStringIncludes(why, "coherent takes 1748 µs a frame longer");
  assertStringIncludes(why, "the CPU reads its blocks 100 times as slowly");
});

Deno.test("advise() never names the control, manual syncs, what failed, or an alias", () => {
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
    assertEquals(advice.why, `no other policy was measured that may be advised${reason}`);
  }
});

Deno.test("advise() leaves a policy out for an error of the bench only where it happened", () => {
  const error = ["streaming", { size: 4096, outcome: "ERROR" }] as const;
  const shallow = ["streaming", { size: 4096, depth: 1, tx: 9 }] as const; // no match for a full queue
  const results = measured([
    ...[["streaming", { tx: 1000 }], ["bounce", { tx: 1 }]] as const,
    ...[shallow, error, ["bounce", { tx: 1, size: 4096 }]] as const,
  ]);
  const of = (measured: Measured) =>
    advise(measured).map(({ size, policy, runnerUp, why }) => [size, policy, runnerUp, why]);
  const [small, large] = of(results);
  assertEquals(small, [
    ...[4096, "bounce", null],
    "no other policy was measured that may be advised; not measured: streaming",
  ]);
  assertEquals(large?.slice(0, 3), [65536, "streaming", "bounce"]);
  // an error elsewhere says nothing of throughput
  const elsewhere = results.tests.map((test) =>
    test.outcome === "ERROR" ? { ...test, suite: "access", params: { size: 65536 } } : test
  );
  assertEquals(of({ ...results, tests: elsewhere })[1], large);
});

Deno.test("advise() takes a policy for failed that failed at another size or in another suite", () => {
  const results = measured([
    ["streaming", { tx: 1000 }],
    ["streaming", { size: 1, outcome: "FAIL" }],
    ["bounce", { tx: 1 }],
  ]);
  assertEquals(only(results, "transmit, written once").policy, "bounce");
});

Deno.test("advise() names no policy where all failed", () => {
  const advice = only(
    measured([["streaming", { tx: 1000, outcome: "FAIL" }]]),
    "transmit, written once",
  );
  assertEquals([advice.policy, advice.value, advice.runnerUp, advice.ratio], [
    ...[null, null, null, null],
  ]);
  assertEquals(advice.why, "no policy was measured that may be advised; failed: streaming");
});

Deno.test("advise() lets processor time decide where the samples leave open which is faster", () => {
  // scatter 50, 100 samples: 2 * 1.2533 * (100 / 3.29) / 10 = 7.6 each, 10.8 together
  const of = (streaming: number, lazyCpu?: number) =>
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
  const tie = of(505, 40);
  assertEquals([tie.policy, tie.runnerUp, tie.ratio], ["streaming-lazy", "streaming", null]);
  assertEquals(
    tie.why,
    "as fast as streaming as far as the samples tell, for 52.4 µs of processor time a frame " +
      "instead of 104",
  );
  assertEquals(of(515, 40).policy, "streaming"); // no tie
  assertEquals(of(505, 80).policy, "streaming"); // a tie in both: the first in the list
  assertEquals(of(495, 80).policy, "streaming");
  assertEquals(of(495).policy, "streaming"); // processor time unknown
  assertEquals(of(495, 80).why, "as fast as streaming-lazy as far as the samples tell");
});

Deno.test("advise() takes no policy that is surely slower than another, for all its processor time", () => {
  // scatter by the doubt that it comes to: 120 and 5 MB/s, both those of the faster overlap
  const scatter = (doubt: number) => doubt * 10 * 3.29 / (2 * 2 * 1.2533);
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
  assertEquals(advice.why, "streaming-lazy takes 6.62 µs a frame longer");
});

Deno.test("advise() takes the deepest queue that was measured", () => {
  for (const depths of [[1, 8], [8, 1]] as const) {
    const results = measured(depths.map((depth) => ["streaming", { depth, tx: depth * 10 }]));
    assertEquals(only(results, "transmit, written once").value, 80);
  }
});

Deno.test("advise() says of a virtual board that its figures are not those of hardware", () => {
  const advice = only(measured([["streaming", { tx: 1 }]], true), "transmit, written once");
  assert(advice.why.startsWith("SIMULATED, says nothing about hardware: "), advice.why);
});

Deno.test("findCrossovers() finds from which size on one policy is faster for good", () => {
  const at = (size: number, streaming: number, bounce: number, scatter = 0) =>
    [
      ["streaming", { size, tx: streaming, scatter }],
      ["bounce", { size, tx: bounce, scatter }],
    ] as const;
  const of = (...rows: (readonly (readonly [string, Did])[])[]) => {
    const found = findCrossovers(measured(rows.flat()));
    assertEquals(found.length, 1);
    const { use, faster, than, from, detail } = found[0] ?? {};
    assertEquals([use, faster, than], ["transmit, written once", "streaming", "bounce"]);
    return [from, detail];
  };
  assertEquals(of(at(16384, 3, 2), at(4096, 1, 2), at(65536, 4, 2)), [
    16384,
    "streaming beats bounce from 16 KiB on",
  ]);
  assertEquals(of(at(4096, 3, 2), at(16384, 4, 2)), [
    4096,
    "streaming beats bounce at every measured size",
  ]);
  assertEquals(of(at(4096, 1, 2)), [null, "streaming beats bounce at no measured size"]);
  assertEquals(of(at(4096, 3, 2), at(16384, 1, 2)), [null, "streaming beats bounce at 4 KiB"]);
  assertEquals(of(at(4096, 3, 2), at(16384, 1, 2), at(65536, 5, 2)), [
    65536,
    "streaming beats bounce at 4 KiB, 64 KiB",
  ]);
  assertEquals(of(at(64, 1, 2), at(512, 3, 2)), [512, "streaming beats bounce from 512 B on"]);
  // what the scatter leaves open is not won
  assertEquals(of(at(4096, 101, 100, 50)), [null, "streaming beats bounce at no measured size"]);
});

Deno.test("findCrossovers() leaves out rivals that failed or were not measured", () => {
  const results = measured([
    ["streaming", { tx: 3, outcome: "FAIL" }],
    ["bounce", { tx: 2 }],
    ["coherent", { tx: 1 }],
  ]);
  assertEquals(findCrossovers(results).map(({ faster, than }) => [faster, than]), [
    ["coherent", "bounce"],
  ]);
});
