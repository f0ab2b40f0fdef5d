// SPDX-License-Identifier: MIT
/** Checks of all requests: unknown numbers, NULL, and structs of 0xff bytes. @module */

import type { ErrnoName } from "../../../driver/errno.ts";
import { POLLIN, PROT_READ, PROT_WRITE } from "../../../driver/syscalls.ts";
import { ALLOC, IOC, IOC_MAGIC, type RequestName } from "../../../driver/uapi.ts";
import { assert, fails, group, kernel, ready, refuses, refusesCall, same } from "./check.ts";
import { mprotect } from "./kernel.ts";
import { dequeueArgument, kind, type Raw, Struct, STRUCTS } from "./raw.ts";

const NAMES = Object.keys(STRUCTS) as RequestName[];

/** `_IOC()`: two bits of direction, 14 bits of size, the type of the driver, the number. */
function encode(direction: number, size: number, magic: number, number: number): number {
  return ((direction << 30) | (size << 16) | (magic << 8) | number) >>> 0;
}

/** The parts of a request. */
function decode(request: number): { direction: number; size: number; number: number } {
  return { direction: request >>> 30, size: request >>> 16 & 0x3fff, number: request & 0xff };
}

function unknown(raw: Raw, request: number, code: ErrnoName = "ENOTTY"): void {
  const buffer = new Uint8Array(4096).fill(0xff);
  const what = `request 0x${request.toString(16)}`;
  refuses(raw, code, what, () => raw.syscalls.ioctl(raw.fd, request, buffer));
  assert(buffer.every((byte) => byte === 0xff), `${what}: the buffer was changed`);
}

export const ioctl = group("ioctl", (check) => {
  check("fails with ENOTTY for request 0", (raw) => unknown(raw, 0));
  check("fails with ENOTTY for request 0xffffffff", (raw) => unknown(raw, 0xffff_ffff));
  check("fails with ENOTTY for a request of a terminal (TCGETS)", (raw) => unknown(raw, 0x5401));
  check("fails with ENOTTY for an unused number", (raw) => {
    for (const number of [NAMES.length, NAMES.length + 1, 127, 128, 255]) {
      for (const direction of [0, 1, 2, 3]) unknown(raw, encode(direction, 48, IOC_MAGIC, number));
    }
  });

  check("fails with EINVAL for every request with a struct that is too small", (raw) => {
    for (const request of Object.values(IOC)) {
      const { direction, size, number } = decode(request);
      for (const other of [0, 1, size - 1]) {
        unknown(raw, encode(direction, other, IOC_MAGIC, number), "EINVAL");
      }
    }
  });

  check("fails with E2BIG for every request with a member that the driver does not know", (raw) => {
    for (const [name, request] of Object.entries(IOC)) {
      if (name === "INFO") continue; // it has no inputs that could be unknown
      const { direction, size, number } = decode(request);
      for (const other of [size + 1, size + 8, 4096]) {
        unknown(raw, encode(direction, other, IOC_MAGIC, number), "E2BIG");
      }
    }
  });

  check("accepts a larger struct whose other members are zero", (raw) => {
    const { id } = raw.alloc("streaming", "rx");
    const larger = (name: RequestName, values: Record<string, number>, fill = 0) => {
      const { direction, size, number } = decode(IOC[name]);
      const bytes = new Uint8Array(size + 16).fill(fill, size);
      bytes.set(new Struct<string>(STRUCTS[name], values).bytes);
      raw.syscalls.ioctl(raw.fd, encode(direction, size + 16, IOC_MAGIC, number), bytes);
      assert(bytes.subarray(size).every((byte) => byte === 0), `${name}: the tail is not zero`);
      return bytes;
    };
    // outputs that the driver does not know become zero
    larger("INFO", {}, 0xff);
    larger("STATS", {});
    same(larger("QUERY", { id })[0], id & 0xff, "id");
    larger("ENQUEUE", { id, length: 4096 });
    larger("RESET", {});
    larger("FREE", { id });
    raw.ids.delete(id);
  });

  check("fails with ENOTTY for every request with another direction", (raw) => {
    for (const request of Object.values(IOC)) {
      const { direction, size, number } = decode(request);
      for (const other of [0, 1, 2, 3].filter((one) => one !== direction)) {
        unknown(raw, encode(other, size, IOC_MAGIC, number));
      }
    }
  });

  check("fails with ENOTTY for every request with the type of another driver", (raw) => {
    for (const request of Object.values(IOC)) {
      const { direction, size, number } = decode(request);
      for (const other of [0, IOC_MAGIC ^ 1, IOC_MAGIC ^ 0x80, 0xff]) {
        unknown(raw, encode(direction, size, other, number));
      }
    }
  });

  for (const name of NAMES) {
    check(`${name} fails with EFAULT for NULL`, (raw) => {
      raw.alloc("streaming", "rx");
      refuses(raw, "EFAULT", name, () => raw.syscalls.ioctl(raw.fd, IOC[name], null));
    });
  }

  for (const name of NAMES.filter((one) => one !== "INFO")) {
    check(`${name} fails with EINVAL for a struct of 0xff bytes`, (raw) => {
      raw.alloc("streaming", "rx");
      refusesCall(raw, "EINVAL", name, new Struct<string>(STRUCTS[name], undefined, 0xff));
    });
  }

  check(
    {
      name: "fails with EFAULT for a struct that cannot be written, and does nothing",
      needs: kernel,
    },
    (raw, context) => {
      const rx = raw.alloc("streaming", "rx");
      const tx = raw.alloc("streaming", "tx");
      const page = context.memory();
      /** Makes the call with a struct in read-only memory. */
      const readOnly = (name: RequestName, argument: Struct<string>) => {
        mprotect(page, PROT_READ | PROT_WRITE);
        const bytes = new Uint8Array(page.buffer, 0, argument.bytes.length);
        bytes.set(argument.bytes);
        assert(mprotect(page, PROT_READ), "mprotect failed");
        refuses(raw, "EFAULT", name, () => raw.syscalls.ioctl(raw.fd, IOC[name], bytes));
      };
      readOnly("INFO", new Struct(STRUCTS.INFO));
      readOnly("ALLOC", new Struct(ALLOC, { ...kind("streaming", "tx"), size: 4096, count: 1 }));
      readOnly("QUERY", new Struct(STRUCTS.QUERY, { id: rx.id }));
      readOnly("ENQUEUE", new Struct(STRUCTS.ENQUEUE, { id: rx.id, length: 4096 }));
      readOnly("STATS", new Struct(STRUCTS.STATS, { flags: 1 }));
      const memory = context.memory();
      readOnly(
        "REGISTER",
        new Struct(STRUCTS.REGISTER, {
          ...kind("user-pages-registered", "rx"),
          address: memory.address,
          size: 4096,
        }),
      );
      raw.enqueue(rx.id);
      readOnly("RESET", new Struct(STRUCTS.RESET));
      raw.enqueue(tx.id);
      context.take(raw, "tx");
      ready(raw, POLLIN);
      readOnly("DEQUEUE", dequeueArgument("rx", 0));
      same(raw.dequeue("rx", 0).get("id"), rx.id, "id of the kept completion");
    },
  );

  check("FIONBIO switches waiting off and on", (raw, context) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    raw.setNonblocking(true);
    fails("EAGAIN", "DEQUEUE", () => raw.dequeue("rx", context.in(20)));
    raw.setNonblocking(false);
    fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", context.in(20)));
  });
});
