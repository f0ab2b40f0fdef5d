// SPDX-License-Identifier: MIT
/** ENQUEUE_BATCH and DEQUEUE_BATCH. @module */

import { ERRNO } from "../../../driver/errno.ts";
import {
  DEQUEUE,
  DEQUEUE_BATCH,
  type Direction,
  DIRECTIONS,
  ENQUEUE,
  ENQUEUE_BATCH,
  IOC,
  MAX_BATCH,
  type PolicyName,
  STATES,
} from "../../../driver/uapi.ts";
import { assert, fails, faults, group, queue, refuses, same } from "./check.ts";
import { MAX_U32, MAX_U64, PAGE, type Raw, Struct, type Values } from "./raw.ts";

type Items = Uint8Array<ArrayBuffer>;

/** Puts structs one after another. Each takes `size` bytes, and the rest of it is zero. */
function pack(structs: readonly Struct<string>[], size: number): Items {
  const items = new Uint8Array(structs.length * size);
  structs.forEach(({ bytes }, i) => items.set(bytes, i * size));
  return items;
}

function enqueueItem(values: Values<keyof typeof ENQUEUE.at>): Struct<keyof typeof ENQUEUE.at> {
  return new Struct(ENQUEUE, { length: PAGE, ...values });
}

/** Calls ENQUEUE_BATCH with items; returns how many were accepted. */
function enqueueBatch(
  raw: Raw,
  items: Items | null,
  values: Values<keyof typeof ENQUEUE_BATCH.at> = {},
): number {
  const size = Number(values.item_size ?? ENQUEUE.size);
  const count = items === null ? 1 : items.length / size;
  const argument = new Struct(ENQUEUE_BATCH, { item_size: size, count, done: MAX_U32, ...values });
  const attachment = items === null ? undefined : { at: ENQUEUE_BATCH.at.items, bytes: items };
  raw.syscalls.ioctl(raw.fd, IOC.ENQUEUE_BATCH, argument.bytes, attachment);
  return argument.get("done");
}

/** Calls DEQUEUE_BATCH; returns the items that were written. */
function dequeueBatch(
  raw: Raw,
  direction: Direction,
  values: Values<keyof typeof DEQUEUE_BATCH.at>,
  room?: Items | null,
): Items[] {
  const size = Number(values.item_size ?? DEQUEUE.size);
  const count = Number(values.count ?? 1);
  const items = room === undefined ? new Uint8Array(count * size).fill(0xff) : room;
  const argument = new Struct(DEQUEUE_BATCH, {
    ...{ item_size: size, count, min: 1, direction: DIRECTIONS.indexOf(direction) },
    ...values,
  });
  const attachment = items === null ? undefined : { at: DEQUEUE_BATCH.at.items, bytes: items };
  raw.syscalls.ioctl(raw.fd, IOC.DEQUEUE_BATCH, argument.bytes, attachment);
  return Array.from(
    { length: argument.get("done") },
    (_, i) => items?.subarray(i * size, (i + 1) * size) ?? new Uint8Array(0),
  );
}

const word = (item: Items | undefined, at: number): number | undefined =>
  item === undefined
    ? undefined
    : new DataView(item.buffer, item.byteOffset, item.length).getUint32(at, true);

const stateOf = (raw: Raw, id: number) => STATES[raw.query(id).get("state")];

/** Numbers that no batch may have. */
const COUNTS: readonly [string, number][] = [["0", 0], [`${MAX_BATCH + 1}`, MAX_BATCH + 1], [
  "2^32 - 1",
  MAX_U32,
]];

