// SPDX-License-Identifier: GPL-2.0
/*
 * robustness: treat /dev/pldma0 badly, and see that it stays usable
 *
 *	robustness killed ROUNDS	SIGKILL a process in mid-transfer
 *	robustness signalled ROUNDS	signals in a blocking DEQUEUE
 *	robustness leaks ROUNDS		every kind of block and refusal, then count memory
 *	robustness memlock		RLIMIT_MEMLOCK without CAP_IPC_LOCK
 *	robustness stores		stores into registered memory between transfers
 *	robustness copyout		a completion that cannot be written out
 *	robustness unbind ROUNDS	the device goes while it is mapped and waited for
 *	robustness wedge		an engine that cannot be proved idle (pl_softdma)
 *
 * Needs root and a loopback design behind the device; "leaks" also pldma with
 * max_bytes= above swiotlb's pool. Exits 0 when all was as it
 * must be, 1 with a line that says what was not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pldma.h"

#define DEVICE "/dev/pldma0"
#define SIZE 65536
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void expect(int condition, const char *what)
{
	if (!condition)
		fail("%s (last errno: %s)", what, strerror(errno));
}

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static int open_device(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	expect(fd >= 0, "open " DEVICE);
	return fd;
}

static struct pldma_alloc alloc_blocks(int fd, __u32 policy, __u32 direction, __u64 size,
				       __u32 count)
{
	struct pldma_alloc arg = {
		.policy = policy, .direction = direction, .size = size, .count = count,
	};

	expect(!ioctl(fd, PLDMA_IOC_ALLOC, &arg), "ALLOC");
	return arg;
}

static int enqueue(int fd, __u32 id, __u64 length)
{
	struct pldma_enqueue arg = { .id = id, .length = length };

	return ioctl(fd, PLDMA_IOC_ENQUEUE, &arg);
}

static int dequeue(int fd, __u32 direction, __u64 deadline, struct pldma_dequeue *out)
{
	struct pldma_dequeue arg = { .direction = direction, .deadline_ns = deadline };
	int ret = ioctl(fd, PLDMA_IOC_DEQUEUE, &arg);

	if (out)
		*out = arg;
	return ret;
}

static int reset(int fd, struct pldma_reset *out)
{
	struct pldma_reset arg = {};
	int ret = ioctl(fd, PLDMA_IOC_RESET, &arg);

	if (out)
		*out = arg;
	return ret;
}

static void *map(int fd, const struct pldma_alloc *blocks, int prot)
{
	void *memory = mmap(NULL, blocks->size, prot, MAP_SHARED, fd, blocks->mmap_offset);

	expect(memory != MAP_FAILED, "mmap");
	return memory;
}

static void free_block(int fd, __u32 id)
{
	struct pldma_free arg = { .id = id };

	expect(!ioctl(fd, PLDMA_IOC_FREE, &arg), "FREE");
}

/* one frame through the loop, every byte compared */
static void one_frame(int fd, __u32 policy, unsigned int seed)
{
	struct pldma_alloc tx = alloc_blocks(fd, policy, PLDMA_TX, SIZE, 1);
	struct pldma_alloc rx = alloc_blocks(fd, policy, PLDMA_RX, SIZE, 1);
	unsigned char *out = map(fd, &tx, PROT_READ | PROT_WRITE);
	unsigned char *in = map(fd, &rx, PROT_READ);
	struct pldma_dequeue done;
	size_t i;

	for (i = 0; i < SIZE; i++)
		out[i] = (i * 31 + (i >> 8) + seed) & 0xff;
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE rx");
	expect(!enqueue(fd, tx.first_id, SIZE), "ENQUEUE tx");
	expect(!dequeue(fd, PLDMA_RX, now() + 20000000000ULL, &done), "DEQUEUE rx");
	expect(done.length == SIZE, "a frame came back short");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
	expect(!memcmp(in, out, SIZE), "a frame came back damaged");
	munmap(out, SIZE);
	munmap(in, SIZE);
	free_block(fd, tx.first_id);
	free_block(fd, rx.first_id);
}

static const __u32 synced[] = {
	PLDMA_COHERENT, PLDMA_STREAMING, PLDMA_STREAMING_LAZY, PLDMA_NONCOHERENT,
};

