// SPDX-License-Identifier: MIT
/** read() and write(): frames through the blocks of policy bounce. @module */

import { POLLIN, POLLOUT } from "../../../driver/syscalls.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { assert, group, queue, ready, refuses, same } from "./check.ts";
import { PAGE, type Raw } from "./raw.ts";

const write = (raw: Raw, bytes: Uint8Array) => raw.syscalls.write(raw.fd, bytes);
const read = (raw: Raw, bytes: Uint8Array) => raw.syscalls.read(raw.fd, bytes);

/** Allocates a ring of two slots in each direction, and enqueues its receive slots. */
function rings(raw: Raw, size = 192): void {
  raw.setNonblocking(true);
  raw.alloc("bounce", "tx", size, 2);
  raw.alloc("bounce", "rx", size, 2);
  enqueueSlots(raw);
}

/** Calls read(), which finds no frame but enqueues the receive slots. */
function enqueueSlots(raw: Raw): void {
  try {
    read(raw, new Uint8Array(PAGE));
  } catch (error) {
    if ((error as { code?: string }).code === "EAGAIN") return;
    throw error;
  }
  throw new Error("Expected EAGAIN before any frame was sent, found a frame");
}

/** Waits for a frame and compares it. */
function receive(raw: Raw, length: number, value: number): void {
  ready(raw, POLLIN);
  const frame = new Uint8Array(PAGE).fill(value ^ 0xff);
  same(read(raw, frame), length, "bytes of the frame");
  assert(frame.subarray(0, length).every((byte) => byte === value), "the frame is damaged");
  const rest = frame.subarray(length);
  assert(rest.every((byte) => byte === (value ^ 0xff)), "read() wrote beyond the frame");
}

