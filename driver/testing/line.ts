// SPDX-License-Identifier: MIT

/**
 * Two serial lines that are connected: pseudo-terminals, and a process that copies between them.
 *
 * @module
 */

/** A pair of lines. What one end writes, the other one reads. */
export interface Line extends Disposable {
  /** Paths of both ends. */
  readonly ends: readonly [string, string];
}

/**
 * Connect two lines.
 *
 * @returns The lines, which are cut on disposal.
 */
export async function connectLines(): Promise<Line> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", import.meta.filename ?? ""],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("Expected two pseudo-terminals, found none");
    text += new TextDecoder().decode(value);
  }
  await reader.cancel();
  const [one = "", other = ""] = text.trim().split(" ");
  return {
    ends: [one, other],
    [Symbol.dispose]() {
      child.kill("SIGKILL");
      child.unref();
    },
  };
}

/** Makes both lines, prints their paths, and copies between them without an end. */
async function copyLines(): Promise<void> {
  const { symbols } = Deno.dlopen("libc.so.6", {
    openpty: { parameters: ["buffer", "buffer", "buffer", "pointer", "pointer"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
  });
  const lines = [0, 1].map(() => {
    const [master, slave, name] = [new Int32Array(1), new Int32Array(1), new Uint8Array(64)];
    const bytes = (one: Int32Array<ArrayBuffer>) => new Uint8Array(one.buffer);
    if (symbols.openpty(bytes(master), bytes(slave), name, null, null) !== 0) Deno.exit(1);
    return { fd: master[0] ?? -1, path: new TextDecoder().decode(name).replace(/\0.*$/s, "") };
  });
  console.log(lines.map(({ path }) => path).join(" "));
  const copy = async (from: number, to: number) => {
    const buffer = new Uint8Array(4096);
    for (;;) {
      const got = Number(await symbols.read(from, buffer, BigInt(buffer.length)));
      if (got <= 0) return;
      for (let at = 0; at < got;) {
        at += Number(await symbols.write(to, buffer.slice(at, got), BigInt(got - at)));
      }
    }
  };
  const [one, other] = lines.map(({ fd }) => fd);
  await Promise.all([copy(one ?? -1, other ?? -1), copy(other ?? -1, one ?? -1)]);
}

if (import.meta.main) await copyLines();
