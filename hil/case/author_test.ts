// SPDX-License-Identifier: MIT
// What a test author adds to a case: limits, attachments, frames verified by hand, registers, and errors.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toJUnit } from "../render/junit.ts";
import { denoTest } from "./testing/deno_test.ts";

Deno.test("measure() fails a case whose value is outside of its limit, and shows the limit", async () => {
  const { code, outcomes, results, output } = await denoTest({
    mine: `const top = await hil();
      top.test("good", { policy: "streaming" }, ({ measure }) => measure("latency", 9, "ms", { max: 10 }));
      top.test("slow", { policy: "streaming" }, ({ measure }) => {
        measure("latency", 12.5, "ms", { max: 10, at: { size: 64 } });
        measure("rate", 1, "MB/s", { min: 2 });
      });
      top.test("none", { policy: "streaming" }, ({ measure }) => measure("latency", NaN, "ms", { max: 10 }));
      top.test("both", ({ measure }) => measure("latency", 1, "ms", { min: 1, max: 10 }));`,
  });
  assertEquals([code, outcomes], [1, { good: "PASS", slow: "FAIL", none: "FAIL", both: "ERROR" }]);
  const slow = results.tests.find(({ name }) => name === "slow");
  const reason = "latency at size=64 is 12.5 ms, the limit is at most 10, plus 1 more like this";
  assertEquals(slow?.reason, reason);
  assertStringIncludes(output, reason);
  assertEquals(slow?.measurements.map(({ limit, bound }) => [limit, bound]), [[10, "max"], [
    2,
    "min",
  ]]);
  assertStringIncludes(toJUnit(results), "latency: 9 ms, limit: at most 10");
  assertStringIncludes(toJUnit(results), `message="${reason}"`);
});

Deno.test("attach() writes a file into the folder of the results, once for each name", async () => {
  const { dir, results, outcomes } = await denoTest({
    mine: `const top = await hil();
      top.test("loop/a b", { policy: "streaming" }, ({ attach }) => {
        attach("frame 5.bin", Uint8Array.of(1, 2, 3));
        attach("note.txt", "grün");
      });
      top.test("twice", ({ attach }) => { attach("a", ""); attach("a", ""); });
      top.test("path", ({ attach }) => attach("../a", ""));`,
  });
  assertEquals(outcomes, { "loop/a b": "PASS", twice: "ERROR", path: "ERROR" });
  const attachments = results.tests[0]?.attachments ?? [];
  assertEquals(attachments.map(({ name, bytes }) => [name, bytes]), [["frame 5.bin", 3], [
    "note.txt",
    5,
  ]]);
  const [bin, note] = attachments.map(({ file }) => Deno.readFileSync(`${dir}/results/${file}`));
  assertEquals([bin, new TextDecoder().decode(note)], [Uint8Array.of(1, 2, 3), "grün"]);
  assertStringIncludes(toJUnit(results), "[[ATTACHMENT|attachments/mine_loop_a_b/frame 5.bin]]");
});

const BY_HAND = `
const top = await hil();
top.matrix("by hand", { policy: ["streaming", "manual", "coherent", "none"], size: [4096] },
  ({ device, policy, size, verify, seed }) => {
    const [tx] = device.alloc({ direction: "tx", policy, size });
    const [rx] = device.alloc({ direction: "rx", policy, size });
    let before = new Uint8Array(size);
    for (let sequence = 0; sequence < 5; sequence++) {
      const frame = Uint8Array.from({ length: size }, (_, i) => (i * 7 + sequence * 31 + (i >> 8)) & 0xff);
      if (policy === "manual") rx.syncForDevice();
      rx.enqueue();
      tx.set(frame);
      if (policy === "manual") tx.syncForDevice();
      tx.enqueue();
      const transmitted = device.dequeue("tx");
      const received = device.dequeue("rx");
      if (policy === "manual") rx.syncForCpu();
      assertIntact(verify(rx, frame, { sequence, transmitted, received, before }));
      before = frame;
    }
  });`;

