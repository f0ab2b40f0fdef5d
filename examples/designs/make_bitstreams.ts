// SPDX-License-Identifier: MIT
// Writes virtual bitstreams for these designs, for a virtual board on which a program plays their models
// (fixtures/boards/vm/softdma/play.ts). A real team has bitstreams from Vivado instead.
import { virtualBitstream, virtualPromise } from "../../fixtures/bitstream/virtual.ts";

const dir = Deno.args[0] ?? ".";
Deno.mkdirSync(dir, { recursive: true });
["camera", "fir", "packetiser", "gain"].forEach((name, i) => {
  const bytes = virtualBitstream({ core: "model", id: 0x2001 + i });
  Deno.writeFileSync(`${dir}/${name}.bit`, bytes);
  Deno.writeTextFileSync(`${dir}/${name}.bit.json`, JSON.stringify(virtualPromise(bytes)));
});
