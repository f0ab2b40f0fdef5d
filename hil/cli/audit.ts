// SPDX-License-Identifier: MIT
/**
 * `plumbline audit`: does the device tree say what the hardware snoops?
 *
 * @module
 */
import { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { type Audit, audit as auditDevice, AuditError, type AuditVerdict } from "../audit/mod.ts";
import { renderAudit } from "../audit/text.ts";
import { type Board, describeBoard } from "../board/board.ts";
import type { Arguments } from "../settings/arguments.ts";
import { parseSettings, type Settings } from "../settings/settings.ts";
import { parseName, parseWhole, UsageError, valueError } from "../settings/values.ts";
import { BOARD_OPTION, type BoardOptions, BUS_OPTION, readBoardOptions } from "./board_options.ts";
import { type Command, EXIT, JSON_OPTION, QUIET_OPTION } from "./command.ts";
import { InfrastructureError } from "./infrastructure.ts";
import { boardSetting, openChosen, requireDevice, takeDevice } from "./open_board.ts";
import { jsonFile, notice, writeText } from "./output.ts";

/** What the hardware of a simulated board can be made to snoop: chances of 256 of its reads and writes. */
const SNOOPS = {
  none: { tx: 0, rx: 0 },
  both: { tx: 256, rx: 256 },
  tx: { tx: 256, rx: 0 },
  rx: { tx: 0, rx: 256 },
  sometimes: { tx: 230, rx: 230 },
} as const;

/** `plumbline audit`. */
export const audit: Command = {
  line: {
    command: "plumbline audit",
    purpose:
      "Find out what the hardware snoops, and whether device tree and driver agree with that.",
    operands: "",
    groups: [{
      title: "Options",
      options: [
        BOARD_OPTION,
        BUS_OPTION,
        { name: "device", value: "PATH", help: "Device node. Defaults to /dev/pldma0" },
        { name: "lines", value: "N", help: "Number of cache lines. Defaults to 64" },
        { name: "repeats", value: "N", help: "Rounds in each direction. Defaults to 32" },
        { name: "seed", value: "N", help: "Seed of the contents. Defaults to 1" },
        JSON_OPTION,
        QUIET_OPTION,
      ],
    }, {
      title: "Simulated hardware (--board sim, or --board vm --bus adversarial)",
      options: [
        {
          name: "snoops",
          value: "WHAT",
          help: "What it snoops: none, both, tx, rx or sometimes. Defaults to none",
        },
        {
          name: "dma-coherent",
          value: null,
          help: "Let the kernel take it for coherent, as the device tree's property does",
        },
      ],
    }],
    examples: [
      ["plumbline audit", "Audit the device of this machine, as root"],
      [
        "plumbline audit --board vm:aarch64 --bus adversarial --snoops tx --dma-coherent",
        "See what it says of a device tree that is wrong for one direction",
      ],
    ],
    exit: {
      0: "Device tree and driver are right for the hardware",
      1: "Data can be corrupt, or syncs cost time for nothing",
      2: EXIT[2],
      3: "This board does not show what the hardware snoops, or the infrastructure failed",
    },
  },
  run: auditBoard,
};

/** The exit status of each verdict. */
const STATUS = { right: 0, corrupt: 1, slow: 1, unknown: 3 } as const satisfies Record<
  AuditVerdict,
  number
>;

/** What the options ask for. */
interface Wanted extends BoardOptions {
  readonly settings: Settings;
  readonly lines: number;
  readonly repeats: number;
  readonly snoops: keyof typeof SNOOPS | null;
  readonly believed: boolean;
  readonly json: string | null;
  readonly quiet: boolean;
}

async function auditBoard(given: Arguments): Promise<number> {
  const wanted = readOptions(given, Deno.env.get("PLUMBLINE_BOARD") === "vm");
  if (wanted.board.kind === "vm") return await auditGuest(wanted.board.arch, wanted);
  const path = wanted.settings.devices[0] ?? "/dev/pldma0";
  const board = open(wanted, path);
  using device = Device.open({ path, syscalls: board.syscalls });
  const found = examine(device, board, wanted);
  const about = describeBoard(board, device);
  const simulated = about.simulated === true ? `SIMULATED, board ${board.kind}: ` : "";
  const { heading, body, verdict } = renderAudit(found);
  const lines = wanted.quiet ? [verdict] : [`${path}: ${simulated}${heading}`, ...body];
  console.error(lines.join("\n"));
  if (wanted.json !== null) {
    const result = { schema: 1, path, board: about, ...found };
    await writeText(wanted.json, JSON.stringify(result, null, 2) + "\n");
  }
  return STATUS[found.verdict];
}

function readOptions(given: Arguments, virtual: boolean): Wanted {
  const { device, seed, lines, repeats, snoops, json } = given.values;
  const chosen = readBoardOptions(given, virtual);
  const { board, bus } = chosen;
  if (board.kind === "target") {
    throw new UsageError(
      "audit does not work with vm:armhf and vm:zynq, because pldma has no cache operations for 32-bit Arm: choose another board",
    );
  }
  const believed = given.switches.has("dma-coherent");
  const simulated = board.kind === "sim" || board.kind === "vm" && bus === "adversarial";
  if ((snoops !== undefined || believed) && !simulated) {
    throw new UsageError(
      "--snoops and --dma-coherent need simulated hardware: add --board sim, or --board vm --bus adversarial",
    );
  }
  const settings = parseSettings({
    board: boardSetting(board, virtual),
    ...(device === undefined ? {} : { device }),
    ...(seed === undefined ? {} : { seed }),
  });
  if (settings.devices.length > 1) throw valueError("--device", "one device", device ?? "");
  return {
    ...chosen,
    settings,
    lines: parseWhole("--lines", lines ?? "64", 1),
    repeats: parseWhole("--repeats", repeats ?? "32", 1),
    snoops: snoops === undefined
      ? null
      : parseName("--snoops", snoops, Object.keys(SNOOPS) as (keyof typeof SNOOPS)[]),
    believed,
    json: jsonFile(json),
    quiet: given.switches.has("quiet"),
  };
}

/** Opens the board, and locks its device until this process ends. */
function open({ board, settings, snoops, believed }: Wanted, path: string): Board {
  const opened = openChosen(settings);
  if (board.kind === "sim" && (snoops !== null || believed)) {
    const sim = new SimBoard({
      seed: settings.seed,
      coherent: believed,
      snoops: SNOOPS[snoops ?? "none"],
    });
    return { ...opened, syscalls: sim };
  }
  if (board.kind === "sim") requireDevice(opened, path);
  else takeDevice(opened, path, "plumbline audit");
  return opened;
}

function examine(device: Device, board: Board, { lines, repeats, settings }: Wanted): Audit {
  const machine = board.remote?.target.machine ?? Deno.build.arch;
  try {
    return auditDevice(device, {
      ...{ lines, repeats, seed: settings.seed },
      // the simulated board is none of this machine
      pci: board.kind !== "sim" && machine === "x86_64",
    });
  } catch (error) {
    if (error instanceof AuditError) throw new InfrastructureError(error.message);
    throw error;
  }
}

/** Audits the device of a virtual machine, by the same command inside it. */
async function auditGuest(arch: "aarch64" | "x86_64", wanted: Wanted): Promise<number> {
  const { bus, engine, snoops, believed, settings, lines, repeats, json, quiet } = wanted;
  const { tx, rx } = SNOOPS[snoops ?? "none"];
  const outDir = Deno.makeTempDirSync({ prefix: "plumbline-audit-" });
  try {
    const run = await runInGuest({
      ...{ arch, engine, outDir },
      ...(bus === "adversarial"
        ? {
          bus,
          moduleArgs: {
            pl_advbus: `seed=${settings.seed} snoop_read=${tx} snoop_write=${rx} coherent=${
              believed ? 1 : 0
            }`,
          },
        }
        : {}),
      command: [
        ...["deno", "run", "-A", "--no-check", "hil/cli/main.ts", "audit"],
        ...[`--lines=${lines}`, `--repeats=${repeats}`, `--seed=${settings.seed}`],
        ...(settings.devices[0] === undefined ? [] : [`--device=${settings.devices[0]}`]),
        ...(json === null ? [] : ["--json=/out/audit.json"]),
        ...(quiet ? ["--quiet"] : []),
      ],
      timeoutSeconds: 240,
      stdout: "null",
      stderr: "inherit",
    });
    for (const report of run.kernelReports) notice(`kernel report: ${report}`);
    if (run.lost !== null) throw new InfrastructureError(`The board was lost: ${run.lost}`);
    if (run.kernelReports.length > 0) {
      throw new InfrastructureError("The virtual machine's kernel reported defects");
    }
    const written = `${outDir}/audit.json`;
    if (json !== null && [0, 1, 3].includes(run.exitCode ?? 3)) {
      try {
        await writeText(json, Deno.readTextFileSync(written));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        notice("the audit in the guest ended without a result");
      }
    }
    return run.exitCode ?? 3;
  } finally {
    Deno.removeSync(outDir, { recursive: true });
  }
}
