// SPDX-License-Identifier: MIT
/**
 * Prints how many minutes each group of tests took, and names the groups over their cap.
 *
 * Argument: the JUnit report of `deno test`. It holds the time of each test, but not the time of what a
 * file does before its tests, such as fetching a kernel.
 *
 * @module
 */

/** A group of tests: a name, the start of its files' paths, and its cap in minutes on an idle machine. */
const GROUPS: readonly (readonly [name: string, start: string, cap: number | null])[] = [
  ["fresh root", "fixtures/host/fresh_machine_test.ts", 3],
  ["kernel module", "driver/kernel/", null],
  ["binding", "driver/", null],
  ["RTL", "fixtures/loopback/", null],
  ["co-simulation", "fixtures/boards/vm/cosim/", null],
  ["virtual boards", "fixtures/boards/vm/", null],
  ["simulated board", "fixtures/boards/sim/", null],
  ["bitstreams", "fixtures/bitstream/", null],
  ["suites on every board", "hil/suite_tests/", null],
  ["self-check", "hil/selfcheck/", null],
  ["benchmark", "hil/bench/", null],
  ["commands", "hil/cli/", null],
  ["tarball", "hil/dist/", null],
  ["examples", "examples/", null],
  ["everything else", "", null],
];

const [path] = Deno.args;
if (path === undefined) {
  console.error("Expected the path of a JUnit report, found nothing");
  Deno.exit(2);
}
const seconds = new Map<string, number>();
let group = "";
for (
  const [, file, time] of (await Deno.readTextFile(path)).matchAll(
    /<testsuite name="(?:\.\/)?([^"]*)"|<testcase [^>]*\btime="([\d.]+)"/g,
  )
) {
  if (file !== undefined) group = GROUPS.find(([, start]) => file.startsWith(start))?.[0] ?? "";
  else seconds.set(group, (seconds.get(group) ?? 0) + Number(time));
}
console.log("Minutes by group of tests:");
for (const [name, , cap] of GROUPS) {
  const minutes = (seconds.get(name) ?? 0) / 60;
  if (minutes === 0) continue;
  const over = cap !== null && minutes > cap ? `  over its cap of ${cap}` : "";
  console.log(`${minutes.toFixed(1).padStart(6)}  ${name}${over}`);
}
