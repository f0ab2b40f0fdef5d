// SPDX-License-Identifier: MIT
/** The frame of every page: its title, the table of contents, and one style sheet for light and dark. */

const STYLE = `
:root { color-scheme: light dark; --rule: light-dark(#d1d9e0, #3d444d); }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif;
  display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 2rem; }
nav ul { list-style: none; padding: 0; }
nav li { margin: 0.4rem 0; line-height: 1.25; }
[aria-current] { font-weight: 600; }
pre, table { overflow-x: auto; display: block; max-width: 100%; }
pre { padding: 0.75rem; border: 1px solid var(--rule); border-radius: 6px; }
code { font: 0.9em ui-monospace, monospace; }
td, th { border: 1px solid var(--rule); padding: 0.3rem 0.6rem; vertical-align: top; }
table { border-collapse: collapse; }
img { max-width: 100%; height: auto; }
a { overflow-wrap: anywhere; }
.to-contents { display: none; }
/* on a phone, the page comes first and the contents below it */
@media (max-width: 50rem) {
  body { display: flex; flex-direction: column; gap: 0; }
  nav { order: 1; border-top: 1px solid var(--rule); }
  .to-contents { display: block; margin: 0; }
}
`;

const escape = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(
    '"',
    "&quot;",
  );

export default class {
  render({ content, contents, page }) {
    const up = "../".repeat(page.url.split("/").length - 2);
    const title = /<h1[^>]*>(.*?)<\/h1>/s.exec(content)?.[1].replace(/<[^>]+>/g, "") ??
      "Plumbline";
    const here = page.url.replace(/^\//, "").replace(/\/$/, "/index.html");
    const items = contents.map(({ page, title }) =>
      `<li><a href="${up}${page}"${page === here ? ' aria-current="page"' : ""}>${
        escape(title)
      }</a></li>`
    );
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Plumbline</title>
<style>${STYLE}</style>
<p class="to-contents"><a href="#contents">All pages</a></p>
<nav aria-label="Contents" id="contents">
<p><a href="${up}index.html">Plumbline</a></p>
<ul>
${items.join("\n")}
</ul>
</nav>
<main>
${content}
</main>
</html>
`;
  }
}
