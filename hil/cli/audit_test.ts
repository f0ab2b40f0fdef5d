// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes } from "@std/assert";
import { tempDir } from "../testing/temp_dir.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

/** Runs `plumbline audit`. */
function plumbline(...args: readonly string[]): ReturnType<typeof run> {
  return run("audit", ...args);
}

/** Runs a command of `plumbline`. */
function run(...args: readonly string[]): { code: number; stdout: string; stderr: string } {
  const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args],
    env: { NO_COLOR: "1" },
  }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("plumbline audit --board sim prints the verdict on standard output, and exits with 0 if it is right", () => {
  const { code, stdout, stderr } = plumbline("--board=sim");
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "SIMULATED, board sim");
  assertStringIncludes(stdout, "RIGHT:");
  assertStringIncludes(stdout, "Nothing has to change");
});

Deno.test("plumbline audit prints the change and its source, writes JSON, and exits with 1", () => {
  const json = `${tempDir()}/audit.json`;
  const args = ["--board=sim", "--snoops=tx", "--dma-coherent", "--lines=16", "--repeats=4"];
  const { code, stdout, stderr } = plumbline(...args, `--json=${json}`);
  assertEquals(code, 1, stderr);
  assertStringIncludes(stdout, "CORRUPT: the kernel takes the device for coherent, but its writes");
  assertStringIncludes(stdout, "Change: Drive AWCACHE[3:2]");
  assertStringIncludes(stdout, "Source: AMD UG1085");
  const found = JSON.parse(Deno.readTextFileSync(json));
  assertEquals([found.schema, found.path, found.board.kind], [1, "/dev/pldma0", "sim"]);
  assertEquals([found.lines, found.repeats, found.verdict], [16, 4, "corrupt"]);
  assertEquals([found.ports.tx.snoops, found.ports.rx.snoops], ["yes", "no"]);
});

Deno.test("plumbline audit refuses more lines than a block holds, and exits with 2", () => {
  const { code, stderr } = plumbline("--board=sim", "--lines=65537");
  assertEquals([code, stderr], [
    2,
    'plumbline: Expected --lines to be at most 65536, found "65537": the largest block of /dev/pldma0 has ' +
    "4194304 bytes. Use fewer lines\n",
  ]);
});

Deno.test("plumbline audit --quiet --json - prints only the verdict, and JSON on standard output", () => {
  const { code, stdout, stderr } = plumbline("--board=sim", "--snoops=both", "--quiet", "--json=-");
  assertEquals(code, 1);
  assertEquals(stderr.trim().split("\n").length, 1, stderr);
  assertStringIncludes(stderr, "SLOW:");
  assertEquals(JSON.parse(stdout).fix.change.startsWith("Add the property dma-coherent"), true);
});

Deno.test("plumbline audit --attributes names the attributes that make the port coherent, in text and JSON", () => {
  const json = `${tempDir()}/audit.json`;
  const port = ["--board=sim", "--snoops-only=cacheable,non-secure", "--lines=16"];
  const { code, stdout, stderr } = plumbline(...port, "--attributes=common", `--json=${json}`);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "AxCACHE  AxPROT  tx: reads snoop  MB/s  rx: writes snoop  MB/s");
  assertStringIncludes(
    stdout,
    "Reads and writes snoop with AxCACHE 6, 7, 10, 11, 14 or 15 and AxPROT 2",
  );
  const { attributes } = JSON.parse(Deno.readTextFileSync(json));
  assertEquals([attributes.repeats, attributes.rows.length], [8, 20]);
  assertEquals(attributes.defaults.tx, { cache: 3, prot: 0, user: 0 });
  const both = attributes.rows.filter(
    ({ ports }: { ports: Record<string, { snoops: string }> }) =>
      ports.tx?.snoops === "yes" && ports.rx?.snoops === "yes",
  );
  assertEquals(both.map(({ cache, prot }: Record<string, number>) => `${cache}/${prot}`), [
    "6/2",
    "7/2",
    "10/2",
    "11/2",
    "14/2",
    "15/2",
  ]);
  const quiet = plumbline(...port, "--attributes=15/0", "--repeats=3", "--quiet", "--json=-");
  assertEquals(quiet.stderr.trim().split("\n").length, 2, quiet.stderr);
  assertStringIncludes(quiet.stderr, "None of these attributes makes reads or writes always snoop");
  assertEquals(JSON.parse(quiet.stdout).attributes.repeats, 3);
  const zynq = ["--board=sim", "--snoops-only=cacheable,shared", "--lines=16", "--quiet"];
  const shared = plumbline(...zynq, "--attributes=common,common/1");
  assertStringIncludes(
    shared.stdout,
    "Reads and writes snoop with AxCACHE 6, 7, 10, 11, 14 or 15, AxPROT 0 or 2 and AxUSER 1: for example " +
      "plumbline,axcache = <15>, plumbline,axprot = <0>, plumbline,axuser = <1> and dma-coherent",
  );
});

Deno.test("plumbline audit without --attributes sweeps nothing", () => {
  const { stdout, stderr } = plumbline("--board=sim", "--lines=8", "--repeats=2", "--json=-");
  assertEquals(JSON.parse(stdout).attributes, null);
  assertEquals(stderr.includes("AxCACHE  AxPROT"), false);
});

Deno.test("plumbline audit refuses options that do not fit, and says what to do", () => {
  for (
    const [args, text] of [
      [["--board=sim", "--snoops=some"], "none, both, tx, rx or sometimes"],
      [["--board=sim", "--lines=0"], "--lines"],
      [["--board=sim", "--device=/dev/pldma0,/dev/pldma1"], "one device"],
      [["--dma-coherent"], "add --board sim, or --board vm --bus adversarial"],
      [["--board=vm:armhf", "--bus=adversarial", "--snoops=tx"], "add --board sim"],
      [["--board=sim", "--attributes=15/2/70000"], "AxUSER (0 to 65535)"],
      [["--board=sim", "--attributes=15"], "pairs of AxCACHE (0 to 15) and AxPROT (0 to 7)"],
      [["--board=sim", "--snoops-only=secure"], "cacheable, non-secure or shared"],
      [["--board=vm", "--bus=adversarial", "--snoops-only=cacheable"], "add --board sim"],
    ] as const
  ) {
    const { code, stderr } = plumbline(...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, text);
  }
});

Deno.test("plumbline audit, info, doctor and selfcheck say in one line that a file cannot be written", () => {
  for (const command of ["audit", "info", "doctor", "selfcheck"]) {
    const board = command === "doctor" ? [] : ["--board=sim"];
    const few = command === "selfcheck" ? ["--every=500"] : [];
    const { code, stderr } = run(command, ...board, ...few, "--json=/proc/plumbline");
    assertEquals(code, 3, stderr);
    assertStringIncludes(stderr, "plumbline: /proc/plumbline could not be written: ");
    assertEquals(stderr.includes("defect of Plumbline"), false, stderr);
  }
});

Deno.test("plumbline audit says in one line that a device is another one", () => {
  const { code, stderr } = plumbline("--device=/dev/null");
  assertEquals(code, 3, stderr);
  assertStringIncludes(stderr, "/dev/null: expected pldma ABI version 2");
  assertEquals(stderr.trim().split("\n").length, 1, stderr);
});
