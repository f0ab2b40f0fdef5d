// SPDX-License-Identifier: MIT
// The page in a real browser, from a file of results to pixels. Where Chromium cannot be had these tests
// are skipped and say why, unless PLUMBLINE_REQUIRE names `chromium` or a virtual board.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { UnavailableError } from "../../fixtures/host/run.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { checkResults, type Measurement, type Results, type TestResult } from "../results/schema.ts";
import { roundFigure, sizeText } from "./text.ts";
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
    // the browser outlives each test
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

/** What plumbline report makes of results. */
async function report(results: unknown): Promise<string> {
  const dir = tempDir();
  Deno.writeTextFileSync(`${dir}/results.json`, JSON.stringify(results));
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", MAIN, "report", `${dir}/results.json`],
      `--html=${dir}/out.html`,
    ],
  }).output();
  const told = new TextDecoder().decode(stderr);
  assertEquals(code, (results as Judged).verdict.exit, told);
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

/** As much advice as the summary shows. */
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
  "the page shows verdict and advised policy at once, on a desk and on a phone",
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
  "the page loads without a complaint or a request, and is never wider than its window",
  async (browser) => {
    const url = `file://${await report(exampleResults())}`;
    const grounds = new Set<unknown>();
    for (const window of WINDOWS) {
      const page = await browser.load(url, window);
      const what = JSON.stringify(window);
      await page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)");
      assertEquals([page.complaints, page.requests], [[], []], what);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      assertEquals(width, window.width, what);
      grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      // charts are drawn, and all of each chart lies within the window
      const charts = await rectangles(page, ".panel svg");
      assertEquals(charts.length, 18, what);
      for (const { left, right, top, bottom } of charts) {
        assert(left >= 0 && right <= window.width && bottom - top > 100, what);
      }
      const shot = await page.screenshot();
      assert(shot.length > 10_000, `${shot.length} bytes of a picture`);
    }
    assertEquals(grounds.size, 2, "light and dark have different grounds");
  },
);

browserTest("the lines of charts have the colours of the scheme", async (browser) => {
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
    assert(isDrawn, `nothing is drawn in ${color}`);
  }
  assertNotEquals(light, dark);
});

interface Cell {
  readonly figure: string;
  readonly panel: string;
  readonly row: string;
  readonly column: string;
  readonly value: string;
  readonly shown: string;
  readonly small: string;
}

/** Every figure of a cell, by what is written beside and above it. */
const CELLS =
  `[...document.querySelectorAll("table[data-figure], table[data-percentiles]")].flatMap((table) => {
  const { figure, percentiles, panel = "" } = table.dataset;
  const text = (one) => one?.textContent.trim() ?? "";
  const columns = [...table.querySelectorAll("thead th")].map(text);
  return [...table.querySelectorAll("tbody tr")].flatMap((row) => [...row.children].flatMap((cell, i) =>
    [...cell.querySelectorAll("data")].map((data) => ({
      figure: figure ?? percentiles,
      panel,
      row: text(row.children[0]),
      column: figure === undefined ? text(row.children[1]) + " " + columns[i] : columns[i],
      value: data.getAttribute("value"),
      shown: text(data),
      small: text(data.parentElement.querySelector("small")),
    }))
  ));
})`;

const WORDS: Readonly<Record<string, string>> = {
  ...{ "direction tx": "transmit", "direction rx": "receive", "direction loop": "loop" },
  ...{ "touched true": "data touched", "touched false": "data untouched" },
  ...{ "depth 1": "one at a time", "memory ordinary": "ordinary memory", "memory block": "" },
};

/** Where the page has to show a measurement: figure, what its panel has in common, row, column. */
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

