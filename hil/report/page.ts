// SPDX-License-Identifier: MIT
/**
 * The whole page: one file without scripts and without requests.
 *
 * @module
 */
import type { HtmlInput } from "../render/html.ts";
import { adviceSection, adviceSummary } from "./advice.ts";
import { comparisonSection } from "./comparison.ts";
import { costSections, type PageRun, type Section } from "./cost_sections.ts";
import { factSection } from "./facts.ts";
import { diagnosisSummary, failureSection, headlineSummary } from "./failure_section.ts";
import { Html, html } from "./html.ts";
import {
  controlSection,
  matrixSection,
  selfcheckSection,
  skipSection,
} from "./outcome_sections.ts";
import css from "./style.css" with { type: "text" };
import { plural } from "../text/format.ts";
import { valueText } from "./text.ts";

/** If a text of the results ever escaped its quotes, the browser would still run and load nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; " +
  "form-action 'none'";

/**
 * Makes the page.
 *
 * @param input The runs
 * @returns An HTML document
 */
export async function makePage({ runs }: HtmlInput): Promise<string> {
  const parts: Html[] = [];
  for (const [i, run] of runs.entries()) parts.push(await runPart(run, `r${i}`, runs.length > 1));
  const worst = worstOf(runs);
  const title = `${worst}: Plumbline report`;
  const page = html`
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy"
          content="${POLICY}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta
          name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <title>${title}</title>
        <style>${new Html(css)}</style>
      </head>
      <body>${runs.length > 1
        ? overview(runs, worst)
        : null}<main>${parts}</main><footer>Made by Plumbline. The small numbers below a median are the 5th and 95th percentiles.
        1 MB/s is 10<sup>6</sup> bytes per second; 1 KiB is 1024 bytes.</footer></body>
    </html>
  `;
  return `<!DOCTYPE html>\n${page.text}\n`;
}

/** The verdict of several runs. A failure of the design outweighs an infrastructure error. */
function worstOf(runs: readonly PageRun[]): string {
  const words = runs.map(wordOf);
  return ["FAIL", "ERROR", "PASS"].find((word) => words.includes(word)) ?? "ERROR";
}

function wordOf({ results }: PageRun): string {
  return results.verdict?.word ?? "ERROR";
}

function overview(runs: readonly PageRun[], worst: string): Html {
  const counts = ["PASS", "FAIL", "ERROR"].map((word) =>
    [word, runs.filter((run) => wordOf(run) === word).length] as const
  ).filter(([, count]) => count > 0);
  return html`
    <header class="overview">
      <p class="eyebrow">Plumbline report of ${plural(runs.length, "run")}</p>
      <p class="verdict ${worst.toLowerCase()}"><strong>${worst}</strong> ${counts.map((
        [word, count],
      ) => `${count} ${word}`).join(", ")}</p>
      <ul>${runs.map((run, i) =>
        html`<li><a href="#r${i}">${run.name}</a> <span class="badge ${
          wordOf(run).toLowerCase()
        }">${wordOf(run)}</span>${
          run.results.board.simulated
            ? html`
              <small>SIMULATED</small>
            `
            : null
        }</li>`
      )}</ul>
    </header>
  `;
}

async function runPart(run: PageRun, id: string, named: boolean): Promise<Html> {
  const { results } = run;
  const sections = [
    comparisonSection(run),
    matrixSection(results.tests),
    failureSection(run),
    selfcheckSection(results.selfcheck),
    adviceSection(results),
    ...await costSections(run),
    controlSection(run),
    skipSection(results.tests),
    factSection(run),
  ].filter((section) => section !== null);
  return html`
    <article class="run"
      id="${id}">${summary(run, named)}<nav aria-label="Contents"><ul>${sections.map((section) =>
        html`<li><a href="#${id}-${section.id}">${section.title}</a></li>`
      )}</ul></nav>${sections.map((section) => sectionPart(section, id))}</article>
  `;
}

function sectionPart({ id, title, body }: Section, run: string): Html {
  return html`<section id="${run}-${id}"><h2>${title}</h2>${body}</section>`;
}

/** The top of the page: the verdict and the recommended policies. */
function summary(run: PageRun, named: boolean): Html {
  const { results, name } = run;
  const { board, run: facts, verdict, summary, power } = results;
  const word = verdict?.word ?? "ERROR";
  const reason = verdict?.reason ?? "the results contain no verdict";
  const where = [
    board.kind,
    board.arch,
    board.kernel === null ? null : `Linux ${board.kernel}`,
    board.coherent === null ? null : board.coherent ? "coherent" : "not coherent",
  ].filter((part) => part !== null).join(", ");
  const counts = Object.entries(summary).filter(([, count]) => count > 0);
  return html`
    ${board.simulated
      ? html`<p class="simulated"><strong>SIMULATED</strong> This is a virtual board: the logic is software, and
        times say nothing about hardware.</p>`
      : null}${board.memoryLoop === true
      ? html`<p class="simulated"><strong>MEMORY LOOP</strong> There is no logic: an engine copies memory. This
        tests memory, caches and a DMA engine, but no design.</p>`
      : null}<header class="summary">
      <div
        class="verdict-block"><p class="eyebrow">${named
          ? name
          : "Plumbline report"} · <time datetime="${facts.started}">${timeText(
            facts.started,
          )}</time></p><h1 class="verdict ${word
          .toLowerCase()}"><strong>${word}</strong> <span
        >${reason}</span></h1>${facts.cut === undefined
          ? null
          : html`<p class="partial"><strong>Partial:</strong> ${facts.cut}.</p>`}${headlineSummary(
            results,
          )}${diagnosisSummary(
            results.diagnosis,
          )}<p class="counts">${counts
          .map(([outcome, count]) =>
            html`
              <span class="badge ${outcome}">${outcome.toUpperCase()} ${count}</span>
            `
          )}</p><p class="where">Board ${where}; ${valueText(facts.seconds)} s; seed ${facts
          .seed}</p
      ><p class="where power">Controls: ${power.detail}</p></div>
      ${(results.advice ?? []).length === 0
        ? null
        : html`<div class="advice-block"><h2>Recommended policy</h2>${
          adviceSummary(results)
        }</div>`}
    </header>
  `;
}

/** Formats a time. A text that is not a time remains as it is. */
function timeText(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
