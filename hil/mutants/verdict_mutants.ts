// SPDX-License-Identifier: MIT
/**
 * Mistakes in the framework that would turn a failure into a pass, or blame the wrong part. The file is
 * long because it is one table.
 *
 * @module
 */

import type { Mutant } from "./mutant.ts";

/** Mistakes that move frames or compare them. */
const FRAMES: readonly Mutant[] = [
  {
    id: "guards-ignored",
    file: "hil/frames/guards.ts",
    find: "if (this.#guard === 0) return [];",
    replace: "return [];",
    breaks: "no damage around a frame is found",
  },
  {
    id: "guard-after-ignored",
    file: "hil/frames/guards.ts",
    find: "guard > 0 ? fresh.subarray(guard + size) : new Uint8Array(0)",
    replace: "new Uint8Array(0)",
    breaks: "damage after a frame is not found",
  },
  {
    id: "guard-before-ignored",
    file: "hil/frames/guards.ts",
    find: "const before = fresh.subarray(0, guard);",
    replace: "const before = fresh.subarray(0, 0);",
    breaks: "damage before a frame is not found",
  },
  {
    id: "receive-guards-ignored",
    file: "hil/frames/receive.ts",
    find: "    this.checkGuards(this.#guards, block, sequence);\n",
    replace: "",
    breaks: "rx.receive does not look at what was written around a frame",
  },
  {
    id: "receive-short-frames",
    file: "hil/frames/receive.ts",
    find: "if (done.bytes === size && holdsFrame(block, whole)) return true;",
    replace: "if (holdsFrame(block, whole)) return true;",
    breaks: "rx.receive accepts a frame whose reported length is too short",
  },
  {
    id: "receive-stale-accepted",
    file: "hil/frames/receive.ts",
    find: "return this.#repeats || sequence < this.#blocks.all.length;",
    replace: "return false;",
    breaks:
      "rx.receive stores no poison, so a frame that was never written passes if it is there " +
      "from before",
  },
  {
    id: "send-short-transfers",
    file: "hil/frames/send.ts",
    find: "const lost = done.bytes !== size;",
    replace: "const lost = false;",
    breaks: "tx.send accepts a transfer that took only a part of the frame",
  },
  {
    id: "send-check-ignored",
    file: "hil/frames/send.ts",
    find: "const changed = check !== this.#checkOf(sequence, size);",
    replace: "const changed = false;",
    breaks: "tx.send ignores the check value of the core",
  },
  {
    id: "send-refusal-ignored",
    file: "hil/frames/send.ts",
    find: "return why === null ? null : {",
    replace: "return why !== null ? null : {",
    breaks: "tx.send ignores what the design says about a frame",
  },
  {
    id: "last-byte-ignored",
    file: "hil/frames/framed.ts",
    find: "return stamp === null ? block.equals(body, at) :",
    replace: "return stamp === null ? block.equals(body, at, size - 1) :",
    breaks: "the last byte of frames without a stamp is not compared",
  },
  {
    id: "last-byte-before-stamp-ignored",
    file: "driver/block.ts",
    find: "syscalls.equal(mapping, start, expected, rest) &&",
    replace: "syscalls.equal(mapping, start, expected, rest - 1) &&",
    breaks: "the last byte before the stamp is not compared",
  },
  {
    id: "stamp-ignored",
    file: "driver/block.ts",
    find: "expected, rest) &&\n      mapping.getInt32(start + rest) === stamp;",
    replace: "expected, rest);",
    breaks: "the stamp of a frame, which alone depends on its full number, is not compared",
  },
  {
    id: "loop-short-frames",
    file: "hil/frames/block_loop.ts",
    find: "if (received.bytes !== size || !holdsFrame(rx, frame)) {",
    replace: "if (!holdsFrame(rx, frame)) {",
    breaks: "loop.run accepts a frame whose reported length is too short",
  },
  {
    id: "tolerance-without-limit",
    file: "hil/verify/tolerance.ts",
    find: "if (distance <= most(wanted)) continue;",
    replace: "if (distance >= 0) continue;",
    breaks: "a design that rounds passes however wrong its values are",
  },
  {
    id: "compare-ignored",
    file: "hil/frames/block_loop.ts",
    find: "} else if (deviation !== null) this.#condemn(arrival, received, deviation);",
    replace: "}",
    breaks: "loop.run calls compare and ignores what it says",
  },
  {
    id: "rest-of-block-ignored",
    file: "hil/frames/rx_content.ts",
    find: "const same = rest.length === 0 || block",
    replace: "const same = rest.length >= 0 || block",
    breaks: "what the engine writes after the end of a shorter frame is not found",
  },
  {
    id: "ring-short-frames",
    file: "hil/frames/ring_loop.ts",
    find: "if (moved !== size || buffer.compare(",
    replace: "if (buffer.compare(",
    breaks: "loop.run under bounce accepts a frame whose reported length is too short",
  },
  {
    id: "ring-overrun-ignored",
    file: "hil/frames/ring_loop.ts",
    find: "if (buffer.compare(poison, end, buffer.length, end) !== 0) {",
    replace: "if (false) {",
    breaks: "what read() writes after the end of a frame is not found",
  },
  {
    id: "mix-up-accepted",
    file: "hil/frames/handover.ts",
    find:
      "if (done.block === block && (cookie === undefined || done.cookie === cookie)) return taken;",
    replace: "if (done.block === block) return taken;",
    breaks: "a completion with the cookie of another frame is accepted",
  },
  {
    id: "wrong-block-accepted",
    file: "hil/frames/handover.ts",
    find:
      "if (done.block === block && (cookie === undefined || done.cookie === cookie)) return taken;",
    replace: "if (cookie === undefined || done.cookie === cookie) return taken;",
    breaks: "a completion of another block is accepted",
  },
  {
    id: "failed-transfer-accepted",
    file: "hil/frames/flow.ts",
    find: "if (error === null) return;\n    this.record(failureOf(",
    replace: "if (error !== null) return;\n    this.record(failureOf(",
    breaks: "a transfer that the engine failed is not recorded, and one that succeeded is",
  },
  {
    id: "faults-dropped",
    file: "hil/frames/flow.ts",
    find: "reclassify(this.#faults)",
    replace: "reclassify(this.#faults.filter(({ blame }) => blame !== null))",
    breaks: "faults without blame are dropped",
  },
  {
    id: "joined-faults-dropped",
    file: "hil/frames/report.ts",
    find: "report.faults.map((fault) => (",
    replace: "report.faults.slice(0, 0).map((fault) => (",
    breaks: "the faults of several devices are lost when their reports are joined",
  },
  {
    id: "timeout-intact",
    file: "hil/frames/intact.ts",
    find: "return timeout === null && faults.length === 0 &&",
    replace: "return faults.length === 0 &&",
    breaks: "a report with a timeout counts as intact",
  },
  {
    id: "missing-frames-intact",
    file: "hil/frames/intact.ts",
    find: "frames === asked && asked > 0;",
    replace: "frames > 0;",
    breaks: "a report with fewer frames than were asked for counts as intact",
  },
];

