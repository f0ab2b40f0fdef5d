// SPDX-License-Identifier: MIT
/**
 * The changes that mend a device, with their sources. A reader can check them without reading code elsewhere.
 *
 * @module
 */

/** A statement and the document that it comes from. */
export interface Sourced {
  /** What to do. */
  readonly change: string;
  /** The document that says so. */
  readonly source: string;
}

/** The one change that mends a device. */
export interface Fix extends Sourced {
  /** When to look at {@linkcode otherwise}. */
  readonly unless: string;
  /** What else to look at, in that order. */
  readonly otherwise: readonly Sourced[];
}

const OF_COHERENT = "Linux, of_dma_is_coherent() in drivers/of/address.c";
const UG1085 = "AMD UG1085, APU Coherent Interfaces";

/** Attributes of a transaction that snoops. */
export const AXCACHE: Sourced = {
  change: "Drive AxCACHE[3:2] with a value other than 0 in every transaction",
  source: UG1085,
};

/** A secure transaction does not find the lines of Linux, which are not secure. */
export const AXPROT: Sourced = {
  change: "Drive AxPROT[1] with 1 (non-secure), because the lines of Linux are non-secure",
  source: "AMD AR 69446",
};

const PORT: Sourced = {
  change: "Connect the core to a port that can snoop: on Zynq UltraScale+ HPC or ACP, not HP",
  source: "AMD UG1085, I/O Coherency",
};

const INTERCONNECT: Sourced = {
  change: "Enable snoops in the interconnect: Snoop_Control_Register_S3[Enable_snoops] of the CCI",
  source: UG1085,
};

const BROADCAST: Sourced = {
  change:
    "Let the processors broadcast inner-shareable accesses: LPD_SLCR.LPD_APU, before their reset ends",
  source: "AMD UG1085, ACE Interface for Full Coherency",
};

/** The changes by name. */
export const fixes = {
  /** The hardware snoops both directions, and the kernel does not know it. */
  addCoherent: {
    change: "Add the property dma-coherent to the DMA controller's node in the device tree",
    source: OF_COHERENT,
    unless: "",
    otherwise: [],
  },

  /** The kernel believes what the hardware does not do. */
  removeCoherent: (otherwise: readonly Sourced[] | null): Fix => ({
    change:
      "Remove the property dma-coherent from the DMA controller's node and its parents in the device tree",
    source: OF_COHERENT,
    unless: "To let the device snoop instead, look in this order:",
    otherwise: otherwise ?? [PORT, AXCACHE, AXPROT, INTERCONNECT, BROADCAST],
  }),

  /** One direction snoops, so only what differs between the directions can be wrong. */
  attributes: (access: "read" | "write", coherent: boolean): Fix => {
    const channel = access === "read" ? "AR" : "AW";
    return {
      change:
        `Drive ${channel}CACHE[3:2] with a value other than 0, so that the core's ${access}s snoop too` +
        (coherent ? "" : ", and then add dma-coherent"),
      source: UG1085,
      unless: "If it does so already, look in this order:",
      otherwise: [
        { change: `Drive ${channel}PROT[1] with 1 (non-secure)`, source: AXPROT.source },
        PORT,
      ],
    };
  },

  /** Syncs are made and do not reach memory. */
  outerCache: {
    change:
      "Describe the outer cache in the device tree, because the kernel's syncs do not reach memory",
    source: "Linux, bindings/cache/l2c2x0.yaml",
    unless: "",
    otherwise: [],
  },

  /** A PCI Express card asks the root complex not to snoop. */
  noSnoop: {
    change:
      "Clear Enable No Snoop in the card's Device Control register, or the core's No Snoop attribute",
    source: "Linux, PCI_EXP_DEVCTL_NOSNOOP_EN in include/uapi/linux/pci_regs.h",
    unless: "",
    otherwise: [],
  },
} as const satisfies Record<string, Fix | ((...args: never[]) => Fix)>;
