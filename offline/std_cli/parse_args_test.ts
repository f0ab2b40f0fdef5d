// SPDX-License-Identifier: MIT
// Expectations follow the published documentation of @std/cli, not this implementation.
import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

Deno.test("parseArgs() reads strings after a blank and after =", () => {
  const options = { string: ["seed", "json"] } as const;
  assertEquals(parseArgs(["--seed", "7", "--json=-"], options), { seed: "7", json: "-", _: [] });
});

Deno.test("parseArgs() gives an option no value that starts with a dash", () => {
  const options = { string: ["json"], boolean: ["quiet"] } as const;
  assertEquals(parseArgs(["--json", "--quiet"], options), { json: "", quiet: true, _: [] });
  assertEquals(parseArgs(["--json"], options), { json: "", quiet: false, _: [] });
});

Deno.test("parseArgs() gives booleans false when absent and no value", () => {
  const options = { boolean: ["quiet"] } as const;
  assertEquals(parseArgs(["loop"], options), { quiet: false, _: ["loop"] });
  assertEquals(parseArgs(["--quiet", "loop"], options), { quiet: true, _: ["loop"] });
  assertEquals(parseArgs(["--quiet=false"], options), { quiet: false, _: [] });
  assertEquals(parseArgs(["--quiet", "false"], options), { quiet: false, _: [] });
});

Deno.test("parseArgs() collects repeated options and keeps the last of others", () => {
  const options = { string: ["policy", "seed"], collect: ["policy"] } as const;
  assertEquals(parseArgs(["--policy", "a", "--seed=1", "--policy=b", "--seed=2"], options), {
    policy: ["a", "b"],
    seed: "2",
    _: [],
  });
  assertEquals(parseArgs([], options), { policy: [], _: [] });
});

Deno.test("parseArgs() sets every alias", () => {
  const options = { boolean: ["help"], alias: { help: "h" } } as const;
  assertEquals(parseArgs(["-h"], options), { help: true, h: true, _: [] });
  assertEquals(parseArgs(["--help"], options), { help: true, h: true, _: [] });
});

Deno.test("parseArgs() negates what is negatable only", () => {
  const options = { boolean: ["check"], negatable: ["check"], default: { check: true } } as const;
  assertEquals(parseArgs([], options), { check: true, _: [] });
  assertEquals(parseArgs(["--no-check"], options), { check: false, _: [] });
});

Deno.test("parseArgs() turns numbers into numbers unless declared a string", () => {
  assertEquals(parseArgs(["--foo", "7", "8"]), { foo: 7, _: [8] });
  assertEquals(parseArgs(["--foo", "7", "8"], { string: ["foo", "_"] }), { foo: "7", _: ["8"] });
});

Deno.test("parseArgs() keeps what follows -- apart when asked", () => {
  assertEquals(parseArgs(["a", "--", "--b"], { "--": true }), { _: ["a"], "--": ["--b"] });
  assertEquals(parseArgs(["a", "--", "--b"]), { _: ["a", "--b"] });
});

Deno.test("parseArgs() stops at the first positional with stopEarly", () => {
  const options = { boolean: ["quiet"], string: ["seed"], stopEarly: true } as const;
  assertEquals(parseArgs(["--quiet", "run", "--seed", "7"], options), {
    quiet: true,
    _: ["run", "--seed", 7],
  });
});

Deno.test("parseArgs() asks unknown() about undeclared options and positionals", () => {
  const seen: unknown[][] = [];
  const args = parseArgs(["--sede", "7", "--quiet", "loop", "-x"], {
    boolean: ["quiet"],
    unknown: (...all) => {
      seen.push(all);
      return false;
    },
  });
  assertEquals(args, { quiet: true, _: [] });
  assertEquals(seen.map(([arg, key]) => key ?? arg), ["sede", "loop", "x"]);
});
