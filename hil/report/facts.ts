// SPDX-License-Identifier: MIT
/**
 * Where, when and with what a run ran.
 *
 * @module
 */
import type { PageRun, Section } from "./cost_sections.ts";
import { type Html, html } from "./html.ts";

/** Lines of the environment; a bench writes a few dozen. */
const MOST_FACTS = 200;

/**
 * List what is known of a run.
 *
 * @param run the run
 * @returns the section
 */
export function factSection({ name, results }: PageRun): Section {
  const { tool, board, bitstream, run, power, environment = {} } = results;
  const groups: [string, [string, unknown][]][] = [
    ["Run", [
      ["file", name],
      ["command", run.command.join(" ")],
      ["started", run.started],
      ["seconds", run.seconds],
      ["seed", run.seed],
      ["plumbline", tool.version],
      ["commit", tool.git],
      ["Deno", tool.deno],
    ]],
    ["Board", [
      ["kind", board.kind + (board.simulated ? " (simulated)" : "")],
      ["architecture", board.arch],
      ["kernel", board.kernel],
      ["device coherent", board.coherent],
      ["cache line, bytes", board.cacheLine],
      ...(board.bus === undefined ? [] : [["bus", board.bus] as [string, unknown]]),
      ["engine", board.engine],
      ["core", board.core],
      ["power of the controls", power.detail],
    ]],
    ["Bitstream", [
      ["file", bitstream.file],
      ["SHA-256", bitstream.sha256],
      ["part", bitstream.part],
      ["identity", bitstream.identity],
    ]],
    ["Machine and kernel", Object.entries(environment).slice(0, MOST_FACTS)],
  ];
  const body = html`<div class="facts">${
    groups.filter(([, facts]) => facts.length > 0).map(([title, facts]) =>
      html`
        <div>
          <h3>${title}</h3>
          <dl>${facts.map(([key, value]) =>
            html`
              <dt>${key}</dt>
              <dd>${say(value)}</dd>
            `
          )}</dl>
        </div>
      `
    )
  }</div>`;
  return { id: "facts", title: "Run, board, bitstream, machine", body };
}

function say(value: unknown): Html | string {
  if (value === null || value === undefined || value === "") return html`<i>unknown</i>`;
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" || typeof value === "number" ? String(value) : "?";
}
