// SPDX-License-Identifier: MIT
/**
 * The command `plumbline`.
 *
 * Exit status: 0 all outcomes as expected; 1 the design failed; 2 wrong usage; 3 the bench failed,
 * so nothing is known about the design.
 *
 * @module
 */
import { VERSION } from "../results/tool.ts";
import { nearest } from "../text/nearest.ts";
import { bitstream } from "./bitstream.ts";
import { info } from "./info.ts";
import { UsageError } from "./options.ts";
import { report } from "./report.ts";
import { bench, BenchError, isOutOfSpace, run } from "./run.ts";
import { selfcheck } from "./selfcheck.ts";

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  bench,
  bitstream,
  info,
  report,
  run,
  selfcheck,
};

const HELP = `Usage: plumbline COMMAND [OPTIONS]
Test whether data survives the trip through an FPGA's DMA.

  run         validate the design on a board
  bench       what every sync policy costs there, and which to choose
  info        what the board offers, or what is missing
  bitstream   look into a bitstream, convert it, load it
  selfcheck   inject every known fault: is it caught, and rightly named?
  report      tables or a page of runs, also of one that died; compare, limit
  --help      this text; plumbline COMMAND --help tells the options
  --version   the version

Exit: 0 as expected, 1 the design failed, 2 usage, 3 the bench failed`;

/**
 * Run the command line.
 *
 * @param args the arguments, such as `Deno.args`
 * @returns the exit status
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  try {
    if (name === "--help" || name === "-h") {
      console.log(HELP);
      return 0;
    }
    if (name === "--version" || rest.includes("--version")) {
      console.log(`plumbline ${VERSION} (deno ${Deno.version.deno})`);
      return 0;
    }
    if (name === undefined) throw new UsageError("Which command? See --help");
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) {
      const guess = nearest(name, [...Object.keys(COMMANDS), "--help", "--version"]);
      throw new UsageError(
        `Unknown command ${name}: ` + (guess === null ? "see --help" : `did you mean ${guess}?`),
      );
    }
    return await command(rest);
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`plumbline: ${error.message}`);
      return 2;
    }
    if (error instanceof BenchError || isOutOfSpace(error)) {
      console.error(`plumbline: ${error.message}`);
      return 3;
    }
    // whatever it is, it is not the design's fault: status 1 would say so
    console.error("plumbline: this is a defect of plumbline itself:", error);
    return 3;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
