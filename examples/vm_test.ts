// SPDX-License-Identifier: MIT
// The example projects on virtual boards whose logic is empty at first. Plain deno test and plumbline run
// load the bitstreams. The three designs of examples/team are cores of the board. Those of examples/designs
// are models, which a program in the guest plays behind the real driver.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { hostArch, runInGuest } from "../fixtures/boards/vm/mod.ts";
import { boardTest } from "../fixtures/boards/vm/testing/board.ts";
import { fold } from "../hil/journal/fold.ts";
import { Journal } from "../hil/journal/journal.ts";
import { checkResults } from "../hil/results/check.ts";

const SCRIPT = `
export NO_COLOR=1 TEAM_BITSTREAMS=/tmp/bitstreams
deno run -A --no-check examples/team/make_bitstreams.ts $TEAM_BITSTREAMS || exit 10
cd examples/team
PLUMBLINE_RESULTS=/out/plain deno test -A --no-check -- --frames=20 > /out/plain.log 2>&1; echo $? >> /out/codes
plumbline() { deno run -A --no-check /plumbline/hil/cli/main.ts "$@"; }
plumbline run --quiet --results=/out/run --junit=/out/run.xml --frames=5 --size=64,4096 . > /out/run.log 2>&1
echo $? >> /out/codes

# one run holds the board, and the other one names it
deno run -A --no-check /plumbline/hil/cli/main.ts run --quiet --results=/out/first --suite=loopback --policy=streaming --size=64 \\
  --depth=1 --duration=10m . > /out/first.log 2>&1 &
while ! grep -q '"line":"start"' /out/first/journal.jsonl 2> /dev/null; do sleep 0.2; done
plumbline run --quiet --results=/out/second . > /out/second.log 2>&1; echo $? >> /out/codes
deno test -A --no-check tests/loopback_test.ts > /out/third.log 2>&1; echo $? >> /out/codes
kill $!
wait
# after the first run, the board is free
plumbline run --quiet --results=/out/fourth --suite=loopback --policy=streaming --size=64 . \\
  > /out/fourth.log 2>&1; echo $? >> /out/codes

# the core is not the one that the file next to the bitstream promises
sed 's/"id": *[0-9"a-fx]*/"id": "0x00009999"/' $TEAM_BITSTREAMS/loopback.bit.json > /tmp/wrong.json
cp $TEAM_BITSTREAMS/loopback.bit /tmp/wrong.bit; cp /tmp/wrong.json /tmp/wrong.bit.json
plumbline run --quiet --results=/out/wrong --suite=loopback --policy=streaming --size=64 \\
  --bitstream=/tmp/wrong.bit . > /out/wrong.log 2>&1; echo $? >> /out/codes
# a disk that is full before the end of the run
mkdir /tmp/small && mount -t tmpfs -o size=16k small /tmp/small
plumbline run --quiet --results=/tmp/small --suite=loopback . > /out/small.log 2>&1
echo $? >> /out/codes
PLUMBLINE_RESULTS=/tmp/small/plain deno test -A --no-check tests/loopback_test.ts \
  > /out/small-plain.log 2>&1; echo $? >> /out/codes
plumbline run --quiet --results=/out/after --suite=loopback --policy=streaming --size=64 . \
  > /out/after.log 2>&1; echo $? >> /out/codes
exit 0`;

