// SPDX-License-Identifier: MIT
/**
 * A made-up board with a ZynqMP, an AXI DMA in its logic, and the memory engine of its processing system.
 * Everything on it is right, so a test changes one file and looks for one finding.
 *
 * @module
 */
import { tempDir } from "../../testing/temp_dir.ts";
import { type Facts, filesBelow } from "../facts.ts";

/** Files by path. A text that begins with `→` is the target of a link. Null removes a path. */
export type Tree = Readonly<Record<string, string | Uint8Array | null>>;

/** A cell of the device tree. */
export function cell(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** The release of the made-up kernel. */
export const RELEASE = "6.6.40-xilinx";

/** The node of the AXI DMA. */
export const NODE = "sys/firmware/devicetree/base/axi/dma@a0000000";

const DEVICE = "sys/devices/platform/axi/a0000000.dma";
const ENGINE = "sys/devices/platform/axi/fd500000.dma-controller";

/** The page size in an auxiliary vector: type 6, value 4096, and the end. */
const AUXV = new Uint8Array(new BigUint64Array([6n, 4096n, 0n, 0n]).buffer);

const BOARD: Tree = {
  "proc/self/auxv": AUXV,
  "proc/self/limits":
    "Limit  Soft Limit  Hard Limit  Units\nMax locked memory   unlimited   unlimited   bytes\n",
  "proc/meminfo": "MemTotal: 4039332 kB\nCmaTotal: 262144 kB\nCmaFree: 200000 kB\n",
  "proc/interrupts": "           CPU0       CPU1\n" +
    " 50:         40          2     GICv2 121 Level     xilinx-dma-controller\n" +
    " 51:         40          1     GICv2 122 Level     xilinx-dma-controller\n",
  [`boot/config-${RELEASE}`]: "CONFIG_MODULES=y\nCONFIG_DMA_ENGINE=y\nCONFIG_XILINX_DMA=y\n",
  "etc/os-release": 'ID=ubuntu\nID_LIKE="debian"\n',
  "usr/bin/gcc": "",
  "usr/bin/make": "",
  [`lib/modules/${RELEASE}/build/Makefile`]: "",
  "src/driver/kernel/pldma.ko": `\x7fELF\0vermagic=${RELEASE} SMP mod_unload aarch64\0`,
  "sys/module/pldma/version": "0.1.0\n",
  "sys/class/misc/pldma0": "→../../devices/virtual/misc/pldma0",
  "sys/class/fpga_manager/fpga0/name": "Xilinx ZynqMP FPGA Manager\n",
  "sys/class/fpga_manager/fpga0/state": "operating\n",
  "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
  "sys/firmware/devicetree/base/compatible": "xlnx,zynqmp-zcu102\0xlnx,zynqmp\0",
  // the AXI DMA, bound and free
  [`${NODE}/compatible`]: "xlnx,axi-dma-1.00.a\0",
  [`${NODE}/phandle`]: cell(0x2b),
  [`${NODE}/clock-names`]: "s_axi_lite_aclk\0m_axi_sg_aclk\0m_axi_mm2s_aclk\0m_axi_s2mm_aclk\0",
  [`${NODE}/xlnx,sg-length-width`]: cell(26),
  [`${NODE}/dma-channel@a0000000/compatible`]: "xlnx,axi-dma-mm2s-channel\0",
  [`${NODE}/dma-channel@a0000000/interrupts`]: cell(89),
  [`${NODE}/dma-channel@a0000030/compatible`]: "xlnx,axi-dma-s2mm-channel\0",
  [`${NODE}/dma-channel@a0000030/interrupts`]: cell(90),
  [`${DEVICE}/of_node`]: "→../../../../firmware/devicetree/base/axi/dma@a0000000",
  [`${DEVICE}/driver`]: "→../../../../bus/platform/drivers/xilinx-vdma",
  "sys/bus/platform/devices/a0000000.dma": "→../../../devices/platform/axi/a0000000.dma",
  "sys/class/dma/dma1chan0": "→../../devices/platform/axi/a0000000.dma/dma/dma1chan0",
  "sys/class/dma/dma1chan1": "→../../devices/platform/axi/a0000000.dma/dma/dma1chan1",
  [`${DEVICE}/dma/dma1chan0/device`]: "→../../../a0000000.dma",
  [`${DEVICE}/dma/dma1chan0/in_use`]: "0\n",
  [`${DEVICE}/dma/dma1chan1/device`]: "→../../../a0000000.dma",
  [`${DEVICE}/dma/dma1chan1/in_use`]: "0\n",
  // the memory engine of the processing system
  "sys/firmware/devicetree/base/axi/dma-controller@fd500000/compatible": "xlnx,zynqmp-dma-1.0\0",
  [`${ENGINE}/of_node`]: "→../../../../firmware/devicetree/base/axi/dma-controller@fd500000",
  [`${ENGINE}/driver`]: "→../../../../bus/platform/drivers/xilinx-zynqmp-dma",
  "sys/bus/platform/devices/fd500000.dma-controller":
    "→../../../devices/platform/axi/fd500000.dma-controller",
  "sys/class/dma/dma0chan0": "→../../devices/platform/axi/fd500000.dma-controller/dma/dma0chan0",
  [`${ENGINE}/dma/dma0chan0/device`]: "→../../../fd500000.dma-controller",
  [`${ENGINE}/dma/dma0chan0/in_use`]: "0\n",
};

/**
 * Makes the board.
 *
 * @param changes What differs from a board on which everything is right. A null removes the path and what
 * is below it
 * @param facts Other facts that differ
 * @returns The facts of the board
 */
export function madeUpBoard(changes: Tree = {}, facts: Partial<Facts> = {}): Facts {
  const root = tempDir();
  const gone = Object.keys(changes).filter((path) => changes[path] === null);
  for (const [path, content] of Object.entries({ ...BOARD, ...changes })) {
    if (content === null || gone.some((one) => path.startsWith(`${one}/`))) continue;
    const file = `${root}/${path}`;
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    if (typeof content !== "string") Deno.writeFileSync(file, content);
    else if (content.startsWith("→")) Deno.symlinkSync(content.slice(1), file);
    else Deno.writeTextFileSync(file, content);
  }
  return {
    files: filesBelow(root),
    arch: "aarch64",
    release: RELEASE,
    remote: null,
    user: 1000,
    driver: "/src/driver/kernel",
    explain: () => null,
    info: () => "not asked",
    ...facts,
  };
}
