// SPDX-License-Identifier: MIT
/* The reply to a request. */
#include "reply.h"

#include "clock.h"
#include "protocol.h"

/* In one piece, so that a reply is one write. */
static struct {
	struct agent_reply head;
	uint8_t payload[AGENT_MAX_PAYLOAD];
} out;

uint8_t *const reply_payload = out.payload;

int reply_send(const struct stream *stream, int64_t result, int error, int posted, uint32_t length)
{
	out.head = (struct agent_reply){
		.length = length,
		.error = error,
		.result = error ? -1 : result,
		.now_ns = clock_ns(),
		.posted_error = posted,
	};
	return stream_write(stream, &out, sizeof(out.head) + length);
}
