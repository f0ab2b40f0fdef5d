// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { summarizeOutcomes } from "../results/outcome.ts";
import type { Measurement, Results, TestResult } from "../results/schema.ts";
import { resultsOf } from "../testing/results.ts";
import { renderBench } from "./bench_tables.ts";

const SPREAD = { samples: 20, min: 1, p5: 90, p95: 110, max: 200 };

function one(name: string, value: number, at: NonNullable<Measurement["at"]>): Measurement {
  return { name, value, unit: "", limit: null, at, spread: SPREAD };
}

/** The results of a small benchmark of each policy, at two sizes. */
function results(policies: readonly string[] = ["coherent", "streaming"]): Results {
  const tests = policies.flatMap((policy): TestResult[] => {
    const base = {
      ...{ policy, outcome: "PASS" as const, reason: null, seconds: 1, frames: 1, bytes: 1 },
      faults: [],
    };
    const sizes = [4096, 1048576];
    const everywhere = ["tx", "rx", "loop"].flatMap((direction) =>
      sizes.flatMap((size) => [false, true].map((touched) => ({ direction, size, touched })))
    );
    return [{
      ...{ ...base, suite: "throughput", name: "t" },
      measurements: everywhere.flatMap((at, i) =>
        [1, 8].flatMap((depth) => [
          one("throughput", depth * 1000 + i, { ...at, depth }),
          one("cpu share", 42, { ...at, depth }),
          one("handover time", 43.21, { ...at, depth }),
          one("bytes synced per byte", 4, { ...at, depth }),
        ])
      ),
    }, {
      ...{ ...base, suite: "handover", name: "h" },
      measurements: sizes.flatMap((size) => [
        one("memcpy", 165, { size }),
        ...["for_device tx", "for_device rx", "for_cpu rx", "for_cpu tx"].map((call, i) =>
          one("sync call", 1990 + i, { size, call })
        ),
        ...["tx", "rx"].flatMap((direction) =>
          ["pin and map", "unmap and unpin", "pin and map per page", "copy"].map((name, i) =>
            one(name, 700 + i, { size, direction })
          )
        ),
      ]),
    }, {
      ...{ ...base, suite: "access", name: "a" },
      measurements: ["byte read", "word read", "memcpy out", "memcpy in"].flatMap((access) =>
        ["block", "ordinary"].map((memory) =>
          one("cpu access", memory === "block" ? 10 : 200, { size: 1048576, access, memory })
        )
      ),
    }, {
      ...{ ...base, suite: "latency", name: "l" },
      measurements: [
        one("ioctl round trip", 4.5, {}),
        one("completion latency", 41.9, { size: 4096 }),
      ],
    }, {
      ...{ ...base, suite: "overhead", name: "o" },
      measurements: [
        "deno loop",
        "deno loop with batches",
        "c loop",
        "deno over c",
        "deno with batches over c",
      ].map((name) => one(name, 100, { size: 4096, depth: 4 })),
    }, {
      ...{ ...base, suite: "gap", name: "g" },
      measurements: [one("engine idle gap", 12.5, { size: 65536, depth: 8, "engine depth": 1 })],
    }];
  });
  return {
    ...resultsOf(tests),
    advice: [{
      ...{ use: "receive, read once", size: 4096, policy: "streaming", value: 145, unit: "MB/s" },
      ...{ runnerUp: "coherent", ratio: 1.25 },
      why: "SIMULATED, says nothing about hardware: coherent takes 12 µs longer per frame",
    }],
    crossovers: [{
      ...{ use: "receive, read once", faster: "streaming", than: "coherent", from: 65536 },
      detail: "streaming beats coherent from 64 KiB on",
    }],
  };
}

/** The lines below the title of a table. */
function table(text: string, title: string): string[] {
  const part = text.split("\n\n").find((part) => part.startsWith(title));
  assert(part !== undefined, `${title}\n${text}`);
  return part.split("\n").slice(1).map((line) => line.trim().replaceAll(/\s+/g, " "));
}

Deno.test("renderBench() returns null without a benchmark", () => {
  assertEquals(renderBench({ ...results([]), advice: [], crossovers: [] }), null);
});