static void nothing_left(int fd)
{
	struct pldma_stats stats = {};

	expect(!ioctl(fd, PLDMA_IOC_STATS, &stats), "STATS");
	expect(!stats.blocks && !stats.bytes, "blocks of the last process are left");
	expect(!stats.chan[0].quarantined_blocks && !stats.chan[1].quarantined_blocks,
	       "blocks are in quarantine");
}

/* transfers without end, with registered memory pinned */
static void busy_child(int ready)
{
	int fd = open_device();
	struct pldma_alloc tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 4);
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 4);
	void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pldma_register reg = {
		.address = (unsigned long)memory, .size = SIZE, .direction = PLDMA_RX,
		.policy = PLDMA_USER_PAGES,
	};
	__u32 i;

	map(fd, &tx, PROT_READ | PROT_WRITE);
	expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER");
	for (i = 0; i < 4; i++) {
		expect(!enqueue(fd, rx.first_id + i, SIZE), "ENQUEUE");
		expect(!enqueue(fd, tx.first_id + i, SIZE), "ENQUEUE");
	}
	expect(!enqueue(fd, reg.id, SIZE), "ENQUEUE of user pages");
	expect(write(ready, "", 1) == 1, "write");
	for (;;) {
		struct pldma_dequeue done;

		if (!dequeue(fd, PLDMA_TX, now() + 1000000000ULL, &done))
			enqueue(fd, done.id, SIZE);
		if (!dequeue(fd, PLDMA_RX, now() + 1000000000ULL, &done))
			enqueue(fd, done.id, SIZE);
	}
}

/* start a child, which writes a byte once it is as far as it should be */
static pid_t fork_child(void (*child)(int ready))
{
	int ready[2];
	char byte;
	pid_t pid;

	expect(!pipe(ready), "pipe");
	pid = fork();
	expect(pid >= 0, "fork");
	if (!pid)
		child(ready[1]);
	close(ready[1]);
	expect(read(ready[0], &byte, 1) == 1, "the child did not start");
	close(ready[0]);
	return pid;
}

static void check_killed(int rounds)
{
	int round;

	for (round = 0; round < rounds; round++) {
		pid_t pid = fork_child(busy_child);
		int fd, status;

		usleep(round * 137 % 5000);
		kill(pid, SIGKILL);
		expect(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "the child");
		fd = open_device();
		nothing_left(fd);
		one_frame(fd, synced[round % 4], round);
		close(fd);
	}
	printf("killed in mid-transfer: %d times, usable each time\n", rounds);
}

static void ignore(int number)
{
	(void)number;
}

static void check_signalled(int rounds)
{
	struct sigaction action = { .sa_handler = ignore };
	struct itimerval often = { .it_value.tv_usec = 2000, .it_interval.tv_usec = 2000 };
	struct itimerval never = {};
	struct pldma_dequeue done;
	struct pldma_alloc rx;
	int fd = open_device();
	int round;

	for (round = 0; round < rounds; round++) {
		__u64 start, deadline;

		rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
		expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");

		action.sa_flags = 0;
		sigaction(SIGALRM, &action, NULL);
		start = now();
		/* often: the first signals may come before the call does */
		setitimer(ITIMER_REAL, &often, NULL);
		expect(dequeue(fd, PLDMA_RX, now() + 60000000000ULL, &done) < 0 && errno == EINTR,
		       "a signal must end DEQUEUE with EINTR");
		setitimer(ITIMER_REAL, &never, NULL);
		expect(done.error == EINTR, "the struct must hold EINTR");
		expect(now() - start < 30000000000ULL, "DEQUEUE went on waiting");

		/* restarted calls keep their deadline */
		action.sa_flags = SA_RESTART;
		sigaction(SIGALRM, &action, NULL);
		deadline = now() + 30000000ULL;
		setitimer(ITIMER_REAL, &often, NULL);
		expect(dequeue(fd, PLDMA_RX, deadline, &done) < 0 && errno == ETIMEDOUT,
		       "a restarted DEQUEUE must end with ETIMEDOUT");
		expect(now() >= deadline, "DEQUEUE ended before its deadline");
		expect(now() - deadline < 20000000000ULL, "DEQUEUE began its wait anew");
		setitimer(ITIMER_REAL, &never, NULL);

		expect(!reset(fd, NULL), "RESET");
		free_block(fd, rx.first_id);
		one_frame(fd, synced[round % 4], round);
	}
	nothing_left(fd);
	close(fd);
	printf("signalled in DEQUEUE: %d times, usable each time\n", rounds);
}

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

