// SPDX-License-Identifier: MIT
/*
 * fuzz: sends hostile frames to a session, which has the driver of fake_pldma.c
 *
 *	fuzz FRAMES SEED
 *
 * The session runs in a child. Built with the sanitizers of the compiler, it is checked for wrong accesses,
 * and built without them, for growth. Most frames are well formed, and
 * carry addresses, lengths and structs at the edges of what the session has, because a session ends at a
 * malformed one. Fails if the child dies of anything but the end of its connection, if memory of the
 * agent changes, or if the agent grows. The file is long, because it knows the arguments of each request.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../device.h"
#include "../protocol.h"
#include "../session.h"
#include "pldma.h"

#define MOST_KNOWN	64
#define SENTINEL	4096

/* Memory of the agent that no request may reach. */
static uint8_t sentinel[SENTINEL];

static uint64_t state;
static uint64_t frames, answered, sessions, failed, too_many;

/* Requests that succeeded: a fuzzer whose every request fails shows nothing. */
static uint64_t succeeded[AGENT_REPEAT + 1];

/* Addresses that MMAP returned, and the lengths. */
static struct {
	uint64_t at, length;
} known[MOST_KNOWN];
static int known_count;

static uint64_t file;	/* that OPEN returned */

static uint64_t next(void)
{
	/* splitmix64 */
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t limit)
{
	return next() % limit;
}

static uint64_t edge(void)
{
	static const uint64_t edges[] = {
		0, 1, 2, 7, 8, 63, 64, 4095, 4096, 4097, 65536, 1 << 20, (8u << 20) - 1, 8u << 20,
		(8u << 20) + 1, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32, 1ull << 47, 1ull << 57,
		(1ull << 63) - 1, 1ull << 63, ~0ull - 4095, ~0ull,
	};

	return edges[below(sizeof(edges) / sizeof(*edges))];
}

static uint64_t any_length(void)
{
	return below(3) ? below(5000) : edge();
}

static uint64_t any_address(void)
{
	int i;

	if (below(12) == 0)
		return (uintptr_t)sentinel + below(SENTINEL);
	if (known_count == 0 || below(10) == 0)
		return edge();
	i = (int)below((uint64_t)known_count);
	switch (below(4)) {
	case 0:
		return known[i].at + known[i].length - below(64);
	case 1:
		return known[i].at + known[i].length + below(8192);
	case 2:
		return known[i].at - below(8192);
	default:
		return known[i].at + below(known[i].length + 1);
	}
}

static void die(const char *what)
{
	fprintf(stderr, "fuzz: %s (frame %llu)\n", what, (unsigned long long)frames);
	exit(1);
}

/* Returns false if the session ended. */
static bool put(int to, const void *data, size_t length)
{
	const uint8_t *from = data;

	while (length > 0) {
		ssize_t did = send(to, from, length, MSG_NOSIGNAL);

		if (did <= 0)
			return false;
		from += did;
		length -= (size_t)did;
	}
	return true;
}

static bool get(int from, void *data, size_t length)
{
	return length == 0 || recv(from, data, length, MSG_WAITALL) == (ssize_t)length;
}

static uint8_t payload[AGENT_MAX_PAYLOAD];

static bool ask(int to, struct agent_request *request, struct agent_reply *reply)
{
	if (!put(to, request, sizeof(*request)) || !put(to, payload, request->length))
		return false;
	if (request->flags & AGENT_POSTED)
		return true;
	if (!get(to, reply, sizeof(*reply)))
		return false;
	if (reply->length > AGENT_MAX_PAYLOAD || (reply->error == 0) != (reply->result >= 0))
		die("a reply makes no sense");
	answered++;
	failed += reply->error != 0;
	succeeded[request->op <= AGENT_REPEAT ? request->op : 0] += reply->error == 0;
	return get(to, payload, reply->length);
}

static void hello(int to)
{
	struct agent_request request = { .length = sizeof(struct agent_hello), .op = AGENT_HELLO };
	struct agent_hello words = { .magic = AGENT_MAGIC, .version = AGENT_VERSION };
	struct agent_reply reply;

	memcpy(payload, &words, sizeof(words));
	if (!ask(to, &request, &reply) || reply.error)
		die("HELLO failed");
}

