// SPDX-License-Identifier: MIT
/**
 * Runs every check and test of the report. If its npm packages are not available, the tests are skipped
 * with the reason, unless `PLUMBLINE_REQUIRE` names `npm` or a virtual board.
 *
 * @module
 */

const CWD = new URL("..", import.meta.url);

async function deno(...args: string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), { args, cwd: CWD, stdin: "null" }).spawn();
  return (await child.status).code;
}

/** Returns why the packages are not available, or null. */
async function missing(): Promise<string | null> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--frozen", "main.ts"],
    cwd: CWD,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stderr);
  if (code === 0 || !/\bnpm\b/.test(text)) return null;
  return text.split("\n").find((line) => line.startsWith("error")) ?? text.trim();
}

/** Tries several times, because a download may fail for a while. */
async function missingAfterRetries(): Promise<string | null> {
  for (const pause of [5, 20]) {
    const why = await missing();
    if (why === null) return null;
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
  }
  return await missing();
}

const required = (Deno.env.get("PLUMBLINE_REQUIRE") ?? "").split(",").some((name) =>
  name === "npm" || name.startsWith("vm:")
);
const why = required ? await missingAfterRetries() : await missing();
if (why !== null) {
  console.error(`The report needs npm packages that are not available: ${why}`);
  // the last line of deno test
  console.log(
    required
      ? "FAILED | 0 passed | 1 failed (hil/report)"
      : "ok | 0 passed | 0 failed | 1 ignored (hil/report)",
  );
  Deno.exit(required ? 1 : 0);
}
for (const check of ["fmt --check --quiet", "lint --quiet", "check --quiet"]) {
  const code = await deno(...check.split(" "));
  if (code !== 0) Deno.exit(code);
}
Deno.exit(await deno("test", "-A", "--doc"));
