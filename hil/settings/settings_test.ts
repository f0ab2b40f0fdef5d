// SPDX-License-Identifier: MIT
import { assertEquals, assertThrows } from "@std/assert";
import { readSettings, type Settings } from "./settings.ts";
import { UsageError } from "./values.ts";

const nothing = () => undefined;

const DEFAULTS: Settings = {
  board: "local",
  agent: null,
  devices: ["/dev/pldma0"],
  policies: null,
  suites: null,
  sizes: null,
  depths: null,
  frames: null,
  duration: null,
  rounds: null,
  pattern: null,
  seed: 1,
  coherent: false,
  fault: null,
  bitstream: null,
  loader: null,
  requireIdentity: false,
};

Deno.test("readSettings() returns the defaults without arguments and variables", () => {
  assertEquals(readSettings([], nothing), DEFAULTS);
  assertEquals(readSettings([], () => ""), DEFAULTS);
});

Deno.test("readSettings() lets an argument override a variable", () => {
  const env = (name: string) => name === "PLUMBLINE_POLICY" ? "streaming" : undefined;
  assertEquals(readSettings([], env).policies, ["streaming"]);
  assertEquals(readSettings(["--policy", "none,coherent"], env).policies, ["none", "coherent"]);
  assertEquals(readSettings(["--policy", "all"], env).policies, null);
});

Deno.test("readSettings() parses lists, units, durations and switches", () => {
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

Deno.test("readSettings() refuses an option or value that is not valid", () => {
  const refuses = (args: string[], message: string) =>
    assertThrows(() => readSettings(args, nothing), UsageError, message);
  refuses(["--policy=fast"], "Expected --policy to be coherent, write-combine,");
  refuses(["--policy=fast"], 'none or dma-buf, found "fast"');
  refuses(["--policy=streeming"], "did you mean streaming?");
  refuses(
    ["--size=0"],
    'Expected --size to be at least 1 byte, such as 64, 4K or 1M, or largest or block, found "0"',
  );
  refuses(["--size=64,,65"], 'none of them empty, found "64,,65"');
  refuses(["--frames=-3"], 'Expected --frames to be a whole number of at least 1, found "-3"');
  refuses(["--seed=1e3"], "from 0 to 4294967295");
  refuses(["--device=pldma0"], "did you mean /dev/pldma0?");
  refuses(["--duration=0"], "such as 90s");
  refuses(["--frames=3", "--duration=3s"], "exclude each other");
  refuses(["--polcy=none"], "Unknown option --polcy: did you mean --policy?");
  refuses(["none"], 'Unexpected argument "none": expected options only');
  refuses(["--xyzzy"], "Unknown option --xyzzy: expected --board, --device,");
  refuses(["--help"], "Unknown option --help");
  refuses(["--policy"], "--policy needs a value: expected NAME,..., found nothing");
  refuses(["--seed=1", "--seed=2"], "--seed is given twice");
  refuses(["--pattern=taged"], "did you mean tagged?");
  refuses(["--policy", "--size=1"], "--policy needs a value");
  refuses(["--coherent=1"], "takes no value");
});

Deno.test("readSettings() names the variable that contains an invalid value", () => {
  const env = (name: string) => name === "PLUMBLINE_DEPTH" ? "deep" : undefined;
  assertThrows(
    () => readSettings([], env),
    UsageError,
    "Expected PLUMBLINE_DEPTH to be a whole number",
  );
});

Deno.test("readSettings() accepts the address of a remote board", () => {
  const { board, agent } = readSettings(["--board=remote:ssh://root@zed"], () => undefined);
  assertEquals([board, agent?.text], ["remote", "ssh://root@zed"]);
  const env = (name: string) => name === "PLUMBLINE_BOARD" ? "remote:zed:99" : undefined;
  assertEquals(readSettings([], env).agent?.text, "zed:99");
  for (const wrong of ["remote:", "remote:zed:x", "remote"]) {
    assertThrows(() => readSettings([`--board=${wrong}`], () => undefined), UsageError, "--board");
  }
});
