// SPDX-License-Identifier: MIT
/*
 * One connection with a desk: after HELLO, requests, one after another. protocol.h has the structs, and
 * README.md the table of requests.
 */
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "device.h"
#include "files.h"
#include "hello.h"
#include "join.h"
#include "load.h"
#include "memory.h"
#include "protocol.h"
#include "repeat.h"
#include "reply.h"

/* Connections that joined. Requests name them from 1, because 0 is the connection itself. */
#define MAX_JOINED	16

static struct stream joined[MAX_JOINED];
static int joined_count;

/* The payload of a request, with room for a zero byte behind it. */
static uint8_t in[AGENT_MAX_PAYLOAD + 1];

static int64_t fail(int error)
{
	errno = error;
	return -1;
}

/* The payload as text, or NULL if it holds a zero byte. */
static const char *text(uint32_t length)
{
	in[length] = 0;
	if (!memchr(in, 0, length))
		return (const char *)in;
	errno = EINVAL;
	return NULL;
}

/* Makes an ioctl in a child, which answers on another connection when the call returns. */
static int64_t ioctl_elsewhere(const uint64_t *arg, uint32_t size)
{
	const struct stream *stream = &joined[arg[2] - 1];
	pid_t parent = getpid(), child = fork();
	int64_t result;
	int error;

	if (child != 0)
		return child < 0 ? -1 : 0;
	/* with the session, so that a lost desk leaves nothing behind */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* a device is open until the last process has closed it, and the desk may open it again */
	device_close_others(arg[0]);
	result = device_ioctl(arg[0], arg[1], reply_payload, size, NULL, 0);
	error = result < 0 ? errno : 0;
	device_close(arg[0]);
	reply_send(stream, result, error, 0, size);
	_exit(0);
}

static int64_t do_ioctl(const uint64_t *arg, uint32_t size, uint32_t *length)
{
	uint32_t items = (uint32_t)arg[3];
	int64_t result;
	int error;

	if (arg[3] > size || size - items > DEVICE_MAX_STRUCT || arg[2] > (uint64_t)joined_count)
		return fail(EINVAL);
	/* a batch does not wait elsewhere */
	if (arg[2] != 0 && items > 0)
		return fail(EINVAL);
	size -= items;
	memcpy(reply_payload, in, size);
	memset(reply_payload + size, 0, device_room(arg[1], size) - size);
	if (arg[2] != 0)
		return ioctl_elsewhere(arg, size);
	/* a failed request may have written its struct, so it goes back in any case */
	*length = size + items;
	result = device_ioctl(arg[0], arg[1], reply_payload, size, in + size, items);
	error = errno;
	memcpy(reply_payload + size, in + size, items);
	errno = error;
	return result;
}

static int64_t do_mmap(const uint64_t *arg)
{
	/* MAP_ANONYMOUS needs no file */
	int fd = arg[2] & 0x20 ? -1 : device_fd(arg[3]);

	return fd < 0 && !(arg[2] & 0x20) ? -1 : memory_map(arg[0], arg[1], arg[2], fd, arg[4]);
}

static int64_t do_poll(const uint64_t *arg)
{
	if (device_fd(arg[0]) < 0)
		return -1;
	if (arg[2] > 0x7fffffff)
		return fail(EINVAL);
	return device_poll(arg[0], arg[1], arg[2]);
}

static int64_t do_read(const uint64_t *arg, uint32_t *length)
{
	int64_t got;

	if (device_fd(arg[0]) < 0)
		return -1;
	if (arg[1] > AGENT_MAX_PAYLOAD)
		return fail(EINVAL);
	got = device_read(arg[0], reply_payload, arg[1]);
	*length = got < 0 ? 0 : (uint32_t)got;
	return got;
}

static int64_t do_get(const uint64_t *arg, uint32_t *length)
{
	int64_t result;

	if (arg[1] > AGENT_MAX_PAYLOAD)
		return fail(EINVAL);
	result = memory_get(arg[0], reply_payload, arg[1]);
	*length = result < 0 ? 0 : (uint32_t)arg[1];
	return result;
}

static int64_t do_compare(const uint64_t *arg, bool with_payload, uint32_t size, uint32_t *length)
{
	struct agent_difference where;
	int64_t result = with_payload ? memory_compare_with(arg[0], in, size, &where)
				      : memory_compare(arg[0], arg[1], arg[2], &where);

	if (result < 0)
		return -1;
	memcpy(reply_payload, &where, sizeof(where));
	*length = sizeof(where);
	return result;
}