Deno.test("verify() gives a test by hand the reports, the blame and the control of a run", async () => {
  const good = await denoTest({ mine: BY_HAND });
  assertEquals(good.code, 0, good.output);
  assertEquals(Object.values(good.outcomes), ["PASS", "PASS", "PASS", "XFAIL"]);
  assertEquals(good.results.tests[0]?.frames, 5);
  const power = good.results.power;
  assertEquals([power.tx, power.rx], [true, true], JSON.stringify(power));
  const control = good.results.tests.at(-1);
  assertEquals(control?.faults.every(({ kind }) => /^stale-|^not-written$/.test(kind)), true);

  // on a coherent board nothing is stale, so the control passes, and says so
  const coherent = await denoTest({ mine: BY_HAND }, ["--policy=none", "--coherent"]);
  assertEquals(Object.values(coherent.outcomes), ["PASS"]);
  const inverted = await denoTest({
    mine: BY_HAND.replace(
      "const top = await hil();",
      "const top = await hil({ design: designs.transform(() => (frame) => frame.map((byte, i) => i === 9 ? ~byte : byte)) });",
    ),
  });
  // the design is wrong under none, too, and that is no missing sync
  assertEquals(Object.values(inverted.outcomes).slice(0, 3), ["FAIL", "FAIL", "FAIL"]);
  const [fault] = inverted.results.tests[0]?.faults ?? [];
  assertEquals([fault?.frame, fault?.offset, fault?.length, fault?.blame], [0, 9, 1, "core"]);
});

Deno.test("registers() reaches the registers of the model, and unmaps them after the test", async () => {
  const { outcomes, output, results } = await denoTest({
    mine: `
      const map = { gain: { offset: 0, reset: 1, fields: { value: { at: 0, width: 4 } } } };
      const gain = (registers) => (frame) => frame.map((byte) => byte * registers.get("gain", "value"));
      const top = await hil({ design: designs.transform(gain, { registers: map }) });
      let kept;
      top.test("three", async ({ loop, registers }) => {
        const regs = kept = registers("/dev/uio0", map, { write: true });
        regs.write("gain", { value: 3 });
        assertIntact(await loop.run({ expect: (tx) => tx.map((byte) => byte * 3) }));
      });
      top.test("reset", ({ registers }) => {
        if (registers("/dev/uio0", map).read("gain") !== 1) throw new Error("not reset");
      });
      top.test("unmapped", () => { kept.read("gain"); });
      top.test("reading", ({ registers }) => registers("/dev/uio0", map).write("gain", 2));`,
  });
  assertEquals(
    outcomes,
    { three: "PASS", reset: "PASS", unmapped: "ERROR", reading: "ERROR" },
    output,
  );
  assertMatch(results.tests[2]?.reason ?? "", /not mapped any more/);
  assertMatch(results.tests[3]?.reason ?? "", /pass \{ write: true \}/);
});

Deno.test("an author's error keeps its stack, file and line in the journal and in JUnit", async () => {
  const { results, output } = await denoTest({
    mine: `const top = await hil();
      function inner(): never { throw new TypeError("a slip"); }
      top.test("slips", () => {
        inner();
      });
      top.test("expects", async ({ loop }) => {
        await loop.run({ expect: () => inner() });
      });`,
  });
  for (const test of results.tests) {
    assertEquals(test.outcome, "ERROR");
    // the helper adds one line before the file
    assertMatch(test.reason ?? "", /^TypeError: a slip \(.*mine_test\.ts:3:\d+\)$/);
    assertMatch(test.stack ?? "", /^TypeError: a slip\n\s+at inner \(.*mine_test\.ts:3:\d+\)/);
    assertStringIncludes(output, "mine_test.ts");
  }
  assertMatch(results.tests[0]?.stack ?? "", /mine_test\.ts:5:\d+/);
  assertMatch(
    toJUnit(results),
    /<error type="ERROR" message="TypeError: a slip[^>]*>TypeError: a slip\n\s+at inner/,
  );
});

Deno.test("a test fails for its own reason, also if `using` cannot free something after it", async () => {
  const { outcomes, results } = await denoTest({
    mine: `const top = await hil();
      const stuck = (name) => ({ [Symbol.dispose]() { throw new Error(name + " is in use"); } });
      top.test("wrong", () => {
        using outer = stuck("the file");
        using inner = stuck("the memory");
        throw Object.assign(new Error("one is not two"), { name: "AssertionError" });
      });
      top.test("late", { policy: "streaming" }, ({ device }) => {
        using memory = stuck("the memory");
        using block = device.alloc({ direction: "rx", policy: "streaming", size: 64 })[0];
        block.enqueue();
        device.dequeue("rx", { timeoutMs: 10 });
      });
      top.test("skipped", ({ skip }) => {
        using memory = stuck("the memory");
        skip("no lamp");
      });
      top.test("alone", () => {
        using memory = stuck("the memory");
      });`,
  });
  assertEquals(outcomes, { wrong: "FAIL", late: "TIMEOUT", skipped: "SKIP", alone: "ERROR" });
  const [wrong, late, skipped] = results.tests.map(({ reason }) => reason ?? "");
  assertMatch(
    wrong ?? "",
    /^AssertionError: .*one is not two.*; then the memory is in use; then the file is in use$/s,
  );
  assertMatch(late ?? "", /ETIMEDOUT.*; then the memory is in use$/);
  assertEquals(skipped, "no lamp; then the memory is in use");
});

