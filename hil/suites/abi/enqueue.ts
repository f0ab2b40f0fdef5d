// SPDX-License-Identifier: MIT
/** ENQUEUE. @module */

import { ErrnoError } from "../../../driver/errno.ts";
import {
  ENQUEUE,
  ENQUEUE_FLAGS,
  isAllocPolicy,
  POLICIES,
  USER_POLICIES,
} from "../../../driver/uapi.ts";
import { type CheckContext, fails, group, offered, refuses, refusesCall, same } from "./check.ts";
import { MAX_U32, MAX_U64, PAGE, type Raw, Struct, type Values } from "./raw.ts";

type EnqueueValues = Values<keyof typeof ENQUEUE.at>;

/** Arguments for a block of two pages that fail with EINVAL, by what is wrong with them. */
const REFUSED: readonly [string, EnqueueValues][] = [
  ["length 0", { length: 0 }],
  ["length 0 at the end", { offset: 2 * PAGE, length: 0 }],
  ["a length beyond the block", { length: 2 * PAGE + 1 }],
  ["an offset at the end", { offset: 2 * PAGE, length: 1 }],
  ["an offset beyond the end", { offset: 4 * PAGE, length: 1 }],
  ["an end beyond the block", { offset: PAGE, length: PAGE + 1 }],
  ["offset 2^32", { offset: 1n << 32n }],
  ["length 2^32", { length: 1n << 32n }],
  ["length 2^64 - 1", { length: MAX_U64 }],
  ["an offset and length that add up to 2^32", { offset: (1n << 32n) - 4096n }],
  ["an offset and length that add up to 2^64", { offset: MAX_U64 - 4095n }],
  ["an offset and length that wrap around", { offset: MAX_U64 - 4095n, length: PAGE + 1 }],
  ["an offset between cache lines without UNALIGNED", { offset: 8, length: 8 }],
  ["unknown flags", { flags: 4 }],
  ["every flag", { flags: MAX_U32 }],
  ["a sideband word", { sideband: 1 }],
  ["a reserved member", { reserved: 1 }],
];

function refused(raw: Raw, code: "EINVAL" | "EBUSY" | "EAGAIN" | "ENOENT" | "EFAULT", id: number) {
  refusesCall(raw, code, "ENQUEUE", new Struct(ENQUEUE, { id, length: PAGE }));
}

/** Fills a queue, and returns a block that has no room in it. A core may take some frames of tx out. */
export function fill(raw: Raw, context: CheckContext, direction: "tx" | "rx"): number {
  const depth = context.chan(direction).queueDepth;
  const spare = direction === "tx" ? 64 : 0;
  const { id } = raw.alloc("streaming", direction, PAGE, depth + spare + 1);
  for (let i = 0; i < depth; i++) raw.enqueue(id + i);
  for (let i = depth; i < depth + spare; i++) {
    try {
      raw.enqueue(id + i);
    } catch (error) {
      if (error instanceof ErrnoError && error.code === "EAGAIN") return id + i;
      throw error;
    }
  }
  return id + depth + spare;
}

