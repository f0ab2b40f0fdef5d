// SPDX-License-Identifier: MIT
// The site is built, its links are checked, and its pictures are looked at in Chromium. Without the npm
// packages of site/package-lock.json, or without Chromium, tests are skipped with the reason, unless
// PLUMBLINE_REQUIRE names `npm` or `chromium`.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { UnavailableError } from "../fixtures/host/run.ts";
import { Browser } from "../hil/report/testing/browser.ts";

const SITE = fileURLToPath(new URL("./", import.meta.url));
const ROOT = join(SITE, "..");
const OUT = join(SITE, "_site");
const PICTURES = join(ROOT, "docs/pictures");
const LARGEST = 15_000;
/** For a machine under load. The build itself takes seconds. */
const LIMIT_MS = 300_000;

const required = (Deno.env.get("PLUMBLINE_REQUIRE") ?? "").split(",");

/** Runs npm in this folder. */
async function npm(...args: string[]): Promise<{ ok: boolean; text: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("npm", {
      args: ["--prefix", SITE, ...args],
      cwd: ROOT,
      signal: AbortSignal.timeout(LIMIT_MS),
      env: { PLUMBLINE_SOURCE: "" },
    }).output();
    const decoder = new TextDecoder();
    return {
      ok: success,
      text: decoder.decode(stdout) + decoder.decode(stderr),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { ok: false, text: "npm is not installed" };
    }
    throw error;
  }
}

/** Why the packages are not available, or null. A lock that npm cannot satisfy is an error. */
async function install(): Promise<string | null> {
  const { version } = JSON.parse(
    await Deno.readTextFile(
      join(SITE, "node_modules/@11ty/eleventy/package.json"),
    )
      .catch(() => "{}"),
  );
  const wanted = JSON.parse(
    await Deno.readTextFile(join(SITE, "package.json")),
  );
  if (version === wanted.devDependencies["@11ty/eleventy"]) return null;
  const { ok, text } = await npm("ci", "--no-audit", "--no-fund");
  if (ok) return null;
  const away = /not installed|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONN\w+|network/
    .exec(text)?.[0];
  if (away === undefined || required.includes("npm")) {
    throw new Error(`npm ci failed: ${text}`);
  }
  return `the npm registry cannot be reached (${away})`;
}

const missing = await install();

/** Registers a test that needs the packages. */
function siteTest(name: string, fn: () => Promise<void>): void {
  const skip = missing !== null;
  Deno.test({
    name: skip ? `${name} (skipped: ${missing})` : name,
    ignore: skip,
    fn,
  });
}

/** Every file below a folder, relative to it. */
function* filesIn(folder: string, below = ""): Generator<string> {
  for (const entry of Deno.readDirSync(join(folder, below))) {
    const path = join(below, entry.name);
    if (entry.isDirectory) yield* filesIn(folder, path);
    else yield path;
  }
}

/** The links of a page that lead to nothing. */
function broken(
  page: string,
  files: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const text = Deno.readTextFileSync(join(OUT, page));
  const targets = [
    ...text.matchAll(/<(?:a|img|link|script)\b[^>]*?\s(?:href|src)="([^"]*)"/g),
  ];
  assert(targets.length > 5, `${page} has ${targets.length} links`);
  return targets.map(([, target = ""]) => target.replaceAll("&amp;", "&"))
    .filter((target) => !/^[a-z]+:/i.test(target))
    .filter((target) => {
      const [path = "", id] = decodeURI(target).split("#");
      const file = path === "" ? page : normalize(join(dirname(page), path));
      const ids = files.get(file);
      return ids === undefined || (id !== undefined && !ids.has(id));
    })
    .map((target) => `${page}: ${target}`);
}

siteTest(
  "the site has a page for each Markdown file, and no link in it is broken",
  async () => {
    await Deno.remove(OUT, { recursive: true }).catch(() => {});
    const { ok, text } = await npm("run", "build");
    assert(ok, text);
    const files = new Map([...filesIn(OUT)].map((file) => {
      const html = file.endsWith(".html") ? Deno.readTextFileSync(join(OUT, file)) : "";
      return [
        file,
        new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id = ""]) => id)),
      ];
    }));
    const listed = await new Deno.Command("git", {
      args: ["-C", ROOT, "ls-files", "*.md"],
    }).output();
    const sources = new TextDecoder().decode(listed.stdout).trim().split("\n");
    const pages = [...files.keys()].filter((file) => file.endsWith(".html"))
      .sort();
    assertEquals(
      pages,
      sources.map((file) =>
        file.replace(/(^|\/)README\.md$/, "$1index.html").replace(
          /\.md$/,
          ".html",
        )
      ).sort(),
    );
    assertEquals(pages.flatMap((page) => broken(page, files)), []);
    const contents = Deno.readTextFileSync(join(OUT, "docs/policies.html"));
    assertMatch(
      contents,
      /<a href="\.\.\/docs\/policies\.html" aria-current="page">Sync policies/,
    );
  },
);

