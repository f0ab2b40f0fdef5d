// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DequeueArgument,
  EnqueueArgument,
  getNumber,
  getString,
  getTime,
  nameOf,
  requireLittleEndian,
  setNumber,
} from "./codecs.ts";
import { unpackInfo } from "./info.ts";
import { unpackStats } from "./stats.ts";
import { runC } from "./testing/c_compiler.ts";
import { DEQUEUE } from "./uapi.ts";

/** The bytes of a struct that a C program filled in. */
async function fill(struct: string, statements: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = `#include <stdio.h>
#include <string.h>
#include "pldma.h"
static struct ${struct} x;
int main(void)
{
  ${statements}
  return fwrite(&x, sizeof(x), 1, stdout) != 1;
}
`;
  return Uint8Array.from(await runC(source));
}

Deno.test("setNumber() packs the numbers that getNumber() unpacks, up to 2^53 - 1", () => {
  const view = new DataView(new ArrayBuffer(16));
  for (const value of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, 2 ** 53 - 1]) {
    setNumber(view, 8, value);
    assertEquals([view.getBigUint64(8, true), getNumber(view, 8)], [BigInt(value), value]);
  }
});

Deno.test("getNumber() throws for a number above 2^53 - 1", () => {
  const view = new DataView(new ArrayBuffer(8));
  for (const value of [2n ** 53n, 2n ** 64n - 1n]) {
    view.setBigUint64(0, value, true);
    assertThrows(() => getNumber(view, 0), RangeError, `found ${value}`);
  }
});

Deno.test("getTime() rounds a time above 2^53 instead of throwing", () => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, 2n ** 53n + 3n, true);
  assertEquals(getTime(view, 0), 2 ** 53 + 4);
  const deadline = 2 ** 53 + 5_000_000_002;
  setNumber(view, 0, deadline);
  assertEquals(view.getBigUint64(0, true), BigInt(deadline));
});

Deno.test("getString() stops at the first NUL or at the end of the member", () => {
  const bytes = new TextEncoder().encode("xx\0abcdef");
  const view = new DataView(bytes.buffer);
  assertEquals([getString(view, 0, 9), getString(view, 3, 4)], ["xx", "abcd"]);
});

Deno.test("nameOf() throws for a number without a name", () => {
  assertEquals(nameOf("e", ["a", "b"], 1), "b");
  assertThrows(() => nameOf("e", ["a", "b"], 2), RangeError, "Expected enum e below 2");
});

Deno.test("requireLittleEndian() throws on a big-endian host", () => {
  requireLittleEndian();
  const big = Uint8Array.of(0, 1);
  assertThrows(() => requireLittleEndian(big), Error, "Expected a little-endian host");
});

Deno.test("EnqueueArgument.pack() packs the struct as C does and overwrites old values", async () => {
  const expected = await fill(
    "pldma_enqueue",
    `x.id = 0xfffffffe; x.flags = PLDMA_ENQUEUE_VERIFY | PLDMA_ENQUEUE_UNALIGNED;
     x.offset = 0x123456789ab; x.length = 0x1fffffffffffff; x.cookie = 0xfedcba9876543210;`,
  );
  const argument = new EnqueueArgument();
  argument.pack(7, 0, 2 ** 53 - 1, 2 ** 53 - 1, 2n ** 64n - 1n);
  argument.pack(0xffff_fffe, 3, 0x123_4567_89ab, 2 ** 53 - 1, 0xfedc_ba98_7654_3210n);
  assertEquals(argument.bytes, expected);
});

Deno.test("DequeueArgument unpacks a struct that C filled in", async () => {
  const argument = new DequeueArgument();
  argument.pack(1, 12_345_678_901_234);
  assert(!argument.written);
  const input = await fill(
    "pldma_dequeue",
    "x.direction = PLDMA_RX; x.deadline_ns = 12345678901234; x.id = 0xffffffff;",
  );
  assertEquals(argument.bytes, input);
  argument.bytes.set(
    await fill(
      "pldma_dequeue",
      `x.id = 5; x.status = PLDMA_STATUS_ABORTED; x.offset = 1; x.length = 0x100000002;
       x.cookie = 0x8000000000000003; x.queued_ns = 4; x.submitted_ns = 5; x.done_ns = 6;
       x.sync_device_ns = 7; x.sync_cpu_ns = 8; x.check_kind = PLDMA_CHECK_CRC32;
       x.check = 0x80000009; x.error = 110; x.sideband[0] = 0x81; x.sideband[3] = ~0u;`,
    ),
  );
  assert(argument.written);
  const { id, status, offset, length, cookie, queuedNs, submittedNs, doneNs } = argument;
  assertEquals(
    [id, status, offset, length, queuedNs, submittedNs, doneNs],
    [5, 3, 1, 0x1_0000_0002, 4, 5, 6],
  );
  const { syncDeviceNs, syncCpuNs, checkKind, check, error } = argument;
  assertEquals([syncDeviceNs, syncCpuNs, checkKind, check, error], [7, 8, 1, 0x8000_0009, 110]);
  assertEquals(cookie, 0x8000_0000_0000_0003n);
  assertEquals(argument.sideband, [0x81, 0, 0, 0xffff_ffff]);
});

Deno.test("DequeueArgument.cookie reads both halves of the cookie", () => {
  const argument = new DequeueArgument();
  const view = new DataView(argument.bytes.buffer);
  for (const cookie of [0n, 1n, 1n << 32n, 1n << 63n]) {
    view.setBigUint64(DEQUEUE.at.cookie, cookie, true);
    assertEquals(argument.cookie, cookie);
  }
});

