// SPDX-License-Identifier: MIT
import { crc32 } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { TaggedPattern } from "../patterns/tagged.ts";
import { patternNamed } from "../patterns/mod.ts";
import { classify, type Context, FaultHistory, type ReceivedFrame } from "./classify.ts";

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

Deno.test("classify() calls bits that are all inverted flipped, not foreign", () => {
  const received = frame(17).map((byte, at) => at >= 800 && at < 808 ? ~byte : byte);
  assertEquals(named({ received }), {
    kind: "bit-flip",
    offset: 800,
    length: 8,
    blame: "core",
    frame: 17,
  });
});

/** What a bus makes of a frame whose line 40 of 64 is stuck high. */
function stuck(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => at % 8 === 5 ? byte | 1 : byte);
}

Deno.test("classify() blames transmit for stuck bits also where the core replaced some, or ended early", () => {
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

Deno.test("classify() tells what the core read from bits that got stuck behind that", () => {
  const read = frame(17);
  read.set(frame(14).subarray(1024, 1088), 1024);
  const received = stuck(read);
  const faults = faultsOf(17, received, { txHeld: 14, txCheck: crc32(read) });
  assertEquals(
    faults.map(({ kind, blame }) => [kind, blame]),
    [["stuck-bit", "core"], ["stale-tx", "tx"]],
  );
});

Deno.test("classify() finds two words that changed places although a bit is stuck", () => {
  const whole = frame(17);
  const received = whole.slice();
  received.set(whole.subarray(808, 816), 800);
  received.set(whole.subarray(800, 808), 808);
  const kinds = faultsOf(17, stuck(received)).map(({ kind }) => kind);
  assertEquals(kinds, ["stuck-bit", "swapped"]);
});

Deno.test("classify() lays nothing on anybody without check values", () => {
  const received = frame(16);
  const { kind, blame } = named({ received, txCheck: null, rxCheck: null });
  assertEquals([kind, blame], ["duplicated", null]);
});

/** Faults of a frame, check values as of a core that passed on what it read. */
function faultsOf(
  sequence: number,
  received: Uint8Array,
  more: Partial<ReceivedFrame & Context> = {},
) {
  const expected = frame(sequence, received.length);
  const moved = more.moved ?? received.length;
  return classify({
    sequence,
    expected,
    received,
    moved,
    txCheck: crc32(expected),
    rxCheck: crc32(received.subarray(0, moved)),
    ...more,
  }, { pattern, ...more });
}

Deno.test("classify() says in words which frame a stale cache line holds and whose fault it is", () => {
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
    frame: 1042,
    offset: 4096,
    length: 64,
    blame: "rx",
    alignment: "cache line",
    detail:
      "one cache line: holds frame 1034, 8 frames old: a stale cache line on the CPU side; the " +
      "core's check value matches what was sent",
  });
});

