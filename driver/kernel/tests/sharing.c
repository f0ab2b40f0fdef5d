// SPDX-License-Identifier: GPL-2.0
/*
 * sharing: use the memory of blocks of /dev/pldma0 in other system calls
 *
 *	sharing io ROUNDS	O_DIRECT, vmsplice(), process_vm_readv(), /proc/PID/mem
 *	sharing free ROUNDS	pages that a pipe holds after FREE and close()
 *	sharing readonly	read-only memory as a transmit block of user pages
 *	sharing race ROUNDS	munmap(), mremap() and exit during removal
 *
 * Needs root, a loopback design, and a disk in memory (brd.ko). Exits with 0 on
 * success. Otherwise exits with 1 after a line that describes the failure.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "contents.h"
#include "device.h"

#define DISK "/dev/ram0"

static const __u32 shared[] = {
	PLDMA_STREAMING, PLDMA_STREAMING_LAZY, PLDMA_MANUAL, PLDMA_NONE,
};

/* send a filled block through the loop into another, and compare */
static void transfer(int fd, __u32 tx, __u32 rx, const unsigned char *in, unsigned int seed)
{
	struct pldma_dequeue done;

	expect(!enqueue(fd, rx, SIZE), "ENQUEUE rx");
	expect(!enqueue(fd, tx, SIZE), "ENQUEUE tx");
	expect(!dequeue(fd, PLDMA_RX, now() + 20000000000ULL, &done), "DEQUEUE rx");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
	if (in)
		compare(in, seed, "the received frame");
}

/* the memory of a child. As with PTRACE_PEEKDATA, but this process may be traced itself */
static void peek(unsigned char *in, bool mapped)
{
	pid_t pid = fork();
	char path[32];
	int memory;
	long word;

	expect(pid >= 0, "fork");
	if (!pid) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	expect(memory >= 0, path);
	errno = 0;
	if (mapped)
		expect(pread(memory, &word, sizeof(word), (unsigned long)in) == sizeof(word) &&
		       !memcmp(&word, in, sizeof(word)), "read a child's memory");
	else
		expect(pread(memory, &word, sizeof(word), (unsigned long)in) < 0 && errno == EIO,
		       "the child must not inherit the mapping");
	close(memory);
	kill(pid, SIGKILL);
	expect(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static void one_io(int fd, int disk, __u32 policy, unsigned int seed, bool loop)
{
	struct pldma_alloc tx = alloc_blocks(fd, policy, PLDMA_TX, SIZE, 1);
	struct pldma_alloc rx = alloc_blocks(fd, policy, PLDMA_RX, SIZE, 1);
	unsigned char *out = map(fd, &tx, PROT_READ | PROT_WRITE);
	unsigned char *in = map(fd, &rx, PROT_READ);
	static unsigned char copy[SIZE];
	struct iovec local = { copy, SIZE }, remote = { in, SIZE };
	int pipes[2];
	size_t at;

	/* from a disk into a block, through the loop, and from the other block to the disk */
	fill(out, seed);
	expect(pwrite(disk, out, SIZE, 0) == SIZE, "pwrite() with O_DIRECT from a block");
	memset(out, 0, SIZE);
	expect(pread(disk, out, SIZE, 0) == SIZE, "pread() with O_DIRECT into a block");
	compare(out, seed, "the transmit block");
	if (loop)
		transfer(fd, tx.first_id, rx.first_id, in, seed);
	expect(pwrite(disk, in, SIZE, SIZE) == SIZE, "pwrite() with O_DIRECT from an rx block");

	expect(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == SIZE, "process_vm_readv()");
	expect(!memcmp(copy, in, SIZE), "process_vm_readv() read something else");

	expect(!pipe(pipes), "pipe");
	expect(vmsplice(pipes[1], &remote, 1, SPLICE_F_NONBLOCK) == SIZE, "vmsplice()");
	for (at = 0; at < SIZE; at += SIZE / 16)
		expect(read(pipes[0], copy + at, SIZE / 16) == SIZE / 16, "read from the pipe");
	expect(!memcmp(copy, in, SIZE), "the pipe held something else");
	close(pipes[0]);
	close(pipes[1]);

	/* a receive block of streaming-lazy stays read-only for everyone */
	local = (struct iovec){ copy, 8 };
	remote = (struct iovec){ in, 8 };
	errno = 0;
	expect(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) < 0 && errno == EFAULT,
	       "process_vm_writev() to a read-only mapping");
	expect(pread(disk, in, SIZE, 0) < 0 && errno == EFAULT, "pread() to a read-only mapping");

	munmap(out, SIZE);
	munmap(in, SIZE);
	free_block(fd, tx.first_id);
	free_block(fd, rx.first_id);
}

static void check_io(int rounds)
{
	int fd = open_device();
	int disk = open(DISK, O_RDWR | O_DIRECT);
	struct pldma_alloc coherent = alloc_blocks(fd, PLDMA_COHERENT, PLDMA_TX, SIZE, 1);
	struct pldma_alloc block = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);
	unsigned char *memory = map(fd, &coherent, PROT_READ | PROT_WRITE);
	unsigned char *inherited = map(fd, &block, PROT_READ | PROT_WRITE);
	struct pldma_free arg = { .id = block.first_id };
	long before = 0;
	int round;

	expect(disk >= 0, "open " DISK);
	expect(pwrite(disk, memory, SIZE, 0) < 0 && errno == EFAULT,
	       "memory of policy coherent cannot be used in other I/O");
	expect(madvise(memory, SIZE, MADV_DOFORK) < 0, "coherent memory is never inherited");
	fill(inherited, 1);
	peek(inherited, false);
	expect(!madvise(inherited, SIZE, MADV_DOFORK), "madvise(MADV_DOFORK)");
	peek(inherited, true);
	refused(fd, PLDMA_IOC_FREE, &arg, EBUSY, "FREE of a mapped block");
	munmap(inherited, SIZE);
	free_block(fd, block.first_id);

	for (round = 0; round < rounds; round++) {
		__u32 policy = shared[round % ARRAY_SIZE(shared)];

		/* the two last policies need syncs of the caller */
		one_io(fd, disk, policy, round, policy != PLDMA_MANUAL && policy != PLDMA_NONE);
		if (round == rounds / 10)
			before = available();
	}
	no_leak(before, rounds);
	close(disk);
	close(fd);
	printf("blocks in other I/O: %d rounds\n", rounds);
}

