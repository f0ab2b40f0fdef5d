// SPDX-License-Identifier: MIT
// Run in a guest by vm_test.ts: audits the adversarial bus under every truth that needs no other module parameter.
import { assertEquals } from "@std/assert";
import { Device } from "../../../driver/device.ts";
import { bus } from "../../../fixtures/boards/vm/bus/testing/bus.ts";
import { audit } from "../mod.ts";
import { expectTruth, SNOOPS, TRUTHS } from "./truths.ts";

const [kernel, seeds] = [Deno.args[0], Number(Deno.args[1])];
assertEquals(Deno.args.length, 2, "usage: on_bus.ts coherent|syncs SEEDS");
/** An invalidate must not uncover what the pages held before, which here is in memory under the zeros. */
function uncoversNothing(): void {
  using device = Device.open({ path: "/dev/pldma0" });
  const before = new Set(bus.mappings().map(({ number }) => number));
  const [block] = device.alloc({ direction: "rx", policy: "manual", size: 4096 });
  const [mapping] = bus.mappings().filter(({ number }) => !before.has(number));
  if (block === undefined || mapping === undefined) throw new Error("there is no mapping");
  // a driver that believes in coherence did not clean the zeros, and a driver that syncs did
  assertEquals(bus.memory(mapping).every((byte) => byte === 0), kernel === "syncs");
  block.cache("invalidate");
  assertEquals(block.bytes().every((byte) => byte === 0), true);
}

uncoversNothing();
for (const truth of TRUTHS) {
  if (truth.coherent !== (kernel === "coherent")) continue;
  bus.set("snoop_read", SNOOPS[truth.reads]);
  bus.set("snoop_write", SNOOPS[truth.writes]);
  for (let seed = 1; seed <= seeds; seed++) {
    bus.set("seed", seed);
    using device = Device.open({ path: "/dev/pldma0" });
    expectTruth(
      audit(device, { lines: 32, repeats: 8, seed }),
      truth,
      `${truth.name}, seed ${seed}`,
    );
  }
  console.log(truth.name);
}
