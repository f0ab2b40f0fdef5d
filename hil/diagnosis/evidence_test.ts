// SPDX-License-Identifier: MIT
// What counts as evidence: each rule by which a feature is known, and by which it is not.
import { assertEquals } from "@std/assert";
import { type Group, groupFailures } from "./groups.ts";
import { matchCauses } from "./match.ts";
import { observe } from "./observations.ts";
import { contentOf, placeOf } from "./places.ts";
import { exposureOf, policyOf, raggedOf, sizeOf } from "./separators.ts";
import type { Signature } from "./signature.ts";
import { type MadeRun, madeRun } from "./testing/made_run.ts";
import { blockOf, frameOf } from "./times.ts";

/** The largest group of a run that is made up, and what surrounds it. */
function groupOf(run: MadeRun): { group: Group; exposure: ReturnType<typeof exposureOf> } {
  const observed = observe(madeRun(run));
  const groups = groupFailures(observed);
  const [group] = groups;
  if (group === undefined) throw new Error("Expected a failure, found none");
  return { group, exposure: exposureOf(group, observed, groups) };
}

const LINE = 64;
const piece = (offset: number, length: number) =>
  ({ kind: "foreign", blame: "core", offset, length }) as const;

Deno.test("placeOf() finds boundaries in blocks that begin at a page, and not in a program's own", () => {
  const at = (policies: readonly string[]) =>
    placeOf(
      groupOf({
        policies,
        sizes: [20_000, 40_960],
        // a block of the program begins anywhere in its page
        faults: ({ policy, random }) => [
          piece(
            4096 * (1 + random.below(3)) - LINE +
              (policy === "user-pages" ? random.below(2000) : 0),
            32,
          ),
        ],
      }).group,
      LINE,
    ).value;
  assertEquals(at(["coherent", "streaming", "user-pages"]), "4 KiB");
  assertEquals(at(["user-pages"]), "anywhere");
});

Deno.test("placeOf() finds a distance although a case ended within a frame, or joined its faults", () => {
  const pieces = (size: number) =>
    Array.from({ length: Math.floor(size / 128) }, (_, i) => piece(128 * i + 24, 8));
  const of = (faults: MadeRun["faults"]) =>
    placeOf(groupOf({ sizes: [1001, 4096], faults, policies: ["coherent"] }).group, LINE);
  // a case ends at 16 faults, which is in the third frame of 1001 bytes
  assertEquals(of(({ size }) => pieces(size)).facts, { step: 128, beats: "every 16th beat" });
  const joined = of(({ size }) =>
    size < 4096 ? pieces(size) : [{ ...piece(24, 3976), xor: "5a".repeat(8) }]
  );
  assertEquals(joined.value, "repeats");
});

Deno.test("placeOf() calls no frame wrong as a whole whose start is intact", () => {
  const of = (offset: number) =>
    placeOf(groupOf({ faults: ({ size }) => [piece(offset, size - offset)] }).group, LINE).value;
  assertEquals(of(0), "whole");
  assertEquals(of(16), "from");
});

Deno.test("sizeOf() tells a limit of more than a page from a smaller one", () => {
  const of = (limit: number) =>
    sizeOf(
      groupOf({ faults: ({ size }) => size < limit ? [] : [piece(0, size)] }).exposure,
    ).value;
  assertEquals(of(4096), "above");
  assertEquals(of(10_000), "large");
});

Deno.test("sizeOf() proves no limit by frames that are shorter than the damage", () => {
  const of = (length: number) =>
    sizeOf(
      groupOf({
        policies: ["coherent", "streaming"],
        sizes: [64, 300, 1001, 4096, 20_000, 40_960],
        faults: ({ size, random }) =>
          size < 20_000 ? [] : [piece(8 + random.below(size - length - 8), length)],
      }).exposure,
    ).value;
  assertEquals(of(64), "large");
  assertEquals(of(8192), "unknown");
});

Deno.test("policyOf() needs frames that cross a page to lay damage on a program's own pages", () => {
  const of = (least: number) =>
    policyOf(
      groupOf({
        policies: ["coherent", "write-combine", "streaming", "user-pages"],
        frames: 16,
        faults: ({ policy, size }) =>
          policy === "user-pages" && (least < size || size === 1001) ? [piece(64, 32)] : [],
      }).exposure,
    ).value;
  assertEquals(of(0), "one-cached");
  assertEquals(of(1 << 20), "unknown");
});

