// SPDX-License-Identifier: MIT
// hil() as a test author meets it: test files made for the occasion, run by a real `deno test` on the
// simulated board. It has more than 400 lines, because all of its tests share that.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { denoTest } from "./testing/deno_test.ts";

const MATRIX = `
const top = await hil();
top.matrix("loop", { policy: "all", size: [64, 4096], depth: [1, "max"] },
  async ({ loop, frames }) => assertIntact(await loop.run({ frames, pattern: patterns.tagged() })));
`;

Deno.test("matrix() registers one test for each case, which a filter finds", async () => {
  const { code, output, results } = await denoTest(
    { mine: MATRIX },
    ["--frames=20"],
    { flags: ["--filter=policy=streaming "] },
  );
  assertEquals(code, 0, output);
  const ran = output.split("\n").filter((line) => line.startsWith("loop"));
  assertEquals(ran.map((line) => line.replace(/ \.\.\..*/, "")), [
    "loop policy=streaming size=64 depth=1",
    "loop policy=streaming size=64 depth=max",
    "loop policy=streaming size=4096 depth=1",
    "loop policy=streaming size=4096 depth=max",
  ]);
  const passed = results.tests.filter((test) => test.outcome === "PASS");
  assertEquals(passed.map(({ suite, frames }) => `${suite} ${frames}`), Array(4).fill("mine 20"));
  // those that the filter left out were registered: the journal says that they never ran
  assertEquals(results.summary.error, results.tests.length - 4);
});

Deno.test("settings choose cases, and what they leave empty fails", async () => {
  const some = await denoTest({ mine: MATRIX }, ["--policy=none,manual", "--size=1K", "--depth=2"]);
  assertEquals(some.code, 0, some.output);
  assertEquals(some.outcomes, {
    "loop policy=manual size=1024 depth=2": "PASS",
    "loop policy=none size=1024 depth=2": "XFAIL",
  });

  const narrow = MATRIX.replace('"all"', '["coherent"]');
  const empty = await denoTest({ mine: narrow }, ["--policy=none"]);
  assertEquals(empty.code, 1);
  assertStringIncludes(empty.output, "mine has cases ... FAILED");
  assertEquals(empty.results.verdict?.exit, 3);

  const typo = await denoTest({ mine: MATRIX, other: MATRIX }, ["--suite=othr"]);
  assertEquals(typo.code, 1);
  assertStringIncludes(typo.output, 'found "othr": did you mean other?');

  const wrong = await denoTest({ mine: MATRIX }, ["--size=0"]);
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.output, "Expected --size to be at least 1 byte");
});

Deno.test("test() runs the next cases at once after one that blocks its process", async () => {
  const limit = { timeoutSeconds: 1 };
  const body = (name: string, text: string) =>
    `top.test("${name}", ${JSON.stringify(limit)}, async ({ loop }) => { ${text} });\n`;
  const passes = "assertIntact(await loop.run({ frames: 3 }));";
  const { code, output, results, outcomes } = await denoTest({
    mine: "const top = await hil();\n" + body("spins", "while (true) {}") +
      body("second", passes) + body("third", passes) +
      body("spins after damage", `await loop.run({ frames: 3, policy: "none" }); while (true) {}`),
  });
  assertEquals(code, 1, output);
  assertEquals(outcomes, {
    ...{ "spins": "ERROR", "second": "PASS", "third": "PASS", "spins after damage": "FAIL" },
  });
  for (const { outcome, reason, seconds } of results.tests) {
    if (outcome === "PASS") continue;
    const seen = outcome === "FAIL" ? "frame 0 of 3, offset \\d+: \\S+; then the" : "The";
    const pattern = `^${seen} test did not end within 1 s, and blocked its process, so that only`;
    assertMatch(reason ?? "", new RegExp(pattern));
    assertEquals(seconds > 1, true);
  }
});

Deno.test("--suite leaves the other files out", async () => {
  const { code, output, results } = await denoTest(
    { mine: MATRIX, other: MATRIX },
    ["--suite=other", "--policy=coherent", "--frames=5"],
  );
  assertEquals(code, 0, output);
  assertEquals([...new Set(results.tests.map(({ suite }) => suite))], ["other"]);
  // each file closed its plan, and none knows of the other
  assertEquals(results.verdict?.exit, 0, results.verdict?.reason);
  assertMatch(results.verdict?.reason ?? "", /; deno test ran the files, so a file that did not /);
});

