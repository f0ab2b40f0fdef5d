// SPDX-License-Identifier: MIT
/**
 * The options that choose a board, and what each option needs. All commands share them.
 *
 * @module
 */
import type { Bus } from "../../fixtures/boards/vm/mod.ts";
import type { Arguments, OptionInfo } from "../settings/arguments.ts";
import { alternatives, parseName, UsageError } from "../settings/values.ts";

/** The board that the user chose. */
export type BoardChoice =
  | { readonly kind: "local" }
  | { readonly kind: "sim" }
  | { readonly kind: "vm"; readonly arch: "aarch64" | "x86_64" };

/** Every value of `--board`. */
const BOARDS = {
  local: { kind: "local" },
  sim: { kind: "sim" },
  vm: { kind: "vm", arch: Deno.build.arch },
  "vm:aarch64": { kind: "vm", arch: "aarch64" },
  "vm:x86_64": { kind: "vm", arch: "x86_64" },
} as const satisfies Readonly<Record<string, BoardChoice>>;

/** Every value of `--engine`, which is what moves the data on a virtual machine. */
const ENGINES = {
  softdma: "a DMA engine in software",
  rtl: "the loopback core's RTL, simulated",
} as const;

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
  help: `${alternatives(Object.keys(BOARDS))}. Defaults to local, which is this machine`,
};

/** `--engine`. */
export const ENGINE_OPTION: OptionInfo = {
  name: "engine",
  value: "ENGINE",
  help: `What moves the data on a virtual machine: ${describe(ENGINES)}`,
};

/** `--bus`. */
export const BUS_OPTION: OptionInfo = {
  name: "bus",
  value: "BUS",
  help: `What connects a virtual machine's device to memory: ${describe(BUSES)}`,
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
  /** What connects the device of a virtual machine to memory. */
  readonly bus: Bus;
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
  const board = BOARDS[parseName("--board", values["board"] ?? "local", keys(BOARDS))];
  const engine = parseName("--engine", values["engine"] ?? "softdma", keys(ENGINES));
  const bus = parseName("--bus", values["bus"] ?? "swiotlb", keys(BUSES));
  const choice = { board, engine, bus };
  const broken = RULES.find(({ option, value, met }) => {
    const isGiven = given.switches.has(option) ||
      (value === undefined ? values[option] !== undefined : values[option] === value);
    return isGiven && !met({ ...given, ...choice, virtual });
  });
  if (broken !== undefined) throw new UsageError(broken.message);
  return choice;
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

const simulated = ({ board, virtual }: Choice): boolean => virtual || board.kind !== "local";
const inMachine = ({ board }: Choice): boolean => board.kind === "vm";

const RULES: readonly Rule[] = [
  {
    option: "coherent",
    met: simulated,
    message: "--coherent needs a virtual board: add --board sim or --board vm",
  },
  {
    option: "fault",
    met: simulated,
    message: "--fault needs a virtual board: add --board sim or --board vm",
  },
  {
    option: "engine",
    met: inMachine,
    message: "--engine needs a virtual machine: add --board vm",
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
