// SPDX-License-Identifier: MIT
import { crc32 } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { TaggedPattern } from "../patterns/tagged.ts";
import { classify, type ReceivedFrame } from "./classify.ts";

const SIZE = 4096;
const pattern = new TaggedPattern({ seed: 3, maxLength: 8192 });

function frame(sequence: number, length = SIZE): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  pattern.write(bytes, sequence);
  return bytes;
}

/** Frame 17 as received; check values as of a core that passed on what it read. */
function named(change: Partial<ReceivedFrame> & { received: Uint8Array }) {
  const expected = frame(17);
  const moved = change.moved ?? SIZE;
  const whole: ReceivedFrame = {
    sequence: 17,
    expected,
    moved,
    txCheck: crc32(expected),
    rxCheck: crc32(change.received.subarray(0, moved)),
    ...change,
  };
  const [fault] = classify(whole, { pattern });
  assert(fault !== undefined);
  const { kind, offset, length, blame, frame: number } = fault;
  return { kind, offset, length, blame, frame: number };
}

Deno.test("classify() names a single bit and its byte", () => {
  const received = frame(17);
  received[1234] = (received[1234] ?? 0) ^ 0x10;
  assertEquals(named({ received }), {
    kind: "bit-flip",
    offset: 1234,
    length: 1,
    blame: "core",
    frame: 17,
  });
});

Deno.test("classify() tells a frame that ends early from one with wrong bytes", () => {
  const received = frame(17);
  received.set(frame(13).subarray(1000), 1000);
  assertEquals(named({ received, moved: 1000 }), {
    kind: "truncated",
    offset: 1000,
    length: SIZE - 1000,
    blame: "core",
    frame: 17,
  });
});

Deno.test("classify() blames transmit when the core read something else than was sent", () => {
  const received = frame(13);
  const { kind, blame } = named({ received, txCheck: crc32(received) });
  assertEquals([kind, blame], ["stale-tx", "tx"]);
});

Deno.test("classify() blames receive when the CPU sees something else than the core wrote", () => {
  const received = frame(17);
  received.set(frame(13).subarray(1024, 1088), 1024);
  const { kind, blame, offset, length } = named({ received, rxCheck: crc32(frame(17)) });
  assertEquals([kind, blame], ["stale-rx", "rx"]);
  // a byte may be alike by chance, but the low ones of a word never are
  assertEquals([offset, length > 56 && length <= 64], [1024, true]);
});

Deno.test("classify() tells a frame that the core repeated from one that it did not write", () => {
  const received = frame(16);
  assertEquals(named({ received }).kind, "duplicated");
  assertEquals(named({ received, rxCheck: 0 }).kind, "not-written");
  assertEquals(named({ received: frame(18) }).kind, "swapped");
});

Deno.test("classify() tells a lost beat from a doubled one by the way the rest moved", () => {
  const whole = frame(17);
  const lost = new Uint8Array(SIZE);
  lost.set(whole.subarray(0, 800));
  lost.set(whole.subarray(808), 800);
  assertEquals(named({ received: lost, moved: SIZE - 8 }).kind, "lost");
  const doubled = new Uint8Array(SIZE);
  doubled.set(whole.subarray(0, 808));
  doubled.set(whole.subarray(800, SIZE - 8), 808);
  assertEquals(named({ received: doubled }).kind, "duplicated");
});

Deno.test("classify() tells poison, two frames in one block, and garbage", () => {
  assertEquals(named({ received: pattern.poison(0, SIZE) }).kind, "not-written");
  const torn = frame(17);
  torn.set(frame(13).subarray(2048), 2048);
  assertEquals(named({ received: torn }).kind, "torn");
  assertEquals(named({ received: new Uint8Array(SIZE).fill(0x77) }).kind, "foreign");
});

Deno.test("classify() lays nothing on anybody without check values", () => {
  const received = frame(16);
  const { kind, blame } = named({ received, txCheck: null, rxCheck: null });
  assertEquals([kind, blame], ["duplicated", null]);
});
