// SPDX-License-Identifier: MIT
/** What holds for every request: numbers that do not exist, NULL, and structs of 0xff. @module */

import { POLLIN, PROT_READ, PROT_WRITE } from "../../../driver/syscalls.ts";
import { ALLOC, IOC, IOC_MAGIC, type RequestName } from "../../../driver/uapi.ts";
import { assert, fails, group, kernel, LONG, ready, refuses, refusesCall, same } from "./check.ts";
import { mprotect } from "./kernel.ts";
import { dequeueArgument, kind, type Raw, Struct, STRUCTS } from "./raw.ts";

const NAMES = Object.keys(STRUCTS) as RequestName[];

/** `_IOC()`: two bits of direction, 14 of size, the driver's byte, the number. */
function encode(direction: number, size: number, magic: number, number: number): number {
  return ((direction << 30) | (size << 16) | (magic << 8) | number) >>> 0;
}

/** The parts of a request's number. */
function decode(request: number): { direction: number; size: number; number: number } {
  return { direction: request >>> 30, size: request >>> 16 & 0x3fff, number: request & 0xff };
}

function unknown(raw: Raw, request: number): void {
  const buffer = new Uint8Array(4096).fill(0xff);
  const what = `request 0x${request.toString(16)}`;
  refuses(raw, "ENOTTY", what, () => raw.syscalls.ioctl(raw.fd, request, buffer));
  assert(buffer.every((byte) => byte === 0xff), `${what}: the buffer was touched`);
}

export const ioctl = group("ioctl", (check) => {
  check("of number 0 is ENOTTY", (raw) => unknown(raw, 0));
  check("of all ones is ENOTTY", (raw) => unknown(raw, 0xffff_ffff));
  check("of a terminal (TCGETS) is ENOTTY", (raw) => unknown(raw, 0x5401));
  check("of a number not taken is ENOTTY", (raw) => {
    for (const number of [NAMES.length, NAMES.length + 1, 127, 128, 255]) {
      for (const direction of [0, 1, 2, 3]) unknown(raw, encode(direction, 48, IOC_MAGIC, number));
    }
  });

  check("of a struct of another size is ENOTTY, whichever the request", (raw) => {
    for (const request of Object.values(IOC)) {
      const { direction, size, number } = decode(request);
      for (const other of [0, 1, size - 1, size + 1, size + 8, 0x3fff]) {
        unknown(raw, encode(direction, other, IOC_MAGIC, number));
      }
    }
  });

  check("of another direction is ENOTTY, whichever the request", (raw) => {
    for (const request of Object.values(IOC)) {
      const { direction, size, number } = decode(request);
      for (const other of [0, 1, 2, 3].filter((one) => one !== direction)) {
        unknown(raw, encode(other, size, IOC_MAGIC, number));
      }
    }
  });

  check("of another driver's type is ENOTTY, whichever the request", (raw) => {
    for (const request of Object.values(IOC)) {
      const { direction, size, number } = decode(request);
      for (const other of [0, IOC_MAGIC ^ 1, IOC_MAGIC ^ 0x80, 0xff]) {
        unknown(raw, encode(direction, size, other, number));
      }
    }
  });

  for (const name of NAMES) {
    check(`${name} with NULL is EFAULT`, (raw) => {
      raw.alloc("streaming", "rx");
      refuses(raw, "EFAULT", name, () => raw.syscalls.ioctl(raw.fd, IOC[name], null));
    });
  }

  for (const name of NAMES.filter((one) => one !== "INFO")) {
    check(`${name} with a struct of 0xff is EINVAL`, (raw) => {
      raw.alloc("streaming", "rx");
      refusesCall(raw, "EINVAL", name, new Struct<string>(STRUCTS[name], undefined, 0xff));
    });
  }

  check(
    { name: "with a struct that cannot be written is EFAULT, and nothing was done", needs: kernel },
    (raw, bench) => {
      const rx = raw.alloc("streaming", "rx");
      const tx = raw.alloc("streaming", "tx");
      const page = bench.memory();
      /** Puts a struct where it can only be read, and makes the call. */
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
      const memory = bench.memory();
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
      raw.dequeue("tx", bench.in(LONG));
      ready(raw, POLLIN);
      readOnly("DEQUEUE", dequeueArgument("rx", 0));
      same(raw.dequeue("rx", 0).get("id"), rx.id, "the completion that was kept");
    },
  );

  check("FIONBIO turns waiting off and on", (raw, bench) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    raw.setNonblocking(true);
    fails("EAGAIN", "DEQUEUE", () => raw.dequeue("rx", bench.in(20)));
    raw.setNonblocking(false);
    fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", bench.in(20)));
  });
});
