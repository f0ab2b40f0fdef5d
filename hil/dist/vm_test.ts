// SPDX-License-Identifier: MIT
// The tarball on a board without a network and without shared folders: unpack it, build and load the
// driver, run the tests, and return their results.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { buildModules } from "../../fixtures/boards/vm/mod.ts";
import { denoBinary } from "../../fixtures/boards/vm/system.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";
import { Journal } from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import { POLICIES } from "../../driver/uapi.ts";
import { makeTarball } from "./dist.ts";
import { runAirgapped } from "./testing/airgap.ts";

/**
 * The steps of INSTALL, and then those of an FPGA team: load a bitstream, run the suites, run its own
 * tests. The programmable logic is virtual, and so are its bitstreams.
 */
const JOB = `
ls /sys/class/net > /out/networks
cat /proc/filesystems > /out/filesystems
cd /opt
tar -xzf /plumbline.tar.gz
cd plumbline-*
make -j2 -C driver/kernel
make -C driver/kernel modules_install
depmod
modprobe pldma
insmod /pl_softdma.ko
insmod /pl_fpga.ko

export PLUMBLINE_BOARD=vm TEAM_BITSTREAMS=/tmp/bitstreams NO_COLOR=1
bin/deno run -A --no-check examples/team/make_bitstreams.ts $TEAM_BITSTREAMS
./plumbline bitstream load $TEAM_BITSTREAMS/loopback.bit
PLUMBLINE_RESULTS=/out/plain bin/deno test -P -- --frames=4 --size=64,4096
./plumbline run --frames=4 --size=64 --quiet --results=/out/team examples/team
`;

await boardTest(
  "aarch64",
  "the tarball contains everything that an air-gapped board needs",
  async (dir) => {
    const { modules } = await buildModules("aarch64");
    const tarball = await makeTarball({ arch: "aarch64", out: dir, deno: denoBinary });
    const files: Record<string, string> = { "plumbline.tar.gz": tarball.path };
    for (const logic of ["pl_softdma.ko", "pl_fpga.ko"]) {
      files[logic] = modules.find((path) => path.endsWith(`/${logic}`)) ?? "";
    }
    // the emulated processor compiles the module, which took 7 minutes on a busy machine
    const run = await runAirgapped({ dir, files, job: JOB, timeoutSeconds: 1800 });
    assertEquals(run.exitCode, 0, run.console.slice(-3000));
    assertEquals(run.kernelReports, []);

    const read = (name: string) => Deno.readTextFileSync(`${run.out}/${name}`);
    assertEquals(read("networks"), "lo\n");
    assertEquals(/\b(9p|nfs|virtiofs|cifs)\b/.test(read("filesystems")), false);

    const plain = fold(Journal.read(`${run.out}/plain/journal.jsonl`));
    assertEquals(plain.verdict.exit, 0, plain.verdict.reason);
    assertEquals([plain.power.tx, plain.power.rx], [true, true]);
    assertEquals([plain.board.kind, plain.board.engine], ["vm", "pl_softdma"]);
    const suites = new Set(plain.tests.map((test) => test.suite));
    assertEquals(suites, new Set(["abi", "coherence", "litmus", "loopback"]));
    // two sizes at two depths for each policy, and the same with transmit blocks that are reused at once
    for (const policy of POLICIES) {
      const cases = plain.tests.filter((test) =>
        test.suite === "loopback" && test.policy === policy
      );
      assertEquals(cases.length, 8, policy);
    }
    assert(
      plain.tests.every((test) =>
        test.outcome !== "PASS" || test.suite !== "loopback" || test.frames === 4
      ),
    );

    const team = fold(Journal.read(`${run.out}/team/journal.jsonl`));
    assertEquals(team.verdict, JSON.parse(read("team/results.json")).verdict);
    assertEquals(team.verdict.exit, 0, team.verdict.reason);
    const suitesOfTeam = team.tests.map((test) => test.suite);
    assertEquals([...new Set(suitesOfTeam)].sort(), ["counter", "loopback", "scrambler"]);
    assertEquals(team.bitstream.identity, "proved");
    assertMatch(team.tool.git ?? "", /^[0-9a-f]{40}(-dirty)?$/);
  },
);
