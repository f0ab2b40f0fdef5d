// SPDX-License-Identifier: MIT
/**
 * The formats of results that other tools read. A new one is one line here.
 *
 * @module
 */
import type { Results } from "../results/schema.ts";
import { toCtrf } from "./ctrf.ts";
import { toJUnit } from "./junit.ts";
import { toKtap } from "./ktap.ts";

/** A format. */
export interface Format {
  /** The option that names its file. */
  readonly option: string;
  /** What the option does, in one sentence without a final period. */
  readonly help: string;
  /**
   * Renders results.
   *
   * @param results The results
   * @param attachments Paths of files that belong to the run
   * @returns The text of the file
   */
  readonly render: (results: Results, attachments: readonly string[]) => string;
}

/** Every format, in the order of the help. */
export const FORMATS: readonly Format[] = [
  { option: "junit", help: "Write the results as JUnit XML", render: toJUnit },
  { option: "ktap", help: "Write the results as KTAP, as the kernel's tests do", render: toKtap },
  { option: "ctrf", help: "Write the results as CTRF, which is JSON", render: toCtrf },
];
