// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { DeviceInfo } from "../../driver/info.ts";
import type { Condition, Status } from "./condition.ts";
import { examine, renderExamination } from "./doctor.ts";
import type { Facts } from "./facts.ts";
import { cell, madeUpBoard, NODE, RELEASE, type Tree } from "./testing/board.ts";

/** What the device of the made-up board offers, as far as the doctor reads it. */
const INFO = {
  abiVersion: 2,
  tx: { engine: "xilinx-vdma", quirks: ["oneSegment", "oneTransfer"] },
  rx: null,
} as unknown as DeviceInfo;

const HEALTHY: Partial<Facts> = { info: () => INFO };

/** A board on which the module is not loaded. */
const UNLOADED: Tree = { "sys/module/pldma": null, "sys/class/misc/pldma0": null };

Deno.test("examine() finds nothing to mend on a board on which everything is right", () => {
  const { conditions, next } = examine(madeUpBoard({}, HEALTHY));
  assertEquals(conditions.filter(({ status }) => status !== "ok"), []);
  assertEquals(next, null);
  assertEquals(conditions.map(({ id }) => id), [
    ...["architecture", "page-size", "kernel", "kernel-options", "fpga"],
    ...["controller-driver", "clocks", "channel-nodes", "interrupts", "length-width"]
      .map((id) => `${id} a0000000.dma`),
    ...["scatter-gather a0000000.dma", "coherence a0000000.dma", "channels"],
    ...["module-loaded", "device", "driver-version", "quirks"],
    ...["cma", "locked-memory", "iommu", "governor"],
  ]);
  const found = (id: string) => conditions.find((one) => one.id === id)?.found;
  assertEquals(found("page-size"), "4 KiB");
  assertEquals(found("interrupts a0000000.dma"), "2 lines of the driver, raised 83 times");
  assertEquals(found("quirks"), "tx: xilinx-vdma one-segment+one-transfer");
});

/** A DMA controller without a driver. */
const UNBOUND: Tree = {
  "sys/devices/platform/axi/a0000000.dma/driver": null,
  "sys/class/dma/dma1chan0": null,
  "sys/class/dma/dma1chan1": null,
};

