// SPDX-License-Identifier: MIT
// The farm of examples/slurm on Debian's Slurm, with simulated boards. A deno test -A starts all daemons and ends them.
// The failures of boards take minutes, because Slurm counts time limits in minutes: PLUMBLINE_FULL=1 runs them.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { UnavailableError } from "../fixtures/host/run.ts";
import { tempDir } from "../hil/testing/temp_dir.ts";
import type { Matrix } from "../hil/results/matrix.ts";
import { prepareSlurm, processesOf, Slurm } from "./testing/slurm.ts";

const FARM = fileURLToPath(new URL("slurm/", import.meta.url));
const MAIN = fileURLToPath(new URL("../hil/cli/main.ts", import.meta.url));
const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";
const REQUIRED = Deno.uid() === 0 && (Deno.env.get("PLUMBLINE_REQUIRE") ?? "") !== "";

const PLUMBLINE = `${Deno.execPath()} run -A --no-check ${MAIN}`;
const SIM = "--board sim --suite loopback --policy streaming,none --size 4096 --depth 1";

/** Cases of a run: those of both series of the suite, under each policy. */
const CASES = 2;

const reason = await prepareSlurm().then(() => null, (error: unknown) => {
  if (error instanceof UnavailableError) return error.message;
  throw error;
});

function slurmTest(name: string, full: boolean, fn: () => Promise<void>): void {
  const missing = reason === null ? "" : ` (skipped: ${reason})`;
  const long = full && !FULL ? " (skipped: PLUMBLINE_FULL=1 runs it)" : "";
  Deno.test({
    name: name + (long || missing),
    ignore: long !== "" || (reason !== null && !REQUIRED),
    async fn() {
      if (reason !== null) throw new Error(`A farm is required: ${reason}`);
      await fn();
    },
  });
}

const boardsOf = (count: number) => Array.from({ length: count }, (_, n) => `b${n + 1}`);

/** What a night left. */
interface Night {
  readonly results: string;
  readonly status: string;
  readonly page: Matrix;
  readonly text: string;
  /** The largest number of Deno's processes that a board had at once. */
  readonly processes: ReadonlyMap<string, number>;
}

