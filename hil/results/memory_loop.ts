// SPDX-License-Identifier: MIT
/**
 * What a report says about a memory loop: a device whose driver copies each tx frame into the rx block
 * with a DMA engine of the machine, without any logic.
 *
 * @module
 */

/** What a pass on a memory loop does not say. */
export const MEMORY_LOOP = "memory loop: this tests memory, caches and a DMA engine, but no design";