static void check_free(int rounds)
{
	static unsigned char copy[SIZE];
	long before = 0;
	int round;

	for (round = 0; round < rounds; round++) {
		int fd = open_device(), pipes[2];
		struct pldma_alloc tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);
		unsigned char *out = map(fd, &tx, PROT_READ | PROT_WRITE);
		struct pldma_alloc other;
		struct iovec vec = { out, SIZE };
		struct pldma_stats stats = {};
		unsigned char *memory;

		fill(out, round);
		expect(!pipe(pipes), "pipe");
		expect(vmsplice(pipes[1], &vec, 1, SPLICE_F_NONBLOCK) == SIZE, "vmsplice()");
		munmap(out, SIZE);
		free_block(fd, tx.first_id);
		expect(!ioctl(fd, PLDMA_IOC_STATS, &stats) && !stats.bytes, "STATS after FREE");
		/* a new block must not get the pages that the pipe still holds */
		other = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 4);
		memory = map(fd, &other, PROT_READ | PROT_WRITE);
		memset(memory, 0xff, SIZE);
		munmap(memory, SIZE);
		if (round % 2)
			close(fd);
		expect(read(pipes[0], copy, SIZE) == SIZE, "read from the pipe");
		compare(copy, round, "the frame in the pipe");
		close(pipes[0]);
		close(pipes[1]);
		if (!(round % 2))
			close(fd);
		if (round == rounds / 10)
			before = available();
	}
	no_leak(before, rounds);
	printf("pages outlive their block: %d rounds\n", rounds);
}

/* send registered memory that has the contents of seed 7, and give it back */
static void send_registered(int fd, __u32 tx, __u32 rx, const unsigned char *in)
{
	struct pldma_free arg = { .id = tx };

	transfer(fd, tx, rx, in, 7);
	expect(!ioctl(fd, PLDMA_IOC_UNREGISTER, &arg), "UNREGISTER");
}

/* memory whose first page is read-only, followed by pages that nobody has touched */
static void check_readonly_first(int fd, int file)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct pldma_register reg = {
		.size = SIZE, .policy = PLDMA_USER_PAGES_REGISTERED, .direction = PLDMA_TX,
	};
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	unsigned char *in = map(fd, &rx, PROT_READ);
	unsigned char *memory;

	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(memory != MAP_FAILED, "mmap");
	expect(mmap(memory, page, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) == memory, "mmap");
	reg.address = (unsigned long)memory;
	expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER, first page read-only");
	/* the engine must get these stores, which come after the pages were pinned */
	expect(pread(file, memory + page, SIZE - page, page) == (ssize_t)(SIZE - page), "pread");
	send_registered(fd, reg.id, rx.first_id, in);
	munmap(memory, SIZE);
	munmap(in, SIZE);
	free_block(fd, rx.first_id);
}

