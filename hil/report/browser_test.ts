// SPDX-License-Identifier: MIT
// The page in a real browser. If Chromium is not available, these tests are skipped with the reason,
// unless PLUMBLINE_REQUIRE names `chromium` or a virtual board. This file is over 400 lines, because its tests
// share one browser.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { UnavailableError } from "../../fixtures/host/run.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { checkResults } from "../results/check.ts";
import type { Measurement, Results, TestResult } from "../results/schema.ts";
import { sizeText, valueText } from "./text.ts";
import { encodePng } from "../patterns/show_picture.ts";
import { Browser, type LoadedPage, type Window } from "./testing/browser.ts";
import { exampleResults, type Judged } from "./testing/example.ts";

const required = (Deno.env.get("PLUMBLINE_REQUIRE") ?? "").split(",").some((name) =>
  name === "chromium" || name.startsWith("vm:")
);
const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;

let browser: Browser | null = null;
let reason = "";
try {
  browser = await Browser.start();
} catch (error) {
  if (!(error instanceof UnavailableError)) throw error;
  reason = error.message;
}

function browserTest(name: string, fn: (browser: Browser) => Promise<void>): void {
  const skip = browser === null && !required;
  Deno.test({
    name: skip ? `${name} (skipped: ${reason})` : name,
    ignore: skip,
    fn: async () => {
      if (browser === null) throw new Error(`chromium is required, but: ${reason}`);
      await fn(browser);
    },
    // the tests share the browser
    sanitizeResources: false,
    sanitizeOps: false,
  });
}

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

const WINDOWS: readonly Window[] = (["light", "dark"] as const).flatMap((scheme) => [
  { width: 1280, height: 720, scheme },
  { width: 390, height: 844, scheme },
]);

/** Makes a page of results with plumbline report; returns its path. */
async function report(results: unknown, dir = tempDir()): Promise<string> {
  Deno.writeTextFileSync(`${dir}/results.json`, JSON.stringify(results));
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", MAIN, "report", `${dir}/results.json`],
      `--html=${dir}/out.html`,
    ],
  }).output();
  const errors = new TextDecoder().decode(stderr);
  assertEquals(code, (results as Judged).verdict.exit, errors);
  return `${dir}/out.html`;
}

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

async function rectangles(page: LoadedPage, selector: string): Promise<Rectangle[]> {
  return await page.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => {
    const { left, top, right, bottom } = one.getBoundingClientRect();
    return { left, top, right, bottom };
  })`,
  ) as Rectangle[];
}

/** Adds as many recommendations as the summary shows. */
function muchAdvice(results: Judged, count: number): Judged {
  const [one] = results.advice ?? [];
  if (one === undefined) throw new Error("The example has no advice");
  const uses = ["transmit, written once", "receive, read once", "receive, read often", "copied on"]
    .slice(0, count);
  const policies = [
    ...["user-pages-registered", "streaming-lazy", "write-combine", "user-pages", "noncoherent"],
    ...["streaming", "bounce"],
  ];
  const advice = uses.flatMap((use) =>
    policies.map((policy, i) => ({ ...one, use, policy, size: 4096 * 16 ** i }))
  );
  return { ...results, advice };
}

browserTest(
  "the page shows verdict and recommended policies without scrolling, on a desktop and a phone",
  async (browser) => {
    const example = exampleResults();
    for (const results of [example, muchAdvice(example, 3), muchAdvice(example, 4)]) {
      const url = `file://${await report(results)}`;
      for (const window of WINDOWS) {
        const page = await browser.load(url, window);
        const what = JSON.stringify(window);
        for (const selector of [".simulated", ".verdict", ".advised", ".advised dd"]) {
          const found = await rectangles(page, selector);
          assert(found.length > 0, `${selector} in ${what}`);
          for (const { left, top, right, bottom } of found) {
            const seen = left >= 0 && top >= 0 && right <= window.width && bottom <= window.height;
            assert(seen && bottom > top, `${selector} in ${what}: ${JSON.stringify(found)}`);
          }
        }
      }
    }
  },
);

