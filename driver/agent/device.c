// SPDX-License-Identifier: MIT
/* The device files of a session. */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "memory.h"
#include "path.h"
#include "pldma.h"
#include "system.h"

#define MAX_PATTERNS	16

static const char *patterns[MAX_PATTERNS] = { "/dev/pldma*" };
static int pattern_count;

static int files[DEVICE_MAX_FILES];
static int file_count;

int device_allow(const char *pattern)
{
	if (pattern_count == MAX_PATTERNS)
		return -1;
	patterns[pattern_count++] = pattern;
	return 0;
}

int device_allowed(const char *path)
{
	for (int i = 0; i == 0 || i < pattern_count; i++)
		if (path_matches(patterns[i], path))
			return 1;
	return 0;
}

/* Files of the kernel that inject faults. The desk reads what they did by FILE. */
static const char *const fault_files[] = {
	"/sys/kernel/debug/pl_softdma/*/fault", "/sys/kernel/debug/pl_loopback/*/fault",
	"/sys/module/pldma/parameters/fault", "/sys/module/pl_advbus/parameters/*",
};
static int faults_allowed;

void device_allow_faults(void)
{
	faults_allowed = 1;
}

static int is_fault_file(const char *path)
{
	return faults_allowed &&
	       path_is_among(fault_files, sizeof(fault_files) / sizeof(*fault_files), path);
}

static int64_t keep(int fd)
{
	if (fd >= 0)
		files[file_count++] = fd;
	return fd;
}

static bool is_full(void)
{
	errno = EMFILE;
	return file_count == DEVICE_MAX_FILES;
}

/* What sets the attributes of a core's transfers. Its driver asks for CAP_SYS_RAWIO. */
static const char *const attribute_file = "/sys/kernel/debug/pl_loopback/*/attributes";

int64_t device_open(const char *path, uint64_t flags)
{
	/* a `*` would match two dots */
	if (strstr(path, "/..") ||
	    (!device_allowed(path) && !path_matches(attribute_file, path) &&
	     !is_fault_file(path) && !load_may_write(path))) {
		errno = EACCES;
		return -1;
	}
	if (is_full())
		return -1;
	/* nothing that makes, cuts or renames a file */
	if (flags & ~(uint64_t)(O_ACCMODE | O_NONBLOCK | O_CLOEXEC)) {
		errno = EINVAL;
		return -1;
	}
	return keep(system_open(path, (int)flags | O_CLOEXEC | O_NOCTTY));
}

int64_t device_create(const char *path)
{
	return is_full() ? -1 : keep(load_create(path));
}

static int index_of(uint64_t fd)
{
	for (int i = 0; i < file_count; i++)
		if ((uint64_t)files[i] == fd)
			return i;
	errno = EBADF;
	return -1;
}

int64_t device_close(uint64_t fd)
{
	int i = index_of(fd);

	if (i < 0)
		return -1;
	files[i] = files[--file_count];
	return system_close((int)fd);
}

void device_close_others(uint64_t fd)
{
	for (int i = file_count - 1; i >= 0; i--)
		if ((uint64_t)files[i] != fd)
			device_close((uint64_t)files[i]);
}

int device_fd(uint64_t fd)
{
	int i = index_of(fd);

	return i < 0 ? -1 : files[i];
}

/*
 * Members of structs that mean something else on the desk than here. A desk does not know the addresses
 * and the clock of this machine. All other requests pass as they are. The driver tells requests apart by
 * their number only, because structs may grow, so this table does too. A new request whose struct has such
 * a member needs a line here, so requests with a higher number than the last known one are refused.
 */
static const struct translation {
	uint32_t number;	/* _IOC_NR of the request */
	uint32_t offset;	/* of a u64 in the struct */
	enum { POINTER, ITEMS, DEADLINE } kind;
	uint32_t length;	/* POINTER: offset of the u64 with the length of what it points to */
	uint32_t item_size;	/* ITEMS: offset of the u32 with the size of an item */
	uint32_t count;		/* ITEMS: offset of the u32 with their number */
} translations[] = {
	{ .number = _IOC_NR(PLDMA_IOC_REGISTER), .kind = POINTER,
	  .offset = offsetof(struct pldma_register, address),
	  .length = offsetof(struct pldma_register, size) },
	{ .number = _IOC_NR(PLDMA_IOC_DEQUEUE), .kind = DEADLINE,
	  .offset = offsetof(struct pldma_dequeue, deadline_ns) },
	{ .number = _IOC_NR(PLDMA_IOC_ENQUEUE_BATCH), .kind = ITEMS,
	  .offset = offsetof(struct pldma_enqueue_batch, items),
	  .item_size = offsetof(struct pldma_enqueue_batch, item_size),
	  .count = offsetof(struct pldma_enqueue_batch, count) },
	{ .number = _IOC_NR(PLDMA_IOC_DEQUEUE_BATCH), .kind = ITEMS,
	  .offset = offsetof(struct pldma_dequeue_batch, items),
	  .item_size = offsetof(struct pldma_dequeue_batch, item_size),
	  .count = offsetof(struct pldma_dequeue_batch, count) },
	{ .number = _IOC_NR(PLDMA_IOC_DEQUEUE_BATCH), .kind = DEADLINE,
	  .offset = offsetof(struct pldma_dequeue_batch, deadline_ns) },
};