Deno.test("classify() tells four faults of one frame apart, and lays each where it belongs", () => {
  const sent = frame(40, 8192);
  const read = sent.slice();
  read.set(frame(36, 8192).subarray(512, 640), 512); // stale in front of the core
  const written = read.slice();
  written[3000] = (written[3000] ?? 0) ^ 8; // in the core
  written.set(frame(41, 8192).subarray(5000, 5400), 5000);
  const received = written.slice();
  received.set(frame(35, 8192).subarray(7168, 7232), 7168); // stale behind it
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

Deno.test("classify() without check values blames a cache only where its lines are whole", () => {
  const blind = { txCheck: null, rxCheck: null };
  const holds = (from: number, to: number, other: number, more: Partial<Context>) => {
    const received = frame(50);
    received.set(frame(other).subarray(from, to), from);
    const [fault] = faultsOf(50, received, { ...blind, ...more });
    return [fault?.kind, fault?.blame];
  };
  assertEquals(holds(1024, 1088, 46, { rxHeld: 46, txHeld: 45 }), ["stale-rx", "rx"]);
  assertEquals(holds(1024, 1088, 45, { rxHeld: 46, txHeld: 45 }), ["stale-tx", "tx"]);
  assertEquals(holds(1024, 1088, 46, { rxHeld: 46, txHeld: 46 }), ["stale-rx", null]);
  assertEquals(holds(1032, 1048, 46, { rxHeld: 46, txHeld: 45 }), ["not-written", "core"]);
  assertEquals(holds(0, SIZE, 46, { rxHeld: 46, txHeld: 45 }), ["not-written", null]);
  assertEquals(holds(1024, 2048, 51, { rxHeld: 46, txHeld: 45 }), ["torn", null]);
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

Deno.test("classify() lays more bytes than there was room for on the driver", () => {
  const faults = faultsOf(3, frame(3), { moved: SIZE + 17, rxCheck: crc32(frame(3)) });
  assertEquals(faults.map(({ kind, offset, length, blame }) => [kind, offset, length, blame]), [
    ["overrun", SIZE, 17, "driver"],
  ]);
});

Deno.test("classify() tells lanes that are mixed up from lanes that are not written", () => {
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
  assert(unwritten?.detail.includes("byte lanes 5 of 64-bit words carry something else"));
});

Deno.test("FaultHistory tells frames swapped, lost and doubled by the core apart, of any length", () => {
  const run = (length: number, found: (due: number) => number) => {
    const history = new FaultHistory();
    const faults = [];
    for (let due = 10; due < 20; due++) {
      if (found(due) === due) continue;
      faults.push(...faultsOf(due, frame(found(due), length), { history, rxHeld: due - 4 }));
    }
    // a flow adds the block that it found them in
    const copies = faults.map((fault) => ({ ...fault, block: 1 }));
    return history.settle(copies).map(({ frame, kind, blame }) => `${frame} ${kind} ${blame}`);
  };
  for (const length of [2, 3, 7, 8, 20, 63, 64, 4096]) {
    const text = `length ${length}`;
    const swapped = run(length, (due) => due === 12 ? 13 : due === 13 ? 12 : due);
    assertEquals(swapped, ["12 swapped core", "13 swapped core"], text);
    const lost = run(length, (due) => due >= 17 ? due + 1 : due);
    assertEquals(lost, ["17 lost core", "18 lost core", "19 lost core"], text);
    const doubled = run(length, (due) => due >= 18 ? due - 1 : due);
    assertEquals(doubled, ["18 duplicated core", "19 duplicated core"], text);
    const repeated = run(length, (due) => due === 14 ? 11 : due);
    assertEquals(repeated, ["14 duplicated core"], text);
  }
});

Deno.test("FaultHistory calls a bit stuck that is wrong in one small frame after another", () => {
  const stuck = (bit: number) => {
    const history = new FaultHistory();
    const faults = [];
    for (let due = 0; due < 24; due++) {
      const received = frame(due, 8);
      received[0] = (received[0] ?? 0) | (1 << bit);
      if (received[0] !== frame(due, 8)[0]) faults.push(...faultsOf(due, received, { history }));
    }
    return history.settle(faults).map(({ kind }) => kind);
  };
  const kinds = stuck(3);
  assert(kinds.length >= 4 && kinds.every((kind) => kind === "stuck-bit"), kinds.join());
  // bits that flip here and there are not stuck
  const history = new FaultHistory();
  const faults = [1, 2, 3, 4, 5, 6].flatMap((due) => {
    const received = frame(due, 64);
    received[due * 7] = (received[due * 7] ?? 0) ^ (1 << due);
    return faultsOf(due, received, { history });
  });
  assert(history.settle(faults).every(({ kind }) => kind === "bit-flip"));
});

Deno.test("classify() answers for a frame of one byte, whatever it holds", () => {
  for (let byte = 0; byte < 256; byte++) {
    const received = new Uint8Array([byte]);
    if (received[0] === frame(30, 1)[0]) continue;
    assertEquals(faultsOf(30, received).length, 1);
  }
});

Deno.test("classify() knows a design that transforms by what is due from it", () => {
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

/** Frame 100 of a pattern, of a generator's (prbs31) or of a design's that transforms it, to be damaged. */
function hundredth(from: string, length: number) {
  const options = { seed: 1, maxLength: length + 64 };
  const spec = patternNamed(from === "generator" ? "prbs31" : from === "design" ? "random" : from);
  const begun = spec.create(options);
  const pattern = from === "generator"
    ? spec.expectFrom?.(begun.body(5, length), options) ?? begun
    : begun;
  let made = 0;
  const body = pattern.body.bind(pattern);
  pattern.body = (sequence, length) => {
    made++;
    return body(sequence, length);
  };
  const frame = (sequence: number) => {
    const bytes = new Uint8Array(length);
    pattern.write(bytes, sequence);
    return from === "design" ? bytes.map((byte) => ~byte) : bytes;
  };
  const expected = frame(100);
  const context = { pattern, rxHeld: 96, txHeld: 96, ...(from === "design" && { frameOf: frame }) };
  const look = (received: Uint8Array) => {
    const before = made;
    const start = performance.now();
    const faults = classify(
      { sequence: 100, expected, received, moved: length, txCheck: 1, rxCheck: 2 },
      context,
    );
    assert(faults.length > 0 && faults.length < 100);
    return { made: made - before, milliseconds: performance.now() - start };
  };
  return { frame, expected, look };
}

const DUE_FROM = ["tagged", "video", "generator", "design"];

/** Ways to spoil a frame all over, whatever its length. */
const SPOILT: Record<string, (byte: number, at: number, noise: number) => number> = {
  "whole garbage": (_byte, _at, noise) => noise,
  "a bit of each byte": (_byte, _at, noise) => noise & 1,
  "a bit here and there": (byte, at) => at % 50 === 0 ? byte ^ (1 << (at & 7)) : byte,
  "lines of one byte": (_byte, at) => at >> 6 & 0xff,
};

function spoilt(expected: Uint8Array): [string, Uint8Array][] {
  const { length } = expected;
  const noise = patternNamed("random").create({ seed: 2, maxLength: length }).body(0, length);
  return Object.entries(SPOILT).map(([kind, by]) => [
    kind,
    expected.map((byte, at) => by(byte, at, noise[at] ?? 0)),
  ]);
}

Deno.test("classify() makes few other frames, however much of one is wrong", () => {
  const length = 1 << 16; // 1024 lines
  for (const from of DUE_FROM) {
    const { frame, expected, look } = hundredth(from, length);
    const flipped = expected.slice();
    for (let i = 0; i < 300; i++) flipped[i * 217] = (flipped[i * 217] ?? 0) ^ (1 << (i & 7));
    // what the blocks held before, in a reading with stuck bits and one without
    const { made } = look(flipped);
    assert(made <= 2, `300 bits, ${from}: ${made}`);
    const wrong = spoilt(expected);
    if (from === "tagged") {
      const lines = expected.slice();
      for (let at = 0; at < length; at += 64) {
        lines.set(frame(101 + at / 64).subarray(at, at + 64), at);
      }
      wrong.push(["each line of another frame, as its words say", lines]);
    }
    for (const [kind, received] of wrong) {
      const { made } = look(received);
      assert(made <= 2 * 512, `${kind}, ${from}: ${made}`);
    }
  }
});

Deno.test("classify() takes time in proportion to what it is given, even if that is garbage", () => {
  for (const from of DUE_FROM) {
    const [small, large] = [1 << 12, 1 << 16].map((length) => {
      const { expected, look } = hundredth(from, length);
      return spoilt(expected).map(([, received]) => () => look(received).milliseconds);
    });
    for (const [i, kind] of Object.keys(SPOILT).entries()) {
      // best of a few rounds: other jobs disturb some; what takes the square of the length takes 256
      let [short, long] = [Infinity, Infinity];
      for (let round = 0; round < 8 && (round === 0 || long > 4 * 16 * short); round++) {
        short = Math.min(short, small?.[i]?.() ?? NaN, small?.[i]?.() ?? NaN);
        long = Math.min(long, large?.[i]?.() ?? NaN);
      }
      assert(long <= 4 * 16 * short, `${from}, ${kind}: ${short} ms for 4 KiB, ${long} for 64 KiB`);
    }
  }
});

Deno.test("classify() tells what changed places from what is lost and doubled", () => {
  const received = frame(33);
  received.copyWithin(1024, 1088, 1152);
  received.set(frame(33).subarray(1024, 1088), 1088);
  const [swapped, ...others] = faultsOf(33, received);
  assertEquals([swapped?.kind, swapped?.offset, swapped?.length], ["swapped", 1024, 128]);
  assertEquals(others, []);
});

Deno.test("classify() takes a beat that comes again and again for one fault", () => {
  const whole = frame(33);
  const received = whole.slice();
  for (let beat = 1; beat <= 8; beat++) received.set(whole.subarray(792, 800), 792 + 8 * beat);
  received.set(whole.subarray(800, SIZE - 64), 864);
  const [doubled, ...others] = faultsOf(33, received);
  assertEquals([doubled?.kind, doubled?.offset, others.length], ["duplicated", 800, 0]);
  assert(doubled?.detail.includes("64 bytes twice"), doubled?.detail);
});

Deno.test("classify() lays a length that is wrong on the driver when all bytes are there", () => {
  const [fault] = faultsOf(33, frame(33), { moved: SIZE - 64, rxCheck: crc32(frame(33)) });
  assertEquals([fault?.kind, fault?.offset, fault?.blame], ["truncated", SIZE - 64, "driver"]);
});

Deno.test("classify() tells a block's old content behind the core by its edges", () => {
  const behind = (from: number, to: number) => {
    const received = frame(33);
    received.set(frame(29).subarray(from, to), from);
    const [fault] = faultsOf(33, received, { rxCheck: crc32(frame(33)), rxHeld: 29 });
    return [fault?.kind, fault?.blame];
  };
  assertEquals(behind(1024, 1152), ["stale-rx", "rx"]);
  assertEquals(behind(1024, 1032), ["not-written", "rx"]);
  assertEquals(behind(1032, SIZE), ["torn", "rx"]);
});
