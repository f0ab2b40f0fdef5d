// SPDX-License-Identifier: MIT
// The contract of the policies, derived from the model, and compared with the table of the hand-written
// tests (expected.ts), which was written before the model.
import { assert, assertEquals } from "@std/assert";
import type { PolicyName } from "../../../driver/uapi.ts";
import { SYNC_CALLS, type SyncCall } from "../../frames/handover.ts";
import {
  EXPECTED,
  type Kind,
  LITMUS_NAMES,
  type LitmusName,
  shows,
} from "../../suites/coherence/expected.ts";
import { canFail, generatedTests } from "../../suites/coherence/generated/enumerate.ts";
import { allowedOutcomes, type Machine, MACHINES } from "../../suites/coherence/generated/model.ts";
import {
  formatProgram,
  parseProgram,
  type Program,
} from "../../suites/coherence/generated/program.ts";

/** The program of each hand-written test that has one, with the only outcome that the test accepts. */
const PROGRAMS: Readonly<Partial<Record<LitmusName, readonly (readonly [string, string])[]>>> = {
  "transmit visibility": [["tx x | Sx Dx Rx", "x=1"]],
  "transmit completion": [["tx x | Sx Dx Rx Cx Sx Lx", "x=1,2"]],
  "receive visibility": [["rx x | Lx Dx Wx Cx Ux Lx", "x=0,1"]],
  "dirty-line eviction": [["rx x | Sx Dx Wx Cx Ux Lx", "x=2"]],
  "partial sync": [
    ["tx x, tx y | Sx Dx Sy Rx Dy Ry", "x=1 y=1"],
    ["rx x | Dx Wx Cx Ux Lx", "x=1"],
  ],
  "neighbour prefetch": [["rx x, rx y | Wx Sy Cx Ux Lx Ly", "x=1 y=1"]],
};

/** Why a hand-written test is not among the generated ones. */
const NOT: Readonly<Partial<Record<LitmusName, string>>> = {
  "shared line": "it stores and sends parts of one line, and a program moves whole lines",
  "ping-pong": "two rounds with all their syncs are seven events",
  "write-combine drain": "the memory is not cached, and the model has no write-combining buffer",
  "two mappings": "the model has one mapping of a line",
};

/** The sync calls of each policy. streaming-lazy does without one because its rx blocks are read-only. */
const CALLS: Readonly<Partial<Record<PolicyName, readonly SyncCall[]>>> = {
  streaming: SYNC_CALLS,
  "streaming-lazy": ["tx-for-device", "rx-for-cpu"],
  noncoherent: SYNC_CALLS,
  "user-pages": SYNC_CALLS,
  "user-pages-registered": SYNC_CALLS,
  none: [],
};

/** Which machine a kind of board is. Hardware is one or the other machine with caches. */
const MACHINE_OF: Readonly<Record<Exclude<Kind, "hardware">, Machine>> = {
  sim: "arm",
  adversarial: "arm",
  swiotlb: "bounce",
  coherent: "coherent",
};

const EVENTS: Readonly<Record<SyncCall, readonly [Program["lines"][number], string]>> = {
  "tx-for-device": ["tx", "D"],
  "rx-for-device": ["rx", "D"],
  "rx-for-cpu": ["rx", "U"],
};

/** The program without a call. */
function without({ lines, events }: Program, call: SyncCall): Program {
  const [direction, kind] = EVENTS[call];
  return {
    lines,
    events: events.filter((event) => event.kind !== kind || lines[event.line] !== direction),
  };
}

Deno.test("each hand-written test is among the generated ones, or the reason is known", () => {
  const texts = new Set(generatedTests().map(formatProgram));
  for (const name of LITMUS_NAMES) {
    assertEquals((PROGRAMS[name] === undefined) !== (NOT[name] === undefined), true, name);
    for (const [text, accepted] of PROGRAMS[name] ?? []) {
      assert(texts.has(text), `${name}: ${text}`);
      for (const machine of MACHINES) {
        assertEquals(
          allowedOutcomes(parseProgram(text), [machine]),
          [accepted],
          `${name} ${machine}`,
        );
      }
    }
  }
});

