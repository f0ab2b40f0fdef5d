// SPDX-License-Identifier: MIT
/**
 * Looks at every condition between a bare board and the first frame, in order.
 *
 * @module
 */
import { printable, wrap } from "../text/text.ts";
import { describeController, listControllers, moduleParameters } from "./channels.ts";
import type { Condition, Status } from "./condition.ts";
import { checkControllers } from "./controllers.ts";
import type { Facts } from "./facts.ts";
import { checkLimits, checkMachine } from "./machine.ts";
import { checkDevice, checkModule } from "./module.ts";

/** What the doctor found. */
export interface Examination {
  /** Every condition, in the order in which they have to be met. */
  readonly conditions: readonly Condition[];
  /** The DMA controllers with their channels, one line each. */
  readonly controllers: readonly string[];
  /** The first condition that must be met and is not, or null if frames can move. */
  readonly next: Condition | null;
}

/**
 * Examines a machine.
 *
 * @param facts The machine
 * @param devices The devices to look at. Defaults to all, or to `/dev/pldma0` if there is none
 * @returns What was found
 */
export function examine(facts: Facts, devices?: readonly string[]): Examination {
  const controllers = listControllers(facts.files);
  const module = checkModule(facts, moduleParameters(controllers));
  const loaded = module.at(-1);
  const nodes = devices ?? deviceNodes(facts);
  const conditions = [
    ...checkMachine(facts),
    ...checkControllers(facts, controllers),
    ...module,
    ...(loaded === undefined ? [] : nodes.flatMap((path) => checkDevice(facts, loaded, path))),
    ...checkLimits(facts, controllers.map(({ device }) => device)),
  ];
  return {
    conditions,
    controllers: controllers.map(describeController),
    next: conditions.find(({ status }) => status === "missing") ?? null,
  };
}

/** All device nodes. If there is none, the first one, so that its absence is explained. */
function deviceNodes({ files }: Facts): string[] {
  const found = files.list("/sys/class/misc")
    .filter((name) => /^pldma\d+$/.test(name))
    .toSorted((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
    .map((name) => `/dev/${name}`);
  return found.length === 0 ? ["/dev/pldma0"] : found;
}

const WORDS: Readonly<Record<Status, string>> = {
  ok: "ok",
  missing: "MISSING",
  waits: "waits",
  advice: "advice",
  unknown: "unknown",
};

/**
 * Renders what the doctor found as text.
 *
 * @param examination What was found
 * @param width The width in columns
 * @returns The lines. The last one says what to do next
 */
export function renderExamination(examination: Examination, width: number): string[] {
  const { conditions, next } = examination;
  const indent = " ".repeat(9);
  const text = (words: string) => wrap(words, width - indent.length, "  ");
  const lines = conditions.flatMap((one) => {
    const needed = one.status === "missing" || one.status === "advice";
    const [first = "", ...rest] = text(`${one.title}: ${one.found}`);
    return [
      WORDS[one.status].padEnd(indent.length) + first,
      ...[...rest, ...(needed ? text(`expected: ${one.expected}`) : [])]
        .map((line) => indent + line),
      // a command stays in one line, so that it can be copied
      ...(one.mend === null || one.status === "ok"
        ? []
        : [`${indent}mend: ${printable(one.mend)}`]),
    ];
  });
  const advice = conditions.filter(({ status }) => status === "advice").length;
  const end = next !== null
    ? [`Next: ${next.title}`, `  ${next.mend ?? `expected ${next.expected}`}`]
    : [`Ready: frames can move${advice === 0 ? "" : `; ${advice} advised`}`];
  return [...lines, "", ...end];
}
