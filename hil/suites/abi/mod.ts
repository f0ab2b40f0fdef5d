// SPDX-License-Identifier: MIT
/**
 * Every check of the suite, in order. The list is the same on every board; what a board cannot do it
 * skips by name.
 *
 * Not here, since no unprivileged user of a device can bring it about: ENOSPC (ids used up), ENODEV
 * (the driver is unbound), ENOMEM of RLIMIT_MEMLOCK, EBUSY of an engine without descriptors. What of
 * that can be done with root in a virtual board is in `driver/kernel/tests/`.
 *
 * @module
 */

import { alloc } from "./alloc.ts";
import type { Check } from "./check.ts";
import { dequeue } from "./dequeue.ts";
import { enqueue } from "./enqueue.ts";
import { faultChecks } from "./faults.ts";
import { free, query, unregister } from "./free.ts";
import { infoChecks } from "./info.ts";
import { ioctl } from "./ioctl.ts";
import { mmap } from "./mmap.ts";
import { close, open } from "./open.ts";
import { poll } from "./poll.ts";
import { process } from "./process.ts";
import { register } from "./register.ts";
import { reset } from "./reset.ts";
import { ring } from "./ring.ts";
import { stats } from "./stats.ts";
import { sync } from "./sync.ts";

/** The suite. */
export const CHECKS: readonly Check[] = [
  open,
  ioctl,
  infoChecks,
  alloc,
  free,
  query,
  mmap,
  enqueue,
  dequeue,
  poll,
  sync,
  register,
  unregister,
  ring,
  stats,
  reset,
  process,
  faultChecks,
  close,
].flat();