/* Fills both buffers of the session once, so that they do not count as growth. */
static void fill_buffers(int to)
{
	struct agent_request map = { .op = AGENT_MMAP, .arg = { AGENT_MAX_PAYLOAD, 3, 0x22, ~0ull, 0 } };
	struct agent_request fill = { .op = AGENT_PUT, .length = AGENT_MAX_PAYLOAD };
	struct agent_request get = { .op = AGENT_GET, .arg = { 0, AGENT_MAX_PAYLOAD } };
	struct agent_request unmap = { .op = AGENT_MUNMAP, .arg = { 0, AGENT_MAX_PAYLOAD } };
	struct agent_reply reply;

	if (!ask(to, &map, &reply))
		die("MMAP failed");
	fill.arg[0] = get.arg[0] = unmap.arg[0] = (uint64_t)reply.result;
	if (!ask(to, &fill, &reply) || reply.error || !ask(to, &get, &reply) || reply.error ||
	    !ask(to, &unmap, &reply) || reply.error)
		die("a session cannot use its own memory");
}

static void random_payload(uint32_t length)
{
	for (uint32_t i = 0; i < length; i += 8) {
		uint64_t word = below(4) ? next() : below(2) ? any_address() : edge();

		memcpy(payload + i, &word, length - i < 8 ? length - i : 8);
	}
}

/* Makes a batch that may claim more items, or longer ones, than it has. */
static void random_batch(struct agent_request *request, uint32_t which)
{
	uint32_t size = which >> 16 & 0x3fff, count = (uint32_t)below(9);
	uint32_t item = which == PLDMA_IOC_ENQUEUE_BATCH ? sizeof(struct pldma_enqueue)
							 : sizeof(struct pldma_dequeue);
	/* both structs begin with these members */
	struct pldma_enqueue_batch batch = {
		.items = below(8) ? 0 : any_address(),
		.item_size = below(8) ? item : (uint32_t)below(5000),
		.count = below(4) ? count : (uint32_t)below(5000),
	};

	request->arg[3] = below(20) ? (uint64_t)item * count : any_length();
	request->length = size + item * count;
	random_payload(request->length);
	memset(payload, 0, size);
	memcpy(payload, &batch, sizeof(batch));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = (uint32_t)below(20);

		memcpy(payload + size + i * item, &id, sizeof(id));
	}
}

static void random_ioctl(struct agent_request *request)
{
	static const uint32_t requests[] = {
		PLDMA_IOC_INFO, PLDMA_IOC_ALLOC, PLDMA_IOC_FREE, PLDMA_IOC_QUERY, PLDMA_IOC_ENQUEUE,
		PLDMA_IOC_DEQUEUE, PLDMA_IOC_SYNC, PLDMA_IOC_REGISTER, PLDMA_IOC_STATS,
		PLDMA_IOC_RESET, PLDMA_IOC_ENQUEUE_BATCH, PLDMA_IOC_DEQUEUE_BATCH, 0x5421, 0x5401, 0xc0ffd9ff,
	};
	uint32_t which = requests[below(sizeof(requests) / sizeof(*requests))];

	request->arg[1] = below(20) ? which : next();
	request->arg[2] = below(50) ? 0 : edge();
	request->length = below(20) ? which >> 16 & 0x3fff : (uint32_t)below(20000);
	random_payload(request->length);
	if (which == PLDMA_IOC_ALLOC && below(4)) {
		struct pldma_alloc alloc = { .size = 1 + below(9000), .count = 1 + (uint32_t)below(3),
					     .direction = (uint32_t)below(2), .policy = 2 };

		memcpy(payload, &alloc, sizeof(alloc));
	}
	if (which == PLDMA_IOC_REGISTER && below(4)) {
		struct pldma_register where = { .address = any_address(), .size = any_length() };

		memcpy(payload, &where, sizeof(where));
	}
	if (which == PLDMA_IOC_ENQUEUE || which == PLDMA_IOC_FREE) {
		uint32_t id = (uint32_t)below(20);

		memcpy(payload, &id, sizeof(id));
	}
	request->arg[3] = below(20) ? 0 : edge();
	if (which == PLDMA_IOC_ENQUEUE_BATCH || which == PLDMA_IOC_DEQUEUE_BATCH)
		random_batch(request, which);
}

static void random_path(struct agent_request *request)
{
	static const char *const paths[] = {
		"/dev/pldma0", "/dev/pldma0", "/dev/pldma1", "/dev/mem", "/dev/pldma/../mem", "",
		"/proc/meminfo", "/proc/self/mem", "/proc/self/root/etc/shadow", "/sys/devices/system/cpu",
		"/sys/../etc/shadow", "/sys/class/misc", "/proc/self/smaps", "/etc/passwd",
		"/sys/class/mem/null",
	};
	const char *path = paths[below(sizeof(paths) / sizeof(*paths))];

	request->length = (uint32_t)strlen(path);
	memcpy(payload, path, request->length);
	request->arg[0] = below(4) ? 2 : edge();
}