/** A defect of a board, the condition that shows it, and texts of what was found and how to mend it. */
const DEFECTS: readonly {
  readonly id: string;
  readonly status: Status;
  readonly tree?: Tree;
  readonly facts?: Partial<Facts>;
  readonly found: string;
  readonly mend: string | null;
}[] = [
  {
    id: "architecture",
    status: "missing",
    facts: { arch: "armv7l" },
    found: "armv7l",
    mend: "--board remote:HOST",
  },
  {
    id: "page-size",
    status: "unknown",
    tree: { "proc/self/auxv": null },
    found: "no /proc/self/auxv",
    mend: null,
  },
  {
    id: "kernel",
    status: "advice",
    facts: { release: "5.15.0-1020-xilinx-zynqmp" },
    found: "never compiled",
    mend: "6.1",
  },
  {
    id: "kernel-options",
    status: "missing",
    tree: { ...UNLOADED, [`boot/config-${RELEASE}`]: "CONFIG_MODULES=y\n" },
    found: "without CONFIG_DMA_ENGINE",
    mend: "CONFIG_DMA_ENGINE=y",
  },
  {
    id: "fpga",
    status: "advice",
    tree: { "sys/class/fpga_manager/fpga0/state": "power off\n" },
    found: "power off",
    mend: "--bitstream",
  },
  {
    id: "controller-driver a0000000.dma",
    status: "missing",
    tree: UNBOUND,
    found: "none for xlnx,axi-dma-1.00.a",
    mend: "sudo modprobe xilinx_dma",
  },
  {
    id: "controller-driver a0000000.dma",
    status: "missing",
    tree: {
      ...UNBOUND,
      "sys/kernel/debug/devices_deferred": "a0000000.dma\tplatform: supplier clk not ready\n",
    },
    found: "deferred probe: platform: supplier clk not ready",
    mend: "clock",
  },
  {
    id: "controller-driver a0000000.dma",
    status: "missing",
    tree: {
      ...UNBOUND,
      [`${NODE}/compatible`]: "adi,axi-dmac-1.00.a\0",
      [`${NODE}/dma-coherent`]: "",
      "sys/module/dma_axi_dmac/initstate": "live\n",
    },
    found: "none, although dma-axi-dmac is loaded, and the node has dma-coherent",
    mend: "remove dma-coherent, unless the core was built with CACHE_COHERENT",
  },
  {
    id: "clocks a0000000.dma",
    status: "missing",
    tree: { [`${NODE}/clock-names`]: "m_axi_sg_aclk\0" },
    found: "m_axi_sg_aclk",
    mend: ".xsa",
  },
  {
    id: "channel-nodes a0000000.dma",
    status: "missing",
    tree: { [`${NODE}/dma-channel@a0000000`]: null, [`${NODE}/dma-channel@a0000030`]: null },
    found: "none",
    mend: ".xsa",
  },
  {
    id: "channel-nodes a0000000.dma",
    status: "advice",
    tree: { [`${NODE}/dma-channel@a0000000`]: null },
    found: "one direction only",
    mend: null,
  },
  {
    id: "interrupts a0000000.dma",
    status: "missing",
    tree: { [`${NODE}/dma-channel@a0000030/interrupts`]: null },
    found: "dma-channel@a0000030 has none",
    mend: "s2mm_introut",
  },
  {
    id: "interrupts a0000000.dma",
    status: "advice",
    tree: { "proc/interrupts": "           CPU0\n 11:  5  GICv2 33 Level uart-pl011\n" },
    found: "lists none of the driver",
    mend: "dmesg",
  },
  {
    id: "length-width a0000000.dma",
    status: "advice",
    tree: { [`${NODE}/xlnx,sg-length-width`]: cell(14) },
    found: "14 bits",
    mend: "Width of Buffer Length Register",
  },
  {
    id: "length-width a0000000.dma",
    status: "advice",
    tree: { [`${NODE}/xlnx,sg-length-width`]: null },
    found: "the driver assumes 23 bits",
    mend: "Vivado",
  },
  {
    id: "scatter-gather a0000000.dma",
    status: "unknown",
    tree: { [`${NODE}/clock-names`]: "s_axi_lite_aclk\0" },
    found: "DMASR",
    mend: "Scatter Gather Engine",
  },
  {
    id: "channels",
    status: "missing",
    tree: {
      "sys/class/dma": null,
      "sys/bus/platform/devices": null,
    },
    found: "none",
    mend: "device-tree overlay",
  },
  {
    id: "channels",
    status: "missing",
    tree: {
      "sys/class/dma/dma0chan0": null,
      "sys/devices/platform/axi/a0000000.dma/dma/dma1chan0/in_use": "1\n",
      "sys/devices/platform/axi/a0000000.dma/dma/dma1chan1/in_use": "1\n",
      "sys/devices/platform/axi/a0000000.dma/dma/dma1chan1/slave": "→../../axidmatest_1",
    },
    found: "dma1chan1 (used by axidmatest_1)",
    mend: "unbind the driver that uses them, axidmatest_1",
  },
  {
    id: "module-built",
    status: "missing",
    tree: { ...UNLOADED, "src/driver/kernel/pldma.ko": null },
    found: "none",
    mend: "make -C /src/driver/kernel",
  },
  {
    id: "headers",
    status: "missing",
    tree: {
      ...UNLOADED,
      "src/driver/kernel/pldma.ko": null,
      [`lib/modules/${RELEASE}/build`]: null,
    },
    found: "none",
    mend: `sudo apt install linux-headers-${RELEASE}`,
  },
  {
    id: "headers",
    status: "missing",
    tree: {
      ...UNLOADED,
      "src/driver/kernel/pldma.ko": null,
      [`lib/modules/${RELEASE}/build`]: null,
      "etc/os-release": "ID=petalinux\n",
    },
    found: "none",
    mend: "CROSS_COMPILE=aarch64-linux-gnu-",
  },
  {
    id: "compiler",
    status: "missing",
    tree: { ...UNLOADED, "src/driver/kernel/pldma.ko": null, "usr/bin/gcc": null },
    found: "no gcc",
    mend: "sudo apt install gcc",
  },
  {
    id: "module-built",
    status: "missing",
    tree: { ...UNLOADED, "src/driver/kernel/pldma.ko": "vermagic=6.1.0-old SMP\0" },
    found: "built for Linux 6.1.0-old",
    mend: "clean",
  },
  {
    id: "module-signature",
    status: "missing",
    tree: {
      ...UNLOADED,
      "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": new Uint8Array([
        ...[6, 0, 0, 0, 1],
      ]),
    },
    found: "none, and Secure Boot is on",
    mend: "docs/module-signing.md",
  },
  {
    id: "module-signature",
    status: "missing",
    tree: { ...UNLOADED, "sys/module/module/parameters/sig_enforce": "Y\n" },
    found: "none, and the kernel enforces signatures",
    mend: "docs/module-signing.md",
  },
  {
    id: "module-signature",
    status: "missing",
    tree: { ...UNLOADED, "sys/kernel/security/lockdown": "none [integrity] confidentiality\n" },
    found: "none, and the kernel is locked down",
    mend: "docs/module-signing.md",
  },
  {
    id: "module-loaded",
    status: "missing",
    tree: UNLOADED,
    found: "not loaded",
    mend: "sudo insmod /src/driver/kernel/pldma.ko tx=dma1chan0 rx=dma1chan1",
  },
  {
    id: "module-loaded",
    status: "missing",
    tree: { ...UNLOADED, [`lib/modules/${RELEASE}/updates/dkms/pldma.ko.xz`]: "" },
    found: "not loaded",
    mend: "sudo modprobe pldma tx=dma1chan0 rx=dma1chan1",
  },
  {
    id: "device",
    status: "missing",
    facts: { explain: () => "No permission for /dev/pldma0: join its group" },
    found: "No permission for /dev/pldma0",
    mend: "join its group",
  },
  {
    id: "driver-version",
    status: "missing",
    facts: { info: () => "/dev/pldma0: expected pldma ABI version 2, found version 1" },
    found: "found version 1",
    mend: "sudo rmmod pldma",
  },
  {
    id: "cma",
    status: "advice",
    tree: { "proc/meminfo": "CmaTotal: 65536 kB\nCmaFree: 1024 kB\n" },
    found: "1 MiB free of 64 MiB",
    mend: "cma=256M",
  },
  {
    id: "locked-memory",
    status: "advice",
    tree: { "proc/self/limits": "Max locked memory         8388608   8388608    bytes\n" },
    found: "8 MiB",
    mend: "--memlock=",
  },
  {
    id: "governor",
    status: "advice",
    tree: { "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n" },
    found: "ondemand",
    mend: "echo performance",
  },
];

