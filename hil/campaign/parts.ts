// SPDX-License-Identifier: MIT
/**
 * The parts of the campaign: what each repeats, how often, and how one step of it runs.
 *
 * A step is one boot of a virtual board, or one process. It has a seed of its own, so a step that went
 * wrong can be repeated.
 *
 * @module
 */

import { type GuestOptions, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { checkout } from "../../fixtures/host/cache.ts";
import { makeScratch } from "../../fixtures/host/scratch.ts";
import { checkResults } from "../results/check.ts";

/** What one step did. */
export interface Step {
  /** How many of the part's units it did. */
  readonly done: number;
  /** Why it went wrong, or null. */
  readonly wrong: string | null;
}

/** A part of the campaign. */
export interface Part {
  /** Its name in the table and for `--only`. */
  readonly name: string;
  /** What it counts. */
  readonly unit: string;
  /** How many of them are wanted. */
  readonly goal: number;
  /** Runs one step. */
  readonly step: (seed: number, signal: AbortSignal) => Promise<Step>;
}

/** Seconds that a step may take. */
const LIMIT = 3600;

/** The end of the log of a board whose folder is gone when somebody reads what went wrong. */
async function kernelLog(out: string): Promise<string> {
  const log = await Deno.readTextFile(`${out}/console.log`).catch(() => "");
  return log.replaceAll("\r", "").split("\n").slice(-400).join("\n");
}

/** Runs the fuzzer in a guest; `count` finds numbers of units in what it printed. */
function fuzz(
  board: Pick<GuestOptions, "arch" | "kernel">,
  command: (seed: number) => string,
  count: RegExp,
): Part["step"] {
  return async (seed, signal) => {
    const out = await makeScratch("plumbline-campaign");
    try {
      const run = await runInGuest({
        ...board,
        outDir: out,
        command: ["sh", "-c", command(seed)],
        timeoutSeconds: LIMIT,
        stdout: "piped",
        stderr: "piped",
        signal,
      });
      signal.throwIfAborted();
      const why = run.lost ?? run.kernelReports[0] ??
        (run.exitCode === 0 ? null : `${run.stdout}\n${run.stderr}`.trim());
      const wrong = why === null ? null : `${why}\n${await kernelLog(out)}`;
      const done = run.stdout.matchAll(count).reduce((sum, [, number]) => sum + Number(number), 0);
      return { done, wrong };
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  };
}

/** Runs tests with their large numbers of inputs; a step is one round of all of them. */
function tests(files: readonly string[], inputs: number): Part["step"] {
  return async (seed, signal) => {
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", ...files],
      cwd: checkout,
      env: { PLUMBLINE_FULL: "1", PLUMBLINE_SEED: `${seed}`, NO_COLOR: "1" },
      signal,
      stderr: "null",
    }).output();
    signal.throwIfAborted();
    const text = new TextDecoder().decode(stdout);
    return { done: success ? inputs : 0, wrong: success ? null : text.slice(-2000) };
  };
}

/** Runs good frames on a board: every alarm is a false one. */
function goodFrames(...args: string[]): Part["step"] {
  return async (seed, signal) => {
    const out = await makeScratch("plumbline-campaign");
    try {
      const run = ["hil/cli/main.ts", "run", "--suite=loopback", "--timeout=1h", ...args];
      await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", ...run, `--seed=${seed}`, `--results=${out}`, "--quiet"],
        cwd: checkout,
        signal,
        stdout: "null",
        stderr: "null",
      }).output();
      signal.throwIfAborted();
      const { tests, verdict } = checkResults(
        JSON.parse(await Deno.readTextFile(`${out}/results.json`)),
      );
      const done = tests.reduce(
        (sum, test) => sum + (test.outcome === "PASS" ? test.frames : 0),
        0,
      );
      return { done, wrong: verdict?.exit === 0 ? null : verdict?.reason ?? "no verdict" };
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  };
}

