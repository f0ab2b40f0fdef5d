// SPDX-License-Identifier: MIT
/**
 * The DMA controllers of a machine and their channels: which of them are streams to and from the logic,
 * and which copy memory. dmaengine does not show that in sysfs, so it is known by driver and device tree.
 *
 * @module
 */
import { type Files, isThere, linkName, textOf } from "./facts.ts";

/** What a controller connects. */
export type ControllerKind = "stream" | "memory" | "other" | "unknown";

/** What is known about a kind of DMA controller. */
interface Known {
  readonly kind: ControllerKind;
  /** What it is, in words. */
  readonly what: string;
  /** The option of the kernel that builds its driver. */
  readonly option?: string;
  /** The module with its driver. */
  readonly module?: string;
}

const XILINX = { option: "CONFIG_XILINX_DMA", module: "xilinx_dma" };

/** Controllers by their name in the device tree (Documentation/devicetree/bindings/dma of Linux). */
const BY_COMPATIBLE: Readonly<Record<string, Known>> = {
  "xlnx,axi-dma-1.00.a": { kind: "stream", what: "AXI DMA", ...XILINX },
  "xlnx,axi-mcdma-1.00.a": { kind: "stream", what: "AXI MCDMA", ...XILINX },
  "xlnx,axi-cdma-1.00.a": { kind: "memory", what: "AXI CDMA in the logic", ...XILINX },
  "xlnx,axi-vdma-1.00.a": { kind: "other", what: "AXI VDMA, for video frames", ...XILINX },
  "adi,axi-dmac-1.00.a": {
    kind: "stream",
    what: "AXI DMAC of Analog Devices",
    option: "CONFIG_AXI_DMAC",
    module: "dma-axi-dmac",
  },
  "xlnx,zynqmp-dma-1.0": {
    kind: "memory",
    what: "memory engine of the processing system (GDMA or ADMA)",
    option: "CONFIG_XILINX_ZYNQMP_DMA",
    module: "zynqmp_dma",
  },
  "xlnx,zynqmp-dpdma": { kind: "other", what: "DMA of the display port" },
  "arm,pl330": {
    kind: "memory",
    what: "memory engine of the processing system (PL330)",
    option: "CONFIG_PL330_DMA",
    module: "pl330",
  },
};

/** Controllers by the name of their driver, for those without a device tree. */
const BY_DRIVER: Readonly<Record<string, Known>> = {
  "xdma": { kind: "stream", what: "DMA of a PCIe card (XDMA)" },
  "pl_loopback": { kind: "stream", what: "loopback core of this project" },
  "pl_softdma": { kind: "stream", what: "simulated engine of this project" },
  "pl_advbus": { kind: "stream", what: "simulated engine of this project" },
  "pl_cosim": { kind: "stream", what: "simulated core of this project" },
  "xilinx-zynqmp-dma": { kind: "memory", what: "memory engine of the processing system" },
  "dma-pl330": { kind: "memory", what: "memory engine of the processing system (PL330)" },
  "dma-axi-dmac": { kind: "stream", what: "AXI DMAC of Analog Devices" },
  "ioatdma": { kind: "memory", what: "memory engine of the processor" },
  "idxd": { kind: "memory", what: "memory engine of the processor" },
};

/** A DMA channel. */
export interface Channel {
  /** Its name, such as `dma0chan0`. */
  readonly name: string;
  /** Whether a driver uses it. */
  readonly inUse: boolean;
  /** The device that uses it, if known. */
  readonly user: string | null;
}

/** A DMA controller. */
export interface Controller {
  /** The name of its device, such as `a0000000.dma`. */
  readonly device: string;
  /** The driver that is bound to it, or null. */
  readonly driver: string | null;
  /** The path of its node in the device tree, or null. */
  readonly node: string | null;
  /** The folder with the properties of its node. */
  readonly properties: string;
  /** Its name in the device tree, or null. */
  readonly compatible: string | null;
  /** What it connects. */
  readonly kind: ControllerKind;
  /** What it is, in words. */
  readonly what: string;
  /** The option of the kernel that builds its driver, or null if that is not known. */
  readonly option: string | null;
  /** The module with its driver, or null if that is not known. */
  readonly module: string | null;
  /** Its channels. */
  readonly channels: readonly Channel[];
}

