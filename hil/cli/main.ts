// SPDX-License-Identifier: MIT
/**
 * The command `plumbline`.
 *
 * Exit status: 0 if everything is as expected, 1 if the design failed, 2 if the command line is not
 * valid, and 3 if the infrastructure failed, so that nothing is known about the design.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { VERSION } from "../results/tool.ts";
import { commandError, commandsHelp } from "../settings/arguments.ts";
import { UsageError } from "../settings/values.ts";
import { bitstream, BITSTREAM_PURPOSE } from "./bitstream.ts";
import { type Command, EXIT, runCommand } from "./command.ts";
import { info } from "./info.ts";
import { InfrastructureError, isOutOfSpace } from "./infrastructure.ts";
import { notice } from "./output.ts";
import { report } from "./report.ts";
import { bench, run } from "./run.ts";
import { selfcheck } from "./selfcheck.ts";

/** The commands, in the order of the help. */
const COMMANDS: Readonly<Record<string, Command>> = { run, bench, info, report, selfcheck };

const HELP = commandsHelp({
  command: "plumbline",
  purpose: "Test whether data survives an FPGA's DMA, and measure what that costs. " +
    "In a checkout of Plumbline, write deno run -A hil/cli/main.ts in place of plumbline.",
  commands: [
    ...Object.entries(COMMANDS).map(([name, { line }]) => [name, line.purpose] as const),
    ["bitstream", BITSTREAM_PURPOSE],
  ],
  exit: EXIT,
});

/**
 * Runs the command line.
 *
 * @param args The arguments, such as `Deno.args`
 * @returns The exit status
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    if (error instanceof UsageError) {
      notice(error.message);
      return 2;
    }
    if (error instanceof InfrastructureError || isOutOfSpace(error)) {
      notice(error.message);
      return 3;
    }
    // this is not the fault of the design, which status 1 would mean
    console.error("plumbline: this is a defect of Plumbline itself:", error);
    return 3;
  }
}

async function dispatch(words: readonly string[]): Promise<number> {
  // what follows the command belongs to it
  const global = parseArgs([...words], {
    boolean: ["help", "version"],
    alias: { help: "h", version: "V" },
    stopEarly: true,
    unknown: (word, key) => {
      if (key === undefined) return true;
      throw commandError(word, [...Object.keys(COMMANDS), "bitstream"]);
    },
  });
  const name = global._[0]?.toString();
  const args = name === undefined ? [] : words.slice(words.indexOf(name) + 1);
  if (global.help) {
    console.log(HELP);
    return 0;
  }
  if (global.version || args.includes("--version")) {
    console.log(`plumbline ${VERSION} (deno ${Deno.version.deno})`);
    return 0;
  }
  if (name === "bitstream") return await bitstream(args);
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw commandError(name, [...Object.keys(COMMANDS), "bitstream"]);
  return await runCommand(command, args);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
