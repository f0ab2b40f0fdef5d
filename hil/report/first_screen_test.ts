// SPDX-License-Identifier: MIT
// The fault of docs/tutorial.md on the first screen of the page. If Chromium is not available, this test is
// skipped with the reason, unless PLUMBLINE_REQUIRE names `chromium` or a virtual board.
import { assert, assertEquals } from "@std/assert";
import { UnavailableError } from "../../fixtures/host/run.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { Browser } from "./testing/browser.ts";

const required = /(^|,)(chromium|vm:)/.test(Deno.env.get("PLUMBLINE_REQUIRE") ?? "");

let reason = "";
const browser = await Browser.start().catch((error) => {
  if (!(error instanceof UnavailableError)) throw error;
  reason = error.message;
  return null;
});

Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
});

/** What a reader must see without scrolling. */
const WORDS = ["bit-flip", "by the core", "bit 7 of a byte", "under every policy", "Not a cache"];

Deno.test({
  name:
    "the first screen names kind, part, bit and policies of a fault, and says that no cache is at fault" +
    (browser === null && !required ? ` (skipped: ${reason})` : ""),
  ignore: browser === null && !required,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    if (browser === null) throw new Error(`chromium is required, but: ${reason}`);
    const dir = tempDir();
    const main = new URL("../cli/main.ts", import.meta.url).pathname;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", main, "run", "--board=sim", "--suite=loopback"],
        ...["--size=4096", "--fault=kind=flip frame=17 bit=7"],
        ...[`--results=${dir}/run`, `--html=${dir}/out.html`],
      ],
    }).output();
    assertEquals(code, 1, new TextDecoder().decode(stderr));
    for (const [width, height] of [[1280, 720], [390, 844]] as const) {
      for (const scheme of ["light", "dark"] as const) {
        const page = await browser.load(`file://${dir}/out.html`, { width, height, scheme });
        const seen = await page.evaluate(`(() => {
          const all = document.querySelector(".headlines li").getBoundingClientRect();
          const { innerText } = document.querySelector(".headlines li");
          return { text: innerText, inside: all.top >= 0 && all.bottom <= ${height} };
        })()`) as { text: string; inside: boolean };
        assert(seen.inside, `${width} ${scheme}: ${seen.text}`);
        const text = seen.text.replaceAll(/\s+/g, " ");
        assertEquals(WORDS.filter((word) => !text.includes(word)), [], text);
      }
    }
  },
});