browserTest(
  "the page loads without an error or a request, and is never wider than its window",
  async (browser) => {
    const url = `file://${await report(exampleResults())}`;
    const grounds = new Set<unknown>();
    for (const window of WINDOWS) {
      const page = await browser.load(url, window);
      const what = JSON.stringify(window);
      await page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)");
      assertEquals([page.errors, page.requests], [[], []], what);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      assertEquals(width, window.width, what);
      grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      // each chart is drawn within the window
      const charts = await rectangles(page, ".panel svg");
      assertEquals(charts.length, 18, what);
      for (const { left, right, top, bottom } of charts) {
        assert(left >= 0 && right <= window.width && bottom - top > 100, what);
      }
      const shot = await page.screenshot();
      assert(shot.length > 10_000, `${shot.length} bytes of a picture`);
    }
    assertEquals(grounds.size, 2, "light and dark have different backgrounds");
  },
);

browserTest("charts use the colours of the scheme", async (browser) => {
  const url = `file://${await report(exampleResults())}`;
  const seen = [];
  for (const scheme of ["light", "dark"] as const) {
    const page = await browser.load(url, { width: 1280, height: 720, scheme });
    seen.push(
      await page.evaluate(`(() => {
      const root = getComputedStyle(document.documentElement);
      const probe = document.body.appendChild(document.createElement("i"));
      const colors = [1, 3, 4].map((n) => {
        probe.style.color = root.getPropertyValue("--series-" + n);
        return getComputedStyle(probe).color;
      });
      const drawn = new Set([...document.querySelectorAll("#r0-throughput .panel svg path")]
        .map((path) => getComputedStyle(path).stroke));
      return colors.map((color) => [color, drawn.has(color)]);
    })()`) as [string, boolean][],
    );
  }
  const [light = [], dark = []] = seen;
  for (const [color, isDrawn] of [...light, ...dark]) {
    assert(isDrawn, `no chart uses ${color}`);
  }
  assertNotEquals(light, dark);
});

interface Cell {
  readonly metric: string;
  readonly panel: string;
  readonly row: string;
  readonly column: string;
  readonly value: string;
  readonly shown: string;
  readonly small: string;
}

/** Every value of a table, with the headers of its row and column. */
const CELLS =
  `[...document.querySelectorAll("table[data-metric], table[data-percentiles]")].flatMap((table) => {
  const { metric, percentiles, panel = "" } = table.dataset;
  const text = (one) => one?.textContent.trim() ?? "";
  const columns = [...table.querySelectorAll("thead th")].map(text);
  return [...table.querySelectorAll("tbody tr")].flatMap((row) => [...row.children].flatMap((cell, i) =>
    [...cell.querySelectorAll("data")].map((data) => ({
      metric: metric ?? percentiles,
      panel,
      row: text(row.children[0]),
      column: metric === undefined ? text(row.children[1]) + " " + columns[i] : columns[i],
      value: data.getAttribute("value"),
      shown: text(data),
      small: text(data.parentElement.querySelector("small")),
    }))
  ));
})`;

const WORDS: Readonly<Record<string, string>> = {
  ...{ "direction tx": "transmit", "direction rx": "receive", "direction loop": "loop" },
  ...{ "touched true": "data accessed", "touched false": "data not accessed" },
  ...{ "depth 1": "one at a time", "memory ordinary": "ordinary memory", "memory block": "" },
};

/** The expected place of a measurement on the page: metric, conditions of the panel, row and column. */
function placeOf(test: TestResult, { name, at }: Measurement): string {
  const { suite, params = {} } = test;
  const { size, percentile, call, access, ...rest } = at ??
    { ...pickPresent(params, ["size", "depth"]), suite };
  const policy = test.policy ?? "all";
  const panel = Object.entries({
    ...rest,
    ...(call === undefined ? {} : { [policy]: "" }),
    ...(access === undefined ? {} : { [String(access)]: "" }),
  }).map(([key, value]) => WORDS[`${key} ${value}`] ?? `${key} ${value}`.trim());
  return [
    at === undefined ? `${name} of short loops` : name,
    percentile === undefined ? sortWords(panel) : "",
    size === undefined ? "any size" : sizeText(Number(size)),
    percentile === undefined ? call ?? policy : `${policy} ${percentile} %`,
  ].join(" | ");
}

function pickPresent(
  from: NonNullable<TestResult["params"]>,
  keys: readonly string[],
): NonNullable<Measurement["at"]> {
  return Object.fromEntries(
    keys.flatMap((key) => from[key] === undefined || from[key] === null ? [] : [[key, from[key]]]),
  );
}

function sortWords(words: readonly string[]): string {
  return words.filter((word) => word !== "").sort().join(", ");
}

