// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  benchHelp,
  parseRunOptions,
  runArguments,
  runHelp,
  type RunOptions,
  UsageError,
} from "./options.ts";

const around = { suites: () => ["loopback", "litmus"], virtual: false };

function parse(...args: string[]): RunOptions {
  return parseRunOptions(args, around);
}

const DEFAULTS: RunOptions = {
  board: { kind: "local" },
  bus: "swiotlb",
  settings: {},
  files: [],
  json: null,
  junit: null,
  html: null,
  results: null,
  limits: null,
  timeout: 900,
  core: "softdma",
  waves: null,
  quiet: false,
  help: false,
};

Deno.test("parseRunOptions() leaves everything to the suites by default", () => {
  assertEquals(parse(), DEFAULTS);
});

Deno.test("parseRunOptions() reads every option, after a blank and after =", () => {
  const settings = {
    device: "/dev/pldma1",
    policy: "none,streaming",
    suite: "loopback",
    size: "64,4K,1MiB",
    depth: "1,max",
    frames: "300",
    pattern: "tagged",
    seed: "7",
    fault: "kind=flip frame=17 seed=3",
  };
  const expected: RunOptions = {
    board: { kind: "vm", arch: "aarch64" },
    bus: "swiotlb",
    settings: { ...settings, coherent: "1" },
    files: ["tests/a_test.ts", "tests/b"],
    json: "-",
    junit: "out.xml",
    html: "out.html",
    results: "/tmp/x",
    limits: "limits.json",
    timeout: 600,
    core: "rtl",
    waves: "/tmp/w",
    quiet: true,
    help: false,
  };
  const pairs = [
    ...Object.entries(settings).map(([name, value]) => [`--${name}`, value]),
    ["--board", "vm:aarch64"],
    ["--json", "-"],
    ["--junit", "out.xml"],
    ["--html", "out.html"],
    ["--results", "/tmp/x"],
    ["--limits", "limits.json"],
    ["--core", "rtl"],
    ["--waves", "/tmp/w"],
    ["--timeout", "10m"],
  ];
  const files = ["tests/a_test.ts", "tests/b"];
  assertEquals(parse(...pairs.flat(), "--coherent", ...files, "--quiet"), expected);
  const joined = pairs.map((pair) => pair.join("="));
  assertEquals(parse("--quiet", files[0] ?? "", "--coherent", ...joined, files[1] ?? ""), expected);
});

Deno.test("parseRunOptions() joins repeated lists", () => {
  const { settings } = parse("--policy=none", "--policy", "streaming,none");
  assertEquals(settings.policy, "none,streaming,none");
});

Deno.test("parseRunOptions() adds the durations of all suites to the limit of the run", () => {
  assertEquals(parse("--duration=10m").timeout, 900 + 2 * 600);
  assertEquals(parse("--duration=10m", "--timeout=1h").timeout, 3600);
});

