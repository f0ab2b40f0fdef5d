// SPDX-License-Identifier: MIT
/**
 * `plumbline bitstream info`, `convert` and `load`.
 *
 * @module
 */
import {
  BitstreamError,
  bitstreamInfo,
  type BitstreamReport,
  convertFile,
  LOADER_ORDER,
} from "../../fixtures/bitstream/mod.ts";
import { describe } from "../../fixtures/bitstream/info.ts";
import {
  describePayload,
  loadBitstream,
  LoadError,
  type LoadOptions,
} from "../../fixtures/bitstream/load/mod.ts";
import { lockDevice, LockHeldError } from "../board/lock.ts";
import {
  type Arguments,
  commandError,
  type CommandLine,
  commandsHelp,
  type OptionInfo,
} from "../settings/arguments.ts";
import { settingOption } from "../settings/settings.ts";
import { parseName, UsageError, valueError } from "../settings/values.ts";
import { errorMessage } from "../text/error_message.ts";
import { JSON_DESCRIPTION_OPTION, runCommand } from "./command.ts";
import { notice } from "./output.ts";

/** The board that `load` works on. Defaults to this machine. */
export type LoadBoard = Pick<LoadOptions, "files" | "syscalls" | "identify">;

/** What `plumbline bitstream` does. */
export const BITSTREAM_PURPOSE = "Inspect, convert or load a bitstream.";

const PART: OptionInfo = {
  name: "part",
  value: "NAME|IDCODE",
  help: "Refuse a bitstream for another part, such as xc7z020 or 0x03727093",
};

const NOT_USABLE = "The command line is not valid, or the file cannot be read or written";

const FILE_EXIT = { 0: "The bitstream may be loaded", 1: "It may not", 2: NOT_USABLE };

const INFO: CommandLine = {
  command: "plumbline bitstream info",
  purpose: "Show what a .bit, .bin or .pdi file, or a package of dfx-mgr, contains.",
  operands: "FILE",
  groups: [{
    title: "Options",
    options: [PART, JSON_DESCRIPTION_OPTION],
  }],
  examples: [["plumbline bitstream info top.bit --part xc7z020", "Check it for a Zynq-7020"]],
  exit: FILE_EXIT,
};

const CONVERT: CommandLine = {
  command: "plumbline bitstream convert",
  purpose: "Write the .bin file that the kernel's FPGA manager takes.",
  operands: "FILE OUT",
  groups: [{
    title: "Options",
    options: [{
      name: "order",
      value: "ORDER",
      help: "swapped (default; for the FPGA manager) or straight (as Vivado writes it)",
    }],
  }],
  examples: [["plumbline bitstream convert top.bit top.bin", "Convert it for the FPGA manager"]],
  exit: FILE_EXIT,
};

const LOAD: CommandLine = {
  command: "plumbline bitstream load",
  purpose: "Load a bitstream, and check that the expected core answers.",
  operands: "FILE",
  groups: [{
    title: "Options",
    options: [
      {
        name: "device",
        value: "PATH",
        help: "Device that the bitstream brings up. Defaults to /dev/pldma0",
      },
      settingOption("loader"),
      PART,
      { name: "force", value: null, help: "Load it even if it runs already" },
      settingOption("require-identity"),
    ],
  }],
  examples: [["plumbline bitstream load top.bit --require-identity", "Load it and check the core"]],
  exit: {
    0: "The bitstream runs",
    1: "It may not be loaded, or another core answers",
    2: NOT_USABLE,
    3: "The board could not load it",
  },
};

/** One of the commands: its parsed arguments to an exit status. */
type Subcommand = (given: Arguments, board: LoadBoard) => number | Promise<number>;

const COMMANDS: Readonly<Record<string, { line: CommandLine; run: Subcommand }>> = {
  info: { line: INFO, run: info },
  convert: { line: CONVERT, run: convert },
  load: { line: LOAD, run: load },
};

