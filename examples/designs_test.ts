// SPDX-License-Identifier: MIT
// The examples of designs on the simulated board: each passes, and each fails with the right name if the model of its
// logic is wrong in one of three ways.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { fold } from "../hil/journal/fold.ts";
import { Journal } from "../hil/journal/journal.ts";
import type { Results } from "../hil/results/schema.ts";
import { tempDir } from "../hil/testing/temp_dir.ts";

const FOLDER = new URL("designs/tests/", import.meta.url);
const MOD = new URL("../mod.ts", import.meta.url).href;

/** Runs an example whose model was changed. */
async function run(
  name: string,
  changes: readonly (readonly [string, string])[],
  settings: readonly string[] = [],
): Promise<{ code: number; output: string; results: Results }> {
  const dir = tempDir();
  let text = Deno.readTextFileSync(new URL(`${name}_test.ts`, FOLDER));
  for (const [find, replace] of changes) {
    assertEquals(text.split(find).length, 2, `${name}: expected once: ${find}`);
    text = text.replace(find, () => replace);
  }
  Deno.writeTextFileSync(`${dir}/${name}_test.ts`, text);
  Deno.writeTextFileSync(
    `${dir}/deno.json`,
    JSON.stringify({ imports: { "@plumbline/hil": MOD }, lock: false }),
  );
  const { PLUMBLINE_RESULTS: _r, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--", ...settings],
    cwd: dir,
    env: { ...env, NO_COLOR: "1", PLUMBLINE_BOARD: "sim", PLUMBLINE_RESULTS: `${dir}/results` },
    clearEnv: true,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const results = fold(Journal.read(`${dir}/results/journal.jsonl`));
  return { code, output: decode(stdout) + decode(stderr), results };
}

/** Three mistakes of each design: what is written in its place, and what the first failure must say. */
const MISTAKES: Readonly<Record<string, readonly (readonly [string, string, string, RegExp])[]>> = {
  fir: [
    [
      "a tap of the logic is wrong",
      "sum + tap * (line[i] ?? 0), 0);\n        return saturate(Math.floor",
      "sum + (i === 2 ? 6100 : tap) * (line[i] ?? 0), 0);\n        return saturate(Math.floor",
      /out-of-tolerance.*values (is|are) off by more than 1 LSB: value \d+ is -?\d+, expected -?\d+/s,
    ],
    [
      "the sum is not saturated",
      "return saturate(Math.floor(sum / 2 ** 15));",
      "return Math.floor(sum / 2 ** 14);",
      /out-of-tolerance.*off by more than 1 LSB/s,
    ],
    [
      "the delay line is cleared after each frame",
      "function logic(): (frame: Bytes) => Bytes {\n  const line = TAPS.map(() => 0);\n  return (frame) =>\n    new",
      "function logic(): (frame: Bytes) => Bytes {\n  const line = TAPS.map(() => 0);\n  return (frame) =>\n    line.fill(0) && new",
      /^frame 1 of 50, offset 0: out-of-tolerance.*[1-8] of \d+ values/s,
    ],
  ],
  packetiser: [
    [
      "a full last packet is not marked in TUSER",
      "return (frame, sequence, words) => cut(frame, sequence, words);",
      "return (frame, sequence, words) => cut(frame, sequence, words).map(({ data, sideband: [user = 0, dest = 0] }) => " +
      "({ data, sideband: [data.length === 256 ? user & ~LAST : user, dest] }));",
      /^frame 1 of \d+, offset 0: sideband.*beside the frame, word 0 is 0x00000001, expected 0x00000003/s,
    ],
    [
      "a frame of whole packets brings an empty one",
      "return (frame, sequence, words) => cut(frame, sequence, words);",
      "return (frame, sequence, words) => frame.length % PAYLOAD === 0 ? " +
      "[...cut(frame, sequence, words), { data: Uint8Array.of(sequence, 9, 2), sideband: [LAST] }] : " +
      "cut(frame, sequence, words);",
      /^frame 2 of \d+, offset \d+: .*3 of 256 bytes arrived/s,
    ],
    [
      "the last byte of a packet is lost",
      "return (frame, sequence, words) => cut(frame, sequence, words);",
      "return (frame, sequence, words) => cut(frame, sequence, words).map(({ data, sideband }) => " +
      "({ sideband, data: data.length === 256 ? data.slice(0, 255) : data }));",
      /^frame 1 of \d+, offset 255: truncated.*255 of 256 bytes arrived/s,
    ],
  ],
  registers: [
    [
      "the gain is not applied",
      `return amplify(frame, registers.get("control", "gain"));`,
      `return frame;`,
      /^frame 0 of 20, offset \d+: /,
    ],
    [
      "the design never gets ready",
      `registers.set("status", { ready: registers.get("control", "enable") });`,
      "",
      /^PollTimeoutError: Register status did not become as expected.*\(ready=0 frames=0\).*registers_test\.ts:\d+/,
    ],
    [
      "a frame is not counted",
      "frames: ++frames });",
      "frames: frames++ });",
      /^frames that were not counted is 1 frames, the limit is at most 0/,
    ],
  ],
  camera: [
    [
      "Cb and Cr are exchanged",
      "128 + ((-38 * r - 74 * g + 112 * b) >> 8),\n    128 + ((112 * r - 94 * g - 18 * b) >> 8),",
      "128 + ((112 * r - 94 * g - 18 * b) >> 8),\n    128 + ((-38 * r - 74 * g + 112 * b) >> 8),",
      /out-of-tolerance.*the PSNR is \d+\.\d dB, expected at least 45 dB/s,
    ],
    [
      "the brightness is a little too low",
      "16 + ((66 * r + 129 * g + 25 * b) >> 8),",
      "16 + ((62 * r + 121 * g + 23 * b) >> 8),",
      /^frame 0 of 8, offset \d+: out-of-tolerance.*the PSNR is (3|4)\d\.\d dB/s,
    ],
    [
      "the last line is lost",
      "const logic = () => (raw: Bytes) =>\n  develop(raw,",
      "const logic = () => (raw: Bytes) =>\n  ((nv12) => nv12.slice(0, nv12.length - WIDTH))(develop(raw,",
      /truncated.*114880 of 115200 bytes arrived/s,
    ],
  ],
};

for (const [name, mistakes] of Object.entries(MISTAKES)) {
  Deno.test(`the example ${name} passes, and its control fails`, async () => {
    const { code, output, results } = await run(name, []);
    assertEquals(code, 0, output);
    assertStringIncludes(
      output,
      `SIMULATED: ${name === "registers" ? "gain" : name}.bit is not loaded`,
    );
    const outcomes = results.tests.map(({ policy, outcome }) => `${policy} ${outcome}`);
    assert(outcomes.length > 1 && outcomes.includes("none XFAIL"), outcomes.join());
    assertEquals(outcomes.filter((one) => !/PASS$|^none XFAIL$/.test(one)), []);
  });

  Deno.test(`the example ${name} fails with the right name if its logic is wrong`, async () => {
    for (const [what, find, replace, expected] of mistakes) {
      // the expression of the last line opens a bracket more
      const close: [string, string][] = replace.includes("((nv12)")
        ? [[
          "128 + ((112 * r - 94 * g - 18 * b) >> 8),\n  ]);",
          "128 + ((112 * r - 94 * g - 18 * b) >> 8),\n  ]));",
        ]]
        : [];
      const { code, results } = await run(name, [[find, replace], ...close], [
        "--policy=streaming",
      ]);
      assertEquals(code, 1, what);
      const failed = results.tests.find(({ outcome }) => outcome !== "PASS" && outcome !== "SKIP");
      const said = `${failed?.reason}\n${
        (failed?.faults ?? []).map(({ detail }) => detail).join("\n")
      }`;
      assertMatch(said, expected, what);
      const attached = (failed?.attachments ?? []).map((one) => one.name);
      const pictures = ["received", "expected", "difference"].map((one) => `frame 0 ${one}.png`);
      assertEquals(attached, name === "camera" ? pictures : [], what);
    }
  });
}

Deno.test("examples/team runs on the simulated board as it is, with the models that its bitstreams name", async () => {
  const dir = tempDir();
  const team = fileURLToPath(new URL("team", import.meta.url));
  const { PLUMBLINE_RESULTS: _r, ...rest } = Deno.env.toObject();
  const env = { ...rest, NO_COLOR: "1", PLUMBLINE_BOARD: "sim", TEAM_BITSTREAMS: `${dir}/bits` };
  const deno = (args: readonly string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: team,
      env: { ...env, PLUMBLINE_RESULTS: `${dir}/results` },
      clearEnv: true,
    }).output();
  const made = await deno(["run", "-A", "--no-check", "make_bitstreams.ts", `${dir}/bits`]);
  assertEquals(made.success, true);
  const { code, stdout, stderr } = await deno([
    "test",
    "-A",
    "--no-check",
    "--",
    "--policy=streaming,none",
  ]);
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, output);
  assertEquals(output.split("SIMULATED: ").length - 1, 3, output);
  const { tests } = fold(Journal.read(`${dir}/results/journal.jsonl`));
  const suites = ["counter", "loopback", "scrambler"];
  assertEquals([...new Set(tests.map(({ suite }) => suite))].sort(), suites);
  for (const suite of suites) {
    const outcomes = new Set(
      tests.filter((test) => test.suite === suite).map(({ outcome }) => outcome),
    );
    assert(outcomes.has("PASS") && outcomes.has("XFAIL"), `${suite}: ${[...outcomes].join()}`);
  }
});
