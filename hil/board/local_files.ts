// SPDX-License-Identifier: MIT
/**
 * Files of this machine's kernel. A target has the same interface.
 *
 * @module
 */

import type { KernelFiles } from "../../driver/remote.ts";

/** `syslog(2)`: read the last messages of the ring buffer, without removing them. */
const READ_ALL = 3;

/** Reads something, or returns another value if it cannot be read. */
function orElse<T, E>(read: () => T, missing: E): T | E {
  try {
    return read();
  } catch {
    return missing;
  }
}

/** The files of this machine. */
export const localFiles: KernelFiles = {
  readFile: (path) => orElse(() => Deno.readTextFileSync(path), null),
  readBytes: (path) => orElse(() => Deno.readFileSync(path), null),
  list: (path) => orElse(() => [...Deno.readDirSync(path)].map(({ name }) => name).sort(), []),
  readLink: (path) => orElse(() => Deno.readLinkSync(path), null),
  kernelLog: (most) =>
    orElse(() => {
      const libc = Deno.dlopen("libc.so.6", {
        klogctl: { parameters: ["i32", "buffer", "i32"], result: "i32" },
      });
      const bytes = new Uint8Array(most);
      const length = libc.symbols.klogctl(READ_ALL, bytes, bytes.length);
      libc.close();
      return length < 0 ? null : new TextDecoder().decode(bytes.subarray(0, length));
    }, null),
};
