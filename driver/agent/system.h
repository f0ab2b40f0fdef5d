/* SPDX-License-Identifier: MIT */
/*
 * The calls that reach a device. system.c makes them. The tests of the agent link a driver in this
 * process in its place (tests/fake_pldma.c), so that they need no device.
 */
#ifndef PLUMBLINE_AGENT_SYSTEM_H
#define PLUMBLINE_AGENT_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* Each returns -1 and sets errno if it fails, as the system call of the same name does. */
int system_open(const char *path, int flags);
int system_close(int fd);
int system_ioctl(int fd, uint32_t request, void *argument);
void *system_mmap(size_t length, int prot, int flags, int fd, uint64_t offset);
int system_munmap(void *at, size_t length);

#endif
