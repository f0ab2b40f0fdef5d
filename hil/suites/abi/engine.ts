// SPDX-License-Identifier: MIT
/**
 * Which engines the suite can run on.
 *
 * @module
 */

import { type ChannelInfo, knowsIdle } from "../../../driver/info.ts";

/** What the suite has to know about a channel. */
type Channel = Pick<ChannelInfo, "provesIdle" | "trustsTerminate">;

/**
 * Returns why no check can run on a device.
 *
 * @param channels The channels of the device
 * @returns The reason, or null if checks can run
 */
export function whyNoCheck(
  channels: { readonly tx: Channel | null; readonly rx: Channel | null },
): string | null {
  for (const direction of ["tx", "rx"] as const) {
    const channel = channels[direction];
    if (channel === null) {
      return `the suite needs a channel for ${direction}, but the device has none`;
    }
    if (!knowsIdle(channel)) {
      return "checks leave blocks with the engine, and no RESET can know when this engine is idle";
    }
  }
  return null;
}
