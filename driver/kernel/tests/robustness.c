// SPDX-License-Identifier: GPL-2.0
/*
 * robustness: disturb users of /dev/pldma0, and check that it stays usable. It is
 * one file, because a guest runs it as one program.
 *
 *	robustness killed ROUNDS	SIGKILL to a process during transfers
 *	robustness signalled ROUNDS	signals during a blocking DEQUEUE
 *	robustness stores		stores to registered memory between transfers
 *	robustness copyout		a completion that cannot be copied out
 *	robustness waits		poll() and write() that wait; the latter for room
 *					in the engine if engine_depth= is large
 *	robustness unbind ROUNDS	unbind with mappings and waiters
 *	robustness wedge		an engine that cannot be proved idle (pl_softdma)
 *
 * Needs root and a loopback design. Exits with 0 on success. Otherwise exits with 1
 * after a line that describes the failure.
 */
#define _GNU_SOURCE
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "device.h"

/* send one frame through the loop and compare every byte */
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
	expect(done.length == SIZE, "the received frame is short");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
	expect(!memcmp(in, out, SIZE), "the received frame differs from the sent one");
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
	expect(!stats.blocks && !stats.bytes, "blocks of the previous process still exist");
	expect(!stats.chan[0].quarantined_blocks && !stats.chan[1].quarantined_blocks,
	       "blocks are in quarantine");
}

/* transfer data for ever, with pinned user pages enqueued */
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

static void check_killed(int rounds)
{
	int round;

	for (round = 0; round < rounds; round++) {
		pid_t pid = fork_child(busy_child);
		int fd, status;

		usleep(round * 137 % 5000);
		kill(pid, SIGKILL);
		expect(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "waitpid");
		fd = open_device();
		nothing_left(fd);
		one_frame(fd, synced[round % 4], round);
		close(fd);
	}
	printf("killed during transfers: %d times, usable each time\n", rounds);
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
		/* an interval, because the first signal may arrive before the call starts */
		setitimer(ITIMER_REAL, &often, NULL);
		expect(dequeue(fd, PLDMA_RX, now() + 60000000000ULL, &done) < 0 && errno == EINTR,
		       "a signal must end DEQUEUE with EINTR");
		setitimer(ITIMER_REAL, &never, NULL);
		expect(done.error == EINTR, "the struct must hold EINTR");
		expect(now() - start < 30000000000ULL, "DEQUEUE continued to wait");

		/* a restarted call keeps its deadline */
		action.sa_flags = SA_RESTART;
		sigaction(SIGALRM, &action, NULL);
		deadline = now() + 30000000ULL;
		setitimer(ITIMER_REAL, &often, NULL);
		expect(dequeue(fd, PLDMA_RX, deadline, &done) < 0 && errno == ETIMEDOUT,
		       "a restarted DEQUEUE must end with ETIMEDOUT");
		expect(now() >= deadline, "DEQUEUE returned before its deadline");
		expect(now() - deadline < 20000000000ULL, "DEQUEUE restarted its wait");
		setitimer(ITIMER_REAL, &never, NULL);

		expect(!reset(fd, NULL), "RESET");
		free_block(fd, rx.first_id);
		one_frame(fd, synced[round % 4], round);
	}
	nothing_left(fd);
	close(fd);
	printf("signalled in DEQUEUE: %d times, usable each time\n", rounds);
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
			expect(memory[k] == 0, "the frame was not received");
		/* the caller may process data in place: UNREGISTER must not undo that */
		memset(memory, 0x22, SIZE);
		unregister = (struct pldma_free){ .id = reg.id };
		expect(!ioctl(fd, PLDMA_IOC_UNREGISTER, &unregister), "UNREGISTER");
		for (k = 0; k < SIZE; k++)
			expect(memory[k] == 0x22, "UNREGISTER overwrote what the caller stored");
		free_block(fd, tx.first_id);
	}
	munmap(memory, SIZE);
	close(fd);
	puts("registered memory keeps what the caller stores");
}