Deno.test("each picture is small, has a title, a description and dark colours, and is in a page", async () => {
  const pictures = [...Deno.readDirSync(PICTURES)].map(({ name }) => name)
    .sort();
  assertEquals(pictures.length >= 3, true);
  const pages = await Promise.all(
    ["docs/policies.md", "driver/README.md"].map((page) => Deno.readTextFile(join(ROOT, page))),
  );
  for (const name of pictures) {
    const text = await Deno.readTextFile(join(PICTURES, name));
    assert(text.length < LARGEST, `${name} has ${text.length} bytes`);
    assertMatch(text, /role="img"\s+aria-labelledby="title desc"/);
    assertMatch(
      text,
      /<title id="title">[^<]{20,}<\/title>\s*<desc\s+id="desc">[^<]{100,}<\/desc>/s,
    );
    assertMatch(text, /@media \(prefers-color-scheme:\s*dark\)/);
    assert(
      pages.some((page) => page.includes(`pictures/${name})`)),
      `${name} is in no page`,
    );
  }
});

let browser: Browser | null = null;
let why = missing ?? "";
if (missing === null) {
  try {
    browser = await Browser.start();
  } catch (error) {
    if (!(error instanceof UnavailableError) || required.includes("chromium")) {
      throw error;
    }
    why = error.message;
  }
}

/** Registers a test that needs the site and Chromium. */
function browserTest(
  name: string,
  fn: (browser: Browser) => Promise<void>,
): void {
  Deno.test({
    name: browser === null ? `${name} (skipped: ${why})` : name,
    ignore: browser === null,
    // the tests share the browser
    sanitizeResources: false,
    sanitizeOps: false,
    fn: async () => {
      if (browser !== null) await fn(browser);
    },
  });
}

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

browserTest(
  "pages of the site fit into windows of 1280 and 390 pixels",
  async (browser) => {
    const pages = [["index.html", 0], ["docs/policies.html", 2], [
      "driver/index.html",
      1,
    ]] as const;
    for (const [page, pictures] of pages) {
      for (const [width, height] of [[1280, 800], [390, 844]] as const) {
        for (const scheme of ["light", "dark"] as const) {
          const loaded = await browser.load(`file://${OUT}/${page}`, {
            width,
            height,
            scheme,
          });
          assertEquals(loaded.errors, [], page);
          const seen = await loaded.evaluate(`({
          wide: document.documentElement.scrollWidth,
          title: document.querySelector("main h1").getBoundingClientRect().top,
          images: [...document.images].filter(({ naturalWidth }) => naturalWidth > 0).length,
        })`) as { wide: number; title: number; images: number };
          assert(
            seen.wide <= width,
            `${page} is ${seen.wide} pixels wide at ${width}`,
          );
          // the page itself, and not the list of all pages, is on the first screen of a phone
          assert(
            seen.title < height / 4,
            `${page} begins at ${seen.title} of ${height}`,
          );
          assertEquals(seen.images, pictures, page);
        }
      }
    }
  },
);

browserTest(
  "the texts of each picture are inside it, and change with the scheme",
  async (browser) => {
    for (const { name } of Deno.readDirSync(PICTURES)) {
      const colours: string[] = [];
      for (const scheme of ["light", "dark"] as const) {
        const window = { width: 1280, height: 800, scheme };
        const loaded = await browser.load(`file://${PICTURES}/${name}`, window);
        const seen = await loaded.evaluate(`(() => {
        const { width, height } = document.documentElement.viewBox.baseVal;
        const fill = (one) => getComputedStyle(document.querySelector(one)).fill;
        const texts = [...document.querySelectorAll("text")];
        return {
          texts: texts.length,
          outside: texts.filter((one) => {
            const box = one.getBBox();
            return box.x < 0 || box.y < 0 || box.x + box.width > width ||
              box.y + box.height > height;
          }).map((one) => one.textContent),
          colours: [fill(".ink"), fill(".page")].join(" on "),
        };
      })()`) as { texts: number; outside: string[]; colours: string };
        assertEquals([seen.texts > 8, seen.outside], [true, []], name);
        colours.push(seen.colours);
      }
      assertEquals(colours, [
        "rgb(31, 35, 40) on rgb(255, 255, 255)",
        "rgb(240, 246, 252) on rgb(13, 17, 23)",
      ], name);
    }
  },
);
