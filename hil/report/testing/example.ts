// SPDX-License-Identifier: MIT
/**
 * Results with everything that a page can show.
 *
 * @module
 */
import { countOutcomes, judge, summarizeOutcomes, type Verdict } from "../../results/outcome.ts";
import type { Diagnosis, Measurement, Results, TestResult } from "../../results/schema.ts";

/** Results with a verdict. */
export type Judged = Results & { readonly verdict: Verdict };

const POLICIES = ["coherent", "write-combine", "streaming", "streaming-lazy", "user-pages", "none"];
const SIZES = [4096, 65_536, 1_048_576];
const CALLS = ["for_device tx", "for_cpu tx", "for_device rx", "for_cpu rx"];

/**
 * Makes the results of a benchmark on a virtual board with a failed loop.
 *
 * @param change Replaces any text of the results, for tests with hostile texts. Defaults to no change
 * @param diagnosed Whether the results have a diagnosis. Defaults to false
 * @returns The results, as if they were read from a file
 */
export function exampleResults(
  change: (text: string) => string = (text) => text,
  diagnosed = false,
): Judged {
  const tests = [...loops(), ...costs()];
  const counts = countOutcomes(tests.map(({ outcome }) => outcome));
  const results: Judged = {
    schema: 1,
    tool: { name: "plumbline", version: "0.1.0", deno: "2.9.5", git: "0123456789abcdef" },
    board: {
      kind: "vm",
      simulated: true,
      arch: "aarch64",
      kernel: "6.1.0-1-arm64",
      coherent: false,
      cacheLine: 64,
      engine: "pl_softdma",
      core: "0x504c4c42 1.0",
    },
    bitstream: { file: "top.bit", sha256: "ab".repeat(32), part: "xczu9eg", identity: "proved" },
    run: {
      seed: 7,
      started: "2026-01-02T03:04:05.678Z",
      seconds: 61.25,
      command: ["plumbline", "bench", "--board", "vm:aarch64"],
    },
    tests,
    summary: summarizeOutcomes(tests),
    power: { coherence: true, tx: true, rx: true, detail: "policy none failed in both directions" },
    verdict: judge({ counts, framesVerified: 1, coherent: false, control: "powerful" }),
    ...(diagnosed ? { diagnosis: exampleDiagnosis(tests) } : {}),
    advice: [
      ["transmit, written once", 4096, "bounce"],
      ["transmit, written once", 65_536, "streaming-lazy"],
      ["transmit, written once", 1_048_576, "streaming-lazy"],
      ["receive, read once", 4096, "bounce"],
      ["receive, read once", 65_536, "coherent"],
      ["receive, read once", 1_048_576, "streaming-lazy"],
      ["receive, read often", 4096, null],
      ["receive, read often", 65_536, "streaming-lazy"],
      ["receive, read often", 1_048_576, "streaming-lazy"],
    ].map(([use, size, policy], i) => ({
      use: String(use),
      size: Number(size),
      policy: policy === null ? null : String(policy),
      value: policy === null ? null : 412.125 + i,
      unit: "MB/s",
      runnerUp: policy === null ? null : "streaming",
      ratio: policy === null ? null : 1.375 + i / 16,
      why: policy === null ? "Every policy failed" : "It syncs half as many bytes",
    })),
    crossovers: [{
      use: "receive, read once",
      faster: "streaming-lazy",
      than: "bounce",
      from: 65_536,
      detail: "streaming-lazy beats bounce from 64 KiB on",
    }, {
      use: "receive, read once",
      faster: "streaming",
      than: "bounce",
      from: null,
      detail: "streaming beats bounce at 64 B, 4 KiB",
    }],
    environment: { "cache L1d": "64 KiB, lines of 64 bytes", "CMA, MiB": 256, "governor": null },
  };
  return JSON.parse(
    JSON.stringify(results),
    (_, value) => typeof value === "string" ? change(value) : value,
  );
}

