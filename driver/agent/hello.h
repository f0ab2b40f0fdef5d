/* SPDX-License-Identifier: MIT */
/* The first request of a connection. */
#ifndef PLUMBLINE_AGENT_HELLO_H
#define PLUMBLINE_AGENT_HELLO_H

#include <stdbool.h>

#include "stream.h"

/*
 * Answers HELLO. Returns whether a session of this connection begins. A connection that joins another
 * session is lent to it first, and this function returns when that session ends.
 *
 * `token` is what the desk must send, or NULL if this connection needs none.
 */
bool hello_serve(const struct stream *stream, const char *token);

#endif
