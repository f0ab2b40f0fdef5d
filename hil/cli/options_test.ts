// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type CommandLine, helpText, parseArguments } from "../settings/arguments.ts";
import { UsageError } from "../settings/values.ts";
import {
  BENCH_LINE,
  readRunOptions,
  RUN_LINE,
  runArguments,
  type RunOptions,
  type Surroundings,
} from "./options.ts";

const around = { suites: () => ["loopback", "litmus"], virtual: false };

function parse(...args: string[]): RunOptions {
  return parseIn(around, args);
}

function parseIn(around: Surroundings, args: readonly string[]): RunOptions {
  const line = around.bench === true ? BENCH_LINE : RUN_LINE;
  return readRunOptions(parseArguments(line, args), around);
}

const DEFAULTS: RunOptions = {
  board: { kind: "local" },
  bus: "swiotlb",
  kernel: "main",
  settings: {},
  files: [],
  json: null,
  formats: {},
  html: null,
  results: null,
  limits: null,
  timeout: 900,
  engine: "softdma",
  engineFault: null,
  stress: null,
  iommu: null,
  waves: null,
  quiet: false,
};

Deno.test("readRunOptions() leaves all settings to the suites by default", () => {
  assertEquals(parse(), DEFAULTS);
});

Deno.test("readRunOptions() reads every option, after a blank and after =", () => {
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
    kernel: "main",
    settings: { ...settings, coherent: "1" },
    files: ["tests/a_test.ts", "tests/b"],
    json: "-",
    formats: { junit: "out.xml" },
    html: "out.html",
    results: "/tmp/x",
    limits: "limits.json",
    timeout: 600,
    engine: "rtl",
    engineFault: null,
    stress: null,
    iommu: null,
    waves: "/tmp/w",
    quiet: true,
  };
  const pairs = [
    ...Object.entries(settings).map(([name, value]) => [`--${name}`, value]),
    ["--board", "vm:aarch64"],
    ["--json", "-"],
    ["--junit", "out.xml"],
    ["--html", "out.html"],
    ["--results", "/tmp/x"],
    ["--limits", "limits.json"],
    ["--engine", "rtl"],
    ["--waves", "/tmp/w"],
    ["--timeout", "10m"],
  ];
  const files = ["tests/a_test.ts", "tests/b"];
  assertEquals(parse(...pairs.flat(), "--coherent", ...files, "--quiet"), expected);
  const joined = pairs.map((pair) => pair.join("="));
  assertEquals(parse("--quiet", files[0] ?? "", "--coherent", ...joined, files[1] ?? ""), expected);
});

Deno.test("readRunOptions() joins the values of a list", () => {
  const { settings } = parse("--policy=none", "--policy", "streaming,none");
  assertEquals(settings.policy, "none,streaming,none");
});

Deno.test("readRunOptions() adds the durations of all suites to the limit of the run", () => {
  assertEquals(parse("--duration=10m").timeout, 900 + 2 * 600);
  assertEquals(parse("--duration=10m", "--timeout=1h").timeout, 3600);
});

