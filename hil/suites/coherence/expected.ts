// SPDX-License-Identifier: MIT
/**
 * The table of the suite: which litmus test runs under which policy, which sync calls it needs, and which
 * board reveals that one of them is missing. The suite registers its cases from the table, and compares every
 * control with it. `hil/suite_tests/coherence/` compares the table with what happens on each board.
 *
 * @module
 */

import type { DeviceInfo } from "../../../driver/info.ts";
import type { Direction, PolicyName } from "../../../driver/uapi.ts";
import { type Board, isSimulated } from "../../board/board.ts";
import { SYNC_CALLS, type SyncCall } from "../../frames/handover.ts";
import type { Outcome } from "../../results/outcome.ts";

/** Kinds of boards, by what they reveal of a missing sync. */
export const KINDS = ["sim", "swiotlb", "adversarial", "hardware", "coherent"] as const;

/** A kind of board. `coherent` is any board on which no sync call has an effect. */
export type Kind = typeof KINDS[number];

/** Whether a board reveals that a call is missing. `yes`: a control without the call must fail. `no`: the
 * control cannot fail, and is skipped. `maybe`: it depends on the contents of the caches.
 */
export type Shows = "yes" | "no" | "maybe";

/** Which kind of board reveals which missing call. */
export const SHOWS: Readonly<Record<SyncCall, Readonly<Record<Kind, Shows>>>> = {
  "tx-for-device": {
    sim: "yes",
    swiotlb: "yes",
    adversarial: "yes",
    hardware: "maybe",
    coherent: "no",
  },
  // this call does not copy a bounce buffer
  "rx-for-device": {
    sim: "yes",
    swiotlb: "no",
    adversarial: "yes",
    hardware: "maybe",
    coherent: "no",
  },
  "rx-for-cpu": {
    sim: "yes",
    swiotlb: "yes",
    adversarial: "yes",
    hardware: "maybe",
    coherent: "no",
  },
};

/** Missing calls of a driver that swiotlb does not reveal, by policy. */
export const SWIOTLB_BLIND: Readonly<Partial<Record<PolicyName, readonly SyncCall[]>>> = {
  // memory of dma_alloc_noncoherent() is never bounced
  "noncoherent": SYNC_CALLS,
  // mapping a bounce buffer copies it in any case
  "user-pages": ["tx-for-device"],
};

/** What one litmus test needs. */
export interface Expectation {
  /** Calls whose absence the test must reveal, each by itself. */
  readonly needs: readonly SyncCall[];
  /** Directions in which it runs. */
  readonly directions: readonly Direction[];
  /** Policies under which it does not apply, with the reason. */
  readonly not?: Readonly<Partial<Record<PolicyName, string>>>;
}

const NO_MAPPING =
  "bounce maps no memory into the program, so the test cannot share memory with the device";
const READ_ONLY =
  "receive blocks of streaming-lazy are mapped read-only, so the test cannot store into them";
const CALLERS = "the memory belongs to the program, so the driver has no second mapping of it";
const CACHED = "the memory is cached, so there is no write-combining buffer to drain";

/** Every litmus test. */
export const EXPECTED = {
  "transmit visibility": { needs: ["tx-for-device"], directions: ["tx"] },
  "transmit completion": { needs: ["tx-for-device"], directions: ["tx"] },
  "receive visibility": { needs: ["rx-for-cpu"], directions: ["rx"] },
  "dirty-line eviction": {
    needs: ["rx-for-device", "rx-for-cpu"],
    directions: ["rx"],
    not: { "streaming-lazy": READ_ONLY, bounce: NO_MAPPING },
  },
  "shared line": {
    needs: ["tx-for-device", "rx-for-device", "rx-for-cpu"],
    directions: ["tx", "rx"],
    not: { bounce: NO_MAPPING },
  },
  "partial sync": { needs: ["tx-for-device", "rx-for-cpu"], directions: ["tx", "rx"] },
  "ping-pong": { needs: ["tx-for-device", "rx-for-cpu"], directions: ["tx", "rx"] },
  "neighbour prefetch": {
    needs: ["rx-for-cpu"],
    directions: ["rx"],
    not: { bounce: NO_MAPPING },
  },
  "write-combine drain": {
    needs: [],
    directions: ["tx"],
    not: {
      "streaming": CACHED,
      "streaming-lazy": CACHED,
      "noncoherent": CACHED,
      "user-pages": CACHED,
      "user-pages-registered": CACHED,
      "manual": CACHED,
      "dma-buf": CACHED,
      "bounce": NO_MAPPING,
      "none": CACHED,
    },
  },
  "two mappings": {
    needs: ["tx-for-device", "rx-for-cpu"],
    directions: ["tx", "rx"],
    not: {
      "user-pages": CALLERS,
      "user-pages-registered": CALLERS,
      "dma-buf": CALLERS,
      bounce: NO_MAPPING,
    },
  },
} as const satisfies Record<string, Expectation>;

