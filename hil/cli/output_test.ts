// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";

/** Runs code that gets the text "guest" from a virtual machine. Returns what it prints. */
function printed(json: string): [stdout: string, stderr: string] {
  const output = new URL("./output.ts", import.meta.url);
  const code = `import { guestOutput } from "${output}";
    const sink = guestOutput(${json});
    if (typeof sink === "string") console.log(sink);
    else await sink(new TextEncoder().encode("guest"));`;
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    cwd: new URL("../..", import.meta.url).pathname,
    env: { NO_COLOR: "1" },
  }).outputSync();
  const decoder = new TextDecoder();
  return [decoder.decode(stdout), decoder.decode(stderr)];
}

Deno.test("guestOutput() keeps standard output for JSON if that is there", () => {
  assertEquals(printed("null"), ["inherit\n", ""]);
  assertEquals(printed('"out.json"'), ["inherit\n", ""]);
  assertEquals(printed('"-"'), ["", "guest"]);
});