/**
 * Lists the DMA controllers of a machine: those with channels, and those of the device tree without a
 * driver.
 *
 * @param files The files of the machine
 * @returns The controllers, streams first
 */
export function listControllers(files: Files): Controller[] {
  const channels = new Map<string, { path: string; channels: Channel[] }>();
  for (const name of files.list("/sys/class/dma").toSorted(byNumbers)) {
    const path = `/sys/class/dma/${name}`;
    const device = linkName(files, `${path}/device`) ?? "an unknown device";
    const known = channels.get(device) ?? { path: `${path}/device`, channels: [] };
    known.channels.push({
      name,
      inUse: Number(textOf(files, `${path}/in_use`) ?? 0) > 0,
      user: linkName(files, `${path}/slave`),
    });
    channels.set(device, known);
  }
  const found = [...channels].map(([device, { path, channels }]) =>
    controller(files, path, device, channels)
  );
  const platform = "/sys/bus/platform/devices";
  for (const device of files.list(platform)) {
    if (channels.has(device)) continue;
    const one = controller(files, `${platform}/${device}`, device, []);
    if (one.compatible !== null && Object.hasOwn(BY_COMPATIBLE, one.compatible)) found.push(one);
  }
  const rank = ({ kind }: Controller) => ["stream", "unknown", "memory", "other"].indexOf(kind);
  return found.toSorted((a, b) => rank(a) - rank(b));
}

/** Orders `dma10chan2` after `dma9chan11`. */
function byNumbers(a: string, b: string): number {
  const [x = [], y = []] = [a, b].map((name) => name.match(/\d+/g)?.map(Number) ?? []);
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
}

function controller(
  files: Files,
  path: string,
  device: string,
  channels: readonly Channel[],
): Controller {
  const driver = linkName(files, `${path}/driver`);
  const names = textOf(files, `${path}/of_node/compatible`)?.split("\0") ?? [];
  const compatible = names.find((name) => Object.hasOwn(BY_COMPATIBLE, name)) ?? names[0] ?? null;
  const known = BY_COMPATIBLE[compatible ?? ""] ?? BY_DRIVER[driver ?? ""];
  const link = files.readLink(`${path}/of_node`) ?? "";
  return {
    device,
    driver,
    node: /devicetree\/base(\/.*)$/.exec(link)?.[1] ?? null,
    properties: `${path}/of_node`,
    compatible,
    kind: known?.kind ?? "unknown",
    what: known?.what ?? `a controller that Plumbline does not know (${compatible ?? driver})`,
    option: known?.option ?? null,
    module: known?.module ?? null,
    channels,
  };
}

/**
 * Returns the parameters of `pldma` that name the channels of a machine.
 *
 * @param controllers The controllers
 * @returns `tx=… rx=…` of the first stream, `memcpy=…` of the first memory engine, or null if there is no
 * channel
 */
export function moduleParameters(controllers: readonly Controller[]): string | null {
  for (const { kind, channels } of controllers) {
    const [tx, rx] = channels.filter((one) => !one.inUse || one.user?.includes("pldma") === true);
    if (kind === "stream" && tx !== undefined && rx !== undefined) {
      return `tx=${tx.name} rx=${rx.name}`;
    }
    if (kind === "memory" && tx !== undefined) return `memcpy=${tx.name}`;
  }
  return null;
}

/**
 * Describes a controller with its channels in one line.
 *
 * @param controller The controller
 * @returns The line
 */
export function describeController(controller: Controller): string {
  const { device, driver, what, kind, node, channels } = controller;
  const names = channels.map(({ name, inUse, user }) =>
    !inUse ? name : `${name} (used by ${user ?? "an unknown driver"})`
  );
  const list = names.length === 0 ? "no channels" : names.join(", ");
  return `${device}: ${what}, ${kind === "stream" ? "a stream" : kind}, driver ${driver ?? "none"}${
    node === null ? "" : `, node ${node}`
  }: ${list}`;
}

/**
 * Returns the channel nodes of a controller in the device tree.
 *
 * @param files The files of the machine
 * @param controller The controller
 * @returns The folders, in the order of their addresses
 */
export function channelNodes(files: Files, controller: Controller): string[] {
  return files.list(controller.properties)
    .filter((name) => name.startsWith("dma-channel"))
    .filter((name) => isThere(files, `${controller.properties}/${name}/compatible`))
    .toSorted()
    .map((name) => `${controller.properties}/${name}`);
}
