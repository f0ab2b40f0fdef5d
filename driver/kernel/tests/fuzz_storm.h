/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The storm of fuzz.c: threads that call one device at random until they are killed
 *
 * No model can follow several threads. So only two things are checked: the kernel
 * must not complain, and the next owner finds a device that works and holds nothing.
 */
#ifndef PLDMA_TEST_FUZZ_STORM_H
#define PLDMA_TEST_FUZZ_STORM_H

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "contents.h"
#include "fuzz_model.h"

/* shared by the parent, and by a child that is killed */
struct tally {
	__u64 calls, refused;
};

static struct tally *tally;
static int storm_fd;
static __u64 storm_seed;

/* an id near those that exist, a size near those that are used */
static inline __u32 near_id(struct rng *rng)
{
	static __u32 newest;
	struct pldma_alloc arg;

	if (below(rng, 3))
		return __atomic_load_n(&newest, __ATOMIC_RELAXED) - below(rng, 12);
	arg = (struct pldma_alloc){
		.size = 4096 << below(rng, 4), .count = 1 + below(rng, 3),
		.direction = below(rng, 2), .policy = below(rng, PLDMA_NR_POLICIES),
	};
	if (!ioctl(storm_fd, PLDMA_IOC_ALLOC, &arg))
		__atomic_store_n(&newest, arg.first_id + arg.count - 1, __ATOMIC_RELAXED);
	return arg.first_id;
}

static inline void storm_map(struct rng *rng, __u32 id)
{
	struct pldma_query arg = { .id = id };
	char *memory;
	size_t size;

	if (ioctl(storm_fd, PLDMA_IOC_QUERY, &arg) || !arg.mmap_offset)
		return;
	size = (arg.size + 4095) / 4096 * 4096;
	memory = mmap(NULL, size, PROT_READ, MAP_SHARED, storm_fd, arg.mmap_offset);
	if (memory == MAP_FAILED)
		return;
	if (!below(rng, 4))
		madvise(memory, size, below(rng, 2) ? MADV_DOFORK : MADV_DONTNEED);
	if (!below(rng, 4))
		mprotect(memory, 4096, PROT_READ | PROT_WRITE);
	/* what is unmapped may belong to another thread a moment later */
	if (!below(rng, 4) && size > 4096) {
		munmap(memory + 4096, size - 4096);
		size = 4096;
	}
	if (below(rng, 8))
		munmap(memory, size);
}

static inline void storm_register(struct rng *rng)
{
	size_t size = 4096 << below(rng, 4);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS |
			    (below(rng, 2) ? MAP_PRIVATE : MAP_SHARED), -1, 0);
	struct pldma_register arg = {
		.address = (unsigned long)memory, .size = size, .direction = below(rng, 2),
		.policy = below(rng, 2) ? PLDMA_USER_PAGES : PLDMA_USER_PAGES_REGISTERED,
	};
	struct pldma_free end;
	int mapped = 1;

	if (memory == MAP_FAILED)
		return;
	if (!ioctl(storm_fd, PLDMA_IOC_REGISTER, &arg)) {
		if (!below(rng, 4)) {
			munmap(memory, size);	/* while it is registered */
			mapped = 0;
		}
		enqueue(storm_fd, arg.id, size);
		end = (struct pldma_free){ .id = arg.id };
		if (below(rng, 4))
			ioctl(storm_fd, PLDMA_IOC_UNREGISTER, &end);
	}
	if (mapped)
		munmap(memory, size);
}

static inline void storm_buffer(struct rng *rng, __u32 id)
{
	struct pldma_export out = { .id = id };
	struct pldma_import in;

	if (ioctl(storm_fd, PLDMA_IOC_EXPORT, &out))
		return;
	in = (struct pldma_import){ .size = 4096, .fd = out.fd, .direction = PLDMA_TX };
	if (below(rng, 2))
		ioctl(storm_fd, PLDMA_IOC_IMPORT, &in);
	close(out.fd);
}

