// SPDX-License-Identifier: MIT
// Cases for ../vm_test.ts: those of the loopback suite, without the series that stores into transmit blocks. They
// give up on a small frame after a second in place of 20, because some of them wait for a completion in vain.
import { assertIntact, hil } from "../../../mod.ts";

const top = await hil();

top.matrix("loop", { policy: "all", size: [4096], depth: [1] }, async ({ loop, size }) => {
  assertIntact(await loop.run({ timeoutMs: size > 65536 ? 20_000 : 1000 }));
});
