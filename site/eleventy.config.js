// SPDX-License-Identifier: MIT
/**
 * The documentation as a static site: every Markdown file of the checkout is a page at the same place, so
 * that the links between them keep working. Links to other files have no page. They lead to the
 * repository if `PLUMBLINE_SOURCE` has its address, else they are plain text.
 *
 * Run in the root of the checkout: `npm --prefix site run build`, into `site/_site/`.
 */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SOURCE = (process.env.PLUMBLINE_SOURCE ?? "").replace(/\/+$/, "");

/** The page of a Markdown file, both relative to the root. */
function pageOf(file) {
  return file.replace(/(^|\/)README\.md$/, "$1index.html").replace(
    /\.md$/,
    ".html",
  );
}

/** The id of a heading, as GitHub makes it. */
function slug(text) {
  return text.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(
    /\s/g,
    "-",
  );
}

/** Gives each heading an id, and remembers the first heading as the title. */
function headings(state) {
  const used = new Map();
  state.tokens.forEach((token, i) => {
    if (token.type !== "heading_open") return;
    const text = state.tokens[i + 1].children
      .filter(({ type }) => type === "text" || type === "code_inline")
      .map(({ content }) => content).join("");
    const id = slug(text);
    const count = used.get(id) ?? 0;
    used.set(id, count + 1);
    token.attrSet("id", count === 0 ? id : `${id}-${count}`);
  });
}

/** Points relative links at pages. */
function links(state) {
  const file = normalize(state.env.page.inputPath);
  for (const { children } of state.tokens) {
    for (const token of children ?? []) {
      if (token.type !== "link_open") continue;
      const href = token.attrGet("href");
      const [path, hash] = href.split("#");
      const leaves = /^[a-z]+:/i.test(href) || path === "";
      const target = leaves ? "" : normalize(join(dirname(file), decodeURI(path)));
      const page = leaves ? null : pageIn(target);
      if (page !== null) {
        // the depth of a page is that of its file
        const up = "../".repeat(file.split("/").length - 1);
        token.attrSet(
          "href",
          `${up}${page}${hash === undefined ? "" : `#${hash}`}`,
        );
      } else if (!leaves && existsSync(join(ROOT, target)) && SOURCE === "") {
        token.tag = "span";
        token.attrs = [["title", target]];
        closeAsSpan(children, token);
      } else if (!leaves && existsSync(join(ROOT, target))) {
        token.attrSet("href", `${SOURCE}/${target}`);
      }
    }
  }
}

/** Lets the end of a link that became plain text match its start. */
function closeAsSpan(children, token) {
  const end = children.slice(children.indexOf(token)).find(({ type }) => type === "link_close");
  end.tag = "span";
}

/** The page of a link's target, or null if it has none. */
function pageIn(target) {
  if (target.endsWith(".md")) {
    return existsSync(join(ROOT, target)) ? pageOf(target) : null;
  }
  const readme = join(target, "README.md");
  return existsSync(join(ROOT, readme)) ? pageOf(readme) : null;
}

/** The pages of the table in docs/README.md, in its order. */
function contents() {
  const text = readFileSync(join(ROOT, "docs/README.md"), "utf8");
  return [...text.matchAll(/^\| \[[^\]]+\]\(([\w-]+\.md)\)/gm)].map(
    ([, name]) => {
      const head = /^# (.+)$/m.exec(readFileSync(join(ROOT, "docs", name), "utf8"))?.[1] ??
        name;
      return { page: pageOf(`docs/${name}`), title: head };
    },
  );
}

export default function (config) {
  config.amendLibrary("md", (md) => {
    md.core.ruler.push("headings", headings);
    md.core.ruler.push("page_links", links);
  });
  config.addPassthroughCopy("docs/pictures");
  for (const folder of [".cache", "results", "site", "**/node_modules"]) {
    config.ignores.add(folder);
  }
  config.addGlobalData("layout", "page.11ty.js");
  config.addGlobalData("contents", contents);
  config.addGlobalData(
    "permalink",
    () => ({ page }) => pageOf(normalize(page.inputPath)),
  );
  return {
    dir: { input: ".", output: "site/_site", includes: "site/layout" },
    templateFormats: ["md"],
    // the pages are Markdown, with no template language in them
    markdownTemplateEngine: false,
  };
}
