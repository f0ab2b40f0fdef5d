// SPDX-License-Identifier: MIT

import { assertEquals } from "@std/assert";
import { POLICIES, STATES, STATUSES } from "../uapi.ts";

/** The names in a table of C source, in their order. */
function namesIn(file: string, table: RegExp, name: RegExp): string[] {
  const source = Deno.readTextFileSync(new URL(file, import.meta.url));
  const body = table.exec(source)?.[1];
  if (body === undefined) throw new Error(`Expected ${table} in ${file}, found nothing`);
  return [...body.matchAll(name)].map(([, found]) => found ?? "");
}

Deno.test("debugfs has the name of every policy and state of the binding", () => {
  const table = (name: string) => new RegExp(`${name}\\[\\w*\\] = \\{([^}]*)\\}`);
  const byIndex = (name: string, prefix: string) =>
    namesIn("pldma_debugfs.c", table(name), /^\t\[(PLDMA_\w+)\] = /gm).map((index, i) => [
      index.replace(prefix, "").toLowerCase().replaceAll("_", "-"),
      namesIn("pldma_debugfs.c", table(name), /"([^"]*)"/g)[i],
    ]);
  const same = (names: readonly string[]) => names.map((name) => [name, name]);
  assertEquals(byIndex("pldma_policy_names", "PLDMA_"), same(POLICIES));
  assertEquals(byIndex("pldma_state_names", "PLDMA_STATE_"), same(STATES));
});

Deno.test("tracepoints have the name of every state and status of the binding", () => {
  const table = (name: string) => new RegExp(`#define ${name}\\(\\w+\\)([^#]*?)\\n\\n`);
  const entry = /\{ (\d+, "[^"]*") \}/g;
  const numbered = (names: readonly string[]) => names.map((name, i) => `${i}, "${name}"`);
  assertEquals(namesIn("pldma_trace.h", table("pldma_show_state"), entry), numbered(STATES));
  assertEquals(namesIn("pldma_trace.h", table("pldma_show_status"), entry), numbered(STATUSES));
});
