// SPDX-License-Identifier: MIT
/**
 * A device-tree overlay that gives `pldma` the stream controllers of the running machine.
 *
 * It names them by the numbers (phandles) of the running tree, because an overlay can name a node by its
 * label only if the tree was built with symbols. So it fits this boot of this machine, and `dtc` compiles
 * it without a preprocessor.
 *
 * @module
 */
import { channelNodes, type Controller, listControllers } from "./channels.ts";
import { type Files, textOf } from "./facts.ts";

/** The first channel of the receive direction of a core (`xilinx_dma_chan_probe()` of Linux). */
const FIRST_RX: Readonly<Record<string, number>> = {
  "xlnx,axi-dma-1.00.a": 1,
  "xlnx,axi-mcdma-1.00.a": 16,
};

/** Options of `dtc`. Its warning about numbers that are no references would be about this overlay's. */
export const COMPILE = ["-@", "-W", "no-dmas_property", "-I", "dts", "-O", "dtb"];

/** An overlay, or why there is none. */
export interface Overlay {
  /** The source text, for `dtc` with the options of {@linkcode COMPILE}; null if nothing can be written. */
  readonly text: string | null;
  /** What was left out, and why, one sentence each. */
  readonly omitted: readonly string[];
}

/**
 * Writes an overlay for the stream controllers of a machine.
 *
 * @param files The files of the machine
 * @returns The overlay
 */
export function writeOverlay(files: Files): Overlay {
  const omitted: string[] = [];
  const nodes: string[] = [];
  for (const controller of listControllers(files).filter(({ kind }) => kind === "stream")) {
    const found = describeNode(files, controller, nodes.length);
    if (found.node === null) omitted.push(`${controller.device}: ${found.why}`);
    else nodes.push(found.node);
  }
  if (nodes.length === 0) return { text: null, omitted };
  const compatible = textOf(files, "/sys/firmware/devicetree/base/compatible")?.split("\0") ?? [];
  return {
    text: [
      "// Written by plumbline doctor --overlay for the running device tree. The numbers are its",
      "// phandles: write this file anew after a change of bitstream, device tree or kernel.",
      ...omitted.map((line) => `// Left out: ${line}`),
      "/dts-v1/;",
      "/plugin/;",
      "",
      "/ {",
      ...(compatible.length === 0
        ? []
        : [`\tcompatible = ${compatible.map((name) => JSON.stringify(name)).join(", ")};`, ""]),
      "\tfragment@0 {",
      '\t\ttarget-path = "/";',
      "",
      "\t\t__overlay__ {",
      nodes.join("\n\n"),
      "\t\t};",
      "\t};",
      "};",
      "",
    ].join("\n"),
    omitted,
  };
}

/** The node of one device of `pldma`. */
function describeNode(
  files: Files,
  controller: Controller,
  number: number,
): { node: string; why?: never } | { node: null; why: string } {
  const { compatible, properties, channels } = controller;
  const firstRx = FIRST_RX[compatible ?? ""];
  if (controller.node === null) return { node: null, why: "it has no node in a device tree" };
  if (firstRx === undefined) {
    return { node: null, why: `it is not known which of its channels is tx (${compatible})` };
  }
  const user = channels.find(({ inUse }) => inUse);
  if (user !== undefined) {
    return { node: null, why: `${user.user ?? "another driver"} uses ${user.name}` };
  }
  const bytes = files.readBytes(`${properties}/phandle`);
  if (bytes === null || bytes.length !== 4) {
    return {
      node: null,
      why: "its node has no phandle: give it a label, and build the device tree with dtc -@",
    };
  }
  const phandle = `0x${new DataView(bytes.buffer, bytes.byteOffset).getUint32(0).toString(16)}`;
  const kinds = channelNodes(files, controller).map((path) =>
    textOf(files, `${path}/compatible`) ?? ""
  );
  const wanted = [
    { name: "tx", index: 0, there: kinds.some((kind) => kind.includes("mm2s")) },
    { name: "rx", index: firstRx, there: kinds.some((kind) => kind.includes("s2mm")) },
  ].filter(({ there }) => there);
  if (wanted.length === 0) return { node: null, why: "its node has no channel nodes" };
  return {
    node: [
      `\t\t\t/* ${controller.what}, ${controller.node} */`,
      `\t\t\tpldma${number} {`,
      '\t\t\t\tcompatible = "plumbline,pldma";',
      `\t\t\t\tdmas = ${wanted.map(({ index }) => `<${phandle} ${index}>`).join(", ")};`,
      `\t\t\t\tdma-names = ${wanted.map(({ name }) => JSON.stringify(name)).join(", ")};`,
      "\t\t\t};",
    ].join("\n"),
  };
}
