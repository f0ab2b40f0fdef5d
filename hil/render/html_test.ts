// SPDX-License-Identifier: MIT
// --html without the npm packages that the page needs. hil/report/ has the tests of the page itself.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "../../fixtures/host/exists.ts";
import { tempDir } from "../testing/temp_dir.ts";

const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;

/** Runs plumbline with an empty cache and without a registry. */
async function plumbline(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args],
    env: { NO_COLOR: "1", DENO_DIR: tempDir(), NPM_CONFIG_REGISTRY: "http://127.0.0.1:1/" },
    cwd: tempDir(),
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const SMALL = ["run", "--board=sim", "--suite=loopback", "--policy=streaming,none", "--size=4096"];

for (
  const [what, fault, expected] of [
    ["a pass", [], 0],
    ["a failure", ["--fault=kind=flip frame=17"], 1],
  ] as const
) {
  Deno.test(`plumbline run --html keeps ${what} if the page cannot be made, and says why in one line`, async () => {
    const html = `${tempDir()}/out.html`;
    const { code, stdout, stderr } = await plumbline(
      ...SMALL,
      ...fault,
      "--quiet",
      `--html=${html}`,
    );
    assertEquals(code, expected, stderr);
    assertMatch(stdout, expected === 0 ? /^SIMULATED PASS.*\n$/ : /^SIMULATED FAIL.*\n$/);
    assertMatch(
      stderr,
      /^plumbline: The HTML report could not be made: .*npm packages that are not available.*\n$/,
    );
    assert(!exists(html));
  });
}

Deno.test("plumbline run --html refuses a path in a missing folder before the run", async () => {
  const { code, stderr } = await plumbline(...SMALL, "--html=/no/such/place.html");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "found /no/such/place.html: there is no folder /no/such");
});
