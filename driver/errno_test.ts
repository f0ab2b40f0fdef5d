// SPDX-License-Identifier: MIT

import { assertEquals, assertThrows } from "@std/assert";
import { ERRNO, ErrnoError, errnoName } from "./errno.ts";
import { libc } from "./libc.ts";
import { O_RDWR } from "./syscalls.ts";
import { runC } from "./testing/c_compiler.ts";
import { IOC } from "./uapi.ts";

Deno.test("ERRNO equals the error numbers of the C header", async () => {
  const macros = await new Deno.Command("cc", {
    args: ["-E", "-dM", "-include", "errno.h", "-x", "c", "/dev/null"],
  }).output();
  const text = new TextDecoder().decode(macros.stdout);
  const names = [...text.matchAll(/^#define (E[A-Z0-9]+) \d+$/gm)].map(([, name]) => name ?? "");
  assertEquals(new Set(names), new Set(Object.keys(ERRNO)));
  const prints = names.map((name) => `printf("${name} %d\\n", ${name});`).join("\n");
  const source = `#include <errno.h>\n#include <stdio.h>\nint main(void) { ${prints} return 0; }\n`;
  const lines = new TextDecoder().decode(await runC(source)).trim().split("\n");
  assertEquals(
    Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, n]) => [name, Number(n)])),
    { ...ERRNO },
  );
});

Deno.test('errnoName() returns the name of a known number and "errno N" for an unknown one', () => {
  assertEquals([errnoName(16), errnoName(125), errnoName(4000)], [
    "EBUSY",
    "ECANCELED",
    "errno 4000",
  ]);
});

Deno.test("ErrnoError.message contains call, name, number and detail", () => {
  const error = new ErrnoError("ioctl PLDMA_IOC_FREE", 16, "Block 3");
  assertEquals(error.message, "ioctl PLDMA_IOC_FREE failed: EBUSY (16): Block 3");
  assertEquals([error.name, error.code, error.errno, error.syscall], [
    "ErrnoError",
    "EBUSY",
    16,
    "ioctl PLDMA_IOC_FREE",
  ]);
});

Deno.test("libc throws ErrnoError with the errno of the call that failed", () => {
  const fd = libc.open("/dev/null", O_RDWR);
  try {
    const argument = new Uint8Array(64);
    const failures: [string, () => unknown][] = [
      ["ENOTTY", () => libc.ioctl(fd, IOC.RESET, argument)],
      ["EBADF", () => libc.ioctl(999_999, IOC.RESET, argument)],
      ["ENOENT", () => libc.open("/dev/plumbline-none", O_RDWR)],
      ["ENOTDIR", () => libc.open("/dev/null/x", O_RDWR)],
      ["EBADF", () => libc.close(999_999)],
      ["EINVAL", () => libc.mmap(0, 1, 0x22, -1, 0)],
      ["ENODEV", () => libc.mmap(4096, 1, 2, fd, 0)],
      ["EBADF", () => libc.read(999_999, argument)],
      ["EBADF", () => libc.write(999_999, argument)],
    ];
    // Many rounds, so that V8 compiles the calls. Mixed, so that a stale errno would be noticed.
    for (let i = 0; i < 20_000; i++) {
      const [code, call] = failures[(i * 7) % failures.length] ?? ["", () => {}];
      assertEquals(assertThrows(call, ErrnoError).code, code);
    }
  } finally {
    libc.close(fd);
  }
});
