/* SPDX-License-Identifier: MIT */
/*
 * Further connections of a session, on which it answers calls that wait.
 *
 * Each connection has a process. The process of a further one hands its connection to that of the session
 * over a Unix socket, and lives until the session ends.
 */
#ifndef PLUMBLINE_AGENT_JOIN_H
#define PLUMBLINE_AGENT_JOIN_H

#include <stdint.h>

#include "stream.h"

/* Makes a name for a new session, and accepts connections that know it. Returns 0 or -1. */
int join_listen(uint8_t *session);

/* Takes the next connection that joined this session. Returns 0, or -1 and sets errno. */
int join_accept(struct stream *stream);

/* Hands a connection to a session. Returns a socket that ends with the session, or -1. */
int join_session(const uint8_t *session, const struct stream *stream);

#endif
