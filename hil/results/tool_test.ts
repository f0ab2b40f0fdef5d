// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { toolInfo, VERSION } from "./tool.ts";
import { tempDir } from "../testing/temp_dir.ts";

Deno.test("VERSION equals the version in deno.json", () => {
  const config = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  assertEquals(VERSION, config.version);
});

Deno.test("toolInfo() finds the commit of a branch, a packed branch and a detached head", () => {
  const dir = tempDir();
  const root = new URL(`file://${dir}/`);
  assertEquals(toolInfo(root).git, null);
  Deno.mkdirSync(`${dir}/.git/refs/heads`, { recursive: true });
  Deno.writeTextFileSync(`${dir}/.git/HEAD`, "ref: refs/heads/main\n");
  assertEquals(toolInfo(root).git, null);
  Deno.writeTextFileSync(`${dir}/.git/packed-refs`, "# pack-refs\nabc refs/heads/main\n");
  assertEquals(toolInfo(root).git, "abc");
  Deno.writeTextFileSync(`${dir}/.git/refs/heads/main`, "def\n");
  assertEquals(toolInfo(root).git, "def");
  Deno.writeTextFileSync(`${dir}/.git/HEAD`, "0123\n");
  assertEquals(toolInfo(root).git, "0123");
});

Deno.test("toolInfo() finds the commit of an unpacked tarball", () => {
  const dir = tempDir();
  Deno.writeTextFileSync(`${dir}/COMMIT`, "0123abc-dirty\n");
  assertEquals(toolInfo(new URL(`file://${dir}/`)).git, "0123abc-dirty");
});
