// SPDX-License-Identifier: MIT
import { assertEquals, assertThrows } from "@std/assert";
import { armFault, disarmFault } from "./fault.ts";

Deno.test("armFault() arms every engine, disarmFault() reads before it disarms", () => {
  const root = Deno.makeTempDirSync({ prefix: "plumbline-fault-" });
  for (const name of ["a", "b"]) {
    Deno.mkdirSync(`${root}/${name}`);
    Deno.writeTextFileSync(`${root}/${name}/injected`, `frame=17 kind=flip of ${name}\n`);
  }
  armFault("kind=flip frame=17", root);
  assertEquals(Deno.readTextFileSync(`${root}/a/fault`), "kind=flip frame=17");
  assertEquals(Deno.readTextFileSync(`${root}/b/fault`), "kind=flip frame=17");
  assertEquals(disarmFault(root), ["frame=17 kind=flip of a", "frame=17 kind=flip of b"]);
  assertEquals(Deno.readTextFileSync(`${root}/a/fault`), "kind=none");
});

Deno.test("armFault() says when there is no engine and when one refuses", () => {
  const root = Deno.makeTempDirSync({ prefix: "plumbline-fault-" });
  assertThrows(() => armFault("kind=flip", `${root}/none`), Error, "There is no engine");
  Deno.mkdirSync(`${root}/a/fault`, { recursive: true }); // a folder takes no text
  assertThrows(
    () => armFault("kind=flip", root),
    Error,
    'The engine a refuses the fault "kind=flip"',
  );
});
