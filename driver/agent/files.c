// SPDX-License-Identifier: MIT
/* Files of the kernel, and the lock on a board. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "load.h"

/* Longest path that is made here. */
#define MAX_PATH	256

static int starts(const char *path, const char *with)
{
	return !strncmp(path, with, strlen(with));
}

static int in_sys(const char *path)
{
	return starts(path, "/sys/") && !strstr(path, "/..");
}

/* Of processes only what this one has and may do, and no memory. */
static int readable(const char *path)
{
	static const char *const known[] = {
		"/proc/cmdline", "/proc/config.gz", "/proc/cpuinfo", "/proc/device-tree/model",
		"/proc/interrupts", "/proc/loadavg", "/proc/meminfo", "/proc/modules",
		"/proc/self/auxv", "/proc/self/limits", "/proc/self/smaps", "/proc/self/status",
		"/proc/version",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(path, known[i]))
			return 1;
	return in_sys(path) || load_may_read(path);
}

static int64_t refuse(int error)
{
	errno = error;
	return -1;
}

static int64_t read_all(int fd, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size && (got = read(fd, buffer + length, size - length)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		length += (size_t)got;
	}
	return (int64_t)length;
}

int64_t files_read(const char *path, char *buffer, size_t size)
{
	int64_t length;
	int fd, error;

	if (!readable(path))
		return refuse(EACCES);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	length = read_all(fd, buffer, size);
	error = errno;
	close(fd);
	errno = error;
	return length;
}

int64_t files_list(const char *path, char *buffer, size_t size)
{
	struct dirent *entry;
	size_t length = 0;
	DIR *folder;

	if (!in_sys(path) && !load_may_list(path))
		return refuse(EACCES);
	folder = opendir(path);
	if (!folder)
		return -1;
	while ((entry = readdir(folder))) {
		size_t room = strlen(entry->d_name) + 1;

		if (entry->d_name[0] == '.' || room > size - length)
			continue;
		memcpy(buffer + length, entry->d_name, room);
		length += room;
	}
	closedir(folder);
	return (int64_t)length;
}

int64_t files_link(const char *path, char *buffer, size_t size)
{
	if (!in_sys(path) && !load_may_follow(path))
		return refuse(EACCES);
	return readlink(path, buffer, size);
}

int64_t files_exist(const char *path)
{
	if (!in_sys(path) && !device_allowed(path) && !load_is_allowed())
		return refuse(EACCES);
	return access(path, F_OK);
}

int64_t files_log(char *buffer, size_t size)
{
	/* SYSLOG_ACTION_READ_ALL: the last messages, which stay */
	return klogctl(3, buffer, (int)size);
}

/* Puts together the path of a device's lock, such as /run/lock/plumbline-dev-pldma0.lock. */
static int lock_path(const char *device, char *path)
{
	static const char end[] = ".lock";
	struct stat folder;
	char *to;

	strcpy(path, stat("/run/lock", &folder) ? "/tmp/plumbline" : "/run/lock/plumbline");
	to = path + strlen(path);
	if (strlen(device) + sizeof(end) > (size_t)(path + MAX_PATH - to))
		return -1;
	for (; *device; device++)
		*to++ = *device == '/' ? '-' : *device;
	strcpy(to, end);
	return 0;
}

/* Opens the file of a lock, which any user may take later. */
static int open_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd >= 0)
		(void)!fchmod(fd, 0666);
	else if (errno == EEXIST)
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return fd;
}

static int lock_within(int fd, uint64_t wait_ms)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000000 };

	for (uint64_t waited = 0; flock(fd, LOCK_EX | LOCK_NB); waited += 50) {
		if (errno != EWOULDBLOCK || waited >= wait_ms)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int64_t files_lock(const char *device, const char *text, uint64_t wait_ms, char *buffer, size_t size,
		   size_t *length)
{
	size_t bytes = strlen(text);
	char path[MAX_PATH];
	int64_t got;
	int fd, free;

	*length = 0;
	if (lock_path(device, path))
		return refuse(ENAMETOOLONG);
	fd = open_lock(path);
	if (fd < 0)
		return -1;
	free = !lock_within(fd, wait_ms);
	got = read_all(fd, buffer, size);
	*length = got < 0 ? 0 : (size_t)got;
	if (!free || ftruncate(fd, 0) || pwrite(fd, text, bytes, 0) != (ssize_t)bytes) {
		close(fd);
		return refuse(free ? EIO : EWOULDBLOCK);
	}
	/* the file stays open, because closing it would drop the lock */
	return (int64_t)*length;
}
