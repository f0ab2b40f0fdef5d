// SPDX-License-Identifier: MIT
/**
 * How long the engine is idle between two receive blocks that are queued. A driver that syncs under a lock
 * makes it wait.
 */

import { hil } from "../../../mod.ts";
import { scale, summarize } from "../../results/statistics.ts";
import { DEPTH, prove } from "../case.ts";
import { measureGaps } from "../idle_gap.ts";
import { ifItFits } from "../memory.ts";

/** Bytes and limits of a measurement. */
const BYTES = 64 * 2 ** 20;
const [LEAST, MOST] = [24, 400];

const top = await hil();

top.matrix(
  "gap",
  {
    policy: ["coherent", "streaming", "streaming-lazy"],
    size: [65536, 1048576, "block"],
    depth: [DEPTH],
  },
  ifItFits(async (context) => {
    const { device, policy, size, depth } = context;
    const { rx } = device.info;
    if (rx === null) throw new Error("Expected a channel for rx, found none");
    const inFlight = Math.min(depth, rx.queueDepth, device.info.tx?.queueDepth ?? depth);
    if (inFlight < 2) context.skip("the queue has no room for a second block");
    const frames = Math.max(LEAST, Math.min(MOST, Math.round(BYTES / size)));
    const gaps = measureGaps(device, { policy, size, depth: inFlight, frames });
    if (gaps.length === 0) context.skip("the engine was never behind the program");
    const { value, spread } = scale(summarize(gaps), 1e-3);
    const at = { size, depth: inFlight, "engine depth": rx.engineDepth };
    context.measure("engine idle gap", value, "µs", { at, spread });
    await prove(context);
  }),
);
