// SPDX-License-Identifier: MIT
/**
 * What runs in the guest: loads one mutant of `pldma.ko` after the other, and runs its probe.
 *
 * One process runs the checks of all mutants, because Deno takes a minute to start on an emulated processor
 * of a busy machine. `boots.ts` writes the plan and reads the results.
 *
 * @module
 */

import { unpackInfo } from "../../../driver/info.ts";
import { INFO } from "../../../driver/uapi.ts";
import { type Board, openBoard } from "../../board/board.ts";
import { parseSettings } from "../../settings/settings.ts";
import { CheckContext, type Setup } from "../../suites/abi/check.ts";
import { CHECKS } from "../../suites/abi/mod.ts";
import { Struct } from "../../suites/abi/raw.ts";
import { errorMessage } from "../../text/error_message.ts";
import type { GuestPlan, GuestResult } from "./plan.ts";

const ORDER = "/run/control/modules.order";
const DEVICE = "/dev/pldma0";
/** The flags B, D and W of a kernel that has complained: a bad page, an oops, a warning. */
const TAINTED = 32 | 128 | 512;

/** The modules from `pldma` on, in load order, with their parameters. */
const modules = Deno.readTextFileSync(ORDER).trim().split("\n")
  .map((line) => line.split(" "))
  .map(([name = "", ...args]) => ({ name, args: args.filter((arg) => arg !== "") }));
const loaded = modules.slice(modules.findIndex(({ name }) => name === "pldma"));

function run(command: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(text.trim());
  return text;
}

/** Unloads the modules. Devices are unbound first, because their channels hold the engine's module. */
async function unload(): Promise<void> {
  for (const driver of ["pl_advbus", "pldma"]) {
    const dir = `/sys/bus/platform/drivers/${driver}`;
    run(
      "sh",
      "-c",
      `for d in ${dir}/*/driver; do [ -e $d ] && basename $(dirname $d) > ${dir}/unbind; done; :`,
    );
  }
  for (const { name } of loaded.toReversed()) {
    for (let tries = 0;; tries++) {
      try {
        run("rmmod", name);
        break;
      } catch (error) {
        if (tries === 20) throw error;
        // a process that was killed may need a moment to go
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }
}

function load(module: string, args: string): void {
  for (const { name, args: usual } of loaded) {
    const own = name === "pldma";
    const file = own ? module : `/run/control/modules/${name}.ko`;
    run("insmod", file, ...usual, ...own ? args.split(" ").filter((arg) => arg !== "") : []);
  }
}

/** Finds out what the board can do, as the suite does. */
function prepare(board: Board): Setup {
  const can = (spec: string): string | null => {
    try {
      board.arm(spec);
      board.disarm();
      return null;
    } catch (error) {
      return errorMessage(error);
    }
  };
  const setup = { board, path: DEVICE, noFaults: can("kind=none"), noWedge: null };
  // INFO is not known yet; a context needs none to open the device
  using context = new CheckContext({ ...setup, info: undefined as never });
  const argument = new Struct(INFO);
  context.open().call("INFO", argument);
  return {
    ...setup,
    info: unpackInfo(argument.bytes),
    noWedge: setup.noFaults ?? can("kind=wedge frame=0 seed=1"),
  };
}

/** Runs the checks whose names contain a text; returns why one fails, or an empty text. */
async function runChecks(filter: string): Promise<string> {
  const setup = prepare(openBoard(parseSettings({ board: "vm" })));
  const checks = CHECKS.filter(({ name, needs }) => name.includes(filter) && needs(setup) === null);
  if (checks.length === 0) return `no check has a name with "${filter}"`;
  for (const check of checks) {
    try {
      using context = new CheckContext(setup);
      await check.run(context.open(), context);
    } catch (error) {
      return `${check.name}: ${errorMessage(error)}`;
    }
  }
  return "";
}

/** Runs a program; returns the last line that it wrote if it fails, or an empty text. */
function runProgram(command: string, seconds: number): string {
  const { code, stdout, stderr } = new Deno.Command("timeout", {
    args: ["-s", "KILL", `${seconds}`, "sh", "-c", command],
  }).outputSync();
  if (code === 0) return "";
  if (code === 137) return `did not end within ${seconds} s`;
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return text.trim().split("\n").at(-1) || `ended with status ${code}`;
}

/** Writes the result of a trial, or that it has begun. */
function report(index: number, result: GuestResult): void {
  Deno.writeTextFileSync(`/out/${index}.json.new`, JSON.stringify(result));
  Deno.renameSync(`/out/${index}.json.new`, `/out/${index}.json`);
}

const plan: GuestPlan = JSON.parse(Deno.readTextFileSync("/out/plan.json"));
await unload();
for (const [index, { args, probe, seconds }] of plan.entries()) {
  report(index, { ended: false, why: "" });
  let why = "";
  let last = false;
  try {
    load(`/out/${index}.ko`, args);
    why = "abi" in probe ? await runChecks(probe.abi) : runProgram(probe.program, seconds);
    // the checks remember it, and give the next driver less time
    if (why.includes("at its deadline")) last = true;
  } catch (error) {
    why = errorMessage(error);
  }
  try {
    await unload();
  } catch (error) {
    why ||= `the module cannot be unloaded: ${errorMessage(error)}`;
    last = true;
  }
  if ((Number(Deno.readTextFileSync("/proc/sys/kernel/tainted")) & TAINTED) !== 0) {
    why = `the kernel complained${why === "" ? "" : `, and ${why}`}`;
    last = true;
  }
  report(index, { ended: true, why });
  if (last) break;
}