/** Holds every figure of a page against those of the JSON, place by place; returns how many there are. */
async function checkFigures(page: LoadedPage, results: Results): Promise<number> {
  const cells = await page.evaluate(CELLS) as Cell[];
  const shown = cells.map(({ figure, panel, row, column, value, shown, small }) => {
    const place = [figure, sortWords(panel.split(", ")), row, column].join(" | ");
    return `${place}: ${value} (${shown}) ${small}`;
  });
  const expected = results.tests.flatMap((test) =>
    test.measurements.map((one) => {
      const { value, spread, limit } = one;
      const small = spread !== undefined
        ? `${roundFigure(spread.p5)}–${roundFigure(spread.p95)}`
        : limit === null
        ? ""
        : "outside ≤ " + limit;
      return `${placeOf(test, one)}: ${value} (${roundFigure(value)}) ${small}`;
    })
  );
  assertEquals(shown.toSorted(), expected.toSorted());
  return expected.length;
}

const DESK: Window = { width: 1280, height: 720, scheme: "light" };

browserTest(
  "every figure of the page is that of the JSON, and every one of the JSON is there",
  async (browser) => {
    const results = exampleResults();
    const page = await browser.load(`file://${await report(results)}`, DESK);
    const count = await checkFigures(page, results);
    assert(count > 200, `${count} figures`);
  },
);

browserTest("the page of a bench shows every figure of its JSON", async (browser) => {
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
  const count = await checkFigures(page, results);
  assert(count > 500, `${count} figures`);
  assertEquals(await page.evaluate(`document.querySelector("#r0-others")?.textContent ?? ""`), "");
  assertEquals([page.complaints, page.requests], [[], []]);
});

browserTest(
  "the counts and the advice of the page are those of the JSON",
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

/** Runs when the page takes a text for markup; asks for a file and complains, too. */
const HOSTILE =
  `"'><img src=/x onerror="globalThis.hacked=1"><script>globalThis.hacked=2</script>` +
  `<svg onload="globalThis.hacked=3"><style>body{display:none}</style></style></title>\u202e\x1b[2J\x00`;

/** Texts of results that must be what they are. */
const FIXED =
  /^(?:\d{4}-\d\d-\d\dT.*|[A-Z]+|proved|tx|rx|core|min|max|stale-rx|overrun|(?:c30f)+)$/;

/** Results with a hostile text in every place where a text can be, names of keys included. */
function hostileResults(): Judged {
  const results = exampleResults((text) => FIXED.test(text) ? text : text + HOSTILE);
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

browserTest("markup in names does not run, and is shown as it is", async (browser) => {
  const file = await report(hostileResults());
  const html = Deno.readTextFileSync(file);
  // also where the browser is not told to run nothing
  const bare = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "");
  assertNotEquals(bare, html);
  Deno.writeTextFileSync(`${file}.bare.html`, bare);
  for (const path of [file, `${file}.bare.html`]) {
    for (const window of WINDOWS) {
      const page = await browser.load(`file://${path}`, window);
      assertEquals(await page.evaluate(HACKED), [0, 0, "block"], path);
      assertEquals([page.complaints, page.requests], [[], []], path);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      assertEquals(width, window.width, path);
      const names = await page.evaluate(`document.querySelector("#r0-failures h3").textContent`);
      assert(String(names).includes("<script>globalThis.hacked=2</script>"), String(names));
      assert(String(names).includes("⟨U+202E⟩␛[2J␀"), String(names));
    }
  }
});

browserTest("a page that takes texts for markup would be found out", async (browser) => {
  const file = `${tempDir()}/bad.html`;
  Deno.writeTextFileSync(file, `<!DOCTYPE html><meta charset="utf-8"><b title="${HOSTILE}">x</b>`);
  const page = await browser.load(`file://${file}`, { width: 1280, height: 720, scheme: "light" });
  const [hacked, elements, display] = await page.evaluate(HACKED) as [number, number, string];
  assert(hacked > 0 && elements >= 2 && display === "none", `${[hacked, elements, display]}`);
  assert(page.requests.length > 0);
  assert(page.complaints.length > 0);
});
