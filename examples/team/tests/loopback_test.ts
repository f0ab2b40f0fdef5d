// SPDX-License-Identifier: MIT
// A design that returns every frame unchanged. All policies are tested, and the control must fail.
import { assertIntact, hil, patterns } from "@plumbline/hil";
import { bitstream } from "../bitstreams.ts";

const top = await hil({ bitstream: bitstream("loopback") });

top.matrix(
  "loop",
  { policy: "all", size: [64, 4096, 65536], depth: [1, "max"] },
  async ({ loop }) => assertIntact(await loop.run()),
);

top.test("wires survive every bit switching at once", async ({ loop }) =>
  assertIntact(await loop.run({ frames: 50, pattern: patterns.switching() })));