/** Kills QEMU at some moment of a transfer. The next board must work, and be told apart from the lost one. */
async function killedMachine(seed: number, signal: AbortSignal): Promise<Step> {
  const out = await makeScratch("plumbline-campaign");
  try {
    let qemu = 0;
    let moving = false;
    const killed = await runInGuest({
      ...PLAIN,
      ...{ outDir: out, timeoutSeconds: 600, signal },
      command: ["sh", "-c", `echo moving; exec fuzz storm ${seed} 100000`],
      onStart: (pid) => qemu = pid,
      stdout: () => {
        if (moving) return;
        moving = true;
        setTimeout(() => Deno.kill(qemu, "SIGKILL"), 100 + (seed * 379) % 3000);
      },
    });
    signal.throwIfAborted();
    if (killed.lost !== "QEMU was killed by SIGKILL") {
      return { done: 0, wrong: `Expected a lost board, found ${killed.lost ?? killed.exitCode}` };
    }
    const { wrong } = await fuzz(PLAIN, () => `fuzz storm ${seed} 3`, OWNERS)(seed, signal);
    return { done: wrong === null ? 1 : 0, wrong };
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

/** Virtual boards that move many frames. The others have engines that move some kilobytes in a second. */
const BOARDS = ["vm:x86_64", "vm:aarch64", "vm:armhf"] as const;
const BOARD_FRAMES = ["--size=64,4096", "--depth=max", "--frames=25000"];

const PLAIN = { arch: "x86_64" } as const;
const DEBUG = { arch: "x86_64", kernel: "debug" } as const;
const CALLS = /(\d+) calls in/g;
const OWNERS = /(\d+) owners killed/g;
const FAILED = /(\d+) allocations failed/g;

/** Test programs in which the campaign lets each allocation fail. */
const TESTS = [
  "robustness stores",
  "robustness copyout",
  "robustness waits",
  "robustness unbind 1",
  "sharing free 1",
  "sharing io 1",
  "dmabuf import heap 1",
  "dmabuf export 1",
  "dmabuf unbound",
];

/** A run of Plumbline itself in the guest, which needs a minute or more there. */
const PROGRAM = "sh -c 'rm -rf /tmp/run; exec deno run -A --no-check hil/cli/main.ts run " +
  "--board=local --suite=loopback --policy=streaming --size=4096 --depth=1 --frames=4 --quiet " +
  "--results=/tmp/run'";

/** The parts, cheapest first, because a defect that a cheap one finds need not cost a night. */
export const PARTS: readonly Part[] = [
  {
    name: "answers",
    unit: "calls of a driver that answers nonsense",
    goal: 10_000_000,
    step: tests(["driver/hostile_test.ts"], 1_000_000),
  },
  {
    name: "files",
    unit: "damaged bitstreams and side files",
    goal: 10_000_000,
    step: tests(["fixtures/bitstream/fuzz_test.ts"], 1_000_000),
  },
  {
    name: "journals",
    unit: "damaged journals and result files",
    goal: 10_000_000,
    step: tests(["hil/journal/fuzz_test.ts"], 2_000_000),
  },
  {
    name: "agent-frames",
    unit: "hostile frames to the agent",
    goal: 10_000_000,
    step: tests(["fixtures/agent/build_test.ts"], 1_000_000),
  },
  {
    name: "desks",
    unit: "desks, agents and networks lost in mid-transfer",
    goal: 3000,
    step: tests(["hil/suite_tests/remote/loss_test.ts"], 150),
  },
  {
    name: "frames",
    unit: "good frames on sim",
    goal: 10_000_000,
    step: goodFrames("--board=sim", "--frames=200"),
  },
  ...BOARDS.map((board): Part => ({
    name: `frames-${board.replace(/^vm:/, "")}`,
    unit: `good frames on ${board}`,
    goal: 1_000_000,
    step: goodFrames(`--board=${board}`, "--policy=coherent,streaming,none", ...BOARD_FRAMES),
  })),
  {
    name: "calls",
    unit: "hostile calls on Debian's kernel, each answer checked",
    goal: 10_000_000,
    step: fuzz(PLAIN, (seed) => `fuzz model ${seed} 500000`, CALLS),
  },
  {
    name: "deaths",
    unit: "owners killed in mid-transfer",
    goal: 1000,
    step: fuzz(PLAIN, (seed) => `fuzz storm ${seed} 250`, OWNERS),
  },
  {
    name: "removals",
    unit: "devices removed under an owner that is killed then",
    goal: 1000,
    step: fuzz(PLAIN, (seed) => `fuzz storm ${seed} 250 unbind`, OWNERS),
  },
  { name: "machines", unit: "boards whose QEMU was killed", goal: 100, step: killedMachine },
  {
    name: "watched-calls",
    unit: "hostile calls on the debug kernel, each answer checked",
    goal: 1_000_000,
    step: fuzz(DEBUG, (seed) => `fuzz model ${seed} 100000`, CALLS),
  },
  {
    name: "watched-failures",
    unit: "calls on the debug kernel while allocations fail",
    goal: 1_000_000,
    step: fuzz(DEBUG, (seed) => `fuzz failing ${seed} 50000`, CALLS),
  },
  {
    name: "watched-allocations",
    unit: "allocations of the test programs that failed on the debug kernel, one in each run",
    goal: 1000,
    step: fuzz(
      DEBUG,
      (seed) => TESTS.map((test) => `fuzz_nth ${seed} 10 120 ${test}`).join(" && "),
      FAILED,
    ),
  },
  {
    name: "watched-program",
    unit: "allocations of one run of plumbline that failed on the debug kernel, one in each run",
    goal: 100,
    step: fuzz(DEBUG, (seed) => `fuzz_nth ${seed} 4 900 ${PROGRAM}`, FAILED),
  },
  {
    name: "watched-deaths",
    unit: "owners killed on the debug kernel, half of them without their device",
    goal: 1000,
    step: fuzz(
      DEBUG,
      (seed) => `fuzz storm ${seed} 50 && fuzz storm ${seed} 50 unbind`,
      OWNERS,
    ),
  },
];
