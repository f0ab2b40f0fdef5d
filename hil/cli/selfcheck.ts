// SPDX-License-Identifier: MIT
/**
 * `plumbline selfcheck`: inject every known fault, and tell which were caught and how they were named.
 *
 * @module
 */
import { Device } from "../../driver/device.ts";
import { buildModules, type Bus, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { type Board, describeBoard, openBoard } from "../board/board.ts";
import { gatherEnvironment } from "../board/environment.ts";
import { lockDevice, LockHeldError } from "../board/lock.ts";
import type { Verdict } from "../results/outcome.ts";
import { explainDevice } from "../board/precheck.ts";
import { summarizeOutcomes } from "../results/outcome.ts";
import type { InjectedCount, InjectedFault, Results, Selfcheck } from "../results/schema.ts";
import { toolInfo } from "../results/tool.ts";
import { selfcheck as check, shortfalls, totals } from "../selfcheck/mod.ts";
import { parseSettings, type Settings } from "../settings/settings.ts";
import { parseName, parseWhole } from "../settings/values.ts";
import { commandHelp, type OptionInfo, parseBus, parseOptions, UsageError } from "./options.ts";
import { outputFile, say, writeText } from "./output.ts";
import { BenchError } from "./run.ts";
import { errorMessage } from "../text/error_message.ts";

/** Every option of `plumbline selfcheck`. */
const OPTIONS: readonly OptionInfo[] = [
  { name: "board", value: "BOARD", help: "sim, vm, vm:aarch64 or vm:x86_64" },
  { name: "bus", value: "BUS", help: "virtual machines: swiotlb (default) or adversarial" },
  { name: "device", value: "PATH", help: "device node (default /dev/pldma0)" },
  { name: "seed", value: "N", help: "seed of which bytes of which frames (default 1)" },
  { name: "every", value: "N", help: "one fault in N, and one pair in N (default 1)" },
  { name: "json", value: "FILE", help: "write results there; - is standard output" },
  { name: "quiet", value: null, help: "print the verdict only" },
  { name: "help", value: null, help: "this text" },
  { name: "version", value: null, help: "the version" },
];

const BOARDS = ["local", "sim", "vm", "vm:aarch64", "vm:x86_64"] as const;

/** Longest time for all faults inside a virtual machine, seconds. */
const GUEST_SECONDS = 1500;

/**
 * Inject every known fault.
 *
 * @param args the arguments behind `selfcheck`
 * @returns the exit status: 0 when all were caught and enough named, 1 when not, 3 the bench failed
 * @throws {UsageError} for a command line that makes no sense
 * @throws {BenchError} when nothing can be injected
 */
export async function selfcheck(args: readonly string[]): Promise<number> {
  const { values, switches, rest } = parseOptions("selfcheck", args, OPTIONS);
  if (switches.has("help")) {
    console.log(commandHelp(
      "selfcheck [OPTIONS]",
      "Inject every known fault: which are caught, and are they rightly named?",
      OPTIONS,
      "0 all caught, 95 % named and blamed; 1 not so; 2 usage; 3 the bench failed",
    ));
    return 0;
  }
  if (rest.length > 0) {
    throw new UsageError(`Unexpected "${rest[0]}": plumbline selfcheck takes options`);
  }
  const virtual = Deno.env.get("PLUMBLINE_BOARD") === "vm";
  const { name, settings, bus, every } = read(values, virtual);
  const json = values["json"] === "-" ? "-" : outputFile("--json", values["json"] ?? null);
  const quiet = switches.has("quiet");
  if (name.startsWith("vm")) return await inGuest(name, settings, { bus, every, json, quiet });

  const began = performance.now();
  const started = new Date().toISOString();
  const path = settings.devices[0] ?? "/dev/pldma0";
  const missing = name === "local" ? explainDevice(path) : null;
  if (missing !== null) throw new BenchError(missing);
  if (name === "local") takeDevice(path);
  const board = openBoard(settings);
  if (!quiet) console.error(HEAD);
  const faults: InjectedFault[] = [];
  try {
    for (
      const fault of check({ board, path, seed: settings.seed, every })
    ) {
      faults.push(fault);
      if (!quiet) console.error(row(fault));
    }
  } catch (error) {
    throw new BenchError(errorMessage(error));
  }
  const found = totals(faults);
  const verdict = judge(found);
  const seconds = Math.round(performance.now() - began) / 1000;
  tell(found, verdict, { quiet, seconds, seed: settings.seed });
  if (json !== null) {
    using device = Device.open({ path, syscalls: board.syscalls });
    const run = {
      seed: settings.seed,
      started,
      seconds,
      command: ["plumbline", "selfcheck", ...args],
    };
    const results = resultsOf(found, verdict, { board, device, run });
    await writeText(json, JSON.stringify(results, null, 2) + "\n");
  }
  return verdict.exit;
}

function read(
  values: Readonly<Record<string, string | undefined>>,
  virtual: boolean,
): { name: typeof BOARDS[number]; settings: Settings; bus: Bus; every: number } {
  try {
    const name = parseName("--board", values["board"] ?? "local", BOARDS);
    if (name === "local" && !virtual) {
      throw new UsageError(
        "A self-check injects faults, which needs a virtual board: add --board sim or --board vm",
      );
    }
    const { device, seed } = values;
    const settings = parseSettings({
      board: name === "sim" ? "sim" : "vm",
      ...(device === undefined ? {} : { device }),
      ...(seed === undefined ? {} : { seed }),
    });
    if (settings.devices.length > 1) throw new UsageError("--device takes one device here");
    return {
      name,
      settings,
      bus: parseBus(values["bus"], name.startsWith("vm")),
      every: parseWhole("--every", values["every"] ?? "1", 1),
    };
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** Hold the device as long as this process lives. */
function takeDevice(path: string): void {
  try {
    lockDevice(path, { what: "plumbline selfcheck" });
  } catch (error) {
    if (error instanceof LockHeldError) throw new BenchError(error.message);
    throw error;
  }
}

/** The same inside a virtual machine. */
async function inGuest(
  name: string,
  { devices, seed }: Settings,
  { bus, every, json, quiet }: { bus: Bus; every: number; json: string | null; quiet: boolean },
): Promise<number> {
  const arch = name === "vm" ? Deno.build.arch : parseName("--board", name.slice(3), [
    "aarch64",
    "x86_64",
  ]);
  const outDir = Deno.makeTempDirSync({ prefix: "plumbline-selfcheck-" });
  try {
    // one that makes mistakes on request
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
      stdout: "null",
      stderr: "inherit",
    });
    for (const report of run.kernelReports) say(`kernel report: ${report}`);
    if (run.lost !== null) throw new BenchError(`The board was lost: ${run.lost}`);
    if (run.kernelReports.length > 0) throw new BenchError("The guest's kernel reported defects");
    if (json !== null && (run.exitCode === 0 || run.exitCode === 1)) {
      await writeText(json, Deno.readTextFileSync(`${outDir}/selfcheck.json`));
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
    environment: gatherEnvironment({ device: device.path }),
  };
}

/** Columns, 80 together. */
function cells(fault: string, where: string, frames: string, named: string, blamed: string) {
  const cut = (text: string, width: number) =>
    (text.length <= width ? text : `${text.slice(0, width - 1)}…`).padEnd(width);
  return `${cut(fault, 39)} ${cut(where, 6)} ${frames.padStart(6)}  ${cut(named, 14)} ${blamed}`;
}

const HEAD = cells("fault", "where", "frames", "named as", "blamed");

/** A fault for a person: what is wrong has a "!". */
function row(one: InjectedFault): string {
  const { fault, where, caught, frames, named, namedRight, blamed, blamedRight, heldOut } = one;
  if (!caught) return cells(fault, where, "", "NOT CAUGHT", "");
  const mark = (text: string | null, right: boolean) => `${right ? "" : "!"}${text ?? "-"}`;
  const line = cells(
    heldOut === true ? `* ${fault}` : fault,
    where,
    String(frames),
    mark(named, namedRight),
    mark(blamed, blamedRight),
  );
  return line.trimEnd();
}

function tell(
  found: Selfcheck,
  verdict: Verdict,
  { quiet, seconds, seed }: { quiet: boolean; seconds: number; seed: number },
): void {
  if (!quiet) {
    const { single, pairs, heldOut } = found.total;
    console.error(
      "\n! wrong   - nobody   * a pair held out: nothing was tuned with it   frames: until caught\n",
    );
    const told = (what: string, { faults, caught, namedRight, blamedRight }: InjectedCount) =>
      faults > 0 &&
      console.error(
        `${what.padEnd(22)} ${String(faults).padStart(4)}  caught ${percent(caught, faults)}  ` +
          `named ${percent(namedRight, faults)}  blamed ${percent(blamedRight, faults)}`,
      );
    told("single faults", single);
    told("pairs", pairs);
    told("  of these held out", heldOut);
  }
  const of = `seed ${seed}, ${seconds.toFixed(1)} s`;
  console.error(`SIMULATED ${verdict.word}: ${verdict.reason} (${of})`);
}

function percent(part: number, whole: number): string {
  // never more than it is: 99.96 % is not 100 %
  return `${(Math.floor((1000 * part) / whole) / 10).toFixed(1)} %`.padStart(7);
}
