// SPDX-License-Identifier: MIT
// The farm of examples/labgrid on labgrid 26, with simulated boards that are switched on, get the tarball by SSH,
// and run it. PLUMBLINE_FULL=1 runs the failures of boards, and farms of four sizes.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hostArch } from "../fixtures/host/arch.ts";
import { UnavailableError } from "../fixtures/host/run.ts";
import { makeTarball } from "../hil/dist/dist.ts";
import type { Matrix } from "../hil/results/matrix.ts";
import { tempDir } from "../hil/testing/temp_dir.ts";
import { LabgridRoot, prepareLabgrid } from "./testing/labgrid.ts";

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";
const SIM = "--board sim --suite loopback --policy streaming,none --size 4096 --depth 1";

/** Cases of a run: one of each series of the suite, under two policies. */
const CASES = 4;

const prepared = await prepareLabgrid().catch((error: unknown) => {
  if (error instanceof UnavailableError) return error;
  throw error;
});

/** Registers a test. It is skipped if labgrid cannot be had, because only Debian's backports have it. */
function labgridTest(name: string, full: boolean, fn: (archive: string) => Promise<void>): void {
  const missing = typeof prepared === "string" ? "" : ` (skipped: ${prepared.message})`;
  const long = full && !FULL ? " (skipped: PLUMBLINE_FULL=1 runs it)" : "";
  Deno.test({
    name: name + (long || missing),
    ignore: long !== "" || missing !== "",
    async fn() {
      assert(typeof prepared === "string");
      await fn(prepared);
    },
  });
}

/** The configuration of the examples, for boards of the test. */
function configuration(run: number): string {
  return Deno.readTextFileSync(new URL("labgrid/board.yaml", import.meta.url))
    .replace(
      "connection_timeout: 120.0",
      "connection_timeout: 30.0\n        keyfile: /root/.ssh/id_ed25519",
    )
    .replace("tarball: plumbline-0.1.0-linux-arm64.tar.gz", "tarball: /farm/plumbline.tar.gz")
    .replace(
      "folder: /var/tmp/plumbline",
      'folder: !template "/srv/$LG_PLACE"\n        options: !template "$LG_OPTIONS"',
    )
    .replace("timeout: 7200.0", `timeout: ${run.toFixed(1)}`);
}

/** Runs a night on some boards, in a root of its own. */
async function night(
  archive: string,
  boards: number,
  { bitstreams = ["top"], frames = 20, env = {}, seconds = 300, run = 240 }: {
    readonly bitstreams?: readonly string[];
    readonly frames?: number;
    readonly env?: Readonly<Record<string, string>>;
    readonly seconds?: number;
    readonly run?: number;
  } = {},
) {
  const out = tempDir();
  const { path } = await makeTarball({ arch: hostArch, out: tempDir(), deno: null });
  await using root = await LabgridRoot.create(archive, {
    "board.yaml": configuration(run),
    "bitstreams.list": bitstreams.map((name, n) => `${name} --seed ${n + 1}\n`).join(""),
  });
  await root.add(path, "plumbline.tar.gz");
  const done = await root.run([`${boards}`, SIM, `--frames ${frames}`], { out, env, seconds });
  const read = (name: string) => {
    try {
      return Deno.readTextFileSync(`${out}/${name}`);
    } catch {
      return "";
    }
  };
  const logs = Array.from({ length: boards }, (_, n) => read(`results/b${n + 1}.log`)).join("");
  const said = [done.stderr, read("page"), logs].join("\n");
  assertEquals(done.code, 0, said);
  const json = read("results/farm.json");
  assert(json !== "", said);
  const page = JSON.parse(json) as Matrix;
  return { out, read, said, page, status: read("status").trim() };
}

const callsOf = (text: string, board: string) =>
  text.split("\n").filter((line) => line.startsWith(`-p ${board} `)).map((line) =>
    line.split(" ")[2]
  );

