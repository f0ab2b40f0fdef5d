// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { gatherEnvironment } from "./environment.ts";
import { tempDir } from "../testing/temp_dir.ts";

/** A small board: files of Linux by path. A content that begins with `→` is the target of a link. */
function board(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = tempDir();
  for (const [path, content] of Object.entries(files)) {
    const file = `${root}/${path}`;
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string" && content.startsWith("→")) {
      Deno.symlinkSync(content.slice(1), file);
    } else if (typeof content === "string") Deno.writeTextFileSync(file, content);
    else Deno.writeFileSync(file, content);
  }
  return root;
}

const cache = "sys/devices/system/cpu/cpu0/cache";
const platform = "sys/devices/platform";
const note = new Uint8Array(16 + 20);
new Uint32Array(note.buffer).set([4, 20, 3, 0x00554e47]);
note.fill(0xab, 16);

Deno.test("gatherEnvironment() reads the facts of a board with a device tree", () => {
  const root = board({
    "proc/device-tree/model": "ZynqMP ZCU102 Rev1.0\0",
    "proc/cmdline": "console=ttyPS0 cma=256M\n",
    "proc/meminfo": "MemTotal:        4039332 kB\nCmaTotal:         262144 kB\n",
    "proc/loadavg": "0.10 0.20 0.30 1/99 1234\n",
    "sys/devices/system/cpu/online": "0-3\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1199999\n",
    [`${cache}/index0/level`]: "1\n",
    [`${cache}/index0/type`]: "Data\n",
    [`${cache}/index0/size`]: "32K\n",
    [`${cache}/index0/coherency_line_size`]: "64\n",
    [`${cache}/index0/ways_of_associativity`]: "4\n",
    [`${cache}/index2/level`]: "2\n",
    [`${cache}/index2/type`]: "Unified\n",
    [`${cache}/index2/size`]: "1024K\n",
    "sys/module/pldma/version": "0.1.0\n",
    "sys/module/pldma/srcversion": "0123456789ABCDEF\n",
    "sys/module/pldma/notes/.note.gnu.build-id": note,
    "sys/module/pldma/holders/pl_loopback": "→../../pl_loopback",
    "sys/module/pl_loopback/version": "0.1.0\n",
    "sys/module/xilinx_dma/srcversion": "FEDC\n",
    "sys/module/xilinx_dma/notes/.note.gnu.build-id": note,
    "sys/module/ext4/version": "1\n",
    // a client with two channels: one of a controller whose driver is a module, one of another
    "sys/class/misc/pldma3": "→../../devices/platform/plumbline/misc/pldma3",
    [`${platform}/plumbline/misc/pldma3/device`]: "→../../../plumbline",
    [`${platform}/plumbline/dma:tx`]: "→../a0000000.dma/dma/dma0chan0",
    [`${platform}/plumbline/dma:rx`]: "→../fd500000.dma/dma/dma1chan3",
    [`${platform}/a0000000.dma/dma/dma0chan0/device`]: "→../../../a0000000.dma",
    [`${platform}/a0000000.dma/driver`]: "→../../../bus/platform/drivers/xilinx-vdma",
    [`${platform}/a0000000.dma/of_node/dma-coherent`]: "",
    "sys/bus/platform/drivers/xilinx-vdma/module": "→../../../../module/xilinx_dma",
    [`${platform}/fd500000.dma/dma/dma1chan3/device`]: "→../../../fd500000.dma",
    [`${platform}/fd500000.dma/driver`]: "→../../../bus/platform/drivers/builtin-dma",
    [`${platform}/fd500000.dma/of_node/compatible`]: "x",
    "sys/bus/platform/drivers/builtin-dma/uevent": "",
  });

  const facts = gatherEnvironment({ device: "/dev/pldma3", root });
  const expected = {
    "machine": "ZynqMP ZCU102 Rev1.0",
    "processors online": "0-3",
    "CPU governor": "performance",
    "CPU frequency (MHz)": 1199.999,
    "cache L1d": "32K, lines of 64 bytes, 4 ways",
    "cache L2": "1024K",
    "memory (KiB)": 4039332,
    "CMA (KiB)": 262144,
    "kernel command line": "console=ttyPS0 cma=256M",
    "load average": "0.10 0.20 0.30",
    "device tree dma-coherent tx": true,
    "device tree dma-coherent rx": false,
    "driver of channel tx": "xilinx-vdma",
    "driver of channel rx": "builtin-dma",
    "module pldma": `0.1.0, source 0123456789ABCDEF, build ${"ab".repeat(20)}`,
    "module pl_loopback": "0.1.0",
    "module xilinx_dma": `source FEDC, build ${"ab".repeat(20)}`,
  };
  for (const [name, value] of Object.entries(expected)) assertEquals(facts[name], value, name);
  assertEquals(Object.keys(facts).filter((name) => name.startsWith("module ")).length, 3);
});

Deno.test("gatherEnvironment() returns null for unknown facts, and never throws", () => {
  const facts = gatherEnvironment({ root: tempDir() });
  assertEquals(new Set(Object.values(facts)), new Set([null]));
  assert(Object.keys(facts).length > 8);
  const odd = board({
    "proc/meminfo": "MemTotal: many kB\n",
    "proc/cmdline": "x".repeat(5000),
    "sys/module/pldma/notes/.note.gnu.build-id": new Uint8Array([1, 2, 3]),
    "sys/module/pl_odd/notes/.note.gnu.build-id": new Uint8Array(12).fill(0xff),
  });
  const strange = gatherEnvironment({ root: odd });
  assertEquals(strange["memory (KiB)"], null);
  assertEquals(String(strange["kernel command line"]).length, 2000);
  assertEquals(strange["module pldma"], "loaded");
});

Deno.test("gatherEnvironment() returns facts of this machine that fit into results", () => {
  for (const [name, value] of Object.entries(gatherEnvironment())) {
    assert(value === null || ["string", "number", "boolean"].includes(typeof value), name);
  }
});

Deno.test("gatherEnvironment() takes each fact of a target from the target, and names the desk", () => {
  const silent = {
    readFile: () => null,
    readBytes: () => null,
    list: () => [],
    readLink: () => null,
    kernelLog: () => null,
  };
  const { desk, ...facts } = gatherEnvironment({ files: silent });
  // a fact of this machine would not be null
  assertEquals(new Set(Object.values(facts)), new Set([null]));
  assert(Object.keys(facts).length > 8);
  assertEquals(desk, `${Deno.hostname()}, ${Deno.build.arch}, Linux ${Deno.osRelease()}`);
});
