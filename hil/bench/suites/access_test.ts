// SPDX-License-Identifier: MIT
/**
 * What it costs the CPU to reach a block of each policy, beside ordinary memory of the same size: the
 * "20 seconds against 1" of 2015.
 */

import { hil } from "../../../mod.ts";
import { BlockSet } from "../../block_set.ts";
import { prove, sampling } from "../case.ts";
import { copyIn, copyOut } from "../libc.ts";
import { summarize, takeSamples } from "../statistics.ts";

const top = await hil();
let warm = false;

top.matrix("access", { policy: "all", size: [65536, 1048576], depth: [1] }, async (context) => {
  const { device, policy, size } = context;
  if (policy === "bounce") {
    context.skip("the CPU reaches no block of this policy: it reads and writes");
  }
  const rx = new BlockSet(device, { direction: "rx", policy, size, count: 1 });
  const tx = new BlockSet(device, { direction: "tx", policy, size, count: 1 });
  const [received, sent] = [rx.of(0), tx.of(0)];
  const [ordinary, other] = [new Uint8Array(size).fill(1), new Uint8Array(size).fill(1)];
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(other));
  const block = received.bytes();

  const accesses: Readonly<Record<string, readonly [() => unknown, () => unknown]>> = {
    "byte read": [() => sumBytes(block), () => sumBytes(ordinary)],
    "word read": [() => sumWords(block), () => sumWords(ordinary)],
    "memcpy out": [() => copyOut(ordinary, received.address), () => copyOut(ordinary, address)],
    "memcpy in": [() => copyIn(sent.address, ordinary), () => copyIn(address, ordinary)],
  };
  if (!warm) {
    // until the compiler has seen the loops
    const how = { ...sampling(context), seconds: 1 };
    for (const loop of [sumBytes, sumWords]) takeSamples(how, () => loop(other));
    warm = true;
  }
  for (const [access, [onBlock, onOrdinary]] of Object.entries(accesses)) {
    for (const [memory, run] of [["ordinary", onOrdinary], ["block", onBlock]] as const) {
      const how = sampling(context);
      const rates = takeSamples(how, () => {
        const start = how.now();
        run();
        return size / Math.max(1, how.now() - start) * 1000;
      });
      const { value, spread } = summarize(rates);
      context.measure("cpu access", value, "MB/s", { at: { size, access, memory }, spread });
    }
  }
  for (const set of [rx, tx]) set[Symbol.dispose]();
  await prove(context);
});

function sumBytes(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum = (sum + (bytes[i] ?? 0)) | 0;
  return sum;
}

/** Words of 32 bits: the widest that a loop of JavaScript reads without making objects. */
function sumWords(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  let sum = 0;
  for (let i = 0; i < words.length; i++) sum = (sum + (words[i] ?? 0)) | 0;
  return sum;
}
