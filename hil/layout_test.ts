// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/**
 * The folders of the project, from the bottom up. A file may import from its own folder and from the
 * folders above it in this list. Files below a folder belong to it unless they have their own line, as
 * a program has that uses everything.
 */
const LAYERS = [
  "hil/text",
  "driver",
  "hil/patterns",
  "hil/verify",
  "hil/results",
  "hil/diagnosis",
  "fixtures/host",
  "fixtures/kernels",
  "fixtures/agent",
  "fixtures/bitstream",
  "fixtures/loopback",
  "fixtures/boards/sim",
  "fixtures/boards/vm",
  "fixtures/loopback/main.ts",
  "hil/settings",
  "hil/board",
  "hil/doctor",
  "hil/journal",
  "hil/frames",
  "hil/audit",
  "hil/case",
  "hil/bench",
  "hil/suites",
  "hil/selfcheck",
  "hil/render",
  "hil/report",
  "hil/cli",
  "hil/dist",
  "hil/mutants",
  "hil/campaign",
  ".",
];

/** The layer of a file, by its longest folder in the list. */
function layerOf(file: string): number {
  const homes = LAYERS.filter((layer) => file === layer || file.startsWith(`${layer}/`));
  const home = homes.toSorted((a, b) => b.length - a.length)[0];
  return LAYERS.indexOf(home ?? (file.includes("/") ? "" : "."));
}

/** Every TypeScript file that ships, relative to the root. */
function* sources(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(join(ROOT, folder))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) {
      if (!/^(\.|node_modules$|testing$|tests$)/.test(entry.name)) yield* sources(path);
    } else if (path.endsWith(".ts") && !path.endsWith("_test.ts")) yield path;
  }
}

/** Relative imports of a file, types included, as paths from the root. */
function importsOf(file: string): string[] {
  const text = Deno.readTextFileSync(join(ROOT, file)).replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)]
    .map(([, path]) => normalize(join(dirname(file), path ?? "")));
}

function shipped(): string[] {
  return ["mod.ts", ...sources("driver"), ...sources("fixtures"), ...sources("hil")];
}

Deno.test("folders import only from the folders below them", () => {
  const files = shipped();
  const upward: string[] = [];
  for (const file of files) {
    for (const imported of importsOf(file)) {
      if (layerOf(file) < layerOf(imported)) upward.push(`${file} -> ${imported}`);
      if (layerOf(file) === -1) upward.push(`${file} lies in a folder without a layer`);
    }
  }
  assertEquals(upward, []);
  assertEquals(files.length > 200, true);
});

Deno.test("files of the project import each other in no circle", () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file].join(" -> "));
    if (at >= 0 || done.has(file)) return;
    for (const imported of importsOf(file)) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of shipped()) visit(file, []);
  assertEquals(circles, []);
});

/** The files of this project that a module needs at run time, including itself. */
async function needs(file: string): Promise<Set<string>> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL(file, import.meta.url).pathname],
    stdout: "piped",
    stderr: "null",
  }).output();
  assert(success, `deno info ${file}`);
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    roots: string[];
    modules: { specifier: string; dependencies?: { code?: { specifier?: string } }[] }[];
  };
  const found = new Set<string>();
  const open = [...roots];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (found.has(one) || !one.startsWith("file:")) continue;
    found.add(one);
    const { dependencies = [] } = modules.find(({ specifier }) => specifier === one) ?? {};
    for (const { code } of dependencies) if (code?.specifier) open.push(code.specifier);
  }
  return found;
}

Deno.test("the injectors and the classifier share no module", async () => {
  const injects = await Promise.all(
    ["faults/injector", "faults/editors", "faults/spec", "faults/catalogue", "core/core"]
      .concat(["driver/handover", "driver/transfers"])
      .map((name) => needs(`../fixtures/boards/sim/${name}.ts`)),
  );
  const injector = injects.reduce((all, some) => all.union(some));
  const classifier = await needs("./verify/classify.ts");
  assertGreaterOrEqual(injector.size, 8);
  assertGreaterOrEqual(classifier.size, 8);
  assertEquals([...injector.intersection(classifier)], []);
});

Deno.test("hil/ holds at most five files beside its folders", () => {
  const files = [...Deno.readDirSync(join(ROOT, "hil"))]
    .filter((entry) => entry.isFile).map((entry) => entry.name);
  assertEquals(files.length <= 5, true, `found ${files.join(", ")}`);
});

Deno.test("files with more than 400 lines say in their head why", async () => {
  const listed = await new Deno.Command("git", { args: ["-C", ROOT, "ls-files"] }).output()
    .catch(() => null);
  if (listed?.success !== true) return; // the tarball for a board is no checkout
  const files = new TextDecoder().decode(listed.stdout).split("\n")
    .filter((file) => /\.(ts|c|h|cpp|v)$/.test(file));
  assertEquals(files.length > 400, true, `found ${files.length} files`);
  const silent = files.filter((file) => {
    const lines = Deno.readTextFileSync(join(ROOT, file)).split("\n");
    return lines.length > 401 &&
      !/\b(long|longer|400 lines|one file)\b/.test(lines.slice(0, 14).join());
  });
  assertEquals(silent, []);
});
