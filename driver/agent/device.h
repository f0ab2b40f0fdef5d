/* SPDX-License-Identifier: MIT */
/*
 * The device files of a session. Each function returns a result that is not negative, or -1 and sets
 * errno.
 */
#ifndef PLUMBLINE_AGENT_DEVICE_H
#define PLUMBLINE_AGENT_DEVICE_H

#include <stdint.h>

#define DEVICE_MAX_FILES	64

/* Longest struct of a request: 14 bits of its number. */
#define DEVICE_MAX_STRUCT	0x3fff

/* Allows the device nodes that match a pattern. A `*` in it does not match a slash. */
int device_allow(const char *pattern);

/* Allows the files of the kernel that inject faults into a virtual board. */
void device_allow_faults(void);

/* Whether a device node is allowed. Without a pattern, those of /dev/pldma* are. */
int device_allowed(const char *path);

int64_t device_open(const char *path, uint64_t flags);

/* Makes a file of a bitstream's load, and opens it for writing. */
int64_t device_create(const char *path);
int64_t device_close(uint64_t fd);

/* Closes all files but one, or all if `fd` is not one of them. */
void device_close_others(uint64_t fd);

/* Returns the file descriptor if this session has it open, or -1 with EBADF. */
int device_fd(uint64_t fd);

/* Waits for events, at most for milliseconds. Returns the events that came. */
int64_t device_poll(uint64_t fd, uint64_t events, uint64_t milliseconds);

int64_t device_read(uint64_t fd, void *data, uint64_t size);
int64_t device_write(uint64_t fd, const void *data, uint64_t size);

/* Bytes that the kernel may read of a struct, of which the desk sent `size`. */
uint32_t device_room(uint64_t request, uint32_t size);

/* Whether the struct of a request that was made reports no error of a transfer. */
int device_transferred(uint64_t request, const uint8_t *argument);

/*
 * Makes a request. `size` is what the desk sent of the struct, and 0 stands for a NULL pointer. The kernel
 * decides by the request how much it reads and writes, so `argument` has room for DEVICE_MAX_STRUCT. The items
 * of a batch are the `length` bytes at `items`, which the kernel reads and writes in place.
 */
int64_t device_ioctl(uint64_t fd, uint64_t request, uint8_t *argument, uint32_t size, void *items,
		     uint64_t length);

#endif
