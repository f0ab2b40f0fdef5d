// SPDX-License-Identifier: MIT
/**
 * `--fault help` and `--pattern help`: what these options accept.
 *
 * @module
 */
import { CONDITIONS } from "../../fixtures/boards/sim/faults/conditions.ts";
import { KINDS } from "../../fixtures/boards/sim/faults/spec.ts";
import { checkFault } from "../../fixtures/boards/vm/fault.ts";
import { PATTERN_NAMES } from "../patterns/mod.ts";
import type { Arguments } from "../settings/arguments.ts";
import { wrap } from "../text/text.ts";

const WIDTH = 80;

/**
 * Returns what an option accepts, if its value is `help`.
 *
 * @param values The values of the options
 * @returns The text, or null if no option asks for it
 */
export function listHelp(values: Arguments["values"]): string | null {
  if (values["fault"] === "help") return faultHelp();
  if (values["pattern"] === "help") {
    return `--pattern takes one of:\n  ${PATTERN_NAMES.join("\n  ")}`;
  }
  return null;
}

/** Whether a virtual machine can inject a kind of fault, too. */
function isForVirtual(kind: string): boolean {
  try {
    checkFault(`kind=${kind}`);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function faultHelp(): string {
  const kinds = Object.entries<readonly string[]>(KINDS).map(([kind, keys]) => {
    const mark = isForVirtual(kind) ? " " : "*";
    const [first = "", ...more] = wrap(keys.join(" "), WIDTH - 19, "");
    return [`${mark} ${kind.padEnd(16)} ${first}`, ...more.map((line) => " ".repeat(19) + line)]
      .map((line) => line.trimEnd()).join("\n");
  });
  return [
    ...wrap(
      "--fault takes words KEY=VALUE, such as kind=flip frame=17 bit=7. A semicolon separates several " +
        "faults. Each one takes frame=N (that frame) or rate=N (one frame of N), and seed=N.",
      WIDTH,
      "",
    ),
    ...wrap(
      `On --board sim, these conditions restrict it: ${
        Object.keys(CONDITIONS).map((name) => `${name}=`).join(", ")
      }.`,
      WIDTH,
      "",
    ),
    "",
    "  kind             other keys    (*: --board sim only)",
    ...kinds,
  ].join("\n");
}
