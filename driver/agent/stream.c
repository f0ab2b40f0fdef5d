// SPDX-License-Identifier: MIT
/* A connection. */
#include "stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

int stream_read(const struct stream *stream, void *data, size_t length)
{
	uint8_t *to = data;

	while (length > 0) {
		ssize_t got = read(stream->in, to, length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		to += got;
		length -= (size_t)got;
	}
	return 0;
}

int stream_request(const struct stream *stream, struct agent_request *request)
{
	struct pollfd file = { .fd = stream->in, .events = POLLIN };
	struct stream_line *line = stream->line;

	if (line && line->has_next) {
		*request = line->next;
		line->has_next = false;
		return 0;
	}
	while (line && poll(&file, 1, -1) < 0 && errno == EINTR)
		;
	return stream_read(stream, request, sizeof(*request));
}

bool stream_ends(const struct stream *stream, const struct agent_request *request)
{
	struct stream_line *line = stream->line;

	if (!line || request->op != AGENT_HELLO)
		return false;
	line->whole = true;
	/* one without a payload says goodbye */
	line->has_next = request->length > 0;
	line->next = *request;
	return true;
}

int stream_write(const struct stream *stream, const void *data, size_t length)
{
	const uint8_t *from = data;

	while (length > 0) {
		ssize_t put = write(stream->out, from, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		from += put;
		length -= (size_t)put;
	}
	return 0;
}

void stream_keep_alive(int socket)
{
	const int on = 1, idle = 5, interval = 2, probes = 5, unacknowledged_ms = 15000;

	/* a socket of another kind refuses these, and needs none of them */
	setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
		   sizeof(unacknowledged_ms));
}
