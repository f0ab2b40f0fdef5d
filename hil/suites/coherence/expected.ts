// SPDX-License-Identifier: MIT
/**
 * The table: which litmus test runs under which policy, which sync calls it stands on, and which
 * board shows that one of them is missing. The suite registers its cases from it and holds every
 * control against it; `hil/suite_tests/coherence/` holds it against what runs on each board.
 *
 * @module
 */

import type { DeviceInfo } from "../../../driver/info.ts";
import type { Direction, PolicyName } from "../../../driver/uapi.ts";
import { SYNC_CALLS, type SyncCall } from "../../frames/handover.ts";
import type { Outcome } from "../../results/outcome.ts";

/** Boards, by what they show of a sync that is missing. */
export const KINDS = ["sim", "swiotlb", "adversarial", "hardware", "coherent"] as const;

/** What kind of board it is. `coherent`: no sync call does anything, whatever the board. */
export type Kind = typeof KINDS[number];

/**
 * Whether a board shows that a call is missing: `yes`, a control without it must fail; `no`, it
 * cannot and is not run; `maybe`, it depends on what is in the caches when.
 */
export type Shows = "yes" | "no" | "maybe";

/** Who shows which missing call. */
export const SHOWS: Readonly<Record<SyncCall, Readonly<Record<Kind, Shows>>>> = {
  "tx-for-device": {
    sim: "yes",
    swiotlb: "yes",
    adversarial: "yes",
    hardware: "maybe",
    coherent: "no",
  },
  // bounce buffers are not copied there
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

/** What swiotlb does not show of a driver that leaves a call out under some policies. */
export const SWIOTLB_BLIND: Readonly<Partial<Record<PolicyName, readonly SyncCall[]>>> = {
  // what dma_alloc_noncoherent() gives is never bounced
  "noncoherent": SYNC_CALLS,
  // the map of a bounce buffer copies all the same
  "user-pages": ["tx-for-device"],
};

/** What one litmus test stands on. */
export interface Expectation {
  /** The calls of which each, left out, must be noticed. */
  readonly needs: readonly SyncCall[];
  /** The directions that are tried. */
  readonly directions: readonly Direction[];
  /** Policies that it says nothing about, and why. */
  readonly not?: Readonly<Partial<Record<PolicyName, string>>>;
}

const NO_MAPPING = "bounce has no mapping: the caller shares no memory with the device";
const READ_ONLY = "receive blocks of streaming-lazy are read-only: nobody can store into them";
const CALLERS = "the memory is the caller's: the driver maps it nowhere";
const CACHED = "the memory is cached: the sync drains what is stored, see transmit visibility";

/** Every litmus test. */
export const EXPECTED = {
  "transmit visibility": { needs: ["tx-for-device"], directions: ["tx"] },
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
      "bounce": NO_MAPPING,
      "none": CACHED,
    },
  },
  "two mappings": {
    needs: ["tx-for-device", "rx-for-cpu"],
    directions: ["tx", "rx"],
    not: { "user-pages": CALLERS, "user-pages-registered": CALLERS, bounce: NO_MAPPING },
  },
} as const satisfies Record<string, Expectation>;

/** Name of a litmus test. */
export type LitmusName = keyof typeof EXPECTED;

/** The names, in the order in which they run. */
export const LITMUS_NAMES = Object.keys(EXPECTED) as readonly LitmusName[];

/**
 * What a litmus test stands on.
 *
 * @param name Its name
 * @returns Its row of the table
 */
export function expectationOf(name: LitmusName): Expectation {
  return EXPECTED[name];
}

/**
 * The kind of a board.
 *
 * @param board Where the devices are
 * @param info What a device offers
 * @returns Its column of the table
 */
export function kindOf(board: "local" | "sim" | "vm", info: Pick<DeviceInfo, "tx" | "rx">): Kind {
  const { tx, rx } = info;
  if (tx?.needsSync !== true && rx?.needsSync !== true) return "coherent";
  if (board === "local") return "hardware";
  if (board === "sim") return "sim";
  return tx?.engine === "pl_advbus" ? "adversarial" : "swiotlb";
}

/**
 * Whether a board shows that a driver leaves a call out.
 *
 * @param kind The board
 * @param policy The policy whose call it is; `manual` for one that the caller leaves out
 * @param call The call
 * @returns Whether a litmus test that needs the call must fail
 */
export function shows(kind: Kind, policy: PolicyName, call: SyncCall): Shows {
  if (kind === "swiotlb" && SWIOTLB_BLIND[policy]?.includes(call)) return "no";
  return SHOWS[call][kind];
}

/**
 * How a case must end.
 *
 * @param kind The board
 * @param name The litmus test
 * @param policy The policy
 * @param without The call that is left out on purpose, under `manual`; null for none
 * @returns The outcome; null where it depends on what is in the caches. Not said here is what the
 * board offers: a policy that it has not, or under another name, is a SKIP too
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

/**
 * What is wrong with a control that passed.
 *
 * @param kind The board
 * @param name The litmus test
 * @param policy The policy
 * @param without The call that was left out on purpose, under `manual`
 * @returns A sentence where it had to fail; null where it need not
 */
export function lostPower(
  kind: Kind,
  name: LitmusName,
  policy: PolicyName,
  without: SyncCall | null,
): string | null {
  if (expectedOutcome(kind, name, policy, without) !== "XFAIL") return null;
  return `no sync was done, and nothing was wrong: a board of kind ${kind} shows that ` +
    "(coherence/expected.ts), so this test has lost its power";
}
