// SPDX-License-Identifier: MIT
// The audit against boards whose truth is known: what the hardware snoops in each direction × what the kernel
// believes. The expected answers are written down here, and not computed by the code under test.
import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { ErrnoError } from "../../driver/errno.ts";
import { IOC } from "../../driver/uapi.ts";
import { SimBoard, type SimOptions } from "../../fixtures/boards/sim/mod.ts";
import { type Audit, audit } from "./mod.ts";
import { expectTruth, SNOOPS, TRUTHS } from "./testing/truths.ts";

const SEEDS = Deno.env.has("PLUMBLINE_FULL") ? 200 : 20;

function auditSim(options: SimOptions): Audit {
  using board = new SimBoard(options);
  using device = Device.open({ syscalls: board });
  return audit(device, { lines: 32, repeats: 16, seed: options.seed });
}

for (const truth of TRUTHS) {
  Deno.test(`audit() of ${SEEDS} simulated boards: ${truth.name}`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const found = auditSim({
        seed,
        coherent: truth.coherent,
        snoops: { tx: SNOOPS[truth.reads], rx: SNOOPS[truth.writes] },
      });
      expectTruth(found, truth, `seed ${seed}`);
    }
  });
}

Deno.test("audit() finds the truth with lines of every size", () => {
  for (const truth of TRUTHS) {
    for (const line of [16, 32, 128, 256]) {
      const found = auditSim({
        seed: line,
        coherent: truth.coherent,
        snoops: { tx: SNOOPS[truth.reads], rx: SNOOPS[truth.writes] },
        cache: { line },
      });
      assertEquals(found.line, Math.min(line, 64));
      expectTruth(found, truth, `lines of ${line} bytes`);
    }
  }
});

Deno.test("audit() says that it has no power on a board without caches", () => {
  const { ports, verdict, fix } = auditSim({ seed: 1, coherent: true });
  assertEquals([verdict, fix, ports.tx.snoops, ports.rx.snoops], ["unknown", null, null, null]);
  for (const { reason } of Object.values(ports)) {
    assertEquals(reason?.startsWith("no store stayed in the cache"), true);
  }
});

Deno.test("audit() says that it has no power behind bounce buffers", () => {
  const { ports, verdict, fix } = auditSim({ seed: 1, bounce: true });
  assertEquals([verdict, fix], ["unknown", null]);
  for (const { snoops, reason } of Object.values(ports)) {
    assertEquals(snoops, null);
    assertEquals(reason?.includes("bounce buffer"), true);
  }
});

Deno.test("audit() leaves no block behind, and uses memory of its own only", () => {
  using board = new SimBoard({ seed: 1 });
  using device = Device.open({ syscalls: board });
  const [other] = device.alloc({ size: 4096, direction: "tx", policy: "manual" });
  const content = crypto.getRandomValues(new Uint8Array(4096));
  other?.set(content);
  const ids = new Set<number>();
  const ioctl = board.ioctl.bind(board);
  board.ioctl = (fd, request, argument, attachment) => {
    if (request === IOC.CACHE && argument !== null) {
      ids.add(new DataView(argument.buffer, argument.byteOffset).getUint32(0, true));
    }
    return ioctl(fd, request, argument, attachment);
  };
  audit(device, { repeats: 2 });
  assertEquals(ids.size, 2);
  assertEquals(ids.has(other?.id ?? 0), false);
  assertEquals(other?.equals(content), true);
  assertEquals(device.stats().blocks, 1);
});

Deno.test("audit() throws for a device with one direction, and for a design that returns other data", () => {
  using one = new SimBoard({ seed: 1, directions: ["tx"] });
  using half = Device.open({ syscalls: one });
  assertThrows(() => audit(half), Error, "found no rx");

  using wrong = new SimBoard({ seed: 1 });
  using device = Device.open({ syscalls: wrong });
  wrong.arm("kind=flip rate=1");
  assertThrows(() => audit(device), Error, "load the loopback core");
});

for (
  const [errno, text] of [[1, "CAP_SYS_RAWIO"], [25, "load the pldma.ko of this version"]] as const
) {
  Deno.test(`audit() says what to do if CACHE fails with errno ${errno}`, () => {
    using board = new SimBoard({ seed: 1 });
    using device = Device.open({ syscalls: board });
    const ioctl = board.ioctl.bind(board);
    board.ioctl = (fd, request, argument, attachment) => {
      if (request === IOC.CACHE) throw new ErrnoError("ioctl", errno);
      return ioctl(fd, request, argument, attachment);
    };
    assertThrows(() => audit(device), Error, text);
  });
}

Deno.test("audit() has no power to say yes on a processor without invalidate, but can say no", () => {
  for (const [snoops, expected] of [[256, null], [0, "no"]] as const) {
    using board = new SimBoard({ seed: 1, snoops: { tx: snoops, rx: snoops } });
    using device = Device.open({ syscalls: board });
    const ioctl = board.ioctl.bind(board);
    board.ioctl = (fd, request, argument, attachment) => {
      if (request === IOC.CACHE && argument?.[4] === 1) throw new ErrnoError("ioctl", 95);
      return ioctl(fd, request, argument, attachment);
    };
    const { ports } = audit(device);
    assertEquals([ports.tx.snoops, ports.rx.snoops], [expected, expected]);
    assertEquals([ports.tx.verdict, ports.rx.verdict], ["unknown", "unknown"]);
  }
});
