// SPDX-License-Identifier: MIT
/**
 * Loopback: what the CPU sends comes back whole, under every policy that the board offers, from one
 * byte to the largest block, one frame at a time and with full queues.
 *
 * Policy `none` is the control. It leaves out every sync, so on a board where syncs matter it must
 * fail; if it does not, a pass of the other policies proves nothing about coherence.
 */

import { assertIntact, hil } from "../../mod.ts";

const top = await hil();

top.matrix("loop", {
  policy: "all",
  // one byte; odd; around a cache line; a page and one more; large; the largest with guards
  size: [1, 3, 8, 63, 64, 65, 1000, 4096, 4097, 65536, 1048576 + 4093, "largest", "block"],
  depth: [1, "max"],
}, async ({ loop }) => assertIntact(await loop.run()));
