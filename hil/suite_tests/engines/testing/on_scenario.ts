// SPDX-License-Identifier: MIT
// Run in a guest by ../vm_test.ts: the scenario on one device. Arguments: its path, the seed, of what lengths are multiples,
// and the patience. The output is JSON.
import { Device } from "../../../../driver/device.ts";
import { runScenario } from "./scenario.ts";

if (import.meta.main) {
  const [path = "/dev/pldma0", seed = "1", multiple = "1", patience = "1"] = Deno.args;
  using device = Device.open({ path });
  console.log(
    JSON.stringify(runScenario(device, Number(seed), Number(multiple), Number(patience))),
  );
}