/* what the parent waits for, a while later */
static void later(int fd, const struct pldma_alloc *blocks)
{
	__u32 i;

	usleep(300000);
	for (i = 0; i < blocks->count; i++)
		expect(!enqueue(fd, blocks->first_id + i, SIZE), "ENQUEUE");
	_exit(0);
}

static pid_t enqueue_later(int fd, const struct pldma_alloc *blocks)
{
	pid_t pid = fork();

	expect(pid >= 0, "fork");
	if (!pid)
		later(fd, blocks);
	return pid;
}

static void ended(pid_t pid)
{
	int status;

	expect(waitpid(pid, &status, 0) == pid && !status, "waitpid");
}

static void check_poll_wait(void)
{
	int fd = open_device();
	struct pldma_alloc tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	__u64 start = now();
	pid_t pid;

	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE rx");
	pid = enqueue_later(fd, &tx);
	expect(poll(&pfd, 1, 20000) == 1 && pfd.revents == POLLIN, "poll() must report POLLIN");
	/* at its deadline poll() looks once more, even if nobody woke it */
	expect(now() - start < 20000000000ULL, "poll() must end when the frame arrives");
	ended(pid);
	close(fd);
}

static void check_write_wait(void)
{
	struct sigaction action = { .sa_handler = ignore };
	struct pldma_alloc tx, rx;
	static char frame[4096];
	struct pldma_info info;
	int fd = open_device();
	__u32 count, n = 0;
	pid_t pid;

	expect(!ioctl(fd, PLDMA_IOC_INFO, &info), "INFO");
	/* the loop may hold the start of the first frame, but never a whole one */
	count = info.chan[PLDMA_TX].queue_depth + 1;
	tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, count);
	rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 2);
	alloc_blocks(fd, PLDMA_BOUNCE, PLDMA_TX, sizeof(frame), 1);
	while (n < count && !enqueue(fd, tx.first_id + n, SIZE))
		n++;
	/* EBUSY: engine_depth= of pldma is larger than what the engine can hold */
	expect(n > 1 && n < count && (errno == EAGAIN || errno == EBUSY),
	       "ENQUEUE must fail when the queue is full");
	pid = enqueue_later(fd, &rx);
	sigaction(SIGALRM, &action, NULL);
	alarm(20);
	expect(write(fd, frame, sizeof(frame)) == sizeof(frame),
	       "write() must end when there is room");
	alarm(0);
	ended(pid);
	close(fd);
}

static void check_waits(void)
{
	check_poll_wait();
	check_write_wait();
	puts("poll() and write() end when there is something to do");
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
	/* only the member error is writable */
	arg->direction = PLDMA_RX;
	expect(!mprotect(memory, page, PROT_READ), "mprotect");
	refused(fd, PLDMA_IOC_DEQUEUE, arg, EFAULT, "DEQUEUE into read-only memory");
	expect(arg->error == EFAULT, "the struct must hold EFAULT");
	refused(fd, PLDMA_IOC_DEQUEUE, arg, EFAULT, "second DEQUEUE into read-only memory");
	expect(!dequeue(fd, PLDMA_RX, 0, &done), "the completion must still be there");
	expect(done.id == rx.first_id && done.length == SIZE, "the completion must be the same");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
	close(fd);
	puts("a completion that cannot be copied out is kept");
}

static char *unbound;	/* cached memory of a block whose device is gone */

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	_exit((char *)info->si_addr >= unbound && (char *)info->si_addr < unbound + SIZE ? 43 : 42);
}

