// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { tempDir } from "../testing/temp_dir.ts";
import { Spool } from "./spool.ts";

Deno.test("Spool keeps all output in its file, and the last line", () => {
  const path = `${tempDir()}/log`;
  using spool = new Spool(path);
  assertEquals(spool.lastLine, "");
  const chunk = new TextEncoder().encode(`${"x".repeat(9999)}\n`);
  for (let i = 0; i < 100; i++) spool.write(chunk);
  for (const text of ["last", " wor", "ds\n"]) spool.write(new TextEncoder().encode(text));
  spool.check();
  assertEquals(Deno.statSync(path).size, 1_000_011);
  assertEquals(spool.lastLine, "last words");
});

Deno.test("Spool.lastLine returns only the end of a long line", () => {
  using spool = new Spool(`${tempDir()}/log`);
  for (let i = 0; i < 100; i++) spool.write(new TextEncoder().encode("y".repeat(9999)));
  assert(spool.lastLine.length <= 4096, `${spool.lastLine.length}`);
});

Deno.test("Spool.check() throws if the disk is full, which write() does not", () => {
  using spool = new Spool("/dev/full");
  spool.write(Uint8Array.of(0x61));
  spool.write(Uint8Array.of(0x62));
  assertEquals(spool.lastLine, "ab");
  assertThrows(() => spool.check(), Error, "No space left");
});