/* any call, without a model: only the kernel may complain */
static inline void storm_call(struct rng *rng)
{
	__u32 id = near_id(rng);
	struct pldma_enqueue items[3];
	struct pldma_enqueue_batch batch = {
		.items = (unsigned long)items, .item_size = sizeof(items[0]), .count = 3,
	};
	struct pldma_reset stop = { .flags = below(rng, 8) };
	struct pldma_free end = { .id = id };
	struct pldma_sync sync = { .id = id, .op = below(rng, 2), .length = 4096 };
	struct pldma_stats stats = { .flags = below(rng, 2) };
	struct pldma_info info;
	struct pollfd poll_fd = { .fd = storm_fd, .events = POLLIN | POLLOUT };
	char frame[512] = {};
	__u32 i;

	switch (below(rng, 20)) {
	case 0: case 1: case 2: case 3:
		enqueue(storm_fd, id, 1 + below(rng, 4096));
		break;
	case 4: case 5: case 6:
		dequeue(storm_fd, below(rng, 2), now() + below(rng, 300000), NULL);
		break;
	case 7: case 8:
		ioctl(storm_fd, PLDMA_IOC_FREE, &end);
		break;
	case 9:
		ioctl(storm_fd, PLDMA_IOC_SYNC, &sync);
		break;
	case 10:
		storm_register(rng);
		break;
	case 11:
		storm_map(rng, id);
		break;
	case 12:
		storm_buffer(rng, id);
		break;
	case 13:
		if (!below(rng, 8))
			ioctl(storm_fd, PLDMA_IOC_RESET, &stop);
		break;
	case 14:
		for (i = 0; i < 3; i++)
			items[i] = (struct pldma_enqueue){ .id = id + i, .length = 64 };
		ioctl(storm_fd, PLDMA_IOC_ENQUEUE_BATCH, &batch);
		break;
	case 15:
		ioctl(storm_fd, below(rng, 2) ? PLDMA_IOC_STATS : PLDMA_IOC_INFO,
		      below(rng, 2) ? (void *)&stats : (void *)&info);
		break;
	case 16:
		poll(&poll_fd, 1, 0);
		break;
	case 17:
		if (write(storm_fd, frame, 1 + below(rng, sizeof(frame))) < 0)
			__atomic_add_fetch(&tally->refused, 1, __ATOMIC_RELAXED);
		break;
	case 18:
		if (read(storm_fd, frame, sizeof(frame)) < 0)
			__atomic_add_fetch(&tally->refused, 1, __ATOMIC_RELAXED);
		break;
	default:
		close(dup(storm_fd));
		break;
	}
	__atomic_add_fetch(&tally->calls, 1, __ATOMIC_RELAXED);
}

static inline void *storm_thread(void *number)
{
	struct rng rng = seeded(storm_seed, (unsigned long)number);

	for (;;)
		storm_call(&rng);
	return NULL;
}

static inline void storm_child(int ready)
{
	pthread_t thread;
	unsigned long i;

	storm_fd = open_device();
	/* read() and write() must not wait for a frame that nobody sends */
	fcntl(storm_fd, F_SETFL, O_NONBLOCK);
	for (i = 0; i < 3; i++)
		expect(!pthread_create(&thread, NULL, storm_thread, (void *)i), "pthread_create");
	expect(write(ready, "", 1) == 1, "write");
	storm_thread((void *)3UL);
}

/* the kernel frees what a dead process had a moment later */
static inline void settle(long before)
{
	int tries;

	for (tries = 0; tries < 100 && before - available() > 4096; tries++) {
		usleep(100000);
		/* names of devices that are gone */
		put("/proc/sys/vm/drop_caches", "3");
	}
}

/* after a round nothing is left, and a frame passes */
static inline void usable(void)
{
	struct pldma_alloc tx, rx;
	struct pldma_stats stats = {};
	struct pldma_dequeue done;
	unsigned char *out, *in;
	size_t i;
	int fd;

	/* the killed process may not have closed the device yet */
	do {
		fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	} while (fd < 0 && errno == EBUSY);
	expect(fd >= 0, "open " DEVICE);
	expect(!ioctl(fd, PLDMA_IOC_STATS, &stats), "STATS");
	expect(!stats.blocks, "blocks of the killed process still exist");
	expect(!stats.chan[0].quarantined_blocks && !stats.chan[1].quarantined_blocks,
	       "blocks are in quarantine");
	tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);
	rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	out = map(fd, &tx, PROT_READ | PROT_WRITE);
	in = map(fd, &rx, PROT_READ);
	for (i = 0; i < SIZE; i++) {
		expect(!out[i] && !in[i], "new memory is not zero");
		out[i] = byte_of(storm_seed, i);
	}
	expect(!enqueue(fd, rx.first_id, SIZE) && !enqueue(fd, tx.first_id, SIZE), "ENQUEUE");
	expect(!dequeue(fd, PLDMA_RX, now() + PATIENCE, &done) && done.length == SIZE, "DEQUEUE");
	expect(!dequeue(fd, PLDMA_TX, now() + PATIENCE, NULL), "DEQUEUE");
	expect(!memcmp(in, out, SIZE), "the received frame differs from the sent one");
	munmap(out, SIZE);
	munmap(in, SIZE);
	close(fd);
}

static inline void rebind(void)
{
	char name[256];

	strcpy(name, bound_device());
	put("/sys/bus/platform/drivers/pldma/unbind", name);
	put("/sys/bus/platform/drivers/pldma/bind", name);
}

static inline int run_storm(__u64 seed, int rounds, int unbind)
{
	int round, status;
	long before = 0;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	expect(tally != MAP_FAILED, "mmap");
	for (round = 0; round < rounds; round++) {
		struct rng rng = seeded(seed, round);
		pid_t pid;

		/* the kernel keeps some of what it needs for the first ones */
		if (round == rounds / 10) {
			put("/proc/sys/vm/drop_caches", "3");
			before = available();
		}
		storm_seed = draw(&rng);
		pid = fork_child(storm_child);
		usleep(below(&rng, 40000));
		if (unbind) {
			rebind();
			usleep(below(&rng, 5000));
		}
		kill(pid, SIGKILL);
		usable();
		expect(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "waitpid");
	}
	settle(before);
	no_leak(before, rounds - rounds / 10);
	printf("storm: seed %llu, %llu calls, %d owners killed%s, usable each time\n",
	       (unsigned long long)seed, (unsigned long long)tally->calls, rounds,
	       unbind ? " and devices removed" : "");
	return 0;
}

#endif /* PLDMA_TEST_FUZZ_STORM_H */