const refusals: [string[], string][] = [
  [["--plicy", "none"], "Unknown option --plicy: did you mean --policy?"],
  [["--polcy=none"], "Unknown option --polcy: did you mean --policy?"],
  [["--xyzzy"], "Unknown option --xyzzy: see --help"],
  [["-q"], "Unknown option -q"],
  [["--", "loopback"], 'Unexpected argument "--"'],
  [["--board=vm", "--core=rtl"], "Unknown option --core"],
  [["--seed=1", "--seed=2"], "--seed is given twice"],
  [["--quiet", "true"], "--quiet takes no value"],
  [["--quiet=yes"], "--quiet takes no value"],
  [["--json"], "--json needs a value"],
  [["--json="], "--json needs a value"],
  [["--json", "--quiet"], "--json needs a value"],
  [["--policy", "streeming"], 'found "streeming": did you mean streaming?'],
  [["--policy", "none,"], 'none of them empty, found "none,"'],
  [["--suite", "lopback"], "did you mean loopback?"],
  [
    ["--board", "zynq"],
    'to be local, sim, vm, vm:aarch64, vm:x86_64, vm:versal, vm:armhf or vm:zynq, found "zynq"',
  ],
  [["--board", "vm:arm64"], "did you mean vm:aarch64?"],
  [["--device", "pldma0"], "did you mean /dev/pldma0?"],
  [["--size", "0"], "Expected --size to be at least 1 byte"],
  [["--size", "1.5K"], "Expected --size to be at least 1 byte"],
  [["--size", "99999999999999999999"], "Expected --size to be at least 1 byte"],
  [["--depth", "0"], "Expected --depth to be a whole number of at least 1, or max"],
  [["--depth", "4294967296"], "Expected --depth to be a whole number from 1 to 4294967295, or max"],
  [["--depth", "many"], "Expected --depth to be a whole number of at least 1, or max"],
  [["--frames", "-1"], "Expected --frames to be a whole number of at least 1"],
  [
    ["--frames", "99999999999999999999"],
    "Expected --frames to be a whole number from 1 to 9007199254740991",
  ],
  [["--frames", "1e3"], "Expected --frames to be a whole number of at least 1"],
  [["--seed", "4294967296"], "Expected --seed to be a whole number from 0 to 4294967295"],
  [["--timeout", "0"], "2h, more than 0 and at most 500h"],
  [["--timeout", "10 minutes"], "Expected --timeout to be a time"],
  [["--timeout", "1000h"], "Expected --timeout to be a time"],
  [["--coherent"], "--coherent needs a virtual board"],
  [["--fault", "kind=flip"], "--fault needs a virtual board"],
  [["--frames=3", "--duration=3s"], "exclude each other"],
  [["--stress=disk"], "--stress to name cpu, memory, cache or interrupts"],
  [["--board=remote:zed", "--stress=cpu"], "this board is another one"],
  [["--pattern", "taged"], "did you mean tagged?"],
  [["--engine", "rtl"], "--engine needs a virtual machine: add --board vm"],
  [["--board=sim", "--engine=rtl"], "--engine needs a virtual machine"],
  [["--board=vm", "--engine=rlt"], "did you mean rtl?"],
  [["--board=vm", "--waves=w"], "--waves needs a simulated design: add --board vm --engine rtl"],
  [["--board=sim", "--fault", "kind=filp"], "kind to be one of flip"],
  [["--board=vm", "--fault", "flip"], "Expected kind=flip"],
  [["--board=vm", "--fault", "kind=flip; kind=filp"], "kind to be one of flip"],
  [["--board=vm", "--fault", "kind=flip frame=1 rate=2"], "either frame or rate"],
  [["--board=vm", "--fault", "kind=twice"], "found twice: sim has it"],
  [["--board=vm", "--fault", "kind=sync-skip"], "plumbline selfcheck makes one"],
  [["--kernel=debug"], "--kernel needs --board vm"],
  [
    ["--board=vm:versal", "--kernel=debug"],
    "--kernel needs --board vm, and another one than newest needs --engine softdma or rtl",
  ],
  [["--bus=adversarial"], "--bus needs a virtual machine: add --board vm"],
  [["--board=vm", "--bus=adversial"], "did you mean adversarial?"],
  [["--board=vm", "--bus=adversarial", "--coherent"], "exclude each other"],
  [["--board=vm", "--bus=adversarial", "--bitstream=a.bit"], "no FPGA manager"],
  [["--board=vm", "--bus=adversarial", "--engine=rtl"], "needs --engine softdma"],
  [["--board=vm:x86_64", "--engine=xilinx-dma"], "needs a device tree: add --board vm:aarch64"],
  [["--board=vm:x86_64", "--engine=axi-dmac"], "needs a device tree: add --board vm:aarch64"],
  [["--board=vm:aarch64", "--engine-fault=kind=short"], "--engine-fault needs an engine"],
  [
    ["--board=vm:aarch64", "--engine=xilinx-dma", "--engine-fault=kind=shot"],
    "--engine-fault: Expected a kind",
  ],
  [["--board=vm:aarch64", "--engine=xilinx-dma", "--bus=adversarial"], "needs --engine softdma"],
  [
    ["--board=vm:aarch64", "--engine=xilinx-dma", "--fault=kind=flip"],
    "--fault needs logic of Plumbline",
  ],
  [["--board=vm", "--engine=softdma", "--iommu=strict"], "--iommu needs --engine edu"],
  [["--board=vm", "--engine=rtl", "--iommu=lazy"], "--iommu needs --engine edu"],
  [["--board=vm:aarch64", "--engine=xilinx-dma", "--iommu=strict"], "--iommu needs --engine edu"],
  [["--board=vm:versal", "--iommu=strict"], "--iommu needs --engine edu"],
  [["--board=sim", "--iommu=strict"], "--iommu needs --engine edu"],
  [["--board=vm", "--engine=edu", "--iommu=on"], "Expected --iommu to be strict or lazy"],
  [["--board=vm", "--engine=edu", "--fault=kind=flip"], "--engine edu is a memory loop"],
  [["--board=vm:armhf", "--engine=edu"], "--board vm"],
  [["--board=vm:aarch64", "--engine=memory"], "--board vm:versal need each other"],
  [["--board=vm:versal", "--engine=softdma"], "--engine memory and --board vm:versal"],
  [["--board=vm:armhf", "--engine=memory"], "--board vm:versal need each other"],
  [["--board=vm:armhf", "--engine=rtl"], "--engine rtl does not work with vm:armhf"],
  [["--board=vm:zynq", "--coherent"], "--coherent does not work with vm:armhf and vm:zynq"],
  [["--board=vm:zynq", "--fault=kind=flip frame=1"], "--fault does not work with vm:armhf"],
  [["--board=vm:versal", "--coherent"], "vm:versal has a memory loop only"],
  [["--board=vm:versal", "--bitstream=a.bit"], "vm:versal has a memory loop only"],
  [["--board=vm:versal", "--fault=kind=flip frame=1"], "vm:versal has a memory loop only"],
  [["--board=vm:versal", "--bus=adversarial"], "needs --engine softdma"],
];

