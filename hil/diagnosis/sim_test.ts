// SPDX-License-Identifier: MIT
// Faults on the simulated board, through the driver, the frames and the classifier.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { CACHED } from "./observations.ts";
import { diagnose } from "./diagnose.ts";
import { runOnSim, type SimCase, type SimRun } from "./testing/sim_run.ts";

/** The fault of a case, with a seed of the case's own. */
const varied = (spec: string) => ({ policy, size, depth }: SimCase) =>
  `${spec} seed=${
    [...`${policy}${size}${depth}`].reduce((sum, one) => sum * 31 % 9973 + one.charCodeAt(0), 7)
  }`;

const CASES: readonly (readonly [causes: string, run: SimRun])[] = [
  ["for-cpu-missing", { fault: "kind=sync-skip direction=rx op=for-cpu" }],
  ["for-device-missing", { fault: "kind=sync-skip direction=tx op=for-device" }],
  ["for-cpu-short", { fault: "kind=sync-short direction=rx" }],
  ["for-device-short", { fault: "kind=sync-short direction=tx" }],
  ["for-cpu-late", { fault: "kind=sync-late direction=rx" }],
  ["for-device-late", { fault: "kind=sync-late direction=tx" }],
  ["stuck-line", { fault: "kind=stuck-bit bit=7 value=0 direction=rx", sizes: [64, 1000, 4097] }],
  ["byte-order", { fault: "kind=byte-lanes", sizes: [64, 1000, 4097] }],
  ["random-flips", { fault: varied("kind=flip rate=4") }],
  ["random-flips weak-memory", { fault: varied("kind=flip rate=4 direction=rx") }],
  ["beats-lost", { fault: varied("kind=drop rate=3") }],
  ["tlast-early", { fault: varied("kind=short rate=3") }],
  ["length-short", { fault: "kind=wrong-length rate=3" }],
  ["length-register", {
    fault: "kind=length-mask bits=14",
    sizes: [64, 1000, 4096, 10_000, 16_383, 20_000, 36_000, 50_000],
  }],
  ["bus-error", { fault: varied("kind=error rate=3") }],
  // a write also fails if the frame is longer than its block
  ["tlast-late bus-error", { fault: varied("kind=error rate=3 direction=rx") }],
  ["tlast-late", { fault: varied("kind=long rate=3") }],
  ["write-past-end", { fault: varied("kind=overrun rate=3") }],
  ["frame-offset", { fault: "kind=shift" }],
  ["frames-mixed-up", { fault: varied("kind=repeat rate=4") }],
  ["descriptors-overtake", { fault: varied("kind=swap-blocks rate=4") }],
  ["bursts-reordered", {
    fault: varied("kind=exchange bytes=64 rate=2"),
    sizes: [1000, 4097, 20_000],
  }],
  ["early-completion writes-lost", { fault: varied("kind=hole bytes=64 rate=2 direction=rx") }],
  ["early-completion writes-lost", { fault: varied("kind=early rate=3") }],
  ["early-read wrong-read-address", { fault: varied("kind=torn rate=2 direction=tx") }],
  ["after-reset", { fault: varied("kind=flip frame=0") }],
  ["ring-wrap", {
    fault: [3, 7, 11, 15, 19, 23].map((frame) => `kind=flip frame=${frame}`).join("; "),
    frames: 28,
  }],
  ["one-policy", {
    fault: ({ policy }) => policy === "write-combine" ? "kind=flip rate=2 direction=tx" : null,
  }],
  ["fifo-overflow", {
    fault: (one) => one.size > 4097 ? varied("kind=drop rate=1 at=4104")(one) : null,
    sizes: [64, 1000, 4096, 4097, 8192, 20_000],
  }],
  ["completion-lost", {
    fault: "kind=lost-interrupt frame=5",
    policies: ["coherent", "streaming"],
  }],
  ["completion-mix-up", {
    fault: "kind=wrong-cookie frame=5",
    policies: ["coherent", "streaming"],
  }],
];

for (const [causes, run] of CASES) {
  const name = typeof run.fault === "string"
    ? run.fault
    : run.fault({ policy: "write-combine", size: 8192, depth: 1 });
  Deno.test(`diagnose() finds ${causes} on sim: ${name}`, () => {
    const [group] = diagnose(runOnSim(run))?.groups ?? [];
    assertEquals(group?.causes.map(({ id }) => id).join(" "), causes, group?.sentence);
  });
}

Deno.test("diagnose() names two causes of one run", () => {
  const fault = (one: SimCase) =>
    [
      CACHED.has(one.policy) ? "kind=sync-skip direction=rx op=for-cpu; " : "",
      varied("kind=flip rate=6 direction=tx")(one),
    ].join("");
  const diagnosis = diagnose(runOnSim({ fault }));
  const stated = diagnosis?.groups.filter(({ status }) =>
    status !== "follows" && status !== "open"
  );
  assertEquals(stated?.map(({ causes }) => causes.map(({ id }) => id).join(" ")).sort(), [
    "for-cpu-missing",
    "random-flips weak-memory",
  ]);
  assert((diagnosis?.sentences.length ?? 0) <= 3);
});

Deno.test("diagnose() names nothing if one policy, one size and one depth failed", () => {
  const [group] = diagnose(runOnSim({
    fault: "kind=flip rate=3",
    policies: ["streaming"],
    sizes: [4096],
    depths: [1],
  }))?.groups ?? [];
  assertEquals(group?.status, "open");
  assert(
    ["policy", "size", "depth"].every((one) => group?.unknown.includes(one)),
    `${group?.unknown}`,
  );
});

Deno.test("diagnose() says that nothing separates the failures of a fault that no cause fits", () => {
  const fault = (one: SimCase) =>
    (one.size / 8 + one.policy.length + (one.depth === 1 ? 1 : 0)) % 2 < 1
      ? varied("kind=invert rate=2 bytes=64")(one)
      : null;
  const { sentences, groups } = diagnose(runOnSim({ fault, sizes: [64, 1000, 4096] })) ?? {};
  assertEquals(groups?.map(({ status }) => status), ["open"]);
  assertMatch(sentences?.[0] ?? "", /^18 cases contain wrong bits\. Nothing separates what fails /);
  assertMatch(sentences?.[0] ?? "", / No known cause fits\.$/);
});

Deno.test("diagnose() says what moved before a timeout", () => {
  const run = { policies: ["coherent", "streaming"], sizes: [64, 4097] } as const;
  const causesOf = (fault: string, more: Partial<SimRun> = {}) => {
    const [group] = diagnose(runOnSim({ fault, ...run, ...more }))?.groups ?? [];
    return [group?.status, group?.causes.map(({ id }) => id).join(" ")];
  };
  assertEquals(causesOf("kind=stall frame=5"), ["named", "receive-stalls"]);
  assertEquals(causesOf("kind=lose frame=5", { depths: [1] }), ["named", "receive-stalls"]);
  assertEquals(causesOf("kind=lost-interrupt frame=5 direction=rx", { depths: [1] }), [
    "narrowed",
    "lost-interrupt tlast-missing",
  ]);
});

Deno.test("diagnose() returns null without a failure", () => {
  assertEquals(diagnose(runOnSim({ fault: () => null, sizes: [64] })), null);
});