export const enqueue = group("ENQUEUE", (check) => {
  for (const [what, values] of REFUSED) {
    check(`fails with EINVAL for ${what}`, (raw) => {
      for (const direction of ["tx", "rx"] as const) {
        const { id } = raw.alloc("streaming", direction, 2 * PAGE);
        const argument = new Struct(ENQUEUE, { id, length: PAGE, cookie: MAX_U64, ...values });
        refusesCall(raw, "EINVAL", "ENQUEUE", argument);
      }
    });
  }

  check("fails with EINVAL for one byte beyond a block of no whole cache lines", (raw) => {
    for (const direction of ["tx", "rx"] as const) {
      const size = PAGE - 24;
      const { id } = raw.alloc("streaming", direction, size);
      for (
        const values of [{ length: size + 1 }, { offset: PAGE / 2, length: size - PAGE / 2 + 1 }]
      ) {
        refusesCall(raw, "EINVAL", "ENQUEUE", new Struct(ENQUEUE, { id, ...values }));
      }
    }
  });

  for (let i = 1; i < 4; i++) {
    check(`fails with EINVAL for sideband word ${i}`, (raw) => {
      const { id } = raw.alloc("streaming", "rx");
      const argument = new Struct(ENQUEUE, { id, length: PAGE });
      argument.slice("sideband")[4 * i] = 1;
      refusesCall(raw, "EINVAL", "ENQUEUE", argument);
    });
  }

  check("accepts an offset between cache lines with UNALIGNED", (raw, context) => {
    const align = context.chan("rx").addressAlign;
    const { id } = raw.alloc("streaming", "rx");
    raw.enqueue(id, { offset: Math.max(8, align), length: 64, flags: ENQUEUE_FLAGS.unaligned });
    raw.reset();
    if (align === 1) return;
    const flags = ENQUEUE_FLAGS.unaligned;
    const argument = new Struct(ENQUEUE, { id, offset: align / 2, length: 64, flags });
    refusesCall(raw, "EINVAL", "ENQUEUE", argument);
  });

  check("fails with ENOENT for an id that was never returned", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    for (const other of [0, id + 1, MAX_U32]) refused(raw, "ENOENT", other);
  });

  check("fails with ENOENT for a freed block", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    raw.free(id);
    refused(raw, "ENOENT", id);
  });

  check("fails with EBUSY the second time", (raw) => {
    const { id } = raw.alloc("streaming", "rx");
    raw.enqueue(id);
    refused(raw, "EBUSY", id);
  });

  check("fails with EBUSY for a completed block before DEQUEUE", (raw, context) => {
    const { rx } = context.completed(raw);
    refused(raw, "EBUSY", rx);
    raw.dequeue("rx", 0);
    raw.enqueue(rx);
  });

  check("fails with EINVAL for a block of the ring", (raw) => {
    for (const direction of ["tx", "rx"] as const) {
      refused(raw, "EINVAL", raw.alloc("bounce", direction).id);
    }
  });

  for (const direction of ["tx", "rx"] as const) {
    check(
      `fails with EAGAIN if the ${direction} queue is full, and succeeds after RESET`,
      (raw, context) => {
        const id = fill(raw, context, direction);
        refused(raw, "EAGAIN", id);
        raw.reset();
        raw.enqueue(id);
      },
    );
  }

  check("into a full queue succeeds after one DEQUEUE", (raw, context) => {
    const id = fill(raw, context, "rx");
    const tx = raw.alloc("streaming", "tx");
    refused(raw, "EAGAIN", id);
    raw.enqueue(tx.id);
    context.take(raw, "rx");
    // it may end after rx, and STATS would change
    context.take(raw, "tx");
    raw.enqueue(id);
    refused(raw, "EBUSY", id);
  });

  check("in one direction does not fill the queue of the other one", (raw, context) => {
    fill(raw, context, "tx");
    const { id } = raw.alloc("streaming", "rx");
    raw.enqueue(id);
    context.take(raw, "rx");
  });

  check("stores error 0 on success, and changes nothing else in the struct", (raw) => {
    const { id } = raw.alloc("streaming", "rx");
    const argument = new Struct(ENQUEUE, { id, length: PAGE, error: MAX_U32 });
    const expected = argument.bytes.slice().fill(0, ENQUEUE.at.error, ENQUEUE.at.error + 4);
    raw.call("ENQUEUE", argument);
    same(argument.bytes.toHex(), expected.toHex(), "the struct");
  });

  check(
    "fails with EFAULT for user pages that were unmapped, and the user keeps the block",
    (raw, context) => {
      const memory = context.memory();
      const id = raw.register("user-pages", "rx", memory.address);
      context.unmap(memory);
      refused(raw, "EFAULT", id);
      raw.unregister(id);
    },
  );

  for (const policy of POLICIES) {
    if (policy === "bounce" || !isAllocPolicy(policy)) continue;
    check(
      { name: `accepts blocks of policy ${policy}`, needs: offered(policy) },
      (raw, context) => {
        const tx = raw.alloc(policy, "tx");
        const rx = raw.alloc(policy, "rx");
        for (let i = 0; i < 3; i++) context.frame(raw, tx.id, rx.id);
      },
    );
  }

  for (const policy of USER_POLICIES) {
    check(
      { name: `accepts blocks of policy ${policy}`, needs: offered(policy) },
      (raw, context) => {
        const out = context.memory(2 * PAGE);
        const back = context.memory(2 * PAGE);
        const tx = raw.register(policy, "tx", out.address, 2 * PAGE);
        const rx = raw.register(policy, "rx", back.address, 2 * PAGE);
        for (let i = 0; i < 3; i++) context.frame(raw, tx, rx, 2 * PAGE);
      },
    );
  }

  check("accepts a part of a block", (raw, context) => {
    const tx = raw.alloc("streaming", "tx", 4 * PAGE);
    const rx = raw.alloc("streaming", "rx", 4 * PAGE);
    const offset = PAGE;
    raw.enqueue(rx.id, { offset, length: 2 * PAGE });
    raw.enqueue(tx.id, { offset: 2 * PAGE, length: 2 * PAGE });
    same(context.take(raw, "rx").get("offset"), offset, "offset");
    same(context.take(raw, "tx").get("offset"), 2 * PAGE, "offset");
  });

  check("of user pages that fails takes no place in the queue", (raw, context) => {
    const depth = context.chan("rx").queueDepth;
    const memory = context.memory();
    const gone = raw.register("user-pages", "rx", memory.address);
    context.unmap(memory);
    for (let i = 0; i < depth; i++) {
      fails("EFAULT", "ENQUEUE", () => raw.enqueue(gone));
    }
    const { id } = raw.alloc("streaming", "rx", PAGE, depth);
    for (let i = 0; i < depth; i++) raw.enqueue(id + i);
  });

  check("that fails takes no place in the queue", (raw, context) => {
    const depth = context.chan("rx").queueDepth;
    const { id } = raw.alloc("streaming", "rx", PAGE, depth);
    for (let i = 0; i < depth; i++) {
      refuses(raw, "EINVAL", "ENQUEUE", () => raw.enqueue(id, { length: 0 }));
    }
    for (let i = 0; i < depth; i++) raw.enqueue(id + i);
  });
});