for (const [args, message] of refusals) {
  Deno.test(`readRunOptions() refuses ${args.join(" ")}`, () => {
    assertThrows(() => parse(...args), UsageError, message);
  });
}

Deno.test("readRunOptions() takes a fault inside a virtual board", () => {
  const options = parseIn({ ...around, virtual: true }, ["--fault=kind=stall"]);
  assertEquals(options.settings.fault, "kind=stall");
});

Deno.test("runArguments() gives the same options on another machine", () => {
  const options = parse(
    ...["--board=vm", "--policy=none", "--size=1,4K", "--depth=max,2", "--frames=9", "--seed=3"],
    ...["--suite=litmus", "--device=/dev/pldma2", "--fault=kind=drop rate=10", "--coherent"],
  );
  const again = parseIn({ ...around, virtual: true }, runArguments(options));
  const { coherent, ...settings } = options.settings;
  assertEquals(coherent, "1");
  assertEquals(again, { ...options, board: { kind: "local" }, settings });
});

Deno.test("readRunOptions() of plumbline bench has --quick for fewer sizes, and no --frames", () => {
  const bench = (...args: string[]) => parseIn({ ...around, bench: true }, args);
  assertEquals(bench("--quick").settings, { size: "64K,1M", depth: "8" });
  assertEquals(bench("--quick", "--size=4K").settings, { size: "4K", depth: "8" });
  assertEquals(bench("--seed=2").settings, { seed: "2" });
  for (const option of ["--frames=3", "--fault=kind=flip frame=1"]) {
    assertThrows(() => bench(option), UsageError, `Unknown option ${option.split("=")[0]}`);
  }
  assertThrows(() => parse("--quick"), UsageError, "Unknown option --quick");
});

const LINES: readonly [CommandLine, Surroundings][] = [
  [RUN_LINE, around],
  [BENCH_LINE, { ...around, bench: true }],
];
for (const [line, around] of LINES) {
  Deno.test(`helpText() of ${line.command} names every option in 80 columns`, () => {
    const text = helpText(line);
    for (const row of text.split("\n")) assert(row.length <= 80, row);
    for (const { name } of line.groups.flatMap(({ options }) => options)) {
      assert(text.includes(`\n  --${name}`), name);
    }
  });

  Deno.test(`readRunOptions() accepts the examples in the help of ${line.command}`, () => {
    assert(line.examples.length > 0);
    for (const [example] of line.examples) {
      assert(example.startsWith(`${line.command} `), example);
      parseIn(around, example.slice(line.command.length + 1).split(" "));
    }
  });
}

Deno.test("readRunOptions() reads the kernel of a virtual machine", () => {
  const kernel = (value: string) => parse("--board=vm", `--kernel=${value}`).kernel;
  assertEquals([kernel("debug"), kernel("./debug")], ["debug", { file: "./debug" }]);
  assertEquals(kernel("newest"), "newest");
  const vendor = parse("--board=vm:aarch64", "--engine=xilinx-dma", "--kernel=newest");
  assertEquals(vendor.kernel, "newest");
});
