// SPDX-License-Identifier: MIT
/**
 * Made reports of frames, for tests of what judges them.
 *
 * @module
 */

import type { FrameReport } from "../frames/report.ts";

/** A report of ten frames that all arrived intact, and whose check values were compared. */
export const INTACT: FrameReport = {
  asked: 10,
  frames: 10,
  bytes: 640,
  faults: [],
  timeout: null,
  seen: { tx: false, rx: false },
  seconds: 1,
};
