// SPDX-License-Identifier: MIT
// The attributes of transfers on the real path: the driver of the loopback core, with the core simulated beside QEMU.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Attributes } from "../../driver/attributes.ts";
import { buildAgent } from "../../fixtures/agent/build.ts";
import { hostArch } from "../../fixtures/host/arch.ts";
import { runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";
import type { SweptAttributes } from "./mod.ts";

const DRIVER = "fixtures/boards/vm/cosim/kernel/testing/on_attributes.ts";

/** What the audit sweeps here, and on_attributes.ts does not use. */
const HERE = ["6/4", "14/5", "10/7", "10/7/9"];
/** What it sweeps through an agent in the guest. */
const THROUGH_AGENT = ["7/4", "11/6/15"];
const SWEPT = [...HERE, ...THROUGH_AGENT];
/** Rounds of the sweep. */
const REPEATS = 2;

await boardTest(
  hostArch,
  `plumbline audit --attributes on vm:${hostArch} sweeps what is on the bus of the core`,
  async (outDir) => {
    await Deno.copyFile(await buildAgent(hostArch), `${outDir}/agent`);
    const run = await runInGuest({
      arch: hostArch,
      engine: "rtl",
      // behind bounce buffers nothing is swept, because the core accesses copies
      coherent: true,
      rtl: { cores: [{ width: 64, burst: 256 }] },
      outDir,
      command: [
        "sh",
        "-c",
        `deno test -A --no-check ${DRIVER} || exit 4
        audit="deno run -A --no-check hil/cli/main.ts audit --repeats=${REPEATS}"
        $audit --attributes=${HERE.join(",")} --json=/out/audit.json > /out/audit.txt 2>&1
        [ $? = 3 ] || exit 5
        ip link set lo up
        cp /out/agent /tmp/plumbline-agent
        /tmp/plumbline-agent --listen 127.0.0.1:7562 &
        while ! grep -q ":$(printf %04X 7562) " /proc/net/tcp; do sleep 0.1; done
        $audit --board=remote:127.0.0.1:7562 --attributes=${THROUGH_AGENT.join(",")} \
          --json=/out/remote.json > /out/remote.txt 2>&1
        [ $? = 3 ] || exit 6`,
      ],
      env: { NO_COLOR: "1" },
      timeoutSeconds: 600,
      stdout: "piped",
      stderr: "piped",
    });
    const read = (file: string) => Deno.readTextFileSync(`${outDir}/${file}`);
    const text = `${run.stdout}\n${run.stderr}`;
    assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
    assertMatch(run.stdout, /^ok \| 5 passed \| 0 failed/m);

    // the machine has no caches that the core could miss, and the audit says so for each of the attributes
    const { verdict, attributes } = JSON.parse(read("audit.json"));
    assertEquals([verdict, attributes.repeats], ["unknown", REPEATS], read("audit.txt"));
    assertStringIncludes(
      read("audit.txt"),
      "This board does not show which attributes would make the port coherent",
    );
    const remote = JSON.parse(read("remote.json"));
    assertEquals(remote.board.kind, "remote");
    assertEquals(remote.attributes.defaults, attributes.defaults);
    const rows: SweptAttributes[] = [...attributes.rows, ...remote.attributes.rows];
    assertEquals(rows.map(nameOf), SWEPT);
    for (const { ports } of rows) {
      for (const { snoops, reason, megabytesPerSecond } of Object.values(ports)) {
        assertEquals([snoops, reason === null, Number(megabytesPerSecond) > 0], [
          null,
          false,
          true,
        ]);
      }
    }

    // AxUSER is on the bus in any case: that of the default, if a pair has none
    const { tx, rx } = attributes.defaults;
    assertEquals([tx.user, rx.user], [0, 0]);
    const swept = SWEPT.map((name) => name.split("/").length === 3 ? name : `${name}/0`);
    // what was on the bus: the defaults, what on_attributes.ts sets, what was swept, and nothing else
    const { logic } = run;
    assert(logic !== null && typeof logic !== "string", `${logic}`);
    assertEquals([logic.violation, logic.decodeErrors], ["", 0]);
    const names = (bursts: typeof logic.reads) => new Set(bursts.map(nameOf));
    assertEquals(
      names(logic.reads),
      new Set([...["0/1", "1/1", "2/1", "3/1", "10/3", "11/3"].map(plain), nameOf(tx), ...swept]),
    );
    assertEquals(
      names(logic.writes),
      new Set([...["15/5", "14/6", "0/7", "1/7", "2/7", "3/7"].map(plain), nameOf(rx), ...swept]),
    );
    // each frame of 4 KiB and of 512 KiB takes a burst for each 2 KiB at least, and each rate three frames
    for (
      const one of [...logic.reads, ...logic.writes].filter((one) => swept.includes(nameOf(one)))
    ) {
      assert(one.bursts >= 2 * REPEATS + 3 * 256, JSON.stringify(one));
    }
  },
);

function nameOf({ cache, prot, user }: Attributes): string {
  return user === undefined ? `${cache}/${prot}` : `${cache}/${prot}/${user}`;
}

/** What on_attributes.ts sets, with the default of AxUSER. */
function plain(pair: string): string {
  return `${pair}/0`;
}