static void refused(int fd, unsigned long request, void *arg, int code, const char *what)
{
	errno = 0;
	if (ioctl(fd, request, arg) != -1 || errno != code)
		fail("%s: expected %s, found %s", what, strerror(code), strerror(errno));
}

static void refused_mmap(int fd, size_t size, int prot, int flags, __u64 offset, int code,
			 const char *what)
{
	errno = 0;
	if (mmap(NULL, size, prot, flags, fd, offset) != MAP_FAILED || errno != code)
		fail("%s: expected %s, found %s", what, strerror(code), strerror(errno));
}

/* the refusals that need neither an injected fault nor another process */
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
	struct pldma_reset bad_reset = { .flags = 1 };
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

			if (policy == PLDMA_USER_PAGES || policy == PLDMA_USER_PAGES_REGISTERED) {
				struct pldma_register reg = {
					.address = (unsigned long)memory + ranges++ * SIZE,
					.size = SIZE, .direction = direction, .policy = policy,
				};
				struct pldma_register bad = reg;

				expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER");
				if (direction == PLDMA_RX)
					refused(fd, PLDMA_IOC_REGISTER, &bad, EBUSY, "overlap");
				bad.address = 4096;
				refused(fd, PLDMA_IOC_REGISTER, &bad, EFAULT, "not there");
				expect(!enqueue(fd, reg.id, SIZE), "ENQUEUE");
				expect(!reset(fd, NULL), "RESET");
				free_arg = (struct pldma_free){ .id = reg.id };
				/* every other time close() has to clean up */
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
				       "twice");
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
		/* the bounce buffers end before the driver's own limit: fails half way */
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
	long slack;	/* in the unit of the file; 1000 leaks of a page are 4000 kB */
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

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail("%s: cannot write %s: %s", path, text, strerror(errno));
	close(fd);
}

/* let deferred frees happen, drop what is only cached, and gather the counters of each CPU */
static void settle(void)
{
	sync();
	usleep(300000);
	put("/proc/sys/vm/drop_caches", "3");
	put("/proc/sys/vm/stat_refresh", "1");
}

/* true when a counter grew; what others of the system take once is no leak, which comes again */
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

	for (round = 0; round < 100; round++)	/* caches fill up */
		leak_round(round);
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		leaks[i] = true;
	if (grows(rounds, leaks) && grows(rounds, leaks) && grows(rounds, leaks))
		for (i = 0; i < ARRAY_SIZE(counters); i++)
			if (leaks[i])
				fail("%s %s grows in %d rounds, each time", counters[i].path,
				     counters[i].key, rounds);
	pins = number_in("/proc/vmstat", "nr_foll_pin_acquired");
	released = number_in("/proc/vmstat", "nr_foll_pin_released");
	if (pins != released)
		fail("%ld pages were pinned, %ld released", pins, released);
	printf("pages pinned and released: %ld\n", pins);
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
	refused(fd, PLDMA_IOC_REGISTER, &reg, ENOMEM, "one page more");
	expect(number_in("/proc/self/status", "VmLck") == 64, "VmLck must be 64 kB");
	expect(!ioctl(fd, PLDMA_IOC_UNREGISTER, &unregister), "UNREGISTER");
	expect(number_in("/proc/self/status", "VmLck") == 0, "VmLck must be 0 again");
	reg.policy = PLDMA_USER_PAGES;
	reg.size = 65536;
	expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER");
	expect(number_in("/proc/self/status", "VmLck") == 0, "nothing is pinned yet");
	expect(!enqueue(fd, reg.id, 65536), "ENQUEUE");
	expect(number_in("/proc/self/status", "VmLck") == 64, "pinned while enqueued");
	expect(!reset(fd, NULL), "RESET");
	expect(number_in("/proc/self/status", "VmLck") == 0, "unpinned by RESET");
	close(fd);
	puts("RLIMIT_MEMLOCK holds, and what is pinned is accounted");
}

