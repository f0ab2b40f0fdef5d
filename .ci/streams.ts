// SPDX-License-Identifier: MIT
/**
 * Runs every automated test that can run here: first two streams at the same time, because a virtual board
 * keeps one core busy and waits often; then, alone, what compares times; then the tests of the report.
 *
 * The output of the second stream follows that of the first, so that the lines of a test stay together.
 *
 * @module
 */
import { Minutes, minutesTable } from "./minutes.ts";

/** Tests that compare times of one run, and need a machine without other load. */
const ALONE = [
  "driver/kernel/tests/gap_test.ts",
  "hil/bench",
  "hil/verify/speed_test.ts",
  "hil/verify/classify_speed_test.ts",
];

/** The same as patterns, because deno test with --doc ignores no folder that has another form. */
const NOT_TOGETHER = ALONE.map((path) => path.endsWith(".ts") ? `**/${path}` : `**/${path}/**`);

/** Suites are for boards. The report has a configuration of its own, with npm packages. */
const ELSEWHERE = ["**/suites/**", "**/hil/report/**"];

/** Files and folders of each stream. Both take about the same time. */
const STREAMS = [
  ["driver", "fixtures"],
  [
    "mod.ts",
    "mod_test.ts",
    ".ci",
    "hil",
    "offline",
    "packaging",
    "site",
    "examples/vm_test.ts",
    "examples/designs_test.ts",
    "examples/slurm_test.ts",
    "examples/labgrid_test.ts",
  ],
];

const encoder = new TextEncoder();

/** Tests that run in one process, one after the other. */
class Stream {
  readonly #process: Deno.ChildProcess;
  readonly #minutes = new Minutes(performance.now() / 1000);
  readonly #held: Uint8Array[] = [];
  readonly #read: Promise<void>;
  #isShown = false;

  /**
   * Starts the tests. Their output is held back until {@linkcode end} is called.
   *
   * @param args Arguments of deno
   */
  constructor(...args: string[]) {
    this.#process = new Deno.Command("sh", {
      args: ["-c", 'exec "$@" 2>&1', "sh", Deno.execPath(), ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#read = this.#copy();
  }

  async #copy(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.#process.stdout) {
      if (this.#isShown) await print(chunk);
      else this.#held.push(chunk);
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#minutes.line(line, performance.now() / 1000);
    }
  }

  /**
   * Shows the output, and waits for the end.
   *
   * @returns The seconds of each group, and whether all tests passed
   */
  async end(): Promise<{ seconds: ReadonlyMap<string, number>; ok: boolean }> {
    // what comes meanwhile is held back, too, so that lines keep their order
    for (let chunk = this.#held.shift(); chunk; chunk = this.#held.shift()) await print(chunk);
    this.#isShown = true;
    await this.#read;
    const { success } = await this.#process.status;
    return { seconds: this.#minutes.end(), ok: success };
  }

  /**
   * Passes a signal on.
   *
   * @param signal The signal
   */
  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // it has ended
    }
  }
}

async function print(chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += await Deno.stdout.write(chunk.subarray(at));
}

/** The tests of some files and folders. */
function tests(paths: readonly string[], ignored: readonly string[]): Stream {
  return new Stream("test", "-A", "--doc", `--ignore=${ignored.join()}`, ...paths);
}

const running: Stream[] = [];
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    for (const stream of running) stream.kill(signal);
    Deno.exit(signal === "SIGINT" ? 130 : 143);
  });
}

const results: Awaited<ReturnType<Stream["end"]>>[] = [];
for (
  const start of [
    () => STREAMS.map((paths) => tests(paths, [...ELSEWHERE, ...NOT_TOGETHER])),
    () => [tests(ALONE, ELSEWHERE)],
    () => [new Stream("run", "--no-config", "-A", "hil/report/testing/run.ts")],
  ]
) {
  running.splice(0, running.length, ...start());
  for (const stream of running) results.push(await stream.end());
}
const seconds = results.map((result) => result.seconds);
await print(encoder.encode(`${minutesTable(seconds, performance.now() / 1000)}\n`));
Deno.exit(results.every(({ ok }) => ok) ? 0 : 1);
