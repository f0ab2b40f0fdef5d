// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_nth: run a test program again and again, and let another memory allocation of
 * its calls to the driver fail in each run
 *
 *	fuzz_nth SEED RUNS SECONDS PROGRAM [ARGUMENT...]
 *
 * The program is traced. At the entry of each system call that concerns the driver, the
 * kernel is told to let the Nth allocation fail that the thread makes from there, and at
 * the exit it is asked how many it made. First the program runs without a failure,
 * which counts the allocations. Then N goes through them in RUNS even steps, or one by
 * one, from an N that SEED chooses: the next seeds fill the gaps. The program may fail
 * meanwhile, but must end within SECONDS: otherwise the log gets the stacks of all tasks.
 * At the end it must pass again.
 *
 * A call concerns the driver if it opens its device, uses a file descriptor of the
 * device or of a dma-buf, or binds or unbinds a device. Needs root and a kernel with
 * CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC and CONFIG_FAULT_INJECTION_DEBUG_FS. Exits
 * with 0 on success.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <linux/ptrace.h>

#include "device.h"

#define NEVER 1000000000U	/* more allocations than any program makes */
#define THREADS 64

/* a thread inside a system call that concerns the driver */
struct inside {
	pid_t thread;
	unsigned int given;	/* what its fail-nth was at the entry */
};

static struct inside inside[THREADS];
static unsigned int left;	/* allocations until the one that fails; 0 after it */
static unsigned long calls;
static const char *running;

static unsigned int fail_nth_of(pid_t thread, int write_it, unsigned int value)
{
	char path[64], text[16] = {};
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fail-nth", thread, thread);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		/* the thread may have been killed meanwhile */
		expect(errno == ENOENT || errno == ESRCH, path);
		return value;
	}
	if (write_it) {
		snprintf(text, sizeof(text), "%u", value);
		if (write(fd, text, strlen(text)) < 0)
			expect(errno == ESRCH, "write to fail-nth");
	} else if (read(fd, text, sizeof(text) - 1) > 0) {
		value = strtoul(text, NULL, 10);
	}
	close(fd);
	return value;
}

static struct inside *find(pid_t thread)
{
	int i;

	for (i = 0; i < THREADS; i++)
		if (inside[i].thread == thread)
			return &inside[i];
	return NULL;
}

/* does a file descriptor of another process belong to the driver */
static bool is_ours(pid_t thread, int fd)
{
	char path[64], name[128];
	const char *end;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", thread, fd);
	n = readlink(path, name, sizeof(name) - 1);
	if (n <= 0)
		return false;
	name[n] = 0;
	end = strrchr(name, '/');
	return !strncmp(name, "/dev/pldma", 10) || !strncmp(name, "/dmabuf:", 8) ||
		(end && (!strcmp(end, "/bind") || !strcmp(end, "/unbind")));
}

/* is the text at an address of another process the path of the device */
static bool is_path(pid_t thread, unsigned long address)
{
	char name[sizeof(DEVICE)] = {};
	struct iovec own = { name, sizeof(name) }, other = { (void *)address, sizeof(name) };

	return process_vm_readv(thread, &own, 1, &other, 1, 0) == sizeof(name) &&
		!memcmp(name, DEVICE, sizeof(DEVICE));
}

static bool concerns_driver(pid_t thread, const struct ptrace_syscall_info *info)
{
	const __u64 *args = info->entry.args;

	switch (info->entry.nr) {
	case SYS_openat:
		return is_path(thread, args[1]);
	case SYS_ioctl:
	case SYS_read:
	case SYS_write:
	case SYS_close:
		return is_ours(thread, args[0]);
	case SYS_mmap:
		return (int)args[4] >= 0 && is_ours(thread, args[4]);
	default:
		return false;
	}
}

static void entered(pid_t thread)
{
	struct inside *one = find(0);

	expect(!!one, "too many threads are inside of calls");
	*one = (struct inside){ thread, left };
	calls++;
	if (left)
		fail_nth_of(thread, 1, left);
}

static void returned(struct inside *one)
{
	unsigned int rest;

	if (one->given) {
		rest = fail_nth_of(one->thread, 0, one->given);
		fail_nth_of(one->thread, 1, 0);
		/* calls of other threads may have used up what this one was given */
		if (!rest || left <= one->given - rest)
			left = 0;
		else
			left -= one->given - rest;
	}
	one->thread = 0;
}

static void out_of_time(int number)
{
	static const char text[] = "fuzz_nth: the program does not end: ";
	int log = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	(void)number;
	/* where each task stands, for the log */
	if (write(log, "t", 1) < 0)
		_exit(3);
	/* the kernel kills all that are traced */
	if (write(2, text, sizeof(text) - 1) < 0 || write(2, running, strlen(running)) < 0 ||
	    write(2, "\n", 1) < 0)
		_exit(3);
	_exit(1);
}