function exampleDiagnosis(tests: readonly TestResult[]): Diagnosis {
  return {
    sentences: [
      "1 case contains wrong bits. Only policy streaming fails. This looks like an error in the driver's code.",
      "1 smaller group of failures may be consequences of these.",
    ],
    groups: [{
      sentence:
        "1 case contains wrong bits. Only policy streaming fails. This looks like an error in the driver's code.",
      status: "named",
      causes: [{
        id: "one-policy",
        cause: "an error in the driver's code for policy streaming",
        check: "Run --policy all on another board",
        remedy: "Compare the sync calls of this policy with those of others",
      }],
      evidence: ["1 case failed; 12 other cases would have shown this damage, and did not."],
      unknown: ["depth"],
      tests: tests.flatMap(({ outcome }, i) => outcome === "FAIL" ? [i] : []),
      faults: 2,
    }],
  };
}

function loops(): TestResult[] {
  return POLICIES.map((policy): TestResult => {
    const failed = policy === "streaming";
    const control = policy === "none";
    return {
      suite: "loopback",
      name: `loop policy=${policy} size=65536 depth=max`,
      policy,
      params: { size: 65_536, depth: "max" },
      outcome: failed ? "FAIL" : control ? "XFAIL" : policy === "user-pages" ? "SKIP" : "PASS",
      reason: failed ? "1 of 300 frames: stale-rx" : policy === "user-pages" ? "not offered" : null,
      seconds: 0.5,
      frames: 300,
      bytes: 300 * 65_536,
      faults: !failed ? [] : [
        {
          kind: "stale-rx",
          frame: 17,
          block: 5,
          offset: 4096 - 64,
          length: 128,
          blame: "rx",
          detail: "2 cache lines: holds frame 16, 1 frame old",
          damage: { offset: 4096 - 64, base: 64, xor: "c30f".repeat(64) },
        },
        { kind: "overrun", frame: 18, offset: -8, length: 8, blame: "core", detail: "guard" },
      ],
      measurements: [],
    };
  });
}

function costs(): TestResult[] {
  return POLICIES.map((policy, p): TestResult => {
    const measurements: Measurement[] = [];
    const add = (name: string, unit: string, value: number, at: Measurement["at"]) => {
      measurements.push({ name, unit, value, limit: null, spread: spreadOf(value), at: at ?? {} });
    };
    SIZES.forEach((size, s) => {
      for (const direction of ["tx", "rx", "loop"]) {
        for (const touched of [false, true]) {
          add("throughput", "MB/s", 101.0625 * (1 + p) + 17 * s, {
            size,
            depth: 1,
            direction,
            touched,
          });
        }
      }
      CALLS.forEach((call, c) =>
        add("sync call", "µs", 0.37 * (1 + p + c) * 16 ** s, { size, call })
      );
      add("memcpy", "µs", 0.21 * 16 ** s, { size });
      add("completion latency", "µs", 3.25 + p + 12 * s, { size });
      for (const percentile of [1, 50, 99]) {
        const value = (3.25 + p + 12 * s) * (0.9 + percentile / 200);
        measurements.push({
          name: "completion latency",
          unit: "µs",
          value,
          limit: null,
          at: { size, percentile },
        });
      }
      for (const access of ["byte read", "memcpy out"]) {
        add("cpu access", "MB/s", 2911.5 / (1 + p), { size, access, memory: "block" });
        add("cpu access", "MB/s", 3022.75 + p, { size, access, memory: "ordinary" });
      }
    });
    measurements.push({
      name: "unknown metric",
      unit: "1/s",
      value: 12,
      limit: 10,
      bound: "max",
      at: {},
    });
    return {
      suite: "costs",
      name: `costs policy=${policy}`,
      policy,
      params: { depth: 1 },
      outcome: "PASS",
      reason: null,
      seconds: 1,
      frames: 10,
      bytes: 40_960,
      faults: [],
      measurements,
    };
  });
}

function spreadOf(value: number): NonNullable<Measurement["spread"]> {
  return { samples: 31, min: value * 0.8, p5: value * 0.9, p95: value * 1.1, max: value * 1.75 };
}
