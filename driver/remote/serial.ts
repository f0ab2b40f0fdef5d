// SPDX-License-Identifier: MIT

/**
 * A serial line as the connection with the agent.
 *
 * @module
 */

import { errnoName } from "../errno.ts";
import { O_CLOEXEC, O_RDWR } from "../syscalls.ts";
import { BAUD, type RemoteAddress } from "./address.ts";
import { AgentError } from "./errors.ts";
import { library } from "./library.ts";

const O_NOCTTY = 0o400;
const TCSANOW = 0;
const TCIFLUSH = 0;

/** Room for `struct termios`, which has 60 bytes in glibc. */
const TERMIOS_ROOM = 256;

/** The longest payload that a serial line carries, bytes: 6 s at 115200 bit/s. */
export const SERIAL_PAYLOAD = 64 * 1024;

/**
 * Open a serial line, such that it passes all bytes as they are.
 *
 * @param address The line.
 * @returns Its file descriptor, which the caller owns.
 * @throws {AgentError} If it cannot be opened, or is no serial line.
 */
export function openSerial({ device, baud }: RemoteAddress & { kind: "serial" }): number {
  const { c, errno } = library();
  const path = new TextEncoder().encode(`${device}\0`);
  const fd = c.open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) {
    throw new AgentError(
      `Expected a serial line at ${device}, found ${
        errnoName(errno[0] ?? 0)
      }: check its name, and ` +
        "that this user may open it (group dialout)",
    );
  }
  const line = new Uint8Array(TERMIOS_ROOM);
  const isLine = c.tcgetattr(fd, line) === 0;
  c.cfmakeraw(line);
  c.cfsetspeed(line, BAUD[baud] ?? 0);
  if (!isLine || c.tcsetattr(fd, TCSANOW, line) !== 0) {
    c.close(fd);
    throw new AgentError(`Expected a serial line at ${device}, found another file`);
  }
  return fd;
}

/**
 * Drop what has come and was not read.
 *
 * @param fd The line.
 */
export function flushSerial(fd: number): void {
  library().c.tcflush(fd, TCIFLUSH);
}