static int64_t do_lock(const uint64_t *arg, uint32_t size, uint32_t *length)
{
	const char *device = (const char *)in, *what;
	size_t known = 0;
	int64_t result;

	in[size] = 0;
	what = device + strlen(device) + 1;
	/* device, zero byte, text without a zero byte */
	if (what > device + size || strlen(what) != (size_t)(device + size - what))
		return fail(EINVAL);
	if (!device_allowed(device))
		return fail(EACCES);
	result = files_lock(device, what, arg[0], (char *)reply_payload, AGENT_MAX_PAYLOAD, &known);
	*length = (uint32_t)known;
	return result;
}

static int64_t do_file(const struct agent_request *request, uint32_t *length)
{
	const char *path = text(request->length);
	char *to = (char *)reply_payload;
	int64_t result;

	if (!path)
		return -1;
	switch (request->op) {
	case AGENT_FILE:
		result = files_read(path, to, AGENT_MAX_PAYLOAD);
		break;
	case AGENT_LIST:
		result = files_list(path, to, AGENT_MAX_PAYLOAD);
		break;
	default:
		result = files_link(path, to, AGENT_MAX_PAYLOAD);
	}
	*length = result < 0 ? 0 : (uint32_t)result;
	return result;
}

static int64_t do_log(const uint64_t *arg, uint32_t *length)
{
	int64_t result;

	if (arg[0] > AGENT_MAX_PAYLOAD)
		return fail(EINVAL);
	result = files_log((char *)reply_payload, (size_t)arg[0]);
	*length = result < 0 ? 0 : (uint32_t)result;
	return result;
}

static int64_t do_attach(void)
{
	if (joined_count == MAX_JOINED)
		return fail(EMFILE);
	if (join_accept(&joined[joined_count]))
		return -1;
	return ++joined_count;
}

/* Carries a request out. Returns its result, or -1 and sets errno. */
static int64_t carry_out(const struct agent_request *request, uint32_t *length)
{
	const uint64_t *arg = request->arg;
	uint32_t size = request->length;
	const char *path;

	switch (request->op) {
	case AGENT_OPEN:
		path = text(size);
		return path ? device_open(path, arg[0]) : -1;
	case AGENT_CLOSE:
		return device_close(arg[0]);
	case AGENT_IOCTL:
		return do_ioctl(arg, size, length);
	case AGENT_MMAP:
		return do_mmap(arg);
	case AGENT_MUNMAP:
		return memory_unmap(arg[0], arg[1]);
	case AGENT_POLL:
		return do_poll(arg);
	case AGENT_READ:
		return do_read(arg, length);
	case AGENT_WRITE:
		return device_write(arg[0], in, size);
	case AGENT_CLOCK:
		return 0;
	case AGENT_PUT:
		return memory_put(arg[0], in, size);
	case AGENT_GET:
		return do_get(arg, length);
	case AGENT_COPY:
		return memory_copy(arg[0], arg[1], arg[2]);
	case AGENT_COMPARE:
		return do_compare(arg, false, size, length);
	case AGENT_COMPARE_WITH:
		return do_compare(arg, true, size, length);
	case AGENT_FILL:
		return memory_fill(arg[0], arg[1], arg[2]);
	case AGENT_CRC:
		return memory_crc(arg[0], arg[1]);
	case AGENT_SUM:
		return memory_sum(arg[0], arg[1], arg[2]);
	case AGENT_REPEAT:
		return repeat_run(arg, in, size, reply_payload, length);
	case AGENT_LOCK:
		return do_lock(arg, size, length);
	case AGENT_FILE:
	case AGENT_LIST:
	case AGENT_LINK:
		return do_file(request, length);
	case AGENT_CREATE:
		path = text(size);
		return path ? device_create(path) : -1;
	case AGENT_FOLDER:
		path = text(size);
		return path ? load_make_folder(path) : -1;
	case AGENT_REMOVE:
		path = text(size);
		return path ? load_remove(path) : -1;
	case AGENT_EXISTS:
		path = text(size);
		return path ? files_exist(path) : -1;
	case AGENT_ATTACH:
		return do_attach();
	case AGENT_LOG:
		return do_log(arg, length);
	default:
		return fail(ENOSYS);
	}
}

void session_serve(const struct stream *stream, const char *token)
{
	int posted = 0;

	memory_init();
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (!hello_serve(stream, token))
		return;
	for (;;) {
		struct agent_request request;
		uint32_t length = 0;
		int64_t result;
		int error;

		if (stream_request(stream, &request) || stream_ends(stream, &request) ||
		    request.length > AGENT_MAX_PAYLOAD ||
		    stream_read(stream, in, request.length))
			return;
		result = carry_out(&request, &length);
		error = result < 0 ? errno : 0;
		if (request.flags & AGENT_POSTED) {
			if (!posted)
				posted = error;
			continue;
		}
		if (reply_send(stream, result, error, posted, length))
			return;
		posted = 0;
	}
}