export const enqueueBatchChecks = group("ENQUEUE_BATCH", (check) => {
  for (const [what, count] of COUNTS) {
    check(`fails with EINVAL for a count of ${what}`, (raw) => {
      const item = pack([enqueueItem({ id: raw.alloc("streaming", "rx").id })], ENQUEUE.size);
      refuses(raw, "EINVAL", "ENQUEUE_BATCH", () => enqueueBatch(raw, item, { count }));
    });
  }

  check("fails with EINVAL for items of another size, and for flags", (raw) => {
    const item = pack([enqueueItem({ id: raw.alloc("streaming", "rx").id })], ENQUEUE.size);
    for (const size of [0, 1, ENQUEUE.size - 1, 4097, MAX_U32]) {
      const call = () => enqueueBatch(raw, item, { item_size: size, count: 1 });
      refuses(raw, "EINVAL", `item_size ${size}`, call);
    }
    refuses(raw, "EINVAL", "flags", () => enqueueBatch(raw, item, { flags: 1 }));
  });

  check("fails with EFAULT without items", (raw) => {
    raw.alloc("streaming", "rx");
    refuses(raw, "EFAULT", "ENQUEUE_BATCH", () => enqueueBatch(raw, null));
  });

  check(
    { name: "enqueues blocks of both directions in their order", needs: queue(3) },
    (raw, context) => {
      const rx = raw.alloc("streaming", "rx", PAGE, 3).id;
      const tx = raw.alloc("streaming", "tx", PAGE, 3).id;
      const items = [0, 1, 2].flatMap((i) => [
        enqueueItem({ id: rx + i, cookie: 10 + i }),
        enqueueItem({ id: tx + i, cookie: 20 + i }),
      ]);
      same(enqueueBatch(raw, pack(items, ENQUEUE.size)), 6, "done");
      for (const [direction, first, cookie] of [["rx", rx, 10], ["tx", tx, 20]] as const) {
        for (let i = 0; i < 3; i++) {
          const end = context.take(raw, direction);
          same(end.get("id"), first + i, `id ${direction}`);
          same(end.get("cookie"), cookie + i, `cookie ${direction}`);
        }
      }
    },
  );

  check("fails with the error of the first item, and changes nothing", (raw) => {
    const { id } = raw.alloc("streaming", "rx");
    const bad: [Values<keyof typeof ENQUEUE.at>, "ENOENT" | "EINVAL"][] = [
      [{ id: id + 1 }, "ENOENT"],
      [{ id, length: 0 }, "EINVAL"],
      [{ id, reserved: 1 }, "EINVAL"],
    ];
    for (const [values, code] of bad) {
      const items = pack([enqueueItem(values), enqueueItem({ id })], ENQUEUE.size);
      refuses(raw, code, "ENQUEUE_BATCH", () => enqueueBatch(raw, items));
      same(word(items, ENQUEUE.at.error), ERRNO[code], "error of the item");
    }
  });

  check("stops at an item that fails, and reports how many it accepted", (raw) => {
    const { id } = raw.alloc("streaming", "rx", PAGE, 2);
    const items = pack(
      [enqueueItem({ id }), enqueueItem({ id }), enqueueItem({ id: id + 1 })],
      ENQUEUE.size,
    );
    same(enqueueBatch(raw, items), 1, "done");
    same(word(items, ENQUEUE.at.error), 0, "error of the first item");
    same(word(items, ENQUEUE.size + ENQUEUE.at.error), ERRNO.EBUSY, "error of the second item");
    same(stateOf(raw, id + 1), "user", "state of the third block");
    same(raw.reset(), 1, "returned");
  });

  check("stops with EAGAIN when the queue is full", (raw, context) => {
    const depth = context.chan("rx").queueDepth;
    const { id } = raw.alloc("streaming", "rx", PAGE, depth + 1);
    const structs = Array.from({ length: depth + 1 }, (_, i) => enqueueItem({ id: id + i }));
    const items = pack(structs, ENQUEUE.size);
    same(enqueueBatch(raw, items), depth, "done");
    same(word(items, depth * ENQUEUE.size + ENQUEUE.at.error), ERRNO.EAGAIN, "error");
    same(stateOf(raw, id + depth), "user", "state of the last block");
  });

  check("accepts larger items whose other members are zero, and fails with E2BIG else", (raw) => {
    const ids = [raw.alloc("streaming", "rx").id, raw.alloc("streaming", "tx").id];
    const size = ENQUEUE.size + 8;
    const items = pack(ids.map((id) => enqueueItem({ id })), size);
    items[size - 1] = 1;
    refuses(raw, "E2BIG", "ENQUEUE_BATCH", () => enqueueBatch(raw, items, { item_size: size }));
    items[size - 1] = 0;
    same(enqueueBatch(raw, items, { item_size: size }), 2, "done");
  });
});

