// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "./errno.ts";
import { libc } from "./libc.ts";
import type { Mapping } from "./mapping.ts";
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  O_RDWR,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  PROT_READ,
  PROT_WRITE,
} from "./syscalls.ts";
import { runC } from "./testing/c_compiler.ts";

function anonymous(length: number): Mapping {
  return libc.mmap(length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/** Write one byte at an address without using a view that the test has. */
function poke(address: bigint, value: number): void {
  const pointer = Deno.UnsafePointer.create(address);
  assert(pointer !== null);
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, 1))[0] = value;
}

for (const length of [1, 4096, 1 << 20, 256 << 20]) {
  Deno.test(`Mapping.revoke() detaches views and keeps the memory in place, ${length} bytes`, () => {
    const mapping = anonymous(length);
    try {
      const view = new Uint8Array(mapping.lend());
      view[length - 1] = 1;
      mapping.revoke();
      assertEquals([view.length, view[length - 1]], [0, undefined]);
      poke(mapping.address + BigInt(length - 1), 0x5a);
      assertEquals(new Uint8Array(mapping.buffer)[length - 1], 0x5a);
      const pointer = Deno.UnsafePointer.of(mapping.buffer);
      assertEquals(Deno.UnsafePointer.value(pointer), mapping.address);
    } finally {
      libc.munmap(mapping);
    }
  });
}

Deno.test("libc.munmap() detaches every view", () => {
  const mapping = anonymous(4096);
  const views = [new Uint8Array(mapping.lend()), new Uint32Array(mapping.lend(), 16)];
  libc.munmap(mapping);
  assertEquals(views.map((view) => [view.length, view[0]]), [[0, undefined], [0, undefined]]);
  assertEquals(mapping.buffer.byteLength, 0);
});

Deno.test("libc.equal() finds one different byte at any offset and length", () => {
  const mapping = anonymous(3 * 4096);
  try {
    const actual = new Uint8Array(mapping.buffer);
    actual.set(actual.map((_, i) => i * 7));
    for (const [offset, length] of [[0, 1], [1, 15], [63, 65], [4095, 4098], [0, 12288]] as const) {
      const expected = actual.slice(offset, offset + length);
      for (const at of new Set([0, length >> 1, length - 1])) {
        assert(libc.equal(mapping, offset, expected, length));
        expected[at] = (expected[at] ?? 0) ^ 0x10;
        assert(!libc.equal(mapping, offset, expected, length));
        assert(libc.equal(mapping, offset, expected, at));
        expected[at] = (expected[at] ?? 0) ^ 0x10;
      }
    }
  } finally {
    libc.munmap(mapping);
  }
});

Deno.test("libc.equal() handles views with an offset and small arrays", () => {
  const mapping = anonymous(4096);
  try {
    new Uint8Array(mapping.buffer).set([9, 8, 7, 6]);
    const big = Uint8Array.of(0, 0, 9, 8, 7, 6);
    assert(libc.equal(mapping, 0, big.subarray(2), 4));
    assert(libc.equal(mapping, 1, Uint8Array.of(8, 7), 2));
    assert(!libc.equal(mapping, 1, Uint8Array.of(8, 6), 2));
  } finally {
    libc.munmap(mapping);
  }
});

Deno.test("libc.monotonicNs() never decreases and counts nanoseconds", async () => {
  const [start, begin] = [libc.monotonicNs(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 50));
  const [elapsed, reference] = [libc.monotonicNs() - start, (performance.now() - begin) * 1e6];
  assert(elapsed > 0.5 * reference && elapsed < 2 * reference, `${elapsed} ${reference}`);
  let last = start;
  for (let i = 0; i < 10_000; i++) {
    const now = libc.monotonicNs();
    assert(now >= last);
    last = now;
  }
});

Deno.test("libc.monotonicNs() returns CLOCK_MONOTONIC", async () => {
  const source = `#include <stdio.h>
#include <time.h>
int main(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
  return 0;
}
`;
  const before = libc.monotonicNs();
  const between = Number(new TextDecoder().decode(await runC(source)));
  const after = libc.monotonicNs();
  assert(before < between && between < after, `${before} ${between} ${after}`);
});

Deno.test("libc.poll() returns events, honours the timeout, and throws for an infinite one", () => {
  const fd = libc.open("/dev/null", O_RDWR);
  try {
    assertEquals(libc.poll(fd, POLLIN | POLLOUT, 0), POLLIN | POLLOUT);
    for (const timeoutMs of [-1, NaN, Infinity, 2 ** 31]) {
      assertThrows(() => libc.poll(fd, POLLIN, timeoutMs), RangeError, "finite timeout");
    }
  } finally {
    libc.close(fd);
  }
  assertEquals(libc.poll(fd, POLLIN, 0), POLLNVAL);
  const start = libc.monotonicNs();
  assertEquals(libc.poll(-1, POLLIN, 0.9), 0);
  assert(libc.monotonicNs() - start >= 0.9e6);
});

Deno.test("libc.read() and write() move bytes and return their number", () => {
  const zero = libc.open("/dev/zero", O_RDWR);
  try {
    const buffer = new Uint8Array(10).fill(7);
    assertEquals(libc.read(zero, buffer.subarray(2, 5)), 3);
    assertEquals([...buffer], [7, 7, 0, 0, 0, 7, 7, 7, 7, 7]);
    assertEquals(libc.write(zero, buffer), 10);
  } finally {
    libc.close(zero);
  }
});

Deno.test("libc.ioctlAsync() resolves with -1 if the request fails", async () => {
  const fd = libc.open("/dev/null", O_RDWR);
  try {
    assertEquals(await libc.ioctlAsync(fd, 0xc038_d904, new Uint8Array(56)), -1);
  } finally {
    libc.close(fd);
  }
});

Deno.test("libc.open() throws for a path with a NUL character", () => {
  assertThrows(() => libc.open("/dev/null\0x", O_RDWR), RangeError, "without NUL");
});

Deno.test("libc.open() throws an error that contains the path", () => {
  assertThrows(
    () => libc.open("/dev/plumbline-none", O_RDWR),
    ErrnoError,
    "open /dev/plumbline-none failed: ENOENT (2)",
  );
});

Deno.test("mod.ts can be imported without any permission, and libc requests ffi at its first use", async () => {
  const mod = new URL("../mod.ts", import.meta.url).href;
  const script = `
    import { libc } from ${JSON.stringify(mod)};
    try { libc.monotonicNs(); } catch (error) { console.log(error.name); }`;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/script.ts`, script);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-config", `${folder}/script.ts`],
    }).output();
    assertEquals(
      new TextDecoder().decode(stdout).trim(),
      "NotCapable",
      new TextDecoder().decode(stderr),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
