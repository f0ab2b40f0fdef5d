// SPDX-License-Identifier: MIT
// plumbline bench on the simulated board: measurements, advice, limits, and partial reports.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { canMount, mountSmall, unmount } from "../../fixtures/host/testing/small_disk.ts";
import { Journal } from "../journal/journal.ts";
import { checkResults } from "../results/check.ts";
import type { Results } from "../results/schema.ts";
import { tempDir } from "../testing/temp_dir.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

/** A small run of all suites. */
const SMALL = ["--board=sim", "--size=4K", "--depth=2", "--policy=coherent,streaming,none"];

/** Measurements that are counted or derived from others, so they have no spread. */
const BARE = ["cpu user", "cpu system", "bytes synced per byte", "pin and map per page"];

function start(dir: string, ...args: string[]): Deno.ChildProcess {
  return launch(dir, ...SMALL, ...args);
}

function launch(dir: string, ...args: string[]): Deno.ChildProcess {
  const { PLUMBLINE_RESULTS: _results, ...env } = Deno.env.toObject();
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "bench", `--results=${dir}/run`, ...args],
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function end(
  child: Deno.ChildProcess,
): Promise<{ code: number; results: Results | null; stderr: string }> {
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const json = text(stdout);
  return {
    code,
    results: json === "" ? null : checkResults(JSON.parse(json)),
    stderr: text(stderr),
  };
}

async function bench(dir: string, ...args: string[]) {
  return await end(start(dir, "--json=-", ...args));
}

Deno.test("plumbline bench measures, advises, describes the machine, and prints tables", async () => {
  const dir = tempDir();
  const { code, results, stderr } = await bench(dir);
  assertEquals(code, 0, stderr);
  assert(results !== null);
  const names = new Set(results.tests.flatMap((test) => test.measurements.map(({ name }) => name)));
  for (
    const name of [
      ...[
        "throughput",
        "frame rate",
        "cpu share",
        "cpu user",
        "cpu system",
        "bytes synced per byte",
      ],
      ...["handover time", "sync call", "memcpy", "cpu access", "ioctl round trip"],
      ...["completion latency", "wake-up latency"],
    ]
  ) assert(names.has(name), name);
  // a measurement with samples has a spread, which contains its median
  for (const { name, value, spread, at } of results.tests.flatMap((test) => test.measurements)) {
    if (spread === undefined) {
      assert(at === undefined || at["percentile"] !== undefined || BARE.includes(name), name);
      continue;
    }
    const order = [spread.min, spread.p5, value, spread.p95, spread.max];
    assertEquals(order.toSorted((a, b) => a - b), order);
  }
  assertEquals(new Set(results.advice?.map(({ use }) => use)).size, 3);
  for (const { policy, why } of results.advice ?? []) {
    assert(policy === "coherent" || policy === "streaming", `${policy}`);
    assertStringIncludes(why, "SIMULATED");
  }
  assertEquals(results.crossovers?.map(({ faster, than }) => `${faster} ${than}`), [
    ...["coherent streaming", "coherent streaming", "coherent streaming"],
  ]);
  assertEquals(typeof results.environment?.["kernel command line"], "string");
  assertEquals(results.run.command.slice(0, 2), ["plumbline", "bench"]);
  assert(stderr.startsWith("SIMULATED: measured on a virtual board."), stderr.slice(0, 200));
  for (
    const title of ["Throughput, MB/s", "The four sync calls of", "CPU access to", "Recommended"]
  ) {
    assertStringIncludes(stderr, `\n\n${title}`);
  }

  // the same from the journal, later
  const again = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "report", "--json=-", "--quiet", `${dir}/run`],
  }).output();
  const reported = checkResults(JSON.parse(new TextDecoder().decode(again.stdout)));
  assertEquals(reported.advice, results.advice);
  assertEquals(reported.environment, results.environment);
});

Deno.test("plumbline bench syncs what a policy says, by the driver's counters", async () => {
  const { results } = await bench(
    tempDir(),
    "--suite=throughput",
    "--policy=streaming-lazy,noncoherent",
  );
  const synced = (policy: string): number[] => [
    ...new Set(
      results?.tests.filter((test) => test.policy === policy)
        .flatMap((test) => test.measurements)
        .filter(({ name, at }) => name === "bytes synced per byte" && at?.["direction"] === "loop")
        .map(({ value }) => value),
    ),
  ];
  assertEquals([synced("streaming"), synced("streaming-lazy"), synced("coherent")], [[4], [2], [
    0,
  ]]);
});

Deno.test("plumbline bench measures odd sizes, and limits the depth to the length of the queues", async () => {
  const { code, results, stderr } = await end(launch(
    tempDir(),
    ...["--json=-", "--board=sim", "--size=100", "--depth=100", "--policy=user-pages,streaming"],
    "--suite=throughput,handover,latency",
  ));
  assertEquals([code, results?.summary.skip], [0, 0], stderr);
  const cases = new Set(results?.tests.map(({ suite, policy }) => `${suite} ${policy}`));
  for (const suite of ["throughput", "handover"]) assert(cases.has(`${suite} user-pages`), suite);
  assert(cases.has("latency streaming"));
  const depths = results?.tests.filter(({ suite }) => suite === "throughput")
    .flatMap(({ measurements }) => measurements.flatMap(({ at }) => at?.["depth"] ?? []));
  assertEquals([...new Set(depths)], [64]);
});

