// SPDX-License-Identifier: MIT

/**
 * A `Device` on {@linkcode FakeSyscalls}, for tests.
 *
 * @module
 */

import type { Block } from "../block.ts";
import { Device } from "../device.ts";
import type { Direction, PolicyName } from "../uapi.ts";
import { FakeSyscalls } from "./fake_syscalls.ts";

/**
 * Open a device in memory.
 *
 * @returns The device, and the system calls below it.
 */
export function setUp(): { fake: FakeSyscalls; device: Device } {
  const fake = new FakeSyscalls();
  return { fake, device: Device.open({ path: "/dev/fake", syscalls: fake }) };
}

/**
 * Allocate one block of 4096 bytes.
 *
 * @param device The device.
 * @param direction Direction of its transfers. Defaults to `"tx"`.
 * @param policy Its policy. Defaults to `"streaming"`.
 * @returns The block.
 */
export function one(
  device: Device,
  direction: Direction = "tx",
  policy: PolicyName = "streaming",
): Block {
  const [block] = device.alloc({ size: 4096, direction, policy });
  if (block === undefined) throw new Error("Expected one block, found none");
  return block;
}
