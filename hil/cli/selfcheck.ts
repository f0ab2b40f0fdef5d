// SPDX-License-Identifier: MIT
/**
 * `plumbline selfcheck`: inject every known fault, and show which were caught and how they were named.
 *
 * @module
 */
import { Device } from "../../driver/device.ts";
import { buildModules, type Bus, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { type Board, describeBoard } from "../board/board.ts";
import { gatherEnvironment } from "../board/environment.ts";
import { summarizeOutcomes, type Verdict } from "../results/outcome.ts";
import type { InjectedCount, InjectedFault, Results, Selfcheck } from "../results/schema.ts";
import { toolInfo } from "../results/tool.ts";
import { selfcheck as injectFaults, shortfalls, totals } from "../selfcheck/mod.ts";
import type { Arguments } from "../settings/arguments.ts";
import { parseSettings, type Settings } from "../settings/settings.ts";
import { parseWhole, UsageError, valueError } from "../settings/values.ts";
import { errorMessage } from "../text/error_message.ts";
import { BOARD_OPTION, type BoardChoice, BUS_OPTION, readBoardOptions } from "./board_options.ts";
import { type Command, EXIT, JSON_OPTION, QUIET_OPTION } from "./command.ts";
import { InfrastructureError } from "./infrastructure.ts";
import { boardSetting, openChosen, requireDevice, takeDevice } from "./open_board.ts";
import { guestOutput, jsonFile, notice, outputFor, writeResults } from "./output.ts";

/** `plumbline selfcheck`. */
export const selfcheck: Command = {
  line: {
    command: "plumbline selfcheck",
    purpose: "Inject every known fault: which are caught, and are they named correctly?",
    operands: "",
    groups: [{
      title: "Options",
      options: [
        { ...BOARD_OPTION, help: "sim, vm, vm:aarch64, vm:x86_64, or remote:HOST" },
        BUS_OPTION,
        { name: "device", value: "PATH", help: "Device node. Defaults to /dev/pldma0" },
        { name: "seed", value: "N", help: "Seed that places the faults. Defaults to 1" },
        {
          name: "every",
          value: "N",
          help: "Inject every Nth fault and every Nth pair. Defaults to 1, which is all",
        },
        JSON_OPTION,
        QUIET_OPTION,
      ],
    }],
    examples: [
      ["plumbline selfcheck --board sim", "Inject all faults into the simulated board"],
      [
        "plumbline selfcheck --board vm:x86_64 --bus adversarial",
        "Inject them below a real kernel",
      ],
    ],
    exit: {
      ...EXIT,
      0: "All faults were caught, and enough of them named and blamed correctly",
      1: "A fault was not caught, or too few were named or blamed correctly",
    },
  },
  run: checkSelf,
};

/** Longest time for all faults inside a virtual machine, seconds. */
const GUEST_SECONDS = 1500;

/** What the options ask for. */
interface Wanted {
  readonly board: BoardChoice;
  readonly bus: Bus;
  readonly settings: Settings;
  readonly every: number;
  readonly json: string | null;
  readonly quiet: boolean;
}

async function checkSelf(given: Arguments, args: readonly string[]): Promise<number> {
  const wanted = readOptions(given, Deno.env.get("PLUMBLINE_BOARD") === "vm");
  if (wanted.board.kind === "vm") return await checkGuest(wanted.board.arch, wanted);

  const { settings, json, quiet } = wanted;
  const began = performance.now();
  const started = new Date().toISOString();
  const path = settings.devices[0] ?? "/dev/pldma0";
  const board = openChosen(settings);
  if (wanted.board.kind === "sim") requireDevice(board, path);
  else takeDevice(board, path, "plumbline selfcheck");
  const found = totals(injectAll(board, path, wanted));
  const verdict = judge(found);
  const seconds = Math.round(performance.now() - began) / 1000;
  show(found, verdict, { quiet, seconds, seed: settings.seed, json });
  if (json !== null) {
    using device = Device.open({ path, syscalls: board.syscalls });
    const command = ["plumbline", "selfcheck", ...args];
    const run = { seed: settings.seed, started, seconds, command };
    const results = resultsOf(found, verdict, { board, device, run });
    await writeResults(json, JSON.stringify(results, null, 2) + "\n");
  }
  return verdict.exit;
}

function readOptions(given: Arguments, virtual: boolean): Wanted {
  const { device, seed, every, json } = given.values;
  const { board, bus } = readBoardOptions(given, virtual);
  if (board.kind === "vm" && board.machine === "versal") {
    throw new UsageError("selfcheck injects faults into logic, and vm:versal has none");
  }
  if (board.kind === "target") {
    throw new UsageError("selfcheck does not work with vm:armhf and vm:zynq: choose another board");
  }
  if (board.kind === "local" && !virtual) {
    throw new UsageError("selfcheck needs a virtual board: add --board sim or --board vm");
  }
  const settings = parseSettings({
    board: boardSetting(board, virtual),
    ...(device === undefined ? {} : { device }),
    ...(seed === undefined ? {} : { seed }),
  });
  if (settings.devices.length > 1) throw valueError("--device", "one device", device ?? "");
  return {
    board,
    bus,
    settings,
    every: parseWhole("--every", every ?? "1", 1),
    json: jsonFile(json),
    quiet: given.switches.has("quiet"),
  };
}

/** Injects the faults, and shows each one unless only the verdict is wanted. */
function injectAll(
  board: Board,
  path: string,
  { settings, every, json, quiet }: Wanted,
): InjectedFault[] {
  const { print } = outputFor(json);
  if (!quiet) print(HEAD);
  const faults: InjectedFault[] = [];
  try {
    for (const fault of injectFaults({ board, path, seed: settings.seed, every })) {
      faults.push(fault);
      if (!quiet) print(row(fault));
    }
  } catch (error) {
    throw new InfrastructureError(errorMessage(error));
  }
  return faults;
}

/** Runs the self-check inside a virtual machine. */
async function checkGuest(
  arch: "aarch64" | "x86_64",
  { settings: { devices, seed }, bus, every, json, quiet }: Wanted,
): Promise<number> {
  const outDir = Deno.makeTempDirSync({ prefix: "plumbline-selfcheck-" });
  try {
    // a driver that makes mistakes on request
    const { modules } = await buildModules(arch, { testFaults: true });
    const run = await runInGuest({
      arch,
      bus,
      modules,
      command: [
        ...["deno", "run", "-A", "--no-check", "hil/cli/main.ts", "selfcheck"],
        ...[`--device=${devices.join(",")}`, `--seed=${seed}`, `--every=${every}`],
        "--json=/out/selfcheck.json",
        ...(quiet ? ["--quiet"] : []),
      ],
      outDir,
      timeoutSeconds: GUEST_SECONDS,
      stdout: guestOutput(json),
      stderr: "inherit",
    });
    for (const report of run.kernelReports) notice(`kernel report: ${report}`);
    if (run.lost !== null) {
      throw new InfrastructureError(`The board was lost: ${run.lost}`);
    }
    if (run.kernelReports.length > 0) {
      throw new InfrastructureError("The virtual machine's kernel reported defects");
    }
    if (json !== null && (run.exitCode === 0 || run.exitCode === 1)) {
      await writeResults(json, Deno.readTextFileSync(`${outDir}/selfcheck.json`));
    }
    return run.exitCode ?? 3;
  } finally {
    Deno.removeSync(outDir, { recursive: true });
  }
}

function judge(found: Selfcheck): Verdict {
  const reasons = shortfalls(found);
  const { faults, caught } = found.total;
  return reasons.length === 0
    ? { exit: 0, word: "PASS", reason: `${caught} of ${faults} caught` }
    : { exit: 1, word: "FAIL", reason: reasons.join("; ") };
}

function resultsOf(
  found: Selfcheck,
  verdict: Verdict,
  { board, device, run }: { board: Board; device: Device; run: Results["run"] },
): Results {
  const nothing = { arch: null, kernel: null, coherent: null, cacheLine: null, engine: null };
  return {
    schema: 1,
    tool: toolInfo(),
    board: {
      kind: board.kind,
      simulated: true,
      core: null,
      ...nothing,
      ...describeBoard(board, device),
    },
    bitstream: { file: null, sha256: null, part: null, identity: "unknown" },
    run,
    tests: [],
    summary: summarizeOutcomes([]),
    power: {
      coherence: false,
      tx: false,
      rx: false,
      detail: "unknown: a self-check runs no control",
    },
    verdict,
    selfcheck: found,
    environment: gatherEnvironment({ device: device.path, files: board.remote?.files }),
  };
}

/** Writes a row of at most 80 columns. */
function cells(fault: string, where: string, frames: string, named: string, blamed: string) {
  const cut = (text: string, width: number) =>
    (text.length <= width ? text : `${text.slice(0, width - 1)}…`).padEnd(width);
  return `${cut(fault, 39)} ${cut(where, 6)} ${frames.padStart(6)}  ${cut(named, 14)} ${blamed}`;
}

const HEAD = cells("fault", "where", "frames", "named as", "blamed");

/** Describes a fault in one row. A "!" marks a wrong name or blame. */
function row(one: InjectedFault): string {
  const { fault, where, caught, frames, named, namedRight, blamed, blamedRight, heldOut } = one;
  if (!caught) return cells(fault, where, "", "NOT CAUGHT", "");
  const mark = (text: string | null, right: boolean) => `${right ? "" : "!"}${text ?? "-"}`;
  const line = cells(
    heldOut ? `* ${fault}` : fault,
    where,
    String(frames),
    mark(named, namedRight),
    mark(blamed, blamedRight),
  );
  return line.trimEnd();
}

/** Shows the totals and the verdict. */
function show(
  found: Selfcheck,
  verdict: Verdict,
  { quiet, seconds, seed, json }: {
    readonly quiet: boolean;
    readonly seconds: number;
    readonly seed: number;
    readonly json: string | null;
  },
): void {
  const { print } = outputFor(json);
  if (!quiet) {
    const { single, ambiguous, pairs, heldOut } = found.total;
    print(LEGEND);
    const counts = [
      count("single faults", single),
      count("of several names", ambiguous),
      count("pairs", pairs),
      count("of all: held out", heldOut),
    ];
    for (const line of counts.flat()) print(line);
  }
  const run = `seed ${seed}, ${seconds.toFixed(1)} s`;
  print(`SIMULATED ${verdict.word}: ${verdict.reason} (${run})`);
}

const LEGEND = `
frames: verified until the fault was caught   !: wrong   -: no name or blame
*: never used to develop the classifier ("held out")
`;

/** Describes a count in one line, or in none if there is nothing to count. */
function count(
  what: string,
  { faults, caught, namedRight, blamedRight }: InjectedCount,
): string[] {
  if (faults === 0) return [];
  return [
    `${what.padEnd(22)} ${String(faults).padStart(4)}  caught ${percent(caught, faults)}  ` +
    `named ${percent(namedRight, faults)}  blamed ${percent(blamedRight, faults)}`,
  ];
}

function percent(part: number, whole: number): string {
  // round down, because 99.96 % is not 100 %
  return `${(Math.floor((1000 * part) / whole) / 10).toFixed(1)} %`.padStart(7);
}