labgridTest(
  "a night on labgrid switches boards on, runs the tarball, and fetches all results",
  false,
  async (archive) => {
    const done = await night(archive, 2, { bitstreams: ["top", "next"] });
    assertEquals(done.status, "0", done.said);
    assertEquals(
      done.page.rows.map(({ board, verdict, runs, cells }) => [
        ...[board, verdict.word, runs.length],
        ...cells.map(({ policy, worst, summary }) =>
          `${policy} ${worst} ${summary.pass + summary.xfail}`
        ),
      ]),
      [
        ["b1", "PASS", 2, `streaming PASS ${CASES}`, `none XFAIL ${CASES}`],
        ["b2", "PASS", 2, `streaming PASS ${CASES}`, `none XFAIL ${CASES}`],
      ],
    );
    for (const board of ["b1", "b2"]) {
      assertEquals(callsOf(done.read("calls"), board), ["acquire", "release"]);
    }
    // no place is left behind
    assertEquals(done.read("who").includes("b1"), false, done.read("who"));
  },
);

labgridTest(
  "of eight boards of labgrid one dies, one hangs and one is held by somebody else: nothing is lost",
  true,
  async (archive) => {
    const done = await night(archive, 8, {
      ...{ frames: 2000, seconds: 900, run: 150 },
      env: { DIES: "b3", HANGS: "b4", HELD: "b5" },
    });
    assertEquals(done.status, "3", done.said);
    const row = (board: string) => done.page.rows.find((one) => one.board === board);
    for (const board of ["b1", "b2", "b6", "b7", "b8"]) {
      assertEquals([board, row(board)?.verdict.word], [board, "PASS"], done.said);
    }
    // a dead board has nothing to fetch. One that hung was switched off and on, and its journal was fetched
    assertEquals([row("b3")?.verdict.word, row("b3")?.cells.length], ["ERROR", 0]);
    assertEquals([row("b4")?.verdict.word, row("b4")?.cells[0]?.worst], ["ERROR", "ERROR"]);
    assertEquals([row("b5")?.verdict.word, row("b5")?.cells.length], ["ERROR", 0]);
    assertStringIncludes(done.read("results/b4.log"), "b4: top: top did not end in 150 s");
    assertStringIncludes(done.read("results/b5.log"), "already acquired by elsewhere/somebody");
    // the place of somebody else was not released
    assertEquals(callsOf(done.read("calls"), "b5"), ["acquire"]);
    assertEquals(callsOf(done.read("calls"), "b3"), ["acquire", "release"]);
  },
);

labgridTest(
  "a board costs as many calls and bytes on a labgrid of 1, 2, 4 and 8 boards",
  true,
  async (archive) => {
    const bytes: number[] = [];
    for (const count of [1, 2, 4, 8]) {
      const done = await night(archive, count, { seconds: 600 });
      assertEquals(done.status, "0", done.said);
      for (let n = 1; n <= count; n++) {
        assertEquals(callsOf(done.read("calls"), `b${n}`), ["acquire", "release"]);
        bytes.push(Deno.statSync(`${done.out}/results/b${n}/top/journal.jsonl`).size);
      }
    }
    assert(Math.max(...bytes) / Math.min(...bytes) < 1.05, `journals of ${bytes.join()} bytes`);
  },
);

labgridTest(
  "the limit of a night ends a board that hangs, and releases its place",
  true,
  async (archive) => {
    const env = { HANGS: "b1", FARM_LIMIT: "120" };
    const done = await night(archive, 2, { frames: 2000, env, seconds: 600, run: 3000 });
    assertEquals(done.status, "3", done.said);
    const [hung, other] = done.page.rows;
    assertEquals([hung?.board, hung?.verdict.word, hung?.cells.length], ["b1", "ERROR", 0]);
    assertEquals([other?.board, other?.verdict.word], ["b2", "PASS"], done.said);
    assertEquals(callsOf(done.read("calls"), "b1"), ["acquire", "release"]);
  },
);
