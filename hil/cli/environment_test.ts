// SPDX-License-Identifier: MIT
// plumbline without HOME, without a terminal, and without a writable folder for results.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { checkResults } from "../results/check.ts";
import { checkJUnit } from "../testing/junit.ts";
import { tempDir } from "../testing/temp_dir.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;
const SMALL = ["--board=sim", "--suite=loopback", "--policy=streaming,none", "--size=64,4096"];

async function command(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { PATH: "/usr/bin:/bin", LANG: "C", COLUMNS: "80", ...env },
    clearEnv: true,
    cwd: tempDir(),
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("plumbline run needs no HOME, locale or terminal, and prints at most 80 columns", async () => {
  const { code, stdout, stderr } = await command(
    ["run", "-A", "--no-check", MAIN, "run", ...SMALL, "--json=-"],
    { DENO_DIR: tempDir() },
  );
  assertEquals(code, 0, stderr);
  const results = checkResults(JSON.parse(stdout));
  assertEquals([results.summary.pass, results.summary.xfail], [8, 8]);
  assertStringIncludes(stderr, "SIMULATED: board sim");
  for (const line of stderr.split("\n")) assert(line.length <= 80 || line.includes("/"), line);
});

Deno.test("plumbline run says in one line that it cannot make the folder for results, and exits 3", async () => {
  const { code, stderr } = await command(
    ["run", "-A", "--no-check", MAIN, "run", ...SMALL, "--results=/dev/null/results"],
    { DENO_DIR: tempDir() },
  );
  assertEquals(code, 3);
  assertMatch(stderr, /^plumbline: The folder for results cannot be made: [^\n]*--results\n$/);
});

Deno.test("plumbline run passes a suite that verifies no frames by design, and says so", async () => {
  const { code, stdout, stderr } = await command(
    ["run", "-A", "--no-check", MAIN, "run", "--board=sim", "--suite=abi", "--json=-"],
    { DENO_DIR: tempDir() },
  );
  assertEquals(code, 0, stderr);
  const { verdict, summary } = checkResults(JSON.parse(stdout));
  assertEquals([summary.error, summary.pass > 20], [0, true]);
  assertMatch(verdict?.reason ?? "", /; no frame was verified, so nothing is known about data$/);
});

Deno.test("plumbline run reports all files if one of them segfaults, in valid JSON and JUnit", async () => {
  const dir = tempDir();
  const mod = new URL("../../mod.ts", import.meta.url).href;
  const file = (name: string, body: string) =>
    Deno.writeTextFileSync(
      `${dir}/${name}_test.ts`,
      `import { assertIntact, hil } from "${mod}";
       const top = await hil();
       top.test("good", async ({ loop }) => assertIntact(await loop.run({ frames: 5 })));
       ${body}`,
    );
  file("a", "");
  file(
    "b",
    `top.test("wild", () => {
       const { symbols } = Deno.dlopen("libc.so.6", {
         strlen: { parameters: ["usize"], result: "usize" },
       });
       symbols.strlen(8n);
     });
     top.test("after", async ({ loop }) => assertIntact(await loop.run({ frames: 5 })));`,
  );
  file("c", "");
  const { code, stdout, stderr } = await command(
    [
      "run",
      "-A",
      "--no-check",
      MAIN,
      "run",
      "--board=sim",
      "--json=-",
      `--junit=${dir}/x.xml`,
      dir,
    ],
    { DENO_DIR: tempDir() },
  );
  assertEquals(code, 3, stderr);
  const { tests } = checkResults(JSON.parse(stdout));
  assertEquals(tests.map(({ suite, name, outcome }) => `${suite} ${name} ${outcome}`), [
    ...["a good PASS", "b good PASS", "b wild ERROR", "b after ERROR"],
    ...["infrastructure deno test b ERROR", "c good PASS"],
  ]);
  assertEquals(tests[2]?.reason, "died here: deno test died of SIGSEGV");
  assertEquals(tests[3]?.reason, "never ran: deno test died of SIGSEGV");
  assertEquals(checkJUnit(Deno.readTextFileSync(`${dir}/x.xml`)).attributes["errors"], "3");
});
