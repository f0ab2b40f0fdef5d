// SPDX-License-Identifier: MIT
/* A serial line as the connection. */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Tenths of a second after which a frame that does not go on is given up. */
#define PATIENCE	20

static const struct {
	unsigned long bits_per_second;
	speed_t speed;
} speeds[] = {
	{ 9600, B9600 }, { 19200, B19200 }, { 38400, B38400 }, { 57600, B57600 },
	{ 115200, B115200 }, { 230400, B230400 }, { 460800, B460800 }, { 921600, B921600 },
};

static int set_up(int fd, unsigned long bits_per_second)
{
	struct termios line;

	if (tcgetattr(fd, &line))
		return -1;
	cfmakeraw(&line);
	line.c_cflag |= CLOCAL | CREAD;
	line.c_cc[VMIN] = 0;
	line.c_cc[VTIME] = PATIENCE;
	for (size_t i = 0; i < sizeof(speeds) / sizeof(*speeds); i++) {
		if (speeds[i].bits_per_second != bits_per_second)
			continue;
		cfsetispeed(&line, speeds[i].speed);
		cfsetospeed(&line, speeds[i].speed);
		return tcsetattr(fd, TCSANOW, &line);
	}
	errno = EINVAL;
	return -1;
}

int serial_open(const char *text)
{
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	char path[256], *end = "";
	unsigned long speed = colon ? strtoul(colon + 1, &end, 10) : 115200;
	int fd;

	if (length >= sizeof(path) || *end) {
		errno = EINVAL;
		return -1;
	}
	memcpy(path, text, length);
	path[length] = 0;
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && set_up(fd, speed)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

void serial_flush(int fd)
{
	tcflush(fd, TCIFLUSH);
}