await boardTest("aarch64", "examples/team passes on vm:aarch64", async (dir) => {
  const run = await runInGuest({
    arch: "aarch64",
    pl: "empty",
    command: ["sh", "-c", SCRIPT],
    outDir: dir,
    timeoutSeconds: 1800,
    stdout: "piped",
    stderr: "piped",
  });
  const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  assertEquals(run.exitCode, 0, `${run.lost}\n${run.stderr}`);
  assertEquals(run.kernelReports, []);
  const codes = read("codes").trim().split("\n");
  assertEquals(codes[0], "0", read("plain.log").slice(-3000));
  assertEquals(codes[1], "0", read("run.log"));
  const results = checkResults(JSON.parse(read("run/results.json")));
  assertEquals([...new Set(results.tests.map((test) => test.suite))].sort(), [
    "counter",
    "loopback",
    "scrambler",
  ]);
  // each file loaded its own bitstream, and the results name the first one
  assertEquals(results.bitstream.identity, "proved");
  assertEquals(results.board.simulated, true);
  assertStringIncludes(read("run.xml"), '<property name="bitstream.sha256"');

  assertEquals(codes[2], "3", read("second.log"));
  assertStringIncludes(read("second.log"), "/dev/pldma0 is held by plumbline run, process ");
  assertEquals(codes[3], "1");
  assertStringIncludes(read("third.log"), "/dev/pldma0 is held by plumbline run, process ");
  assertStringIncludes(read("first/results.json"), "the run was interrupted");
  assertEquals(codes[4], "0", read("fourth.log"));

  assertEquals(codes[5], "1", read("wrong.log"));
  const wrong = checkResults(JSON.parse(read("wrong/results.json")));
  assertEquals(wrong.bitstream.identity, "wrong");
  assertEquals([...new Set(wrong.tests.map(({ outcome, frames }) => `${outcome} ${frames}`))], [
    "FAIL 0",
  ]);

  assertEquals(codes[6], "3", read("small.log"));
  assertStringIncludes(read("small.log"), "No space left on device");
  assertEquals(codes[7], "1");
  assertStringIncludes(read("small-plain.log"), "No space left on device");
  assertEquals(codes[8], "0", read("after.log"));
});

const DESIGNS = `
deno run -A --no-check examples/designs/make_bitstreams.ts /tmp/designs || exit 10
config=$PWD/examples/designs/deno.json tests=$PWD/examples/designs/tests play=$PWD/fixtures/boards/vm/softdma/play.ts
cd /tmp/designs
deno run -A --no-check --config $config $play $tests/*_test.ts > /out/play.log 2>&1 &
while ! grep -q ^playing /out/play.log; do sleep 0.2; kill -0 $! || exit 11; done
PLUMBLINE_RESULTS=/out/designs deno test -A --no-check --config $config $tests/ \
  -- --policy=streaming,none > /out/designs.log 2>&1; code=$?
kill $!
exit $code`;

await boardTest(
  hostArch,
  `examples/designs passes on vm:${hostArch}, with models behind the real driver`,
  async (dir) => {
    const run = await runInGuest({
      ...{ arch: hostArch, pl: "empty", registers: true, timeoutSeconds: 1800 },
      command: ["sh", "-c", DESIGNS],
      env: { NO_COLOR: "1" },
      outDir: dir,
      stdout: "piped",
      stderr: "piped",
    });
    const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
    assertEquals(run.lost, null, run.stderr);
    assertEquals(run.exitCode, 0, `${run.stderr}\n${read("play.log")}\n${read("designs.log")}`);
    assertEquals(run.kernelReports, []);
    const { tests, board, power } = fold(Journal.read(`${dir}/designs/journal.jsonl`));
    assertEquals([board.kind, board.engine], ["vm", "pl_softdma"]);
    const counted = Map.groupBy(tests, ({ suite, outcome }) => `${suite} ${outcome}`);
    assertEquals(
      Object.fromEntries([...counted].map(([name, { length }]) => [name, length])),
      {
        ...{ "camera PASS": 1, "camera XFAIL": 1, "fir PASS": 2, "fir XFAIL": 2 },
        ...{
          "packetiser PASS": 2,
          "packetiser XFAIL": 2,
          "registers PASS": 3,
          "registers XFAIL": 2,
        },
      },
    );
    // missing syncs were seen in both directions, in data that a model answered
    assertEquals([power.tx, power.rx], [true, true]);
  },
);