static void resume(pid_t thread, int number)
{
	if (ptrace(PTRACE_SYSCALL, thread, 0, number))
		expect(errno == ESRCH, "PTRACE_SYSCALL");
}

static void stopped(pid_t thread, int status)
{
	struct ptrace_syscall_info info = {};
	struct inside *one = find(thread);

	if (status >> 16) {
		/* a new thread or program, or an event of another kind */
		resume(thread, 0);
	} else if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
		resume(thread, WSTOPSIG(status));
	} else {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) < 0)
			expect(errno == ESRCH, "PTRACE_GET_SYSCALL_INFO");
		else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && concerns_driver(thread, &info))
			entered(thread);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT && one)
			returned(one);
		resume(thread, 0);
	}
}

/* run the program, whose allocation number @nth fails. Return its status */
static int run_traced(char **argv, unsigned int nth, unsigned int seconds, bool quiet)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int ready[2], status, result = -1;
	pid_t child, thread;
	char byte;

	memset(inside, 0, sizeof(inside));
	left = nth;
	calls = 0;
	expect(!pipe(ready), "pipe");
	child = fork();
	expect(child >= 0, "fork");
	if (!child) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			_exit(127);
		close(ready[0]);
		if (quiet && (!freopen("/dev/null", "w", stdout) ||
			      !freopen("/dev/null", "w", stderr)))
			_exit(127);
		execvp(argv[0], argv);
		_exit(127);
	}
	expect(!ptrace(PTRACE_SEIZE, child, 0, options), "PTRACE_SEIZE");
	expect(!ptrace(PTRACE_INTERRUPT, child, 0, 0), "PTRACE_INTERRUPT");
	expect(write(ready[1], "", 1) == 1, "write");
	close(ready[0]);
	close(ready[1]);
	alarm(seconds);
	while ((thread = waitpid(-1, &status, __WALL)) > 0) {
		struct inside *one = find(thread);

		if (WIFSTOPPED(status)) {
			stopped(thread, status);
			continue;
		}
		/* it was killed inside of a call, and nobody can ask it any more */
		if (one)
			one->thread = 0;
		if (thread == child)
			result = status;
	}
	alarm(0);
	return result;
}

static bool passed(int status)
{
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* a program that fails between unbinding a device and binding it leaves it unbound */
static void restore(const char *name)
{
	if (access(DEVICE, F_OK))
		put("/sys/bus/platform/drivers/pldma/bind", name);
	expect(!access(DEVICE, F_OK), "the device is gone: " DEVICE);
}

static void let_all_fail(void)
{
	put("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/failslab/verbose", "0");
	put("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	put("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	put("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

int main(int argc, char **argv)
{
	unsigned int seed, runs, seconds, total, nth, i, hit = 0, noticed = 0;
	char device[256], text[512] = {};
	int status;

	if (argc < 5)
		fail("expected SEED RUNS SECONDS PROGRAM [ARGUMENT...]");
	seed = strtoul(argv[1], NULL, 0);
	runs = strtoul(argv[2], NULL, 0);
	seconds = strtoul(argv[3], NULL, 0);
	expect(seed && runs && seconds, "SEED, RUNS and SECONDS must be numbers above zero");
	argv += 4;
	for (i = 0; argv[i]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 i ? " " : "", argv[i]);
	running = text;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, out_of_time);
	snprintf(device, sizeof(device), "%s", bound_device());
	let_all_fail();

	status = run_traced(argv, NEVER, seconds, true);
	if (!passed(status))
		fail("%s does not pass while no allocation fails (status 0x%x)", text, status);
	total = NEVER - left;
	expect(total > 0, "the calls of the program allocate nothing");
	printf("fuzz_nth: %s: %lu calls make %u allocations\n", text, calls, total);
	if (runs > total)
		runs = total;
	for (i = 0; i < runs; i++) {
		nth = (seed - 1 + (unsigned long)i * total / runs) % total + 1;
		/* a warning that comes once only would hide what the next run causes */
		put("/sys/kernel/debug/clear_warn_once", "1");
		status = run_traced(argv, nth, seconds, true);
		restore(device);
		hit += !left;
		noticed += !passed(status);
	}
	status = run_traced(argv, NEVER, seconds, false);
	if (!passed(status))
		fail("%s does not pass after allocations failed (status 0x%x)", text, status);
	printf("fuzz_nth: %s: %u allocations failed, %u runs noticed, passes again\n", text, hit,
	       noticed);
	return 0;
}
