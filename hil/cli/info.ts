// SPDX-License-Identifier: MIT
/**
 * `plumbline info`: what the board offers, or which step is missing.
 *
 * @module
 */
import type { DeviceInfo } from "../../driver/info.ts";
import type { Remote } from "../../driver/remote.ts";
import { POLICIES } from "../../driver/uapi.ts";
import { type GuestOptions, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { type Board, describeBoard } from "../board/board.ts";
import type { Arguments } from "../settings/arguments.ts";
import { parseSettings, settingOption } from "../settings/settings.ts";
import { formatBytes } from "../text/format.ts";
import { BOARD_OPTION, type BoardChoice, readBoardOptions } from "./board_options.ts";
import { bootTarget } from "./board_target.ts";
import { type Command, EXIT, JSON_DESCRIPTION_OPTION } from "./command.ts";
import { boardSetting, openChosen, openDevice, whyMissing } from "./open_board.ts";
import { jsonFile, notice, offerSimulation, writeResults } from "./output.ts";
import { MEMORY_LOOP } from "../results/memory_loop.ts";

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
  const { board: choice, bus, engine } = readBoardOptions(given, virtual);
  const wanted = {
    devices: device === undefined ? null : parseSettings({ device }).devices,
    coherent: given.switches.has("coherent"),
    json: jsonFile(given.values["json"]),
  };
  if (choice.kind === "vm") return await showGuest({ arch: choice.arch, engine }, wanted);

  await using machine = await bootTarget({ board: choice, bus, engine });
  if (machine !== null && machine.missing !== null) {
    notice(machine.missing);
    return 3;
  }
  return await showBoard(machine?.board ?? choice, virtual, wanted);
}

/** Shows the devices of a board that is there. */
async function showBoard(
  choice: Exclude<BoardChoice, { kind: "vm" }>,
  virtual: boolean,
  wanted: Wanted,
): Promise<number> {
  const device = wanted.devices?.join(",");
  const settings = parseSettings({
    board: boardSetting(choice, virtual),
    ...(device === undefined ? {} : { device }),
    ...(wanted.coherent ? { coherent: "1" } : {}),
  });
  const board = openChosen(settings);
  const paths = wanted.devices ??
    (board.kind === "sim" ? ["/dev/pldma0"] : deviceNodes(board.remote));
  const devices: Record<string, unknown>[] = [];
  for (const path of paths) {
    const missing = whyMissing(board, path);
    if (missing !== null) {
      notice(board.kind !== "local" ? missing : offerSimulation(missing));
      return 3;
    }
    using device = openDevice(board, path);
    devices.push({ path, board: describeBoard(board, device), info: device.info });
    if (wanted.json !== "-") console.log(describe(board, path, device.info).join("\n"));
  }
  if (wanted.json !== null) await writeResults(wanted.json, toJson({ schema: 1, devices }));
  return 0;
}

/** Writes JSON. A 64-bit number, such as the address mask, becomes hexadecimal text. */
function toJson(value: unknown): string {
  const hex = (_key: string, one: unknown) =>
    typeof one === "bigint" ? `0x${one.toString(16)}` : one;
  return JSON.stringify(value, hex, 2) + "\n";
}

/** Shows the devices of a virtual machine. */
async function showGuest(
  machine: Pick<GuestOptions, "arch" | "engine">,
  wanted: Wanted,
): Promise<number> {
  const outDir = Deno.makeTempDirSync({ prefix: "plumbline-info-" });
  try {
    const run = await runInGuest({
      ...machine,
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
      await writeResults(wanted.json, Deno.readTextFileSync(`${outDir}/info.json`));
    }
    return run.exitCode ?? 3;
  } finally {
    Deno.removeSync(outDir, { recursive: true });
  }
}

/** All device nodes. If there is none, the first one, so that its absence is explained. */
function deviceNodes(remote: Remote | null): string[] {
  try {
    const names = remote === null
      ? [...Deno.readDirSync("/dev")].map(({ name }) => name)
      : remote.list("/sys/class/misc");
    const found = names
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
  if (tx?.memoryLoop === true) lines.push(`  ${MEMORY_LOOP}`);
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
