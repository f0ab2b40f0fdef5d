/* SPDX-License-Identifier: MIT */
/* One connection with a desk. */
#ifndef PLUMBLINE_AGENT_SESSION_H
#define PLUMBLINE_AGENT_SESSION_H

#include "stream.h"

/*
 * Serves a connection until it ends. Files, memory and locks are those of this process, so it must end
 * then: the kernel releases all of them.
 *
 * `token` is what the desk must send, or NULL if this connection needs none.
 */
void session_serve(const struct stream *stream, const char *token);

#endif
