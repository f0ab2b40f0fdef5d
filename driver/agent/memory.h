/* SPDX-License-Identifier: MIT */
/*
 * The memory of a session: blocks of the driver and anonymous memory, each named by its address here.
 *
 * No request reaches other memory: each function checks its range against the list of mappings, and
 * fails with EFAULT if the range is not inside one of them, or if that one does not allow the access.
 * Each returns a result that is not negative, or -1 and sets errno.
 */
#ifndef PLUMBLINE_AGENT_MEMORY_H
#define PLUMBLINE_AGENT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* Most mappings, and most bytes of anonymous memory, of one session. */
#define MEMORY_MAX_MAPPINGS	16384
#define MEMORY_MAX_ANONYMOUS	(1ull << 30)

/* Makes an access to memory whose device is gone fail with EFAULT, instead of ending the process. */
void memory_init(void);

int64_t memory_map(uint64_t length, uint64_t prot, uint64_t flags, int fd, uint64_t offset);
int64_t memory_unmap(uint64_t at, uint64_t length);

int64_t memory_put(uint64_t to, const void *data, uint64_t length);
int64_t memory_get(uint64_t from, void *data, uint64_t length);
int64_t memory_copy(uint64_t to, uint64_t from, uint64_t length);
int64_t memory_fill(uint64_t to, uint64_t value, uint64_t length);
int64_t memory_crc(uint64_t from, uint64_t length);

/* Adds up bytes, or words of 8 bytes, one load each, as a simple program does. */
int64_t memory_sum(uint64_t from, uint64_t length, uint64_t width);

/* Returns the number of different bytes, and where the first and the last are. */
int64_t memory_compare(uint64_t at, uint64_t other, uint64_t length, struct agent_difference *where);
int64_t memory_compare_with(uint64_t at, const void *data, uint64_t length,
			    struct agent_difference *where);

/*
 * The address to pass to the driver in place of one that the desk sent: the same one if the whole range
 * is memory of this session, or if no process has such an address. For any other range it is the address
 * of memory that cannot be accessed, at the same offset in a page, so that the driver refuses it as it
 * refuses any wrong address.
 */
uint64_t memory_pointer(uint64_t at, uint64_t length);

#endif
