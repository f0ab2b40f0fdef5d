// SPDX-License-Identifier: MIT
/**
 * Conditions of the DMA controllers: driver, and what their nodes in the device tree say.
 *
 * @module
 */
import { formatBytes, plural } from "../text/format.ts";
import { channelNodes, type Controller, describeController, moduleParameters } from "./channels.ts";
import { type Condition, met, unmet } from "./condition.ts";
import { type Facts, type Files, isThere, textOf } from "./facts.ts";

/** Width of a length register that covers the largest block of `pldma`, 4 MiB. */
const LENGTH_WIDTH = 23;

/** What `xilinx_dma` assumes if the node has no `xlnx,sg-length-width`. */
const DEFAULT_WIDTH = 23;

/** What the tools must write again after the hardware design has changed. */
const REGENERATE = "write the device tree anew from the .xsa of this bitstream";

/**
 * Judges the controllers that connect streams.
 *
 * @param facts The machine
 * @param controllers Its DMA controllers
 * @returns The conditions
 */
export function checkControllers(facts: Facts, controllers: readonly Controller[]): Condition[] {
  const streams = controllers.filter(({ kind }) => kind === "stream");
  return [
    ...streams.flatMap((one) => [
      checkDriver(facts.files, one),
      ...(one.compatible?.startsWith("xlnx,axi-") === true ? checkXilinx(facts.files, one) : []),
    ]),
    checkChannels(controllers),
  ];
}

function checkDriver(files: Files, controller: Controller): Condition {
  const { device, driver, compatible, option, module } = controller;
  const subject = {
    id: `controller-driver ${device}`,
    title: `driver of ${device}`,
    expected: option === null ? "a driver of dmaengine" : `a driver of dmaengine (${option})`,
  };
  if (driver !== null) return met(subject, driver);
  const waiting = (files.readFile("/sys/kernel/debug/devices_deferred") ?? "").split("\n")
    .find((line) => line.startsWith(device));
  if (waiting !== undefined) {
    const reason = waiting.slice(device.length).trim().replace(/\s+/g, " ");
    return unmet(
      subject,
      "missing",
      `the driver waits (deferred probe${reason === "" ? "" : `: ${reason}`})`,
      "bring up what it waits for, such as the clock of the logic (dmesg says more)",
    );
  }
  if (module !== null && isThere(files, `/sys/module/${module.replaceAll("-", "_")}`)) {
    const coherent = module === "dma-axi-dmac" &&
      isThere(files, `${controller.properties}/dma-coherent`);
    return unmet(
      subject,
      "missing",
      `none, although ${module} is loaded` + (coherent ? ", and the node has dma-coherent" : ""),
      (coherent ? "remove dma-coherent, unless the core was built with CACHE_COHERENT; " : "") +
        `see why the driver refused it: dmesg | grep ${device}`,
    );
  }
  return unmet(
    subject,
    "missing",
    `none for ${compatible ?? device}`,
    module === null
      ? "load its driver, and see dmesg"
      : `sudo modprobe ${module}   # or a kernel with ${option}; if it is loaded, see dmesg | ` +
        `grep ${device}`,
  );
}

/** What `drivers/dma/xilinx/xilinx_dma.c` of Linux reads from the node of its core. */
function checkXilinx(files: Files, controller: Controller): Condition[] {
  const { device, properties } = controller;
  const about = (id: string, title: string, expected: string) => ({
    id: `${id} ${device}`,
    title: `${title} of ${device}`,
    expected,
  });
  const clocks = about("clocks", "clocks", "clock-names with s_axi_lite_aclk");
  const names = textOf(files, `${properties}/clock-names`)?.split("\0") ?? [];
  const children = channelNodes(files, controller);
  const conditions = [
    names.includes("s_axi_lite_aclk")
      ? met(clocks, names.join(", "))
      : unmet(clocks, "missing", names.length === 0 ? "none" : names.join(", "), REGENERATE),
    checkChildren(files, about, children),
    ...checkInterrupts(files, about, children),
  ];
  if (controller.compatible?.startsWith("xlnx,axi-dma") === true) {
    conditions.push(checkWidth(files, about, properties));
  }
  const gather = about("scatter-gather", "scatter-gather", "the core has a scatter-gather engine");
  conditions.push(
    isThere(files, `${properties}/xlnx,include-sg`) ||
      names.includes("m_axi_sg_aclk")
      ? met(gather, "the node says so")
      : unmet(
        gather,
        "unknown",
        "the node does not say; the driver reads it from the core (DMASR.SGIncld)",
        'enable "Scatter Gather Engine" of the AXI DMA in Vivado, if transfers never complete',
      ),
  );
  const coherent = isThere(files, `${properties}/dma-coherent`);
  conditions.push(met(
    about("coherence", "coherence", "dma-coherent only for a port that snoops (HPC, ACP)"),
    coherent
      ? "dma-coherent: the kernel makes no cache syncs"
      : "not dma-coherent: the kernel syncs caches, as for an HP port",
  ));
  return conditions;
}

