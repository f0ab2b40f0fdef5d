// SPDX-License-Identifier: MIT
/**
 * Frames of random lengths on the simulated board, into whose blocks a part of another frame is written, at a random
 * place. It must be caught in a frame and after its end, whoever judges the frames, and whether poison was stored.
 *
 * `PLUMBLINE_SEED` draws others. `PLUMBLINE_FULL=1` draws ten times as many.
 */

import { assert, assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { Random } from "../../driver/testing/random.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { tolerance } from "../verify/tolerance.ts";
import { isIntact } from "./intact.ts";
import { runLoop } from "./loop.ts";
import type { LoopFlowOptions } from "./options.ts";

const seed = Number(Deno.env.get("PLUMBLINE_SEED") ?? 20_260_401);
const RUNS = Deno.env.get("PLUMBLINE_FULL") === "1" ? 2000 : 200;
const FRAMES = 12;

/** Those of blocks that the CPU may write to. */
const POLICIES: readonly PolicyName[] = [
  "streaming",
  "coherent",
  "noncoherent",
  "manual",
  "user-pages",
];

const WAYS: Readonly<Record<string, Partial<LoopFlowOptions>>> = {
  "every byte": {},
  expect: { expect: (frame) => frame },
  compare: { compare: tolerance.lsb(0) },
  both: { expect: (frame) => frame, compare: tolerance.lsb(0) },
};

Deno.test("runLoop() finds what is written into a frame or after its end, whoever judges the frames", () => {
  const random = new Random(seed);
  for (const [name, way] of Object.entries(WAYS)) {
    let after = 0;
    for (let i = 0; i < RUNS; i++) {
      const policy = POLICIES[random.below(POLICIES.length)] ?? "streaming";
      const spec = random.below(2) === 0 ? patterns.tagged() : patterns.random();
      const pattern = spec.create({ seed: random.below(2 ** 31), maxLength: 1 << 16 });
      const sizes = Array.from({ length: FRAMES }, () => 2 * (1 + random.below(700)));
      const size = Math.max(...sizes);
      const depth = 2 + random.below(5);
      const run = (fault: string) => {
        using board = new SimBoard({ seed: 1 + i });
        using device = Device.open({ syscalls: board });
        const report = runLoop(device, pattern, {
          ...{ policy, depth, frames: FRAMES, size, timeoutMs: 100, ...way },
          lengths: (sequence) => sizes[sequence] ?? 2,
          onPrimed: () => fault === "" || board.arm(fault),
        });
        return { report, injected: board.disarm() };
      };
      const at = random.below(size - 1);
      const fault = `kind=stray at=${at} bytes=${8 << random.below(5)} frame=${
        random.below(FRAMES)
      }`;
      const where = `seed ${seed}, ${name} ${i}: ${policy}, depth ${depth}, ${sizes}, ${fault}`;
      assertEquals(run("").report.faults, [], where);
      const { report, injected } = run(fault);
      const [, victim, length] = /^frame=(\d+) .* length=(\d+)/.exec(injected[0] ?? "") ?? [];
      // a byte or two may be what was there before
      if (injected[0]?.includes("missed=") !== false || Number(length) < 3) continue;
      assert(!isIntact(report), `${where} was not caught: ${injected}`);
      if (at >= (sizes[Number(victim)] ?? 0)) after++;
    }
    assert(after > RUNS / 10, `${name}: ${after} of ${RUNS} struck after the end of a frame`);
  }
});
