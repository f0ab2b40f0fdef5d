// SPDX-License-Identifier: MIT
/**
 * Loopback: what the CPU sends comes back whole, under every policy that the board offers, from one
 * byte to the largest block, one frame at a time and with full queues.
 *
 * A transmit completion must not come before the engine has read the block, so a second series of cases
 * overwrites each transmit block as soon as it is taken back.
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

// each transmit block is written again as soon as its completion is taken, before its frame is compared
top.matrix("loop, transmit blocks reused at once", {
  policy: "all",
  size: [4096],
  depth: [1, "max"],
}, async ({ loop }) => assertIntact(await loop.run({ reuse: true })));
