// SPDX-License-Identifier: MIT
import { assertEquals, assertMatch } from "@std/assert";
import { whyNoCheck } from "../../suites/abi/engine.ts";

Deno.test("whyNoCheck() names a missing channel, and an engine that nothing knows to be idle", () => {
  const unknown = { provesIdle: false, trustsTerminate: false };
  const trusted = { ...unknown, trustsTerminate: true };
  assertEquals(whyNoCheck({ tx: trusted, rx: { ...unknown, provesIdle: true } }), null);
  for (const channels of [{ tx: trusted, rx: unknown }, { tx: unknown, rx: trusted }]) {
    assertMatch(`${whyNoCheck(channels)}`, /no RESET can know when this engine is idle/);
  }
  assertMatch(`${whyNoCheck({ tx: null, rx: trusted })}`, /a channel for tx/);
  assertMatch(`${whyNoCheck({ tx: trusted, rx: null })}`, /a channel for rx/);
});
