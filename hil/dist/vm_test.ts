// SPDX-License-Identifier: MIT
// The tarball on a board that has no network and shares no folder: unpacked, built, loaded, run,
// and its results brought back.
import { assert, assertEquals } from "@std/assert";
import { buildModules } from "../../fixtures/boards/vm/mod.ts";
import { denoBinary } from "../../fixtures/boards/vm/system.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";
import { Journal } from "../journal.ts";
import { fold } from "../journal_fold.ts";
import { POLICIES } from "../../driver/uapi.ts";
import { makeTarball } from "./dist.ts";
import { runAirgapped } from "./testing/airgap.ts";

/** What INSTALL says; only the logic comes as a module, for this board has none. */
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
insmod /logic.ko
export PLUMBLINE_BOARD=vm
PLUMBLINE_RESULTS=/out/plain bin/deno test -P -- --frames=4 --size=64,4096
./plumbline run --suite=loopback --frames=4 --size=64 --results=/out/run --quiet
# examples/team: its tests go here
`;

await boardTest("aarch64", "the tarball is all that an air-gapped board needs", async (dir) => {
  const { modules } = await buildModules("aarch64");
  const logic = modules.find((path) => path.endsWith("/pl_softdma.ko")) ?? "";
  const tarball = await makeTarball({ arch: "aarch64", out: dir, deno: denoBinary });
  const files = { "plumbline.tar.gz": tarball.path, "logic.ko": logic };
  const run = await runAirgapped({ dir, files, job: JOB, timeoutSeconds: 900 });
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
  assertEquals(suites, new Set(["abi", "loopback"]));
  // two sizes at two depths for each policy
  for (const policy of POLICIES) {
    const cases = plain.tests.filter((test) => test.suite === "loopback" && test.policy === policy);
    assertEquals(cases.length, 4, policy);
  }
  assert(
    plain.tests.every((test) =>
      test.outcome !== "PASS" || test.suite === "abi" || test.frames === 4
    ),
  );

  const parent = fold(Journal.read(`${run.out}/run/journal.jsonl`));
  assertEquals(parent.verdict, JSON.parse(read("run/results.json")).verdict);
  assertEquals(parent.verdict.exit, 0, parent.verdict.reason);
  const commit = await Deno.readTextFile(new URL("../../.git/HEAD", import.meta.url)).catch(() =>
    ""
  );
  assert(
    commit === "" || /^[0-9a-f]{40}(-dirty)?$/.test(parent.tool.git ?? ""),
    parent.tool.git ?? "",
  );
});
