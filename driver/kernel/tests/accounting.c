// SPDX-License-Identifier: GPL-2.0
/*
 * accounting: check that /dev/pldma0 returns all memory, and counts pinned memory
 *
 *	accounting leaks ROUNDS	create every kind of block and error, and compare memory
 *	accounting memlock	RLIMIT_MEMLOCK without CAP_IPC_LOCK
 *	accounting shortage	ALLOC that fails half way is not counted
 *
 * Needs root and a loopback design. "leaks" and "shortage" need pldma with max_bytes= above the
 * size of the swiotlb pool. Exits with 0 on success. Otherwise exits with 1 after a
 * line that describes the failure.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "device.h"

/* the number behind a key of a file, or -1 */
static long number_in(const char *path, const char *key)
{
	char line[256];
	long value = -1;
	FILE *file = fopen(path, "r");

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		size_t n = strlen(key);

		if (!strncmp(line, key, n) && (line[n] == ' ' || line[n] == ':' || !n)) {
			value = atol(line + n + (n ? 1 : 0));
			break;
		}
	}
	fclose(file);
	return value;
}

static void refused_mmap(int fd, size_t size, int prot, int flags, __u64 offset, int code,
			 const char *what)
{
	errno = 0;
	if (mmap(NULL, size, prot, flags, fd, offset) != MAP_FAILED || errno != code)
		fail("%s: expected %s, found %s", what, strerror(code), strerror(errno));
}

