// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import type { Fault } from "../verify/fault.ts";
import { isIntact } from "./intact.ts";
import { INTACT } from "../testing/frame_report.ts";
import { joinReports } from "./report.ts";

const FAULT: Fault = {
  kind: "foreign",
  frame: 3,
  offset: 0,
  length: 64,
  blame: null,
  detail: "unknown bytes",
};

for (
  const [what, changes, intact] of [
    ["all frames verified", {}, true],
    ["a fault without blame", { faults: [FAULT] }, false],
    ["a completion that did not come", { timeout: "frame 10" }, false],
    ["a frame that was not verified", { frames: 9 }, false],
    ["more frames than were asked for", { frames: 11 }, false],
    ["no frame asked for", { asked: 0, frames: 0 }, false],
  ] as const
) {
  Deno.test(`isIntact() is ${intact} for a report with ${what}`, () => {
    assertEquals(isIntact({ ...INTACT, ...changes }), intact);
  });
}

Deno.test("joinReports() keeps what each device found, with its path", () => {
  const paths = ["/dev/pldma0", "/dev/pldma1"];
  const stale = { ...INTACT, faults: [FAULT], seen: { tx: null, rx: true }, seconds: 2 };
  const late = {
    ...{ ...INTACT, frames: 4, timeout: "frame 4: no completion" },
    seen: { tx: null, rx: false },
  };
  const joined = joinReports([late, stale], paths);
  assertEquals(joined.faults, [{ ...FAULT, detail: "/dev/pldma1: unknown bytes" }]);
  assertEquals(joined.timeout, "/dev/pldma0: frame 4: no completion");
  assertEquals([joined.asked, joined.frames, joined.bytes, joined.seconds], [20, 14, 1280, 2]);
  assertEquals(joined.seen, { tx: null, rx: true });
  assertEquals(joinReports([stale], paths), stale);
});
