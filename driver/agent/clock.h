/* SPDX-License-Identifier: MIT */
/* The target's clock. */
#ifndef PLUMBLINE_AGENT_CLOCK_H
#define PLUMBLINE_AGENT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC, which deadlines and completions of pldma use, in nanoseconds. */
static inline uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
