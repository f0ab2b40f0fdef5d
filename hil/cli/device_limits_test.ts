// SPDX-License-Identifier: MIT
import { assertEquals, assertThrows } from "@std/assert";
import { parseSettings } from "../settings/settings.ts";
import { UsageError } from "../settings/values.ts";
import { checkDepths, checkDevices } from "./device_limits.ts";

const INFO = { maxBlocks: 64 };

Deno.test("checkDepths() says how many blocks the device has, and what to do", () => {
  const error = assertThrows(
    () => checkDepths("/dev/pldma0", INFO, { depths: [1, "max", 32], loops: true }),
    UsageError,
  );
  assertEquals(
    error.message,
    'Expected --depth to be at most 31, found "32": /dev/pldma0 has 64 blocks, and a frame in flight ' +
      "takes one in each direction. Use a smaller depth, or max for full queues",
  );
});

Deno.test("checkDepths() takes all depths that a device has the blocks for", () => {
  checkDepths("/dev/pldma0", INFO, { depths: [1, 31, "max"], loops: true });
  checkDepths("/dev/pldma0", INFO, { depths: null, loops: true });
  // a test that only sends has all blocks for one direction
  checkDepths("/dev/pldma0", INFO, { depths: [64], loops: false });
  assertThrows(
    () => checkDepths("/dev/pldma0", INFO, { depths: [65], loops: false }),
    UsageError,
    "at most 64",
  );
});

Deno.test("checkDevices() asks the device of a simulated board", () => {
  const check = (depth: string, more: { device?: string; bitstream?: string } = {}) =>
    checkDevices(parseSettings({ board: "sim", depth, ...more }), { syscalls: null, loops: true });
  check("1,2047,max");
  assertThrows(() => check("1,2048"), UsageError, 'at most 2047, found "2048"');
});

Deno.test("checkDevices() leaves a device that is not there yet to the run", () => {
  const check = (more: Parameters<typeof parseSettings>[0]) =>
    checkDevices(parseSettings({ depth: "99999", ...more }), { syscalls: null, loops: true });
  check({ board: "sim", device: "/dev/pldma99" });
  check({ board: "sim", bitstream: "top.bit" });
  check({ board: "local", device: "/dev/pldma-none" });
});