/* all errors that need neither an injected fault nor another process */
static void every_refusal(int fd, char *memory)
{
	struct pldma_alloc lazy = alloc_blocks(fd, PLDMA_STREAMING_LAZY, PLDMA_RX, SIZE, 1);
	struct pldma_alloc alloc = { .size = 1ULL << 40, .count = 1 };
	struct pldma_free other = { .id = ~0U }, reserved = { .id = lazy.first_id, .reserved = 1 };
	struct pldma_free wrong = { .id = lazy.first_id };
	struct pldma_query query = { .id = ~0U };
	struct pldma_enqueue enq = { .id = lazy.first_id, .offset = ~0ULL, .length = 2 };
	struct pldma_dequeue deq = { .direction = PLDMA_TX };
	struct pldma_sync sync = { .id = ~0U, .length = 1 };
	struct pldma_register reg = {
		.address = (unsigned long)memory + 1, .size = SIZE, .policy = PLDMA_USER_PAGES,
	};
	struct pldma_stats stats = { .flags = 2 };
	struct pldma_reset bad_reset = { .flags = 1U << 31 };
	char byte = 0;

	refused(fd, _IO(PLDMA_IOC_MAGIC, 99), &alloc, ENOTTY, "unknown command");
	refused(fd, PLDMA_IOC_INFO, NULL, EFAULT, "INFO of NULL");
	refused(fd, PLDMA_IOC_ALLOC, &alloc, EINVAL, "ALLOC, size");
	alloc.size = SIZE;
	alloc.count = ~0U;
	refused(fd, PLDMA_IOC_ALLOC, &alloc, EINVAL, "ALLOC, count");
	alloc.count = 1;
	alloc.policy = PLDMA_NR_POLICIES;
	refused(fd, PLDMA_IOC_ALLOC, &alloc, EINVAL, "ALLOC, policy");
	refused(fd, PLDMA_IOC_FREE, &other, ENOENT, "FREE, id");
	refused(fd, PLDMA_IOC_FREE, &reserved, EINVAL, "FREE, reserved");
	refused(fd, PLDMA_IOC_UNREGISTER, &wrong, EINVAL, "UNREGISTER, kind");
	refused(fd, PLDMA_IOC_QUERY, &query, ENOENT, "QUERY, id");
	refused(fd, PLDMA_IOC_ENQUEUE, &enq, EINVAL, "ENQUEUE, range");
	enq.offset = 1;
	refused(fd, PLDMA_IOC_ENQUEUE, &enq, EINVAL, "ENQUEUE, alignment");
	enq.flags = 64;
	refused(fd, PLDMA_IOC_ENQUEUE, &enq, EINVAL, "ENQUEUE, flags");
	enq.id = ~0U;
	enq.flags = 0;
	refused(fd, PLDMA_IOC_ENQUEUE, &enq, ENOENT, "ENQUEUE, id");
	refused(fd, PLDMA_IOC_DEQUEUE, &deq, ENODATA, "DEQUEUE of nothing");
	deq.deadline_ns = ~0ULL;
	refused(fd, PLDMA_IOC_DEQUEUE, &deq, EINVAL, "DEQUEUE, deadline");
	expect(!enqueue(fd, lazy.first_id, SIZE), "ENQUEUE");
	deq = (struct pldma_dequeue){ .direction = PLDMA_RX };
	refused(fd, PLDMA_IOC_DEQUEUE, &deq, ETIMEDOUT, "DEQUEUE, deadline in the past");
	expect(!reset(fd, NULL), "RESET");
	refused(fd, PLDMA_IOC_SYNC, &sync, ENOENT, "SYNC, id");
	refused(fd, PLDMA_IOC_REGISTER, &reg, EINVAL, "REGISTER, alignment");
	reg.address = ~0UL & ~4095UL;
	refused(fd, PLDMA_IOC_REGISTER, &reg, EINVAL, "REGISTER, wraps");
	refused(fd, PLDMA_IOC_STATS, &stats, EINVAL, "STATS, flags");
	refused(fd, PLDMA_IOC_RESET, &bad_reset, EINVAL, "RESET, flags");
	refused_mmap(fd, SIZE, PROT_READ, MAP_SHARED, 0, EINVAL, "mmap, offset");
	refused_mmap(fd, SIZE / 2, PROT_READ, MAP_SHARED, lazy.mmap_offset, EINVAL, "mmap, length");
	refused_mmap(fd, SIZE, PROT_READ, MAP_PRIVATE, lazy.mmap_offset, EINVAL, "mmap, private");
	refused_mmap(fd, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, lazy.mmap_offset, EACCES,
		     "mmap, writable");
	expect(write(fd, &byte, 1) < 0 && errno == EINVAL, "write without a ring");
	expect(read(fd, &byte, 1) < 0 && errno == EINVAL, "read without a ring");
	expect(open(DEVICE, O_RDWR) < 0 && errno == EBUSY, "second open");
	free_block(fd, lazy.first_id);
}

