// SPDX-License-Identifier: MIT
// The scenario on the simulated board, which is the reference for every engine, and the comparison itself.
import { assert, assertEquals } from "@std/assert";
import { Device } from "../../../driver/device.ts";
import { SimBoard } from "../../../fixtures/boards/sim/mod.ts";
import { compare, type Explanation } from "./testing/compare.ts";
import { runOnSim } from "./testing/on_sim.ts";
import { runScenario } from "./testing/scenario.ts";

Deno.test("the scenario ends on sim as the ioctl API says, for several seeds", () => {
  for (const seed of [1, 2, 3]) {
    const { steps } = runOnSim(seed);
    for (const { kind, name, outcome } of steps) {
      const [, length] = /, (\d+) of \d+$/.exec(name) ?? [];
      if (kind === "whole frame" || kind === "short frame") {
        assertEquals(outcome, `tx ok ${length}, rx ok ${length} right`, name);
      } else assert(!/wrong|queued|EIO|EINVAL/.test(outcome), `${name}: ${outcome}`);
    }
    assertEquals(steps.at(-1)?.outcome, "0 blocks changed after they were given back");
    assertEquals(new Set(steps.map(({ kind }) => kind)).size, 14);
  }
});

Deno.test("compare() is red for a board that damages, cuts or loses a frame", () => {
  const reference = runOnSim(1);
  assertEquals(compare("same", runOnSim(1), reference).disagreements, []);
  for (
    const [fault, disagreements] of [
      ["kind=flip frame=3", 1],
      ["kind=short frame=3", 1],
      ["kind=hole direction=rx bytes=64 frame=3", 1],
      ["kind=lost-interrupt direction=rx frame=3", 1],
    ] as const
  ) {
    using board = new SimBoard({ seed: 1 });
    using device = Device.open({ syscalls: board });
    board.arm(fault);
    const found = compare(fault, runScenario(device, 1), reference).disagreements;
    assert(found.length >= disagreements, `${fault}: ${found.join("\n")}`);
  }
  // another seed is another scenario
  assertEquals(compare("other", runOnSim(2), reference).disagreements.length, 1);
});

Deno.test("compare() accepts what is explained of this engine, and nothing else", () => {
  const reference = runOnSim(1);
  const outcome = "rx ETIMEDOUT, reset EIO, right";
  const steps = reference.steps.map((step) =>
    step.kind === "receive without transmit" ? { ...step, outcome } : step
  );
  const run = { ...reference, engine: "some-dma", steps };
  const why = "its driver does not wait";
  const known = (of: Explanation["of"], text = outcome): Explanation[] => [
    { of, kind: "receive without transmit", outcome: text, why },
  ];
  const count = (explanations: Explanation[], quirks: Explanation["of"][] = []) =>
    compare(
      "board",
      { ...run, quirks: quirks.flatMap((of) => "quirk" in of ? [of.quirk] : []) },
      reference,
      explanations,
    ).disagreements.length;
  const unused = compare("board", run, reference, [
    ...known({ engine: "some-dma" }, "rx ok 0"),
    ...known({ engine: "other-dma" }),
    ...known({ board: "board" }),
  ]).unused;
  assertEquals(unused.map(({ outcome }) => outcome), ["rx ok 0"]);
  assertEquals(count([]), 1);
  assertEquals(count(known({ engine: "some-dma" })), 0);
  assertEquals(count(known({ engine: "other-dma" })), 1);
  assertEquals(count(known({ engine: "some-dma" }, "rx ETIMEDOUT, reset returned 0, right")), 1);
  assertEquals(count(known({ quirk: "terminate" })), 1);
  assertEquals(count(known({ quirk: "terminate" }), [{ quirk: "terminate" }]), 0);
});