/**
 * Runs `plumbline bitstream`.
 *
 * @param args The arguments after `bitstream`
 * @param board The board that `load` works on, for tests
 * @returns The exit status: 0 if the bitstream may be loaded or runs, 1 if it may not be loaded or if
 * another core answers, 2 if the file cannot be read, 3 if the board could not load it
 * @throws {UsageError} If the command line is not valid
 */
export async function bitstream(
  [name, ...args]: readonly string[],
  board: LoadBoard = {},
): Promise<number> {
  if (name === "--help" || name === "-h") {
    console.log(commandsHelp({
      command: "plumbline bitstream",
      purpose: BITSTREAM_PURPOSE,
      commands: Object.entries(COMMANDS).map(([name, { line }]) => [name, line.purpose]),
      exit: { ...LOAD.exit, 0: "The bitstream may be loaded, or runs" },
    }));
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw commandError(name, Object.keys(COMMANDS));
  try {
    return await runCommand(
      { line: command.line, run: (given) => command.run(given, board) },
      args,
    );
  } catch (error) {
    const isLoad = error instanceof LoadError || error instanceof LockHeldError;
    if (!isLoad && !(error instanceof BitstreamError)) throw error;
    notice(error.message);
    if (isLoad) return 3;
    return ["unreadable", "not-a-file", "unwritable"].includes(error.code) ? 2 : 1;
  }
}

function info({ values, operands: [file = ""] }: Arguments): number {
  const part = parsePart(values["part"]);
  const json = values["json"];
  let report: BitstreamReport;
  try {
    report = bitstreamInfo(file, { part });
  } catch (error) {
    const other =
      error instanceof BitstreamError && ["wrong-kind", "not-a-file"].includes(error.code)
        ? describeOther(file)
        : null;
    if (other === null) throw error;
    const text = JSON.stringify(other.json, null, 2);
    if (json === "-") console.log(text);
    else if (json !== undefined) writeReport(json, text);
    if (json !== "-") console.log(other.lines.join("\n"));
    return 0;
  }
  const { refusal } = report;
  if (json !== undefined) {
    const { info, virtual, promise } = report;
    const reason = refusal === null ? null : { code: refusal.code, message: refusal.message };
    const text = JSON.stringify(
      { ...info, virtual, promise, loadable: refusal === null, reason },
      null,
      2,
    );
    if (json === "-") console.log(text);
    else writeReport(json, text);
  }
  if (json !== "-") console.log(renderInfo(report));
  return refusal === null ? 0 : 1;
}

/** Describes a PDI or a package; null if it is neither. */
function describeOther(file: string): ReturnType<typeof describePayload> {
  try {
    return describePayload(file);
  } catch (error) {
    // of a file that is another kind the error of the bitstream says as much
    if (!(error instanceof BitstreamError) || error.code !== "wrong-kind") throw error;
    if (Deno.statSync(file).isDirectory) throw error;
    return null;
  }
}

function convert({ values, operands: [input = "", output = ""] }: Arguments): number {
  const order = parseName("--order", values["order"] ?? LOADER_ORDER, ["swapped", "straight"]);
  const { bitstream, bytes } = convertFile(input, output, order);
  notice(`${output}: ${bytes} bytes, ${order} words`);
  const { refusal } = describe(bitstream, input);
  if (refusal === null) return 0;
  notice(`${output} was written, but may not be loaded: ${refusal.message}`);
  return 1;
}

async function load(
  { values, switches, operands: [file = ""] }: Arguments,
  board: LoadBoard,
): Promise<number> {
  const device = values["device"] ?? (Deno.env.get("PLUMBLINE_DEVICE") || "/dev/pldma0");
  // another run on the board must not lose its logic
  if (board.files === undefined) lockDevice(device, { what: "plumbline bitstream load" });
  const { identity, detail } = await loadBitstream(file, {
    ...board,
    device,
    loader: values["loader"],
    part: values["part"],
    force: switches.has("force"),
    log: notice,
  });
  notice(`identity: ${identity} (${detail})`);
  const accepted = switches.has("require-identity") ? ["proved"] : ["proved", "loaded"];
  return accepted.includes(identity) ? 0 : 1;
}

function parsePart(text: string | undefined): number | string | null {
  if (text === undefined) return null;
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) return Number(text);
  if (/^[a-z][0-9a-z-]*$/i.test(text)) return text;
  throw valueError("--part", "a name or an IDCODE, such as xc7z020 or 0x03727093", text);
}