/** Submits a night, and waits until its results are folded, without a call of Slurm. */
async function night(
  slurm: Slurm,
  boards: readonly string[],
  { bitstreams = ["top"], slow = [], env = {}, minutes = 5 }: {
    readonly bitstreams?: readonly string[];
    /** Boards whose runs take hours. */
    readonly slow?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly minutes?: number;
  } = {},
): Promise<Night> {
  const dir = tempDir();
  const results = `${dir}/results`;
  await Deno.writeTextFile(
    `${dir}/boards`,
    boards.map((name) => `${name} ${SIM} --frames ${slow.includes(name) ? 9_000_000 : 20}\n`).join(
      "",
    ),
  );
  const lines = bitstreams.map((name, index) => `${name} --seed ${index + 1}\n`);
  await Deno.writeTextFile(`${dir}/bitstreams`, `# made by a test\n\n${lines.join("")}`);
  await slurm.run(`${FARM}submit`, [results], {
    ...{ PLUMBLINE, FARM_BOARDS: `${dir}/boards`, FARM_BITSTREAMS: `${dir}/bitstreams` },
    ...env,
  });
  const processes = new Map<string, number>();
  const end = performance.now() + minutes * 60_000;
  for (;;) {
    const now = Map.groupBy(processesOf(slurm.dir), ({ board }) => board);
    for (const [board, found] of now) {
      const count = found.filter(({ program }) => program === "deno").length;
      if (board !== null) processes.set(board, Math.max(processes.get(board) ?? 0, count));
    }
    const status = await Deno.readTextFile(`${results}/status`).catch(() => null);
    if (status !== null) {
      const text = await Deno.readTextFile(`${results}/farm.txt`);
      const page = JSON.parse(await Deno.readTextFile(`${results}/farm.json`)) as Matrix;
      return { results, status: status.trim(), page, text, processes };
    }
    if (performance.now() > end) {
      throw new Error(`No results in ${minutes} minutes\n${await slurm.run("squeue", [])}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const journalBytes = ({ results }: Night, board: string, bitstream = "top") =>
  Deno.statSync(`${results}/${board}/${bitstream}/journal.jsonl`).size;

/** The number of cases in the JUnit file of a run. */
function casesIn({ results }: Night, run: string): number {
  return Deno.readTextFileSync(`${results}/${run}.xml`).match(/<testcase /g)?.length ?? 0;
}

slurmTest(
  "a night on Slurm runs each bitstream on each board, and folds all results",
  false,
  async () => {
    await using slurm = await Slurm.start(boardsOf(2));
    const done = await night(slurm, boardsOf(2), { bitstreams: ["top", "next"] });
    assertEquals(done.status, "0", done.text);
    assertEquals(
      done.page.rows.map(({ board, verdict, runs, cells }) => [
        ...[board, verdict.word, runs.length],
        ...cells.map(({ policy, worst, summary }) =>
          `${policy} ${worst} ${summary.pass + summary.xfail}`
        ),
      ]),
      [
        ["b1", "PASS", 2, `streaming PASS ${2 * CASES}`, `none XFAIL ${2 * CASES}`],
        ["b2", "PASS", 2, `streaming PASS ${2 * CASES}`, `none XFAIL ${2 * CASES}`],
      ],
    );
    for (const run of ["b1/top", "b1/next", "b2/top", "b2/next"]) {
      assertEquals([run, casesIn(done, run)], [run, 2 * CASES]);
    }
    assertEquals((await slurm.requests()).get("REQUEST_SUBMIT_BATCH_JOB"), 3);
  },
);

slurmTest("submit refuses lists that it cannot use, and calls no Slurm", false, async () => {
  const dir = tempDir();
  await Deno.writeTextFile(`${dir}/boards`, "b1 --board sim\nb1 --board sim\n");
  const refuse = async (...operands: string[]) => {
    const command = new Deno.Command(`${FARM}submit`, {
      args: operands,
      env: { FARM_BOARDS: `${dir}/boards`, PATH: "/usr/bin:/bin" },
      stderr: "piped",
    });
    const { code, stderr } = await command.output();
    return [code, new TextDecoder().decode(stderr)] as const;
  };
  assertEquals(await refuse(), [
    2,
    "submit: Expected one folder for the results, found 0 operands: submit RESULTS\n",
  ]);
  const [code, twice] = await refuse(`${dir}/results`);
  assertEquals(code, 2);
  assertStringIncludes(twice, "found b1 among the boards");
  assertStringIncludes((await refuse(dir))[1], "choose another name");
});

/** A command that ends a run in its middle: b3 dies, and the job of b4 stays, whatever signal it gets. */
const BREAK = `#!/bin/sh
case "$BOARD" in
b3 | b4) ;;
*) exec ${PLUMBLINE} "$@" ;;
esac
[ "$1" = run ] || exec ${PLUMBLINE} "$@"
for folder; do :; done
setsid ${PLUMBLINE} "$@" &
run=$!
while ! grep -q '"line":"start"' "$folder/journal.jsonl" 2> /dev/null; do sleep 0.1; done
sleep 1
kill -9 -$run
[ "$BOARD" = b4 ] || exit 137
trap '' TERM
while :; do sleep 1; done
`;

slurmTest(
  "of eight boards one dies, one hangs and one is held by somebody else: nothing is lost",
  true,
  async () => {
    const boards = boardsOf(8);
    await using slurm = await Slurm.start(boards);
    const dir = tempDir();
    await Deno.writeTextFile(`${dir}/plumbline`, BREAK, { mode: 0o755 });
    const held = await slurm.run("sbatch", [
      ...["--parsable", "--job-name=somebody", "--gres=board:b5:1", "--output=/dev/null"],
      ...["--wrap", "sleep 600"],
    ]);
    const done = await night(slurm, boards, {
      slow: ["b3", "b4"],
      env: { PLUMBLINE: `${dir}/plumbline`, FARM_LIMIT: "1", FARM_DEADLINE: "now+4minutes" },
      minutes: 12,
    });
    assertEquals(done.status, "3", done.text);
    assertEquals(done.page.rows.map(({ board }) => board), boards);
    const row = (board: string) => done.page.rows.find((one) => one.board === board);
    for (const board of ["b1", "b2", "b6", "b7", "b8"]) {
      assertEquals([board, row(board)?.verdict.word], [board, "PASS"]);
    }
    for (const board of ["b3", "b4"]) {
      assertEquals([board, row(board)?.verdict.word], [board, "ERROR"]);
      const [streaming] = row(board)?.cells ?? [];
      assertEquals([streaming?.policy, streaming?.worst], ["streaming", "ERROR"]);
    }
    assertEquals([row("b5")?.verdict.word, row("b5")?.cells.length], ["ERROR", 0]);
    assertStringIncludes(row("b5")?.verdict.reason ?? "", "results/b5/top");
    // the board of somebody else was left alone
    assertEquals(
      await slurm.run("squeue", ["--noheader", `--job=${held}`, "--format=%T"]),
      "RUNNING",
    );
    // each run that began has a file for CI. One that died has all planned cases, and one for its file
    const files = ["b1", "b2", "b3", "b4", "b6", "b7", "b8"].map((board) =>
      casesIn(done, `${board}/top`)
    );
    assertEquals(files, [4, 4, 5, 5, 4, 4, 4]);
  },
);

slurmTest(
  "a board costs as many calls, processes and bytes on a farm of 1, 2, 4 and 8 boards",
  true,
  async () => {
    const bytes: number[] = [];
    const rest: unknown[] = [];
    for (const count of [1, 2, 4, 8]) {
      const boards = boardsOf(count);
      await using slurm = await Slurm.start(boards);
      const done = await night(slurm, boards, { minutes: 10 });
      assertEquals(done.status, "0", done.text);
      const requests = await slurm.requests();
      const called = (name: string) => requests.get(name) ?? 0;
      rest.push({
        // one for each board, and one for the night
        submitted: (called("REQUEST_SUBMIT_BATCH_JOB") - 1) / count,
        completed: (called("REQUEST_COMPLETE_BATCH_SCRIPT") - 1) / count,
        processes: [...new Set(boards.map((board) => done.processes.get(board)))],
      });
      bytes.push(...boards.map((board) => journalBytes(done, board)));
    }
    assertEquals(rest, Array(4).fill({ submitted: 1, completed: 1, processes: [2] }));
    assert(Math.max(...bytes) / Math.min(...bytes) < 1.05, `journals of ${bytes.join()} bytes`);
  },
);
