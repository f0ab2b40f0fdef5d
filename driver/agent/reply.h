/* SPDX-License-Identifier: MIT */
/* The reply to a request. */
#ifndef PLUMBLINE_AGENT_REPLY_H
#define PLUMBLINE_AGENT_REPLY_H

#include <stdint.h>

#include "stream.h"

/* Its payload, AGENT_MAX_PAYLOAD bytes, aligned for the structs of ioctls. */
extern uint8_t *const reply_payload;

/*
 * Sends a reply with `length` bytes of that payload. `error` is an errno, or 0, and `posted` that of
 * posted requests. Returns 0, or -1 if the connection ended.
 */
int reply_send(const struct stream *stream, int64_t result, int error, int posted, uint32_t length);

#endif