Deno.test("a wrong option is an error of its test, which names the option and what was expected", async () => {
  const fn = "async ({ loop }) => assertIntact(await loop.run({ frames: 3 }))";
  const { outcomes, results } = await denoTest({
    mine: `const top = await hil();
      top.matrix("size", { size: [64, 3.5] }, ${fn});
      top.matrix("list", { size: 4096 }, ${fn});
      top.matrix("policy", { policy: "streaming" }, ${fn});
      top.matrix("depth", { depth: [1, "maxx"] }, ${fn});
      top.test("name", { polcy: "none" }, ${fn});
      top.test("time", { timeoutSeconds: "5" }, ${fn});
      top.test("run", ({ loop }) => loop.run({ frmes: 3 }));
      top.test("send", ({ tx }) => tx.send({ depth: 0 }));
      top.test("receive", ({ rx }) => rx.receive({ expect: patterns.counter(), size: "64" }));
      top.test("promise", ({ loop }) => assertIntact(loop.run({ frames: 3 })));
      top.test("boolean", async ({ loop }) => assertIntact(await loop.run({ frames: 3, compare: () => true })));
      top.test("nothing", async ({ loop }) => assertIntact(await loop.run({ frames: 3, compare: () => {} })));
      top.test("far", async ({ loop }) => assertIntact(await loop.run({ frames: 3, compare: () => ({ offset: 99999, text: "bad" }) })));
      top.test("pattern", ({ loop }) => loop.run({ pattern: "prbs7" }));
      top.test("expect", ({ rx }) => rx.receive({ frames: 3 }));
      top.test("limit", ({ measure }) => measure("rate", 9, "MB/s", { maximum: 1 }));
      top.test("bound", ({ measure }) => measure("rate", 9, "MB/s", { max: "1" }));
      top.test("value", ({ measure }) => measure("rate", "9", "MB/s"));
      top.test("right", ${fn});`,
    other: `const top = await hil({ bitsteam: "top.bit" });
      top.test("right", ${fn});`,
  });
  assertEquals(Object.entries(outcomes).filter(([, outcome]) => outcome !== "ERROR"), [
    ["right", "PASS"],
  ]);
  const reasons = Object.fromEntries(
    results.tests.map(({ name, reason }) => [name.replace("mine: ", ""), reason ?? ""]),
  );
  for (
    const [name, expected] of [
      [
        "size",
        'size of matrix() to be a whole number of bytes from 1, "block" or "largest", found 3.5',
      ],
      ["list", "size of matrix() to be a list, such as [4096], found 4096"],
      [
        "policy",
        'policy of matrix() to be "all" or a list, such as ["streaming"], found "streaming"',
      ],
      ["depth", 'depth of matrix() to be a whole number of blocks from 1, or "max", found "maxx"'],
      ["name", "an option of test() to be policy, found polcy"],
      ["time", 'timeoutSeconds of test() to be a number from 0, found "5"'],
      ["run", "an option of loop.run() to be frames, found frmes"],
      ["send", "depth of tx.send() to be a whole number from 1, found 0"],
      ["receive", 'size of rx.receive() to be a whole number from 1, found "64"'],
      [
        "boolean",
        "null or { offset, text } from compare() for frame 0, with an offset within the frame, found true",
      ],
      [
        "nothing",
        "null or { offset, text } from compare() for frame 0, with an offset within the frame, found undefined",
      ],
      [
        "far",
        'null or { offset, text } from compare() for frame 0, with an offset within the frame, found {"offset":99999,"text":"bad"}',
      ],
      ["pattern", 'pattern of loop.run() to be a pattern such as patterns.prbs31(), found "prbs7"'],
      [
        "expect",
        "expect of rx.receive() to be a function, or a pattern such as patterns.prbs31(), found undefined",
      ],
      ["limit", "an option of measure() to be one of min, max, at, spread, found maximum"],
      ["bound", "the limit of rate to be a number, found 1"],
      ["value", 'the value of rate to be a number, found "9"'],
      ["promise", "the report of a run, found a promise: await the run"],
    ] as const
  ) {
    assertStringIncludes(reasons[name] ?? "", `Expected ${expected}`);
    // what compare() returned is found out too deep for the author's line to be in the stack
    if (expected.includes("compare()")) continue;
    assertMatch(reasons[name] ?? "", /\(.*mine_test\.ts:\d+(:\d+)?\)$/);
  }
  const misspelt = "Expected an option of hil() to be bitstream, found bitsteam";
  assertEquals(reasons["options of other"], misspelt);
});