Deno.test("a suite without a board fails once and says which step is missing", async () => {
  const { code, output, results } = await denoTest(
    { mine: MATRIX },
    ["--device=/dev/pldma-none"],
    { board: "local" },
  );
  assertEquals(code, 1);
  assertStringIncludes(output, "the board is there ... FAILED");
  assertStringIncludes(output, "There is no /dev/pldma-none");
  assertEquals(results.tests.length, 1);
  assertEquals(results.verdict?.exit, 3);
});

/** A body of one test, and the outcome, exit status and reason that it must lead to. */
const ENDS: [name: string, body: string, outcome: string, reason: RegExp][] = [
  [
    "asserts nothing about its frames",
    "await loop.run({ frames: 3 });",
    "ERROR",
    /did not assert their report/,
  ],
  [
    "asserts nothing about frames that were wrong",
    'await loop.run({ frames: 3, policy: "none" });',
    "FAIL",
    /frame 0 of 3, .*the test did not assert the report/,
  ],
  [
    "finds damaged frames",
    'assertIntact(await loop.run({ frames: 3, policy: "none", size: 4096 }));',
    "FAIL",
    /frame 0 of 3, offset/,
  ],
  ["throws", 'throw new TypeError("a slip");', "ERROR", /TypeError: a slip/],
  ["throws nothing", "throw null;", "ERROR", /threw nothing/],
  [
    "fails an assertion of its own",
    'const error = new Error("1 is not 2"); error.name = "AssertionError"; throw error;',
    "FAIL",
    /1 is not 2/,
  ],
  [
    "waits for a frame that never comes",
    `const [block] = device.alloc({ direction: "rx", policy: "streaming", size: 64 });
     block.enqueue(); device.dequeue("rx", { timeoutMs: 20 });`,
    "TIMEOUT",
    /ETIMEDOUT/,
  ],
  ["never ends", "await new Promise(() => { setTimeout(() => {}, 1e6); });", "ERROR", /within 1 s/],
  ["skips itself", 'skip("no such feature");', "SKIP", /no such feature/],
  ["leaves by Deno.exit", "Deno.exit(0);", "ERROR", /exit/],
  [
    "sends with a policy that has no blocks, in a case of another one",
    'assertIntact(await tx.send({ frames: 3, policy: "bounce" }));',
    "ERROR",
    /Expected another policy than bounce, because tx\.send needs blocks/,
  ],
  [
    "looks for a fault itself",
    `const report = await loop.run({ frames: 3, policy: "none" });
     try { assertIntact(report); } catch { return; }
     throw new Error("nothing was wrong");`,
    "PASS",
    /^$/,
  ],
  [
    "skips itself after frames that were wrong",
    'await loop.run({ frames: 3, policy: "none" }); skip("no such feature");',
    "FAIL",
    /frame 0 of 3, .*the test did not assert the report/,
  ],
  [
    "throws after frames that were wrong",
    'await loop.run({ frames: 3, policy: "none" }); throw new TypeError("a slip");',
    "FAIL",
    /frame 0 of 3, offset .*; then TypeError: a slip/,
  ],
  [
    "gets an error after wrong frames",
    `const dequeue = device.dequeue; let left = 8;
     device.dequeue = (...args) => {
       if (--left < 0) throw new Error("the bus is gone");
       return dequeue.apply(device, args);
     };
     await loop.run({ frames: 99, size: 64, depth: 1, policy: "none" });`,
    "FAIL",
    /frame 0 of 99, offset .*; then Error: the bus is gone/,
  ],
  [
    "takes longer than its time for its frames",
    "assertIntact(await loop.run({ frames: 1e8, size: 64, depth: 1 }));",
    "TIMEOUT",
    /frame \d+: the time for this test is over/,
  ],
  ["asks for no frame", "await loop.run({ frames: 0 });", "ERROR", /Expected frames to be/],
];

Deno.test("test() judges how a test ends, and the next test gets a free board", async () => {
  const tests = ENDS.map(([name, body]) =>
    `top.test(${JSON.stringify(name)}, { timeoutSeconds: 1 },
      async ({ device, loop, tx, rx, skip }) => { ${body} });
     top.test(${JSON.stringify(`after: ${name}`)},
      async ({ loop }) => assertIntact(await loop.run({ frames: 4, size: 100 })));`
  );
  const { code, output, results } = await denoTest({
    mine: `const top = await hil();\n${tests.join("\n")}`,
  });
  assertEquals(code, 1);
  for (const [name, , outcome, reason] of ENDS) {
    const test = results.tests.find((one) => one.name === name);
    assertEquals(test?.outcome, outcome, `${name}: ${test?.reason}`);
    assertMatch(test?.reason ?? "", reason);
    const after = results.tests.find((one) => one.name === `after: ${name}`);
    assertEquals(after?.outcome, "PASS", `${name}: ${after?.reason}`);
  }
  // what Deno says is what the journal says
  const failed = ENDS.filter(([, , outcome]) => outcome !== "SKIP" && outcome !== "PASS").length;
  assertStringIncludes(output, `${2 * ENDS.length - failed} passed | ${failed} failed`);
});

