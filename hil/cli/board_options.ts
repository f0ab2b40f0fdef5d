// SPDX-License-Identifier: MIT
/**
 * The options that choose a board, and what each option needs. All commands share them.
 *
 * @module
 */
import type { Bus, Iommu } from "../../fixtures/boards/vm/mod.ts";
import { isVendorEngine, vendorEngines } from "../../fixtures/boards/vm/vendor/shape.ts";
import { isDebian, type KernelChoice, parseKernel } from "../../fixtures/kernels/choice.ts";
import type { RemoteAddress } from "../../driver/remote.ts";
import type { Arguments, OptionInfo } from "../settings/arguments.ts";
import { parseRemote } from "../settings/settings.ts";
import { alternatives, parseName, UsageError } from "../settings/values.ts";

/** The board that the user chose. */
export type BoardChoice =
  | { readonly kind: "local" }
  | { readonly kind: "sim" }
  | {
    readonly kind: "remote";
    /** The value of the option, for the processes of the run. */
    readonly name: string;
    readonly address: RemoteAddress;
  }
  | { readonly kind: "vm"; readonly arch: "aarch64" | "x86_64"; readonly machine?: "versal" }
  | {
    /** A virtual machine on which Deno does not run. For the run it becomes a remote board. */
    readonly kind: "target";
    readonly machine: "armhf" | "zynq";
  };

/** Every value of `--board`. */
const BOARDS = {
  local: { kind: "local" },
  sim: { kind: "sim" },
  vm: { kind: "vm", arch: Deno.build.arch },
  "vm:aarch64": { kind: "vm", arch: "aarch64" },
  "vm:x86_64": { kind: "vm", arch: "x86_64" },
  "vm:versal": { kind: "vm", arch: "aarch64", machine: "versal" },
  "vm:armhf": { kind: "target", machine: "armhf" },
  "vm:zynq": { kind: "target", machine: "zynq" },
} as const satisfies Readonly<Record<string, BoardChoice>>;

/** Every value of `--engine`, which is what moves the data on a virtual machine. */
const ENGINES = {
  softdma: "a DMA engine in software",
  rtl: "the loopback core's RTL, simulated",
  memory: "an engine that copies memory, and the default on vm:versal and vm:zynq",
  "xilinx-dma": "a model of AXI DMA, with the driver of Linux",
  "axi-dmac": "a model of AXI-DMAC of Analog Devices, with the driver of Linux",
  edu: "QEMU's device edu, which copies memory through an IOMMU",
} as const;

/** Every value of `--iommu`, which is when translations leave the cache of an IOMMU. */
const IOMMUS = {
  strict: "at once when memory is unmapped",
  lazy: "some milliseconds later",
} as const satisfies Readonly<Record<Iommu, string>>;

/** Every value of `--bus`, which is what connects the device of a virtual machine to memory. */
const BUSES = {
  swiotlb: "bounce buffers",
  adversarial: "caches that show every missing sync",
} as const satisfies Partial<Readonly<Record<Bus, string>>>;

/** What moves the data on a virtual machine. */
export type Engine = keyof typeof ENGINES;

/** `--board`. */
export const BOARD_OPTION: OptionInfo = {
  name: "board",
  value: "BOARD",
  help: `${
    alternatives([...Object.keys(BOARDS), "remote:HOST"])
  }. Defaults to local, which is this machine`,
};

/** `--engine`. */
export const ENGINE_OPTION: OptionInfo = {
  name: "engine",
  value: "ENGINE",
  help: `What moves the data on a virtual machine: ${describe(ENGINES)}`,
};

/** `--engine-fault`. */
export const ENGINE_FAULT_OPTION: OptionInfo = {
  name: "engine-fault",
  value: "FAULT",
  help:
    'Make the engine of --engine xilinx-dma or axi-dmac fail once, as in "kind=write-error frame=17"',
};

/** `--iommu`. */
export const IOMMU_OPTION: OptionInfo = {
  name: "iommu",
  value: "MODE",
  help: "Put an IOMMU in front of --engine edu. Its translations leave its cache " +
    alternatives(Object.entries(IOMMUS).map(([name, meaning]) => `${meaning} (${name})`)),
};

