// SPDX-License-Identifier: MIT
/**
 * All checks of the suite, in order. The list is the same on every board. A board skips the checks that it
 * cannot run, with a reason.
 *
 * Some errors are not checked here, because a user without privileges cannot cause them: ENOSPC (no ids
 * left), ENODEV (the driver is unbound), ENOMEM from RLIMIT_MEMLOCK, and EBUSY of an engine without free
 * descriptors. The programs of `driver/kernel/tests/` check those that root can cause in a virtual board.
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

/** The checks. */
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