Deno.test("plumbline bench --limits fails if a measurement exceeds its limit", async () => {
  const dir = tempDir();
  const at = { direction: "loop" };
  const limit = { policy: "streaming", measurement: "bytes synced per byte", at };
  const write = (limits: unknown) =>
    Deno.writeTextFileSync(`${dir}/limits.json`, JSON.stringify(limits));
  const run = async (limits: unknown) => {
    write(limits);
    const out = tempDir();
    return await bench(out, "--suite=throughput", `--limits=${dir}/limits.json`);
  };
  const kept = await run([{ ...limit, max: 4 }]);
  assertEquals(kept.code, 0, kept.stderr);
  const held = kept.results?.tests.flatMap((test) => test.measurements)
    .filter(({ limit }) => limit !== null);
  assertEquals(held?.map(({ limit, bound }) => [limit, bound]), [[4, "max"], [4, "max"]]);

  const broken = await run([{ ...limit, max: 3.5 }]);
  assertEquals([broken.code, broken.results?.verdict?.reason], [
    1,
    "1 case is outside of the limits",
  ]);
  const failed = broken.results?.tests.find(({ outcome }) => outcome === "FAIL");
  assertStringIncludes(failed?.reason ?? "", "is 4 B/B, the limit is at most 3.5");
  for (const { policy } of broken.results?.advice ?? []) assertEquals(policy, "coherent");

  const nothing = await run([{ ...limit, measurement: "speed", max: 4 }]);
  assertEquals(nothing.code, 3, nothing.stderr);
  assertStringIncludes(nothing.stderr, `Expected a measurement "speed"`);

  const wrong = await run([{ ...limit, maximum: 4 }]);
  assertEquals([wrong.code, wrong.results], [2, null]);
  assertMatch(wrong.stderr, /^plumbline: --limits: .*there is no key "maximum"[^\n]*\n$/);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`plumbline bench writes a valid partial report on ${signal}`, async () => {
    const dir = tempDir();
    const child = start(dir, "--json=-", "--suite=throughput", "--policy=all");
    const journal = `${dir}/run/journal.jsonl`;
    for (let i = 0; i < 600; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if ((await Deno.readTextFile(journal).catch(() => "")).includes('"line":"end"')) break;
    }
    child.kill(signal);
    const { code, results, stderr } = await end(child);
    assertEquals(code, 3, stderr);
    const reasons = results?.tests.map(({ reason }) => reason) ?? [];
    assert(reasons.includes("the run was interrupted"), stderr);
    assert(reasons.includes("never ran: the run was interrupted"), stderr);
    assert((results?.summary.pass ?? 0) > 0, stderr);
    assertStringIncludes(stderr, "PARTIAL: the run was interrupted: ");
    const file = JSON.parse(Deno.readTextFileSync(`${dir}/run/results.json`));
    assertEquals(checkResults(file), results);
  });
}

const mountable = canMount();

// the size of the disk decides who finds it full: a case, its file, or the parent process
for (const size of [24, 32, 40, 48]) {
  Deno.test({
    name: `plumbline bench writes a valid partial report on a disk of ${size} KiB` +
      (mountable ? "" : " (skipped: nothing can be mounted here)"),
    ignore: !mountable,
    async fn() {
      const disk = tempDir();
      assert(mountSmall(disk, size));
      try {
        const { code, results, stderr } = await bench(disk);
        assertEquals(code, 3, stderr);
        assert(results !== null);
        assert(results.summary.pass > 0, stderr);
        assert(
          results.tests.some(({ reason }) => /No space left|is the disk full/.test(reason ?? "")),
          stderr,
        );
        assertMatch(results.run.cut ?? "", /^(No space left|The journal )/, stderr);
        assertStringIncludes(stderr, `PARTIAL: ${results.run.cut}.`);
        // no file that looks like results but is not
        for (const { name } of Deno.readDirSync(`${disk}/run`)) {
          if (name.endsWith(".json")) {
            checkResults(JSON.parse(Deno.readTextFileSync(`${disk}/run/${name}`)));
          } else assert(name === "journal.jsonl" || name === "deno-test.log", name);
        }
        assert(Journal.read(`${disk}/run/journal.jsonl`).lines.length > 0);
      } finally {
        unmount(disk);
      }
    },
  });
}

Deno.test("plumbline bench refuses a device of another driver at once, and leaves nothing behind", async () => {
  const dir = tempDir();
  for (
    const [device, driver] of [
      ["/dev/dyplod0", "dyplo"],
      ["/dev/iio:device0+/dev/iio:device1", "IIO"],
      ["/dev/udmabuf0+/dev/uio0", "u-dma-buf"],
    ] as const
  ) {
    const { code, stderr } = await end(launch(dir, `--device=${device}`));
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, `${driver} at ${device} has neither: bind pldma to the engine`);
    assertEquals([...Deno.readDirSync(dir)], []);
  }
});