#define TRANSLATIONS	(sizeof(translations) / sizeof(*translations))

/* The last request that this table was made for. */
#define LAST_REQUEST	PLDMA_IOC_CACHE

static uint32_t u32_at(const uint8_t *argument, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, argument + offset, sizeof(value));
	return value;
}

static uint64_t translate(const struct translation *member, const uint8_t *argument, uint64_t value,
			  void *items, uint64_t size)
{
	uint64_t length;

	switch (member->kind) {
	case POINTER:
		memcpy(&length, argument + member->length, sizeof(length));
		return memory_pointer(value, length);
	case ITEMS:
		length = (uint64_t)u32_at(argument, member->item_size) * u32_at(argument, member->count);
		/* the driver must not reach beyond what the desk sent */
		return length <= size ? (uintptr_t)items : memory_pointer(value, length);
	case DEADLINE:
		break;
	}
	/* 0 is "do not wait", and what is no time from now is for the driver to refuse */
	if (value == 0 || value >> 63)
		return value;
	/* the last moment that there is stays that */
	return value > INT64_MAX - clock_ns() ? INT64_MAX : clock_ns() + value;
}

/* The session owns a file that a request returned in its struct, as if it had opened it. */
static int64_t adopt(uint8_t *argument)
{
	int fd = (int)u32_at(argument, offsetof(struct pldma_export, fd));

	if (file_count == DEVICE_MAX_FILES) {
		system_close(fd);
		errno = EMFILE;
		return -1;
	}
	files[file_count++] = fd;
	return 0;
}

int64_t device_poll(uint64_t fd, uint64_t events, uint64_t milliseconds)
{
	struct pollfd file = { .fd = device_fd(fd), .events = (short)events };

	if (file.fd < 0)
		return -1;
	return poll(&file, 1, (int)milliseconds) < 0 ? -1 : (unsigned short)file.revents;
}

int64_t device_read(uint64_t fd, void *data, uint64_t size)
{
	int file = device_fd(fd);

	return file < 0 ? -1 : read(file, data, (size_t)size);
}

int64_t device_write(uint64_t fd, const void *data, uint64_t size)
{
	int file = device_fd(fd);

	return file < 0 ? -1 : write(file, data, (size_t)size);
}

int64_t device_ioctl(uint64_t fd, uint64_t request, uint8_t *argument, uint32_t size, void *items,
		     uint64_t length)
{
	int own = _IOC_TYPE((uint32_t)request) == PLDMA_IOC_MAGIC, file = device_fd(fd), error;
	uint32_t number = _IOC_NR((uint32_t)request);
	uint64_t sent[TRANSLATIONS], here;
	int64_t result;

	if (file < 0)
		return -1;
	if (request > UINT32_MAX || (own && number > _IOC_NR(LAST_REQUEST))) {
		errno = ENOTTY;
		return -1;
	}
	for (size_t i = 0; own && i < TRANSLATIONS; i++) {
		if (translations[i].number != number)
			continue;
		memcpy(&sent[i], argument + translations[i].offset, sizeof(sent[i]));
		here = translate(&translations[i], argument, sent[i], items, length);
		memcpy(argument + translations[i].offset, &here, sizeof(here));
	}
	result = system_ioctl(file, (uint32_t)request, size > 0 ? argument : NULL);
	error = errno;
	for (size_t i = 0; own && i < TRANSLATIONS; i++)
		if (translations[i].number == number)
			memcpy(argument + translations[i].offset, &sent[i], sizeof(sent[i]));
	if (own && number == _IOC_NR(PLDMA_IOC_EXPORT) && result == 0)
		return adopt(argument);
	errno = error;
	return result;
}

uint32_t device_room(uint64_t request, uint32_t size)
{
	uint32_t most = DEVICE_MAX_STRUCT;

	/* all others, whose numbers may have no size */
	if (_IOC_TYPE((uint32_t)request) == PLDMA_IOC_MAGIC)
		most = _IOC_SIZE((uint32_t)request);
	return size > most ? size : most;
}

int device_transferred(uint64_t request, const uint8_t *argument)
{
	const uint32_t at = offsetof(struct pldma_dequeue, status);

	return _IOC_TYPE((uint32_t)request) != PLDMA_IOC_MAGIC ||
	       _IOC_NR((uint32_t)request) != _IOC_NR(PLDMA_IOC_DEQUEUE) ||
	       _IOC_SIZE((uint32_t)request) < at + 4 || u32_at(argument, at) == 0;
}
