// SPDX-License-Identifier: MIT
/**
 * `plumbline audit`: does the device tree say what the hardware snoops?
 *
 * @module
 */
import { ErrnoError } from "../../driver/errno.ts";
import type { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { type GuestRun, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import type { Attributes } from "../../driver/attributes.ts";
import { parseAttributes } from "../audit/attributes.ts";
import {
  type Audit,
  audit as auditDevice,
  AuditError,
  type AuditVerdict,
  mostLines,
  type Sweep,
  sweepAttributes,
} from "../audit/mod.ts";
import { renderSweep } from "../audit/sweep_text.ts";
import { renderAudit } from "../audit/text.ts";
import { type Board, describeBoard, simulatedAttributes } from "../board/board.ts";
import type { Arguments } from "../settings/arguments.ts";
import { parseSettings, type Settings } from "../settings/settings.ts";
import { parseList, parseName, parseWhole, UsageError, valueError } from "../settings/values.ts";
import {
  BOARD_OPTION,
  type BoardOptions,
  BUS_OPTION,
  ENGINE_OPTION,
  readBoardOptions,
} from "./board_options.ts";
import { bootTarget } from "./board_target.ts";
import { type Command, EXIT, JSON_OPTION, QUIET_OPTION } from "./command.ts";
import { InfrastructureError } from "./infrastructure.ts";
import { boardSetting, openChosen, openDevice, requireDevice, takeDevice } from "./open_board.ts";
import { guestOutput, jsonFile, notice, outputFor, writeResults } from "./output.ts";

/** What the hardware of a simulated board can be made to snoop: chances of 256 of its reads and writes. */
const SNOOPS = {
  none: { tx: 0, rx: 0 },
  both: { tx: 256, rx: 256 },
  tx: { tx: 256, rx: 0 },
  rx: { tx: 0, rx: 256 },
  sometimes: { tx: 230, rx: 230 },
} as const;

/** What the port of a simulated board can be made to need before an access asks the caches. */
const NEEDS = {
  cacheable: ({ cache }: Attributes) => cache >> 2 !== 0,
  "non-secure": ({ prot }: Attributes) => (prot & 2) !== 0,
  shared: ({ user = 0 }: Attributes) => (user & 1) !== 0,
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
        ENGINE_OPTION,
        { name: "device", value: "PATH", help: "Device node. Defaults to /dev/pldma0" },
        { name: "lines", value: "N", help: "Number of cache lines. Defaults to 64" },
        { name: "repeats", value: "N", help: "Rounds in each direction. Defaults to 32" },
        { name: "seed", value: "N", help: "Seed of the contents. Defaults to 1" },
        {
          name: "attributes",
          value: "LIST",
          help:
            "Sweep AxCACHE, AxPROT and AxUSER: common, all, pairs such as 3/0,15/2, or with AxUSER 15/2/1. " +
            "Defaults to no sweep",
        },
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
          name: "snoops-only",
          value: "WHAT",
          help:
            "What its accesses need to snoop: cacheable (AxCACHE[3:2] not 0), non-secure (AxPROT[1] 1), shared " +
            "(AxUSER[0] 1), or several of them. " +
            "Only with --board sim",
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
      [
        "plumbline audit --attributes common",
        "Find the attributes with which the port of the loopback core is coherent",
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
  /** What the simulated port needs. */
  readonly needs: readonly (keyof typeof NEEDS)[];
  /** The attributes to sweep, and how they were given; `null` for no sweep. */
  readonly attributes: { readonly list: readonly Attributes[]; readonly text: string } | null;
  /** Whether the number of rounds was given, which then holds for the sweep too. */
  readonly repeatsGiven: boolean;
  readonly json: string | null;
  readonly quiet: boolean;
}

async function auditBoard(given: Arguments): Promise<number> {
  const asked = readOptions(given, Deno.env.get("PLUMBLINE_BOARD") === "vm");
  if (asked.board.kind === "vm") return await auditGuest(asked.board.arch, asked);
  await using machine = await bootTarget(asked);
  if (machine !== null && machine.missing !== null) throw new InfrastructureError(machine.missing);
  if (machine === null) return await auditHere(asked);
  const status = await auditHere(onMachine(asked, machine.board));
  complain(await machine.stop());
  return status;
}

/** Refuses the audit of a virtual machine that was lost, or whose kernel reported defects. */
function complain(
  { lost, kernelReports }: Readonly<Pick<GuestRun, "lost">> & {
    readonly kernelReports: readonly string[];
  },
): void {
  for (const report of kernelReports) notice(`kernel report: ${report}`);
  if (lost !== null) throw new InfrastructureError(`The board was lost: ${lost}`);
  if (kernelReports.length > 0) {
    throw new InfrastructureError("The virtual machine's kernel reported defects");
  }
}

/** Audits a device that this process can open, itself or through an agent. */
async function auditHere(wanted: Wanted): Promise<number> {
  const path = wanted.settings.devices[0] ?? "/dev/pldma0";
  const board = open(wanted, path);
  using device = openDevice(board, path);
  checkLines(device, path, wanted);
  const found = examine(device, board, wanted);
  const about = describeBoard(board, device);
  const simulated = about.simulated === true ? `SIMULATED, board ${board.kind}: ` : "";
  const { heading, body, verdict } = renderAudit(found);
  const swept = sweep(device, board, path, wanted);
  const lines = wanted.quiet
    ? [verdict, ...describeSweep(swept).slice(-1)]
    : [`${path}: ${simulated}${heading}`, ...body, ...describeSweep(swept)];
  outputFor(wanted.json).print(lines.join("\n"));
  if (wanted.json !== null) {
    const attributes = swept === null || typeof swept !== "string"
      ? swept
      : { missing: swept, rows: [] };
    const result = { schema: 1, path, board: about, ...found, attributes };
    await writeResults(wanted.json, JSON.stringify(result, null, 2) + "\n");
  }
  const status = STATUS[found.verdict];
  // what was asked for is not there
  return status === 0 && typeof swept === "string" ? 3 : status;
}

/** Refuses more lines than a block of the device holds. */
function checkLines({ info }: Device, path: string, { lines }: Wanted): void {
  const most = mostLines(info);
  // without the policy, the audit says what is missing
  if (most === 0 || lines <= most) return;
  throw new UsageError(
    `${
      valueError("--lines", `at most ${most}`, `${lines}`).message
    }: the largest block of ${path} ` +
      `has ${info.policies.manual.maxBlock} bytes. Use fewer lines`,
  );
}

/** Sweeps the attributes if that was asked for. Returns one line if the board has none. */
function sweep(device: Device, board: Board, path: string, wanted: Wanted): Sweep | string | null {
  const { attributes, lines, repeats, repeatsGiven, settings } = wanted;
  if (attributes === null) return null;
  const port = board.attributes(path);
  if (typeof port === "string") return port;
  using chosen = port;
  return infrastructure(() =>
    sweepAttributes(device, chosen, {
      ...{ attributes: attributes.list, lines, seed: settings.seed },
      ...(repeatsGiven ? { repeats } : {}),
    })
  );
}

function describeSweep(swept: Sweep | string | null): readonly string[] {
  if (swept === null) return [];
  return typeof swept === "string"
    ? [`Attributes were not swept, because ${swept}`]
    : renderSweep(swept);
}

/** The same for the machine that was booted, which is a remote board now. */
function onMachine(wanted: Wanted, board: Wanted["board"]): Wanted {
  const remote = parseSettings({ board: boardSetting(board, false) });
  return {
    ...wanted,
    board,
    settings: { ...wanted.settings, board: remote.board, agent: remote.agent },
  };
}

function readOptions(given: Arguments, virtual: boolean): Wanted {
  const { device, seed, lines, repeats, snoops, json, attributes } = given.values;
  const needs = given.values["snoops-only"];
  const chosen = readBoardOptions(given, virtual);
  const { board, bus } = chosen;
  const believed = given.switches.has("dma-coherent");
  const simulated = board.kind === "sim" || board.kind === "vm" && bus === "adversarial";
  if ((snoops !== undefined || believed) && !simulated) {
    throw new UsageError(
      "--snoops and --dma-coherent need simulated hardware: add --board sim, or --board vm --bus adversarial",
    );
  }
  if (needs !== undefined && board.kind !== "sim") {
    throw new UsageError(
      "--snoops-only needs a simulated port, which only the simulated board has: add --board sim",
    );
  }
  const settings = parseSettings({
    // a machine that has not been booted has no address yet
    ...(board.kind === "target" ? {} : { board: boardSetting(board, virtual) }),
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
    needs: needs === undefined ? [] : parseNeeds(needs),
    attributes: attributes === undefined
      ? null
      : { list: parseAttributes("--attributes", attributes), text: attributes },
    repeatsGiven: repeats !== undefined,
    json: jsonFile(json),
    quiet: given.switches.has("quiet"),
  };
}

/** Reads what a simulated port needs. */
function parseNeeds(text: string): readonly (keyof typeof NEEDS)[] {
  const names = Object.keys(NEEDS) as (keyof typeof NEEDS)[];
  return parseList("--snoops-only", text, (option, name) => parseName(option, name, names)) ??
    names;
}

/** Opens the board, and locks its device until this process ends. */
function open({ board, settings, snoops, believed, needs }: Wanted, path: string): Board {
  const opened = openChosen(settings);
  if (board.kind === "sim" && (snoops !== null || believed || needs.length > 0)) {
    const sim = new SimBoard({
      seed: settings.seed,
      coherent: believed,
      snoops: SNOOPS[snoops ?? (needs.length > 0 ? "both" : "none")],
      port: (_, attributes) => needs.every((need) => NEEDS[need](attributes)),
    });
    return { ...opened, syscalls: sim, attributes: (device) => simulatedAttributes(sim, device) };
  }
  if (board.kind === "sim") requireDevice(opened, path);
  else takeDevice(opened, path, "plumbline audit");
  return opened;
}

function examine(device: Device, board: Board, { lines, repeats, settings }: Wanted): Audit {
  const machine = board.remote?.target.machine ?? Deno.build.arch;
  return infrastructure(() =>
    auditDevice(device, {
      ...{ lines, repeats, seed: settings.seed },
      // the simulated board is none of this machine
      pci: board.kind !== "sim" && machine === "x86_64",
    })
  );
}

/** Runs an audit, whose own errors are those of the infrastructure. */
function infrastructure<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof AuditError || error instanceof ErrnoError) {
      throw new InfrastructureError(error.message);
    }
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
      // behind bounce buffers nothing can be swept, because the core accesses copies
      ...(engine === "rtl" && wanted.attributes !== null ? { coherent: true } : {}),
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
        ...[`--lines=${lines}`, `--seed=${settings.seed}`],
        ...(wanted.repeatsGiven ? [`--repeats=${repeats}`] : []),
        ...(wanted.attributes === null ? [] : [`--attributes=${wanted.attributes.text}`]),
        ...(settings.devices[0] === undefined ? [] : [`--device=${settings.devices[0]}`]),
        ...(json === null ? [] : ["--json=/out/audit.json"]),
        ...(quiet ? ["--quiet"] : []),
      ],
      timeoutSeconds: 240,
      stdout: guestOutput(json),
      stderr: "inherit",
    });
    for (const line of describeBus(run.logic, wanted)) notice(line);
    complain(run);
    const written = `${outDir}/audit.json`;
    if (json !== null && [0, 1, 3].includes(run.exitCode ?? 3)) {
      try {
        await writeResults(json, Deno.readTextFileSync(written));
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

/** Says which attributes the bursts of a simulated core had, if they were swept. */
function describeBus(logic: GuestRun["logic"], { attributes }: Wanted): string[] {
  if (attributes === null || logic === null || typeof logic === "string") return [];
  return (["reads", "writes"] as const).map((what) =>
    `on the bus of the simulated core, bursts by AxCACHE/AxPROT/AxUSER: ${what} ${
      logic[what].map(({ cache, prot, user, bursts }) => `${cache}/${prot}/${user} ${bursts}`).join(
        ", ",
      )
    }`
  );
}