for (const { id, status, tree = {}, facts = {}, found, mend } of DEFECTS) {
  Deno.test(`examine() says of ${id}: ${status}, found ${found}, and how to mend it`, () => {
    const { conditions } = examine(madeUpBoard(tree, { ...HEALTHY, ...facts }));
    const condition = conditions.find((one) => one.id === id) as Condition;
    assertEquals(condition.status, status, JSON.stringify(condition));
    assertStringIncludes(condition.found, found);
    if (mend === null) assertEquals(condition.mend, null);
    else assertStringIncludes(condition.mend ?? "nothing", mend);
  });
}

Deno.test("examine() of a remote board reads a 32-bit page size, and the user and limits of its agent", () => {
  const remote = { arch: "armv7l", remote: "zed", user: 1000 };
  const small = "Max locked memory         8388608   8388608    bytes\n";
  const { conditions } = examine(madeUpBoard({
    ...UNLOADED,
    "proc/self/auxv": new Uint8Array(new Uint32Array([3, 52, 6, 16384, 0, 0]).buffer),
    "proc/self/limits": small,
    "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
    [`boot/config-${RELEASE}`]: null,
  }, { ...HEALTHY, ...remote }));
  const of = (id: string) => conditions.find((one) => one.id === id);
  assertEquals(of("agent")?.found, "zed, armv7l, as user 1000");
  assertEquals(of("page-size")?.found, "16 KiB");
  assertEquals(of("kernel-options")?.found, "no /proc/config.gz that the agent shows");
  assertEquals(of("module-signature")?.found, "the kernel is locked down");
  assertStringIncludes(of("locked-memory")?.mend ?? "", "on zed: sudo prlimit");
});

Deno.test("examine() lets a condition wait for the one that it needs, and names the first to mend", () => {
  const board = madeUpBoard({ ...UNLOADED, "src/driver/kernel/pldma.ko": null });
  const { conditions, next } = examine(board);
  const status = (id: string) => conditions.find((one) => one.id === id)?.status;
  assertEquals(next?.id, "module-built");
  assertEquals(
    ["module-signature", "module-loaded", "device", "driver-version"].map(status),
    Array(4).fill("waits"),
  );
  const lines = renderExamination({ conditions, controllers: [], next }, 80);
  assertEquals(lines.slice(-2), ["Next: pldma.ko", "  make -C /src/driver/kernel"]);
});

Deno.test("examine() tells streams from the memory engines of the processing system", () => {
  const { controllers } = examine(madeUpBoard());
  assertEquals(controllers.length, 2);
  assert(controllers[0]?.startsWith("a0000000.dma: AXI DMA, a stream, driver xilinx-vdma"));
  assert(controllers[1]?.startsWith("fd500000.dma-controller: memory engine of the processing"));
});

Deno.test("examine() advises a memory loop if there is no stream", () => {
  const { conditions } = examine(madeUpBoard({
    ...UNLOADED,
    "sys/class/dma/dma1chan0": null,
    "sys/class/dma/dma1chan1": null,
    "sys/bus/platform/devices/a0000000.dma": null,
  }));
  const loaded = conditions.find(({ id }) => id === "module-loaded");
  assertStringIncludes(loaded?.mend ?? "", "memcpy=dma0chan0");
});

Deno.test("renderExamination() fits into the width, except for commands", () => {
  const examination = examine(madeUpBoard(UNLOADED));
  for (const line of renderExamination(examination, 60)) {
    assert(line.length <= 60 || / mend: |^ {2}sudo/.test(line), line);
  }
});

Deno.test("examine() of this machine does not fail, whatever it is", async () => {
  const { localFacts } = await import("./facts.ts");
  const { conditions } = examine(localFacts());
  assert(conditions.length >= 12);
  assertEquals(conditions.find(({ id }) => id === "architecture")?.status, "ok");
});
