// SPDX-License-Identifier: MIT
import { assertEquals, assertThrows } from "@std/assert";
import { readSettings } from "./settings.ts";

const nothing = () => undefined;

Deno.test("readSettings() leaves every choice to the suite without arguments or variables", () => {
  assertEquals(readSettings([], nothing), {
    device: "/dev/pldma0",
    policies: null,
    sizes: null,
    depths: null,
    frames: null,
    seed: 1,
    fault: null,
  });
});

Deno.test("readSettings() prefers an argument to a variable", () => {
  const env = (name: string) => name === "PLUMBLINE_POLICY" ? "streaming" : undefined;
  assertEquals(readSettings([], env).policies, ["streaming"]);
  assertEquals(readSettings(["--policy", "none,coherent"], env).policies, ["none", "coherent"]);
  assertEquals(readSettings(["--policy", "all"], env).policies, null);
});

Deno.test("readSettings() takes lists of sizes and depths", () => {
  const settings = readSettings(["--size=1,4096,largest,block", "--depth=1,max"], nothing);
  assertEquals(settings.sizes, [1, 4096, "largest", "block"]);
  assertEquals(settings.depths, [1, "max"]);
});

Deno.test("readSettings() refuses what makes no sense and says what would", () => {
  assertThrows(() => readSettings(["--policy=fast"], nothing), RangeError, "one of all, coherent");
  assertThrows(() => readSettings(["--size=0"], nothing), RangeError, "at least 1, found 0");
  assertThrows(() => readSettings(["--frames=-3"], nothing), RangeError, "found -3");
  assertThrows(() => readSettings(["--seed=1e3"], nothing), RangeError, "seed");
  assertThrows(() => readSettings(["--polcy=none"], nothing), TypeError);
});