Deno.test("a design that transforms is held against expect, also where lengths differ", async () => {
  const { outcomes, results } = await denoTest({
    mine: `const top = await hil();
      const back = (tx) => tx.slice();
      const inverted = (tx) => tx.map((byte) => byte ^ 0xff);
      const half = (tx) => tx.slice(0, tx.length / 2);
      for (const policy of ["streaming", "bounce"]) {
        top.test("same " + policy, async ({ loop }) =>
          assertIntact(await loop.run({ policy, frames: 9, size: 1000, expect: back })));
        top.test("inverted " + policy, async ({ loop }) =>
          assertIntact(await loop.run({ policy, frames: 9, size: 1000, expect: inverted })));
        top.test("half " + policy, async ({ loop }) =>
          assertIntact(await loop.run({ policy, frames: 9, size: 1000, expect: half })));
      }`,
  });
  for (const policy of ["streaming", "bounce"]) {
    assertEquals(outcomes[`same ${policy}`], "PASS");
    // a plain loop inverts nothing, and does not fit into half
    assertEquals(outcomes[`inverted ${policy}`], "FAIL");
    assertMatch(outcomes[`half ${policy}`] ?? "", /FAIL|ERROR/);
  }
  const [same] = results.tests;
  assertEquals([same?.frames, same?.bytes], [9, 9000]);
});

Deno.test("run() surrounds frames with guards unless its own frames leave no room for them", async () => {
  const test = (name: string, sizes: string, options = "{}") =>
    `top.test("${name}", ${options}, async ({ loop, device }) => {
      const { maxBlock } = device.info.policies.streaming;
      assertIntact(await loop.run({ frames: 4, depth: 2, ${sizes} })); });\n`;
  const { outcomes, output } = await denoTest({
    mine: "const top = await hil();\n" + test("block", "size: maxBlock") +
      test("lengths", "lengths: [64, maxBlock]") + test("small", "size: 64") +
      test("small of block", "size: 64", '{ size: "block" }'),
  }, ["--fault=kind=overrun frame=2"]);
  // only guards show what was written behind a frame
  assertEquals(outcomes, {
    ...{ "block": "PASS", "lengths": "PASS", "small": "FAIL", "small of block": "FAIL" },
  }, output);
});

Deno.test("send() and receive() skip the cases of a policy that has no blocks", async () => {
  const size = "{ policy: ['coherent', 'bounce'], size: [256], depth: [2] }";
  const send = await denoTest({
    mine: `const design = designs.checker(() => ({ length }) => length);
      const top = await hil({ design });
      top.matrix("send", ${size}, async ({ tx, policy }) =>
        assertIntact(await tx.send({ policy, frames: 5, accept: () => null })));`,
  });
  const receive = await denoTest({
    mine: `const make = (n, length) => new Uint8Array(length).fill(n);
      const top = await hil({ design: designs.generator(() => (n) => make(n, 256)) });
      top.matrix("receive", ${size}, async ({ rx }) =>
        assertIntact(await rx.receive({ frames: 5, expect: make })));`,
  });
  for (
    const [name, call, { code, results, output }] of [
      ["send", "tx.send", send],
      ["receive", "rx.receive", receive],
    ] as const
  ) {
    assertEquals(code, 0, output);
    assertEquals(results.tests.map(({ name, outcome, reason }) => [name, outcome, reason]), [
      [`${name} policy=coherent size=256 depth=2`, "PASS", null],
      [
        `${name} policy=bounce size=256 depth=2`,
        "SKIP",
        `${call} needs blocks, and policy bounce has a ring for read() and write() instead`,
      ],
    ]);
  }
});

