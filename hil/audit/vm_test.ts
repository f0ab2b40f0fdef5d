// SPDX-License-Identifier: MIT
// The audit over the real driver: bounce buffers, where it has no power, and the adversarial bus under every truth.
// One boot serves all, because the truths are parameters of a module.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { buildModules, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { boardTest, copyModules } from "../../fixtures/boards/vm/testing/board.ts";
import { TRUTHS } from "./testing/truths.ts";

/** Audits of each truth. */
const SEEDS = Deno.env.has("PLUMBLINE_FULL") ? 20 : 2;

for (const arch of ["aarch64"] as const) {
  await boardTest(arch, `plumbline audit on vm:${arch} finds every truth`, async (outDir) => {
    const { modules } = await buildModules(arch);
    const { pl_advbus } = await copyModules(modules, outDir, "modules");
    const cli = "deno run -A --no-check hil/cli/main.ts audit";
    const truths = "deno run -A --no-check hil/audit/testing/on_bus.ts";
    const run = await runInGuest({
      arch,
      outDir,
      command: [
        "sh",
        "-c",
        `${cli} > /out/swiotlb.txt
        [ $? = 3 ] || exit 1
        for device in /sys/bus/platform/drivers/pl_softdma/*softdma*; do
          echo \${device##*/} > /sys/bus/platform/drivers/pl_softdma/unbind
        done
        insmod ${pl_advbus} || exit 2
        ${truths} syncs ${SEEDS} || exit 3
        echo pl_advbus.0 > /sys/bus/platform/drivers/pl_advbus/unbind
        rmmod pl_advbus || exit 4
        insmod ${pl_advbus} coherent=1 snoop_read=256 || exit 5
        ${cli} --json=/out/audit.json > /out/half.txt
        [ $? = 1 ] || exit 6
        ${truths} coherent ${SEEDS} || exit 7`,
      ],
      env: { NO_COLOR: "1" },
      timeoutSeconds: 1200,
      stdout: "piped",
      stderr: "piped",
    });
    const read = (file: string) => {
      try {
        return Deno.readTextFileSync(`${outDir}/${file}`);
      } catch {
        return `${file} is missing\n`;
      }
    };
    const text = [run.stdout, run.stderr, read("swiotlb.txt"), read("half.txt")].join("\n");
    assertEquals(run.lost, null, text);
    assertEquals(run.exitCode, 0, text);
    assertEquals(run.kernelReports, []);
    assertEquals(new Set(run.stdout.trim().split("\n")), new Set(TRUTHS.map(({ name }) => name)));
    assertStringIncludes(read("swiotlb.txt"), "a copy (a bounce buffer)");
    assertStringIncludes(read("half.txt"), "Change: Drive AWCACHE[3:2]");
    const { schema, verdict, ports, board } = JSON.parse(read("audit.json"));
    assertEquals([schema, verdict, board.engine], [1, "corrupt", "pl_advbus"]);
    assertEquals([ports.tx.verdict, ports.rx.verdict], ["right", "corrupt"]);
  });
}
