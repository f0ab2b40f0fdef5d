// SPDX-License-Identifier: MIT
/**
 * Boots a virtual machine on which Deno does not run. Its agent makes it a remote board for the run.
 *
 * @module
 */
import { parseRemoteAddress, TOKEN_VARIABLE } from "../../driver/remote.ts";
import { BuildError, UnavailableError } from "../../fixtures/boards/vm/mod.ts";
import { VirtualTarget } from "../../fixtures/boards/vm/target/target.ts";
import { SIMULATED_VARIABLE } from "../board/board.ts";
import type { Journal } from "../journal/journal.ts";
import type { BoardChoice, BoardOptions } from "./board_options.ts";
import { addKernelReports } from "./infrastructure.ts";
import { notice } from "./output.ts";

/** A machine that was booted for a run, or why it was not. */
export interface BootedTarget extends AsyncDisposable {
  /** The board for the rest of the run. */
  readonly board: Extract<BoardChoice, { kind: "remote" | "target" }>;
  /** Why there is no machine, or null. */
  readonly missing: string | null;
  /** Ends the machine. Returns why it was lost, or null, and what its kernel complained about. */
  stop(): Promise<{ readonly lost: string | null; readonly kernelReports: readonly string[] }>;
  /**
   * Ends the machine. Failures of the infrastructure and complaints of its kernel go to the journal.
   *
   * @param journal The journal of the run, whose folder gets the console log
   */
  finish(journal: Journal): Promise<void>;
}

/**
 * Boots the machine that the options choose.
 *
 * The machine is a remote board of this process and its children, so they get the agent's token, and the
 * fact that nothing there is hardware.
 *
 * @param options The options
 * @returns The machine, or null for other boards
 */
export async function bootTarget(
  options: Pick<BoardOptions, "board" | "bus" | "engine">,
): Promise<BootedTarget | null> {
  const { board, bus, engine } = options;
  if (board.kind !== "target") return null;
  let target: VirtualTarget;
  try {
    notice(`booting vm:${board.machine}`);
    target = await VirtualTarget.start({
      machine: board.machine,
      bus,
      engine: engine === "memory" ? "memory" : "softdma",
    });
  } catch (error) {
    if (!(error instanceof UnavailableError || error instanceof BuildError)) throw error;
    return {
      board,
      missing: error.message,
      stop: () => Promise.resolve({ lost: null, kernelReports: [] }),
      finish: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  Deno.env.set(TOKEN_VARIABLE, target.token);
  Deno.env.set(SIMULATED_VARIABLE, board.machine);
  const text = `127.0.0.1:${target.port}`;
  const address = parseRemoteAddress(text);
  if (address === null) throw new TypeError(`Expected an address, found ${text}`);
  return {
    board: { kind: "remote", name: `remote:${text}`, address },
    missing: null,
    stop: () => target.stop(),
    async finish(journal) {
      const { lost, kernelReports } = await target.stop();
      await Deno.copyFile(target.consoleLog, `${journal.dir}/console.log`);
      addKernelReports(journal, kernelReports);
      if (lost !== null) {
        journal.infrastructureError("virtual board", `The board was lost: ${lost}`);
      }
    },
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}