/** Compares every value of a page with the JSON, place by place; returns the number of values. */
async function checkValues(page: LoadedPage, results: Results): Promise<number> {
  const cells = await page.evaluate(CELLS) as Cell[];
  const shown = cells.map(({ metric, panel, row, column, value, shown, small }) => {
    const place = [metric, sortWords(panel.split(", ")), row, column].join(" | ");
    return `${place}: ${value} (${shown}) ${small}`;
  });
  const expected = results.tests.flatMap((test) =>
    test.measurements.map((one) => {
      const { value, spread, limit } = one;
      const small = spread !== undefined
        ? `${valueText(spread.p5)}–${valueText(spread.p95)}`
        : limit === null
        ? ""
        : "outside ≤ " + limit;
      return `${placeOf(test, one)}: ${value} (${valueText(value)}) ${small}`;
    })
  );
  assertEquals(shown.toSorted(), expected.toSorted());
  return expected.length;
}

const DESK: Window = { width: 1280, height: 720, scheme: "light" };

browserTest(
  "the page shows every measurement of the JSON, and no other",
  async (browser) => {
    const results = exampleResults();
    const page = await browser.load(`file://${await report(results)}`, DESK);
    const count = await checkValues(page, results);
    assert(count > 200, `${count} values`);
  },
);

browserTest("the page of a benchmark shows every measurement of its JSON", async (browser) => {
  const dir = tempDir();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", MAIN, "bench", "--board=sim", "--size=4096,65536"],
      ...["--policy=coherent,streaming,none", `--results=${dir}/run`, "--quiet"],
      ...[`--json=${dir}/results.json`, `--html=${dir}/out.html`],
    ],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const results = checkResults(JSON.parse(Deno.readTextFileSync(`${dir}/results.json`)));
  const page = await browser.load(`file://${dir}/out.html`, DESK);
  const count = await checkValues(page, results);
  assert(count > 500, `${count} values`);
  assertEquals(await page.evaluate(`document.querySelector("#r0-others")?.textContent ?? ""`), "");
  assertEquals([page.errors, page.requests], [[], []]);
});

browserTest(
  "the page shows the counts and the recommendations of the JSON",
  async (browser) => {
    const results = exampleResults();
    const page = await browser.load(`file://${await report(results)}`, {
      width: 390,
      height: 844,
      scheme: "dark",
    });
    const text = (selector: string) =>
      page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})]
      .map((one) => one.textContent.replace(/\\s+/g, " ").trim())`) as Promise<string[]>;
    const values = (selector: string) =>
      page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})]
      .map((one) => Number(one.value))`) as Promise<number[]>;
    assertEquals(
      await text(".counts .badge"),
      Object.entries(results.summary).filter(([, n]) => n > 0).map(([word, n]) =>
        `${word.toUpperCase()} ${n}`
      ),
    );
    assertEquals(await text(".verdict strong"), [results.verdict.word]);
    const advice = (results.advice ?? []).flatMap(({ size, value, ratio }) =>
      [size, value, ratio].filter((one) => one !== null)
    );
    assertEquals(await values("#r0-advice table data"), advice);
    assertEquals(
      await text("#r0-advice li"),
      (results.crossovers ?? []).map(({ detail }) => detail),
    );
  },
);

browserTest(
  "the page shows verdict and diagnosis without scrolling, on a desktop and a phone",
  async (browser) => {
    const url = `file://${await report(exampleResults(undefined, true))}`;
    for (const window of WINDOWS) {
      const page = await browser.load(url, window);
      const found = [".verdict", ".diagnosis", ".diagnosis li"].map((one) => rectangles(page, one));
      for (const [i, list] of (await Promise.all(found)).entries()) {
        const what = `${i} in ${JSON.stringify(window)}: ${JSON.stringify(list)}`;
        assert(list.length > 0, what);
        for (const { left, top, right, bottom } of list) {
          const seen = left >= 0 && top >= 0 && right <= window.width && bottom <= window.height;
          assert(seen && bottom > top, what);
        }
      }
    }
  },
);

