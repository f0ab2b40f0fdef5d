// SPDX-License-Identifier: MIT

import { assert, assertEquals } from "@std/assert";

const folder = new URL("./", import.meta.url);

/** C source without comments, strings and includes. */
function read(file: string): string {
  return Deno.readTextFileSync(new URL(file, folder))
    .replaceAll(/\/\*[^]*?\*\/|"(?:[^"\\]|\\.)*"|^#include.*$/gm, "");
}

/** The C files of pldma in the order of pldma_priv.h, from the bottom up. */
function filesInOrder(): string[] {
  const header = Deno.readTextFileSync(new URL("pldma_priv.h", folder));
  return [...header.matchAll(/^\/\* (pldma_\w+\.c) \*\/$/gm)].map(([, file]) => file ?? "");
}

/** The functions and objects that a file defines for others. */
function definedIn(source: string): string[] {
  const definition =
    /^(?!static|\t|#)[\w\s*]*?\b(pldma_\w+)(?:\[\w*\])?(?:\([^;{}]*\)\n\{| = \{)/gm;
  return [...source.matchAll(definition)].map(([, name]) => name ?? "");
}

/** Uses of a name from a file further up: `file -> other: name`. */
function upwardCalls(sources: ReadonlyMap<string, string>): string[] {
  const files = [...sources.keys()];
  const definedAt = new Map<string, number>();
  files.forEach((file, at) => {
    for (const name of definedIn(sources.get(file) ?? "")) definedAt.set(name, at);
  });
  return files.flatMap((file, at) => {
    const names = new Set(sources.get(file)?.match(/\bpldma_\w+\b/g) ?? []);
    return [...names].filter((name) => (definedAt.get(name) ?? -1) > at)
      .map((name) => `${file} -> ${files[definedAt.get(name) ?? -1]}: ${name}`);
  });
}

Deno.test("pldma_priv.h lists every file of the module except pldma_core.c", () => {
  const kbuild = Deno.readTextFileSync(new URL("Kbuild", folder)).replaceAll("\\\n", " ");
  const objects = kbuild.match(/^pldma-y := (.*)$/m)?.[1]?.trim().split(/\s+/) ?? [];
  const built = objects.map((object) => object.replace(/\.o$/, ".c"));
  assertEquals(built.toSorted(), [...filesInOrder(), "pldma_core.c"].toSorted());
});

Deno.test("each file of pldma calls only functions of files before it in pldma_priv.h", () => {
  const files = [...filesInOrder(), "pldma_core.c"];
  const sources = new Map(files.map((file) => [file, read(file)]));
  assertEquals(upwardCalls(sources), []);
  const reversed = new Map([...sources].reverse());
  assert(upwardCalls(reversed).length > 30, "the test finds no calls at all");
});