static void check_readonly(void)
{
	static const __u32 policies[] = { PLDMA_USER_PAGES, PLDMA_USER_PAGES_REGISTERED };
	char name[] = "/tmp/sharing.XXXXXX";
	int fd = open_device(), file = mkstemp(name);
	unsigned char *memory;
	size_t i, flags;

	expect(file >= 0 && !unlink(name) && !ftruncate(file, SIZE), "make a file");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	expect(memory != MAP_FAILED, "mmap");
	fill(memory, 7);
	munmap(memory, SIZE);
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		for (flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) {
			struct pldma_register reg = {
				.size = SIZE, .policy = policies[i], .direction = PLDMA_RX,
			};
			struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX,
							     SIZE, 1);
			unsigned char *in = map(fd, &rx, PROT_READ);

			memory = mmap(NULL, SIZE, PROT_READ, flags, file, 0);
			expect(memory != MAP_FAILED, "mmap");
			reg.address = (unsigned long)memory;
			refused(fd, PLDMA_IOC_REGISTER, &reg, EFAULT, "REGISTER for rx");
			reg.direction = PLDMA_TX;
			expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER, read-only");
			send_registered(fd, reg.id, rx.first_id, in);
			munmap(memory, SIZE);
			munmap(in, SIZE);
			free_block(fd, rx.first_id);
		}
	}
	check_readonly_first(fd, file);
	close(file);
	close(fd);
	puts("read-only memory can be sent");
}

#define MAPPINGS 64

struct race {
	struct pldma_alloc blocks;
	char *memory[MAPPINGS];
	int first;
};

/* unmap half of the mappings, in parts, and move the others */
static void *unmapper(void *data)
{
	struct race *race = data;
	int i;

	for (i = race->first; i < MAPPINGS; i += 2) {
		if (i % 4 < 2) {
			munmap(race->memory[i], 4096);
			munmap(race->memory[i] + 4096, SIZE - 4096);
		} else {
			mremap(race->memory[i], SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			       race->memory[i] + (1UL << 32));
		}
	}
	return NULL;
}

static int race_round;

static void race_child(int ready)
{
	static const __u32 policies[] = { PLDMA_COHERENT, PLDMA_NONCOHERENT, PLDMA_STREAMING };
	struct race race[2];
	pthread_t other;
	int fd = open_device(), i;

	race[0].blocks = alloc_blocks(fd, policies[race_round % 3], PLDMA_TX, SIZE, MAPPINGS);
	for (i = 0; i < MAPPINGS; i++) {
		struct pldma_alloc one = race[0].blocks;

		one.mmap_offset += i * one.mmap_stride;
		race[0].memory[i] = map(fd, &one, PROT_READ | PROT_WRITE);
		*race[0].memory[i] = 1;
	}
	race[1] = race[0];
	race[0].first = 0;
	race[1].first = 1;
	expect(write(ready, "", 1) == 1, "write");
	if (race_round % 4 == 3)
		_exit(0);
	usleep(race_round * 97 % 3000);
	pthread_create(&other, NULL, unmapper, &race[1]);
	unmapper(&race[0]);
	pthread_join(other, NULL);
	_exit(0);
}

static void check_race(int rounds)
{
	const char *name = bound_device();
	int round;

	for (round = 0; round < rounds; round++) {
		pid_t pid;
		int status;

		race_round = round;
		pid = fork_child(race_child);
		put("/sys/bus/platform/drivers/pldma/unbind", name);
		expect(waitpid(pid, &status, 0) == pid, "waitpid");
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			fail("the child ended with status 0x%x", status);
		put("/sys/bus/platform/drivers/pldma/bind", name);
	}
	printf("removal while mappings go: %d rounds\n", rounds);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rounds = argc > 2 ? atoi(argv[2]) : 100;

	if (!strcmp(what, "io"))
		check_io(rounds);
	else if (!strcmp(what, "free"))
		check_free(rounds);
	else if (!strcmp(what, "readonly"))
		check_readonly();
	else if (!strcmp(what, "race"))
		check_race(rounds);
	else
		fail("expected io, free, readonly or race");
	return 0;
}
