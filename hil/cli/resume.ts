// SPDX-License-Identifier: MIT
/**
 * `plumbline run --resume`: goes on with a run that ended early, for example because the board was
 * restarted.
 *
 * @module
 */
import { completeness } from "../journal/completeness.ts";
import { Journal, JOURNAL_FILE, type JournalLine } from "../journal/journal.ts";
import { type Arguments, parseArguments } from "../settings/arguments.ts";
import { absolutePath, ROOT } from "../settings/paths.ts";
import { UsageError } from "../settings/values.ts";
import { errorMessage } from "../text/error_message.ts";
import { joinParts } from "../journal/resume.ts";
import { RUN_LINE } from "./options.ts";
import { type Plan, planRun } from "./plan.ts";

/** A run that goes on. */
export interface Resumed {
  /** The id of its plan in the journal. */
  readonly id: string;
  /** What is left to do. */
  readonly plan: Plan;
}

/**
 * Reads what is left of a run that ended early. Its options are those of its first command line.
 *
 * @param given The command line, with `--resume`
 * @returns What is left
 * @throws {UsageError} If there is no such run, if it is whole or still going, or if its files changed
 */
export function resumeRun({ values, switches, operands }: Arguments): Resumed {
  const dir = absolutePath(values["resume"] ?? "");
  if (Object.keys(values).length + switches.size + operands.length > 1) {
    throw new UsageError(
      "--resume takes no other option: the run goes on with those it began with",
    );
  }
  const refuse = (found: string): never => {
    throw new UsageError(
      `Expected --resume to be the folder of a run that ended early, found ${found}`,
    );
  };
  let lines: readonly JournalLine[] = [];
  let whole = "";
  try {
    const contents = joinParts(Journal.read(`${dir}/${JOURNAL_FILE}`)).contents;
    ({ lines } = contents);
    whole = completeness(contents).state;
  } catch (error) {
    refuse(`no journal in ${dir}: ${errorMessage(error)}`);
  }
  const plans = lines.filter((line) => line.line === "plan");
  const [first] = plans;
  const headers = lines.flatMap((line) => line.line === "run" ? line.run ?? [] : []);
  const command = headers.find((run) => run.command !== undefined)?.command ?? [];
  const cut = headers.some((run) => run.cut !== undefined);
  if (first?.by !== "plumbline run" || command[1] !== "run") {
    return refuse(`${dir}, which plumbline run did not write`);
  }
  if (whole === "running") return refuse(`${dir}, whose run is still going`);
  if (whole === "closed" && !cut) return refuse(`${dir}, whose run is whole`);
  const args = command.slice(2);
  const plan = planRun("run", parseArguments(RUN_LINE, args), args, dir);
  const { kind } = plan.options.board;
  if (plans.length > 1 || kind === "vm" || kind === "target") {
    return refuse(`${dir}, a run on a virtual board, which begins anew each time`);
  }
  const names = plan.files.map((file) => file.startsWith(ROOT) ? file.slice(ROOT.length) : file);
  if (names.join("\n") !== first.files.join("\n")) {
    return refuse(
      `${dir}, whose test files were ${first.files.join(", ")}, and are ${names.join(", ")}`,
    );
  }
  // a file that died is not done
  const done = new Set(
    lines.flatMap((line) =>
      line.line === "file" && line.state === "ended" && line.died === undefined ? line.file : []
    ),
  );
  const files = plan.files.filter((_, i) => !done.has(names[i] ?? ""));
  return { id: first.id, plan: { ...plan, files } };
}
