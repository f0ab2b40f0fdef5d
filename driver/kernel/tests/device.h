/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls to /dev/pldma0 for the test programs, which end the program on a failure
 */
#ifndef PLDMA_TEST_DEVICE_H
#define PLDMA_TEST_DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "pldma.h"

#define DEVICE "/dev/pldma0"
#define SIZE 65536
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static inline void expect(int condition, const char *what)
{
	if (!condition)
		fail("%s (last errno: %s)", what, strerror(errno));
}

static inline __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static inline int open_device(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	expect(fd >= 0, "open " DEVICE);
	return fd;
}

static inline struct pldma_alloc alloc_blocks(int fd, __u32 policy, __u32 direction, __u64 size,
					      __u32 count)
{
	struct pldma_alloc arg = {
		.policy = policy, .direction = direction, .size = size, .count = count,
	};

	expect(!ioctl(fd, PLDMA_IOC_ALLOC, &arg), "ALLOC");
	return arg;
}

static inline int enqueue(int fd, __u32 id, __u64 length)
{
	struct pldma_enqueue arg = { .id = id, .length = length };

	return ioctl(fd, PLDMA_IOC_ENQUEUE, &arg);
}

static inline int dequeue(int fd, __u32 direction, __u64 deadline, struct pldma_dequeue *out)
{
	struct pldma_dequeue arg = { .direction = direction, .deadline_ns = deadline };
	int ret = ioctl(fd, PLDMA_IOC_DEQUEUE, &arg);

	if (out)
		*out = arg;
	return ret;
}

static inline int reset(int fd, struct pldma_reset *out)
{
	struct pldma_reset arg = {};
	int ret = ioctl(fd, PLDMA_IOC_RESET, &arg);

	if (out)
		*out = arg;
	return ret;
}

static inline void *map(int fd, const struct pldma_alloc *blocks, int prot)
{
	void *memory = mmap(NULL, blocks->size, prot, MAP_SHARED, fd, blocks->mmap_offset);

	expect(memory != MAP_FAILED, "mmap");
	return memory;
}

static inline void free_block(int fd, __u32 id)
{
	struct pldma_free arg = { .id = id };

	expect(!ioctl(fd, PLDMA_IOC_FREE, &arg), "FREE");
}

/* a call that must fail with a certain errno */
static inline void refused(int fd, unsigned long request, void *arg, int code, const char *what)
{
	errno = 0;
	if (ioctl(fd, request, arg) != -1 || errno != code)
		fail("%s: expected %s, found %s", what, strerror(code), strerror(errno));
}

/* write to a file of sysfs or procfs */
static inline void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail("%s: cannot write %s: %s", path, text, strerror(errno));
	close(fd);
}

/* name of the platform device of /dev/pldma0, for the files bind and unbind of its driver */
static inline const char *bound_device(void)
{
	static char link[256];
	ssize_t n = readlink("/sys/class/misc/pldma0/device", link, sizeof(link) - 1);

	expect(n > 0, "readlink");
	link[n] = 0;
	return strrchr(link, '/') + 1;
}

/* start a child and wait until it writes a byte */
static inline pid_t fork_child(void (*child)(int ready))
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

#endif /* PLDMA_TEST_DEVICE_H */