Deno.test("a program of two rounds of ping-pong holds in the model too", () => {
  for (
    const [text, accepted] of [
      ["tx x | Sx Dx Rx Cx Sx Dx Rx", "x=1,2"],
      ["rx x | Wx Cx Ux Lx Wx Cx Ux Lx", "x=1,2"],
    ] as const
  ) {
    assertEquals(allowedOutcomes(parseProgram(text), MACHINES), [accepted]);
  }
});

Deno.test("the model says of each call that a test needs on which boards its absence shows", () => {
  const differ: string[] = [];
  for (const name of LITMUS_NAMES) {
    const { needs }: { readonly needs: readonly SyncCall[] } = EXPECTED[name];
    for (const call of needs) {
      const [direction, kind] = EVENTS[call];
      const programs = (PROGRAMS[name] ?? []).filter(([text]) =>
        parseProgram(text).events.some((event) => event.kind === kind) &&
        parseProgram(text).lines.includes(direction)
      );
      for (const [text, accepted] of programs) {
        const left = without(parseProgram(text), call);
        const wrong = (machine: Machine) =>
          allowedOutcomes(left, [machine]).some((outcome) => outcome !== accepted);
        for (const [kind, machine] of Object.entries(MACHINE_OF) as [Kind, Machine][]) {
          const table = shows(kind, "manual", call) === "yes";
          if (wrong(machine) !== table) differ.push(`${kind}, ${name} without ${call}: ${table}`);
        }
        const hardware = wrong("arm64") || wrong("arm");
        if (hardware !== (shows("hardware", "manual", call) === "maybe")) {
          differ.push(`hardware, ${name} without ${call}`);
        }
      }
    }
  }
  assertEquals(differ, []);
});

Deno.test("a call that no test needs changes no outcome in the model", () => {
  // for_cpu on tx does nothing on any machine
  for (const program of generatedTests(5).filter(({ lines }) => !lines.includes("rx"))) {
    const left = { ...program, events: program.events.filter(({ kind }) => kind !== "U") };
    assertEquals(allowedOutcomes(program, MACHINES), allowedOutcomes(left, MACHINES));
  }
});

for (const [policy, calls] of Object.entries(CALLS)) {
  Deno.test(`policy ${policy} hands data over correctly in the model, or misses what expected.ts says`, () => {
    const stores = policy !== "streaming-lazy"; // its rx blocks are mapped read-only
    const rounds: readonly (readonly [string, string])[] = [
      ["tx x | Sx Dx Rx Cx Sx Dx Rx", "x=1,2"],
      stores ? ["rx x | Sx Dx Wx Cx Ux Lx", "x=2"] : ["rx x | Lx Dx Wx Cx Ux Lx", "x=0,1"],
    ];
    const missing = SYNC_CALLS.filter((call) => !calls.includes(call));
    for (const [text, accepted] of rounds) {
      const program = missing.reduce(without, parseProgram(text));
      const touched = missing.filter((call) => text.startsWith(call.slice(0, 2)));
      for (const [kind, machine] of Object.entries(MACHINE_OF) as [Kind, Machine][]) {
        const wrong = allowedOutcomes(program, [machine]).some((outcome) => outcome !== accepted);
        const expected = policy === "none" &&
          touched.some((call) => shows(kind, "manual", call) === "yes");
        assertEquals(wrong, expected, `${kind}: ${formatProgram(program)}`);
      }
    }
  });
}

Deno.test("every test of the table with a program can fail on every machine", () => {
  for (const programs of Object.values(PROGRAMS)) {
    for (const [text] of programs) assert(canFail(parseProgram(text), MACHINES), text);
  }
});