/** Mistakes in the judgement of one case. */
const CASES: readonly Mutant[] = [
  {
    id: "abi-on-unknown-idle",
    file: "hil/suites/abi/engine.ts",
    find: "!knowsIdle(channel)",
    replace: "false",
    breaks:
      "the ABI suite runs on an engine that nothing knows to be idle, and spoils all later cases",
  },
  {
    id: "timeout-excused",
    file: "hil/case/judge.ts",
    find: "thrown instanceof ErrnoError && thrown.errno === ERRNO.ETIMEDOUT;",
    replace: "thrown instanceof ErrnoError && thrown.errno === ERRNO.EIO;",
    breaks: "a timeout that the test itself ran into is an infrastructure error",
  },
  {
    id: "unasserted-faults-pass",
    file: "hil/case/judge.ts",
    find: "const wrong = unasserted.find(({ faults }) => faults.length > 0) ??",
    replace: "const wrong = undefined ??",
    breaks: "faults in a report that was not asserted are lost if the test throws",
  },
  {
    id: "unasserted-report-passes",
    file: "hil/case/judge.ts",
    find: "  if (unasserted.length > 0) {",
    replace: "  if (false) {",
    breaks: "a test that forgets to assert its report passes",
  },
  {
    id: "mix-up-is-error",
    file: "hil/case/judge.ts",
    find: "ofDesign.some((kind) => thrown instanceof kind)",
    replace: "ofDesign.some((kind) => kind !== MixUpError && thrown instanceof kind)",
    breaks: "a mix-up of completions is called an infrastructure error",
  },
  {
    id: "control-excuses-damage",
    file: "hil/case/judge.ts",
    find: "if (!matters || clear ||",
    replace: "if (!matters ||",
    breaks: "a control is excused although its data are damaged and not stale",
  },
  {
    id: "control-excuses-core",
    file: "hil/case/judge.ts",
    find: "if (reports.some(({ seen }) => seen.core)) {",
    replace: "if (false) {",
    breaks: "a control is excused although the core itself changed data",
  },
  {
    id: "control-excuses-hang",
    file: "hil/case/judge.ts",
    find: "return isCountVariable === true && late?.primer",
    replace: "return late?.primer",
    breaks: "a control of a loop that hangs is excused, although no missing sync stops it",
  },
  {
    id: "control-excuses-own-error",
    file: "hil/case/judge.ts",
    find: "|| faults.length === 0) return { ...judged, evidence };",
    replace: ") return { ...judged, evidence };",
    breaks:
      "a control is excused although it failed without wrong data, as by an error of the test",
  },
  {
    id: "control-on-coherent-board",
    file: "hil/case/judge.ts",
    find: "if (!matters || clear ||",
    replace: "if (clear ||",
    breaks: "a control is excused on a coherent board, where a missing sync has no effect",
  },
  {
    id: "control-pass-counts",
    file: "hil/case/judge.ts",
    find: 'if (judged.outcome !== "PASS" || !matters) return { ...judged, evidence };',
    replace: "return { ...judged, evidence };",
    breaks: "a control that passed counts as a passed case",
  },
  {
    id: "evidence-invented",
    file: "hil/case/judge.ts",
    find: "if (known.length > 0) return known.includes(true);",
    replace: "if (known.length > 0) return true;",
    breaks:
      "a direction without stale data counts as evidence that the board reveals missing syncs",
  },
];