browserTest(
  "the page shows the pictures that a case attached, and nothing else",
  async (browser) => {
    const results = exampleResults();
    const dir = tempDir();
    const folder = "attachments/camera_picture";
    Deno.mkdirSync(`${dir}/${folder}`, { recursive: true });
    const rgb = Uint8Array.from({ length: 48 * 32 * 3 }, (_, i) => i);
    const names = ["received", "expected", "difference"].map((one) => `frame 3 ${one}`);
    for (const name of names) {
      Deno.writeFileSync(`${dir}/${folder}/${name}.png`, encodePng(rgb, 48, 32));
    }
    Deno.writeFileSync(`${dir}/outside.png`, encodePng(rgb, 48, 32));
    Deno.writeTextFileSync(`${dir}/${folder}/no.png`, "<svg/>");
    const files = [
      ...names.map((name) => `${folder}/${name}.png`),
      ...[`${folder}/no.png`, "attachments/../outside.png", "outside.png", `${folder}/missing.png`],
    ];
    const attachments = files.map((file) => ({ name: file.replace(/^.*\//, ""), file, bytes: 1 }));
    const failed = results.tests.findIndex(({ outcome, faults }) =>
      outcome === "FAIL" && faults.length > 0
    );
    const tests = results.tests.map((test, i) => i === failed ? { ...test, attachments } : test);
    const url = `file://${await report({ ...results, tests }, dir)}`;
    for (const window of WINDOWS) {
      const what = JSON.stringify(window);
      const page = await browser.load(url, window);
      await page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)");
      assertEquals([page.errors, page.requests], [[], []], what);
      const shown = await page.evaluate(`[...document.querySelectorAll("img")].map((one) =>
      [one.alt, one.naturalWidth, one.naturalHeight, one.complete])`);
      assertEquals(shown, names.map((name) => [name, 48, 32, true]), what);
      for (const { left, right, top, bottom } of await rectangles(page, ".pictures img")) {
        assert(left >= 0 && right <= window.width && right - left > 200 && bottom > top, what);
      }
      const width = await page.evaluate("document.documentElement.scrollWidth");
      assertEquals(width, window.width, what);
    }
  },
);

/** A text that runs a script, requests a file and logs an error if a page treats it as markup. */
const HOSTILE =
  `"'><img src=/x onerror="globalThis.hacked=1"><script>globalThis.hacked=2</script>` +
  `<svg onload="globalThis.hacked=3"><style>body{display:none}</style></style></title>\u202e\x1b[2J\x00`;

/** Texts of results that must not change. */
const FIXED =
  /^(?:\d{4}-\d\d-\d\dT.*|[A-Z]+|proved|tx|rx|core|min|max|named|stale-rx|overrun|(?:c30f)+)$/;

/** Results with a hostile text in every place that can hold a text, also in keys. */
function hostileResults(): Judged {
  const results = exampleResults((text) => FIXED.test(text) ? text : text + HOSTILE, true);
  const tests = results.tests.map((test) => ({
    ...test,
    params: { ...test.params, [HOSTILE]: HOSTILE },
    injected: [HOSTILE],
    measurements: test.measurements.map((one) => ({
      ...one,
      at: { ...one.at, [HOSTILE]: HOSTILE },
    })),
  }));
  return { ...results, tests, environment: { [HOSTILE]: HOSTILE, __proto__: null } };
}

const HACKED =
  `[globalThis.hacked ?? 0, document.querySelectorAll("img, script, iframe, [onload]").length,
  getComputedStyle(document.body).display]`;

browserTest("the page shows markup in names as text", async (browser) => {
  const file = await report(hostileResults());
  const html = Deno.readTextFileSync(file);
  // also without the Content-Security-Policy
  const bare = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "");
  assertNotEquals(bare, html);
  Deno.writeTextFileSync(`${file}.bare.html`, bare);
  for (const path of [file, `${file}.bare.html`]) {
    for (const window of WINDOWS) {
      const page = await browser.load(`file://${path}`, window);
      assertEquals(await page.evaluate(HACKED), [0, 0, "block"], path);
      assertEquals([page.errors, page.requests], [[], []], path);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      assertEquals(width, window.width, path);
      const names = await page.evaluate(`document.querySelector("#r0-failures h3").textContent`);
      assert(String(names).includes("<script>globalThis.hacked=2</script>"), String(names));
      assert(String(names).includes("⟨U+202E⟩␛[2J␀"), String(names));
    }
  }
});

browserTest("the test for hostile texts fails for a page without escaping", async (browser) => {
  const file = `${tempDir()}/bad.html`;
  Deno.writeTextFileSync(file, `<!DOCTYPE html><meta charset="utf-8"><b title="${HOSTILE}">x</b>`);
  const page = await browser.load(`file://${file}`, { width: 1280, height: 720, scheme: "light" });
  const [hacked, elements, display] = await page.evaluate(HACKED) as [number, number, string];
  assert(hacked > 0 && elements >= 2 && display === "none", `${[hacked, elements, display]}`);
  assert(page.requests.length > 0);
  assert(page.errors.length > 0);
});
