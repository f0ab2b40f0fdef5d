// SPDX-License-Identifier: MIT
/* Further connections of a session. */
#define _GNU_SOURCE
#include "join.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "protocol.h"

static int listener = -1;

/* An abstract address, which leaves no file behind. */
static socklen_t address_of(const uint8_t *session, struct sockaddr_un *address)
{
	static const char prefix[] = "plumbline-agent-";
	char *to = address->sun_path + 1;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(to, prefix, sizeof(prefix) - 1);
	to += sizeof(prefix) - 1;
	for (int i = 0; i < AGENT_SESSION_SIZE; i++) {
		*to++ = "0123456789abcdef"[session[i] >> 4];
		*to++ = "0123456789abcdef"[session[i] & 15];
	}
	return (socklen_t)(to - (char *)address);
}

int join_listen(uint8_t *session)
{
	const struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_un address;

	if (getrandom(session, AGENT_SESSION_SIZE, 0) != AGENT_SESSION_SIZE)
		return -1;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    bind(listener, (struct sockaddr *)&address, address_of(session, &address)))
		return -1;
	return listen(listener, 4);
}

/* What carries two file descriptors over a Unix socket. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(2 * sizeof(int))];
};

static int receive(int from, int *fds)
{
	union control control;
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return -1;
	memcpy(fds, CMSG_DATA(header), 2 * sizeof(int));
	return 0;
}

int join_accept(struct stream *stream)
{
	const struct timeval patience = { .tv_sec = 5 };
	socklen_t size = sizeof(struct ucred);
	struct ucred other;
	int fds[2];
	/* stays open: its end tells the other process that this one ended */
	int from = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (from < 0)
		return -1;
	if (setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    getsockopt(from, SOL_SOCKET, SO_PEERCRED, &other, &size) ||
	    other.uid != geteuid() || receive(from, fds)) {
		close(from);
		errno = EACCES;
		return -1;
	}
	*stream = (struct stream){ .in = fds[0], .out = fds[1] };
	return 0;
}

int join_session(const uint8_t *session, const struct stream *stream)
{
	union control control = { .room = { 0 } };
	char byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[2] = { stream->in, stream->out };
	struct sockaddr_un address;
	int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (to < 0)
		return -1;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	if (connect(to, (struct sockaddr *)&address, address_of(session, &address)) ||
	    sendmsg(to, &message, MSG_NOSIGNAL) != 1) {
		int error = errno;

		close(to);
		errno = error;
		return -1;
	}
	return to;
}
