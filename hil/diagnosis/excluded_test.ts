// SPDX-License-Identifier: MIT
// Causes that what is known of a run excludes, although it is too short to prove any cause.
import { assertEquals } from "@std/assert";
import { diagnose } from "./diagnose.ts";
import { type MadeFault, type MadeRun, madeRun } from "./testing/made_run.ts";

/** A case of one policy, one size and one depth: nothing separates it from others. */
const ONE: Omit<MadeRun, "faults"> = { policies: ["streaming"], sizes: [4096], depths: [1] };

const old = (offset: number, length: number): MadeFault => ({
  ...{ kind: "stale-rx", blame: "rx", offset, length },
  found: 1,
});

const flip = (offset: number, xor = "80"): MadeFault => ({
  ...{ kind: "bit-flip", blame: "core", offset, length: xor.length / 2, xor },
});

/** The causes that are left of a run, in the order of the table. */
function causesOf(run: MadeRun, board: Partial<ReturnType<typeof madeRun>["board"]> = {}) {
  const results = madeRun(run);
  const [group] = diagnose({ ...results, board: { ...results.board, ...board } })?.groups ?? [];
  return group?.causes.map(({ id }) => id) ?? [];
}

const IN_CACHES = ["for-cpu-missing", "for-cpu-short", "for-cpu-late"];
const IN_FLIGHT = ["prefetch", "transfers-mixed", "stray-write"];
const AT_BOUNDARIES = ["4k-boundary", "burst-boundary", "segment-boundary"];

Deno.test("diagnose() leaves no cause in caches to memory that the CPU does not cache", () => {
  const faults: MadeRun["faults"] = ({ frame }) => frame < 2 ? [old(1024, 64)] : [];
  const left = (policy: string) =>
    causesOf({ ...ONE, policies: [policy], faults }).filter((id) => IN_CACHES.includes(id));
  assertEquals(left("coherent"), []);
  assertEquals(left("write-combine"), []);
  assertEquals(left("streaming"), ["for-cpu-missing"]);
  assertEquals(left("user-pages"), ["for-cpu-missing"]);
  // what this version does not know excludes nothing
  assertEquals(left("policy-of-later"), ["for-cpu-missing"]);
});

Deno.test("diagnose() leaves a list of scattered pages to the program's own pages", () => {
  const faults: MadeRun["faults"] = () => [flip(1000)];
  const left = (...policies: string[]) =>
    causesOf({ ...ONE, policies, faults })
      .filter((id) => ["user-page-list", "one-policy"].includes(id));
  assertEquals(left("user-pages"), ["user-page-list", "one-policy"]);
  assertEquals(left("user-pages", "user-pages-registered"), ["user-page-list"]);
  assertEquals(left("streaming"), ["one-policy"]);
  assertEquals(left("streaming", "noncoherent"), []);
});

Deno.test("diagnose() names the policy if only one ran, and says that nothing proves it", () => {
  const [group] = diagnose(madeRun({ ...ONE, faults: () => [flip(1000)] }))?.groups ?? [];
  assertEquals(group?.status, "open");
  const [cause] = group?.causes.filter(({ id }) => id === "one-policy") ?? [];
  assertEquals(cause?.cause, "an error in the driver's code for policy streaming");
});

Deno.test("diagnose() leaves causes of several blocks in flight to cases with several", () => {
  const faults: MadeRun["faults"] = ({ frame }) => frame < 2 ? [old(1024, 64)] : [];
  const left = (depth: number) =>
    causesOf({ ...ONE, depths: [depth], faults }).filter((id) => IN_FLIGHT.includes(id));
  assertEquals(left(1), []);
  assertEquals(left(Infinity), IN_FLIGHT);
});

Deno.test("diagnose() leaves several segments to frames of more than a page", () => {
  const faults: MadeRun["faults"] = ({ size }) => [{ ...old(0, size), kind: "foreign" }];
  const left = (size: number) =>
    causesOf({ ...ONE, sizes: [size], faults }).includes("large-block");
  assertEquals([left(4096), left(20_000)], [false, true]);
});

Deno.test("diagnose() leaves a state that outlives RESET to runs whose first frame alone is wrong", () => {
  const left = (frame: number) =>
    causesOf({ ...ONE, faults: (made) => made.frame === frame ? [flip(1000)] : [] })
      .includes("after-reset");
  assertEquals([left(0), left(5)], [true, false]);
});

Deno.test("diagnose() leaves a boundary to damage that begins at one", () => {
  // the frame begins at byte 64 of its block
  const left = (offset: number, policy = "streaming") =>
    causesOf({
      ...{ ...ONE, policies: [policy], sizes: [20_000] },
      faults: ({ frame }) => frame === 5 ? [flip(offset, "5a5a")] : [],
    }).filter((id) => AT_BOUNDARIES.includes(id));
  assertEquals(left(1000), []);
  assertEquals(left(1024 - 64), ["burst-boundary"]);
  assertEquals(left(4096 - 64), ["4k-boundary", "burst-boundary"]);
  assertEquals(left(8192 - 64), AT_BOUNDARIES);
  // a program's own memory begins anywhere
  assertEquals(left(1000, "user-pages"), AT_BOUNDARIES);
});

Deno.test("diagnose() leaves a stuck line and a byte lane to damage of one bit and of one lane", () => {
  const left = (...faults: MadeFault[]) =>
    causesOf({ ...ONE, faults: ({ frame }) => frame === 5 ? faults : [] })
      .filter((id) => ["stuck-line", "byte-lane"].includes(id));
  assertEquals(left(flip(1000)), ["stuck-line", "byte-lane"]);
  assertEquals(left(flip(1000), flip(1008, "40")), ["byte-lane"]);
  assertEquals(left(flip(1000), flip(1009)), ["stuck-line"]);
  assertEquals(left(flip(1000), flip(1009, "40")), []);
});

Deno.test("diagnose() leaves the end of a stream to boards that have one", () => {
  const faults: MadeRun["faults"] = ({ size }) => [{
    ...{ kind: "too-long", blame: "core", offset: size, length: 8 },
  }];
  const left = (memoryLoop?: boolean) =>
    causesOf({ faults }, memoryLoop === undefined ? {} : { memoryLoop }).includes("tlast-late");
  assertEquals([left(), left(false), left(true)], [true, true, false]);
});