Deno.test("several devices run side by side, and a fault names its device", async () => {
  const devices = "--device=/dev/pldma0,/dev/pldma1,/dev/pldma2";
  const good = await denoTest({ mine: MATRIX }, [devices, "--policy=streaming", "--frames=7"]);
  assertEquals(good.code, 0, good.output);
  assertEquals(good.results.tests.map(({ frames }) => frames), [21, 21, 21, 21]);
  const bad = await denoTest(
    { mine: MATRIX },
    [devices, "--policy=streaming", "--size=4096", "--depth=1", "--fault=kind=flip frame=3"],
  );
  assertEquals(bad.code, 1);
  const { faults = [] } = bad.results.tests[0] ?? {};
  assertMatch(faults[0]?.detail ?? "", /^\/dev\/pldma\d: /);
});

Deno.test("completions that are mixed up are the design's failure, not the bench's", async () => {
  const { code, results } = await denoTest({ mine: MATRIX }, [
    "--policy=streaming",
    "--size=4096",
    "--fault=kind=wrong-cookie direction=rx frame=5",
  ]);
  assertEquals(code, 1);
  for (const { outcome, reason } of results.tests) {
    assertEquals(outcome, "FAIL");
    assertMatch(
      reason ?? "",
      /^MixUpError: Expected rx block \d+ back with frame 5, found .*frame 4/,
    );
  }
});

Deno.test("a hang after damage is the design's failure, and the damage stays", async () => {
  const at = ["--policy=streaming", "--size=4096", "--depth=1"];
  for (const hang of ["wedge", "stall"]) {
    const fault = `--fault=kind=flip frame=3; kind=${hang} frame=5`;
    const { code, results } = await denoTest({ mine: MATRIX }, [...at, fault]);
    assertEquals(code, 1);
    const [{ outcome, reason, faults, late } = { outcome: "", reason: "", faults: [] }] =
      results.tests;
    assertEquals([outcome, faults.length, faults[0]?.kind], ["FAIL", 1, "bit-flip"]);
    assertEquals([late?.direction, late?.frame, late?.idle], ["rx", 5, hang === "stall"]);
    assertMatch(reason ?? "", /^frame 3 of \d+, .*: bit-flip; then frame 5: no rx completion/);
    assertEquals(/RESET could not prove/.test(reason ?? ""), hang === "wedge");
  }
});

Deno.test("damage stays if the process dies in the middle of a run", async () => {
  const { results } = await denoTest({
    mine: `const top = await hil();
      top.test("dies", { policy: "streaming", size: 4096, depth: 1 }, async ({ loop }) => {
        let frames = 0;
        await loop.run({
          expect: (frame) => {
            if (++frames === 40) Deno.kill(Deno.pid, "SIGKILL");
            return frame;
          },
        });
      });`,
  }, ["--fault=kind=flip at=9 frame=3"]);
  const [{ outcome, reason, faults } = { outcome: "", reason: "", faults: [] }] = results.tests;
  assertEquals([outcome, faults[0]?.kind, faults[0]?.frame], ["FAIL", "bit-flip", 3]);
  assertMatch(reason ?? "", /^frame 3, offset 9: bit-flip; then died here/);
});

Deno.test("policy none is no excuse for what no missing sync explains", async () => {
  const at = ["--policy=none", "--size=4096", "--depth=1", "--frames=20"];
  const flip = "--fault=kind=flip at=9 bit=1 frame=5";
  const coherent = await denoTest({ mine: MATRIX }, [...at, "--coherent", flip]);
  assertEquals(coherent.outcomes, { "loop policy=none size=4096 depth=1": "FAIL" });
  assertMatch(coherent.results.tests[0]?.reason ?? "", /frame 5 of 20, offset 9: bit-flip/);
  // nor is it where no data are seen, as in a transfer that the engine failed
  const error = "--fault=kind=error direction=rx frame=5";
  const failed = await denoTest({ mine: MATRIX }, [...at, "--coherent", error]);
  assertEquals(failed.outcomes, { "loop policy=none size=4096 depth=1": "FAIL" });
  const control = await denoTest({
    mine: `const top = await hil();
      top.matrix("wrong", { policy: ["none"], size: [64], depth: [1] }, () => {
        const error = new Error("1 is not 2");
        error.name = "AssertionError";
        throw error;
      });`,
  });
  assertEquals(control.outcomes, { "wrong policy=none size=64 depth=1": "FAIL" });
});

Deno.test("hil() fails a file whose controls passed or were skipped", async () => {
  const { code, output } = await denoTest({
    mine: `const top = await hil();
      top.matrix("idle", { policy: ["none"], size: [64, 128], depth: [1] },
        ({ size, skip }) => { if (size === 64) skip("not here"); });`,
  });
  assertEquals(code, 1, output);
  assertStringIncludes(output, "No control failed, and 1 passed without any sync");
});

