// SPDX-License-Identifier: MIT
/**
 * Throughput of every policy, by frame size and depth, with the CPU touching the data and without.
 *
 * Where one direction is measured alone, the other one goes on under `coherent`, which costs the driver
 * nothing: a loopback design moves no frame in one direction only.
 */

import { hil } from "../../../mod.ts";
import { DEPTH, frames, prove, SECONDS, SIZES } from "../case.ts";
import { pump } from "../pump.ts";

const top = await hil();
const idle = "coherent";
let warm = false;

top.matrix(
  "throughput",
  { policy: "all", size: SIZES, depth: [1, DEPTH] },
  async (context) => {
    const { device, policy, size, depth } = context;
    const common = { size, depth, pattern: frames(context), seconds: SECONDS };
    if (!warm) {
      // until the compiler has seen the loop
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
        const { throughput: { value, spread }, cpu, syncedPerByte, handoverNs } = result;
        const at = { size, depth, direction, touched };
        context.measure("throughput", value, "MB/s", { at, spread });
        const perFrame = (rate: number): number => rate * 1e6 / size;
        const { samples, min, p5, p95, max } = spread;
        context.measure("frame rate", perFrame(value), "1/s", {
          at,
          spread: {
            ...{ samples, min: perFrame(min), p5: perFrame(p5) },
            ...{ p95: perFrame(p95), max: perFrame(max) },
          },
        });
        context.measure("cpu user", cpu.user * 100, "%", { at });
        context.measure("cpu system", cpu.system * 100, "%", { at });
        context.measure("bytes synced per byte", syncedPerByte, "B/B", { at });
        context.measure("handover time", handoverNs / 1000, "µs", { at });
      }
    }
    await prove(context, wrong);
  },
);
