// SPDX-License-Identifier: MIT
/* The calls that reach a device: those of the kernel. */
#include "system.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int system_open(const char *path, int flags)
{
	return open(path, flags);
}

int system_close(int fd)
{
	return close(fd);
}

int system_ioctl(int fd, uint32_t request, void *argument)
{
	return ioctl(fd, request, argument);
}

void *system_mmap(size_t length, int prot, int flags, int fd, uint64_t offset)
{
	return mmap(NULL, length, prot, flags, fd, (off_t)offset);
}

int system_munmap(void *at, size_t length)
{
	return munmap(at, length);
}
