// SPDX-License-Identifier: MIT

import { assertEquals } from "@std/assert";
import { failedStep } from "./program.ts";
import { REPEATED } from "./protocol.ts";

Deno.test("failedStep() reads the number of a call beyond the first 256", () => {
  const payload = new Uint8Array(REPEATED.size);
  new DataView(payload.buffer).setUint32(REPEATED.at.failed_step, 300, true);
  assertEquals(failedStep(payload), 300);
});
