// SPDX-License-Identifier: MIT
/**
 * Functions of an author that keep state, in a run with several devices.
 *
 * All devices get the same frames. So a function is called once for each frame, and every device gets what it
 * returned.
 *
 * @module
 */

import { onceInOrder } from "../patterns/once_in_order.ts";
import type { ExpectedFrame, FlowOptions, Transform } from "./options.ts";

/** How many devices a run has, and how many frames are in flight in each. */
interface Extent {
  readonly devices: number;
  readonly depth: number;
}

/**
 * Shares `pauseMs` between the devices of a run.
 *
 * @param options The options of the run
 * @param devices How many devices it has
 * @returns The options for each of them
 */
export function sharePauses<Options extends FlowOptions>(
  options: Options,
  devices: number,
): Options {
  const { pauseMs, depth } = options;
  if (pauseMs === undefined || devices === 1) return options;
  return { ...options, pauseMs: onceInOrder(pauseMs, kept(depth)) };
}

/**
 * Shares what computes the frames that come back.
 *
 * @param expect The function of the author
 * @param extent The devices
 * @returns The function for each device
 */
export function shareTransform(expect: Transform, { devices, depth }: Extent): Transform {
  if (devices === 1) return expect;
  const once = onceInOrder(
    (sequence, tx: Parameters<Transform>[0], words: readonly number[]) =>
      copied(expect(tx, sequence, words)),
    kept(depth),
  );
  return (tx, sequence, words) => once(sequence, tx, words);
}

/**
 * Shares what makes the frames of a generator.
 *
 * @param expect The function of the author
 * @param extent The devices
 * @returns The function for each device
 */
export function shareExpected(expect: ExpectedFrame, { devices, depth }: Extent): ExpectedFrame {
  if (devices === 1) return expect;
  return onceInOrder(
    (sequence, length: number) => copied(expect(sequence, length)),
    kept(depth),
  );
}

/**
 * How many frames a device can be behind another one: flows take turns, so no more than are in flight. One
 * that stopped asks for no more.
 */
function kept(depth: number): number {
  return depth + 2;
}

/** A copy of what an author returned, who may use its arrays again. What is no frame stays as it is. */
function copied<Made>(made: Made): Made {
  if (made instanceof Uint8Array) return made.slice() as Made;
  if (Array.isArray(made)) return made.map(copied) as Made;
  const { data, sideband } = (made ?? {}) as { data?: unknown; sideband?: unknown };
  return data instanceof Uint8Array && Array.isArray(sideband)
    ? { data: data.slice(), sideband: [...sideband] } as Made
    : made;
}
