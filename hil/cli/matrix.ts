// SPDX-License-Identifier: MIT
/**
 * `plumbline matrix`: runs of many boards on one page.
 *
 * @module
 */
import { renderMatrix } from "../render/matrix.ts";
import { type BoardRun, exitOfMatrix, matrixOf } from "../results/matrix.ts";
import type { Results } from "../results/schema.ts";
import type { Arguments } from "../settings/arguments.ts";
import { parseName, UsageError } from "../settings/values.ts";
import { type Command, EXIT, JSON_OPTION } from "./command.ts";
import { columns, jsonFile, writeResults } from "./output.ts";
import { readRuns } from "./results_file.ts";

/** `plumbline matrix`. */
export const matrix: Command = {
  line: {
    command: "plumbline matrix",
    purpose: "Show runs of many boards on one page: board by bitstream by policy.",
    details:
      "RESULTS is the folder of a run, its journal, or its results as JSON. BOARD names the board. " +
      "It defaults to what the machine says about itself. " +
      "Runs of one board and bitstream share a row, so cases that fail only sometimes are listed.",
    operands: "[BOARD=]RESULTS ...",
    groups: [{
      title: "Options",
      options: [
        {
          name: "baseline",
          value: "RESULTS,...",
          help: "Show what changed on each board since its earlier run",
        },
        {
          name: "fail-on",
          value: "regression",
          help: "With --baseline: exit 1 if something failed, slowed down or is missing",
        },
        { ...JSON_OPTION, help: "Write the page as JSON. - is standard output" },
      ],
    }],
    examples: [
      ["plumbline matrix zed1=results/zed1 zed2=results/zed2", "Show two boards"],
      ["plumbline matrix zed1=new --baseline zed1=old", "Show what changed on a board"],
    ],
    exit: {
      ...EXIT,
      1: "A design failed, or --fail-on found a regression",
      3: "The infrastructure failed on a board, or one has no results",
    },
  },
  run: showMatrix,
};

async function showMatrix({ values, operands }: Arguments): Promise<number> {
  const { baseline, "fail-on": failOn } = values;
  if (failOn !== undefined) {
    parseName("--fail-on", failOn, ["regression"]);
    if (baseline === undefined) {
      throw new UsageError("--fail-on needs a base: add --baseline RESULTS");
    }
  }
  const json = jsonFile(values["json"]);
  const runs = operands.map(readBoard);
  // a board that is named and left no results is a finding, other names without results are a mistake
  const nameless = operands.findIndex((operand) => !BOARD.test(operand));
  if (nameless >= 0 && runs.every(({ results }) => typeof results === "string")) {
    throw new UsageError(String(runs[nameless]?.results));
  }
  const before = baseline === undefined ? [] : baseline.split(",").map((one) => {
    const run = readBoard(one);
    if (typeof run.results === "string") throw new UsageError(`--baseline: ${run.results}`);
    return run;
  });
  const page = matrixOf(runs, before);
  if (json !== null) await writeResults(json, JSON.stringify(page, null, 2) + "\n");
  if (json !== "-") console.log(renderMatrix(page, columns()));
  return exitOfMatrix(page, failOn !== undefined);
}

/** The name of a board, and where its results are. */
const BOARD = /^([^=/]+)=(.+)$/;

/** Reads a run. One that cannot be read is a board whose job left no results. */
function readBoard(operand: string): BoardRun {
  const [, board, name = operand] = BOARD.exec(operand) ?? [];
  try {
    const [run] = readRuns([name]);
    if (run === undefined) throw new UsageError(`Expected results in ${name}, found none`);
    return { board: board ?? describeBoard(run.results), name, results: run.results };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { board: board ?? name, name, results: error.message };
  }
}

/** What a machine says about itself. */
function describeBoard({ board, environment = {} }: Results): string {
  const { machine } = environment;
  if (!board.simulated && typeof machine === "string") return machine;
  return [board.kind, board.arch].filter((part) => part !== null).join(" ");
}