static void leak_round(int round)
{
	int fd = open_device();
	char *memory = mmap(NULL, 4 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	__u32 policy, direction, ranges = 0;

	every_refusal(fd, memory);
	for (policy = 0; policy < PLDMA_NR_POLICIES; policy++) {
		for (direction = 0; direction < PLDMA_NR_DIRECTIONS; direction++) {
			struct pldma_alloc blocks;
			struct pldma_free free_arg;
			struct pldma_sync sync;
			void *mapping;

			if (policy == PLDMA_DMA_BUF)
				continue;	/* see dmabuf.c */
			if (policy == PLDMA_USER_PAGES || policy == PLDMA_USER_PAGES_REGISTERED) {
				struct pldma_register reg = {
					.address = (unsigned long)memory + ranges++ * SIZE,
					.size = SIZE, .direction = direction, .policy = policy,
				};
				struct pldma_register bad = reg;

				expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER");
				if (direction == PLDMA_RX)
					refused(fd, PLDMA_IOC_REGISTER, &bad, EBUSY,
						"REGISTER, overlap");
				bad.address = 4096;
				refused(fd, PLDMA_IOC_REGISTER, &bad, EFAULT,
					"REGISTER, unmapped memory");
				expect(!enqueue(fd, reg.id, SIZE), "ENQUEUE");
				expect(!reset(fd, NULL), "RESET");
				free_arg = (struct pldma_free){ .id = reg.id };
				/* in every other round close() has to clean up */
				if (round % 2)
					expect(!ioctl(fd, PLDMA_IOC_UNREGISTER, &free_arg),
					       "UNREGISTER");
				continue;
			}
			blocks = alloc_blocks(fd, policy, direction, SIZE, 2);
			if (policy != PLDMA_BOUNCE) {
				mapping = map(fd, &blocks, PROT_READ);
				free_arg = (struct pldma_free){ .id = blocks.first_id };
				refused(fd, PLDMA_IOC_FREE, &free_arg, EBUSY,
					"FREE of a mapped block");
				munmap(mapping, SIZE);
				expect(!enqueue(fd, blocks.first_id, SIZE), "ENQUEUE");
				errno = 0;
				expect(enqueue(fd, blocks.first_id, SIZE) && errno == EBUSY,
				       "ENQUEUE of a queued block must fail with EBUSY");
				refused(fd, PLDMA_IOC_FREE, &free_arg, EBUSY,
					"FREE of a queued block");
			}
			sync = (struct pldma_sync){ .id = blocks.first_id, .op = 2, .length = 1 };
			refused(fd, PLDMA_IOC_SYNC, &sync, EINVAL, "SYNC");
			expect(!reset(fd, NULL), "RESET");
			if (round % 2) {
				free_block(fd, blocks.first_id);
				free_block(fd, blocks.first_id + 1);
			}
			blocks.count = 0;
			refused(fd, PLDMA_IOC_ALLOC, &blocks, EINVAL, "ALLOC");
		}
	}
	if (round % 100 == 50) {
		/* fails half way, because bounce buffers run out before max_bytes */
		struct pldma_alloc big = {
			.policy = PLDMA_STREAMING, .direction = PLDMA_RX,
			.size = 4 << 20, .count = 100,
		};

		refused(fd, PLDMA_IOC_ALLOC, &big, ENOMEM, "ALLOC of too much");
	}
	munmap(memory, 4 * SIZE);
	close(fd);
}

static const struct counter {
	const char *path, *key;
	long slack;	/* tolerated growth; 1000 leaked pages are 4000 kB */
} counters[] = {
	{ "/proc/meminfo", "MemFree", 3000 },
	{ "/proc/meminfo", "SUnreclaim", 700 },
	{ "/proc/meminfo", "VmallocUsed", 700 },
	{ "/proc/meminfo", "Mlocked", 0 },
	{ "/proc/meminfo", "CmaFree", 700 },
	{ "/sys/kernel/debug/swiotlb/io_tlb_used", "", 16 },
	{ "/proc/self/status", "VmLck", 0 },
	{ "/proc/self/status", "VmPin", 0 },
};

/* wait for deferred frees, drop caches, and update the counters of all CPUs */
static void settle(void)
{
	sync();
	usleep(300000);
	put("/proc/sys/vm/drop_caches", "3");
	put("/proc/sys/vm/stat_refresh", "1");
}

/* run rounds and clear leaks[i] unless counter i grew; true if any is still set */
static bool grows(int rounds, bool leaks[])
{
	long before[ARRAY_SIZE(counters)];
	bool any = false;
	size_t i;
	int round;

	settle();
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		before[i] = number_in(counters[i].path, counters[i].key);
	for (round = 0; round < rounds; round++)
		leak_round(round);
	settle();
	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		long after = number_in(counters[i].path, counters[i].key);
		long grown = strstr(counters[i].key, "Free") ? before[i] - after :
			after - before[i];

		printf("%s %s: %ld before, %ld after\n", counters[i].path, counters[i].key,
		       before[i], after);
		leaks[i] = leaks[i] && grown > counters[i].slack;
		any = any || leaks[i];
	}
	return any;
}