static void unbind_child(int ready)
{
	int fd = open_device();
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	struct pldma_alloc coherent = alloc_blocks(fd, PLDMA_COHERENT, PLDMA_TX, SIZE, 1);
	char *memory = map(fd, &rx, PROT_READ | PROT_WRITE);
	char *other = map(fd, &coherent, PROT_READ | PROT_WRITE);
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
	struct pollfd hangup = { .fd = fd };
	struct pldma_info info;

	sigaction(SIGBUS, &action, NULL);
	unbound = memory;
	*other = *memory;
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
	expect(write(ready, "", 1) == 1, "write");
	expect(dequeue(fd, PLDMA_RX, now() + 60000000000ULL, NULL) < 0 && errno == ENODEV,
	       "a waiting DEQUEUE must end with ENODEV");
	refused(fd, PLDMA_IOC_INFO, &info, ENODEV, "INFO");
	expect(enqueue(fd, rx.first_id, SIZE) < 0 && errno == ENODEV, "ENQUEUE must be ENODEV");
	expect(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, rx.mmap_offset) == MAP_FAILED &&
	       errno == ENODEV, "mmap must be ENODEV");
	expect(poll(&hangup, 1, 0) == 1 && (hangup.revents & POLLHUP), "poll must report POLLHUP");
	/* cached memory stays. The driver unmaps the other memory after it wakes waiters */
	for (;;) {
		memset(memory, 1, SIZE);
		__atomic_store_n(other, 1, __ATOMIC_RELAXED);
		usleep(1000);
	}
}

static void check_unbind(int rounds)
{
	const char *name = bound_device();
	int round;

	for (round = 0; round < rounds; round++) {
		pid_t pid = fork_child(unbind_child);
		int fd, status;

		if (round % 2)
			usleep(10000);
		put("/sys/bus/platform/drivers/pldma/unbind", name);
		expect(access(DEVICE, F_OK) < 0, "the device node must be removed");
		alarm(60);
		expect(waitpid(pid, &status, 0) == pid, "waitpid");
		alarm(0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 42)
			fail("the child ended with status 0x%x, expected SIGBUS", status);
		put("/sys/bus/platform/drivers/pldma/bind", name);
		fd = open_device();
		nothing_left(fd);
		one_frame(fd, synced[round % 4], round);
		close(fd);
	}
	printf("unbound with mappings and waiters: %d times, usable each time\n", rounds);
}

static void set_fault(const char *spec)
{
	glob_t found;
	size_t i;

	expect(!glob("/sys/kernel/debug/pl_softdma/*/fault", 0, NULL, &found),
	       "pl_softdma is not loaded");
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
	       "blocks must stay in quarantine after close");
	refused(fd, PLDMA_IOC_QUERY, &query, ENOENT, "QUERY of a block of the previous owner");
	expect(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, rx.mmap_offset) == MAP_FAILED &&
	       errno == EINVAL, "mmap of a block of the previous owner must fail");
	expect(!ioctl(fd, PLDMA_IOC_INFO, &info), "INFO");
	expect(info.chan[PLDMA_RX].flags & PLDMA_CHAN_WEDGED, "INFO must report PLDMA_CHAN_WEDGED");
	other = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	expect(enqueue(fd, other.first_id, SIZE) < 0 && errno == EIO, "ENQUEUE must be EIO");
	expect(reset(fd, &result) < 0 && errno == EIO && result.quarantined >= 1, "RESET");

	set_fault("kind=none");
	expect(!reset(fd, &result) && !result.quarantined, "RESET of an idle engine");
	free_block(fd, other.first_id);
	nothing_left(fd);
	one_frame(fd, PLDMA_STREAMING, 1);
	close(fd);
	puts("memory stays in quarantine until the engine is proved idle");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rounds = argc > 2 ? atoi(argv[2]) : 100;

	if (!strcmp(what, "killed"))
		check_killed(rounds);
	else if (!strcmp(what, "signalled"))
		check_signalled(rounds);
	else if (!strcmp(what, "stores"))
		check_stores();
	else if (!strcmp(what, "copyout"))
		check_copyout();
	else if (!strcmp(what, "waits"))
		check_waits();
	else if (!strcmp(what, "unbind"))
		check_unbind(rounds);
	else if (!strcmp(what, "wedge"))
		check_wedge();
	else
		fail("expected killed, signalled, stores, copyout, waits, unbind or wedge");
	return 0;
}