static struct agent_request request_for(uint16_t op);

/* Makes a program of a few requests, most of which can be repeated. */
static void random_program(struct agent_request *request)
{
	static uint8_t program[4 * (sizeof(*request) + 65536)];
	static const uint8_t ops[] = {
		AGENT_IOCTL, AGENT_IOCTL, AGENT_POLL, AGENT_READ, AGENT_WRITE, AGENT_CLOCK, AGENT_PUT,
		AGENT_COPY, AGENT_COMPARE, AGENT_COMPARE_WITH, AGENT_FILL, AGENT_CRC, AGENT_SUM,
	};
	uint32_t length = 0;

	for (uint64_t steps = below(4); steps > 0; steps--) {
		/* sometimes one that cannot be repeated */
		uint16_t op = below(50) ? ops[below(sizeof(ops))] : AGENT_MMAP;
		struct agent_request step = request_for(op);

		if (step.length > 65536)
			continue;
		/* what an IOCTL records */
		if (below(4) == 0)
			step.arg[4] = below(2) ? below(20) << 32 | below(9000) : edge();
		else if (step.op == AGENT_IOCTL)
			step.arg[4] = 0;
		memcpy(program + length, &step, sizeof(step));
		memcpy(program + length + sizeof(step), payload, step.length);
		length += (uint32_t)sizeof(step) + step.length;
	}
	/* sometimes cut in a step */
	if (length > 0 && below(20) == 0)
		length = (uint32_t)below(length);
	memcpy(payload, program, length);
	request->length = length;
	request->arg[0] = below(10) ? below(5) : edge();
	request->arg[1] = below(20) ? 1 + below(3) : below(2) ? 0 : ~0ull - below(2);
	request->arg[2] = below(20) ? below(100000) : ~0ull >> below(2);
}

/* Makes a frame that is well formed, and hostile in its arguments. */
static struct agent_request request_for(uint16_t op)
{
	struct agent_request request = { .op = op };

	for (int i = 0; i < 5; i++)
		request.arg[i] = below(2) ? any_address() : any_length();
	request.flags = below(6) ? 0 : AGENT_POSTED;
	/* so that the memory of the session stays the same in the long run */
	if (request.op == AGENT_MMAP && (known_count == MOST_KNOWN || request.flags))
		request.op = AGENT_MUNMAP;
	switch (request.op) {
	case AGENT_OPEN:
	case AGENT_FILE:
	case AGENT_LIST:
	case AGENT_LINK:
		random_path(&request);
		break;
	case AGENT_CLOSE:
		request.arg[0] = below(20) ? edge() : file;
		break;
	case AGENT_IOCTL:
		request.arg[0] = below(20) ? file : edge();
		random_ioctl(&request);
		break;
	case AGENT_MMAP:
		/* little of what would be huge but legal */
		request.arg[0] = below(50) ? 1 + below(9000) : edge();
		request.arg[1] = below(10) ? 1 + below(3) : edge();
		request.arg[2] = below(3) ? (below(2) ? 1 : 0x22) : edge();
		request.arg[3] = below(10) ? file : edge();
		request.arg[4] = below(10) ? below(40) << 20 : edge();
		break;
	case AGENT_MUNMAP:
		if (known_count > 0 && below(3)) {
			uint64_t i = below((uint64_t)known_count);

			request.arg[0] = known[i].at;
			request.arg[1] = known[i].length;
		}
		break;
	case AGENT_POLL:
		request.arg[0] = below(2) ? file : edge();
		request.arg[2] = below(2) ? 0 : ~0ull;
		break;
	case AGENT_READ:
		/* the file of the fake is all memory, 256 MiB of it */
		request.arg[0] = below(2) ? file : edge();
		request.arg[1] = below(10) ? below(5000) : edge();
		break;
	case AGENT_LOCK:
		request.arg[0] = 0;
		request.length = (uint32_t)below(100);
		random_payload(request.length);
		if (below(2)) {
			static const char lock[] = "/dev/pldma-fuzz\0fuzz";

			request.length = sizeof(lock) - 1;
			memcpy(payload, lock, sizeof(lock));
		}
		break;
	case AGENT_PUT:
	case AGENT_WRITE:
	case AGENT_COMPARE_WITH:
		request.length = (uint32_t)(below(100) ? below(5000) : below(AGENT_MAX_PAYLOAD));
		random_payload(request.length > 5000 ? 5000 : request.length);
		if (request.op == AGENT_WRITE && below(8))
			request.arg[0] = file;
		break;
	case AGENT_COPY:
	case AGENT_COMPARE:
		request.arg[0] = any_address();
		request.arg[1] = any_address();
		request.arg[2] = below(4) ? below(200) : any_length();
		break;
	case AGENT_SUM:
		request.arg[2] = below(10) ? (below(2) ? 1 : 8) : edge();
		request.arg[0] &= below(4) ? ~7ull : ~0ull;
		request.arg[1] = below(4) ? below(30) * 8 : any_length();
		break;
	case AGENT_REPEAT:
		random_program(&request);
		break;
	case AGENT_LOG:
		request.arg[0] = any_length();
		break;
	case AGENT_ATTACH:
		request.op = AGENT_CLOCK; /* waits for a connection that does not come */
		break;
	default:
		request.length = below(4) ? 0 : (uint32_t)below(300);
		random_payload(request.length);
	}
	return request;
}

