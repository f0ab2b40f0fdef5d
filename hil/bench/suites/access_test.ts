// SPDX-License-Identifier: MIT
/**
 * How fast the CPU reads and writes a block of each policy, compared with ordinary memory of the same size.
 * This is the "20 seconds against 1" of 2015.
 */

import { hil } from "../../../mod.ts";
import { BlockSet, blockSize } from "../../frames/block_set.ts";
import { prove, timeAnywhere } from "../case.ts";
import { ifItFits } from "../memory.ts";
import { accessOf, ordinaryMemory } from "../ordinary.ts";
import { summarize } from "../../results/statistics.ts";

const top = await hil();

top.matrix(
  "access",
  { policy: "all", size: [65536, 1048576], depth: [1] },
  ifItFits(async (context) => {
    const { device, policy, size } = context;
    if (size % 8 !== 0) context.skip("words have 8 bytes");
    if (policy === "bounce") {
      context.skip("this policy has no mapped blocks: frames are copied by read() and write()");
    }
    const one = { policy, size: blockSize(device, size), count: 1 } as const;
    const rx = new BlockSet(device, { direction: "rx", ...one });
    const tx = new BlockSet(device, { direction: "tx", ...one });
    const [received, sent] = [rx.of(0), tx.of(0)];
    using program = ordinaryMemory(device, size);
    using other = ordinaryMemory(device, size);
    const [ordinary, { address }] = [program.address, other];

    const { byte, word, copy } = accessOf(device);
    if (byte(address, size) !== size) {
      throw new Error("The loop over bytes did not read every byte");
    }
    const accesses: Readonly<Record<string, readonly [() => unknown, () => unknown]>> = {
      "byte read": [() => byte(received.address, size), () => byte(address, size)],
      "word read": [() => word(received.address, size), () => word(address, size)],
      "memcpy out": [
        () => copy(ordinary, received.address, size),
        () => copy(ordinary, address, size),
      ],
      "memcpy in": [() => copy(sent.address, ordinary, size), () => copy(address, ordinary, size)],
    };
    for (const [access, [onBlock, onOrdinary]] of Object.entries(accesses)) {
      for (const [memory, run] of [["ordinary", onOrdinary], ["block", onBlock]] as const) {
        const times = timeAnywhere(context, run);
        const { value, spread } = summarize(times.map((ns) => size / Math.max(1, ns) * 1000));
        context.measure("cpu access", value, "MB/s", { at: { size, access, memory }, spread });
      }
    }
    for (const set of [rx, tx]) set[Symbol.dispose]();
    await prove(context);
  }),
);
