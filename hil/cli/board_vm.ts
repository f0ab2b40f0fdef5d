// SPDX-License-Identifier: MIT
/**
 * Runs the suites on a virtual machine, by the same command inside the guest.
 *
 * The guest keeps its journal in a folder of the host, so a guest that is lost loses only its last
 * case.
 *
 * @module
 */
import { type GuestOptions, type GuestRun, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { UnavailableError } from "../../fixtures/host/run.ts";
import { Journal } from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import { innermost } from "../journal/completeness.ts";
import { notice } from "./output.ts";
import { runArguments, type RunOptions } from "./options.ts";
import { ROOT } from "../settings/paths.ts";
import { follow, type Progress } from "./progress.ts";
import { Spool } from "./spool.ts";
import { errorMessage } from "../text/error_message.ts";
import { addKernelReports } from "./infrastructure.ts";

/** Seconds for the boot, in addition to those for the run. */
const BOOT_SECONDS = 120;

/** What {@linkcode runVirtual} needs. */
export interface VirtualRun {
  /** The options of the run. The board is a virtual machine. */
  readonly options: RunOptions & { readonly board: { readonly kind: "vm" } };
  /** The journal of the run. The guest shares its folder. */
  readonly journal: Journal;
  /** Paths of the test files, relative to the checkout. */
  readonly files: readonly string[];
  /** The seed. */
  readonly seed: number;
  /** Shows progress, or `null` for none. */
  readonly progress: Progress | null;
  /** Ends the run early. The results contain its reason. */
  readonly signal: AbortSignal;
  /** Boots the guest. Defaults to {@linkcode runInGuest}. */
  readonly boot?: (options: GuestOptions) => Promise<GuestRun>;
}

/**
 * Boots a guest and runs the suites in it.
 *
 * Failures of the infrastructure are in the journal.
 *
 * @param run What to run
 * @returns What ended the guest early, or `null` if it ended by itself
 */
export async function runVirtual(run: VirtualRun): Promise<string | null> {
  const { options, journal, signal, boot = runInGuest } = run;
  const coherent = options.settings.coherent !== undefined;
  let guest: GuestRun;
  using errors = new Spool(`${journal.dir}/guest-stderr.log`);
  try {
    guest = await follow(
      run.progress,
      boot({
        arch: options.board.arch,
        coherent,
        ...(options.bus === "adversarial" ? { bus: options.bus } : {}),
        ...(options.settings.bitstream === undefined ? {} : { pl: "empty" }),
        engine: options.engine,
        ...(options.iommu === null ? {} : { iommu: options.iommu }),
        kernel: options.kernel,
        ...(options.engineFault === null ? {} : { shape: { fault: options.engineFault } }),
        ...(options.waves === null ? {} : { rtl: { waves: { dir: options.waves } } }),
        command: guestCommand(run),
        outDir: journal.dir,
        timeoutSeconds: options.timeout + BOOT_SECONDS,
        stdout: (chunk) => errors.write(chunk),
        stderr: (chunk) => errors.write(chunk),
        signal,
      }),
    );
  } catch (error) {
    // the summary wraps its lines, and a command that is wrapped cannot be copied
    if (error instanceof UnavailableError) notice(error.message);
    journal.infrastructureError("virtual board", errorMessage(error));
    return null;
  }
  errors.check();

  // the exit status in the guest must agree with its journal, before the host adds lines to it
  const expected = fold(innermost(Journal.read(journal.path))).verdict.exit;
  addKernelReports(journal, guest.kernelReports);
  addLogic(journal, guest.logic, options.engine);
  if (guest.lost !== null) {
    const reason = signal.aborted ? String(signal.reason) : guest.lost;
    journal.header({ run: { cut: reason } });
    journal.infrastructureError(
      "virtual board",
      `The board was lost: ${reason}; see ${guest.consoleLog}`,
    );
    return reason;
  }
  if (guest.exitCode !== expected) {
    journal.infrastructureError(
      "virtual board",
      `Expected status ${expected} from plumbline in the guest, by its journal, found status ${guest.exitCode}: ${errors.lastLine}`,
    );
  }
  return null;
}

/**
 * Adds a case for what the simulated logic saw, if there is simulated logic: how the core used the bus,
 * or how the driver used a modelled engine.
 */
function addLogic(journal: Journal, logic: GuestRun["logic"], engine: RunOptions["engine"]): void {
  if (logic === null) return;
  if (typeof logic === "string") return journal.infrastructureError("simulated logic", logic);
  const { violations, violation } = logic;
  const [suite, name, broke] = engine === "rtl"
    ? ["simulated core", "AXI4", "The core broke the rules of AXI4"]
    : ["modelled engine", "registers", "The driver broke the rules of the engine"];
  const id = `${suite}/${name}`;
  const counted = {
    "clock": [logic.cycles, "cycles"],
    "read": [logic.beatsRead, "beats"],
    "written": [logic.beatsWritten, "beats"],
    "register accesses": [logic.accesses, "accesses"],
    "interrupts": [logic.interrupts, "interrupts"],
  } as const;
  journal.register({ id, suite, name, policy: null });
  journal.end(id, {
    ...(violations === 0 ? { outcome: "PASS", reason: null } : {
      outcome: "FAIL",
      reason: `${broke} ${violations} times, first in ${violation}`,
    }),
    ...{ seconds: 0, frames: 0, bytes: 0 },
    measurements: Object.entries(counted)
      .map(([name, [value, unit]]) => ({ name, value, unit, limit: null })),
  });
}

/** The command for the same run inside the guest, whose working folder is the checkout. */
function guestCommand({ options, files, seed }: VirtualRun): string[] {
  const { timeout } = options;
  const settings = { ...options.settings, seed: String(seed) };
  const { bitstream } = settings;
  if (bitstream?.startsWith(ROOT)) {
    settings.bitstream = bitstream.slice(ROOT.length);
  }
  return [
    ...["deno", "run", "-A", "--no-check", "hil/cli/main.ts", "run", "--board=local"],
    ...runArguments({ settings }),
    ...(options.stress === null ? [] : [`--stress=${options.stress.text}`]),
    ...["--quiet", "--results=/out", `--timeout=${timeout}`],
    ...files,
  ];
}
