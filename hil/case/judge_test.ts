// SPDX-License-Identifier: MIT
// How a case ends, from made reports. hil_test.ts has the same from real runs.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { CompletedTransfer } from "../../driver/block.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { ResetError } from "../../driver/errors.ts";
import { MixUpError } from "../frames/handover.ts";
import { assertIntact, IntactError } from "../frames/intact.ts";
import type { FrameReport } from "../frames/report.ts";
import type { TimeoutEvidence } from "../results/schema.ts";
import { INTACT } from "../testing/frame_report.ts";
import type { Fault } from "../verify/fault.ts";
import { SkipError } from "./skip_error.ts";
import { judge, judgeControl } from "./judge.ts";

const FLIP: Fault = {
  kind: "bit-flip",
  frame: 5,
  offset: 9,
  length: 1,
  blame: "core",
  detail: "one byte",
  damage: { offset: 9, xor: "02", base: 0 },
};

/** A made report. `asserted` says whether the test asked about it, as by assertIntact(). */
function report(changes: Partial<FrameReport>, asserted = false): FrameReport {
  const made = { ...INTACT, ...changes };
  if (asserted) {
    try {
      assertIntact(made);
    } catch {
      // the test goes on with another error
    }
  }
  return made;
}

const mixUp = () =>
  new MixUpError("Expected rx block 1 back, found block 2", {
    done: {} as CompletedTransfer,
    error: null,
  });
const timedOut = () => new ErrnoError("ioctl", ERRNO.ETIMEDOUT);

const scattered = () => new ErrnoError("ioctl PLDMA_IOC_REGISTER", ERRNO.EOPNOTSUPP);

function assertionError(): Error {
  const error = new Error("1 is not 2");
  error.name = "AssertionError";
  return error;
}

const faulty = report({ faults: [FLIP] });
const hanging = report({ frames: 4, timeout: "frame 4: no completion" });
const incomplete = report({ frames: 4 });

for (
  const [what, thrown, reports, outcome] of [
    ["an asserted report that is intact", null, [report({}, true)], "PASS"],
    ["no report", null, [], "PASS"],
    ["faults", new IntactError(faulty), [faulty], "FAIL"],
    ["a completion that did not come", new IntactError(hanging), [hanging], "TIMEOUT"],
    ["frames that were not verified", new IntactError(incomplete), [incomplete], "ERROR"],
    ["faults that nobody asserted", null, [report({ faults: [FLIP] })], "FAIL"],
    ["faults before another error", new Error("lost"), [report({ faults: [FLIP] })], "FAIL"],
    ["faults before a skip", new SkipError("no"), [report({ faults: [FLIP] })], "FAIL"],
    ["a timeout that nobody asserted", null, [report({ timeout: "frame 4" })], "TIMEOUT"],
    ["an intact report that nobody asserted", null, [report({})], "ERROR"],
    ["a skip", new SkipError("no"), [], "SKIP"],
    ["a mix-up", mixUp(), [report({})], "FAIL"],
    ["a timeout of the test's own call", timedOut(), [], "TIMEOUT"],
    ["an assertion of the test", assertionError(), [], "FAIL"],
    ["memory that the engine cannot receive into", scattered(), [], "SKIP"],
    ["faults before such memory", scattered(), [report({ faults: [FLIP] })], "FAIL"],
    ["an engine that is not idle", new ResetError(3, 1), [], "FAIL"],
    ["any other error", new Error("lost"), [], "ERROR"],
  ] as const
) {
  Deno.test(`judge() calls ${what} ${outcome}`, () => {
    assertEquals(judge(thrown, reports).outcome, outcome);
  });
}

Deno.test("judge() blames no design for an engine that can never be known to be idle", () => {
  const { outcome, reason } = judge(new ResetError(3, 1), [], false);
  assertEquals(outcome, "ERROR");
  assertStringIncludes(`${reason}`, "could not be proved idle");
});

const STALE: Fault = { ...FLIP, kind: "stale-rx", blame: "rx", offset: 64, length: 64 };
const { damage: _none, ...REFUSED } = FLIP;

/** Judges a control that uses both directions. */
function control(thrown: unknown, one: FrameReport, matters = true) {
  return judgeControl(judge(thrown, [one]), [one], ["tx", "rx"], matters, thrown);
}

Deno.test("judgeControl() excuses stale data where a missing sync matters", () => {
  const stale = report({ faults: [STALE], seen: { tx: false, rx: true } });
  const { outcome, reason, evidence } = control(new IntactError(stale), stale);
  assertEquals([outcome, evidence], ["XFAIL", { tx: false, rx: true }]);
  assertMatch(reason ?? "", /^without syncs, as it must: frame 5 of 10/);
  assertEquals(control(new IntactError(stale), stale, false).outcome, "FAIL");
});

Deno.test("judgeControl() excuses a frame that the design refuses without showing data", () => {
  const refused = report({ faults: [REFUSED], seen: { tx: false, rx: null } });
  assertEquals(control(new IntactError(refused), refused).outcome, "XFAIL");
});