/** Name of a litmus test. */
export type LitmusName = keyof typeof EXPECTED;

/** The names, in the order in which they run. */
export const LITMUS_NAMES = Object.keys(EXPECTED) as readonly LitmusName[];

/** Returns what a litmus test needs.
 *
 * @param name Its name
 * @returns Its row of the table
 */
export function expectationOf(name: LitmusName): Expectation {
  return EXPECTED[name];
}

/** Returns the kind of a board.
 *
 * @param board Where the devices are
 * @param info What a device offers
 * @returns Its column of the table
 */
export function kindOf(board: Board["kind"], info: Pick<DeviceInfo, "tx" | "rx">): Kind {
  const { tx, rx } = info;
  if (tx?.needsSync !== true && rx?.needsSync !== true) return "coherent";
  if (board === "local") return "hardware";
  if (board === "sim") return "sim";
  // a target may be a virtual machine, too
  if (board === "remote" && !isSimulated(info)) return "hardware";
  return tx?.engine === "pl_advbus" ? "adversarial" : "swiotlb";
}

/** Returns whether a board reveals that a driver leaves a call out.
 *
 * @param kind The board
 * @param policy The policy that makes the call; `manual` for a call that the caller leaves out
 * @param call The call
 * @returns Whether a litmus test that needs the call must fail
 */
export function shows(kind: Kind, policy: PolicyName, call: SyncCall): Shows {
  if (kind === "swiotlb" && SWIOTLB_BLIND[policy]?.includes(call)) return "no";
  return SHOWS[call][kind];
}

/** Returns how a case must end.
 *
 * @param kind The board
 * @param name The litmus test
 * @param policy The policy
 * @param without The call that is left out on purpose, under `manual`; null for none
 * @returns The outcome; null if it depends on the contents of the caches. A policy that the board does not
 * offer, or offers under another name, is a SKIP in any case
 */
export function expectedOutcome(
  kind: Kind,
  name: LitmusName,
  policy: PolicyName,
  without: SyncCall | null,
): Outcome | null {
  const { needs, not } = expectationOf(name);
  if (not?.[policy] !== undefined) return "SKIP";
  const left = policy === "none" ? needs : without === null ? [] : [without];
  if (left.length === 0 || (kind === "coherent" && policy === "none")) return "PASS";
  const seen = left.map((call) => shows(kind, policy, call));
  if (seen.includes("yes")) return "XFAIL";
  return seen.includes("maybe") ? null : "SKIP";
}

/** Returns what is wrong with a control that passed.
 *
 * @param kind The board
 * @param name The litmus test
 * @param policy The policy
 * @param without The call that was left out on purpose, under `manual`
 * @returns A sentence if it had to fail, or null
 */
export function powerError(
  kind: Kind,
  name: LitmusName,
  policy: PolicyName,
  without: SyncCall | null,
): string | null {
  if (expectedOutcome(kind, name, policy, without) !== "XFAIL") return null;
  return `no sync was done, and no data were wrong. A board of kind ${kind} reveals a missing sync ` +
    "(coherence/expected.ts), so this test has lost its power";
}
