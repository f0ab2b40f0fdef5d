// SPDX-License-Identifier: MIT
/**
 * The attributes of a core's accesses to memory on AXI, if they can be chosen for each transfer.
 *
 * @module
 */

import type { Direction } from "./uapi.ts";

/** The attributes of a transfer: ARCACHE, ARPROT and ARUSER for tx, AWCACHE, AWPROT and AWUSER for rx. */
export interface Attributes {
  /** AxCACHE, 0 to 15. */
  readonly cache: number;
  /** AxPROT, 0 to 7. */
  readonly prot: number;
  /** AxUSER, 0 to 65535, of which a core has the lower bits. Defaults to that of the transfers' defaults. */
  readonly user?: number;
}

/** Chooses the attributes of a device's transfers, until it is disposed of. Then the defaults are back. */
export interface AttributePort extends Disposable {
  /** What transfers have if nobody chooses. */
  readonly defaults: Readonly<Record<Direction, Required<Attributes>>>;
  /**
   * Choose the attributes of the transfers that are enqueued from now on. Earlier ones keep theirs.
   *
   * @param direction The direction.
   * @param attributes The attributes.
   */
  set(direction: Direction, attributes: Attributes): void;
}