static struct agent_request random_request(void)
{
	static const uint8_t late[] = { AGENT_LOG, AGENT_SUM, AGENT_REPEAT, AGENT_REPEAT };

	if (below(8) == 0)
		return request_for(late[below(sizeof(late))]);
	return request_for((uint16_t)(below(40) ? 1 + below(20) : next()));
}

/*
 * Whether a request is a batch that claims more items than it has, and no memory of the session instead. The
 * driver must refuse it before it looks at an item.
 */
static bool claims_too_much(const struct agent_request *request)
{
	struct pldma_enqueue_batch batch;
	uint32_t which = (uint32_t)request->arg[1];

	if (request->op != AGENT_IOCTL || request->flags & AGENT_POSTED || request->arg[2] ||
	    request->length < sizeof(batch) ||
	    (which != PLDMA_IOC_ENQUEUE_BATCH && which != PLDMA_IOC_DEQUEUE_BATCH))
		return false;
	memcpy(&batch, payload, sizeof(batch));
	return batch.items == 0 && (uint64_t)batch.item_size * batch.count > request->arg[3];
}

static void learn(const struct agent_request *request, const struct agent_reply *reply)
{
	if (request->flags & AGENT_POSTED || reply->error)
		return;
	if (request->op == AGENT_OPEN)
		file = (uint64_t)reply->result;
	if (request->op == AGENT_MMAP && known_count < MOST_KNOWN) {
		known[known_count].at = (uint64_t)reply->result;
		known[known_count++].length = request->arg[0];
	}
	if (request->op != AGENT_MUNMAP)
		return;
	for (int i = 0; i < known_count; i++)
		if (known[i].at == request->arg[0]) {
			known[i] = known[--known_count];
			return;
		}
}

/* Gives back all memory that the session has, so that what is left is the agent's. */
static void unmap_all(int to)
{
	while (known_count > 0) {
		struct agent_request request = { .op = AGENT_MUNMAP };
		struct agent_reply reply;

		request.arg[0] = known[--known_count].at;
		request.arg[1] = known[known_count].length;
		if (!ask(to, &request, &reply))
			die("the session ended at MUNMAP");
	}
}

/* Kilobytes of memory that a process has in private. */
static long private_kb(pid_t process)
{
	char path[64], line[256];
	long sum = 0, kb;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", process);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			sum = kb;
	fclose(f);
	return sum;
}

static pid_t start(int *to)
{
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	child = fork();
	if (child == 0) {
		close(pair[0]);
		memset(sentinel, 0x5a, sizeof(sentinel));
		session_serve(&(struct stream){ pair[1], pair[1], NULL }, NULL);
		for (int i = 0; i < SENTINEL; i++)
			if (sentinel[i] != 0x5a) {
				fprintf(stderr, "fuzz: memory of the agent was changed\n");
				abort();
			}
		exit(0);
	}
	close(pair[1]);
	*to = pair[0];
	known_count = 0;
	file = ~0ull;
	sessions++;
	hello(*to);
	return child;
}

static void stop(pid_t child, int to)
{
	int status;

	shutdown(to, SHUT_WR);
	while (recv(to, payload, sizeof(payload), 0) > 0)
		;
	close(to);
	if (waitpid(child, &status, 0) != child || status != 0) {
		fprintf(stderr, "fuzz: wait status 0x%x\n", status);
		die("the session died");
	}
}

