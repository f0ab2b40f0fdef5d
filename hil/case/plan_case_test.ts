// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { DyploSyscalls } from "../../driver/adapters/dyplo.ts";
import { FakeDyplo } from "../../driver/adapters/testing/fake_dyplo.ts";
import { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { runLoop } from "../frames/loop.ts";
import { patterns } from "../patterns/mod.ts";
import { parseSettings } from "../settings/settings.ts";
import { planCase } from "./plan_case.ts";
import type { Session } from "./session.ts";

/** The parameters of a case on a device, or why it is skipped. */
function choose(device: Device, size: number | "block", depth: number | "max" = "max") {
  const session = { suite: "s", settings: parseSettings({}), infos: [device.info] };
  const options = { policy: "streaming-lazy", size, depth } as const;
  const plan = planCase(session as unknown as Session, "loop", options, "streaming-lazy");
  return plan.choose([device.info]);
}

Deno.test("planCase() leaves guards out where an engine moves only the beginning of a block", () => {
  const syscalls = new DyploSyscalls(new FakeDyplo());
  using foreign = Device.open({ path: "/dev/dyplod0", syscalls });
  for (const size of [64, 4096, "block"] as const) {
    const chosen = choose(foreign, size);
    if (typeof chosen === "string") throw new Error(chosen);
    assertEquals([chosen.guarded, chosen.policy], [false, "streaming-lazy"]);
    // the case runs with what was chosen
    const pattern = patterns.tagged().create({ seed: 1, maxLength: 2 ** 20 + 4096 });
    const frames = size === "block" ? 4 : 30;
    const report = runLoop(foreign, pattern, { ...chosen, depth: 2, frames, seconds: Infinity });
    assertEquals([report.frames, report.faults.length, report.timeout], [frames, 0, null]);
  }
  assertEquals(choose(foreign, 63), "the engine moves only multiples of 8 bytes");
  using sim = Device.open({ syscalls: new SimBoard({ seed: 1 }) });
  const chosen = choose(sim, 4096);
  assertEquals(typeof chosen === "string" ? chosen : chosen.guarded, true);
});

Deno.test("planCase() skips a depth of more blocks than the device has", () => {
  using device = Device.open({ syscalls: new SimBoard({ seed: 1 }) });
  const { maxBlocks } = device.info;
  assertEquals(typeof choose(device, 64, maxBlocks), "object");
  assertEquals(
    choose(device, 64, maxBlocks + 1),
    `${maxBlocks + 1} blocks in flight exceed the ${maxBlocks} blocks of the device`,
  );
});
