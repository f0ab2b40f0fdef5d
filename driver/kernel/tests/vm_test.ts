// SPDX-License-Identifier: MIT
// The driver on virtual boards: errors, robustness, memory leaks, and `deno test` inside the guest.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Arch, type GuestRun, runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../../fixtures/boards/vm/testing/board.ts";

function pldmaTest(arch: Arch, name: string, fn: (dir: string) => Promise<void>): Promise<void> {
  return boardTest(arch, `pldma on vm:${arch} ${name}`, fn);
}

function sound(run: GuestRun): void {
  const text = `${run.stdout}\n${run.stderr}`;
  assertEquals(run.lost, null, text);
  assertEquals(run.exitCode, 0, text);
  assertEquals(run.kernelReports, []);
}

/** The programs of this folder that check robustness, and what each prints on success. */
const ROBUST: readonly [command: string, output: string][] = [
  ["accounting memlock", "RLIMIT_MEMLOCK is enforced"],
  ["robustness stores", "registered memory keeps what the caller stores"],
  ["robustness copyout", "cannot be copied out is kept"],
  ["robustness killed 100", "100 times, usable each time"],
  ["robustness signalled 100", "100 times, usable each time"],
  ["robustness unbind 20", "20 times, usable each time"],
  ["robustness wedge", "until the engine is proved idle"],
  ["accounting leaks 1000", "pages pinned and released"],
];

/** The loopback suite with few frames. */
const LOOPBACK = [
  ...["deno", "test", "-P", "--no-check", "hil/suites/loopback_test.ts"],
  ...["--", "--frames=20", "--size=1,4097,block"],
];

const piped = { stdout: "piped", stderr: "piped" } as const;

/** Prints the channels of the devices at the given paths, and the error of ALLOC without a channel. */
const SHOW = `
import { Device } from "/plumbline/mod.ts";
for (const path of Deno.args) {
  using device = Device.open({ path });
  const { tx, rx } = device.info;
  const direction = tx === null ? "tx" : "rx";
  let absent = "accepted";
  try {
    device.alloc({ direction, policy: "streaming", size: 64 });
  } catch (error) {
    absent = error.code;
  }
  console.log(path, tx?.channel ?? "none", rx?.channel ?? "none", absent);
}`;

for (const arch of ["aarch64", "x86_64"] as const) {
  await pldmaTest(arch, "binds channels by name, and also only one direction", async (outDir) => {
    const script = `
      client=$(basename $(readlink /sys/class/misc/pldma0/device))
      cd /sys/bus/platform/drivers/pldma
      echo "$client" > unbind
      # the pairs may have bound by themselves, because the channels are free now
      for pair in pldma-pair.0 pldma-pair.1; do [ -e $pair ] || echo $pair > bind; done
      echo "$SHOW" > /tmp/show.ts
      deno run -A --no-check /tmp/show.ts /dev/pldma0 /dev/pldma1`;
    const run = await runInGuest({
      arch,
      outDir,
      command: ["sh", "-c", script],
      env: { SHOW, NO_COLOR: "1" },
      moduleArgs: { pldma: "tx=dma0chan0,- rx=-,dma0chan1" },
      timeoutSeconds: 120,
      ...piped,
    });
    sound(run);
    assertEquals(run.stdout.trim().split("\n").sort(), [
      "/dev/pldma0 dma0chan0 none EINVAL",
      "/dev/pldma1 none dma0chan1 EINVAL",
    ]);
  });

  await pldmaTest(
    arch,
    "stays usable after kills, signals and unbinds, and leaks no memory",
    async (outDir) => {
      const script = ROBUST.map(([command]) => `${command} || exit 1`).join("\n");
      const run = await runInGuest({
        arch,
        outDir,
        command: ["sh", "-c", script],
        moduleArgs: { pldma: `max_bytes=${512 * 2 ** 20}` },
        timeoutSeconds: 600,
        ...piped,
      });
      sound(run);
      for (const [, output] of ROBUST) assertStringIncludes(run.stdout, output);
    },
  );

  await pldmaTest(
    arch,
    "passes deno test in the guest, which passes on arguments after --",
    async (outDir) => {
      // The host checks types, because an emulated processor takes minutes for that.
      const test = (args: string) => `NO_COLOR=1 deno test -P --no-check ${args} 2>&1`;
      const script = `
      ${test("-- --frames=20 --depth=max")} > /out/all || exit 1
      ${test("--filter 'policy=streaming '")} > /out/filtered || exit 2
      ${test("hil/suites/loopback_test.ts -- --policy none --size 64")} > /out/none || exit 3
      ${test("-- --device /dev/pldma7")} > /out/missing && exit 4
      exit 0`;
      const run = await runInGuest({
        arch,
        outDir,
        command: ["sh", "-c", script],
        timeoutSeconds: 600,
        ...piped,
      });
      const read = (name: string) => {
        try {
          return Deno.readTextFileSync(`${outDir}/${name}`);
        } catch {
          return "";
        }
      };
      assertEquals(run.exitCode, 0, `${run.stderr}${read("all").slice(-3000)}`);
      sound(run);
      const all = read("all");
      for (const policy of ["coherent", "streaming", "streaming-lazy", "user-pages", "bounce"]) {
        assertStringIncludes(all, `loop policy=${policy} size=block depth=max ... ok`);
      }
      assert(
        !read("filtered").includes("policy=coherent"),
        "the filter let another policy through",
      );
      assertStringIncludes(read("none"), "loop policy=none size=64 depth=max ... ok");
      assertStringIncludes(read("missing"), "the board is there ... FAILED");
      assertStringIncludes(read("missing"), "/dev/pldma7");
    },
  );

  await pldmaTest(arch, "passes on an engine with the limits of AXI DMA", async (outDir) => {
    const run = await runInGuest({
      arch,
      outDir,
      command: LOOPBACK,
      env: { NO_COLOR: "1" },
      moduleArgs: { pl_softdma: "axi_dma=1" },
      timeoutSeconds: 300,
      ...piped,
    });
    sound(run);
    assertStringIncludes(run.stdout, "loop policy=user-pages size=4097 depth=max ... ok");
  });

  await pldmaTest(
    arch,
    "passes on a coherent board, even without syncs",
    async (outDir) => {
      const run = await runInGuest({
        arch,
        coherent: true,
        outDir,
        command: LOOPBACK,
        env: { NO_COLOR: "1" },
        timeoutSeconds: 300,
        ...piped,
      });
      sound(run);
      assertStringIncludes(run.stdout, "loop policy=none size=block depth=1 ... ok");
    },
  );
}
