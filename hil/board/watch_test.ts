// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import type { Device } from "../../driver/device.ts";
import type { KernelFiles, Remote } from "../../driver/remote.ts";
import {
  countInterrupts,
  type EngineNames,
  InterruptLedger,
  linesSince,
  watchEngine,
} from "./watch.ts";

/** Two AXI DMA engines and a core with interrupts of its own, on a Zynq UltraScale+ with four processors. */
const ZYNQMP = `           CPU0       CPU1       CPU2       CPU3
 11:      23914      10420       9835      11029     GICv2  30 Level     arch_timer
 14:          0          0          0          0     GICv2 156 Level     fd500000.dma-controller
 43:       1007          0          0          2     GICv2 121 Level     xilinx-dma-controller
 44:       1000          0          0          3     GICv2 122 Level     xilinx-dma-controller
 47:         17          0          4          0     GICv2 125 Level     a0020000.dma mm2s
 48:         16          0          4          0     GICv2 126 Level     a0020000.dma s2mm
IPI0:     12041      14320      11999      12001       Rescheduling interrupts
IPI1:        55         44         60         33       Function call interrupts
Err:          0
`;

/** A card with MSI-X on a PC with two processors. */
const PC = `            CPU0       CPU1
   0:         36          0   IO-APIC   2-edge      timer
  24:          0          0  PCI-MSIX-0000:00:01.0   0-edge      virtio1-config
  25:        101         99  PCI-MSIX-0000:00:05.0   0-edge      0000:00:05.0 mm2s
  26:          0        207  PCI-MSIX-0000:00:05.0   1-edge      0000:00:05.0 s2mm
 NMI:          0          0   Non-maskable interrupts
 LOC:      88241      79712   Local timer interrupts
 ERR:          0
`;

const AXI_DMA: EngineNames = { device: [], driver: ["xilinx-vdma", "xilinx-dma-controller"] };
const CARD: EngineNames = { device: ["0000:00:05.0"], driver: ["pl_cosim"] };
const CORE: EngineNames = { device: ["a0020000.dma"], driver: ["pl_loopback"] };

Deno.test("countInterrupts() adds up the processors of all lines of a driver", () => {
  const count = { count: 2012, directed: false, lines: 2 };
  assertEquals(countInterrupts(ZYNQMP, AXI_DMA, "rx"), count);
  assertEquals(countInterrupts(ZYNQMP, AXI_DMA), count);
});

Deno.test("countInterrupts() keeps the line of a direction if the lines of a device name theirs", () => {
  assertEquals(countInterrupts(ZYNQMP, CORE, "tx"), { count: 21, directed: true, lines: 1 });
  assertEquals(countInterrupts(ZYNQMP, CORE, "rx"), { count: 20, directed: true, lines: 1 });
  assertEquals(countInterrupts(PC, CARD, "tx"), { count: 200, directed: true, lines: 1 });
  assertEquals(countInterrupts(PC, CARD, "rx"), { count: 207, directed: true, lines: 1 });
  assertEquals(countInterrupts(PC, CARD), { count: 407, directed: false, lines: 2 });
});

Deno.test("countInterrupts() takes whole words, and nothing that only contains the name", () => {
  const names = (name: string): EngineNames => ({ device: [], driver: [name] });
  for (const name of ["dma", "pl_softdma", "0000:00:05", "a002", "Rescheduling", ""]) {
    const found = countInterrupts(PC, names(name)) ?? countInterrupts(ZYNQMP, names(name));
    // "dma" is a word of two names on that machine, and a driver with that name would have them
    if (name === "dma") assertEquals(found?.count, 2012 + 41);
    else if (name === "0000:00:05") assertEquals(found?.count, 407);
    else assertEquals(found, null, name);
  }
  assertEquals(countInterrupts("", CARD), null);
});

/** The same text with more interrupts in the lines of a number. */
function later(text: string, rises: Readonly<Record<string, number>>): string {
  return text.split("\n").map((line) => {
    const [, number = ""] = /^\s*(\d+):/.exec(line) ?? [];
    const rise = rises[number];
    return rise === undefined ? line : line.replace(/:\s+(\d+)/, (_, n) => `: ${Number(n) + rise}`);
  }).join("\n");
}

/** A ledger whose numbers of interrupts a test sets. */
function ledger(text: string, names: EngineNames) {
  let now = text;
  const book = new InterruptLedger(names, () => now);
  return {
    take(direction: "tx" | "rx", rises: Record<string, number>) {
      now = later(now, rises);
      book.completed(direction);
    },
    miss(direction: "tx" | "rx" | null, rises: Record<string, number>, others = 0) {
      now = later(now, rises);
      return book.missing(direction, others);
    },
  };
}

Deno.test("InterruptLedger.missing() reads the line of the direction", () => {
  for (const [rises, more] of [[{ 25: 1 }, 0], [{ 25: 1, 26: 1 }, 1], [{}, 0]] as const) {
    const book = ledger(PC, CARD);
    for (let frame = 0; frame < 4; frame++) {
      book.take("rx", { 25: 1, 26: 1 });
      book.take("tx", {});
    }
    assertEquals(book.miss("rx", rises), more);
  }
});