type About = (id: string, title: string, expected: string) => {
  id: string;
  title: string;
  expected: string;
};

function checkChildren(files: Files, about: About, children: readonly string[]): Condition {
  const subject = about("channel-nodes", "channel nodes", "one for mm2s (tx), one for s2mm (rx)");
  const found = children.map((child) => textOf(files, `${child}/compatible`) ?? "");
  const has = (word: string) => found.some((name) => name.includes(word));
  const text = found.length === 0 ? "none" : found.join(", ");
  if (has("mm2s") && has("s2mm")) return met(subject, text);
  return found.length > 0
    ? unmet(subject, "advice", `${text}: the core has one direction only`, null)
    : unmet(subject, "missing", text, REGENERATE);
}

function checkInterrupts(files: Files, about: About, children: readonly string[]): Condition[] {
  if (children.length === 0) return [];
  const subject = about("interrupts", "interrupts", "one for each channel node");
  const silent = children.filter((child) =>
    !isThere(files, `${child}/interrupts`) && !isThere(files, `${child}/interrupts-extended`)
  );
  if (silent.length > 0) {
    const names = silent.map((child) => child.split("/").at(-1)).join(", ");
    return [unmet(
      subject,
      "missing",
      `${names} has none`,
      "connect mm2s_introut and s2mm_introut to the processor's interrupt inputs in Vivado, and " +
        REGENERATE,
    )];
  }
  const [header = "", ...all] = (files.readFile("/proc/interrupts") ?? "").split("\n");
  const processors = header.trim().split(/\s+/).length;
  const lines = all.filter((line) => line.includes("xilinx-dma-controller"));
  if (lines.length === 0) {
    return [unmet(
      subject,
      "advice",
      "the nodes have interrupts, but /proc/interrupts lists none of the driver",
      "see dmesg for the driver's messages",
    )];
  }
  // after the number of the interrupt, a line has a count for each processor
  const count = lines.flatMap((line) => line.trim().split(/\s+/).slice(1, 1 + processors))
    .reduce((sum, number) => sum + Number(number), 0);
  return [met(subject, `${plural(lines.length, "line")} of the driver, raised ${count} times`)];
}

function checkWidth(files: Files, about: About, properties: string): Condition {
  const subject = about(
    "length-width",
    "length register",
    `at least ${LENGTH_WIDTH} bits, for blocks of 4 MiB`,
  );
  const bytes = files.readBytes(`${properties}/xlnx,sg-length-width`);
  const width = bytes === null || bytes.length !== 4
    ? null
    : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (width === null) {
    return unmet(
      subject,
      "advice",
      `no xlnx,sg-length-width, so the driver assumes ${DEFAULT_WIDTH} bits`,
      "check that the width in Vivado is at least that, because longer frames are cut silently",
    );
  }
  return width >= LENGTH_WIDTH ? met(subject, `${width} bits`) : unmet(
    subject,
    "advice",
    `${width} bits: a frame may have ${formatBytes(2 ** width - 1)} at most`,
    'set "Width of Buffer Length Register" to 26 in Vivado, or choose smaller frames by --size',
  );
}

function checkChannels(controllers: readonly Controller[]): Condition {
  const subject = {
    id: "channels",
    title: "DMA channels",
    expected: "two channels of a stream controller, or one of a memory engine",
  };
  const found = controllers.map(describeController).join("; ");
  if (moduleParameters(controllers) !== null) return met(subject, found);
  const busy = controllers.filter(({ kind }) => kind === "stream" || kind === "memory")
    .flatMap(({ channels }) => channels).filter(({ inUse }) => inUse);
  if (busy.some(({ user }) => user?.includes("pldma"))) return met(subject, found);
  if (busy.length > 0) {
    return unmet(
      subject,
      "missing",
      `${found}; all are in use`,
      `unbind ${
        [...new Set(busy.map(({ user }) => user ?? "the driver that uses them"))].join(", ")
      }`,
    );
  }
  const unknown = controllers.filter(({ kind, channels }) => kind === "unknown" && channels.length);
  if (unknown.length > 0) {
    return unmet(
      subject,
      "unknown",
      `${found}; it is not known whether they connect streams`,
      "name two channels that do: sudo modprobe pldma tx=CHANNEL rx=CHANNEL",
    );
  }
  return unmet(
    subject,
    "missing",
    found === "" ? "none" : found,
    "load a bitstream with a DMA controller together with its device-tree overlay " +
      "(docs/bitstreams.md), or try --board sim",
  );
}
