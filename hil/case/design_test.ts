// SPDX-License-Identifier: MIT
// Models of designs as a test author meets them: in hil({ design }), or named by a virtual bitstream.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { virtualBitstream } from "../../fixtures/bitstream/virtual.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { denoTest } from "./testing/deno_test.ts";

const INVERTED = `(frame) => frame.map((byte) => ~byte)`;
const LOOP = (bitstream: string, more = "") => `
const inverted = ${INVERTED};
const top = await hil({ bitstream: ${JSON.stringify(bitstream)}, ${more} });
top.matrix("loop", { policy: ["streaming", "none"], size: [1000], depth: [2] },
  async ({ loop }) => assertIntact(await loop.run({ expect: inverted })));
`;

Deno.test("hil() runs a model on the simulated board in place of a bitstream, and says so once", async () => {
  const dir = tempDir();
  const top = `${dir}/top.bit`;
  const given = await denoTest({ mine: LOOP(top, "design: designs.transform(() => inverted)") });
  assertEquals(given.outcomes, {
    "loop policy=streaming size=1000 depth=2": "PASS",
    "loop policy=none size=1000 depth=2": "XFAIL",
  }, given.output);
  assertEquals(given.output.split("SIMULATED").length - 1, 1, given.output);
  assertStringIncludes(given.output, `${top} is not loaded`);
  assertStringIncludes(given.output, 'The model "transform" runs in its place');

  const none = await denoTest({ mine: LOOP(top, "design: 3") });
  assertEquals([none.code, none.results.tests.length], [1, 1]);
  assertMatch(none.results.tests[0]?.reason ?? "", /hil\(\{ design \}\) to be a design/);
});

Deno.test("hil() takes the model that a virtual bitstream names, and names the bitstream in the results", async () => {
  const dir = tempDir();
  const args = "xor=0xffffffffffffffff";
  Deno.writeFileSync(`${dir}/top.bit`, virtualBitstream({ core: "transform", args }));
  const { code, output, results } = await denoTest({ mine: LOOP(`${dir}/top.bit`) });
  assertEquals(code, 0, output);
  assertEquals([results.bitstream.file, results.bitstream.identity], [`${dir}/top.bit`, "unknown"]);
  assertEquals(results.board.simulated, true);
  // with another constant every frame is wrong
  Deno.writeFileSync(`${dir}/top.bit`, virtualBitstream({ core: "transform", args: "xor=0x1" }));
  const wrong = await denoTest({ mine: LOOP(`${dir}/top.bit`) }, ["--policy=streaming"]);
  assertEquals(Object.values(wrong.outcomes), ["FAIL"]);
});

Deno.test("a control whose core changed data fails, although its missing syncs alone are excused", async () => {
  const file = `
const top = await hil();
top.matrix("loop", { policy: ["none"], size: [1024], depth: [2] },
  async ({ loop }) => assertIntact(await loop.run()));
`;
  const excused = await denoTest({ mine: file });
  assertEquals(Object.values(excused.outcomes), ["XFAIL"], excused.output);
  const { outcomes, results, output } = await denoTest({ mine: file }, [
    "--fault=kind=flip frame=0",
  ]);
  assertEquals(Object.values(outcomes), ["FAIL"], output);
  const [test] = results.tests;
  assertMatch(`${test?.reason}`, /the core changed data, which no missing sync does$/);
  assertEquals(test?.faults.some(({ blame }) => blame === "core"), true);
});

Deno.test("a control of a right design that filters fails as it must, although frames are missing", async () => {
  const file = `
const filter = () => (frame) => frame[0] % 2 === 0 ? [frame] : [];
const top = await hil({ design: designs.transform(filter) });
top.matrix("filter", { policy: ["streaming", "none"], size: [256], depth: [4], pattern: patterns.random() },
  async ({ loop }) => assertIntact(await loop.run({ frames: 100, expect: filter(), returns: 1 })));
`;
  // with the first seed, stale data are seen before a frame is missing, and with the second one none are
  for (const [seed, evidence] of [[3, { tx: true }], [12, {}]] as const) {
    const { outcomes, results, output } = await denoTest({ mine: file }, [`--seed=${seed}`]);
    assertEquals(Object.values(outcomes), ["PASS", "XFAIL"], output);
    assertMatch(`${results.tests[1]?.reason}`, /no tx completion within 20000 ms/);
    assertEquals(results.power.tx, "tx" in evidence, output);
  }
});

Deno.test("a control of a loop that hangs fails, because no missing sync stops it", async () => {
  const file = `
const top = await hil();
top.matrix("loop", { policy: ["none"], size: [1024], depth: [2] },
  async ({ loop }) => assertIntact(await loop.run({ timeoutMs: 200 })));
`;
  const { outcomes, output } = await denoTest({ mine: file }, [
    "--fault=kind=stall frame=0",
  ]);
  assertEquals(Object.values(outcomes), ["TIMEOUT"], output);
});

Deno.test("a bitstream that is missing is one infrastructure error on the simulated board", async () => {
  const { code, results } = await denoTest({ mine: LOOP("/no/such/top.bit") });
  assertEquals([code, results.tests.length, results.tests[0]?.suite], [1, 1, "infrastructure"]);
  assertEquals(results.tests[0]?.outcome, "ERROR");
  assertMatch(results.tests[0]?.reason ?? "", /\/no\/such\/top\.bit/);
});

Deno.test("a bitstream that cannot be loaded is one error, and the other cases are skipped", async () => {
  // the board is local, and its logic is not there
  const dir = tempDir();
  Deno.writeFileSync(`${dir}/top.bit`, virtualBitstream({ core: "loopback" }));
  const file = LOOP(`${dir}/top.bit`) + `top.test("another", () => {});`;
  const { code, results } = await denoTest({ mine: file }, [], { board: "local" });
  const outcomes = results.tests.filter(({ suite }) => suite === "mine").map(({ outcome }) =>
    outcome
  );
  assertEquals([code, outcomes], [1, ["ERROR", "SKIP", "SKIP"]], JSON.stringify(results.tests));
  assertMatch(results.tests.at(-1)?.reason ?? "", /^The bitstream could not be loaded: /);
});
