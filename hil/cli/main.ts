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
import { commandError, type CommandLine, commandsHelp } from "../settings/arguments.ts";
import { UsageError } from "../settings/values.ts";
import { audit } from "./audit.ts";
import { bitstream, BITSTREAM_PURPOSE } from "./bitstream.ts";
import { type Command, EXIT, runCommand } from "./command.ts";
import { completions } from "./completions.ts";
import { findDefaults, userFolder } from "./defaults.ts";
import { doctor } from "./doctor.ts";
import { init } from "./init.ts";
import { info } from "./info.ts";
import { InfrastructureError, isOutOfSpace } from "./infrastructure.ts";
import { matrix } from "./matrix.ts";
import { notice } from "./output.ts";
import { report } from "./report.ts";
import { bench, run } from "./run.ts";
import { selfcheck } from "./selfcheck.ts";

/** The commands, in the order of the help. */
const COMMANDS: Readonly<Record<string, Command>> = {
  run,
  bench,
  doctor,
  audit,
  info,
  report,
  matrix,
  selfcheck,
  init,
  completions: completions(() => LINES),
};

/** The command lines of all commands, for completions. */
const LINES: Readonly<Record<string, Pick<CommandLine, "purpose" | "groups">>> = {
  ...Object.fromEntries(Object.entries(COMMANDS).map(([name, { line }]) => [name, line])),
  bitstream: { purpose: BITSTREAM_PURPOSE, groups: [] },
};

const HELP = commandsHelp({
  command: "plumbline",
  purpose: "Test whether data survives an FPGA's DMA, and measure what that costs. " +
    "In a checkout of Plumbline, write npx -y deno@2.9.5 task plumbline in place of plumbline.",
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
    alias: { help: "h", version: ["V", "v"] },
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
  if (global.version || args.includes("--version") || args.includes("-V")) {
    console.log(`plumbline ${VERSION} (deno ${Deno.version.deno})`);
    return 0;
  }
  if (name === "bitstream") return await bitstream(args);
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw commandError(name, [...Object.keys(COMMANDS), "bitstream"]);
  return await runCommand(command, args, teamDefaults());
}

/** The defaults of the team. The command in a virtual board gets all it needs from its host. */
function teamDefaults(): Parameters<typeof runCommand>[2] {
  if (Deno.env.get("PLUMBLINE_BOARD") === "vm") return null;
  const file = findDefaults(userFolder());
  if (file === null) return null;
  const options = Object.values(COMMANDS).flatMap(({ line }) => line.groups)
    .flatMap(({ options }) => options);
  return { file, known: [...new Set(options.map(({ name }) => name))] };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