export const dequeueBatchChecks = group("DEQUEUE_BATCH", (check) => {
  /** Sends frames, so that as many completions of rx come. */
  const send = (raw: Raw, count: number, policy: PolicyName = "streaming"): number => {
    const rx = raw.alloc(policy, "rx", PAGE, count).id;
    const tx = raw.alloc(policy, "tx", PAGE, count).id;
    for (let i = 0; i < count; i++) {
      raw.enqueue(rx + i, { cookie: i });
      raw.enqueue(tx + i);
    }
    return rx;
  };

  for (const [what, count] of COUNTS) {
    check(`fails with EINVAL for a count of ${what}`, (raw) => {
      const room = new Uint8Array(DEQUEUE.size);
      refuses(raw, "EINVAL", "count", () => dequeueBatch(raw, "rx", { count }, room));
    });
  }

  check("fails with EINVAL for wrong members", (raw, context) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    const wrong: [string, Values<keyof typeof DEQUEUE_BATCH.at>][] = [
      ["min 0", { min: 0 }],
      ["min above count", { min: 2 }],
      ["flags", { flags: 1 }],
      ["direction 2", { direction: 2 }],
      ["deadline 2^63", { deadline_ns: 1n << 63n }],
      ["deadline 2^64 - 1", { deadline_ns: MAX_U64 }],
      ["items that are too small", { item_size: DEQUEUE.size - 1 }],
      ["items that are larger than a page", { item_size: 4097 }],
    ];
    for (const [what, values] of wrong) {
      const all = { deadline_ns: context.in(10), ...values };
      const room = new Uint8Array(DEQUEUE.size);
      refuses(raw, "EINVAL", what, () => dequeueBatch(raw, "rx", all, room));
    }
  });

  check("fails with ENODATA if nothing is queued", (raw, context) => {
    const call = () => dequeueBatch(raw, "rx", { deadline_ns: context.in(60_000) });
    refuses(raw, "ENODATA", "DEQUEUE_BATCH", call);
  });

  check("fails with ETIMEDOUT, or EAGAIN if it must not wait", (raw, context) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    refuses(raw, "ETIMEDOUT", "past deadline", () => dequeueBatch(raw, "rx", { deadline_ns: 0 }));
    const call = () => dequeueBatch(raw, "rx", { deadline_ns: context.in(20) });
    refuses(raw, "ETIMEDOUT", "deadline", call);
    raw.setNonblocking(true);
    fails("EAGAIN", "O_NONBLOCK", () => dequeueBatch(raw, "rx", { deadline_ns: context.in(20) }));
  });

  check(
    { name: "returns the completions in their order, with all members", needs: queue(4) },
    (raw, context) => {
      const rx = send(raw, 4);
      const deadline_ns = context.in(20_000);
      const items = dequeueBatch(raw, "rx", { count: 4, min: 4, deadline_ns });
      same(items.length, 4, "done");
      items.forEach((item, i) => {
        same(word(item, DEQUEUE.at.id), rx + i, "id");
        same(word(item, DEQUEUE.at.cookie), i, "cookie");
        same(word(item, DEQUEUE.at.length), PAGE, "length");
        same(word(item, DEQUEUE.at.error), 0, "error");
        same(word(item, DEQUEUE.at.direction), DIRECTIONS.indexOf("rx"), "direction");
        same(stateOf(raw, rx + i), "user", "state");
      });
    },
  );

  check({ name: "waits for no more than min", needs: queue(4) }, (raw, context) => {
    const rx = send(raw, 2);
    raw.enqueue(raw.alloc("streaming", "rx").id); // waits for a frame
    const deadline_ns = context.in(20_000);
    const items = dequeueBatch(raw, "rx", { count: 3, min: 2, deadline_ns });
    assert(context.now() < deadline_ns, "expected DEQUEUE_BATCH to return before its deadline");
    same(items.length, 2, "done");
    same(word(items[1], DEQUEUE.at.id), rx + 1, "id");
  });

  check(
    {
      name: "returns fewer than min at the deadline, and if nothing else is queued",
      needs: queue(4),
    },
    (raw, context) => {
      send(raw, 2);
      const all = dequeueBatch(raw, "tx", { count: 4, min: 4, deadline_ns: context.in(60_000) });
      same(all.length, 2, "done, tx");
      raw.enqueue(raw.alloc("streaming", "rx").id); // waits for a frame
      const some = dequeueBatch(raw, "rx", { count: 3, min: 3, deadline_ns: context.in(20_000) });
      same(some.length, 2, "done, rx");
    },
  );

  check(
    { name: "returns the completion of a failed transfer like the others", needs: faults },
    (raw, context) => {
      context.arm("kind=error frame=0 seed=1 direction=rx");
      const rx = send(raw, 1);
      const [item] = dequeueBatch(raw, "rx", { deadline_ns: context.in(20_000) });
      same(word(item, DEQUEUE.at.id), rx, "id");
      same(word(item, DEQUEUE.at.error), ERRNO.EIO, "error");
      same(stateOf(raw, rx), "user", "state");
    },
  );

  check("keeps the completion if an item cannot be written", (raw, context) => {
    const { rx } = context.completed(raw);
    const call = () => dequeueBatch(raw, "rx", { deadline_ns: context.in(20_000) }, null);
    fails("EFAULT", "DEQUEUE_BATCH", call);
    same(context.take(raw, "rx").get("id"), rx, "id of the kept completion");
  });

  check("writes zeros to members of larger items that the driver does not know", (raw, context) => {
    const { rx } = context.completed(raw);
    const values = { item_size: DEQUEUE.size + 8, deadline_ns: context.in(20_000) };
    const [item] = dequeueBatch(raw, "rx", values);
    same(word(item, DEQUEUE.at.id), rx, "id");
    assert(
      item?.subarray(DEQUEUE.size).every((byte) => byte === 0) === true,
      "the tail is not zero",
    );
  });
});
