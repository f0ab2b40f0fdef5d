// SPDX-License-Identifier: GPL-2.0
/*
 * gap: how long calls of user space keep the engine of /dev/pldma0 idle
 *
 *	gap policies SIZE FRAMES	idle time between two queued blocks, under
 *					streaming and coherent
 *	gap alloc FRAMES		the same, while another thread allocates blocks
 *	gap poll			duration of poll() during a long SYNC
 *
 * Needs root, a loopback design, and pldma with engine_depth=1. Each limit is a
 * ratio of two measurements of the same run. Exits with 0 on success. Otherwise
 * exits with 1 after a line that describes the failure.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "device.h"

#define DEPTH		8
#define ROUNDS		4
#define MIB		1048576U
#define MAX_SAMPLES	65536
#define WAIT_NS		60000000000ULL

struct samples {
	size_t n;
	__u64 ns[MAX_SAMPLES];
};

static struct samples coherent, streaming, calls;
static int fd;
static int stop;

static void add(struct samples *samples, __u64 ns)
{
	if (samples->n < MAX_SAMPLES)
		samples->ns[samples->n++] = ns;
}

static int compare(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/* print the distribution and return the median */
static __u64 summary(const char *name, struct samples *samples)
{
	const __u64 *ns = samples->ns;
	size_t n = samples->n;

	if (n < 20)
		fail("%s: only %zu samples, expected at least 20", name, n);
	qsort(samples->ns, n, sizeof(*ns), compare);
	printf("%s: median %llu us, 5 %% %llu us, 95 %% %llu us, largest %llu us, %zu samples\n",
	       name, (unsigned long long)ns[n / 2] / 1000, (unsigned long long)ns[n / 20] / 1000,
	       (unsigned long long)ns[n - 1 - n / 20] / 1000,
	       (unsigned long long)ns[n - 1] / 1000, n);
	return ns[n / 2];
}

/*
 * Send frames through the loop in batches, and add a sample for each block that was
 * queued before the engine completed the previous one. All blocks of a batch are
 * queued before the first one is received, so that only receive can cause a gap.
 */
static void stream(__u32 policy, __u64 size, __u64 frames, struct samples *gaps)
{
	struct pldma_alloc tx = alloc_blocks(fd, policy, PLDMA_TX, size, DEPTH);
	struct pldma_alloc rx = alloc_blocks(fd, policy, PLDMA_RX, size, DEPTH);
	struct pldma_dequeue done;
	__u64 last, at;
	__u32 i;

	for (at = 0; at < frames; at += DEPTH) {
		for (i = 0; i < DEPTH; i++)
			expect(!enqueue(fd, tx.first_id + i, size), "ENQUEUE tx");
		for (i = 0; i < DEPTH; i++)
			expect(!enqueue(fd, rx.first_id + i, size), "ENQUEUE rx");
		for (last = i = 0; i < DEPTH; i++) {
			expect(!dequeue(fd, PLDMA_RX, now() + WAIT_NS, &done), "DEQUEUE rx");
			expect(done.length == size, "the received frame is short");
			if (done.queued_ns + done.sync_device_ns < last)
				add(gaps, done.submitted_ns - last);
			last = done.done_ns;
		}
		for (i = 0; i < DEPTH; i++)
			expect(!dequeue(fd, PLDMA_TX, now() + WAIT_NS, NULL), "DEQUEUE tx");
	}
	for (i = 0; i < DEPTH; i++) {
		free_block(fd, tx.first_id + i);
		free_block(fd, rx.first_id + i);
	}
}

static void check_policies(__u64 size, __u64 frames)
{
	__u64 base, gap;
	int round;

	/* by turns, because the load of the machine varies */
	for (round = 0; round < ROUNDS; round++) {
		stream(PLDMA_COHERENT, size, frames, &coherent);
		stream(PLDMA_STREAMING, size, frames, &streaming);
	}
	base = summary("idle gap, coherent", &coherent);
	gap = summary("idle gap, streaming", &streaming);
	if (gap > 2 * base)
		fail("the median idle gap of streaming is more than twice that of coherent");
	printf("syncs of %llu bytes do not keep the engine idle\n", (unsigned long long)size);
}

static void *allocate(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		__u64 start = now();
		struct pldma_alloc blocks = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, MIB, 32);
		__u32 i;

		add(&calls, now() - start);
		for (i = 0; i < blocks.count; i++)
			free_block(fd, blocks.first_id + i);
	}
	return NULL;
}

static void check_alloc(__u64 frames)
{
	pthread_t allocator;
	__u64 gap, call;

	expect(!pthread_create(&allocator, NULL, allocate, NULL), "pthread_create");
	while (calls.n < 20)
		stream(PLDMA_COHERENT, MIB, frames, &coherent);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	expect(!pthread_join(allocator, NULL), "pthread_join");
	gap = summary("idle gap during ALLOC", &coherent);
	call = summary("ALLOC of 32 MiB", &calls);
	if (gap > call / 8)
		fail("the engine waits for ALLOC");
	puts("ALLOC does not keep the engine idle");
}

static void *sync_block(void *arg)
{
	struct pldma_alloc block = alloc_blocks(fd, PLDMA_MANUAL, PLDMA_RX, 4 * MIB, 1);
	struct pldma_sync sync = {
		.id = block.first_id, .op = PLDMA_SYNC_FOR_CPU, .length = 4 * MIB,
	};

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		__u64 start = now();

		expect(!ioctl(fd, PLDMA_IOC_SYNC, &sync), "SYNC");
		add(&calls, now() - start);
	}
	return NULL;
}

static void check_poll(void)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN | POLLOUT };
	__u64 start, call, wait;
	pthread_t syncer;
	int i;

	expect(!pthread_create(&syncer, NULL, sync_block, NULL), "pthread_create");
	for (i = 0; i < 50 || __atomic_load_n(&calls.n, __ATOMIC_RELAXED) < 20; i++) {
		struct timespec pause = { .tv_nsec = 1000000 };

		nanosleep(&pause, NULL);
		start = now();
		expect(!poll(&ready, 1, 0), "poll");
		add(&coherent, now() - start);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	expect(!pthread_join(syncer, NULL), "pthread_join");
	call = summary("SYNC of 4 MiB", &calls);
	wait = summary("poll during SYNC", &coherent);
	if (wait > call / 8)
		fail("poll waits for SYNC");
	puts("poll does not wait for a sync");
}

static void *spin(void *arg)
{
	const struct sched_param param = {};

	(void)arg;
	expect(!sched_setscheduler(0, SCHED_IDLE, &param), "sched_setscheduler");
	for (;;)
		__asm__ volatile("" ::: "memory");
	return NULL;
}

/* keep all CPUs awake, because waking one can take longer than all that is measured here */
static void stay_awake(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t spinner;

	while (cpus-- > 0)
		expect(!pthread_create(&spinner, NULL, spin, NULL), "pthread_create");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct pldma_info info;

	fd = open_device();
	expect(!ioctl(fd, PLDMA_IOC_INFO, &info), "INFO");
	if (info.chan[PLDMA_RX].engine_depth != 1)
		fail("engine_depth is %u, expected 1", info.chan[PLDMA_RX].engine_depth);
	stay_awake();
	if (!strcmp(what, "policies") && argc == 4)
		check_policies(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
	else if (!strcmp(what, "alloc") && argc == 3)
		check_alloc(strtoull(argv[2], NULL, 0));
	else if (!strcmp(what, "poll"))
		check_poll();
	else
		fail("expected policies SIZE FRAMES, alloc FRAMES, or poll");
	return 0;
}
