// SPDX-License-Identifier: MIT
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import type { HtmlInput, HtmlRun } from "../render/html.ts";
import { compareResults } from "../results/compare.ts";
import type { TestResult } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";
import { makePage } from "./page.ts";
import { exampleResults, type Judged } from "./testing/example.ts";

function input(...runs: HtmlRun[]): HtmlInput {
  return {
    runs: runs.map((run) => ({
      ...run,
      omitted: 0,
      results: {
        ...run.results,
        tests: run.results.tests.map((test) => ({ ...test, faultCount: test.faults.length })),
      },
    })),
  };
}

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error("There is none");
  return item;
}

async function page(results: Judged, more: Partial<HtmlRun> = {}): Promise<string> {
  return await makePage(input({ name: "a run", results, ...more }));
}

Deno.test("makePage() makes one file without scripts and addresses", async () => {
  const html = await page(exampleResults());
  assertNotMatch(html, /<(?:script|link|iframe|object|embed|img|image|use|base)\b/i);
  assertNotMatch(html, /\bon[a-z]+=|javascript:|url\(|@import|https?:\/\//i);
  const addresses = [...html.matchAll(/\b(?:href|src|action|srcset|xlink:href)="([^"]*)"/g)];
  assert(addresses.length > 5);
  for (const [, address = ""] of addresses) {
    assertMatch(address, /^#r0/);
    assertStringIncludes(html, `id="${address.slice(1)}"`);
  }
  assertStringIncludes(html, "Content-Security-Policy");
  const ids = [...html.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("makePage() has a section for each question that the results answer", async () => {
  const titles = (html: string) =>
    [...html.matchAll(/<section id="r0-([a-z]+)"/g)].map((m) => m[1]);
  assertEquals(titles(await page(exampleResults())), [
    ...["matrix", "failures", "advice", "throughput", "sync", "latency", "access", "others"],
    ...["skips", "facts"],
  ]);
  const { advice: _a, crossovers: _c, ...rest } = exampleResults();
  assertEquals(titles(await page({ ...rest, tests: [] })), ["facts"]);
});

Deno.test("makePage() begins with what is wrong, before any picture and any recommendation", async () => {
  const { advice: _a, crossovers: _c, ...results } = exampleResults();
  const flip: Fault = {
    ...{ kind: "bit-flip", blame: "core", frame: 17, offset: 7, length: 1, detail: "bit 7" },
    damage: { offset: 7, xor: "80", base: 64, expected: "76" },
  };
  const test: TestResult = {
    ...{ suite: "loopback", name: "loop", policy: "streaming", reason: null },
    outcome: "FAIL",
    ...{ seconds: 1, frames: 9, bytes: 9, faults: [flip], measurements: [], place: "a_test.ts:7" },
  };
  const html = await page({ ...results, tests: [test] });
  const [top = ""] = html.slice(html.indexOf("<header")).split("</header>");
  assertStringIncludes(top, "bit-flip by the core, bit 7 of a byte");
  assertStringIncludes(top, "Not a cache or sync problem");
  assertStringIncludes(top, "expected 76, received f6, in loop (a_test.ts:7)");
  assertNotMatch(html, /Recommended policy/);
  assert(html.indexOf('id="r0-matrix"') < html.indexOf('class="damage"'));
});

Deno.test("makePage() shows of the kernel's command line only what matters for DMA", async () => {
  const results = exampleResults();
  const line = "root=/dev/sda2 cma=256M ip=10.0.0.7 iommu.passthrough=1 user_password=hunter2";
  const html = await page({ ...results, environment: { "kernel command line": line } });
  assertStringIncludes(html, "cma=256M iommu.passthrough=1 (3 more words)");
  assertNotMatch(html, /hunter2|10\.0\.0\.7|sda2/);
});

Deno.test("makePage() says that a memory loop tests no design, and only then", async () => {
  const results = exampleResults();
  const loop = { ...results, board: { ...results.board, memoryLoop: true } };
  assertMatch(await page(loop), /MEMORY LOOP[^]*but no design/);
  assertNotMatch(await page(results), /MEMORY LOOP/);
});

Deno.test("makePage() shows SIMULATED only for a virtual board", async () => {
  const results = exampleResults();
  assertMatch(await page(results), /<p class="simulated">\s*<strong>SIMULATED/);
  const bus = await page({ ...results, board: { ...results.board, bus: "adversarial" } });
  assertMatch(bus, /<dt>bus<\/dt>\s*<dd>adversarial<\/dd>/);
  const real = { ...results, board: { ...results.board, kind: "local", simulated: false } };
  assertNotMatch(await page(real), /SIMULATED/);
});

Deno.test("makePage() says what is missing in an incomplete run", async () => {
  const results = exampleResults();
  assertNotMatch(await page(results), /Partial:/);
  const cut = "No space left on device: 2 cases never ran";
  const html = await page({ ...results, run: { ...results.run, cut } });
  assertMatch(html, /Partial:<\/strong> No space left on device: 2 cases never ran\.</);
});

Deno.test("makePage() shows each fault with its picture", async () => {
  const html = await page(exampleResults());
  const articles = html.split('<article class="case">').slice(1);
  assertEquals(articles.length, 1);
  const [article = ""] = articles;
  assertEquals(article.split('<figure class="damage">').length - 1, 2);
  for (
    const words of [
      "stale-rx",
      "caused by receive",
      "2 cache lines: holds frame 16",
      "Frame 17 in block 5",
      "overrun",
    ]
  ) {
    assertStringIncludes(article, words);
  }
});

Deno.test("makePage() marks regressions, lost measurements and new failures", async () => {
  const base = exampleResults();
  const now = structuredClone(base) as Judged & { tests: TestResult[] };
  const slow = first(now.tests.filter(({ suite }) => suite === "costs"));
  const measurement = first(slow.measurements);
  Object.assign(measurement, {
    value: measurement.value / 2,
    spread: { samples: 31, min: 1, p5: 2, p95: measurement.value / 1.9, max: measurement.value },
  });
  const [last] = slow.measurements.slice(-1);
  Object.assign(slow, { measurements: [measurement, ...slow.measurements.slice(2)] });
  Object.assign(last ?? {}, { value: 13 });
  Object.assign(first(now.tests), { outcome: "FAIL", reason: "broken now" });
  now.tests.push({ ...first(now.tests), name: "another" });
  const comparison = { ...compareResults(base, now), base: "base.json" };
  const html = await page(now, { comparison });
  assertStringIncludes(html, "Since the earlier run: 2 regressions, 1 lost");
  for (const [change, count] of [["worse", 2], ["lost", 1], ["new", 1], ["unjudged", 1]] as const) {
    assertEquals(html.split(`<tr class="${change}">`).length - 1, count, change);
  }
  assertStringIncludes(html, "broken now");
  assertStringIncludes(html, "throughput");
  const same = await page(base, { comparison: { ...compareResults(base, base), base: "b" } });
  assertStringIncludes(same, "no regression");
});

Deno.test("makePage() shows several runs with the worst verdict at the top", async () => {
  const failed = exampleResults();
  const passed: Judged = { ...failed, verdict: { exit: 0, word: "PASS", reason: "fine" } };
  const html = await makePage(
    input({ name: "first", results: passed }, { name: "second", results: failed }),
  );
  assertMatch(html, /class="overview">.*?<strong>FAIL<\/strong>\s*1 PASS, 1 FAIL/s);
  assertEquals(html.split('<article class="run"').length - 1, 2);
  assertEquals(html.split("<main").length - 1, 1);
  assertStringIncludes(html, '<a href="#r1">second</a>');
});

Deno.test("makePage() shows every measurement of cases with the same conditions", async () => {
  const results = exampleResults();
  const one = first(results.tests.filter(({ suite }) => suite === "costs"));
  const again = one.measurements.map((measurement) => ({
    ...measurement,
    value: measurement.value + 0.03125,
  }));
  const tests = [...results.tests, { ...one, name: "again", measurements: again }];
  const html = await page({ ...results, tests });
  const missing = again.filter(({ value }) => !html.includes(`<data value="${value}">`));
  assertEquals(missing, []);
});

Deno.test("makePage() explains the latencies, and names the metric of every chart", async () => {
  const html = await page(exampleResults());
  assertStringIncludes(
    html,
    "Completion latency is the time from ENQUEUE until the program wakes up",
  );
  const labels = [...html.matchAll(/<svg role="img" aria-label="([^"]*)"/g)].map(([, one]) => one);
  assert(labels.length > 15);
  for (const label of labels) {
    assertMatch(label ?? "", /^(?:Throughput|Sync call|Completion latency|CPU access|Bits)/);
  }
});

Deno.test("makePage() marks a measurement outside its limit", async () => {
  assertMatch(await page(exampleResults()), /<small class="out">outside\s*≤\s*10<\/small>/);
});

Deno.test("makePage() shows the diagnosis at the top, and folds the cases of a group", async () => {
  const results = exampleResults(undefined, true);
  const failed = first(results.tests.filter(({ outcome }) => outcome === "FAIL"));
  const [group] = results.diagnosis?.groups ?? [];
  assert(group !== undefined);
  // a case of which nobody knows what did it is not the one that is shown
  const faults = failed.faults.map((fault) => ({ ...fault, blame: null }));
  const tests = [
    ...results.tests,
    { ...failed, name: "another", faults },
    { ...failed, name: "alone" },
  ];
  const groups = [{ ...group, tests: [results.tests.length, ...group.tests] }];
  const html = await page({ ...results, tests, diagnosis: { sentences: ["One. Cause."], groups } });
  const [top = "", ...sections] = html.split("<section");
  assertMatch(top, /<ul class="diagnosis"><li>One\. Cause\.<\/li><\/ul>/);
  const failures = sections.find((section) => section.includes("-failures")) ?? "";
  assertMatch(failures, /<summary>Evidence<\/summary><ul><li>1 case failed; 12 other/);
  assertMatch(failures, /<b>one-policy<\/b>: an error .*?<div>To check: .*?<div>To mend: /s);
  const [, folded = ""] = /1 more case like this one<\/summary>(.*?)<\/details>/s.exec(failures) ??
    [];
  assertStringIncludes(folded, "loopback: another");
  assert(!folded.includes("loopback: alone"));
  assertStringIncludes(failures.replace(folded, ""), "loopback: alone");
});

Deno.test("makePage() shows what a soak proves, and nothing about soaks after another run", async () => {
  const { soak: _none, ...results } = exampleResults();
  assertNotMatch(await page(results), /<h3>Soak<\/h3>/);
  const soak = {
    ...{ seconds: 7200, rounds: 48, frames: 1000, bytes: 1e6, faults: 0, failures: 0 },
    ...{ errorRateAtMost: 3.745e-7, ruleOfThree: 3.75e-7, first: null, policies: [] },
    sensors: [{ name: "xadc in_temp0", unit: "°C", samples: 48, min: 41.5, max: 63 }],
  };
  const html = await page({ ...results, soak });
  for (
    const text of [
      "<h3>Soak</h3>",
      "1000 frames, 1.00 MB, 0 faults (2 h in 48 rounds)",
      "at most 3.75e-7 errors per bit at 95 % confidence",
      "41.5 to 63 °C (48 readings)",
    ]
  ) assertStringIncludes(html, text);
});
