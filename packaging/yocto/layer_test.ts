// SPDX-License-Identifier: MIT
// The Yocto layer is parsed, and never built: BitBake is in neither Debian nor npm. This holds syntax, names of
// files, checksums of licenses, and versions.
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { checkout, listFiles } from "../../fixtures/host/cache.ts";
import { denoVersion } from "../../fixtures/boards/vm/system.ts";
import { run } from "../../fixtures/host/run.ts";
import { VERSION } from "../../hil/results/tool.ts";
import { readRecipe, valueOf } from "./testing/recipe.ts";

const LAYER = `${checkout}/packaging/yocto/meta-plumbline`;

const files = await listFiles(LAYER, (path) => /\.(bb|inc|conf)$/.test(path));

const parsed = new Map(files.map((file) => [
  file,
  readRecipe(Deno.readTextFileSync(`${LAYER}/${file}`), file),
]));

const recipes = files.filter((file) => file.endsWith(".bb"));

/** Returns a variable of a recipe or of a file that it requires. */
function value(file: string, name: string): string {
  const own = parsed.get(file);
  const all = [own, ...(own?.requires ?? []).map((other) => parsed.get(other))];
  for (const one of all) {
    const found = one === undefined ? null : valueOf(one, name);
    if (found !== null) return found;
  }
  throw new Error(`${file} sets no ${name}`);
}

Deno.test("the Yocto layer has a recipe for the module, plumbline, the agent and Deno, in their versions", () => {
  assertEquals(recipes, [
    `recipes-devtools/deno/deno-bin_${denoVersion}.bb`,
    `recipes-devtools/plumbline/plumbline-agent_${VERSION}.bb`,
    `recipes-devtools/plumbline/plumbline_${VERSION}.bb`,
    `recipes-kernel/pldma/pldma_${VERSION}.bb`,
  ]);
  assertEquals(value(recipes[0] ?? "", "PLUMBLINE_VERSION"), VERSION);
  for (const file of recipes) {
    for (const name of ["SUMMARY", "LICENSE", "SRC_URI", "S"]) assertMatch(value(file, name), /./);
    for (const other of parsed.get(file)?.requires ?? []) {
      assertEquals(parsed.has(other), true, other);
    }
  }
});

Deno.test("layer.conf of the Yocto layer names the collection, and finds every recipe", () => {
  const file = "conf/layer.conf";
  assertEquals(value(file, "BBFILE_COLLECTIONS"), "plumbline");
  for (const name of ["BBFILE_PATTERN", "BBFILE_PRIORITY", "LAYERSERIES_COMPAT", "LAYERDEPENDS"]) {
    assertMatch(value(file, `${name}_plumbline`), /./);
  }
  assertEquals(value(file, "BBFILES"), "${LAYERDIR}/recipes-*/*/*.bb");
  assertEquals(recipes.filter((path) => !/^recipes-[^/]+\/[^/]+\/[^/]+\.bb$/.test(path)), []);
  assertEquals(value(file, "PLUMBLINE_CHECKOUT"), "${LAYERDIR}/../../..");
});

Deno.test("the sources of the Yocto recipes are in the checkout, and their licenses have the checksums", async () => {
  for (const file of recipes) {
    for (const source of value(file, "SRC_URI").trim().split(/\s+/)) {
      const path = source.replace("file://", "");
      // the tarball of dist is made before a build
      if (path.startsWith("plumbline-${PLUMBLINE_VERSION}")) continue;
      await Deno.stat(`${checkout}/${path}`);
    }
    for (const license of value(file, "LIC_FILES_CHKSUM").trim().split(/\s+/)) {
      const [, path = "", hash] = /^file:\/\/([^;]+);md5=(\w+)$/.exec(license) ?? [];
      const text = await Deno.readFile(`${checkout}/${path.replace(/^(\.\.\/)+/, "")}`);
      assertEquals(createHash("md5").update(text).digest("hex"), hash, `${file}: ${path}`);
    }
  }
});

Deno.test("the shell functions of the Yocto recipes are valid, and install what the sources have", async () => {
  for (const [file, { functions }] of parsed) {
    for (const [name, body] of functions) {
      // BitBake expands ${…} first
      const script = `${name.replaceAll(/\W/g, "_")}() {\n${
        body.replaceAll(/\$\{[^}]*\}/g, "x")
      }}\n`;
      const done = await run("sh", ["-n", "-c", script]);
      assertEquals(done.code, 0, `${file}: ${name}: ${done.stderr}`);
    }
  }
  await Deno.stat(`${checkout}/driver/kernel/70-pldma.rules`);
});

Deno.test("readRecipe() refuses what BitBake refuses, with file and line", () => {
  for (
    const [text, said] of [
      ['A = "1\n', "a.bb:1: expected an assignment"],
      ["A = 1\n", "a.bb:1: expected an assignment"],
      ['A = "1"2"\n', 'a.bb:1: expected no " inside'],
      ['\nFILES_append = "x"\n', "a.bb:2: expected the syntax of honister"],
      ["do_compile() {\n    true\n", "a.bb:1: expected a } that ends do_compile()"],
      ['A = "1"', "a.bb: expected a line break"],
      ['A = "1 \\\n', "a.bb:1: expected an assignment"],
      ["inherits module\n", "a.bb:1: expected an assignment"],
    ] as const
  ) assertThrows(() => readRecipe(text, "a.bb"), SyntaxError, said);
  const good = readRecipe(
    'A:append = " b" # c\n'.replace(" # c", "") + "inherit a b\nrequire x.inc\n" +
      "do_install:append() {\n    if true; then\n        false\n    fi\n}\n",
    "a.bb",
  );
  assertEquals([good.inherits, good.requires], [["a", "b"], ["x.inc"]]);
  assertEquals(good.functions.size, 1);
});
