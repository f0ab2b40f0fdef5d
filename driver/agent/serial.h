/* SPDX-License-Identifier: MIT */
/* A serial line as the connection. */
#ifndef PLUMBLINE_AGENT_SERIAL_H
#define PLUMBLINE_AGENT_SERIAL_H

/*
 * Opens the line that `text` names, such as /dev/ttyPS1 or /dev/ttyPS1:921600. It passes all bytes as they
 * are. Returns a file descriptor, or -1 and sets errno; EINVAL for a speed that it does not know.
 */
int serial_open(const char *text);

/* Drops what has come and was not read. */
void serial_flush(int fd);

#endif
