// SPDX-License-Identifier: MIT
// What others see of a device that a process has open: debugfs, tracepoints, a read-only open; and suspend.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { hostArch, runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../../fixtures/boards/vm/testing/board.ts";

/** The parts of the output of `look`, each below its title. */
function parts(text: string): [title: string, body: string][] {
  return text.split(/^== /m).slice(1).map((part) => {
    const end = part.indexOf("\n");
    return [part.slice(0, end), part.slice(end + 1)];
  });
}

/** What the tracepoints say about a block: event, direction, state, length, moved, status. */
function transitions(trace: string, block: number): string[] {
  const line =
    /pldma_(\w+): pldma0 block=(\d+) \w+ policy=\d state=(\S+) offset=0 length=(\d+) moved=(\d+) cookie=0 status=(\S+)$/gm;
  return Array.from(trace.matchAll(line)).filter(([, , id]) => Number(id) === block)
    .map(([, event, , ...facts]) => [event, ...facts].join(" "));
}

await boardTest(
  "x86_64",
  "pldma on vm:x86_64 refuses suspend during a transfer, and stops the engine at shutdown",
  async (outDir) => {
    const run = await runInGuest({
      arch: "x86_64",
      outDir,
      command: ["suspend"],
      moduleArgs: { pl_softdma: "devices=2 fifo=1" },
      timeoutSeconds: 600,
      stdout: "piped",
      stderr: "piped",
    });
    const text = `${run.stdout}\n${run.stderr}`;
    assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
    assertMatch(run.stdout, /a device refuses suspend with EBUSY only during a transfer/);
    assertMatch(
      await Deno.readTextFile(`${outDir}/dmesg.log`),
      /no suspend: channel dma1chan1 has 1 blocks in flight or queued/,
    );
    const log = await Deno.readTextFile(run.consoleLog);
    assertMatch(log, /pldma pldma\.0: channel dma0chan1 was stopped$/m);
    // the client has the properties of a FIFO
    for (const direction of ["tx", "rx"]) {
      assertMatch(log, new RegExp(`pl_softdma\\.1: ${direction} has its FIFO`));
    }
  },
);

await boardTest(
  hostArch,
  `pldma on vm:${hostArch} shows a device that is open, in debugfs and by tracepoints`,
  async (outDir) => {
    const run = await runInGuest({
      arch: hostArch,
      outDir,
      command: ["look"],
      moduleArgs: { pldma: "engine_depth=1 quirks=pl_softdma:terminate-unproved+one-transfer" },
      timeoutSeconds: 600,
      stdout: "piped",
      stderr: "piped",
    });
    const text = `${run.stdout}\n${run.stderr}`;
    assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
    const shown = parts(run.stdout);
    assertEquals(shown.map(([title]) => title), [
      ...["channels", "blocks", "errors", "channels", "blocks", "errors"],
      "trace",
    ]);
    const [channels, blocks, errors, , later, failed, trace] = shown.map(([, body]) => body);
    assert(channels && blocks && errors && later && failed && trace, text);

    assertMatch(channels, /^tx engine=pl_softdma channel=dma0chan0$/m);
    assertMatch(
      channels,
      /^ {2}pending=2 running=1 failed=0 calls=0 queue_depth=64 engine_depth=1$/m,
    );
    assertMatch(channels, /quirks=terminate-unproved\+one-transfer$/m);
    assertMatch(channels, /^open=1$/m);
    assertEquals(blocks.split("\n").map((line) => line.split(" ").slice(0, 4).join(" ")), [
      "1 rx streaming in-flight",
      "2 rx streaming queued",
      "3 tx coherent user",
      "",
    ]);
    assertMatch(errors, /^total=1\n\d+ rx block=0 DEQUEUE timed out, .*: 2$/m);
    assertMatch(later, /^1 rx streaming user .* length=4096 moved=4096 .* status=2 /m);
    assertMatch(failed, /^total=2\n.*\n\d+ rx block=1 transfer failed: status 2$/m);

    assertEquals(transitions(trace, 1), [
      "queue queued 65536 0 ok",
      "submit in-flight 65536 0 ok",
      "reset user 65536 0 ok",
      "queue queued 4096 0 ok",
      "submit in-flight 4096 0 ok",
      "complete done 4096 4096 write-failed",
      "dequeue user 4096 4096 write-failed",
    ]);
    assertEquals(transitions(trace, 2), ["queue queued 65536 0 ok", "reset user 65536 0 ok"]);
    assertEquals(transitions(trace, 3), [
      "queue queued 8192 0 ok",
      "submit in-flight 8192 0 ok",
      "complete done 8192 8192 ok",
      "dequeue user 8192 8192 ok",
    ]);
  },
);