function writeReport(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text + "\n");
  } catch (error) {
    throw new UsageError(`--json ${path} cannot be written: ${errorMessage(error)}`);
  }
}

/**
 * Writes the description of a bitstream.
 *
 * @param report What is known about it
 * @returns Lines, without a final line break
 */
export function renderInfo({ info, virtual, promise, refusal }: BitstreamReport): string {
  const { header, configuration: c } = info;
  const hex = (value: number): string => `0x${value.toString(16).toUpperCase().padStart(8, "0")}`;
  const lines: [string, string][] = [
    ["file", `${info.path ?? "-"}, .${info.format} of ${info.size} bytes`],
    ["sha256", info.sha256],
  ];
  if (header !== null) {
    const userId = header.userId === null ? "" : `, UserID ${hex(header.userId)}`;
    const tool = header.tool === null ? "" : `, by ${header.tool}`;
    lines.push(["design", `${header.design}${userId}${tool}, ${header.date} ${header.time}`]);
  }
  if (c.axss !== null) lines.push(["access", `USR_ACCESS ${hex(c.axss)}`]);
  const dies = info.parts.map(({ name, family }) => `${name} (${family})`).join(" or ");
  const idcode = info.idcode === null
    ? "no IDCODE"
    : `IDCODE ${hex(info.idcode)}, ${dies || "an unknown part"}`;
  lines.push(["part", header === null ? idcode : `${header.part}; ${idcode}`]);
  lines.push([
    "words",
    `${info.dataLength / 4} from byte ${info.dataOffset}, ${info.byteOrder}; ` +
    `sync word at byte ${info.syncOffset}`,
  ]);
  lines.push([
    "holds",
    [
      info.partial ? "a partial bitstream" : "a full bitstream",
      `${c.frameWords} words of frames`,
      ...(c.compressed ? ["compressed"] : []),
      ...(c.encrypted ? ["encrypted"] : []),
      ...(c.dies > 1 ? [`${c.dies} dies`] : []),
    ].join(", "),
  ]);
  const crc = { right: "right", wrong: "wrong", off: "none in the file", unknown: "encrypted" };
  lines.push(["crc", crc[c.crc] + (c.crcChecks > 0 ? `, ${c.crcChecks} compared` : "")]);
  if (virtual !== null) {
    const { core, id, version, args } = virtual;
    lines.push(["virtual", `${core} ${version}, id ${hex(id)}${args === "" ? "" : `, ${args}`}`]);
  }
  const promised = promise === null ? [] : [
    ...(promise.part === null ? [] : [`part ${promise.part}`]),
    ...(promise.core === null ? [] : [`core ${promise.core}`]),
    ...(promise.id === null ? [] : [`id ${hex(promise.id)}`]),
    ...(promise.version === null ? [] : [`version ${promise.version}`]),
    ...(promise.build === null ? [] : [`build ${promise.build.slice(0, 12)}…`]),
  ];
  const nothing = promise === null ? "none: identity cannot be proved" : "its sha256 alone";
  lines.push(["side file", promised.length === 0 ? nothing : `promises ${promised.join(", ")}`]);
  lines.push([
    "verdict",
    refusal === null ? "may be loaded" : `may not be loaded: ${refusal.code}`,
  ]);
  const text = lines.map(([name, value]) => `${name.padEnd(10)}${value}`);
  return refusal === null ? text.join("\n") : [...text, refusal.message].join("\n");
}
