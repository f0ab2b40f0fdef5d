// SPDX-License-Identifier: MIT
import { assertEquals, assertRejects } from "@std/assert";
import { openBoard } from "../board/board.ts";
import { readSettings } from "../settings/settings.ts";
import { openFree } from "./open_free.ts";

const settings = readSettings(["--board=sim"], () => undefined);

Deno.test("openFree() says what it waited for if the device stays open", async () => {
  const board = openBoard(settings);
  const [path = ""] = settings.devices;
  using _held = await openFree(board, path, 0);
  const error = await assertRejects(() => openFree(board, path, 120));
  assertEquals(
    (error as Error).message,
    `Expected ${path} to be free within 0.1 s, found it open: ` +
      `another process uses it, and fuser ${path} shows which`,
  );
});

Deno.test("openFree() opens a device as soon as it is free", async () => {
  const board = openBoard(settings);
  const [path = ""] = settings.devices;
  const held = await openFree(board, path, 0);
  const opened = openFree(board, path, 60_000);
  held[Symbol.dispose]();
  using device = await opened;
  assertEquals(device.path, path);
});

Deno.test("openFree() does not wait for a device that does not exist", async () => {
  const board = openBoard(settings);
  const error = await assertRejects(() => openFree(board, "/dev/none", 60_000));
  assertEquals((error as Error).message.includes("free within"), false);
});