/** `--bus`. */
export const BUS_OPTION: OptionInfo = {
  name: "bus",
  value: "BUS",
  help: `What connects a virtual machine's device to memory: ${describe(BUSES)}`,
};

/** `--kernel`. */
export const KERNEL_OPTION: OptionInfo = {
  name: "kernel",
  value: "KERNEL",
  help:
    "The kernel of a virtual machine: newest (the newest one that Debian has), debug (one that " +
    "watches for mistakes of drivers, and takes minutes to build once), or the image of one that " +
    "you built. Defaults to Debian's",
};

/** The values with their meaning. The first is the default. */
function describe(values: Readonly<Record<string, string>>): string {
  const texts = Object.entries(values).map(([name, meaning], i) =>
    `${name} (${meaning}${i === 0 ? "; the default" : ""})`
  );
  return alternatives(texts);
}

/** What the options of a command line choose. */
export interface BoardOptions {
  /** The board. */
  readonly board: BoardChoice;
  /** What moves the data on a virtual machine. */
  readonly engine: Engine;
  /** When translations leave the cache of a virtual machine's IOMMU, or null without an IOMMU. */
  readonly iommu: Iommu | null;
  /** What connects the device of a virtual machine to memory. */
  readonly bus: Bus;
  /** The kernel of a virtual machine. */
  readonly kernel: KernelChoice;
}

/**
 * Reads the options that choose a board, and checks that all options fit together.
 *
 * @param given The parts of the command line
 * @param virtual Whether this machine is itself a virtual board
 * @returns The choice
 * @throws {UsageError} If a value is not valid, or if an option needs another one
 */
export function readBoardOptions(given: Arguments, virtual: boolean): BoardOptions {
  const { values } = given;
  const board = parseBoard(values["board"] ?? "local");
  const bus = parseName("--bus", values["bus"] ?? "swiotlb", keys(BUSES));
  const copies = isVersal(board) || isTarget(board, "zynq") && bus === "swiotlb";
  const engine = parseName(
    "--engine",
    values["engine"] ?? (copies ? "memory" : "softdma"),
    keys(ENGINES),
  );
  const iommu = values["iommu"] === undefined
    ? null
    : parseName("--iommu", values["iommu"], keys(IOMMUS));
  const kernel = values["kernel"] === undefined ? "main" : parseKernel(values["kernel"]);
  const choice = { board, engine, iommu, bus, kernel };
  const broken = RULES.find(({ option, value, met }) => {
    const isGiven = given.switches.has(option) ||
      (value === undefined ? values[option] !== undefined : values[option] === value);
    return isGiven && !met({ ...given, ...choice, virtual });
  });
  if (broken !== undefined) throw new UsageError(broken.message);
  return choice;
}

function parseBoard(name: string): BoardChoice {
  const address = parseRemote("--board", name);
  if (address !== null) return { kind: "remote", name, address };
  // of the valid names, that of another architecture looks more like it
  if (name === "vm:arm64") {
    throw new UsageError(
      `Expected --board to name an architecture as uname -m does, found "${name}": did you mean vm:aarch64?`,
    );
  }
  return BOARDS[parseName("--board", name, keys(BOARDS))];
}

/** What a rule may depend on. */
type Choice = Arguments & BoardOptions & { readonly virtual: boolean };

/** What an option, or one value of it, needs. */
interface Rule {
  readonly option: string;
  readonly value?: string;
  readonly met: (choice: Choice) => boolean;
  readonly message: string;
}

const simulated = ({ board, virtual }: Choice): boolean =>
  virtual || board.kind === "sim" || board.kind === "vm";
const inMachine = ({ board }: Choice): boolean => board.kind === "vm" || board.kind === "target";

/** Whether a board is the machine whose engine copies memory. */
function isVersal(board: BoardChoice): boolean {
  return board.kind === "vm" && board.machine === "versal";
}

/** Whether a board is a machine on which Deno does not run. */
function isTarget(board: BoardChoice, machine?: "zynq"): boolean {
  return board.kind === "target" && (machine ?? board.machine) === board.machine;
}

