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
import { dequeueBatchChecks, enqueueBatchChecks } from "./batch.ts";
import { cache } from "./cache.ts";
import type { Check } from "./check.ts";
import { contents } from "./contents.ts";
import { dequeue } from "./dequeue.ts";
import { exportChecks, importChecks } from "./dma_buf.ts";
import { enqueue } from "./enqueue.ts";
import { faultChecks } from "./faults.ts";
import { free, query, unregister } from "./free.ts";
import { infoChecks } from "./info.ts";
import { ioctl } from "./ioctl.ts";
import { mmap } from "./mmap.ts";
import { observer } from "./observe.ts";
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
  observer,
  ioctl,
  infoChecks,
  alloc,
  free,
  query,
  mmap,
  enqueue,
  dequeue,
  enqueueBatchChecks,
  dequeueBatchChecks,
  poll,
  sync,
  cache,
  register,
  unregister,
  exportChecks,
  importChecks,
  ring,
  stats,
  reset,
  contents,
  process,
  faultChecks,
  close,
].flat();
