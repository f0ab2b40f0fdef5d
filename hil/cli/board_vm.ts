// SPDX-License-Identifier: MIT
/**
 * Runs the suites on a virtual board: the same command inside the guest, whose journal lies in a
 * folder that the host sees, so that a lost guest loses no more than its last case.
 *
 * @module
 */
import { type GuestOptions, type GuestRun, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { Journal } from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import { runArguments, type RunOptions } from "./options.ts";
import { ROOT } from "../settings/place.ts";
import { follow, type Progress } from "./progress.ts";
import { errorMessage } from "../text/error_message.ts";

/** What a boot may take on top of the run, seconds. */
const BOOT_SECONDS = 120;

/** What {@linkcode runVirtual} is given. */
export interface VirtualRun {
  /** What was asked for; its board is a virtual one. */
  readonly options: RunOptions & { readonly board: { readonly kind: "vm" } };
  /** The journal of the run; its folder is shared with the guest. */
  readonly journal: Journal;
  /** The test files, relative to the checkout, which is all that the guest sees. */
  readonly files: readonly string[];
  /** The seed. */
  readonly seed: number;
  /** What to show meanwhile. */
  readonly progress: Progress | null;
  /** Ends the run early; its reason is told. */
  readonly signal: AbortSignal;
  /** Boots a board; by default the real one. */
  readonly boot?: (options: GuestOptions) => Promise<GuestRun>;
}

/**
 * Boot a board, run the suites in it and wait for its end.
 *
 * @param run what to run
 * @returns what ended the guest before its time, or `null`. Failures of the bench are in the journal
 */
export async function runVirtual(run: VirtualRun): Promise<string | null> {
  const { options, journal, signal, boot = runInGuest } = run;
  const coherent = options.settings.coherent !== undefined;
  let guest: GuestRun;
  try {
    guest = await follow(
      run.progress,
      boot({
        arch: options.board.arch,
        coherent,
        ...(options.bus === "adversarial" ? { bus: options.bus } : {}),
        ...(options.settings.bitstream === undefined ? {} : { pl: "empty" }),
        core: options.core,
        ...(options.waves === null ? {} : { rtl: { waves: { dir: options.waves } } }),
        command: guestCommand(run),
        outDir: journal.dir,
        timeoutSeconds: options.timeout + BOOT_SECONDS,
        stdout: "null",
        stderr: "piped",
        signal,
      }),
    );
  } catch (error) {
    journal.infrastructureError("virtual board", errorMessage(error));
    return null;
  }
  Deno.writeTextFileSync(`${journal.dir}/guest-stderr.log`, guest.stderr);

  // what the guest's plumbline said must be what its journal says, before the host adds to it
  const said = fold(Journal.read(journal.path)).verdict.exit;
  guest.kernelReports.forEach((report, i) =>
    journal.infrastructureError(`kernel report ${i + 1}`, report)
  );
  tellLogic(journal, guest.logic);
  if (guest.lost !== null) {
    const reason = signal.aborted ? String(signal.reason) : guest.lost;
    journal.header({ run: { cut: reason } });
    journal.infrastructureError(
      "virtual board",
      `The board was lost: ${reason}; see ${guest.consoleLog}`,
    );
    return reason;
  }
  if (guest.exitCode !== said) {
    const last = guest.stderr.trimEnd().split("\n").at(-1) ?? "";
    journal.infrastructureError(
      "virtual board",
      `plumbline ended with status ${guest.exitCode} in the guest, its journal says ${said}: ${last}`,
    );
  }
  return null;
}

/** What the simulated logic saw of the core, as a case of its own; there is none without it. */
function tellLogic(journal: Journal, logic: GuestRun["logic"]): void {
  if (logic === null) return;
  if (typeof logic === "string") return journal.infrastructureError("simulated logic", logic);
  const { violations, violation } = logic;
  const id = "simulated core/AXI4";
  const counted = {
    "clock": [logic.cycles, "cycles"],
    "read": [logic.beatsRead, "beats"],
    "written": [logic.beatsWritten, "beats"],
    "register accesses": [logic.accesses, "accesses"],
    "interrupts": [logic.interrupts, "interrupts"],
  } as const;
  journal.register({ id, suite: "simulated core", name: "AXI4", policy: null });
  journal.end(id, {
    ...(violations === 0 ? { outcome: "PASS", reason: null } : {
      outcome: "FAIL",
      reason: `The core broke the rules of AXI4 ${violations} times, first in ${violation}`,
    }),
    ...{ seconds: 0, frames: 0, bytes: 0 },
    measurements: Object.entries(counted)
      .map(([name, [value, unit]]) => ({ name, value, unit, limit: null })),
  });
}

/** The same run inside the guest, where the checkout is the working folder. */
function guestCommand({ options, files, seed }: VirtualRun): string[] {
  const { timeout } = options;
  const settings = { ...options.settings, seed: String(seed) };
  // the guest has the checkout as its working folder
  const { bitstream } = settings;
  if (bitstream?.startsWith(ROOT)) {
    settings.bitstream = bitstream.slice(ROOT.length);
  }
  return [
    ...["deno", "run", "-A", "--no-check", "hil/cli/main.ts", "run", "--board=local"],
    ...runArguments({ settings }),
    ...["--quiet", "--results=/out", `--timeout=${timeout}`],
    ...files,
  ];
}
