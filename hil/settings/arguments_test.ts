// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  commandError,
  type CommandLine,
  commandsHelp,
  helpText,
  parseArguments,
} from "./arguments.ts";
import { UsageError } from "./values.ts";

const LINE: CommandLine = {
  command: "plumbline try",
  purpose: "Try it.",
  details: "More about it.",
  operands: "FILE OUT",
  groups: [{
    title: "Options",
    options: [
      { name: "policy", value: "NAME,...", help: "Policies" },
      { name: "seed", value: "N", help: `A long text that ${"goes on and on ".repeat(6)}` },
      { name: "quiet", value: null, help: "Print less" },
    ],
  }],
  examples: [["plumbline try a b", "Try it with two files"]],
  exit: { 0: "Good", 1: "Bad" },
};

const parse = (...args: string[]) => parseArguments(LINE, args);

Deno.test("parseArguments() takes values after a blank and after =, and options among operands", () => {
  const { values, switches, operands } = parse("a", "--seed", "7", "--quiet", "b", "--policy=none");
  assertEquals(values, { seed: "7", policy: "none" });
  assertEquals([[...switches], operands], [["quiet"], ["a", "b"]]);
});

Deno.test("parseArguments() takes a value that is - or begins with a dash", () => {
  assertEquals(parse("--seed", "-", "a", "b").values, { seed: "-" });
  assertEquals(parse("--seed", "-3", "a", "b").values, { seed: "-3" });
  assertEquals(parse("--seed=--quiet", "a", "b").values, { seed: "--quiet" });
});

Deno.test("parseArguments() joins the values of a list", () => {
  assertEquals(parse("--policy=a", "x", "--policy", "b,c", "y").values, { policy: "a,b,c" });
});

Deno.test("parseArguments() accepts missing operands with --help or -h", () => {
  for (const help of ["--help", "-h"]) assert(parse(help).switches.has("help"));
});

const refusals: [string[], string][] = [
  [["--sed=1", "a", "b"], "Unknown option --sed: did you mean --seed?"],
  [["--xyzzy", "a", "b"], "Unknown option --xyzzy: see --help"],
  [["-q", "a", "b"], "Unknown option -q: options have two dashes; did you mean --quiet?"],
  [["--no-quiet", "a", "b"], "Unknown option --no-quiet: see --help"],
  [["a", "b", "--seed"], "--seed needs a value: expected N, found nothing"],
  [["a", "b", "--seed="], "--seed needs a value: expected N, found nothing"],
  [["--seed", "--quiet", "a", "b"], '--seed needs a value: expected N, found "--quiet"'],
  [["--quiet=yes", "a", "b"], '--quiet takes no value, found "yes"'],
  [["--quiet", "true", "a"], '--quiet takes no value, found "true"'],
  [["--seed=1", "--seed=2", "a", "b"], "--seed is given twice: expected one value, found 1 and 2"],
  [["--", "a", "b"], 'Unexpected argument "--": leave it out'],
  [[], "Missing FILE: expected FILE OUT"],
  [["a"], "Missing OUT: expected FILE OUT"],
  [["a", "b", "c"], 'Unexpected argument "c": expected FILE OUT'],
];
for (const [args, message] of refusals) {
  Deno.test(`parseArguments() refuses "${args.join(" ")}"`, () => {
    assertEquals(assertThrows(() => parse(...args), UsageError).message, message);
  });
}

Deno.test("parseArguments() takes as many operands as the command line allows", () => {
  const count = (operands: string, ...args: string[]) =>
    parseArguments({ ...LINE, operands }, args).operands.length;
  assertEquals([count(""), count("[FILE ...]"), count("[FILE ...]", "a", "b")], [0, 0, 2]);
  assertEquals([count("FILE ...", "a"), count("FILE ...", "a", "b", "c")], [1, 3]);
  assertThrows(() => count("FILE ..."), UsageError, "Missing FILE: expected FILE ...");
  assertThrows(() => count("", "a"), UsageError, 'Unexpected argument "a": expected options only');
});

Deno.test("commandError() names the nearest command, or all of them", () => {
  const known = ["run", "bench", "info"];
  assertEquals(commandError("rnu", known).message, "Unknown command rnu: did you mean run?");
  assertEquals(
    commandError("xyzzy", known).message,
    "Unknown command xyzzy: expected run, bench or info",
  );
  assertEquals(
    commandError(undefined, known).message,
    "Missing command: expected run, bench or info, or --help",
  );
});

Deno.test("helpText() shows every part of a command line in 80 columns", () => {
  const text = helpText(LINE);
  for (const line of text.split("\n")) assert(line.length <= 80, line);
  assertEquals(text.split("\n").filter((line) => !line.includes("goes on")), [
    "Usage: plumbline try [OPTIONS] FILE OUT",
    "Try it.",
    "More about it.",
    "",
    "Options:",
    "  --policy NAME,...     Policies",
    "  --quiet               Print less",
    "  --help                Show this help",
    "",
    "Examples:",
    "  # Try it with two files",
    "  plumbline try a b",
    "",
    "Exit status:",
    "  0  Good",
    "  1  Bad",
  ]);
});

Deno.test("commandsHelp() lists the commands", () => {
  const commands = [["run", "Run it."], ["selfcheck", "Check it."]] as const;
  const text = commandsHelp({ command: "plumbline", purpose: "Try.", commands, exit: {} });
  assert(text.includes("\n  run        Run it.\n  selfcheck  Check it.\n"), text);
});
