// SPDX-License-Identifier: MIT
import { assertEquals, assertThrows } from "@std/assert";
import { readSettings, type Settings } from "./settings.ts";

const nothing = () => undefined;

const DEFAULTS: Settings = {
  board: "local",
  devices: ["/dev/pldma0"],
  policies: null,
  suites: null,
  sizes: null,
  depths: null,
  frames: null,
  duration: null,
  pattern: null,
  seed: 1,
  coherent: false,
  fault: null,
  bitstream: null,
  loader: null,
  requireIdentity: false,
};

Deno.test("readSettings() leaves every choice to the suite without arguments or variables", () => {
  assertEquals(readSettings([], nothing), DEFAULTS);
  assertEquals(readSettings([], () => ""), DEFAULTS);
});

Deno.test("readSettings() prefers an argument to a variable", () => {
  const env = (name: string) => name === "PLUMBLINE_POLICY" ? "streaming" : undefined;
  assertEquals(readSettings([], env).policies, ["streaming"]);
  assertEquals(readSettings(["--policy", "none,coherent"], env).policies, ["none", "coherent"]);
  assertEquals(readSettings(["--policy", "all"], env).policies, null);
});

Deno.test("readSettings() takes lists, units, durations and switches", () => {
  const settings = readSettings([
    ...["--size=1,4K,1MiB,largest,block,1", "--depth=1,max", "--device", "/dev/pldma0,/dev/pldma1"],
    ...["--duration", "1.5m", "--coherent", "--suite=abi,mine", "--board=sim", "--seed=7"],
  ], nothing);
  assertEquals(settings, {
    ...DEFAULTS,
    board: "sim",
    devices: ["/dev/pldma0", "/dev/pldma1"],
    suites: ["abi", "mine"],
    sizes: [1, 4096, 2 ** 20, "largest", "block"],
    depths: [1, "max"],
    duration: 90,
    seed: 7,
    coherent: true,
  });
});

Deno.test("readSettings() refuses what makes no sense and says what would", () => {
  const refuses = (args: string[], message: string) =>
    assertThrows(() => readSettings(args, nothing), RangeError, message);
  refuses(["--policy=fast"], '--policy knows no "fast": use one of coherent');
  refuses(["--policy=streeming"], "did you mean streaming?");
  refuses(
    ["--size=0"],
    '--size takes bytes from 1, such as 64, 4K or 1M, or largest, block, not "0"',
  );
  refuses(["--size=64,,65"], "empty item");
  refuses(["--frames=-3"], '--frames takes a whole number from 1, not "-3"');
  refuses(["--seed=1e3"], "from 0 to 4294967295");
  refuses(["--device=pldma0"], "try /dev/pldma0");
  refuses(["--duration=0"], "such as 90s");
  refuses(["--frames=3", "--duration=3s"], "exclude each other");
  refuses(["--polcy=none"], 'Unknown option "--polcy" behind --: did you mean --policy?');
  refuses(["none"], 'Unknown option "none"');
  refuses(["--policy"], "--policy needs a value");
  refuses(["--policy", "--size=1"], "--policy needs a value");
  refuses(["--coherent=1"], "takes no value");
});

Deno.test("readSettings() names the variable that a bad value came from", () => {
  const env = (name: string) => name === "PLUMBLINE_DEPTH" ? "deep" : undefined;
  assertThrows(() => readSettings([], env), RangeError, "PLUMBLINE_DEPTH takes a whole number");
});
