/* SPDX-License-Identifier: MIT */
/*
 * What a report says about the target, from files of the kernel, and the lock on a board. Each function
 * returns the length of what it wrote to `buffer`, or -1 and sets errno.
 */
#ifndef PLUMBLINE_AGENT_FILES_H
#define PLUMBLINE_AGENT_FILES_H

#include <stddef.h>
#include <stdint.h>

/* Reads a file below /sys, or one of a few below /proc. Cuts it at the size of the buffer. */
int64_t files_read(const char *path, char *buffer, size_t size);

/* Lists a folder below /sys: each name with a zero byte behind it. */
int64_t files_list(const char *path, char *buffer, size_t size);

/* Reads a symbolic link below /sys. */
int64_t files_link(const char *path, char *buffer, size_t size);

/* Returns 0 if a device node or a path below /sys exists, or any path if a desk may load bitstreams. */
int64_t files_exist(const char *path);

/* Reads the end of the kernel log. */
int64_t files_log(char *buffer, size_t size);

/*
 * Locks a device, in the way of hil/board/lock.ts, until this process ends: flock() on a file in
 * /run/lock, or in /tmp. Waits for it for some time. If it is free, writes `text` to the file. If another
 * process holds it, fails with EWOULDBLOCK. In both cases `buffer` gets what was in the file, and
 * `length` its length.
 */
int64_t files_lock(const char *device, const char *text, uint64_t wait_ms, char *buffer, size_t size,
		   size_t *length);

#endif