const RULES: readonly Rule[] = [
  {
    option: "bitstream",
    met: ({ board }) => board.kind !== "sim",
    message: "--bitstream does not work with --board sim, which has no logic to load: leave it out",
  },
  ...["coherent", "bitstream", "fault"].map((option) => ({
    option,
    met: ({ board }: Choice) => !isTarget(board),
    message: `--${option} does not work with vm:armhf and vm:zynq: choose another board`,
  })),
  {
    option: "engine",
    value: "rtl",
    met: ({ board }) => !isTarget(board),
    message: "--engine rtl does not work with vm:armhf and vm:zynq: choose another board",
  },
  {
    option: "coherent",
    met: simulated,
    message: "--coherent needs a virtual board: add --board sim or --board vm",
  },
  {
    option: "fault",
    // the target says whether it is virtual
    met: (choice) => simulated(choice) || choice.board.kind === "remote",
    message: "--fault needs a virtual board: add --board sim or --board vm",
  },
  {
    option: "engine",
    met: inMachine,
    message: "--engine needs a virtual machine: add --board vm",
  },
  {
    option: "engine",
    met: ({ board, engine }) =>
      isTarget(board, "zynq") || isVersal(board) === (engine === "memory"),
    message: "--engine memory and --board vm:versal need each other: give both",
  },
  ...["coherent", "bitstream", "fault"].map((option) => ({
    option,
    met: ({ board }: Choice) => !isVersal(board),
    message: `--${option} needs logic, and vm:versal has a memory loop only: choose another board`,
  })),
  ...vendorEngines.flatMap((value) => [
    {
      option: "engine",
      value,
      met: ({ board }: Choice) => board.kind === "vm" && board.arch === "aarch64",
      message: `--engine ${value} needs a device tree: add --board vm:aarch64`,
    },
    ...["bitstream", "fault"].map((option) => ({
      option,
      met: ({ engine }: Choice) => engine !== value,
      message: `--${option} needs logic of Plumbline: leave out --engine ${value}`,
    })),
  ]),
  {
    option: "engine",
    value: "edu",
    met: ({ board }) => board.kind === "vm",
    message: "--engine edu does not work with vm:armhf and vm:zynq: add --board vm",
  },
  ...["bitstream", "fault"].map((option) => ({
    option,
    met: ({ engine }: Choice) => engine !== "edu",
    message: `--${option} needs logic, and --engine edu is a memory loop: leave it out`,
  })),
  {
    option: "iommu",
    met: ({ engine }) => engine === "edu",
    message: "--iommu needs --engine edu, because the other engines access memory past the IOMMU",
  },
  {
    option: "engine-fault",
    met: ({ engine }) => isVendorEngine(engine),
    message: "--engine-fault needs an engine that has it: add --engine xilinx-dma or axi-dmac",
  },
  {
    option: "kernel",
    met: ({ board, engine, kernel }) =>
      board.kind === "vm" && (engine === "softdma" || engine === "rtl" || isDebian(kernel)),
    message:
      "--kernel needs --board vm, and another one than newest needs --engine softdma or rtl, " +
      "because other engines need modules of Debian's kernel",
  },
  { option: "bus", met: inMachine, message: "--bus needs a virtual machine: add --board vm" },
  {
    option: "waves",
    met: ({ engine }) => engine === "rtl",
    message: "--waves needs a simulated design: add --board vm --engine rtl",
  },
  {
    option: "bus",
    value: "adversarial",
    met: ({ switches }) => !switches.has("coherent"),
    message: "--bus adversarial and --coherent exclude each other: give one",
  },
  {
    option: "bus",
    value: "adversarial",
    met: ({ values }) => values["bitstream"] === undefined,
    message: "--bus adversarial has no FPGA manager: leave out --bitstream",
  },
  {
    option: "bus",
    value: "adversarial",
    met: ({ engine }) => engine === "softdma",
    message: "--bus adversarial needs --engine softdma, because its caches are in software",
  },
];

function keys<Name extends string>(values: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(values) as Name[];
}
