// SPDX-License-Identifier: MIT
/** What a block holds after its transfer: in its last line, after an error, after RESET. @module */

import type { Mapping } from "../../../driver/mapping.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { POLLIN, PROT_READ } from "../../../driver/syscalls.ts";
import {
  BLOCK_FLAGS,
  type Direction,
  isUserPolicy,
  POLICIES,
  type PolicyName,
} from "../../../driver/uapi.ts";
import {
  assert,
  type CheckContext,
  fails,
  faults,
  group,
  load,
  offered,
  ready,
  same,
} from "./check.ts";
import { PAGE, type Raw } from "./raw.ts";

/** A block, and its memory as the program sees it. */
interface Shown {
  readonly id: number;
  readonly memory: Mapping;
}

/** Makes a block of a policy that the program can see. A receive block is mapped for reading only. */
function shown(
  raw: Raw,
  context: CheckContext,
  policy: PolicyName,
  direction: Direction,
  size = PAGE,
): Shown {
  if (isUserPolicy(policy)) {
    const memory = context.memory(size);
    return { id: raw.register(policy, direction, memory.address, size), memory };
  }
  const { id, offset } = raw.alloc(policy, direction, size);
  const memory = raw.map(
    offset,
    direction === "tx" ? { length: size } : { length: size, prot: PROT_READ },
  );
  return { id, memory };
}

/** Fills a frame with bytes that differ from round to round at every offset. */
function fill(frame: Uint8Array, round: number): void {
  for (let i = 0; i < frame.length; i++) frame[i] = (i * 29 + (i >> 8) + round * 101 + 1) & 0xff;
}

/** Throws unless a block holds a frame. Reading it also brings its lines into the cache. */
function holds(block: Uint8Array, frame: Uint8Array, what: string): void {
  const wrong = frame.findIndex((byte, i) => byte !== block[i]);
  assert(
    wrong < 0,
    `${what}: byte ${wrong} of ${frame.length}: expected ${frame[wrong]}, found ${block[wrong]}`,
  );
}

/** Policies that sync, and whose blocks the program can see. */
const SYNCING = POLICIES.filter((policy) =>
  !["bounce", "manual", "none", "dma-buf"].includes(policy)
);

export const contents = group("contents:", (check) => {
  for (const policy of SYNCING) {
    // registered memory consists of whole cache lines
    if (policy.startsWith("user-pages")) continue;
    check(
      {
        name: `the last bytes of a block of no whole cache lines arrive, policy ${policy}`,
        needs: offered(policy),
      },
      (raw, context) => {
        const { cacheAlign } = context.info;
        const step = Math.max(8, context.chan("rx").lengthAlign, context.chan("tx").lengthAlign);
        // engines that take whole lines only have no such block
        const size = step < cacheAlign ? PAGE - step : PAGE;
        const tx = shown(raw, context, policy, "tx", size);
        const rx = shown(raw, context, policy, "rx", size);
        const frame = new Uint8Array(size);
        for (let round = 0; round < 3; round++) {
          fill(frame, round);
          tx.memory.set(frame, 0);
          const ends = context.frame(raw, tx.id, rx.id, size);
          same(ends.rx.get("length"), size, "length");
          holds(load(rx.memory), frame, `frame ${round}`);
        }
      },
    );
  }

  for (const policy of SYNCING) {
    check(
      {
        name: `RESET shows what the engine wrote before, policy ${policy}`,
        needs: offered(policy),
      },
      (raw, context) => {
        const tx = shown(raw, context, policy, "tx");
        const rx = shown(raw, context, policy, "rx");
        const frame = new Uint8Array(PAGE);
        for (let round = 0; round < 3; round++) {
          fill(frame, round);
          tx.memory.set(frame, 0);
          raw.enqueue(rx.id);
          raw.enqueue(tx.id);
          ready(raw, POLLIN);
          context.take(raw, "tx");
          same(raw.reset(), 1, "returned");
          holds(load(rx.memory), frame, `frame ${round}`);
        }
      },
    );
  }

  check("a part of a block is moved to its place, under each policy", (raw, context) => {
    for (const policy of SYNCING) {
      if (offered(policy)(context) !== null) continue;
      const tx = shown(raw, context, policy, "tx", 4 * PAGE);
      const rx = shown(raw, context, policy, "rx", 4 * PAGE);
      const frame = new Uint8Array(PAGE);
      for (let round = 0; round < 3; round++) {
        fill(frame, round);
        tx.memory.set(frame, PAGE);
        raw.enqueue(rx.id, { offset: 2 * PAGE, length: PAGE });
        raw.enqueue(tx.id, { offset: PAGE, length: PAGE });
        context.take(raw, "rx");
        context.take(raw, "tx");
        const found = load(rx.memory);
        holds(found.subarray(2 * PAGE, 3 * PAGE), frame, `${policy}, frame ${round}`);
        const wrong = found.findIndex((byte, i) => byte !== 0 && (i < 2 * PAGE || i >= 3 * PAGE));
        assert(wrong < 0, `${policy}, frame ${round}: byte ${wrong} of the block has changed`);
      }
    }
  });

  check("a short frame leaves the rest of a new block zero, under each policy", (raw, context) => {
    for (const policy of SYNCING) {
      if (offered(policy)(context) !== null) continue;
      const tx = shown(raw, context, policy, "tx");
      const rx = shown(raw, context, policy, "rx");
      const frame = new Uint8Array(256);
      fill(frame, 0);
      tx.memory.set(frame, 0);
      context.frame(raw, tx.id, rx.id, frame.length, PAGE);
      const found = load(rx.memory);
      holds(found.subarray(0, frame.length), frame, policy);
      const wrong = found.findIndex((byte, i) => byte !== 0 && i >= frame.length);
      assert(
        wrong < 0,
        `${policy}: byte ${wrong} behind the frame: expected 0, found ${found[wrong]}`,
      );
    }
  });

  check(
    { name: "RESET unpins and unmaps memory of policy user-pages", needs: offered("user-pages") },
    (raw, context) => {
      const { id } = shown(raw, context, "user-pages", "rx");
      const isPinned = () => (raw.query(id).get("flags") & BLOCK_FLAGS.pinned) !== 0;
      raw.enqueue(id);
      same(isPinned(), true, "pinned while enqueued");
      same(raw.reset(), 1, "returned");
      same(isPinned(), false, "pinned after RESET");
      same(raw.query(id).get("segments"), 0, "segments after RESET");
    },
  );

  check(
    {
      name: "after an error the whole range is synced, policy streaming-lazy",
      needs: (setup) => faults(setup) ?? offered("streaming-lazy")(setup),
    },
    (raw, context) => {
      const tx = shown(raw, context, "streaming-lazy", "tx");
      const rx = shown(raw, context, "streaming-lazy", "rx");
      raw.stats(1);
      context.arm("kind=error frame=0 seed=1 direction=rx");
      raw.enqueue(rx.id);
      raw.enqueue(tx.id);
      fails("EIO", "DEQUEUE", () => context.take(raw, "rx"));
      const { rx: { cost, bytes } } = unpackStats(raw.stats().bytes);
      assert(bytes < PAGE, `expected fewer than ${PAGE} bytes before the error, found ${bytes}`);
      // the engine may have written more than it reports
      same(cost.forCpu.bytes, PAGE, "bytes of for_cpu");
    },
  );
});
