// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { withoutBuffers } from "./without_buffers.ts";

Deno.test("withoutBuffers() removes policy dma-buf only from a board without a dma-heap", () => {
  using board = new SimBoard({ seed: 1 });
  using device = Device.open({ syscalls: board });
  const { info } = device;
  assertEquals(withoutBuffers(info, board), info);
  const bare = Object.create(board, {
    open: {
      value: (path: string) => {
        throw new ErrnoError(`open ${path}`, ERRNO.ENOENT);
      },
    },
  });
  const { policies } = withoutBuffers(info, bare);
  assertEquals([policies["dma-buf"].tx, policies["dma-buf"].rx], [false, false]);
  assertEquals(policies.manual, info.policies.manual);
});
