/* SPDX-License-Identifier: MIT */
/*
 * The protocol between Plumbline on a desk and plumbline-agent on a target.
 *
 * The desk sends a request, which is a struct agent_request and a payload. The agent carries it out
 * and sends a struct agent_reply and a payload. Requests are carried out one after another. All numbers
 * are little-endian. README.md lists what each request takes and returns.
 */
#ifndef PLUMBLINE_AGENT_PROTOCOL_H
#define PLUMBLINE_AGENT_PROTOCOL_H

#include <stdint.h>

/* Changes if an old desk and a new agent, or the reverse, would misunderstand each other. */
#define AGENT_VERSION		1

/* "PLBA", so that a stray connection of another program is refused. */
#define AGENT_MAGIC		0x41424c50u

#define AGENT_PORT		7562

/* Longest payload of a request or a reply, bytes. */
#define AGENT_MAX_PAYLOAD	(8u << 20)

/* Longest time of REPEAT, nanoseconds. */
#define AGENT_MAX_REPEAT_NS	20000000000ull

#define AGENT_SESSION_SIZE	16
#define AGENT_MAX_TOKEN		256

enum agent_op {
	AGENT_HELLO = 0,
	AGENT_OPEN = 1,
	AGENT_CLOSE = 2,
	AGENT_IOCTL = 3,
	AGENT_MMAP = 4,
	AGENT_MUNMAP = 5,
	AGENT_POLL = 6,
	AGENT_READ = 7,
	AGENT_WRITE = 8,
	AGENT_CLOCK = 9,
	AGENT_PUT = 10,
	AGENT_GET = 11,
	AGENT_COPY = 12,
	AGENT_COMPARE = 13,
	AGENT_COMPARE_WITH = 14,
	AGENT_FILL = 15,
	AGENT_CRC = 16,
	AGENT_LOCK = 17,
	AGENT_FILE = 18,
	AGENT_LIST = 19,
	AGENT_LINK = 20,
	AGENT_ATTACH = 21,
	AGENT_LOG = 22,
	AGENT_SUM = 23,
	AGENT_REPEAT = 24,
	AGENT_CREATE = 25,
	AGENT_FOLDER = 26,
	AGENT_REMOVE = 27,
	AGENT_EXISTS = 28,
};

/* Flag of a request: send no reply. The next reply carries the error, if there was one. */
#define AGENT_POSTED		1

struct agent_request {
	uint32_t length;	/* bytes of payload that follow */
	uint16_t op;		/* enum agent_op */
	uint16_t flags;		/* AGENT_POSTED or 0 */
	uint64_t arg[5];	/* those that the request does not take are 0 */
};

struct agent_reply {
	uint32_t length;	/* bytes of payload that follow */
	int32_t error;		/* errno, or 0 */
	int64_t result;		/* -1 if there was an error */
	uint64_t now_ns;	/* CLOCK_MONOTONIC of the target when the request was done */
	int32_t posted_error;	/* errno of the first posted request that failed since the last reply, or 0 */
	uint32_t reserved;
};

/* Payload of HELLO, which must be the first request. The token follows, without an end mark. */
struct agent_hello {
	uint32_t magic;				/* AGENT_MAGIC */
	uint32_t version;			/* AGENT_VERSION */
	uint8_t session[AGENT_SESSION_SIZE];	/* zeros for a new session, or the session to join */
};

/* Payload of the reply to HELLO. It begins with the version, so that every desk can read that. */
struct agent_welcome {
	uint32_t magic;				/* AGENT_MAGIC */
	uint32_t version;			/* AGENT_VERSION */
	uint8_t session[AGENT_SESSION_SIZE];	/* for connections that join */
	uint32_t pid;				/* of the process that serves this session */
	uint32_t page_size;
	uint32_t pointer_size;
	uint32_t reserved;
	char machine[32];			/* uname -m */
	char release[64];			/* uname -r */
	char node[64];				/* uname -n */
};

/* Payload of the reply to REPEAT. The records follow, which are u64. */
struct agent_repeated {
	uint64_t wrong;		/* how often COMPARE or COMPARE_WITH found a difference */
	uint64_t user_ns;	/* processor time that the agent took */
	uint64_t system_ns;
	uint32_t failed_step;	/* number of the step in the program that failed, if one did */
	uint32_t reserved;
};

/* Payload of the reply to COMPARE and COMPARE_WITH. Both are 0 if the result is 0. */
struct agent_difference {
	uint64_t first;		/* offset of the first different byte */
	uint64_t last;		/* offset of the last one */
};

#endif
