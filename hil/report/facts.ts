// SPDX-License-Identifier: MIT
/**
 * The facts about a run: versions, board, bitstream and machine.
 *
 * @module
 */
import type { PageRun, Section } from "./cost_sections.ts";
import { publicCommandLine } from "../text/redact.ts";
import { type Html, html } from "./html.ts";
import { describeSoak } from "../render/soak.ts";
import { MEMORY_LOOP } from "../results/memory_loop.ts";

/** The greatest number of facts about the machine. A benchmark writes a few dozen. */
const MOST_FACTS = 200;

/** The fact with the kernel's command line. */
const COMMAND_LINE = "kernel command line";

/**
 * Lists the facts about a run.
 *
 * @param run The run
 * @returns The section
 */
export function factSection({ name, results }: PageRun): Section {
  const { tool, board, bitstream, run, power, environment = {} } = results;
  const groups: [string, [string, unknown][]][] = [
    ["Run", [
      ["file", name],
      ["command", run.command.join(" ")],
      ["started", run.started],
      ["duration (s)", run.seconds],
      ["seed", run.seed],
      ["plumbline", tool.version],
      ["commit", tool.git],
      ["Deno", tool.deno],
    ]],
    ["Board", [
      ["kind", board.kind + (board.simulated ? " (simulated)" : "")],
      ["architecture", board.arch],
      ["kernel", board.kernel],
      ["cache coherent", board.coherent],
      ["cache line (bytes)", board.cacheLine],
      ...(board.bus === undefined ? [] : [["bus", board.bus] as [string, unknown]]),
      ["engine", board.engine],
      ...(board.memoryLoop === true ? [["logic", MEMORY_LOOP] as [string, unknown]] : []),
      ["core", board.core],
      ["controls", power.detail],
    ]],
    [
      "Soak",
      describeSoak(results).map((line, i): [string, unknown] => {
        const [key = "", ...rest] = line.split(": ");
        return rest.length === 0 ? [`note ${i}`, line] : [key.toLowerCase(), rest.join(": ")];
      }),
    ],
    ["Bitstream", [
      ["file", bitstream.file],
      ["SHA-256", bitstream.sha256],
      ["part", bitstream.part],
      ["identity", bitstream.identity],
    ]],
    [
      "Machine and kernel",
      Object.entries(environment).slice(0, MOST_FACTS).map(([name, value]) => [
        name,
        name === COMMAND_LINE && typeof value === "string" ? publicCommandLine(value) : value,
      ]),
    ],
  ];
  const body = html`<div class="facts">${
    groups.filter(([, facts]) => facts.length > 0).map(([title, facts]) =>
      html`
        <div>
          <h3>${title}</h3>
          <dl>${facts.map(([key, value]) =>
            html`
              <dt>${key}</dt>
              <dd>${factText(value)}</dd>
            `
          )}</dl>
        </div>
      `
    )
  }</div>`;
  return { id: "facts", title: "Run, board, bitstream and machine", body };
}

function factText(value: unknown): Html | string {
  if (value === null || value === undefined || value === "") return html`<i>unknown</i>`;
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" || typeof value === "number" ? String(value) : "?";
}
