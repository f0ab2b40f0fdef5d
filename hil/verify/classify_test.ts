// SPDX-License-Identifier: MIT
import { crc32 } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { classify, type Context, type ReceivedFrame } from "./classify.ts";
import { faultsOf, frame, pattern, SIZE } from "./testing/frames.ts";

/** The first fault of frame 17, without its detail. */
function named(change: Partial<ReceivedFrame> & { received: Uint8Array }) {
  const [fault] = faultsOf(17, change.received, change);
  assert(fault !== undefined);
  const { kind, offset, length, blame, frame: number } = fault;
  return { kind, offset, length, blame, frame: number };
}

/** Whether the first and the last byte of a fault are wrong. */
function endsOf(
  fault: { offset: number; length: number } | undefined,
  expected: Uint8Array,
  received: Uint8Array,
): boolean[] {
  const { offset = 0, length = 0 } = fault ?? {};
  return [offset, offset + length - 1].map((at) => expected[at] !== received[at]);
}

Deno.test("classify() names a single wrong bit and its byte", () => {
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

Deno.test("classify() lists the wrong bits of a byte with a space after each comma", () => {
  const received = frame(17);
  received[14] = (received[14] ?? 0) ^ 0b11;
  const [fault] = faultsOf(17, received);
  const text =
    "1 byte: 2 bits are wrong: bit 0 of byte 14, bit 1 of byte 14; the core read the data as sent";
  assertEquals(fault?.detail, text);
});

Deno.test("classify() names a frame that ends early truncated, even if the rest of the block is wrong", () => {
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

Deno.test("classify() distinguishes a frame that the core repeated from one that it did not write", () => {
  const received = frame(16);
  assertEquals(named({ received }).kind, "duplicated");
  assertEquals(named({ received, rxCheck: 0 }).kind, "not-written");
  assertEquals(named({ received: frame(18) }).kind, "swapped");
});

Deno.test("classify() distinguishes a lost beat from a duplicated one by the direction of the displacement", () => {
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

Deno.test("classify() distinguishes poison, two frames in one block, and garbage", () => {
  assertEquals(named({ received: pattern.poison(0, SIZE) }).kind, "not-written");
  const torn = frame(17);
  torn.set(frame(13).subarray(2048), 2048);
  assertEquals(named({ received: torn }).kind, "torn");
  assertEquals(named({ received: new Uint8Array(SIZE).fill(0x77) }).kind, "foreign");
});

Deno.test("classify() distinguishes beats that changed places from lost and duplicated ones", () => {
  const received = frame(33);
  received.copyWithin(1024, 1088, 1152);
  received.set(frame(33).subarray(1024, 1088), 1088);
  const [reordered, ...others] = faultsOf(33, received);
  assertEquals([reordered?.kind, reordered?.offset], ["reordered", 1024]);
  // it ends with a wrong byte, not after it
  assertEquals(endsOf(reordered, frame(33), received), [true, true]);
  assertEquals(others, []);
});

Deno.test("classify() reports a beat that is repeated several times as one fault", () => {
  const whole = frame(33);
  const received = whole.slice();
  for (let beat = 1; beat <= 8; beat++) received.set(whole.subarray(792, 800), 792 + 8 * beat);
  received.set(whole.subarray(800, SIZE - 64), 864);
  const [doubled, ...others] = faultsOf(33, received);
  assertEquals([doubled?.kind, doubled?.offset, others.length], ["duplicated", 800, 0]);
  assert(doubled?.detail.includes("64 bytes duplicated"), doubled?.detail);
});

Deno.test("classify() calls inverted bits flipped, not foreign", () => {
  const received = frame(17).map((byte, at) => at >= 800 && at < 808 ? ~byte : byte);
  assertEquals(named({ received }), {
    kind: "bit-flip",
    offset: 800,
    length: 8,
    blame: "core",
    frame: 17,
  });
});

Deno.test("classify() describes which frame a stale cache line holds and who is to blame", () => {
  const received = frame(1042, 8192);
  received.set(frame(1034, 8192).subarray(4096, 4160), 4096);
  const [fault, ...others] = faultsOf(1042, received, {
    rxCheck: crc32(frame(1042, 8192)),
    rxHeld: 1034,
  });
  assertEquals(others, []);
  const { damage, ...named } = fault ?? {};
  assertEquals([damage?.offset, damage?.xor.length, damage?.base], [4096, 128, 64]);
  assertEquals(named, {
    kind: "stale-rx",
    alternatives: ["not-written"],
    found: 1034,
    frame: 1042,
    offset: 4096,
    length: 64,
    blame: "rx",
    alignment: "cache line",
    detail:
      "one cache line: holds frame 1034, 8 frames old: a cache hid the data behind an old copy, or " +
      "the data were not in memory; the core's check value matches the data sent",
  });
});

Deno.test("classify() names the unit that an extent consists of", () => {
  const unit = (from: number, to: number, base: number, burst?: number) => {
    const received = frame(9, 8192);
    received.set(frame(8, 8192).subarray(from, to), from);
    const units = { pageSize: 4096, cacheLine: 64, ...(burst === undefined ? {} : { burst }) };
    return faultsOf(9, received, { base, units })[0]?.alignment;
  };
  assertEquals(unit(4096 - 64, 8192, 64), "page");
  assertEquals(unit(4096 - 64, 4096, 64), "cache line");
  assertEquals(unit(1024 - 64, 2048 - 64, 64, 1024), "burst");
  assertEquals(unit(1024, 1032, 64), "word");
  assertEquals(unit(1024, 1088, 72), "word");
});

Deno.test("classify() distinguishes exchanged byte lanes from lanes with wrong data", () => {
  const swapped = frame(20);
  for (let at = 0; at < SIZE; at += 8) {
    [swapped[at + 1], swapped[at + 6]] = [swapped[at + 6] ?? 0, swapped[at + 1] ?? 0];
  }
  const [mixed, ...none] = faultsOf(20, swapped);
  assertEquals([mixed?.kind, none.length], ["byte-lanes", 0]);
  assert(mixed?.detail.includes("64-bit words mixed up: 1 from 6, 6 from 1"), mixed?.detail);
  const dead = frame(20);
  for (let at = 5; at < SIZE; at += 8) dead[at] = 0xa5;
  const [unwritten, ...others] = faultsOf(20, dead);
  assertEquals([unwritten?.kind, others.length], ["byte-lanes", 0]);
  assert(unwritten?.detail.includes("byte lane 5 of 64-bit words carries wrong data"));
});

Deno.test("classify() returns one fault for a frame of one byte, whatever it holds", () => {
  for (let byte = 0; byte < 256; byte++) {
    const received = new Uint8Array([byte]);
    if (received[0] === frame(30, 1)[0]) continue;
    assertEquals(faultsOf(30, received).length, 1);
  }
});

Deno.test("classify() compares with the expected frames of a design that transforms", () => {
  const turn = (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte) => byte ^ 0x5a);
  const received = turn(frame(60));
  received.set(turn(frame(56)).subarray(1024, 1088), 1024);
  const sent = frame(60);
  const [fault, ...others] = classify({
    sequence: 60,
    expected: turn(frame(60)),
    received,
    moved: SIZE,
    sent,
    txCheck: crc32(sent),
    rxCheck: crc32(turn(frame(60))),
  }, { pattern, rxHeld: 56, frameOf: (sequence) => turn(frame(sequence)) });
  assertEquals([fault?.kind, fault?.blame, fault?.offset, others.length], [
    "stale-rx",
    "rx",
    1024,
    0,
  ]);
});

Deno.test("classify() reports pieces in another order as one fault", () => {
  const whole = frame(50);
  const rotated = whole.slice();
  rotated.copyWithin(512, 576, 704);
  rotated.set(whole.subarray(512, 576), 640);
  // two reads of 256 bytes that are interleaved by 16 bytes
  const interleaved = whole.slice();
  for (let i = 0; i < 16; i++) {
    interleaved.set(whole.subarray(512 + 16 * i, 528 + 16 * i), 512 + 32 * i);
    interleaved.set(whole.subarray(768 + 16 * i, 784 + 16 * i), 528 + 32 * i);
  }
  // single words of two places, which take turns
  const words = whole.slice();
  for (let i = 0; i < 8; i++) {
    words.set(whole.subarray(8 + 8 * i, 16 + 8 * i), 8 + 16 * i);
    words.set(whole.subarray(72 + 8 * i, 80 + 8 * i), 16 + 16 * i);
  }
  for (const received of [rotated, interleaved, words]) {
    const faults = faultsOf(50, received);
    assertEquals(faults.map(({ kind }) => kind), ["reordered"]);
    assertEquals(endsOf(faults[0], whole, received), [true, true]);
  }
});

Deno.test("classify() reports a misplaced piece and the place where it belongs, and no byte between", () => {
  const whole = frame(50);
  const received = whole.slice();
  received.set(frame(49).subarray(512, 576), 512);
  received.set(whole.subarray(512, 576), 640);
  const faults = faultsOf(50, received, { rxCheck: crc32(whole), rxHeld: 49 });
  assertEquals(faults.map(({ kind }) => kind), ["shifted", "shifted"]);
  for (const fault of faults) {
    assertEquals(endsOf(fault, whole, received), [true, true]);
    assert(fault.length <= 64, fault.detail);
  }
});

Deno.test("classify() names a stale copy only where a cache can hold one", () => {
  const received = frame(50);
  received.set(frame(46).subarray(1024, 1088), 1024);
  const tail = frame(50);
  tail.set(frame(46).subarray(1024), 1024);
  const kinds = (more: Partial<Context>, bytes = received) =>
    faultsOf(50, bytes, { rxCheck: crc32(frame(50)), rxHeld: 46, ...more })
      .flatMap(({ kind, alternatives = [] }) => [kind, ...alternatives]);
  const coherent = { stale: { tx: false, rx: false } };
  assertEquals(kinds({}), ["stale-rx", "not-written"]);
  assertEquals(kinds(coherent), ["not-written"]);
  // a frame arrives from its start to its end, so only its end can be late
  assertEquals(kinds({}, tail), ["stale-rx", "not-written", "early-completion"]);
  assertEquals(kinds(coherent, tail), ["not-written", "early-completion"]);
  assertEquals(kinds({ ...coherent, later: "same" }), ["not-written"]);
  assertEquals(kinds({ ...coherent, later: "arrived" }), ["early-completion"]);
  assertEquals(kinds({ later: "arrived" }), ["stale-rx"]);
  assertEquals(kinds({ later: "arriving" }, tail), ["stale-rx", "early-completion"]);
  // older content can be there if the frames since were wrong, too
  const earlier = { rxHeld: 48, rxEarlier: { every: 2, initial: ["zeros"] } } as const;
  assertEquals(kinds(earlier), ["stale-rx", "not-written"]);
  assertEquals(kinds({ ...earlier, ...coherent }), ["not-written"]);
  assertEquals(kinds({ rxHeld: 47 }), ["torn", "overrun"]);
  // frame 48 was right in this block, so nothing older can be there
  assertEquals(kinds({ ...earlier, wasWrong: () => false }), ["torn", "overrun"]);
});

Deno.test("classify() names constant bytes that the block never held for what they are", () => {
  const fill = (value: number, more: Partial<Context & ReceivedFrame> = {}) => {
    const received = frame(50);
    received.fill(value, 1024, 1088);
    return faultsOf(50, received, { rxCheck: crc32(frame(50)), rxHeld: 46, ...more })
      .map(({ kind }) => kind);
  };
  assertEquals(fill(0), ["foreign"]);
  assertEquals(fill(0, { rxHeld: "zeros" }), ["stale-rx"]);
  assertEquals(fill(0xff), ["reads-ones"]);
  assertEquals(fill(0x77), ["foreign"]);
});

Deno.test("classify() names a transmit block that was read after its completion", () => {
  const spoil = pattern.poison(0, SIZE).map((byte) => byte ^ 0xff);
  const oldSpoil = pattern.poison(0, SIZE).map((byte) => byte ^ 0x5a);
  const kinds = (bytes: Uint8Array) => {
    const received = frame(50);
    received.set(bytes.subarray(1024, 1088), 1024);
    const check = { txCheck: crc32(received), txHeld: 45, spoil, oldSpoil };
    return faultsOf(50, received, check).map(({ kind, blame }) => [kind, blame]);
  };
  assertEquals(kinds(spoil), [["early-completion", "tx"]]);
  assertEquals(kinds(oldSpoil), [["stale-tx", "tx"]]);
});
