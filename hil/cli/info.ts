// SPDX-License-Identifier: MIT
/**
 * `plumbline info`: what the board offers, or which step is missing.
 *
 * @module
 */
import { Device } from "../../driver/device.ts";
import type { DeviceInfo } from "../../driver/info.ts";
import { POLICIES } from "../../driver/uapi.ts";
import { runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { type Board, describeBoard, openBoard } from "../board/board.ts";
import { explainDevice } from "../board/precheck.ts";
import { parseSettings } from "../settings/settings.ts";
import { parseName } from "../settings/values.ts";
import { commandHelp, type OptionInfo, parseOptions, UsageError } from "./options.ts";
import { outputFile, say, writeText } from "./output.ts";

/** Every option of `plumbline info`. */
const OPTIONS: readonly OptionInfo[] = [
  { name: "board", value: "BOARD", help: "local (default), sim, vm, vm:aarch64 or vm:x86_64" },
  { name: "device", value: "PATH,…", help: "device nodes (default all that there are)" },
  { name: "coherent", value: null, help: "virtual boards: a cache coherent device" },
  { name: "json", value: "FILE", help: "write it as JSON there; - is standard output" },
  { name: "help", value: null, help: "this text" },
  { name: "version", value: null, help: "the version" },
];

const BOARDS = ["local", "sim", "vm", "vm:aarch64", "vm:x86_64"] as const;

/**
 * Tell what the board offers.
 *
 * @param args the arguments behind `info`
 * @returns the exit status: 0, or 3 when there is no device
 * @throws {UsageError} for a command line that makes no sense
 */
export async function info(args: readonly string[]): Promise<number> {
  const { values, switches, rest } = parseOptions("info", args, OPTIONS);
  if (switches.has("help")) {
    console.log(commandHelp(
      "info [OPTIONS]",
      "What the board's DMA devices offer, or which step to them is missing.",
      OPTIONS,
      "0, 2 usage, 3 there is no device",
    ));
    return 0;
  }
  if (rest.length > 0) {
    throw new UsageError(`Unexpected "${rest[0]}": plumbline info takes options`);
  }
  let name: typeof BOARDS[number];
  let asked: string[] | null = null;
  try {
    name = parseName("--board", values["board"] ?? "local", BOARDS);
    const { device } = values;
    const settings = parseSettings(device === undefined ? {} : { device });
    if (device !== undefined) asked = [...settings.devices];
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
  const coherent = switches.has("coherent");
  const virtual = Deno.env.get("PLUMBLINE_BOARD") === "vm";
  if (coherent && name === "local") {
    throw new UsageError("--coherent needs a virtual board: add --board sim or --board vm");
  }
  const json = values["json"] === "-" ? "-" : outputFile("--json", values["json"] ?? null);
  if (name.startsWith("vm")) return await inGuest(name, { asked, coherent, json });

  const board = openBoard(parseSettings({
    board: name === "local" && virtual ? "vm" : name,
    ...(asked === null ? {} : { device: asked.join(",") }),
    ...(coherent ? { coherent: "1" } : {}),
  }));
  const paths = asked ?? (board.kind === "sim" ? ["/dev/pldma0"] : devices());
  const told: Record<string, unknown>[] = [];
  for (const path of paths) {
    const missing = board.kind === "sim" ? board.explain(path) : explainDevice(path);
    if (missing !== null) {
      say(missing + (virtual || board.kind === "sim" ? "" : "; without a board try --board sim"));
      return 3;
    }
    using device = Device.open({ path, syscalls: board.syscalls });
    told.push({ path, board: describeBoard(board, device), info: device.info });
    if (json !== "-") console.log(describe(board, path, device.info).join("\n"));
  }
  if (json !== null) {
    await writeText(json, toJson({ schema: 1, devices: told }));
  }
  return 0;
}

/** JSON has no place for 64-bit numbers: the mask of addresses becomes hexadecimal text. */
function toJson(value: unknown): string {
  const hex = (_key: string, one: unknown) =>
    typeof one === "bigint" ? `0x${one.toString(16)}` : one;
  return JSON.stringify(value, hex, 2) + "\n";
}

/** The same inside a virtual machine. */
async function inGuest(
  name: string,
  options: { asked: readonly string[] | null; coherent: boolean; json: string | null },
): Promise<number> {
  const arch = name === "vm" ? Deno.build.arch : parseName("--board", name.slice(3), [
    "aarch64",
    "x86_64",
  ]);
  const outDir = Deno.makeTempDirSync({ prefix: "plumbline-info-" });
  try {
    const run = await runInGuest({
      arch,
      coherent: options.coherent,
      command: [
        ...["deno", "run", "-A", "--no-check", "hil/cli/main.ts", "info"],
        ...(options.asked === null ? [] : [`--device=${options.asked.join(",")}`]),
        ...(options.json === null ? [] : ["--json=/out/info.json"]),
      ],
      outDir,
      timeoutSeconds: 120,
      stdout: options.json === "-" ? "null" : "inherit",
      stderr: "inherit",
    });
    if (run.lost !== null) say(`The board was lost: ${run.lost}`);
    if (options.json !== null && run.exitCode === 0) {
      await writeText(options.json, Deno.readTextFileSync(`${outDir}/info.json`));
    }
    return run.exitCode ?? 3;
  } finally {
    Deno.removeSync(outDir, { recursive: true });
  }
}

/** Every device node; the first that there could be where there is none, to be explained. */
function devices(): string[] {
  try {
    const found = [...Deno.readDirSync("/dev")].map(({ name }) => name)
      .filter((name) => /^pldma\d+$/.test(name))
      .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
    return found.length === 0 ? ["/dev/pldma0"] : found.map((name) => `/dev/${name}`);
  } catch {
    return ["/dev/pldma0"];
  }
}

/** A device for a person. */
function describe(board: Board, path: string, info: DeviceInfo): string[] {
  const { tx, rx, core } = info;
  const simulated = board.kind === "local" ? "" : `SIMULATED, board ${board.kind}: `;
  const lines = [`${path}: ${simulated}ABI ${info.abiVersion}, pages of ${info.pageSize} bytes`];
  for (const [direction, channel] of [["tx", tx], ["rx", rx]] as const) {
    lines.push(
      channel === null
        ? `  ${direction}  no channel`
        : `  ${direction}  ${channel.engine} ${channel.channel}, queue of ${channel.queueDepth}, ` +
          `lengths of ${channel.lengthAlign}, ${
            channel.needsSync ? "needs syncs" : "cache coherent: needs no syncs"
          }`,
    );
  }
  lines.push(
    core.id === 0
      ? "  core does not say what it is"
      : `  core 0x${core.id.toString(16)}, version ${core.version}`,
    `  blocks of up to ${size(info.maxBytes)} together, aligned to ${info.cacheAlign} bytes`,
    "  policy                 tx   rx   memory     largest block",
  );
  for (const policy of POLICIES) {
    const { tx, rx, attribute, maxBlock, alias } = info.policies[policy];
    const yes = (offered: boolean): string => offered ? "yes" : "no ";
    lines.push(
      `  ${policy.padEnd(21)}  ${yes(tx)}  ${yes(rx)}  ${attribute.padEnd(9)}  ${size(maxBlock)}` +
        (alias ? ", an alias of coherent" : ""),
    );
  }
  return lines;
}

function size(bytes: number): string {
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20} MiB` : `${bytes} bytes`;
}