/** Mistakes in the verdict of a run. */
const RESULTS: readonly Mutant[] = [
  {
    id: "timeouts-pass",
    file: "hil/results/outcome.ts",
    find: "const failed = counts.FAIL + counts.TIMEOUT;",
    replace: "const failed = counts.FAIL;",
    breaks: "a run with timeouts passes",
  },
  {
    id: "errors-pass",
    file: "hil/results/outcome.ts",
    find: "if (counts.ERROR > 0) {",
    replace: "if (counts.ERROR > 1) {",
    breaks: "a run with one infrastructure error passes",
  },
  {
    id: "powerless-run-passes",
    file: "hil/results/outcome.ts",
    find: 'if (coherent === false && control === "powerless") {',
    replace: 'if (coherent === false && control === "absent") {',
    breaks: "a run passes although its controls show that it cannot reveal a missing sync",
  },
  {
    id: "nothing-verified-passes",
    file: "hil/results/outcome.ts",
    find: "if (framesVerified === 0 && idle !== undefined) {",
    replace: "if (framesVerified < 0 && idle !== undefined) {",
    breaks: "a run passes that compared no frame, although a suite was skipped",
  },
  {
    id: "passed-control-excused",
    file: "hil/results/outcome.ts",
    find: 'if (counts.XPASS > 0 && control !== "powerful") {',
    replace: 'if (counts.XPASS > 0 && control === "absent") {',
    breaks: "a run whose controls passed is not called powerless if its coherence is unknown",
  },
  {
    id: "lost-case-forgiven",
    file: "hil/results/compare.ts",
    find: 'return from === "PASS" || from === "XFAIL" ? "lost" : "changed";',
    replace: 'return from === "XFAIL" ? "lost" : "changed";',
    breaks: "a case that passed in the base and is missing now is not called lost",
  },
  {
    id: "regression-forgiven",
    file: "hil/results/compare.ts",
    find: "isFine(from) && !isFine(to);",
    replace: 'isFine(from) && to === "FAIL";',
    breaks: "a case that timed out and passed in the base is not called worse",
  },
  {
    id: "limit-of-test-ignored",
    file: "hil/case/case.ts",
    find: "...limited(judged, broken),",
    replace: "...judged,",
    breaks: "measure(name, value, unit, { max }) has a limit that nothing compares",
  },
  {
    id: "limit-inclusive",
    file: "hil/results/limits.ts",
    find: 'bound === "min" ? value >= limit : value <= limit)',
    replace: 'bound === "min" ? value >= limit : value >= limit)',
    breaks: "a measurement above its greatest allowed value passes",
  },
  {
    id: "unused-limit-passes",
    file: "hil/results/limits.ts",
    find: "if (unused.length > 0 && before.verdict.exit === 0) {",
    replace: "if (false) {",
    breaks: "a limit that applies to no measurement counts as kept",
  },
];

