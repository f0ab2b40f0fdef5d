// SPDX-License-Identifier: MIT
// The driver on virtual boards: errors, robustness, memory leaks, and `deno test` inside the guest.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type Arch,
  archNames,
  type GuestRun,
  runInGuest,
} from "../../../fixtures/boards/vm/mod.ts";
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

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";

/** Rounds of the checks for leaks. A leak of one page in each round shows in fewer, too. */
const ROUNDS = FULL ? 1000 : 200;

/** The programs of this folder that check robustness, and what each prints on success. */
const ROBUST: readonly [command: string, output: string][] = [
  ["accounting memlock", "RLIMIT_MEMLOCK is enforced"],
  ["accounting shortage", "an ALLOC that fails half way leaves nothing"],
  ["robustness stores", "registered memory keeps what the caller stores"],
  ["robustness copyout", "cannot be copied out is kept"],
  ["robustness waits", "end when there is something to do"],
  [`robustness killed ${ROUNDS / 5}`, `${ROUNDS / 5} times, usable each time`],
  [`robustness signalled ${ROUNDS / 5}`, `${ROUNDS / 5} times, usable each time`],
  ["robustness unbind 20", "20 times, usable each time"],
  ["robustness wedge", "until the engine is proved idle"],
  [`accounting leaks ${ROUNDS}`, "pages pinned and released"],
];

/** The programs that use blocks in other system calls, and what each prints on success. */
const SHARING: readonly [command: string, output: string][] = [
  ["sharing readonly", "read-only memory can be sent"],
  [`sharing io ${ROUNDS}`, `blocks in other I/O: ${ROUNDS} rounds`],
  [`sharing free ${ROUNDS}`, `pages outlive their block: ${ROUNDS} rounds`],
  ["sharing race 600", "removal while mappings go: 600 rounds"],
];

/** The programs that exchange buffers with other drivers, and what each prints on success. */
const BUFFERS = {
  vgem: [
    ["dmabuf refused vgem", "IMPORT and EXPORT refuse what they must"],
    [`dmabuf import vgem ${ROUNDS}`, `buffers of vgem: ${ROUNDS} rounds`],
    [`dmabuf export ${ROUNDS}`, `blocks as buffers: ${ROUNDS} rounds`],
    ["dmabuf unbound", "a buffer outlives its device"],
    [`dmabuf vgem ${ROUNDS}`, `blocks as buffers in vgem: ${ROUNDS} rounds`],
  ],
  heap: [
    ["dmabuf refused heap", "IMPORT and EXPORT refuse what they must"],
    [`dmabuf import heap ${ROUNDS}`, `buffers of heap: ${ROUNDS} rounds`],
    [`dmabuf export ${ROUNDS}`, `blocks as buffers: ${ROUNDS} rounds`],
    ["sharing readonly", "read-only memory can be sent"],
    ["sharing io 300", "blocks in other I/O: 300 rounds"],
    ["sharing race 300", "removal while mappings go: 300 rounds"],
  ],
} as const;

