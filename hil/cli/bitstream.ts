// SPDX-License-Identifier: MIT
/**
 * `plumbline bitstream info|convert|load`.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import {
  BitstreamError,
  bitstreamInfo,
  type BitstreamReport,
  type ByteOrder,
  convertFile,
  LOADER_ORDER,
} from "../../fixtures/bitstream/mod.ts";
import { describe } from "../../fixtures/bitstream/info.ts";
import { loadBitstream, LoadError, type LoadOptions } from "../../fixtures/bitstream/load/mod.ts";
import { lockDevice, LockHeldError } from "../board/lock.ts";
import { nearest } from "../text/nearest.ts";
import { UsageError } from "./options.ts";
import { errorMessage } from "../text/error_message.ts";

/** The board that `load` works on; this machine when nothing is said. */
export type LoadBoard = Pick<LoadOptions, "files" | "syscalls" | "identify">;

/** One of `plumbline bitstream`'s commands: its arguments to an exit status. */
type Command = (args: readonly string[], board: LoadBoard) => number | Promise<number>;

const COMMANDS: Readonly<Record<string, Command>> = { info, convert, load };

const HELP = `Usage: plumbline bitstream COMMAND …

  info FILE              what a .bit or .bin is, and whether it may be loaded
    --part NAME|IDCODE   for this part, such as xc7z020 or 0x03727093
    --json FILE          write it there as JSON; - is standard output
  convert FILE OUT       write a .bin as the FPGA manager wants it
    --order ORDER        swapped (default; FPGA manager) or straight (Vivado)
  load FILE              make it run, and find out whether it does
    --device PATH        device that it brings up (default /dev/pldma0)
    --loader LOADER      fpga-manager, overlay, or a command with {file} in it
    --part NAME          the board's part: refuse bitstreams for others
    --force              load even if it runs already
    --require-identity   fail unless the core proves to be what was promised

Exit: 0 may be loaded or runs, 1 may not or is another core, 2 usage or no such
file, 3 the board could not load it`;

/**
 * Run `plumbline bitstream`.
 *
 * @param args the arguments behind `bitstream`
 * @param board what `load` works on, for tests
 * @returns the exit status: 0 the bitstream may be loaded, or runs; 1 it may not, or the core that
 * runs is another; 2 the file cannot be read; 3 the board could not load it
 * @throws {UsageError} for a command line that makes no sense
 */
export async function bitstream(
  args: readonly string[],
  board: LoadBoard = {},
): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || rest.includes("--help") || rest.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  if (name === undefined) throw new UsageError("Which command? See plumbline bitstream --help");
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const guess = nearest(name, Object.keys(COMMANDS));
    throw new UsageError(
      `Unknown command bitstream ${name}: ` +
        (guess === null
          ? `use one of ${Object.keys(COMMANDS).join(", ")}`
          : `did you mean ${guess}?`),
    );
  }
  try {
    return await command(rest, board);
  } catch (error) {
    const isLoad = error instanceof LoadError || error instanceof LockHeldError;
    if (!isLoad && !(error instanceof BitstreamError)) throw error;
    console.error(`plumbline: ${error.message}`);
    if (isLoad) return 3;
    return ["unreadable", "not-a-file", "unwritable"].includes(error.code) ? 2 : 1;
  }
}

function info(args: readonly string[]): number {
  const { values, positionals } = parse("info", args, ["part", "json"]);
  const file = only("info", positionals, 1)[0] ?? "";
  const part = values["part"] === undefined ? null : parsePart(values["part"]);
  const report = bitstreamInfo(file, { part });
  const { refusal } = report;
  const json = values["json"];
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

function convert(args: readonly string[]): number {
  const { values, positionals } = parse("convert", args, ["order"]);
  const [input = "", output = ""] = only("convert", positionals, 2);
  const order = parseOrder(values["order"] ?? LOADER_ORDER);
  const { bitstream, bytes } = convertFile(input, output, order);
  console.error(`plumbline: ${output}: ${bytes} bytes, ${order} words`);
  const { refusal } = describe(bitstream, input);
  if (refusal === null) return 0;
  console.error(`plumbline: it was converted, but may not be loaded: ${refusal.message}`);
  return 1;
}

async function load(args: readonly string[], board: LoadBoard): Promise<number> {
  const { values, given, positionals } = parse("load", args, ["device", "loader", "part"], [
    "force",
    "require-identity",
  ]);
  const [file = ""] = only("load", positionals, 1);
  const say = (line: string): void => console.error(`plumbline: ${line}`);
  const device = values["device"] ?? (Deno.env.get("PLUMBLINE_DEVICE") || "/dev/pldma0");
  // a run that is on the board must not lose its logic
  if (board.files === undefined) lockDevice(device, { what: "plumbline bitstream load" });
  const { identity, detail } = await loadBitstream(file, {
    ...board,
    device,
    loader: values["loader"],
    part: values["part"],
    force: given.has("force"),
    log: say,
  });
  say(`identity: ${identity} (${detail})`);
  const enough = given.has("require-identity") ? ["proved"] : ["proved", "loaded"];
  return enough.includes(identity) ? 0 : 1;
}

function parse(
  command: string,
  args: readonly string[],
  names: readonly string[],
  switches: readonly string[] = [],
): {
  values: Record<string, string | undefined>;
  given: ReadonlySet<string>;
  positionals: readonly string[];
} {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const name of names) options[name] = { type: "string" };
  for (const name of switches) options[name] = { type: "boolean" };
  const { tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | undefined> = {};
  const given = new Set<string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    if (switches.includes(token.name)) {
      if (token.value !== undefined) throw new UsageError(`--${token.name} takes no value`);
      given.add(token.name);
      continue;
    }
    if (!names.includes(token.name)) {
      const guess = nearest(token.name, [...names, ...switches]);
      throw new UsageError(
        `Unknown option ${token.rawName} of bitstream ${command}` +
          (guess === null ? ": see --help" : `: did you mean --${guess}?`),
      );
    }
    if (!token.value) throw new UsageError(`--${token.name} needs a value`);
    if (values[token.name] !== undefined) throw new UsageError(`--${token.name} is given twice`);
    values[token.name] = token.value;
  }
  return { values, given, positionals };
}

function only(command: string, positionals: readonly string[], count: number): readonly string[] {
  if (positionals.length === count) return positionals;
  const names = count === 1 ? "one file" : "an input and an output";
  throw new UsageError(`bitstream ${command} takes ${names}, not ${positionals.length} names`);
}

function parsePart(text: string): number | string {
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) return Number(text);
  if (/^[a-z][0-9a-z-]*$/i.test(text)) return text;
  throw new UsageError(`--part takes a name or an IDCODE, such as xc7z020 or 0x03727093`);
}

function parseOrder(text: string): ByteOrder {
  if (text === "swapped" || text === "straight") return text;
  throw new UsageError(`--order takes swapped or straight, not "${text}"`);
}

function writeReport(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text + "\n");
  } catch (error) {
    throw new UsageError(
      `--json cannot write ${path}: ${errorMessage(error)}`,
    );
  }
}

/**
 * Describe a bitstream for a person.
 *
 * @param report what is known of it
 * @returns lines, without a last end of line
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
  const dies = info.parts.map(({ name, family }) => `${name} (${family})`).join(" or ");
  const idcode = info.idcode === null
    ? "no IDCODE"
    : `IDCODE ${hex(info.idcode)}, ${dies || "which is in no table"}`;
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
