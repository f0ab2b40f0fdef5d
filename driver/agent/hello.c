// SPDX-License-Identifier: MIT
/* The first request of a connection: it proves that both ends speak the same protocol. */
#include "hello.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "join.h"
#include "protocol.h"
#include "reply.h"

/* Seconds that a stranger has for HELLO. */
#define PATIENCE	10

/* The payload of HELLO. */
struct sent {
	struct agent_hello hello;
	uint8_t token[AGENT_MAX_TOKEN];
};

/* Compares in a time that does not depend on where the tokens differ. */
static bool token_matches(const char *token, const uint8_t *sent, size_t length)
{
	size_t expected = strlen(token);
	uint8_t different = expected != length;

	for (size_t i = 0; i < length && expected > 0; i++)
		different |= (uint8_t)token[i % expected] ^ sent[i];
	return !different;
}

/* Returns the errno of a HELLO, or 0. */
static int check(const struct sent *sent, uint32_t length, const char *token)
{
	if (length < sizeof(sent->hello) || sent->hello.magic != AGENT_MAGIC)
		return EPROTO;
	if (sent->hello.version != AGENT_VERSION)
		return EPROTONOSUPPORT;
	if (token && !token_matches(token, sent->token, length - sizeof(sent->hello)))
		return EACCES;
	return 0;
}

static void copy_name(char *to, size_t room, const char *name)
{
	size_t length = strlen(name);

	memcpy(to, name, length < room ? length : room - 1);
}

static int send_welcome(const struct stream *stream, const uint8_t *session, int error)
{
	struct agent_welcome *welcome = (struct agent_welcome *)reply_payload;
	struct utsname names;

	*welcome = (struct agent_welcome){
		.magic = AGENT_MAGIC,
		.version = AGENT_VERSION,
		.pid = (uint32_t)getpid(),
		.page_size = (uint32_t)sysconf(_SC_PAGESIZE),
		.pointer_size = sizeof(void *),
	};
	memcpy(welcome->session, session, sizeof(welcome->session));
	if (uname(&names) == 0) {
		copy_name(welcome->machine, sizeof(welcome->machine), names.machine);
		copy_name(welcome->release, sizeof(welcome->release), names.release);
		copy_name(welcome->node, sizeof(welcome->node), names.nodename);
	}
	return reply_send(stream, 0, error, 0, sizeof(*welcome));
}

static void set_patience(const struct stream *stream, time_t seconds)
{
	const struct timeval limit = { .tv_sec = seconds };

	/* standard input may be a pipe, which has no such limit and needs none */
	setsockopt(stream->in, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* Lends this connection to another session until that ends. */
static void lend(const struct stream *stream, const uint8_t *session)
{
	int until = join_session(session, stream);
	char byte;

	if (send_welcome(stream, session, until < 0 ? ENOENT : 0) || until < 0)
		return;
	while (read(until, &byte, 1) < 0 && errno == EINTR)
		;
}

bool hello_serve(const struct stream *stream, const char *token)
{
	static const uint8_t none[AGENT_SESSION_SIZE];
	const struct timespec second = { .tv_sec = 1 };
	uint8_t session[AGENT_SESSION_SIZE];
	struct agent_request request;
	struct sent sent = { 0 };
	int error;

	set_patience(stream, PATIENCE);
	if (stream_request(stream, &request))
		return false;
	/* a goodbye to nobody */
	if (request.length == 0 && stream_ends(stream, &request))
		return false;
	if (request.op != AGENT_HELLO ||
	    request.length > sizeof(sent) || stream_read(stream, &sent, request.length))
		return false;
	set_patience(stream, 0);
	error = check(&sent, request.length, token);
	if (error) {
		if (error == EACCES)
			nanosleep(&second, NULL);
		send_welcome(stream, none, error);
		return false;
	}
	if (memcmp(sent.hello.session, none, sizeof(none))) {
		lend(stream, sent.hello.session);
		return false;
	}
	return !join_listen(session) && !send_welcome(stream, session, 0);
}
