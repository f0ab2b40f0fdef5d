// SPDX-License-Identifier: MIT
/**
 * How many minutes each group of tests takes, from the lines of `deno test`. A JUnit report would lack what
 * a file does before its tests, such as fetching a kernel, and counts the time of a step twice.
 *
 * @module
 */

/** A group of tests. */
interface Group {
  readonly name: string;
  /** Starts of its files' paths. The first group that matches takes a file. */
  readonly starts: readonly string[];
  /** Its cap on an idle machine, minutes. Null for none. */
  readonly cap: number | null;
}

const GROUPS: readonly Group[] = [
  { name: "fresh root", starts: ["fixtures/host/fresh_machine_test.ts"], cap: 3 },
  {
    name: "engines of others",
    starts: [
      "fixtures/boards/vm/vendor/",
      "fixtures/boards/vm/axi_dmac/",
      "fixtures/boards/vm/edu/",
      "hil/suite_tests/engines/",
    ],
    cap: 4,
  },
  {
    name: "hostile calls",
    starts: ["driver/kernel/tests/fuzz_vm_test.ts", "driver/kernel/tests/debug_vm_test.ts"],
    cap: 4,
  },
  { name: "kernel module", starts: ["driver/kernel/"], cap: null },
  { name: "binding", starts: ["driver/"], cap: null },
  { name: "agent", starts: ["fixtures/agent/"], cap: null },
  { name: "RTL", starts: ["fixtures/loopback/"], cap: null },
  { name: "co-simulation", starts: ["fixtures/boards/vm/cosim/"], cap: null },
  { name: "virtual boards", starts: ["fixtures/boards/vm/"], cap: null },
  { name: "simulated board", starts: ["fixtures/boards/sim/"], cap: null },
  { name: "bitstreams", starts: ["fixtures/bitstream/"], cap: null },
  { name: "remote boards", starts: ["hil/suite_tests/remote/"], cap: 4 },
  { name: "suites on every board", starts: ["hil/suite_tests/"], cap: null },
  { name: "self-check", starts: ["hil/selfcheck/"], cap: null },
  { name: "verdicts on real kernels", starts: ["hil/frames/vm_test.ts"], cap: 3 },
  { name: "causes on real kernels", starts: ["hil/diagnosis/vm_test.ts"], cap: 3 },
  { name: "audit", starts: ["hil/audit/"], cap: 2 },
  { name: "benchmark", starts: ["hil/bench/"], cap: null },
  { name: "report", starts: ["hil/report/"], cap: null },
  { name: "commands", starts: ["hil/cli/"], cap: null },
  { name: "mutants", starts: ["hil/mutants/"], cap: 3 },
  { name: "tarball", starts: ["hil/dist/"], cap: null },
  { name: "farm on Slurm", starts: ["examples/slurm_test.ts"], cap: 1 },
  { name: "farm on labgrid", starts: ["examples/labgrid_test.ts"], cap: 1 },
  { name: "examples", starts: ["examples/"], cap: null },
];

const REST = "everything else";

/** Minutes that a run may take in all on an idle machine with an empty cache. */
const CAP = 75;

/** Adds up the time of each group from the lines of `deno test`. */
export class Minutes {
  readonly #seconds = new Map<string, number>();
  #group = REST;
  /** End of the time that is counted already, s. */
  #counted: number;
  #last: number;

  /**
   * Starts to count.
   *
   * @param seconds When the first test starts. Defaults to 0
   */
  constructor(seconds = 0) {
    this.#counted = this.#last = seconds;
  }

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
      this.#group = GROUPS.find(({ starts }) =>
        starts.some((start) => file.startsWith(start))
      )?.name ?? REST;
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
   * @returns The seconds of each group, by name
   */
  end(): ReadonlyMap<string, number> {
    this.#group = REST;
    this.#count();
    return this.#seconds;
  }
}

/**
 * Writes the minutes of each group, and names the groups over their cap. Groups that run at the same time
 * slow each other down, so their minutes add up to more than the time of the whole.
 *
 * @param streams The seconds of each group, by name, for each stream of tests
 * @param seconds How long all of it took
 * @returns The table, a line for each group that took time
 */
export function minutesTable(
  streams: readonly ReadonlyMap<string, number>[],
  seconds: number,
): string {
  const row = (name: string, seconds: number, cap: number | null): string => {
    const minutes = seconds / 60;
    const over = cap !== null && minutes > cap ? `  over its cap of ${cap}` : "";
    return `${minutes.toFixed(1).padStart(6)}  ${name}${over}`;
  };
  const rows = [...GROUPS, { name: REST, cap: null }].flatMap(({ name, cap }) => {
    const seconds = streams.reduce((sum, stream) => sum + (stream.get(name) ?? 0), 0);
    return seconds === 0 ? [] : [row(name, seconds, cap)];
  });
  return ["Minutes by group of tests:", ...rows, row("from start to end", seconds, CAP)].join("\n");
}
