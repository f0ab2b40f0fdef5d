// SPDX-License-Identifier: MIT
/**
 * A difference between the received and the expected bytes of a frame. It is located, but it has no name
 * of a fault and no blame yet.
 *
 * @module
 */

import type { Range, Source } from "./source.ts";
import type { StuckBits } from "./stuck_bits.ts";

/** What happened to some bytes of a frame. */
export interface Difference extends Range {
  /**
   * What happened: the bytes are replaced by others (`content`), the rest of the frame is displaced, the
   * frame is shifted as a whole, a piece of the frame is at another place, or belongs at another place
   * (`misplaced`), a piece came a second time (`repeated`), pieces are in another order (`reordered`), single
   * bits are wrong, a bit is stuck, or byte lanes are wrong.
   */
  readonly type:
    | "content"
    | "displaced"
    | "shifted"
    | "misplaced"
    | "repeated"
    | "reordered"
    | "bits"
    | "stuck"
    | "lanes";
  /** Where the bytes come from. */
  readonly source: Source;
  /** By how many bytes the frame is displaced there: without the difference, those bytes would be there. */
  readonly shift: number;
  /** How many bytes were lost (negative) or inserted (positive); 0 unless it is a displacement. */
  readonly by: number;
  /** Masks of the bits that it does not affect, by byte modulo 64; `null` if it affects whole bytes. */
  readonly keep: Uint8Array | null;
  /** The bits that are stuck. */
  readonly stuck?: StuckBits;
  /** Description for a person; empty if the type and the source say all. */
  readonly text: string;
}
