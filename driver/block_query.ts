// SPDX-License-Identifier: MIT

/**
 * What the driver reports about one block, by QUERY.
 *
 * @module
 */

import { uint32 } from "./checks.ts";
import { getNumber, nameOf } from "./codecs.ts";
import type { Handle } from "./handle.ts";
import {
  BLOCK_FLAGS,
  type Direction,
  DIRECTIONS,
  type DriverState,
  POLICIES,
  type PolicyName,
  QUERY,
  STATES,
} from "./uapi.ts";

/** What the driver reports about a block. */
export interface BlockQuery {
  /** Id in the driver. */
  readonly id: number;
  /** Who owns it. */
  readonly state: DriverState;
  /** Direction of its transfers. */
  readonly direction: Direction;
  /** Its policy. */
  readonly policy: PolicyName;
  /** Whether a process has it mapped. */
  readonly mapped: boolean;
  /** Whether the sync calls of its policy have any effect on this device. */
  readonly needsSync: boolean;
  /** Whether its pages are pinned. */
  readonly pinned: boolean;
  /** Number of contiguous segments of its memory, or 0 while it is not mapped for the device. */
  readonly segments: number;
  /** Size, bytes. */
  readonly size: number;
  /** Offset for `mmap()`, or 0 if it cannot be mapped. */
  readonly mmapOffset: number;
}

/**
 * Ask the driver about a block.
 *
 * @param handle The open device.
 * @param id Id of the block.
 * @returns What the driver reports.
 * @throws {RangeError} If the ABI cannot represent the id.
 * @throws {ErrnoError} ENOENT if the driver has no such block.
 */
export function queryBlock(handle: Handle, id: number): BlockQuery {
  const argument = new Uint8Array(QUERY.size);
  const view = new DataView(argument.buffer);
  const get = (at: number) => view.getUint32(at, true);
  view.setUint32(QUERY.at.id, uint32("id", id), true);
  handle.ioctl("QUERY", argument, `Block ${id}`);
  const flags = get(QUERY.at.flags);
  return {
    id,
    state: nameOf("pldma_state", STATES, get(QUERY.at.state)),
    direction: nameOf("pldma_direction", DIRECTIONS, get(QUERY.at.direction)),
    policy: nameOf("pldma_policy", POLICIES, get(QUERY.at.policy)),
    mapped: (flags & BLOCK_FLAGS.mapped) !== 0,
    needsSync: (flags & BLOCK_FLAGS.needsSync) !== 0,
    pinned: (flags & BLOCK_FLAGS.pinned) !== 0,
    segments: get(QUERY.at.segments),
    size: getNumber(view, QUERY.at.size),
    mmapOffset: getNumber(view, QUERY.at.mmap_offset),
  };
}