static void check_leaks(int rounds)
{
	bool leaks[ARRAY_SIZE(counters)];
	long pins, released;
	size_t i;
	int round;

	for (round = 0; round < 100; round++)	/* fill caches first */
		leak_round(round);
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		leaks[i] = true;
	/* another process may allocate memory once, but a leak repeats */
	if (grows(rounds, leaks) && grows(rounds, leaks) && grows(rounds, leaks))
		for (i = 0; i < ARRAY_SIZE(counters); i++)
			if (leaks[i])
				fail("%s %s grew in each of three runs of %d rounds",
				     counters[i].path, counters[i].key, rounds);
	pins = number_in("/proc/vmstat", "nr_foll_pin_acquired");
	released = number_in("/proc/vmstat", "nr_foll_pin_released");
	if (pins != released)
		fail("%ld pages were pinned, but %ld released", pins, released);
	printf("pages pinned and released: %ld\n", pins);
}

/* fails half way, because bounce buffers run out before max_bytes */
static void check_shortage(void)
{
	struct pldma_alloc big = {
		.policy = PLDMA_STREAMING, .direction = PLDMA_RX, .size = 4 << 20, .count = 100,
	};
	struct pldma_stats stats = {};
	int fd = open_device();

	refused(fd, PLDMA_IOC_ALLOC, &big, ENOMEM, "ALLOC of too much");
	expect(!ioctl(fd, PLDMA_IOC_STATS, &stats), "STATS");
	expect(!stats.blocks && !stats.bytes, "an ALLOC that failed is counted");
	close(fd);
	puts("an ALLOC that fails half way leaves nothing");
}

static void check_memlock(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};
	struct rlimit limit = { 65536, 65536 };
	char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	struct pldma_register reg = {
		.address = (unsigned long)memory, .direction = PLDMA_RX,
		.policy = PLDMA_USER_PAGES_REGISTERED,
	};
	struct pldma_free unregister;
	int fd = open_device();

	expect(!setrlimit(RLIMIT_MEMLOCK, &limit), "setrlimit");
	expect(!syscall(SYS_capset, &header, data), "capset");
	reg.size = 131072;
	refused(fd, PLDMA_IOC_REGISTER, &reg, ENOMEM, "REGISTER over RLIMIT_MEMLOCK");
	reg.size = 65536;
	expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER up to RLIMIT_MEMLOCK");
	unregister = (struct pldma_free){ .id = reg.id };
	reg.address += 65536;
	reg.size = 4096;
	refused(fd, PLDMA_IOC_REGISTER, &reg, ENOMEM, "REGISTER of one page more");
	expect(number_in("/proc/self/status", "VmPin") == 64, "VmPin must be 64 kB");
	expect(!ioctl(fd, PLDMA_IOC_UNREGISTER, &unregister), "UNREGISTER");
	expect(number_in("/proc/self/status", "VmPin") == 0, "VmPin must be 0 again");
	reg.policy = PLDMA_USER_PAGES;
	reg.size = 65536;
	expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER");
	expect(number_in("/proc/self/status", "VmPin") == 0, "VmPin must be 0 before ENQUEUE");
	expect(!enqueue(fd, reg.id, 65536), "ENQUEUE");
	expect(number_in("/proc/self/status", "VmPin") == 64, "VmPin must be 64 kB after ENQUEUE");
	expect(!reset(fd, NULL), "RESET");
	expect(number_in("/proc/self/status", "VmPin") == 0, "VmPin must be 0 after RESET");
	close(fd);
	puts("RLIMIT_MEMLOCK is enforced, and VmPin counts pinned memory");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rounds = argc > 2 ? atoi(argv[2]) : 100;

	if (!strcmp(what, "leaks"))
		check_leaks(rounds);
	else if (!strcmp(what, "memlock"))
		check_memlock();
	else if (!strcmp(what, "shortage"))
		check_shortage();
	else
		fail("expected leaks, memlock or shortage");
	return 0;
}
