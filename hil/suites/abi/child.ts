// SPDX-License-Identifier: MIT
/**
 * A process that has inherited the device: enqueues a block of its parent's and exits with the errno
 * of that. Arguments: the descriptor, the block's id.
 *
 * @module
 */

import { ErrnoError } from "../../../driver/errno.ts";
import { libc } from "../../../driver/libc.ts";
import { PAGE, Raw } from "./raw.ts";

const [fd, id] = Deno.args.map(Number);
if (fd === undefined || id === undefined) throw new Error("Expected a descriptor and an id");
try {
  new Raw(libc, fd).enqueue(id, { length: PAGE });
} catch (error) {
  if (!(error instanceof ErrnoError)) throw error;
  Deno.exit(error.errno);
}
