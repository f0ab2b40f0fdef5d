// SPDX-License-Identifier: MIT
import { crc32 } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { firstChange } from "./blame.ts";
import type { Context } from "./classify.ts";
import { faultsOf, frame, SIZE } from "./testing/frames.ts";

/** Kind and blame of the first fault. */
function blamed(...args: Parameters<typeof faultsOf>) {
  const [fault] = faultsOf(...args);
  return [fault?.kind, fault?.blame];
}

Deno.test("classify() blames tx if the core read other data than were sent", () => {
  const received = frame(13);
  const txCheck = crc32(received);
  assertEquals(blamed(17, received, { txCheck, txHeld: 13 }), ["stale-tx", "tx"]);
  // a frame that its transmit block never held cannot be stale there
  assertEquals(blamed(17, received, { txCheck, txHeld: 12 }), ["duplicated", "tx"]);
});

Deno.test("classify() blames rx if the CPU sees other data than the core wrote", () => {
  const received = frame(17);
  received.set(frame(13).subarray(1024, 1088), 1024);
  const rxCheck = crc32(frame(17));
  const [fault] = faultsOf(17, received, { rxCheck, rxHeld: 13 });
  assertEquals([fault?.kind, fault?.blame, fault?.offset], ["stale-rx", "rx", 1024]);
  assertEquals(blamed(17, received, { rxCheck, rxHeld: 12 }), ["torn", "rx"]);
  // a byte may be equal by chance, but the low ones of a word never are
  assert(fault !== undefined && fault.length > 56 && fault.length <= 64);
});

Deno.test("classify() blames no part of the path without check values", () => {
  const unchecked = { txCheck: null, rxCheck: null };
  assertEquals(blamed(17, frame(16), unchecked), ["duplicated", null]);
});

Deno.test("classify() without check values blames a cache for whole lines only", () => {
  const unchecked = { txCheck: null, rxCheck: null };
  const holds = (from: number, to: number, other: number, more: Partial<Context>) => {
    const received = frame(50);
    received.set(frame(other).subarray(from, to), from);
    return blamed(50, received, { ...unchecked, ...more });
  };
  assertEquals(holds(1024, 1088, 46, { rxHeld: 46, txHeld: 45 }), ["stale-rx", null]);
  assertEquals(holds(1024, 1088, 45, { rxHeld: 46, txHeld: 45 }), ["stale-tx", "tx"]);
  assertEquals(holds(1024, 1088, 46, { rxHeld: 46, txHeld: 46 }), ["stale-rx", null]);
  assertEquals(holds(1032, 1048, 46, { rxHeld: 46, txHeld: 45 }), ["not-written", null]);
  assertEquals(holds(0, SIZE, 46, { rxHeld: 46, txHeld: 45 }), ["not-written", null]);
  assertEquals(holds(1024, 2048, 51, { rxHeld: 46, txHeld: 45 }), ["torn", null]);
});

Deno.test("classify() separates four faults of one frame and blames the right part for each", () => {
  const sent = frame(40, 8192);
  const read = sent.slice();
  read.set(frame(36, 8192).subarray(512, 640), 512); // stale before the core
  const written = read.slice();
  written[3000] = (written[3000] ?? 0) ^ 8; // in the core
  written.set(frame(41, 8192).subarray(5000, 5400), 5000);
  const received = written.slice();
  received.set(frame(35, 8192).subarray(7168, 7232), 7168); // stale after it
  const faults = faultsOf(40, received, {
    txCheck: crc32(read),
    rxCheck: crc32(written),
    txHeld: 36,
    rxHeld: 35,
  });
  assertEquals(
    faults.map((
      { kind, offset, length, blame, alignment },
    ) => [kind, offset, length, blame, alignment]),
    [
      ["stale-tx", 512, 128, "tx", "cache line"],
      ["bit-flip", 3000, 1, "core", null],
      ["torn", 5000, 400, "core", "word"],
      ["stale-rx", 7168, 64, "rx", "cache line"],
    ],
  );
});

Deno.test("classify() names previous content of a receive block by its edges", () => {
  const holds = (from: number, to: number) => {
    const received = frame(33);
    received.set(frame(29).subarray(from, to), from);
    return blamed(33, received, { rxCheck: crc32(frame(33)), rxHeld: 29 });
  };
  assertEquals(holds(1024, 1152), ["stale-rx", "rx"]);
  assertEquals(holds(1024, 1032), ["not-written", "rx"]);
  assertEquals(holds(1032, SIZE), ["not-written", "rx"]);
});

Deno.test("classify() blames the driver for more bytes than there was room for", () => {
  const faults = faultsOf(3, frame(3), { moved: SIZE + 17, rxCheck: crc32(frame(3)) });
  assertEquals(faults.map(({ kind, offset, length, blame }) => [kind, offset, length, blame]), [
    ["overrun", SIZE, 17, "driver"],
  ]);
});

Deno.test("classify() blames the driver for a wrong length if all bytes are in the block", () => {
  const [fault] = faultsOf(33, frame(33), { moved: SIZE - 64, rxCheck: crc32(frame(33)) });
  assertEquals([fault?.kind, fault?.offset, fault?.blame], ["truncated", SIZE - 64, "driver"]);
});

/** A frame as it arrives over a bus whose line 40 of 64 is stuck high. */
function stuck(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => at % 8 === 5 ? byte | 1 : byte);
}

Deno.test("classify() blames tx for stuck bits even if the core replaced some of them or ended early", () => {
  const read = stuck(frame(17));
  const txCheck = crc32(read);
  const received = read.slice();
  received.set(frame(16).subarray(1024, 1088), 1024);
  assertEquals(
    faultsOf(17, received, { txCheck }).map(({ kind, blame }) => [kind, blame]),
    [["stuck-bit", "tx"], ["torn", "core"]],
  );
  const short = read.slice();
  short.fill(0, 1000);
  const change = { txCheck, moved: 1000, rxCheck: crc32(short.subarray(0, 1000)) };
  assertEquals(
    faultsOf(17, short, change).map(({ kind, blame }) => [kind, blame]),
    [["stuck-bit", "tx"], ["truncated", "core"]],
  );
});

Deno.test("classify() distinguishes what the core read from bits that got stuck after it read them", () => {
  const read = frame(17);
  read.set(frame(14).subarray(1024, 1088), 1024);
  const received = stuck(read);
  const faults = faultsOf(17, received, { txHeld: 14, txCheck: crc32(read) });
  assertEquals(
    faults.map(({ kind, blame }) => [kind, blame]),
    [["stuck-bit", "core"], ["stale-tx", "tx"]],
  );
});

Deno.test("classify() finds two words that changed places even if a bit is stuck", () => {
  const whole = frame(17);
  const received = whole.slice();
  received.set(whole.subarray(808, 816), 800);
  received.set(whole.subarray(800, 808), 808);
  const kinds = faultsOf(17, stuck(received)).map(({ kind }) => kind);
  assertEquals(kinds, ["stuck-bit", "reordered"]);
});

for (
  const [checks, part] of [
    [{ tx: true, core: true, rx: true }, "tx"],
    [{ tx: false, core: true, rx: true }, "core"],
    [{ tx: null, core: null, rx: true }, "rx"],
    [{ tx: false, core: false, rx: false }, null],
    [{ tx: null, core: null, rx: null }, null],
  ] as const
) {
  Deno.test(`firstChange() returns ${part} for ${JSON.stringify(checks)}`, () => {
    assertEquals(firstChange(checks), part);
  });
}