Deno.test("unpackInfo() unpacks a struct that C filled in", async () => {
  const bytes = await fill(
    "pldma_info",
    `x.abi_version = 2; x.cache_align = 64; x.page_size = 4096; x.max_blocks = 99;
     x.max_bytes = 0x100000001; x.core_id = 0xc0ffee; x.core_version = 0x00020005;
     memset(x.core_build, 0xab, sizeof(x.core_build));
     x.chan[1].flags = PLDMA_CHAN_PRESENT | PLDMA_CHAN_NEEDS_SYNC | PLDMA_CHAN_WEDGED |
       PLDMA_CHAN_TRUSTS_TERMINATE | PLDMA_CHAN_UNMAP_PROVES | PLDMA_CHAN_SIDEBAND;
     x.chan[1].quirks = PLDMA_QUIRK_ONE_SEGMENT | PLDMA_QUIRK_ALIGN_BYTES;
     x.chan[1].max_segments = 16; x.chan[1].max_transfer = 0x100000010;
     x.chan[1].queue_depth = 11; x.chan[1].engine_depth = 12; x.chan[1].max_segment = 13;
     x.chan[1].address_align = 14; x.chan[1].length_align = 15;
     x.chan[1].check_kind = PLDMA_CHECK_CRC32; x.chan[1].dma_mask = ~0ULL;
     memset(x.chan[1].engine, 'e', 32); strcpy(x.chan[1].channel, "dma0chan1");
     x.policy[PLDMA_COHERENT].flags = PLDMA_POLICY_TX;
     x.policy[PLDMA_WRITE_COMBINE].flags = PLDMA_POLICY_TX | PLDMA_POLICY_ALIAS;
     x.policy[PLDMA_WRITE_COMBINE].attr = PLDMA_ATTR_UNCACHED;
     x.policy[PLDMA_WRITE_COMBINE].max_block = 0x200000000;
     x.policy[PLDMA_NONE].flags = PLDMA_POLICY_RX;
     x.policy[PLDMA_NONE].attr = PLDMA_ATTR_CACHED;`,
  );
  const { policies, rx, ...rest } = unpackInfo(bytes);
  assertEquals(rest, {
    abiVersion: 2,
    cacheAlign: 64,
    pageSize: 4096,
    maxBlocks: 99,
    maxBytes: 0x1_0000_0001,
    core: { id: 0xc0ffee, version: "2.5", build: "ab".repeat(32) },
    tx: null,
  });
  assertEquals(rx, {
    engine: "e".repeat(32),
    channel: "dma0chan1",
    queueDepth: 11,
    engineDepth: 12,
    maxSegment: 13,
    addressAlign: 14,
    lengthAlign: 15,
    checkKind: "crc32",
    dmaMask: 2n ** 64n - 1n,
    devCoherent: false,
    needsSync: true,
    provesIdle: false,
    trustsTerminate: true,
    unmapProves: true,
    sideband: true,
    exactLengths: false,
    memoryLoop: false,
    maxSegments: 16,
    maxTransfer: 0x1_0000_0010,
    quirks: ["oneSegment", "alignBytes"],
    wedged: true,
  });
  assertEquals([policies.coherent.tx, policies.coherent.alias], [true, false]);
  assertEquals(policies["write-combine"], {
    tx: true,
    rx: false,
    alias: true,
    attribute: "uncached",
    maxBlock: 0x2_0000_0000,
  });
  assertEquals(policies.none, {
    tx: false,
    rx: true,
    alias: false,
    attribute: "cached",
    maxBlock: 0,
  });
  assertEquals(Object.values(policies).filter(({ tx, rx }) => tx || rx).length, 3);
  assertEquals(unpackInfo(new Uint8Array(bytes.length)).core.build, null);
});

Deno.test("unpackStats() unpacks a struct that C filled in", async () => {
  const bytes = await fill(
    "pldma_stats",
    `x.blocks = 3; x.bytes = 0x300000000; x.chan[0].transfers = 8; x.chan[1].bytes = 9;
     x.chan[1].errors = 10; x.chan[1].timeouts = 11; x.chan[1].resets = 12;
     x.chan[1].quarantined_blocks = 13; x.chan[1].quarantined_bytes = 14;
     x.chan[0].cost[PLDMA_COST_FOR_CPU].calls = 1; x.chan[0].cost[PLDMA_COST_FOR_CPU].bytes = 2;
     x.chan[0].cost[PLDMA_COST_FOR_CPU].total_ns = 3;
     x.chan[0].cost[PLDMA_COST_FOR_CPU].max_ns = 4;
     x.chan[1].verify[PLDMA_COST_COPY].calls = 5;`,
  );
  const { tx, rx, blocks, bytes: total } = unpackStats(bytes);
  assertEquals([blocks, total, tx.transfers, tx.bytes], [3, 0x3_0000_0000, 8, 0]);
  assertEquals(tx.cost.forCpu, { calls: 1, bytes: 2, totalNs: 3, maxNs: 4 });
  assertEquals([tx.cost.forDevice.calls, tx.verify.forCpu.calls], [0, 0]);
  const { bytes: moved, errors, timeouts, resets, quarantinedBlocks, quarantinedBytes } = rx;
  assertEquals(
    [moved, errors, timeouts, resets, quarantinedBlocks, quarantinedBytes],
    [9, 10, 11, 12, 13, 14],
  );
  assertEquals([rx.verify.copy.calls, rx.cost.copy.calls, rx.verify.unpin.calls], [5, 0, 0]);
});