Deno.test("InterruptLedger.missing() leaves out those of the other direction on shared lines", () => {
  for (const [rises, more] of [[{ 43: 1 }, 0], [{ 43: 1, 44: 1 }, 1], [{}, null]] as const) {
    const book = ledger(ZYNQMP, AXI_DMA);
    for (let frame = 0; frame < 4; frame++) {
      book.take("rx", { 43: 1, 44: 1 });
      book.take("tx", {});
    }
    assertEquals(book.miss("rx", rises, 1), more, JSON.stringify(rises));
  }
});

Deno.test("InterruptLedger.missing() knows nothing if an engine raises several for a completion", () => {
  const book = ledger(PC, CARD);
  for (let frame = 0; frame < 4; frame++) book.take("rx", { 26: 1 + frame % 2 });
  assertEquals(book.miss("rx", { 26: 1 }), null);
  // but none is none
  const other = ledger(PC, CARD);
  for (let frame = 0; frame < 4; frame++) other.take("rx", { 26: 1 + frame % 2 });
  assertEquals(other.miss("rx", {}), 0);
});

Deno.test("InterruptLedger.missing() knows nothing without lines, or for a ring", () => {
  assertEquals(ledger("", CARD).miss("rx", {}), null);
  assertEquals(ledger(PC, AXI_DMA).miss("rx", {}), null);
  assertEquals(ledger(PC, CARD).miss(null, {}), null);
});

Deno.test("InterruptLedger.completed() reads only now and then if frames are many", () => {
  let reads = 0;
  const book = new InterruptLedger(CARD, () => {
    reads++;
    const until = performance.now() + 1;
    while (performance.now() < until);
    return PC;
  });
  for (let frame = 0; frame < 5000; frame++) book.completed("rx");
  assert(reads >= 65 && reads < 80, `${reads}`);
});

const LOG = `<6>[    4.113562] xilinx-vdma a0000000.dma: Xilinx AXI DMA Engine Driver Probed!!
<6>[    9.000001] maximum taxi count is 5
<3>[   71.204411] xilinx-vdma a0000000.dma: Channel 0000000012345678 has errors 10, cdr 0 tdr 0
<4>[   71.204412][    T1] arm-smmu fd800000.smmu: Unhandled context fault: fsr=0x402, iova=0x7d000000
<6>[   71.300000][   C1] usb 1-1: new high-speed USB device number 2
<6>[   71.300001] usb 1-1: the maximum current is 500 mA
[   72.000000] 0000:00:05.0: no progress for 4096 cycles
<12>[   73.000000] pldma pldma.0: rx: engine not idle
a line without a time about dma
`;

Deno.test("linesSince() keeps later lines about the engine, DMA and the bus", () => {
  assertEquals(linesSince(LOG, 4.113562, CARD), [
    "xilinx-vdma a0000000.dma: Channel 0000000012345678 has errors 10, cdr 0 tdr 0",
    "arm-smmu fd800000.smmu: Unhandled context fault: fsr=0x402, iova=0x7d000000",
    "0000:00:05.0: no progress for 4096 cycles",
    "pldma pldma.0: rx: engine not idle",
  ]);
  assertEquals(linesSince(LOG, 71.5, AXI_DMA), ["pldma pldma.0: rx: engine not idle"]);
  assertEquals(linesSince(LOG, 80, CARD), []);
  assertEquals(linesSince("", 0, CARD), []);
});

Deno.test("linesSince() keeps the last lines of many", () => {
  const many = Array.from({ length: 20 }, (_, i) => `<3>[   71.${100000 + i}] pldma: ${i}`);
  assertEquals(
    linesSince(many.join("\n"), 0, CARD),
    [14, 15, 16, 17, 18, 19].map((i) => `pldma: ${i}`),
  );
});

Deno.test("watchEngine() reads interrupts, log and engine of a target on the target", () => {
  let [interrupts, log] = [PC, "<6>[   1.000000] pl_cosim 0000:00:05.0: probed\n"];
  const asked: string[] = [];
  const files: KernelFiles = {
    readFile: (path) => (asked.push(path), interrupts),
    readBytes: () => null,
    list: () => [],
    readLink: (path) => (asked.push(path), "../../../0000:00:05.0"),
    kernelLog: () => log,
  };
  const info = { tx: { engine: "other", channel: "dma7chan0" }, rx: null };
  const watch = watchEngine(
    { kind: "remote", remote: { files } as Remote },
    { info } as unknown as Device,
  );
  interrupts = later(PC, { 26: 1 });
  watch.completed("rx");
  assertEquals(watch.interrupts("rx", 0), 0);
  interrupts = later(interrupts, { 26: 1 });
  assertEquals(watch.interrupts("rx", 0), 1);
  assertEquals(watch.log(), []);
  log += "<3>[   2.000000] pl_cosim 0000:00:05.0: halted\n";
  assertEquals(watch.log(), ["pl_cosim 0000:00:05.0: halted"]);
  assertEquals(new Set(asked), new Set(["/sys/class/dma/dma7chan0/device", "/proc/interrupts"]));
});
