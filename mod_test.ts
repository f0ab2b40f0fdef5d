// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";

interface Graph {
  modules: { specifier: string }[];
}

Deno.test("the import graph of mod.ts has neither JSR nor npm in it", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("./mod.ts", import.meta.url).pathname],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
  const specifiers = modules.map(({ specifier }) => specifier);
  assert(specifiers.length > 20, `only ${specifiers.length} modules`);
  const root = new URL(".", import.meta.url).href;
  const foreign = specifiers.filter((one) => !one.startsWith(root) && !one.startsWith("node:"));
  assertEquals(foreign, []);
  // what stands in for JSR's packages must not be in it either
  assertEquals(specifiers.filter((one) => one.startsWith(`${root}offline/`)), []);
});

Deno.test("the package can be published as it is", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: new URL(".", import.meta.url).pathname,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, text);
  assert(!/warning/i.test(text), text);
});
