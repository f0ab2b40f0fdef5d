// SPDX-License-Identifier: MIT
/**
 * Throughput of every policy, by frame size and depth, with and without the CPU touching the data.
 *
 * If one direction is measured alone, the other one runs under `coherent`, which costs the driver nothing,
 * because a loopback design moves no frame in one direction only.
 */

import { hil } from "../../../mod.ts";
import { DEPTH, frames, prove, SECONDS, SIZES } from "../case.ts";
import { ifItFits } from "../memory.ts";
import { pump } from "../pump.ts";
import { scale, type Summary } from "../../results/statistics.ts";

const top = await hil();
const idle = "coherent";
let warm = false;

top.matrix(
  "throughput",
  { policy: "all", size: SIZES, depth: [1, DEPTH] },
  ifItFits(async (context) => {
    const { device, policy, size } = context;
    const common = { size, depth: context.depth, pattern: frames(context), seconds: SECONDS };
    if (!warm) {
      // until the loop is compiled
      pump(device, { ...common, tx: policy, rx: policy, fill: true, read: true, seconds: 1 });
      warm = true;
    }
    let wrong = 0;
    for (const direction of ["tx", "rx", "loop"] as const) {
      for (const touched of [false, true]) {
        const tx = direction === "rx" ? idle : policy;
        const rx = direction === "tx" ? idle : policy;
        const result = pump(device, {
          ...{ ...common, tx, rx },
          fill: touched && direction !== "rx",
          read: touched && direction !== "tx",
        });
        wrong += result.wrong;
        const { throughput, cpu, userPart, syncedPerByte, handoverNs, depth } = result;
        const at = { size, depth, direction, touched };
        const add = (name: string, { value, spread }: Summary, unit: string): void =>
          context.measure(name, value, unit, { at, spread });
        add("throughput", throughput, "MB/s");
        add("frame rate", scale(throughput, 1e6 / size), "1/s");
        add("cpu share", scale(cpu, 100), "%");
        context.measure("cpu user", cpu.value * userPart * 100, "%", { at });
        context.measure("cpu system", cpu.value * (1 - userPart) * 100, "%", { at });
        context.measure("bytes synced per byte", syncedPerByte, "B/B", { at });
        add("handover time", scale(handoverNs, 1e-3), "µs");
      }
    }
    await prove(context, wrong);
  }),
);