/** Mistakes in the fold of the journal. */
const JOURNAL: readonly Mutant[] = [
  {
    id: "later-attempt-wins",
    file: "hil/journal/fold.ts",
    find: "if (entry.result === null || ",
    replace: "if (true || ",
    breaks: "a repeated test that passes hides its earlier failure",
  },
  {
    id: "death-excused",
    file: "hil/journal/fold.ts",
    find: "if (result !== null && (starts <= ends || !isFine(result.outcome))) {",
    replace: "if (result !== null) {",
    breaks: "a test that passed once and died in its second attempt passes",
  },
  {
    id: "unregistered-case-passes",
    file: "hil/journal/fold.ts",
    find: 'if (registered === 0) return error("ran but was not registered");',
    replace: "",
    breaks: "the result of a case that was never registered counts",
  },
  {
    id: "double-case-passes",
    file: "hil/journal/fold.ts",
    find: "if (registered > 1",
    replace: "if (registered > 2",
    breaks: "two cases of one name count as one",
  },
  {
    id: "damaged-line-ignored",
    file: "hil/journal/fold.ts",
    find: "for (const number of contents.unreadable) {",
    replace: "for (const number of contents.unreadable.slice(1)) {",
    breaks: "a damaged line of the journal is ignored",
  },
  {
    id: "one-direction-is-enough",
    file: "hil/journal/power.ts",
    find: "const powerful = failed.length > 0 && missed.length === 0;",
    replace: "const powerful = failed.length > 0;",
    breaks: "a run counts as powerful although one direction revealed nothing",
  },
  {
    id: "damage-before-a-restart-lost",
    file: "hil/journal/resume.ts",
    find: "if (seen !== null) lines.push(endOf(id, start, seen, line.at));",
    replace: "",
    breaks: "damage that was found before the board restarted is forgotten when the run is resumed",
  },
  {
    id: "torn-line-always-excused",
    file: "hil/journal/lines.ts",
    find: 'if (line.line === "resume" && unreadable',
    replace: "if (unreadable",
    breaks: "a damaged line of the journal counts as the end of a part of a resumed run",
  },
  {
    id: "failure-of-one-round-uncounted",
    file: "hil/journal/rounds.ts",
    find: "const found = round.allFaults ?? line.faults?.length ?? 0;",
    replace: "const found = isFine(line.outcome) ? round.allFaults ?? 0 : 0;",
    breaks: "the bound of the bit error rate ignores faults",
  },
  {
    id: "controls-prove-the-bound",
    file: "hil/journal/rounds.ts",
    find: "if (item !== undefined && item.control !== true) {",
    replace: "if (item !== undefined) {",
    breaks: "frames of controls lower the bound of the bit error rate",
  },
  {
    id: "frames-of-failures-count",
    file: "hil/journal/fold.ts",
    find: 'tests.filter((test) => test.outcome === "PASS")',
    replace: 'tests.filter((test) => test.outcome !== "SKIP")',
    breaks: "frames of controls count as verified",
  },
  {
    id: "torn-line-continued",
    file: "hil/journal/journal.ts",
    find: "if (journal.#isTorn()) journal.#write(",
    replace: "if (false) journal.#write(",
    breaks: "the first line after a death is glued to the torn one, and lost with it",
  },
];

/** Mistakes in naming and blaming faults. */
const VERIFY: readonly Mutant[] = [
  {
    id: "check-compared-with-itself",
    file: "hil/verify/blame.ts",
    find: "tx: txCheck === null ? null : txCheck !== sent,",
    replace: "tx: txCheck === null ? null : txCheck !== rxCheck,",
    breaks: "the blame for tx depends on what the core wrote",
  },
  {
    id: "rx-never-changes",
    file: "hil/verify/blame.ts",
    find: "rx: rxCheck === null ? null : rxCheck !== seen,",
    replace: "rx: rxCheck === null ? null : false,",
    breaks: "rx never gets the blame",
  },
  {
    id: "blame-order",
    file: "hil/verify/blame.ts",
    find: '  if (core === true) return "core";\n  if (rx === true) return "rx";',
    replace: '  if (rx === true) return "rx";\n  if (core === true) return "core";',
    breaks: "the last place where data changed gets the blame instead of the first",
  },
  {
    id: "damage-empty",
    file: "hil/verify/damage.ts",
    find: "if (offset >= end) return undefined;",
    replace: "return undefined;",
    breaks: "faults carry no wrong bits, so no control is ever clear of stale data",
  },
  {
    id: "damage-offset",
    file: "hil/verify/damage.ts",
    find: "expected[offset + i] ?? 0));",
    replace: "expected[from + i] ?? 0));",
    breaks: "the wrong bits of a fault are computed from other bytes",
  },
  {
    id: "alignment-edge",
    file: "hil/verify/alignment.ts",
    find: "(base + edge) % unit === 0",
    replace: "edge % unit === 0",
    breaks: "the edges of lines are counted from the frame instead of its block",
  },
];

/** The mutants of the framework. */
export const VERDICT_MUTANTS: readonly Mutant[] = [
  ...FRAMES,
  ...CASES,
  ...RESULTS,
  ...JOURNAL,
  ...VERIFY,
];