Deno.test("hil() does not throw for a bitstream that is no file, but fails one test", async () => {
  const { code, output } = await denoTest({
    mine: `const top = await hil({ bitstream: new URL("https://example.com/top.bit") });
      top.test("never", () => {});`,
  });
  assertEquals(code, 1);
  assertStringIncludes(output, "Expected the bitstream to be a path or a file: URL");
});

Deno.test("--duration bounds the cases of a file by time, not by frames", async () => {
  const { code, output, results } = await denoTest(
    { mine: MATRIX },
    ["--duration=2s", "--policy=streaming,coherent", "--size=64", "--depth=4"],
  );
  assertEquals(code, 0, output);
  const frames = results.tests.map((test) => test.frames);
  assertEquals(frames.length, 2);
  // more than the 300 that a case without a number has, also on a machine with other load
  for (const count of frames) assertEquals(count > 300, true, String(count));
});

Deno.test("hil() fails a file whose control never fails, because it shows no power", async () => {
  const { code, output, outcomes } = await denoTest({
    // a matrix whose control verifies too little to see anything
    mine: `const top = await hil();
      top.matrix("idle", { policy: "all", size: [64], depth: [1] }, () => {});`,
  }, ["--policy=none"]);
  assertEquals(outcomes, { "idle policy=none size=64 depth=1": "XPASS" });
  assertEquals(code, 1, output);
  assertStringIncludes(output, "No control failed, and 1 passed without any sync");

  const coherent = await denoTest({ mine: MATRIX }, ["--policy=none", "--coherent", "--size=64"]);
  assertEquals(coherent.code, 0, coherent.output);
});

Deno.test("test() counts a repeated test by its worst outcome", async () => {
  const { results } = await denoTest(
    {
      mine: `const top = await hil();
        let runs = 0;
        top.test("flaky", () => { if (++runs === 2) throw new Error("only once"); });`,
    },
    [],
    { flags: ["--repeats=1"] },
  );
  const [test] = results.tests;
  assertEquals([test?.outcome, test?.attempts], ["ERROR", 2]);
  assertMatch(test?.reason ?? "", /^Error: only once \(.*mine_test\.ts:4:\d+\)$/);
});

Deno.test("test() keeps an author's error: its line in the journal, its stack as the cause", async () => {
  const { output, results } = await denoTest({
    mine: `const top = await hil();
      function helper() {
        throw new TypeError("a slip");
      }
      top.test("slips", () => helper());`,
  });
  assertMatch(results.tests[0]?.reason ?? "", /^TypeError: a slip \(\/.*\/mine_test\.ts:4:\d+\)$/);
  assertMatch(output, /Caused by: TypeError: a slip\n +at helper \(file:.*mine_test\.ts:4:/);
});

Deno.test("CaseContext members work when a test destructures them", async () => {
  const { output, outcomes, results } = await denoTest({
    mine: `const top = await hil();
      top.test("measures", { directions: [] }, ({ measure, skip, loop: { run } }) => {
        measure("speed", 3, "MB/s");
        if (typeof run !== "function") throw new Error("no run");
        if (measure.length === 99) skip("never");
      });`,
  });
  assertEquals(outcomes, { measures: "PASS" }, output);
  assertEquals(results.tests[0]?.measurements.map(({ name, value }) => [name, value]), [[
    "speed",
    3,
  ]]);
});

Deno.test("matrix() and test() fail for a misspelt policy, name its line, and run the other cases", async () => {
  const { code, results } = await denoTest({
    wrong: `const top = await hil();
top.matrix("loop", { policy: ["streming", "streaming"], size: [64] },
  async ({ loop }) => assertIntact(await loop.run({ frames: 3 })));
top.test("one", { policy: "nonne" }, () => {});`,
  });
  assertEquals(code, 1);
  assertEquals(
    results.tests.map(({ name, outcome, reason, place }) => [
      name,
      outcome,
      reason?.replace(/\/[^(]*\//, "") ?? null,
      place?.replace(/.*\//, ""),
    ]),
    [
      [
        "wrong: loop",
        "ERROR",
        'Expected the policy streaming, found "streming" (wrong_test.ts:3)',
        undefined,
      ],
      ["loop policy=streaming size=64 depth=max", "PASS", null, "wrong_test.ts:3"],
      [
        "wrong: one",
        "ERROR",
        'Expected the policy none, found "nonne" (wrong_test.ts:5)',
        undefined,
      ],
    ],
  );
});