Deno.test("judgeControl() excuses no damage on a board where nothing is stale", () => {
  const flipped = report({ faults: [FLIP], seen: { tx: false, rx: false } });
  const { outcome, evidence } = control(new IntactError(flipped), flipped);
  assertEquals([outcome, evidence], ["FAIL", { tx: false, rx: false }]);
});

Deno.test("judgeControl() excuses no damage that check values lay on the core, although data were stale", () => {
  const seen = { tx: true, rx: true, core: true as const };
  const both = report({ faults: [STALE, FLIP], seen });
  const { outcome, reason, evidence } = control(new IntactError(both), both);
  assertEquals([outcome, evidence], ["FAIL", { tx: true, rx: true }]);
  assertMatch(reason ?? "", /^frame 5 of 10.*the core changed data, which no missing sync does$/);
  // without that proof, wrong data may follow from stale ones
  const { core: _proof, ...unproved } = seen;
  const stale = report({ faults: [STALE, FLIP], seen: unproved });
  assertEquals(control(new IntactError(stale), stale).outcome, "XFAIL");
});

Deno.test("judgeControl() excuses no mix-up, although stale data were seen before", () => {
  const primed = report({ seen: { tx: null, rx: true } }, true);
  const { outcome, evidence } = control(mixUp(), primed);
  assertEquals([outcome, evidence], ["FAIL", { tx: false, rx: true }]);
  const damaged = report({ faults: [STALE], seen: { tx: null, rx: true } });
  assertEquals(control(mixUp(), damaged).outcome, "FAIL");
});

const LATE = { frame: 4, primer: false, idle: true } as TimeoutEvidence;
/** A report of a design that filters frames, of which one did not come. */
const starved = (changes: Partial<FrameReport> = {}) =>
  report({ timeout: "frame 4: no completion", late: LATE, isCountVariable: true, ...changes });

Deno.test("judgeControl() excuses frames that are missing where their number depends on stale data", () => {
  const faults: Fault[] = [{ ...STALE, kind: "stale-tx", blame: "tx" }];
  const stale = starved({ faults, seen: { tx: true, rx: false } });
  const { outcome, evidence } = control(new IntactError(stale), stale);
  // the run ended before it could show anything about the other direction
  assertEquals([outcome, evidence], ["XFAIL", { tx: true }]);
  const bare = starved();
  const judged = control(new IntactError(bare), bare);
  assertEquals([judged.outcome, judged.evidence], ["XFAIL", {}]);
  assertMatch(
    `${judged.reason}`,
    /^without syncs, the number of frames .* frame 4: no completion$/,
  );
  assertEquals(control(new IntactError(bare), bare, false).outcome, "TIMEOUT");
});

Deno.test("judgeControl() excuses no other transfer that does not end", () => {
  const seen = { tx: true, rx: true };
  const { isCountVariable: _, ...plain } = starved({ faults: [STALE], seen });
  for (
    const hung of [
      plain,
      starved({ faults: [STALE], seen, late: { ...LATE, primer: true } }),
      starved({ faults: [STALE], seen, late: { ...LATE, idle: false } }),
      starved({ faults: [STALE], seen, aftermath: "the engine is not idle" }),
      starved({ faults: [FLIP], seen: { tx: false, rx: false } }),
      starved({ faults: [STALE, FLIP], seen: { ...seen, core: true } }),
    ]
  ) assertEquals(control(new IntactError(hung), hung).outcome, "FAIL");
  const bare = report({ timeout: "frame 4: no completion", late: LATE });
  assertEquals(control(new IntactError(bare), bare).outcome, "TIMEOUT");
  // a call of the test's own may wait for anything
  const own = control(timedOut(), starved({}));
  assertEquals(own.outcome, "TIMEOUT");
});

Deno.test("judgeControl() excuses no error of the test's own, although stale data were seen before", () => {
  const own = new Error("the picture has no header");
  own.name = "AssertionError";
  const primed = report({ seen: { tx: null, rx: true } }, true);
  assertEquals(control(own, primed).outcome, "FAIL");
});

Deno.test("judgeControl() calls a control that passes XPASS only where a missing sync matters", () => {
  const passed = report({}, true);
  assertEquals(control(null, passed).outcome, "XPASS");
  assertEquals(control(null, passed, false).outcome, "PASS");
});

Deno.test("judge() calls any error of the test's own a failure after frames have moved", () => {
  const own = new TypeError("the picture has no header");
  own.stack = `${own}\n    at check (file:///home/me/a_test.ts:12:9)`;
  assertEquals(judge(own, [report({}, true)]).outcome, "FAIL");
  // before any frame it says nothing about the design
  assertEquals(judge(own, []).outcome, "ERROR");
  const ours = new TypeError("a slip");
  ours.stack = `${ours}\n    at f (${new URL("../frames/flow.ts", import.meta.url)}:1:2)`;
  assertEquals(judge(ours, [report({}, true)]).outcome, "ERROR");
});
