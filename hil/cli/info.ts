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
import type { Arguments } from "../settings/arguments.ts";
import { parseSettings, settingOption } from "../settings/settings.ts";
import { formatBytes } from "../text/format.ts";
import { BOARD_OPTION, readBoardOptions } from "./board_options.ts";
import { type Command, EXIT, JSON_DESCRIPTION_OPTION } from "./command.ts";
import { jsonFile, notice, offerSimulation, writeText } from "./output.ts";

/** `plumbline info`. */
export const info: Command = {
  line: {
    command: "plumbline info",
    purpose: "Show what the board's DMA devices offer, or which step is missing.",
    operands: "",
    groups: [{
      title: "Options",
      options: [
        BOARD_OPTION,
        { name: "device", value: "PATH,...", help: "Device nodes. Defaults to all" },
        settingOption("coherent"),
        JSON_DESCRIPTION_OPTION,
      ],
    }],
    examples: [
      ["plumbline info", "Show the devices of this machine"],
      ["plumbline info --board sim --json -", "Write those of the simulated board as JSON"],
    ],
    exit: { 0: "All devices are usable", 2: EXIT[2], 3: "There is no usable device" },
  },
  run: showDevices,
};

/** What the options ask for. */
interface Wanted {
  /** Device nodes, or `null` for all. */
  readonly devices: readonly string[] | null;
  readonly coherent: boolean;
  readonly json: string | null;
}

async function showDevices(given: Arguments): Promise<number> {
  const { device } = given.values;
  const virtual = Deno.env.get("PLUMBLINE_BOARD") === "vm";
  const choice = readBoardOptions(given, virtual).board;
  const wanted = {
    devices: device === undefined ? null : parseSettings({ device }).devices,
    coherent: given.switches.has("coherent"),
    json: jsonFile(given.values["json"]),
  };
  if (choice.kind === "vm") return await showGuest(choice.arch, wanted);

  const board = openBoard(parseSettings({
    board: choice.kind === "local" && virtual ? "vm" : choice.kind,
    ...(device === undefined ? {} : { device }),
    ...(wanted.coherent ? { coherent: "1" } : {}),
  }));
  const paths = wanted.devices ?? (board.kind === "sim" ? ["/dev/pldma0"] : deviceNodes());
  const devices: Record<string, unknown>[] = [];
  for (const path of paths) {
    const missing = board.kind === "sim" ? board.explain(path) : explainDevice(path);
    if (missing !== null) {
      notice(virtual || board.kind === "sim" ? missing : offerSimulation(missing));
      return 3;
    }
    using device = Device.open({ path, syscalls: board.syscalls });
    devices.push({ path, board: describeBoard(board, device), info: device.info });
    if (wanted.json !== "-") console.log(describe(board, path, device.info).join("\n"));
  }
  if (wanted.json !== null) await writeText(wanted.json, toJson({ schema: 1, devices }));
  return 0;
}

/** Writes JSON. A 64-bit number, such as the address mask, becomes hexadecimal text. */
function toJson(value: unknown): string {
  const hex = (_key: string, one: unknown) =>
    typeof one === "bigint" ? `0x${one.toString(16)}` : one;
  return JSON.stringify(value, hex, 2) + "\n";
}

/** Shows the devices of a virtual machine. */
async function showGuest(arch: "aarch64" | "x86_64", wanted: Wanted): Promise<number> {
  const outDir = Deno.makeTempDirSync({ prefix: "plumbline-info-" });
  try {
    const run = await runInGuest({
      arch,
      coherent: wanted.coherent,
      command: [
        ...["deno", "run", "-A", "--no-check", "hil/cli/main.ts", "info"],
        ...(wanted.devices === null ? [] : [`--device=${wanted.devices.join(",")}`]),
        ...(wanted.json === null ? [] : ["--json=/out/info.json"]),
      ],
      outDir,
      timeoutSeconds: 120,
      stdout: wanted.json === "-" ? "null" : "inherit",
      stderr: "inherit",
    });
    if (run.lost !== null) notice(`The board was lost: ${run.lost}`);
    if (wanted.json !== null && run.exitCode === 0) {
      await writeText(wanted.json, Deno.readTextFileSync(`${outDir}/info.json`));
    }
    return run.exitCode ?? 3;
  } finally {
    Deno.removeSync(outDir, { recursive: true });
  }
}

/** All device nodes. If there is none, the first one, so that its absence is explained. */
function deviceNodes(): string[] {
  try {
    const found = [...Deno.readDirSync("/dev")].map(({ name }) => name)
      .filter((name) => /^pldma\d+$/.test(name))
      .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
    return found.length === 0 ? ["/dev/pldma0"] : found.map((name) => `/dev/${name}`);
  } catch {
    return ["/dev/pldma0"];
  }
}

/** Describes a device in lines of text. */
function describe(board: Board, path: string, info: DeviceInfo): string[] {
  const { tx, rx, core } = info;
  const simulated = board.kind === "local" ? "" : `SIMULATED, board ${board.kind}: `;
  const lines = [`${path}: ${simulated}ABI ${info.abiVersion}, pages of ${info.pageSize} bytes`];
  for (const [direction, channel] of [["tx", tx], ["rx", rx]] as const) {
    lines.push(
      channel === null
        ? `  ${direction}  no channel`
        : `  ${direction}  ${channel.engine} ${channel.channel}, queue of ${channel.queueDepth}, ` +
          `lengths in steps of ${channel.lengthAlign}, ${
            channel.needsSync ? "needs syncs" : "cache coherent, needs no syncs"
          }`,
    );
  }
  lines.push(
    core.id === 0
      ? "  core is unknown"
      : `  core 0x${core.id.toString(16)}, version ${core.version}`,
    `  blocks of up to ${formatBytes(info.maxBytes)} in total, aligned to ${info.cacheAlign} bytes`,
    "  policy                 tx   rx   memory     largest block",
  );
  for (const policy of POLICIES) {
    const { tx, rx, attribute, maxBlock, alias } = info.policies[policy];
    const yes = (offered: boolean): string => offered ? "yes" : "no ";
    lines.push(
      `  ${policy.padEnd(21)}  ${yes(tx)}  ${yes(rx)}  ${attribute.padEnd(9)}  ${
        formatBytes(maxBlock)
      }` +
        (alias ? ", an alias of coherent" : ""),
    );
  }
  return lines;
}