const refusals: [string[], string][] = [
  [["--plicy", "none"], "Unknown option --plicy: did you mean --policy?"],
  [["--polcy=none"], "Unknown option --polcy: did you mean --policy?"],
  [["--xyzzy"], "Unknown option --xyzzy: see --help"],
  [["-q"], "Unknown option -q"],
  [["--", "loopback"], 'Unexpected "--"'],
  [["--quiet", "true"], "--quiet takes no value"],
  [["--quiet=yes"], "--quiet takes no value"],
  [["--json"], "--json needs a value"],
  [["--json="], "--json needs a value"],
  [["--json", "--quiet"], "--json needs a value"],
  [["--policy", "streeming"], '--policy knows no "streeming": did you mean streaming?'],
  [["--policy", "none,"], "--policy has an empty item"],
  [["--suite", "lopback"], "did you mean loopback?"],
  [["--board", "zynq"], "use one of local, sim, vm, vm:aarch64, vm:x86_64"],
  [["--board", "vm:arm64"], "did you mean vm:aarch64?"],
  [["--device", "pldma0"], "try /dev/pldma0"],
  [["--size", "0"], "--size takes bytes from 1"],
  [["--size", "1.5K"], "--size takes bytes from 1"],
  [["--size", "99999999999999999999"], "--size takes bytes from 1"],
  [["--depth", "0"], "--depth takes a whole number from 1"],
  [["--depth", "many"], "--depth takes a whole number from 1"],
  [["--frames", "-1"], "--frames takes a whole number from 1"],
  [["--frames", "1e3"], "--frames takes a whole number from 1"],
  [["--seed", "4294967296"], "--seed takes a whole number from 0 to 4294967295"],
  [["--timeout", "0"], "--timeout takes a time"],
  [["--timeout", "10 minutes"], "--timeout takes a time"],
  [["--timeout", "1000h"], "--timeout takes a time"],
  [["--coherent"], "--coherent needs a virtual board"],
  [["--fault", "kind=flip"], "--fault needs a virtual board"],
  [["--frames=3", "--duration=3s"], "exclude each other"],
  [["--pattern", "taged"], "tagged"],
  [["--core", "rtl"], "--core needs a virtual machine"],
  [["--board=sim", "--core=rtl"], "--core needs a virtual machine"],
  [["--board=vm", "--core=rlt"], "did you mean rtl?"],
  [["--board=vm", "--waves=w"], "--waves records the simulated core"],
  [["--board=sim", "--fault", "kind=filp"], "kind to be one of flip"],
  [["--board=vm", "--fault", "flip"], "each key once"],
  [["--board=vm", "--fault", "kind=flip; kind=filp"], "kind to be one of flip"],
  [["--board=vm", "--fault", "kind=flip frame=1 rate=2"], "either frame or rate"],
  [["--board=vm", "--fault", "kind=early"], "found early: sim has it"],
  [["--board=vm", "--fault", "kind=sync-skip"], "plumbline selfcheck makes one"],
  [["--bus=adversarial"], "--bus is for virtual machines"],
  [["--board=vm", "--bus=adversial"], "did you mean adversarial?"],
  [["--board=vm", "--bus=adversarial", "--coherent"], "exclude each other"],
  [["--board=vm", "--bus=adversarial", "--bitstream=a.bit"], "no FPGA manager"],
  [["--board=vm", "--bus=adversarial", "--core=rtl"], "for --core softdma"],
];

for (const [args, message] of refusals) {
  Deno.test(`parseRunOptions() refuses ${args.join(" ")}`, () => {
    assertThrows(() => parse(...args), UsageError, message);
  });
}

Deno.test("parseRunOptions() takes a fault on a machine that is a virtual board", () => {
  const options = parseRunOptions(["--fault=kind=stall"], { ...around, virtual: true });
  assertEquals(options.settings.fault, "kind=stall");
});

Deno.test("runArguments() asks another machine for the same run", () => {
  const options = parse(
    ...["--board=vm", "--policy=none", "--size=1,4K", "--depth=max,2", "--frames=9", "--seed=3"],
    ...["--suite=litmus", "--device=/dev/pldma2", "--fault=kind=drop rate=10", "--coherent"],
  );
  const again = parseRunOptions(runArguments(options), { ...around, virtual: true });
  const { coherent, ...settings } = options.settings;
  assertEquals(coherent, "1");
  assertEquals(again, { ...options, board: { kind: "local" }, settings });
});

Deno.test("parseRunOptions() of a bench has --quick for fewer sizes, and no number of frames", () => {
  const bench = (...args: string[]) => parseRunOptions(args, { ...around, bench: true });
  assertEquals(bench("--quick").settings, { size: "64K,1M", depth: "8" });
  assertEquals(bench("--quick", "--size=4K").settings, { size: "4K", depth: "8" });
  assertEquals(bench("--seed=2").settings, { seed: "2" });
  for (const option of ["--frames=3", "--fault=kind=flip frame=1"]) {
    assertThrows(() => bench(option), UsageError, `Unknown option ${option.split("=")[0]}`);
  }
  assertThrows(() => parse("--quick"), UsageError, "Unknown option --quick");
});

for (const [name, help] of [["runHelp()", runHelp], ["benchHelp()", benchHelp]] as const) {
  Deno.test(`${name} fits a terminal of 80 columns and 24 lines`, () => {
    const lines = help().split("\n");
    assert(lines.length <= 23, `${lines.length} lines and the prompt`);
    for (const line of lines) assert(line.length <= 80, line);
  });
}
