// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { isIntact } from "./intact.ts";
import { runLoop } from "./loop.ts";
import type { LoopFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";
import type { TimeoutEvidence } from "../results/schema.ts";
import { describeTimeout, TIMEOUT_RULES, timeoutRule } from "./timeout.ts";

const SIZE = 4096;
const pattern = patterns.tagged().create({ seed: 5, maxLength: 1 << 16 });

/** Runs frames with a fault on the simulated board. */
function run(fault: string, some: Partial<LoopFlowOptions> = {}): FrameReport {
  using board = new SimBoard({ seed: 5 });
  const device = Device.open({ syscalls: board });
  try {
    return runLoop(device, pattern, {
      ...{ policy: "streaming", size: SIZE, depth: 1, frames: 20, timeoutMs: 200 },
      onPrimed: () => board.arm(fault),
      ...some,
    });
  } finally {
    device[Symbol.dispose]();
  }
}

Deno.test("runLoop() keeps the damage that it saw before the engine hung", () => {
  for (const hang of ["wedge", "stall"]) {
    const report = run(`kind=flip frame=3; kind=${hang} frame=5`);
    assertEquals(report.faults.map(({ kind, frame }) => [kind, frame]), [["bit-flip", 3]], hang);
    assert(
      report.timeout?.startsWith("frame 5: no rx completion within 200 ms"),
      report.timeout ?? "",
    );
    assertEquals(report.late?.idle, hang === "stall");
    assertEquals(report.timeout?.includes("RESET could not prove"), hang === "wedge");
    assertEquals(report.frames, 5);
  }
});

Deno.test("runLoop() keeps its report if the blocks cannot be taken back", () => {
  const report = run("kind=flip frame=1; kind=wedge frame=3", { depth: 4, maxFaults: 1 });
  assertEquals(report.faults.map(({ kind, frame }) => [kind, frame]), [["bit-flip", 1]]);
  assertEquals(report.timeout, null);
  assert(report.aftermath?.includes("could not be proved idle"), report.aftermath);
});

/** Faults of the simulated board, and the rule that their timeouts must meet. */
const ON_SIM = [
  ["kind=lost-interrupt direction=rx frame=5", "data without completion"],
  ["kind=lost-interrupt direction=tx frame=5", "received but tx completion missing"],
  ["kind=lose frame=5", "sent but nothing arrived"],
  ["kind=stall frame=5 seed=1", "core stopped within the frame"],
  ["kind=unsubmitted direction=tx frame=5", "nothing moved"],
] as const;

Deno.test("runLoop() says what a timeout means", () => {
  for (const [fault, rule] of ON_SIM) {
    const report = run(fault);
    assertEquals(report.faults, [], fault);
    assert(report.late !== undefined, fault);
    assertEquals(timeoutRule(report.late).id, rule, `${fault}: ${report.timeout}`);
    assertEquals(report.late.frame, 5);
    assertEquals(isIntact(report), false);
  }
});

Deno.test("runLoop() says what a timeout of the primer means", () => {
  const primed = (fault: string, some: Partial<LoopFlowOptions> = {}) => {
    using board = new SimBoard({ seed: 5 });
    const device = Device.open({ syscalls: board });
    try {
      board.arm(fault);
      return runLoop(device, pattern, {
        ...{ policy: "streaming", size: SIZE, depth: 1, frames: 20, timeoutMs: 200 },
        ...some,
      });
    } finally {
      device[Symbol.dispose]();
    }
  };
  for (
    const [fault, rule] of [
      ["kind=lost-interrupt direction=rx frame=0", "data without completion"],
      ["kind=lost-interrupt direction=tx frame=0", "received but tx completion missing"],
      ["kind=lose frame=0", "sent but nothing arrived"],
      ["kind=unsubmitted direction=tx frame=0", "nothing moved"],
      ["kind=wedge frame=0", "engine holds the block"],
    ] as const
  ) {
    for (const policy of ["coherent", "streaming", "manual"] as const) {
      const { late, timeout } = primed(fault, { policy });
      assert(late !== undefined, fault);
      assertEquals(timeoutRule(late).id, rule, `${policy}: ${fault}: ${timeout}`);
      assert(timeout?.startsWith("the primer, before frame 0: no "), timeout ?? "");
    }
  }
});

Deno.test("runLoop() verifies frames also if every block is wrong after priming", () => {
  using board = new SimBoard({ seed: 5 });
  const device = Device.open({ syscalls: board });
  try {
    board.arm("kind=sync-skip direction=rx op=for-cpu");
    const report = runLoop(device, pattern, {
      ...{ policy: "streaming", size: SIZE, depth: 24, frames: 40 },
    });
    assertEquals(report.faults.filter(({ primer }) => primer === true).length, 4);
    assertEquals(report.faults.length, 16);
  } finally {
    board.disarm();
    device[Symbol.dispose]();
  }
});

Deno.test("runLoop() does not take the primer's transmit completion for that of frame 0", () => {
  const { late, timeout } = run("kind=stall frame=0 seed=1");
  assertEquals([late?.frame, late?.primer, late?.transmitted], [0, false, false], timeout ?? "");
});

Deno.test("runLoop() says that a completion never came if a later one comes in its place", () => {
  for (const direction of ["rx", "tx"]) {
    const fault = `kind=flip frame=1; kind=lost-interrupt direction=${direction} frame=5`;
    let thrown: unknown;
    try {
      run(fault, { depth: 4 });
    } catch (error) {
      thrown = error;
    }
    assert(thrown instanceof Error);
    const expected = `The ${direction} completion of frame 5`;
    assert(thrown.message.includes(expected), thrown.message);
    assert(thrown.message.includes("never came: that of frame 6 came next"), thrown.message);
  }
});

/** Lines that `xilinx_dma` logs. */
const LOGS = [
  ["xilinx-vdma b000000.dma: Channel 00000000fe0f1a5c has errors 60, cdr 0 tdr 0"],
  [
    "xilinx-vdma b000000.dma: Cannot stop channel 00000000fe0f1a5c: 0",
    "xilinx-vdma b000000.dma: reset timeout, cr 17006, sr 0",
  ],
];

Deno.test("describeTimeout() says what the lines of xilinx_dma in the kernel log mean", () => {
  const described = (log: readonly string[], some: Partial<TimeoutEvidence> = {}) =>
    describeTimeout({
      ...{ direction: "rx", frame: 5, primer: false, transmitted: true, size: SIZE },
      ...{ arrived: SIZE, changed: true, idle: true, interrupts: 0, log },
      ...some,
    }, "late");
  const [errors = [], stuck = []] = LOGS;
  const found = [
    described(errors),
    described(errors, { direction: "tx", arrived: null, transmitted: false }),
    described(stuck, { arrived: null, idle: false }),
    described(["xilinx-vdma b000000.dma: Channel 00000000fe0f1a5c has errors 0, cdr 0 tdr 0"]),
  ].map((text) => text.replace(/^frame 5: late: /, "").replace(/[;:,.].*$/s, ""));
  assertEquals(found, [
    "the engine stopped with errors 60",
    "the engine stopped with errors 60",
    "the engine did not halt",
    "all 4096 bytes are in the receive block",
  ]);
  const noTlast =
    "no TLAST was seen, because the frame is longer than the block or its TLAST is missing";
  for (
    const some of [
      { interrupts: 0 },
      { interrupts: null },
      { arrived: null, changed: null, idle: false },
    ]
  ) assert(described([], some).includes(noTlast), described([], some));
  assert(
    described(errors).includes("60: an access to memory got an error response; nothing answers"),
  );
});

Deno.test("TIMEOUT_RULES have unique names, and each one applies to something", () => {
  assertEquals(new Set(TIMEOUT_RULES.map(({ id }) => id)).size, TIMEOUT_RULES.length);
  const met = new Set<string>();
  for (const direction of ["tx", "rx", null] as const) {
    for (const transmitted of [true, false, null]) {
      for (const arrived of [0, 100, SIZE, null]) {
        for (const changed of [true, false]) {
          for (const interrupts of [0, 1, null]) {
            for (const idle of [true, false]) {
              for (const log of [[], ...LOGS]) {
                const evidence: TimeoutEvidence = {
                  ...{ direction, frame: 5, primer: false, transmitted, size: SIZE },
                  ...{ arrived, changed, idle, interrupts, log },
                };
                met.add(timeoutRule(evidence).id);
              }
            }
          }
        }
      }
    }
  }
  assertEquals([...met].sort(), TIMEOUT_RULES.map(({ id }) => id).sort());
});

Deno.test("describeTimeout() calls the primer the primer, and quotes the kernel log", () => {
  const evidence: TimeoutEvidence = {
    ...{ direction: "rx", frame: 0, primer: true, transmitted: null, size: SIZE, arrived: null },
    ...{ changed: null, idle: true, interrupts: null, log: ["xilinx-vdma: Channel has errors"] },
  };
  assertEquals(
    describeTimeout(evidence, "no rx completion within 5 ms"),
    "the primer, before frame 0: no rx completion within 5 ms: the board does not show more; the kernel " +
      "logged: xilinx-vdma: Channel has errors",
  );
});