/* Sends bytes that are no frame: a wrong length, a cut payload, noise. */
static void malformed(int to)
{
	struct agent_request request = random_request();

	switch (below(3)) {
	case 0:
		request.length = (uint32_t)(AGENT_MAX_PAYLOAD + 1 + below(1u << 30));
		put(to, &request, sizeof(request));
		break;
	case 1:
		put(to, &request, below(sizeof(request)));
		break;
	default:
		random_payload(4096);
		put(to, payload, 1 + below(4096));
	}
}

/* A stranger's first bytes. */
static void strange_hello(void)
{
	int pair[2], status;
	struct agent_request request = { .length = (uint32_t)below(400), .op = (uint16_t)below(3) };
	pid_t child;

	if (below(4) == 0)
		request.length = (uint32_t)edge();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	child = fork();
	if (child == 0) {
		close(pair[0]);
		session_serve(&(struct stream){ pair[1], pair[1], NULL }, NULL);
		exit(0);
	}
	close(pair[1]);
	random_payload(400);
	if (below(2)) {
		struct agent_hello words = { .magic = AGENT_MAGIC, .version = (uint32_t)below(3) };

		memcpy(payload, &words, below(sizeof(words) + 1));
	}
	put(pair[0], &request, sizeof(request));
	put(pair[0], payload, request.length < 400 ? request.length : 400);
	shutdown(pair[0], SHUT_WR);
	while (recv(pair[0], payload, sizeof(payload), 0) > 0)
		;
	close(pair[0]);
	if (waitpid(child, &status, 0) != child || status != 0)
		die("a session died of a strange HELLO");
}

int main(int argc, char **argv)
{
	uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000, long_session;
	long first = 0, last = 0;
	pid_t child;
	int to;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	long_session = wanted / 2;
	child = start(&to);
	fill_buffers(to);
	while (frames < wanted) {
		struct agent_request request;
		struct agent_reply reply;
		bool refused;

		frames++;
		/* the first half is one session, whose memory is measured */
		if (frames == long_session / 4 || frames == long_session) {
			unmap_all(to);
			*(frames == long_session ? &last : &first) = private_kb(child);
		}
		if (frames > long_session && below(2000) == 0) {
			strange_hello();
			malformed(to);
			stop(child, to);
			child = start(&to);
			continue;
		}
		request = random_request();
		/* a known path often, so that a file is mostly open */
		if (file == ~0ull && below(8) == 0) {
			request = (struct agent_request){ .op = AGENT_OPEN, .length = 11, .arg = { 2 } };
			memcpy(payload, "/dev/pldma0", 11);
		}
		refused = claims_too_much(&request);
		if (!ask(to, &request, &reply)) {
			stop(child, to);
			die("the session ended at a well-formed frame");
		}
		if (refused && reply.error != EFAULT && reply.error != EINVAL && reply.error != EBADF &&
		    reply.error != ENOTTY)
			die("the driver looked at items that the desk did not send");
		too_many += refused && reply.error == EFAULT;
		learn(&request, &reply);
	}
	stop(child, to);
	if (too_many < frames / 10000) {
		fprintf(stderr, "fuzz: %llu batches claimed too much\n", (unsigned long long)too_many);
		return 1;
	}
	for (int op = 0; op <= AGENT_REPEAT && frames >= 20000; op++) {
		/* no connection joins, and not everybody may read the log */
		if (op == AGENT_ATTACH || op == AGENT_LOG)
			continue;
		/* a lock succeeds once for each session */
		if (succeeded[op] < (op == AGENT_LOCK ? 1 : frames / 10000)) {
			fprintf(stderr, "fuzz: request %d succeeded %llu times\n", op,
				(unsigned long long)succeeded[op]);
			return 1;
		}
	}
	printf("%llu frames, %llu answered, %llu of them with an error, %llu sessions, %ld to %ld kB\n",
	       (unsigned long long)frames, (unsigned long long)answered, (unsigned long long)failed,
	       (unsigned long long)sessions, first, last);
#ifndef __SANITIZE_ADDRESS__ /* the sanitizer's own memory grows with the addresses that were used */
	if (last > first + 256) {
		fprintf(stderr, "fuzz: the session grew from %ld to %ld kB\n", first, last);
		return 1;
	}
#endif
	return 0;
}
