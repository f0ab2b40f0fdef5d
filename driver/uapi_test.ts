// SPDX-License-Identifier: MIT

import { assert, assertEquals } from "@std/assert";
import type { Layout } from "./layout.ts";
import { runC } from "./testing/c_compiler.ts";
import * as uapi from "./uapi.ts";

const layouts: Layout<string>[] = [
  uapi.POLICY_INFO,
  uapi.CHAN_INFO,
  uapi.INFO,
  uapi.ALLOC,
  uapi.FREE,
  uapi.QUERY,
  uapi.ENQUEUE,
  uapi.DEQUEUE,
  uapi.ENQUEUE_BATCH,
  uapi.DEQUEUE_BATCH,
  uapi.SYNC,
  uapi.REGISTER,
  uapi.COST,
  uapi.CHAN_STATS,
  uapi.STATS,
  uapi.RESET,
  uapi.EXPORT,
  uapi.IMPORT,
  uapi.CACHE,
];

/** The values of the binding for every enumerator and constant of the header. */
function constants(): Record<string, number> {
  const upper = (name: string) =>
    name.replace(/[A-Z]/g, (letter) => `_${letter}`).replaceAll("-", "_").toUpperCase();
  const named = (prefix: string, names: readonly string[]) =>
    names.map((name, index) => [`${prefix}${upper(name)}`, index] as const);
  const flags = (prefix: string, values: Readonly<Record<string, number>>) =>
    Object.entries(values).map(([name, value]) => [`${prefix}${upper(name)}`, value] as const);
  return Object.fromEntries([
    ["PLDMA_ABI_VERSION", uapi.ABI_VERSION],
    ["PLDMA_IOC_MAGIC", uapi.IOC_MAGIC],
    ["PLDMA_MAX_POLICIES", uapi.MAX_POLICIES],
    ["PLDMA_MAX_BATCH", uapi.MAX_BATCH],
    ["PLDMA_NR_DIRECTIONS", uapi.DIRECTIONS.length],
    ["PLDMA_NR_POLICIES", uapi.POLICIES.length],
    ["PLDMA_NR_COSTS", uapi.COST_KINDS.length],
    ...named("PLDMA_", uapi.DIRECTIONS),
    ...named("PLDMA_", uapi.POLICIES),
    ...named("PLDMA_ATTR_", uapi.ATTRIBUTES),
    ...named("PLDMA_STATE_", uapi.STATES),
    ...named("PLDMA_STATUS_", uapi.STATUSES),
    ...named("PLDMA_CHECK_", uapi.CHECK_KINDS),
    ...named("PLDMA_COST_", uapi.COST_KINDS),
    ...named("PLDMA_SYNC_", uapi.SYNC_OPS),
    ...named("PLDMA_CACHE_", uapi.CACHE_OPS),
    ...flags("PLDMA_POLICY_", uapi.POLICY_FLAGS),
    ...flags("PLDMA_CHAN_", uapi.CHAN_FLAGS),
    ...flags("PLDMA_BLOCK_", uapi.BLOCK_FLAGS),
    ...flags("PLDMA_ENQUEUE_", uapi.ENQUEUE_FLAGS),
    ...flags("PLDMA_QUIRK_", uapi.QUIRK_FLAGS),
    ...flags("PLDMA_RESET_", uapi.RESET_FLAGS),
    ...flags("PLDMA_STATS_", uapi.STATS_FLAGS),
    ...Object.entries(uapi.IOC).map(([name, value]) => [`PLDMA_IOC_${name}`, value] as const),
  ]);
}

/** The values of the binding for every number of the header, by C expression. */
function expected(): Record<string, number> {
  const numbers: Record<string, number> = { ...constants() };
  for (const { name, size, at } of layouts) {
    numbers[`sizeof(struct ${name})`] = size;
    for (const [member, offset] of Object.entries(at)) {
      numbers[`offsetof(struct ${name}, ${member})`] = offset;
    }
  }
  return numbers;
}

for (const language of ["c", "c++"] as const) {
  Deno.test(`uapi equals the numbers that a ${language} compiler computes from pldma.h`, async () => {
    const numbers = expected();
    const prints = Object.keys(numbers).map((expression) =>
      `  printf("\\"${expression}\\": %llu,\\n", (unsigned long long)(${expression}));`
    );
    const output = await runC(
      `#include <stddef.h>
#include <stdio.h>
#include "pldma.h"
int main(void)
{
  printf("{");
${prints.join("\n")}
  printf("\\"\\": 0}");
  return 0;
}
`,
      language,
    );
    const { "": _end, ...found } = JSON.parse(new TextDecoder().decode(output));
    assertEquals(found, numbers);
    assert(Object.keys(found).length > 150);
  });
}

Deno.test("uapi contains every struct, request, enumerator and flag of pldma.h", async () => {
  const header = await Deno.readTextFile(new URL("kernel/uapi/pldma.h", import.meta.url));
  const code = header.replaceAll(/\/\*[^]*?\*\//g, "");
  const structs = [...code.matchAll(/^struct (\w+) \{/gm)].map(([, name]) => name);
  assertEquals(new Set(structs), new Set(layouts.map(({ name }) => name)));
  const names = [...code.matchAll(/^(?:#define|\t)\s*(PLDMA_\w+)(?: =|\t| )/gm)].map(([, name]) =>
    name
  );
  assertEquals(new Set(names), new Set(Object.keys(constants())));
  assertEquals(names.length, new Set(names).size);
});

Deno.test("uapi contains every member of every struct of pldma.h", async () => {
  const header = await Deno.readTextFile(new URL("kernel/uapi/pldma.h", import.meta.url));
  for (const { name, at } of layouts) {
    const body = header.match(new RegExp(`^struct ${name} \\{\\n([^}]*)\\};`, "m"))?.[1];
    assert(body !== undefined, name);
    const members = [...body.matchAll(/(\w+)(?:\[\w+\])?;$/gm)].map(([, member]) => member);
    assertEquals(members, Object.keys(at), name);
  }
});