Deno.test("raggedOf() excludes every width if a multiple of it fails", () => {
  const of = (isWrong: (size: number) => boolean) =>
    raggedOf(groupOf({ faults: ({ size }) => isWrong(size) ? [piece(0, 8)] : [] }).exposure).value;
  assertEquals(of((size) => size % 8 !== 0), "yes");
  assertEquals(of(() => true), "no");
  // 300 and 4100 are no multiples of 8 either, and pass
  assertEquals(of((size) => size % 2 !== 0 || size === 4096), "no");
});

Deno.test("frameOf() finds a period in frames that are wrong in different ways, or intact now and then", () => {
  const of = (faults: MadeRun["faults"]) =>
    frameOf(groupOf({ faults, sizes: [4096], policies: ["coherent"] }).group);
  const lost = { ...piece(8, 1000), kind: "lost" } as const;
  assertEquals(
    of(({ frame }) => frame % 4 !== 3 ? [] : frame % 5 === 0 ? [lost] : [piece(64, 32)]).facts,
    { period: 4, nth: "fourth" },
  );
  assertEquals(
    of(({ frame }) => frame % 4 === 3 && frame % 5 !== 0 ? [piece(64, 32)] : []).value,
    "periodic",
  );
  assertEquals(of(({ random }) => random.below(3) === 0 ? [piece(64, 32)] : []).value, "any");
});

Deno.test("blockOf() needs more than cases that all have the same wrong frames", () => {
  const of = (faults: MadeRun["faults"], frames = 200) =>
    blockOf(groupOf({ faults, frames }).group).value;
  // frame 5 and 17 of each case are in the same block of 12, because the faults choose frames
  assertEquals(
    of(({ frame, depth }) => depth > 1 && [5, 17].includes(frame) ? [piece(64, 32)] : []),
    "unknown",
  );
  assertEquals(of(({ block }) => block === 8 ? [piece(64, 32)] : []), "one");
});

Deno.test("blockOf() tells some of the blocks from all of them", () => {
  const of = (isWrong: (block: number) => boolean) =>
    blockOf(
      groupOf({
        frames: 200,
        faults: ({ block, depth, random }) =>
          depth > 1 && isWrong(block) && random.below(2) === 0 ? [piece(64, 32)] : [],
      }).group,
    ).value;
  assertEquals(of((block) => block % 3 === 0), "some");
  assertEquals(of(() => true), "any");
});

Deno.test("contentOf() takes zeros for no proof of old data", () => {
  const of = (detail: string, found?: number) => {
    const { group } = groupOf({
      faults: ({ size }) => [{ kind: "not-written", blame: "rx", offset: 0, length: size }],
    });
    const faults = group.faults.map((row) => ({
      ...row,
      fault: { ...row.fault, detail, ...(found === undefined ? {} : { found }) },
    }));
    return contentOf({ ...group, faults }).value;
  };
  assertEquals(of("64 bytes: holds 0x00 in every byte: not there"), "unknown");
  assertEquals(of("64 bytes: holds poison, which no frame has overwritten yet"), "data");
  assertEquals(of("64 bytes: holds frame 3, 1 frame old", 3), "data");
});

Deno.test("matchCauses() excludes a cause that does not explain a separator", () => {
  const flips: Signature = {
    damage: ["bits"],
    leading: "bits",
    blame: "core",
    policy: "any",
    depth: "any",
    size: "any",
    ragged: "no",
    frame: "any",
    block: "any",
    place: "anywhere",
    bit: "single",
    unit: "byte",
    content: "data",
    rate: "some",
    length: "inner",
    coherent: "no",
    stream: "yes",
    transfer: "unknown",
  };
  const found = (more: Partial<Signature>) =>
    matchCauses({ ...flips, ...more }).confirmed.map(({ id }) => id).join();
  // a cause that says nothing about separators
  const silent = {
    id: "made",
    cause: "",
    needs: { damage: ["bits"] },
    check: "",
    remedy: "",
  } as const;
  const left = (more: Partial<Signature>) =>
    matchCauses({ ...flips, ...more }, { causes: [silent] }).confirmed.length;
  assertEquals([found({}), left({})], ["random-flips", 1]);
  assertEquals(found({ size: "large" }), "random-flips");
  for (
    const separator of [
      { policy: "cached" },
      { depth: "queued" },
      { size: "below" },
      { ragged: "yes" },
      { frame: "from" },
      { block: "some" },
    ] satisfies Partial<Signature>[]
  ) assertEquals([found(separator), left(separator)], ["", 0]);
});
