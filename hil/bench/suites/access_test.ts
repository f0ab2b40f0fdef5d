// SPDX-License-Identifier: MIT
/**
 * How fast the CPU reads and writes a block of each policy, compared with ordinary memory of the same size.
 * This is the "20 seconds against 1" of 2015.
 */

import { UserMemory } from "../../../driver/memory.ts";
import { hil } from "../../../mod.ts";
import { BlockSet, blockSize } from "../../frames/block_set.ts";
import { prove, sampling } from "../case.ts";
import { copyIn, copyOut } from "../libc.ts";
import { loops } from "../loops.ts";
import { ifItFits } from "../memory.ts";
import { timeCalls } from "../sampling.ts";
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
    const ordinary = new Uint8Array(size).fill(1);
    using other = UserMemory.allocate(size);
    other.bytes().fill(1);
    const { address } = other;

    const { byte, word } = loops();
    if (byte(address, size) !== BigInt(size)) {
      throw new Error("The loop over bytes did not read every byte");
    }
    const accesses: Readonly<Record<string, readonly [() => unknown, () => unknown]>> = {
      "byte read": [() => byte(received.address, size), () => byte(address, size)],
      "word read": [() => word(received.address, size / 8), () => word(address, size / 8)],
      "memcpy out": [() => copyOut(ordinary, received.address), () => copyOut(ordinary, address)],
      "memcpy in": [() => copyIn(sent.address, ordinary), () => copyIn(address, ordinary)],
    };
    for (const [access, [onBlock, onOrdinary]] of Object.entries(accesses)) {
      for (const [memory, run] of [["ordinary", onOrdinary], ["block", onBlock]] as const) {
        const times = timeCalls(sampling(context), run);
        const { value, spread } = summarize(times.map((ns) => size / Math.max(1, ns) * 1000));
        context.measure("cpu access", value, "MB/s", { at: { size, access, memory }, spread });
      }
    }
    for (const set of [rx, tx]) set[Symbol.dispose]();
    await prove(context);
  }),
);
