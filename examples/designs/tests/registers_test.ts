// SPDX-License-Identifier: MIT
// A design with registers: it multiplies bytes by a gain, and counts frames.
import { assertIntact, type CaseContext, designs, hil, type RegisterModel } from "@plumbline/hil";

type Bytes = Uint8Array<ArrayBuffer>;

const MAP = {
  control: { offset: 0x00, reset: 0x100, fields: { enable: { at: 0 }, gain: { at: 8, width: 4 } } },
  status: {
    offset: 0x04,
    access: "ro",
    fields: { ready: { at: 0 }, frames: { at: 16, width: 16 } },
  },
} as const;

/** A multiplication that stops at 255. */
const amplify = (frame: Bytes, gain: number) => frame.map((byte) => Math.min(255, gain * byte));

/** A model of the logic. It runs on the simulated board. */
function logic(registers: RegisterModel<typeof MAP>): (frame: Bytes) => Bytes {
  let frames = 0;
  registers.onWrite("control", () => {
    registers.set("status", { ready: registers.get("control", "enable") });
  });
  return (frame) => {
    registers.set("status", { frames: ++frames });
    return amplify(frame, registers.get("control", "gain"));
  };
}

const top = await hil({
  bitstream: "gain.bit",
  design: designs.transform(logic, { registers: MAP }),
});

/** Sets the gain, and waits until the design is ready. */
async function start({ registers }: CaseContext, gain: number) {
  const mapped = registers("/dev/uio0", MAP, { write: true });
  mapped.write("control", { enable: 1, gain });
  await mapped.poll("status", ({ ready }) => ready === 1, { timeoutMs: 3000 });
  return mapped;
}

top.test("the gain is 1 after reset", async ({ loop }) =>
  assertIntact(await loop.run({ frames: 4 })));

top.matrix("gain", { policy: ["streaming", "none"], size: [64, 4096] }, async (context) => {
  const mapped = await start(context, 3);
  const { loop, measure } = context;
  assertIntact(await loop.run({ frames: 20, expect: (tx) => amplify(tx, 3) }));
  measure("frames that were not counted", 20 - mapped.read("status", "frames"), "frames", {
    max: 0,
  });
});
