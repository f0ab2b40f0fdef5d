// SPDX-License-Identifier: MIT
// Writes the three designs of this example as virtual bitstreams, for the virtual board. A real team
// has bitstreams from Vivado instead, each with a file such as top.bit.json, from which Plumbline
// knows which core to expect.
import { virtualBitstream, virtualPromise } from "../../fixtures/bitstream/virtual.ts";

const designs = {
  loopback: { core: "loopback", id: 0x1001 },
  counter: { core: "generator", id: 0x1002 },
  scrambler: { core: "transform", id: 0x1003, args: "xor=0x5aa55aa5f00ff00f" },
};

const dir = Deno.args[0] ?? "bitstreams";
Deno.mkdirSync(dir, { recursive: true });
for (const [name, core] of Object.entries(designs)) {
  const bytes = virtualBitstream(core);
  Deno.writeFileSync(`${dir}/${name}.bit`, bytes);
  Deno.writeTextFileSync(`${dir}/${name}.bit.json`, JSON.stringify(virtualPromise(bytes)));
}