Deno.test("renderBench() prints the measurements in tables", () => {
  const text = renderBench(results()) ?? "";
  assertEquals(table(text, "Throughput, MB/s: transmit, the CPU fills each frame"), [
    "policy 4 KiB 1 MiB",
    "coherent 8001 8003", // the deeper queue, with data filled by the CPU
    "streaming 8001 8003",
  ]);
  assertEquals(table(text, "Throughput, MB/s: loop, data not accessed")[1], "coherent 8008 8010");
  assertEquals(table(text, "Processor time of that loop")[1], "coherent 42.0 42.0");
  assertEquals(table(text, "The four sync calls"), [
    "size for_device tx for_device rx for_cpu rx for_cpu tx memcpy",
    "4 KiB 1990 ±1% 1991 ±1% 1992 ±1% 1993 ±1% 165",
    "1 MiB 1990 ±1% 1991 ±1% 1992 ±1% 1993 ±1% 165",
  ]);
  assertEquals(table(text, "Handing a frame over")[2], "streaming 43.2 43.2 4.00");
  assertEquals(table(text, "CPU access to 1 MiB"), [
    "memory by byte by word copy out copy in 200 MB, s",
    "ordinary 200 200 200 200",
    "coherent 10.0 10.0 10.0 10.0 20.0 / 1.00",
    "streaming 10.0 10.0 10.0 10.0 20.0 / 1.00",
  ]);
  assertEquals(table(text, "Latency from ENQUEUE")[1], "ioctl only 4.50 1.00 90.0 110 200 20");
  assertEquals(
    table(text, "Overhead of the benchmark")[1],
    "4 KiB 100 ±10% 100 ±10% 100 ±10% 100 ±10% 100 ±10%",
  );
  const gap = "Idle time of the engine between two queued receive blocks";
  assertMatch(table(text, gap)[1] ?? "", /^coherent 64 KiB 12\.5 .* 1$/);
});

Deno.test("renderBench() compares pinning with copying", () => {
  const text = renderBench(results(["user-pages", "bounce"])) ?? "";
  assertEquals(
    table(text, "User pages compared with copying")[1],
    "4 KiB 700 700 701 701 702 703 703",
  );
});

Deno.test("renderBench() prints crossovers and recommended policies", () => {
  const text = renderBench(results()) ?? "";
  assertEquals(table(text, "Crossovers"), [
    "receive, read once",
    "streaming beats coherent from 64 KiB on",
  ]);
  assertEquals(table(text, "Recommended policies"), [
    "receive, read once",
    "4 KiB streaming, 145 MB/s: 1.25 x coherent",
    "coherent takes 12 µs longer per frame",
  ]);
  const [advice] = results().advice ?? [];
  assert(advice !== undefined);
  const tie = renderBench({ ...results(), advice: [{ ...advice, ratio: null }] }) ?? "";
  assertEquals(
    table(tie, "Recommended policies")[1],
    "4 KiB streaming, 145 MB/s: about as fast as coherent",
  );
});

Deno.test("renderBench() never exceeds 80 columns", () => {
  const wide = results(["user-pages-registered", "streaming-lazy", "streaming", "bounce"]);
  const simulated = { ...wide, board: { ...wide.board, kind: "sim", simulated: true } };
  for (const line of (renderBench(simulated) ?? "").split("\n")) assert(line.length <= 80, line);
});

Deno.test("renderBench() says first that the board is simulated, the run incomplete, or a case failed", () => {
  const all = results();
  const tests = all.tests.map((test): TestResult => ({ ...test, outcome: "FAIL" }));
  const run = { ...all.run, cut: "the run was interrupted: 1 case never ran" };
  const board = { ...all.board, kind: "sim", simulated: true };
  const text = renderBench({ ...all, board, run, tests, summary: summarizeOutcomes(tests) }) ?? "";
  const [head = ""] = text.split("\n\n");
  assert(head.startsWith("SIMULATED: measured on a virtual board."), head);
  assertStringIncludes(head, "Calls that wait take simulated time.");
  assertStringIncludes(head, "PARTIAL: the run was interrupted: 1 case never ran.");
  assertStringIncludes(head, "FAILED: 12 cases");
  assert(!(renderBench(all) ?? "").includes("SIMULATED"));
});
