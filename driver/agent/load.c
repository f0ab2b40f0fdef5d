// SPDX-License-Identifier: MIT
/* The files with which a desk loads a bitstream. fixtures/bitstream/load says what it does with them. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"

#define COUNT(list)	(sizeof(list) / sizeof(*(list)))

/* Attributes of the kernel, which exist. */
static const char *const written[] = {
	"/sys/class/fpga_manager/*/flags", "/sys/class/fpga_manager/*/firmware",
	"/sys/bus/platform/drivers/pldma/bind", "/sys/bus/platform/drivers/pldma/unbind",
	"/sys/module/firmware_class/parameters/path",
	"/sys/kernel/config/device-tree/overlays/*/dtbo",
};

/* Files that come and go. */
static const char *const created[] = {
	"/lib/firmware/*", "/run/plumbline/firmware/*", "/run/plumbline/bitstream.json",
};

static const char *const overlay = "/sys/kernel/config/device-tree/overlays/*";
static const char *const folders[] = {
	"/lib/firmware", "/run/plumbline", "/run/plumbline/firmware",
};

/* What was loaded, and which programs have a device open. */
static const char *const readable[] = {
	"/run/plumbline/bitstream.json", "/proc/sys/kernel/random/boot_id", "/proc/*/comm",
};
static const char *const listed[] = {
	"/lib/firmware", "/run/plumbline/firmware", "/proc", "/proc/*/fd",
};

static bool allowed;

void load_allow(void)
{
	allowed = true;
}

bool load_may_write(const char *path)
{
	return allowed && path_is_among(written, COUNT(written), path);
}

bool load_may_read(const char *path)
{
	return allowed && path_is_among(readable, COUNT(readable), path);
}

bool load_may_list(const char *path)
{
	return allowed && path_is_among(listed, COUNT(listed), path);
}

bool load_may_follow(const char *path)
{
	return allowed && path_matches("/proc/*/fd/*", path);
}

bool load_is_allowed(void)
{
	return allowed;
}

static bool refused(bool is_known)
{
	if (allowed && is_known)
		return false;
	errno = EACCES;
	return true;
}

int load_create(const char *path)
{
	if (refused(path_is_among(created, COUNT(created), path)))
		return -1;
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

int64_t load_make_folder(const char *path)
{
	if (refused(path_is_among(folders, COUNT(folders), path) ||
		    path_is_among(&overlay, 1, path)))
		return -1;
	return mkdir(path, 0755);
}

int64_t load_remove(const char *path)
{
	if (!refused(path_is_among(created, COUNT(created), path)))
		return unlink(path);
	/* the kernel removes what is in the folder of an overlay */
	if (refused(path_is_among(&overlay, 1, path)))
		return -1;
	return rmdir(path);
}