static void check_stores(void)
{
	unsigned char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const __u32 policies[] = { PLDMA_USER_PAGES, PLDMA_USER_PAGES_REGISTERED };
	int fd = open_device();
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		struct pldma_register reg = {
			.address = (unsigned long)memory, .size = SIZE,
			.direction = PLDMA_RX, .policy = policies[i],
		};
		struct pldma_alloc tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);
		struct pldma_free unregister;

		memset(memory, 0x11, SIZE);
		expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER");
		for (k = 0; k < SIZE; k++)
			expect(memory[k] == 0x11, "REGISTER changed the memory");
		expect(!enqueue(fd, reg.id, SIZE) && !enqueue(fd, tx.first_id, SIZE), "ENQUEUE");
		expect(!dequeue(fd, PLDMA_RX, now() + 20000000000ULL, NULL), "DEQUEUE rx");
		expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
		for (k = 0; k < SIZE; k++)
			expect(memory[k] == 0, "the frame did not arrive");
		/* decoded in place, say: UNREGISTER must not bring the frame back */
		memset(memory, 0x22, SIZE);
		unregister = (struct pldma_free){ .id = reg.id };
		expect(!ioctl(fd, PLDMA_IOC_UNREGISTER, &unregister), "UNREGISTER");
		for (k = 0; k < SIZE; k++)
			expect(memory[k] == 0x22, "UNREGISTER undid what the caller stored");
		free_block(fd, tx.first_id);
	}
	munmap(memory, SIZE);
	close(fd);
	puts("what the caller stores into registered memory stays");
}

static void check_copyout(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	size_t at = page - offsetof(struct pldma_dequeue, error);
	struct pldma_dequeue *arg = (void *)(memory + at), done;
	int fd = open_device();
	struct pldma_alloc tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	expect(!enqueue(fd, rx.first_id, SIZE) && !enqueue(fd, tx.first_id, SIZE), "ENQUEUE");
	expect(poll(&ready, 1, 20000) == 1 && (ready.revents & POLLIN), "poll");
	/* only the error member can be written */
	arg->direction = PLDMA_RX;
	expect(!mprotect(memory, page, PROT_READ), "mprotect");
	refused(fd, PLDMA_IOC_DEQUEUE, arg, EFAULT, "DEQUEUE into read-only memory");
	expect(arg->error == EFAULT, "the struct must hold EFAULT");
	refused(fd, PLDMA_IOC_DEQUEUE, arg, EFAULT, "again");
	expect(!dequeue(fd, PLDMA_RX, 0, &done), "the completion must still be there");
	expect(done.id == rx.first_id && done.length == SIZE, "and it must be the same");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
	close(fd);
	puts("a completion that cannot be written out is kept");
}

static void on_bus_error(int number)
{
	(void)number;
	_exit(42);
}

static void unbind_child(int ready)
{
	int fd = open_device();
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	struct pldma_alloc coherent = alloc_blocks(fd, PLDMA_COHERENT, PLDMA_TX, SIZE, 1);
	char *memory = map(fd, &rx, PROT_READ | PROT_WRITE);
	char *other = map(fd, &coherent, PROT_READ | PROT_WRITE);
	struct pollfd hangup = { .fd = fd };
	struct pldma_info info;

	signal(SIGBUS, on_bus_error);
	*other = *memory;
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
	expect(write(ready, "", 1) == 1, "write");
	expect(dequeue(fd, PLDMA_RX, now() + 60000000000ULL, NULL) < 0 && errno == ENODEV,
	       "a waiting DEQUEUE must end with ENODEV");
	refused(fd, PLDMA_IOC_INFO, &info, ENODEV, "INFO");
	expect(enqueue(fd, rx.first_id, SIZE) < 0 && errno == ENODEV, "ENQUEUE must be ENODEV");
	expect(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, rx.mmap_offset) == MAP_FAILED &&
	       errno == ENODEV, "mmap must be ENODEV");
	expect(poll(&hangup, 1, 0) == 1 && (hangup.revents & POLLHUP), "poll must tell POLLHUP");
	/* the mappings are torn down after the waiters were woken: wait for the SIGBUS */
	for (;;) {
		(void)__atomic_load_n(memory, __ATOMIC_RELAXED);
		__atomic_store_n(other, 1, __ATOMIC_RELAXED);
		usleep(1000);
	}
}

