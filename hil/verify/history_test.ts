// SPDX-License-Identifier: MIT
import { crc32 } from "node:zlib";
import { assert, assertEquals } from "@std/assert";
import { FaultHistory } from "./history.ts";
import { faultsOf, frame } from "./testing/frames.ts";

Deno.test("FaultHistory.reclassify() distinguishes frames that the core swapped, lost and duplicated, of any length", () => {
  const run = (length: number, found: (due: number) => number) => {
    const history = new FaultHistory();
    const faults = [];
    for (let due = 10; due < 20; due++) {
      if (found(due) === due) continue;
      faults.push(...faultsOf(due, frame(found(due), length), { history, rxHeld: due - 4 }));
    }
    // a flow adds the block of each frame
    const copies = faults.map((fault) => ({ ...fault, block: 1 }));
    return history.reclassify(copies).map(({ frame, kind, blame }) => `${frame} ${kind} ${blame}`);
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

Deno.test("FaultHistory.reclassify() calls a bit stuck if it is wrong in one small frame after another", () => {
  const history = new FaultHistory();
  const faults = [];
  for (let due = 0; due < 24; due++) {
    const received = frame(due, 8);
    received[0] = (received[0] ?? 0) | (1 << 3);
    if (received[0] !== frame(due, 8)[0]) faults.push(...faultsOf(due, received, { history }));
  }
  const kinds = history.reclassify(faults).map(({ kind }) => kind);
  assert(kinds.length >= 4 && kinds.every((kind) => kind === "stuck-bit"), kinds.join());
});

Deno.test("FaultHistory.reclassify() leaves bits alone that flip in different places", () => {
  const history = new FaultHistory();
  const faults = [1, 2, 3, 4, 5, 6].flatMap((due) => {
    const received = frame(due, 64);
    received[due * 7] = (received[due * 7] ?? 0) ^ (1 << due);
    return faultsOf(due, received, { history });
  });
  assert(history.reclassify(faults).every(({ kind }) => kind === "bit-flip"));
});

Deno.test("FaultHistory.reclassify() calls data stale that a later frame of the block shows as old", () => {
  const history = new FaultHistory();
  const wrong = (due: number, old: number, from: number, to: number) => {
    const received = frame(due);
    received.set(frame(old).subarray(from, to), from);
    const known = { rxCheck: crc32(frame(due)), rxHeld: due - 4, history };
    return faultsOf(due, received, known).map((fault) => ({ ...fault, block: due % 4 }));
  };
  // block 1: frame 9 was not seen, and is there as old data of frame 13
  const faults = [
    ...wrong(9, 5, 1024, 1152),
    ...wrong(10, 6, 1024, 1088),
    ...wrong(13, 9, 1088, 1152),
  ];
  const kinds = history.reclassify(faults).map(({ kind, alternatives }) => [kind, alternatives]);
  // and what looks the same in this run has the same cause
  assertEquals(kinds, faults.map(() => ["stale-rx", undefined]));
  // older data in the same place prove nothing about those in between
  const unproved = [
    ...wrong(9, 5, 1024, 1152),
    ...wrong(10, 6, 1024, 1088),
    ...wrong(17, 13, 1024, 1152),
  ];
  const left = history.reclassify(unproved).map(({ kind, alternatives }) => [kind, alternatives]);
  assertEquals(left, unproved.map(() => ["stale-rx", ["not-written"]]));
});