export const ring = group("write and read", (check) => {
  check("fail with EINVAL without a ring", (raw) => {
    raw.alloc("streaming", "tx");
    raw.alloc("streaming", "rx");
    refuses(raw, "EINVAL", "write", () => write(raw, new Uint8Array(64)));
    refuses(raw, "EINVAL", "read", () => read(raw, new Uint8Array(64)));
  });

  check("fail with EINVAL without a ring in their direction", (raw) => {
    const { id } = raw.alloc("bounce", "rx");
    refuses(raw, "EINVAL", "write", () => write(raw, new Uint8Array(64)));
    raw.free(id);
    raw.alloc("bounce", "tx");
    refuses(raw, "EINVAL", "read", () => read(raw, new Uint8Array(64)));
  });

  check("work until the last slot is freed, then fail with EINVAL", (raw) => {
    raw.setNonblocking(true);
    const tx = raw.alloc("bounce", "tx", PAGE, 2).id;
    const rx = raw.alloc("bounce", "rx", PAGE, 2).id;
    raw.free(tx);
    raw.free(rx);
    enqueueSlots(raw);
    write(raw, new Uint8Array(64).fill(1));
    receive(raw, 64, 1);
    raw.reset();
    raw.free(tx + 1);
    raw.free(rx + 1);
    refuses(raw, "EINVAL", "write", () => write(raw, new Uint8Array(64)));
    refuses(raw, "EINVAL", "read", () => read(raw, new Uint8Array(64)));
  });

  check("fail with EINVAL for 0 bytes", (raw) => {
    rings(raw);
    refuses(raw, "EINVAL", "write", () => write(raw, new Uint8Array(0)));
    refuses(raw, "EINVAL", "read", () => read(raw, new Uint8Array(0)));
  });

  check("of a frame larger than a slot: write fails with EMSGSIZE", (raw) => {
    rings(raw);
    refuses(raw, "EMSGSIZE", "write", () => write(raw, new Uint8Array(193)));
  });

  check(
    "of a frame larger than the buffer: read fails with EMSGSIZE, and keeps the frame",
    (raw) => {
      rings(raw);
      write(raw, new Uint8Array(192).fill(0x33));
      ready(raw, POLLIN);
      const small = new Uint8Array(191).fill(0x55);
      for (let i = 0; i < 2; i++) {
        try {
          read(raw, small);
          throw new Error("Expected EMSGSIZE, found success");
        } catch (error) {
          same((error as { code?: string }).code, "EMSGSIZE", "errno");
        }
      }
      assert(small.every((byte) => byte === 0x55), "the buffer was written");
      receive(raw, 192, 0x33);
    },
  );

  check("on a nonblocking file: read fails with EAGAIN without a frame", (raw) => {
    rings(raw);
    refuses(raw, "EAGAIN", "read", () => read(raw, new Uint8Array(192)));
  });

  check("on a nonblocking file: write fails with EAGAIN without a free slot", (raw, context) => {
    raw.setNonblocking(true);
    raw.alloc("bounce", "tx", PAGE, 2);
    let taken = 0;
    let code: string | undefined;
    // a core may hold some frames on its own: then a slot is free again
    for (let i = 0; i < 100 && (code === undefined || raw.poll(POLLOUT, 20) !== 0); i++) {
      try {
        write(raw, new Uint8Array(PAGE));
        taken++;
        code = undefined;
      } catch (error) {
        code = (error as { code?: string }).code;
      }
    }
    same(code, "EAGAIN", "errno");
    assert(taken >= Math.min(2, context.chan("tx").queueDepth), `only ${taken} slots were taken`);
  });

  check("move frames of every length in order", (raw) => {
    rings(raw);
    for (const [i, length] of [64, 128, 192, 64, 192].entries()) {
      write(raw, new Uint8Array(length).fill(i + 1));
      receive(raw, length, i + 1);
    }
  });

  check({ name: "keep the order of frames that wait at the same time", needs: queue(3) }, (raw) => {
    rings(raw);
    write(raw, new Uint8Array(64).fill(1));
    write(raw, new Uint8Array(128).fill(2));
    receive(raw, 64, 1);
    receive(raw, 128, 2);
  });

  check("wait on a blocking file", (raw) => {
    rings(raw);
    raw.setNonblocking(false);
    for (let i = 0; i < 10; i++) {
      write(raw, new Uint8Array(64).fill(i));
      const frame = new Uint8Array(192);
      same(read(raw, frame), 64, "bytes of the frame");
      same(frame[63], i, "last byte");
    }
  });

  check({ name: "work together with DEQUEUE of other blocks", needs: queue(3) }, (raw, context) => {
    rings(raw);
    // the receive slots of the ring are enqueued before the block, so the first two frames fill them
    const rx = raw.alloc("streaming", "rx");
    const tx = raw.alloc("streaming", "tx");
    raw.enqueue(rx.id);
    write(raw, new Uint8Array(64).fill(1));
    write(raw, new Uint8Array(64).fill(2));
    raw.setNonblocking(false);
    raw.enqueue(tx.id, { length: 128 });
    same(context.take(raw, "tx").get("length"), 128, "length sent");
    same(context.take(raw, "rx").get("length"), 128, "length received");
    raw.setNonblocking(true);
    receive(raw, 64, 1);
    receive(raw, 64, 2);
  });

  check("work again after RESET", (raw) => {
    rings(raw);
    write(raw, new Uint8Array(64).fill(1));
    raw.reset();
    enqueueSlots(raw);
    write(raw, new Uint8Array(64).fill(2));
    receive(raw, 64, 2);
  });

  check("count their copies and frames", (raw) => {
    rings(raw);
    raw.stats(1);
    write(raw, new Uint8Array(64));
    receive(raw, 64, 0);
    for (const { transfers, bytes, cost: { copy } } of both(raw)) {
      same(transfers, 1, "transfers");
      same(bytes, 64, "bytes");
      same(copy.calls, 1, "copies");
      same(copy.bytes, 64, "bytes copied");
    }
  });

  check("keep the slots of a ring that is read enqueued: FREE fails with EBUSY", (raw) => {
    raw.setNonblocking(true);
    const { id } = raw.alloc("bounce", "rx");
    enqueueSlots(raw);
    refuses(raw, "EBUSY", "FREE", () => raw.free(id));
    raw.reset();
    raw.free(id);
  });
});

function both(raw: Raw) {
  const { tx, rx } = unpackStats(raw.stats().bytes);
  return [tx, rx];
}
