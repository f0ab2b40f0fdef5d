// SPDX-License-Identifier: MIT
// A sample of the mutants, the same in every run. `deno task mutants` tries all of them.
import { assertEquals } from "@std/assert";

const MAIN = new URL("main.ts", import.meta.url).pathname;

Deno.test("the tests turn red on each mutant of a sample", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "--sample", "12", "--seed", "1"],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, text);
  assertEquals(/^(\d+) killed, 0 survived, 0 equivalent$/m.exec(text)?.[1], "12", text);
});
