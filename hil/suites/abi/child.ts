// SPDX-License-Identifier: MIT
/**
 * A process that inherits the device. It enqueues a block of its parent and exits with the errno of
 * ENQUEUE. Its arguments are the descriptor and the id of the block.
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
