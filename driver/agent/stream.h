/* SPDX-License-Identifier: MIT */
/* A connection: a socket, the standard input and output that ssh provides, or a serial line. */
#ifndef PLUMBLINE_AGENT_STREAM_H
#define PLUMBLINE_AGENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol.h"

struct stream {
	int in;
	int out;
	/* Of a serial line, which has no end: a frame that stops ends its session, and so does HELLO. */
	struct stream_line *line;
};

/* What one session on a serial line leaves to the next one, in memory that both processes have. */
struct stream_line {
	bool whole;			/* whether the last session ended between two frames */
	bool has_next;			/* whether it ended by `next` */
	struct agent_request next;	/* HELLO */
};

/* Reads the head of a request, for which a serial line waits. Returns 0, or -1 if the connection ended. */
int stream_request(const struct stream *stream, struct agent_request *request);

/* Whether a request ends the session of a serial line. The desk is another one then, or has gone. */
bool stream_ends(const struct stream *stream, const struct agent_request *request);

/* Reads or writes exactly `length` bytes. Returns 0, or -1 if the connection ended. */
int stream_read(const struct stream *stream, void *data, size_t length);
int stream_write(const struct stream *stream, const void *data, size_t length);

/* Ends a TCP connection within 15 s if the other end, or the network, is gone. */
void stream_keep_alive(int socket);

#endif
