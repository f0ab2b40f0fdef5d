// SPDX-License-Identifier: MIT
/**
 * What runs on a virtual board to find a mutant of the kernel module.
 *
 * @module
 */

import type { GuestOptions } from "../../../fixtures/boards/vm/mod.ts";
import type { Mutant } from "../mutant.ts";
import type { Command } from "./plan.ts";

/** The virtual boards on which mutants of the kernel module run. */
export const BOARDS = {
  /** Bounce buffers: a missing or wrong sync moves no data. */
  swiotlb: { arch: "x86_64", kernelModules: ["brd"] },
  /** Non-coherent caches: a missing sync shows other data. */
  adversarial: { arch: "x86_64", bus: "adversarial" },
  /** A coherent device, and vgem as another driver that exchanges buffers. */
  coherent: { arch: "x86_64", coherent: true, kernelModules: ["vgem"] },
  /** A memory loop through the ZDMA of QEMU's Versal machine. */
  memory: { arch: "aarch64", engine: "memory" },
  /** QEMU's device `edu`, whose DMA passes an IOMMU in strict mode. */
  iommu: { arch: "x86_64", engine: "edu", iommu: "strict" },
} as const satisfies Record<string, Partial<GuestOptions> & Pick<GuestOptions, "arch">>;

/** The kernel that the boards boot: that of the Debian release, or the one that watches for mistakes. */
export type MutantKernel = "main" | "debug";

/** The name of a board in {@linkcode BOARDS}. */
export type BoardName = keyof typeof BOARDS;

/** A command on a board. */
export interface Probe {
  /** Its name in the table. */
  readonly name: string;
  /** The board. */
  readonly board: BoardName;
  /** What runs. */
  readonly command: Command;
  /** Parameters of `pldma.ko`. Defaults to none. */
  readonly pldma?: string;
}

/** A mutant of the kernel module, and the command that turns red on it. */
export interface DriverMutant extends Mutant {
  /** The cheapest command that turns red. */
  readonly probe: Probe;
  /**
   * Whether it may damage memory of the kernel, so that what runs after it in the same boot means nothing.
   * Defaults to false.
   */
  readonly alone?: boolean;
}

/** Where a probe runs, and with which parameters of `pldma.ko`. */
type Place = Partial<Pick<Probe, "board" | "pldma">>;

/** Runs the checks of the suite `abi` whose names contain a text. */
export function abi(text: string, place: Place = {}): Probe {
  return { name: `abi: ${text}`, board: "swiotlb", command: { abi: text }, ...place };
}

/** Runs a program of `driver/kernel/tests/`. */
export function program(command: string, place: Place = {}): Probe {
  return { name: command, board: "swiotlb", command: { program: command }, ...place };
}
