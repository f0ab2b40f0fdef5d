/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents of memory for the test programs, and how much memory is free
 */
#ifndef PLDMA_TEST_CONTENTS_H
#define PLDMA_TEST_CONTENTS_H

#include "device.h"

static inline unsigned char pattern(size_t i, unsigned int seed)
{
	return (i * 31 + (i >> 8) + seed) & 0xff;
}

static inline void fill(unsigned char *memory, unsigned int seed)
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		memory[i] = pattern(i, seed);
}

static inline void compare(const unsigned char *memory, unsigned int seed, const char *what)
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		if (memory[i] != pattern(i, seed))
			fail("%s: byte %zu is 0x%02x, expected 0x%02x", what, i, memory[i],
			     pattern(i, seed));
}

/* a number of /proc/meminfo, in KiB */
static inline long memory_number(const char *format)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long value = -1;

	expect(!!file, "open /proc/meminfo");
	while (value < 0 && fgets(line, sizeof(line), file))
		sscanf(line, format, &value);
	fclose(file);
	return value;
}

/* memory that is free or holds files, in KiB */
static inline long available(void)
{
	return memory_number("MemAvailable: %ld");
}

/*
 * What may be missing at the end, in KiB. KASAN keeps freed objects for a while, up to
 * 1/32 of the memory, to find a late use of them. A kernel with it has kmemleak, too.
 */
static inline long tolerated(void)
{
	int debug = !access("/sys/kernel/debug/kmemleak", F_OK);

	return 16384 + (debug ? memory_number("MemTotal: %ld") / 32 : 0);
}

static inline void no_leak(long before, int rounds)
{
	if (before - available() > tolerated())
		fail("%ld KiB of memory are missing after %d rounds", before - available(),
		     rounds);
}

#endif /* PLDMA_TEST_CONTENTS_H */
