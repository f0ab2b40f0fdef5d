// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { authorPlace, isThrownByAuthor } from "./author_place.ts";

const ROOT = new URL("../../", import.meta.url).href;

/** An error whose stack has these frames, from the inside out. */
function errorAt(...frames: readonly string[]): Error {
  const error = new Error("a slip");
  error.stack = ["Error: a slip", ...frames.map((frame) => `    at f (${frame})`)].join("\n");
  return error;
}

Deno.test("authorPlace() skips Plumbline's own files", () => {
  const error = errorAt(`${ROOT}hil/frames/flow.ts:1:2`, "file:///home/me/my%20test.ts:12:9");
  assertEquals(authorPlace(error), "/home/me/my test.ts:12:9");
});

Deno.test("authorPlace() accepts the suites and examples of the checkout", () => {
  for (const folder of ["hil/suites/", "hil/bench/suites/", "examples/team/tests/"]) {
    const place = authorPlace(errorAt("ext:core/01_core.js:3:4", `${ROOT}${folder}a_test.ts:5:6`));
    assertEquals(place?.endsWith(`/${folder}a_test.ts:5:6`), true, `${place}`);
  }
});

Deno.test("authorPlace() returns null if no frame is an author's", () => {
  assertEquals(authorPlace(errorAt(`${ROOT}driver/device.ts:1:2`)), null);
  const bare = new Error("no stack");
  delete bare.stack;
  assertEquals(authorPlace(bare), null);
});

Deno.test("isThrownByAuthor() looks at the innermost file of the stack", () => {
  const [own, theirs] = [`${ROOT}driver/device.ts:1:2`, "file:///home/me/a_test.ts:12:9"];
  assertEquals(isThrownByAuthor(errorAt(theirs, own)), true);
  assertEquals(isThrownByAuthor(errorAt("https://jsr.io/@std/assert/equals.ts:1:2", theirs)), true);
  assertEquals(isThrownByAuthor(errorAt(own, theirs)), false);
  assertEquals(isThrownByAuthor(errorAt()), false);
});