static void check_unbind(int rounds)
{
	char link[256], *name;
	ssize_t n = readlink("/sys/class/misc/pldma0/device", link, sizeof(link) - 1);
	int round;

	expect(n > 0, "readlink");
	link[n] = 0;
	name = strrchr(link, '/') + 1;
	for (round = 0; round < rounds; round++) {
		pid_t pid = fork_child(unbind_child);
		int fd, status;

		if (round % 2)
			usleep(10000);
		put("/sys/bus/platform/drivers/pldma/unbind", name);
		expect(access(DEVICE, F_OK) < 0, "the node must be gone");
		alarm(60);
		expect(waitpid(pid, &status, 0) == pid, "waitpid");
		alarm(0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 42)
			fail("the child ended with status 0x%x, not by SIGBUS", status);
		put("/sys/bus/platform/drivers/pldma/bind", name);
		fd = open_device();
		nothing_left(fd);
		one_frame(fd, synced[round % 4], round);
		close(fd);
	}
	printf("unbound while mapped and waited for: %d times, usable each time\n", rounds);
}

static void set_fault(const char *spec)
{
	glob_t found;
	size_t i;

	expect(!glob("/sys/kernel/debug/pl_softdma/*/fault", 0, NULL, &found), "no pl_softdma");
	for (i = 0; i < found.gl_pathc; i++)
		put(found.gl_pathv[i], spec);
	globfree(&found);
}

static void check_wedge(void)
{
	struct pldma_reset result;
	struct pldma_query query = {};
	struct pldma_stats stats = {};
	struct pldma_free free_arg;
	struct pldma_alloc rx, tx, other;
	struct pldma_info info;
	int fd = open_device();

	set_fault("kind=wedge frame=0 seed=1");
	rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);
	other = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	expect(!enqueue(fd, rx.first_id, SIZE) && !enqueue(fd, tx.first_id, SIZE), "ENQUEUE");
	expect(dequeue(fd, PLDMA_RX, now() + 200000000ULL, NULL) < 0 && errno == ETIMEDOUT,
	       "a wedged engine must time out");
	expect(reset(fd, &result) < 0 && errno == EIO, "RESET must be EIO");
	expect(result.quarantined >= 1, "a block must be in quarantine");
	query.id = rx.first_id;
	expect(!ioctl(fd, PLDMA_IOC_QUERY, &query), "QUERY");
	expect(query.state == PLDMA_STATE_QUARANTINED, "the rx block must be in quarantine");
	free_arg = (struct pldma_free){ .id = rx.first_id };
	refused(fd, PLDMA_IOC_FREE, &free_arg, EBUSY, "FREE");
	expect(enqueue(fd, other.first_id, SIZE) < 0 && errno == EIO, "ENQUEUE must be EIO");
	close(fd);

	fd = open_device();
	expect(!ioctl(fd, PLDMA_IOC_STATS, &stats), "STATS");
	expect(stats.chan[PLDMA_RX].quarantined_blocks == 1 && stats.bytes >= SIZE,
	       "the quarantine must outlive close");
	refused(fd, PLDMA_IOC_QUERY, &query, ENOENT, "QUERY of a block of the last owner");
	expect(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, rx.mmap_offset) == MAP_FAILED &&
	       errno == EINVAL, "memory of the last owner must not be mapped");
	expect(!ioctl(fd, PLDMA_IOC_INFO, &info), "INFO");
	expect(info.chan[PLDMA_RX].flags & PLDMA_CHAN_WEDGED, "INFO must tell");
	other = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	expect(enqueue(fd, other.first_id, SIZE) < 0 && errno == EIO, "ENQUEUE must be EIO");
	expect(reset(fd, &result) < 0 && errno == EIO && result.quarantined >= 1, "RESET");

	set_fault("kind=none");
	expect(!reset(fd, &result) && !result.quarantined, "RESET of an idle engine");
	free_block(fd, other.first_id);
	nothing_left(fd);
	one_frame(fd, PLDMA_STREAMING, 1);
	close(fd);
	puts("a wedged engine keeps its memory until it is proved idle");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rounds = argc > 2 ? atoi(argv[2]) : 100;

	if (!strcmp(what, "killed"))
		check_killed(rounds);
	else if (!strcmp(what, "signalled"))
		check_signalled(rounds);
	else if (!strcmp(what, "leaks"))
		check_leaks(rounds);
	else if (!strcmp(what, "memlock"))
		check_memlock();
	else if (!strcmp(what, "stores"))
		check_stores();
	else if (!strcmp(what, "copyout"))
		check_copyout();
	else if (!strcmp(what, "unbind"))
		check_unbind(rounds);
	else if (!strcmp(what, "wedge"))
		check_wedge();
	else
		fail("expected killed, signalled, leaks, memlock, stores, copyout, unbind, wedge");
	return 0;
}