/** The programs that check quirks, what each prints on success, and the parameters of pldma. */
const QUIRKS = [
  {
    command: "quirks trusted 1000",
    output: "closed during a transfer: 1000 times, usable each time",
    pldma: "providers=0",
  },
  {
    command: "quirks distrusted",
    output: "only a forced RESET ends the quarantine",
    pldma: "providers=0 quirks=pl_softdma:terminate-unproved",
  },
  {
    command: "quirks segments",
    output: "a frame is received into one segment",
    pldma: "quirks=pl_softdma:one-segment",
  },
  {
    command: "quirks both",
    output: "one direction is not reset alone",
    pldma: "quirks=pl_softdma:resets-both",
  },
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
      timeoutSeconds: 1200,
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
        timeoutSeconds: 1800,
        ...piped,
      });
      sound(run);
      for (const [, output] of ROBUST) assertStringIncludes(run.stdout, output);
    },
  );

  await pldmaTest(
    arch,
    "lets other I/O use the memory of blocks, whose pages live until their last user is done",
    async (outDir) => {
      const script = SHARING.map(([command]) => `${command} || exit 1`).join("\n");
      const run = await runInGuest({
        arch,
        kernelModules: ["brd"],
        outDir,
        command: ["sh", "-c", script],
        timeoutSeconds: 1800,
        ...piped,
      });
      sound(run);
      for (const [, output] of SHARING) assertStringIncludes(run.stdout, output);
    },
  );

  // without bounce buffers, because vgem does not sync the mappings of its importers
  await pldmaTest(arch, "exchanges buffers with vgem on a coherent board", async (outDir) => {
    const script = BUFFERS.vgem.map(([command]) => `${command} || exit 1`).join("\n");
    const run = await runInGuest({
      arch,
      coherent: true,
      kernelModules: ["vgem"],
      outDir,
      command: ["sh", "-c", script],
      timeoutSeconds: 1200,
      ...piped,
    });
    sound(run);
    for (const [, output] of BUFFERS.vgem) assertStringIncludes(run.stdout, output);
  });

  for (const { command, output, pldma } of QUIRKS) {
    await pldmaTest(arch, `handles the quirks of an engine: ${command}`, async (outDir) => {
      const run = await runInGuest({
        arch,
        outDir,
        command: ["sh", "-c", command],
        moduleArgs: { pldma },
        timeoutSeconds: 1200,
        ...piped,
      });
      sound(run);
      assertStringIncludes(run.stdout, output);
    });
  }

  await pldmaTest(
    arch,
    "passes deno test in the guest, which passes on arguments after --",
    async (outDir) => {
      // The host checks types, because an emulated processor takes minutes for that.
      const test = (args: string) => `NO_COLOR=1 deno test -P --no-check ${args} 2>&1`;
      const suite = "hil/suites/loopback_test.ts";
      // commands of the README run all suites (hil/cli/vm_test.ts)
      const script = `
      ${test(`${suite} -- --frames=20 --depth=max --size=64,4097,block`)} > /out/all || exit 1
      ${test(`--filter 'policy=streaming ' ${suite}`)} > /out/filtered || exit 2
      ${test(`${suite} -- --policy none --size 64`)} > /out/none || exit 3
      ${test("-- --device /dev/pldma7")} > /out/missing && exit 4
      exit 0`;
      const run = await runInGuest({
        arch,
        outDir,
        command: ["sh", "-c", script],
        timeoutSeconds: 1800,
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
}

// both say the same on the other architecture, and each takes minutes
for (const arch of FULL ? archNames : ["aarch64"] as const) {
  await pldmaTest(arch, "passes on an engine with the limits of AXI DMA", async (outDir) => {
    const run = await runInGuest({
      arch,
      outDir,
      command: LOOPBACK,
      env: { NO_COLOR: "1" },
      moduleArgs: { pl_softdma: "axi_dma=1" },
      timeoutSeconds: 1200,
      ...piped,
    });
    sound(run);
    assertStringIncludes(run.stdout, "loop policy=user-pages size=4097 depth=max ... ok");
  });
}

for (const arch of FULL ? archNames : ["x86_64"] as const) {
  await pldmaTest(arch, "passes on a coherent board, even without syncs", async (outDir) => {
    const run = await runInGuest({
      arch,
      coherent: true,
      outDir,
      command: LOOPBACK,
      env: { NO_COLOR: "1" },
      timeoutSeconds: 1200,
      ...piped,
    });
    sound(run);
    assertStringIncludes(run.stdout, "loop policy=none size=block depth=1 ... ok");
  });
}

// Debian's kernels for arm64 have no dma-heap
await pldmaTest(
  "x86_64",
  "exchanges buffers with a dma-heap through bounce buffers, on Debian's newest kernel",
  async (outDir) => {
    const script = BUFFERS.heap.map(([command]) => `${command} || exit 1`).join("\n");
    const run = await runInGuest({
      arch: "x86_64",
      kernel: "newest",
      kernelModules: ["brd"],
      outDir,
      command: ["sh", "-c", script],
      timeoutSeconds: 1200,
      ...piped,
    });
    sound(run);
    for (const [, output] of BUFFERS.heap) assertStringIncludes(run.stdout, output);
  },
);
