// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { ALONE, argumentsOf, FIRST, LATE, type Part } from "./parts.ts";

const all: readonly Part[] = [...FIRST, ALONE, ...LATE];

/** The files of Deno's tests in this checkout, by git. */
async function testFiles(): Promise<string[]> {
  const { code, stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard"],
  }).output();
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout).split("\n").filter((path) => /_test\.ts$/.test(path));
}

/** Whether a part runs a file, by the arguments that `deno test` gets. */
function runs(part: Part, file: string): boolean {
  const [command, , , ignore = "", ...paths] = argumentsOf(part, all);
  if (command !== "test") return false;
  const ignored = ignore.replace("--ignore=", "").split(",").some((pattern) => {
    const end = pattern.replace(/^\*\*\//, "").replace(/\/\*\*$/, "");
    return `/${file}/`.includes(`/${end}/`);
  });
  return !ignored && paths.some((path) => file === path || file.startsWith(`${path}/`));
}

Deno.test("every test file belongs to one part, unless a board or the report runs it", async () => {
  const files = await testFiles();
  assert(files.length > 200, `${files.length} files`);
  const wrong = files.flatMap((file) => {
    const parts = all.filter((part) => runs(part, file)).map(({ name }) => name);
    const elsewhere = /\/suites\/|^hil\/report\/|^examples\/(?!\w+_test\.ts$)/.test(file);
    return parts.length === (elsewhere ? 0 : 1) ? [] : [`${file}: ${parts.join() || "no part"}`];
  });
  assertEquals(wrong, []);
});

Deno.test("argumentsOf() leaves files of other parts out of a folder", () => {
  const parts = [
    { name: "folder", paths: ["a"] },
    { name: "file", paths: ["a/b_test.ts", "a/c"] },
  ] as const;
  const [, , , ignore, ...paths] = argumentsOf(parts[0], parts);
  assertEquals(paths, ["a"]);
  assertEquals(ignore, "--ignore=**/suites/**,**/hil/report/**,**/a/b_test.ts,**/a/c/**");
  assertEquals(argumentsOf(parts[1], parts).at(3), "--ignore=**/suites/**,**/hil/report/**");
});
