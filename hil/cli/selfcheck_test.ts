// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isHeldOut } from "../../fixtures/boards/sim/mod.ts";
import { checkResults } from "../results/check.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { main } from "./main.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

Deno.test("plumbline selfcheck writes every fault and the totals into results of schema 1", async () => {
  const file = `${tempDir()}/out.json`;
  const args = ["selfcheck", "--board", "sim", "--seed", "12", "--quiet", "--json", file];
  assertEquals(await main(args), 0);
  const { board, run, tests, verdict, selfcheck } = checkResults(
    JSON.parse(Deno.readTextFileSync(file)),
  );
  assert(selfcheck !== undefined);
  assertEquals([board.kind, board.simulated, run.seed, tests.length], ["sim", true, 12, 0]);
  assertEquals(run.command, ["plumbline", ...args]);
  assertEquals([verdict?.exit, verdict?.word], [0, "PASS"]);
  const { faults, total } = selfcheck;
  assertEquals(total.faults, faults.length);
  assertEquals(total.caught, faults.filter(({ caught }) => caught).length);
  const { single, ambiguous, pairs } = total;
  assertEquals(single.faults + ambiguous.faults + pairs.faults, faults.length);
  assertEquals(total.heldOut.faults, faults.filter(({ heldOut }) => heldOut).length);
  const { frames, ...flip } = faults.find(({ fault }) => fault === "bit flipped in writing") ?? {};
  assertEquals(frames, 1);
  assertEquals(flip, {
    fault: "bit flipped in writing",
    where: "memory",
    caught: true,
    named: "bit-flip",
    namedRight: true,
    blamed: "rx",
    blamedRight: true,
    certain: true,
    heldOut: isHeldOut("bit flipped in writing"),
  });
});

Deno.test("plumbline selfcheck refuses options that are not valid, and a board that cannot inject faults", async () => {
  for (
    const args of [
      ["--board", "simm"],
      ["--board", "sim", "--seed", "x"],
      ["--board", "sim", "file"],
      ["--board", "sim", "--device", "/dev/pldma0,/dev/pldma1"],
      ["--policy", "none"],
      ["--board", "sim", "--bus", "adversarial"],
      ["--board", "vm", "--bus", "adverse"],
      ["--board", "sim", "--every", "0"],
    ]
  ) assertEquals(await main(["selfcheck", ...args]), 2, args.join(" "));
  if (Deno.env.get("PLUMBLINE_BOARD") !== "vm") assertEquals(await main(["selfcheck"]), 2);
});

Deno.test("plumbline selfcheck prints its table and its verdict on standard output, and JSON alone with --json -", () => {
  const selfcheck = (...args: readonly string[]) => {
    const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", MAIN, "selfcheck", "--board=sim", "--every=40", ...args],
      env: { NO_COLOR: "1" },
    }).outputSync();
    assertEquals(code, 0);
    return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  };
  const [out = "", err] = selfcheck();
  assertMatch(out, /^fault +where +frames +named as +blamed\n/);
  assertMatch(out, /\nsingle faults +\d+ +caught 100\.0 % [^]*\nSIMULATED PASS: [^\n]+\n$/);
  assertEquals(err, "");
  const [json = "", text = ""] = selfcheck("--json=-");
  assertEquals(JSON.parse(json).verdict.word, "PASS");
  const timeless = (said: string) => said.replace(/[\d.]+ s\)/, "s)");
  assertEquals(timeless(text), timeless(out));
});
