// SPDX-License-Identifier: MIT
/**
 * Copies the output of `deno test` to the terminal and to a log, and prints at its end how many minutes
 * each group of tests took, with the groups over their cap.
 *
 * `… 2>&1 | deno run --allow-write .ci/minutes.ts LOG`. A JUnit report would lack what a file does
 * before its tests, such as fetching a kernel, and counts the time of a step twice.
 *
 * @module
 */

/** A group of tests. */
interface Group {
  readonly name: string;
  /** Start of its files' paths. The first group that matches takes a file. */
  readonly start: string;
  /** Its cap on an idle machine, minutes. Null for none. */
  readonly cap: number | null;
}

const GROUPS: readonly Group[] = [
  { name: "fresh root", start: "fixtures/host/fresh_machine_test.ts", cap: 3 },
  { name: "kernel module", start: "driver/kernel/", cap: null },
  { name: "binding", start: "driver/", cap: null },
  { name: "RTL", start: "fixtures/loopback/", cap: null },
  { name: "co-simulation", start: "fixtures/boards/vm/cosim/", cap: null },
  { name: "virtual boards", start: "fixtures/boards/vm/", cap: null },
  { name: "simulated board", start: "fixtures/boards/sim/", cap: null },
  { name: "bitstreams", start: "fixtures/bitstream/", cap: null },
  { name: "suites on every board", start: "hil/suite_tests/", cap: null },
  { name: "self-check", start: "hil/selfcheck/", cap: null },
  { name: "benchmark", start: "hil/bench/", cap: null },
  { name: "report", start: "hil/report/", cap: null },
  { name: "commands", start: "hil/cli/", cap: null },
  { name: "tarball", start: "hil/dist/", cap: null },
  { name: "examples", start: "examples/", cap: null },
];

const REST = "everything else";

/** Minutes that a run may take in all on an idle machine with an empty cache. */
const CAP = 75;

/** Adds up the time of each group from the lines of `deno test`. */
export class Minutes {
  readonly #seconds = new Map<string, number>();
  #group = REST;
  /** End of the time that is counted already, s. */
  #counted = 0;
  #last = 0;

  /**
   * Takes a line.
   *
   * @param text The line, complete
   * @param seconds When it came, since the start
   */
  line(text: string, seconds: number): void {
    this.#last = seconds;
    const file = /^running \d+ tests? from (?:\.\/)?(\S+)$/.exec(text)?.[1];
    if (file !== undefined) {
      // the time since the last result is that of loading this file
      this.#group = GROUPS.find(({ start }) => file.startsWith(start))?.name ?? REST;
    } else if (/^(?:Check |(?:ok|FAILED) \|)/.test(text)) this.#group = REST;
    else if (!/ (?:ok|FAILED|ignored)(?: \(\S+\))* *$/.test(text)) return;
    this.#count();
  }

  #count(): void {
    const passed = this.#last - this.#counted;
    this.#seconds.set(this.#group, (this.#seconds.get(this.#group) ?? 0) + passed);
    this.#counted = this.#last;
  }

  /**
   * Ends the count.
   *
   * @returns The table, a line for each group that took time
   */
  table(): string {
    this.#group = REST;
    this.#count();
    const row = (name: string, seconds: number, cap: number | null): string => {
      const minutes = seconds / 60;
      const over = cap !== null && minutes > cap ? `  over its cap of ${cap}` : "";
      return `${minutes.toFixed(1).padStart(6)}  ${name}${over}`;
    };
    const rows = [...GROUPS, { name: REST, cap: null }].flatMap(({ name, cap }) => {
      const seconds = this.#seconds.get(name) ?? 0;
      return seconds === 0 ? [] : [row(name, seconds, cap)];
    });
    return ["Minutes by group of tests:", ...rows, row("in all", this.#last, CAP)].join("\n");
  }
}

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined) {
    console.error("Expected the path of a log, found nothing");
    Deno.exit(2);
  }
  using log = await Deno.open(path, { write: true, create: true, truncate: true });
  const minutes = new Minutes();
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of Deno.stdin.readable) {
    for (const file of [Deno.stdout, log]) {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    }
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) minutes.line(line, performance.now() / 1000);
  }
  console.log(minutes.table());
}
