/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle of fuzz.c: a model of the blocks of one open device that says what each
 * call must answer, and what data must arrive. It is one file because each call needs
 * the same model.
 *
 * A session is some hundred operations on a freshly opened device. Operation number i
 * draws its random numbers from the seed of the session and from i, so an operation
 * stays the same if others before it are left out. That is what the minimiser does.
 *
 * The engine runs meanwhile, so the state of a block after ENQUEUE is known only as
 * "not USER". Everything else is exact: the k-th transmitted frame ends in the k-th
 * receive block, until a RESET of one direction parts them.
 */
#ifndef PLDMA_TEST_FUZZ_MODEL_H
#define PLDMA_TEST_FUZZ_MODEL_H

#include <setjmp.h>

#include "fuzz_call.h"

#define BLOCKS 24
#define FRAMES 2048
#define ARENA 1048576
#define READONLY_PART (ARENA - 131072)	/* then 64 KiB that only can be read */
#define HOLE_PART (ARENA - 65536)	/* then 64 KiB that cannot be accessed */
#define NOTHING 0xffffffffU		/* an id that no block has */
#define PATIENCE 60000000000ULL		/* a transfer that takes longer hangs, ns */

struct block {
	int live, busy, filled;
	__u32 id, direction, policy;
	__u64 size, mmap_offset;
	unsigned char *memory;		/* where it can be accessed, or NULL */
	int mapped;			/* memory is a mapping of the device */
	int buffer;			/* file descriptor of a dma-buf, or -1 */
	int exports;			/* the buffer itself, and blocks that import it */
	int source;			/* index of the exported block, or -1 */
	__u64 at, length, cookie, order;
};

struct frame {
	__u64 length, seed;
	int known;			/* its bytes are those of the seed */
};

struct session {
	int fd, nonblock;
	struct pldma_info info;
	struct block blocks[BLOCKS];
	int queue[2][BLOCKS], queued[2];	/* indices of busy blocks, oldest first */
	struct frame frames[FRAMES];
	__u64 sent, offered;		/* ENQUEUE calls of tx and rx since the last RESET */
	int coupled;			/* frame k belongs to receive block k */
	unsigned char *arena;
	struct stage *stage;
	int op;				/* number of the present operation */
	int lacked;			/* an allocation of the last call failed */
	jmp_buf wrong;
	char why[256];
};

static __u64 calls_made, frames_compared, bytes_compared, failures;

/* file in which a number N makes the Nth allocation of this thread fail, or -1 */
static int fail_nth = -1;

/* make an allocation of the next call fail */
static inline void fail_next(__u64 seed)
{
	char text[2] = { '1' + seed % 8, 0 };

	if (fail_nth >= 0)
		expect(pwrite(fail_nth, text, 1, 0) == 1, "write to fail-nth");
}

/* did an allocation fail since fail_next() */
static inline int has_failed(void)
{
	char left[16] = {};

	if (fail_nth < 0)
		return 0;
	expect(pread(fail_nth, left, sizeof(left) - 1, 0) > 0, "read fail-nth");
	expect(pwrite(fail_nth, "0", 1, 0) == 1, "write to fail-nth");
	return !atoi(left);
}

/* end the session: the driver gave a wrong answer */
static inline void wrong(struct session *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->why, sizeof(s->why), format, args);
	va_end(args);
	longjmp(s->wrong, 1);
}

static inline const char *call_name(unsigned long command)
{
	static const char * const names[] = {
		"INFO", "ALLOC", "FREE", "QUERY", "ENQUEUE", "DEQUEUE", "SYNC", "REGISTER",
		"UNREGISTER", "STATS", "RESET", "ENQUEUE_BATCH", "DEQUEUE_BATCH", "EXPORT",
		"IMPORT",
	};

	return names[_IOC_NR(command)];
}

/* an engine that has transfers does not say whether it lacks memory or room for one more */
static inline int may_be_full(const struct session *s, unsigned long command)
{
	return (s->queued[0] || s->queued[1]) &&
		(command == PLDMA_IOC_ENQUEUE || command == PLDMA_IOC_ENQUEUE_BATCH);
}

/* call, and check that the answer is the expected errno. True if the call succeeded */
static inline int call(struct session *s, unsigned long command, void *arg, int expected,
		       enum twist twist)
{
	int refuse = twist_error(twist, command), code;
	const char *damage;

	calls_made++;
	fail_next(s->op);
	code = issue(s->stage, s->fd, command, arg, twist, &damage);
	/* what could not be allocated must have no effect, and the model goes on as before */
	s->lacked = has_failed();
	if (s->lacked) {
		failures++;
		if (code == ENOMEM || (code == EBUSY && may_be_full(s, command)))
			return 0;
	}
	/* EXPORT and STATS test whether they can write only after their other checks */
	if (refuse && !(expected && refuse == EFAULT && twist != TWIST_NULL &&
			((command == PLDMA_IOC_EXPORT && twist == TWIST_READONLY) ||
			 command == PLDMA_IOC_STATS)))
		expected = refuse;
	if (code != expected)
		wrong(s, "%s (twist %d): expected %s, found %s", call_name(command), twist,
		      expected ? strerror(expected) : "success",
		      code ? strerror(code) : "success");
	if (damage)
		wrong(s, "%s (twist %d): %s", call_name(command), twist, damage);
	return !code;
}

static inline int is_user(__u32 policy)
{
	return policy == PLDMA_USER_PAGES || policy == PLDMA_USER_PAGES_REGISTERED;
}

static inline int is_chunked(__u32 policy)
{
	return policy == PLDMA_STREAMING || policy == PLDMA_STREAMING_LAZY ||
	       policy == PLDMA_MANUAL || policy == PLDMA_NONE;
}

/* does the policy itself keep the data right */
static inline int is_right(__u32 policy)
{
	return policy != PLDMA_MANUAL && policy != PLDMA_NONE && policy != PLDMA_DMA_BUF;
}

static inline int is_lazy_rx(const struct block *b)
{
	return b->policy == PLDMA_STREAMING_LAZY && b->direction == PLDMA_RX;
}

static inline unsigned char byte_of(__u64 seed, __u64 i)
{
	return (seed * 37 + i * 31 + (i >> 8) * 7) & 0xff;
}

static inline struct block *unused(struct session *s)
{
	int i;

	for (i = 0; i < BLOCKS; i++)
		if (!s->blocks[i].live)
			return &s->blocks[i];
	return NULL;
}

/* are all bytes of a member that the driver does not use zero */
static inline int is_zero(const void *member, size_t size)
{
	const unsigned char *bytes = member;
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i])
			return 0;
	return 1;
}

/* a block, or NULL for an id that no block has */
static inline struct block *any(struct session *s, struct rng *rng)
{
	int start = below(rng, BLOCKS), i;

	if (!below(rng, 16))
		return NULL;
	for (i = 0; i < BLOCKS; i++)
		if (s->blocks[(start + i) % BLOCKS].live)
			return &s->blocks[(start + i) % BLOCKS];
	return NULL;
}

/* a block that can be enqueued, if there is one: else most transfers would be refused */
static inline struct block *idle(struct session *s, struct rng *rng)
{
	int start = below(rng, BLOCKS), i;

	for (i = 0; i < BLOCKS; i++) {
		struct block *b = &s->blocks[(start + i) % BLOCKS];

		if (b->live && !b->busy && b->policy != PLDMA_BOUNCE)
			return b;
	}
	return NULL;
}

static inline struct block *born(struct session *s, __u32 id, __u32 direction, __u32 policy,
				 __u64 size)
{
	struct block *b = unused(s);
	int i;

	for (i = 0; i < BLOCKS; i++)
		if (s->blocks[i].live && s->blocks[i].id == id)
			wrong(s, "the id %u was given twice", id);
	memset(b, 0, sizeof(*b));
	b->live = 1;
	b->id = id;
	b->direction = direction;
	b->policy = policy;
	b->size = size;
	b->buffer = -1;
	b->source = -1;
	return b;
}

/* most calls are undamaged */
static inline enum twist some_twist(struct rng *rng)
{
	return below(rng, 6) ? TWIST_NONE : below(rng, NR_TWISTS);
}

static inline void op_alloc(struct session *s, struct rng *rng)
{
	struct pldma_alloc arg = {
		.size = below(rng, 4) ? 4096ULL << below(rng, 5) : 1 + below(rng, 70000),
		.count = 1, .direction = below(rng, 2), .policy = below(rng, PLDMA_NR_POLICIES),
	};
	int bad = below(rng, 12), expected = 0, room, mappable;
	enum twist twist = some_twist(rng);
	struct block *b;

	if (bad == 0)
		arg.size = edge(rng);
	else if (bad == 1)
		arg.count = edge(rng);
	else if (bad == 2)
		arg.direction = edge(rng);
	else if (bad == 3)
		arg.policy = edge(rng);
	else if (bad == 4)
		arg.flags = 1U << below(rng, 32);
	else if (bad == 5)
		arg.reserved = 1U << below(rng, 32);

	if (arg.flags || arg.reserved || !arg.size || !arg.count ||
	    arg.count > s->info.max_blocks || arg.direction > 1 ||
	    arg.policy >= PLDMA_NR_POLICIES || is_user(arg.policy) ||
	    arg.policy == PLDMA_DMA_BUF || arg.size > s->info.policy[arg.policy].max_block)
		expected = EINVAL;
	else if (arg.policy == PLDMA_BOUNCE && arg.size % s->info.chan[arg.direction].length_align)
		expected = EINVAL;
	/* blocks that the model has no room for, or of which the machine may have too few */
	room = unused(s) && arg.count == 1 && arg.size <= 262144;
	if (!expected && !room && !twist_error(twist, PLDMA_IOC_ALLOC))
		return;
	if (!call(s, PLDMA_IOC_ALLOC, &arg, expected, twist))
		return;
	b = born(s, arg.first_id, arg.direction, arg.policy, arg.size);
	b->mmap_offset = arg.mmap_offset;
	mappable = arg.policy != PLDMA_BOUNCE;
	if (!!arg.mmap_offset != mappable)
		wrong(s, "ALLOC: expected an offset unless the policy is bounce");
}

static inline __u64 mapping_size(const struct session *s, const struct block *b)
{
	return (b->size + s->info.page_size - 1) / s->info.page_size * s->info.page_size;
}

static inline void op_map(struct session *s, struct rng *rng)
{
	struct block *b = any(s, rng);
	__u64 size, offset, i, fault = below(rng, 10);
	int prot = PROT_READ | (below(rng, 4) ? PROT_WRITE : 0), flags = MAP_SHARED;
	int expected = 0, code;
	unsigned char *memory;

	if (!b || b->mapped || is_user(b->policy) || b->policy == PLDMA_DMA_BUF)
		return;
	size = mapping_size(s, b);
	offset = b->mmap_offset;
	if (b->policy == PLDMA_BOUNCE)
		expected = EINVAL;
	else if (is_lazy_rx(b) && prot & PROT_WRITE)
		expected = EACCES;
	if (fault == 0)
		size += s->info.page_size;
	else if (fault == 1)
		offset += 1ULL << 40;
	else if (fault == 2)
		flags = MAP_PRIVATE;
	if (fault < 3)
		expected = EINVAL;
	memory = mmap(NULL, size, prot, flags, s->fd, offset);
	calls_made++;
	if ((memory == MAP_FAILED ? errno : 0) != expected) {
		code = errno;
		/* a mapping that is left would keep the device open */
		if (memory != MAP_FAILED)
			munmap(memory, size);
		wrong(s, "mmap: expected %s, found %s", expected ? strerror(expected) : "success",
		      memory == MAP_FAILED ? strerror(code) : "success");
	}
	if (expected)
		return;
	b->mapped = prot & PROT_WRITE ? 2 : 1;
	b->memory = memory;
	for (i = 0; !b->filled && !b->busy && i < size; i++)
		if (memory[i])
			wrong(s, "new memory of policy %u is not zero at %llu", b->policy,
			      (unsigned long long)i);
	b->filled = 1;
}

static inline void op_unmap(struct session *s, struct rng *rng)
{
	struct block *b = any(s, rng);
	int how = below(rng, 4);
	__u64 size;

	if (!b || !b->mapped)
		return;
	size = mapping_size(s, b);
	calls_made++;
	if (how == 0) {
		if (mremap(b->memory, size, 2 * size, MREMAP_MAYMOVE) != MAP_FAILED)
			wrong(s, "mremap made a mapping larger than its block");
		return;
	}
	if (how == 1 && is_lazy_rx(b)) {
		if (!mprotect(b->memory, size, PROT_READ | PROT_WRITE))
			wrong(s, "mprotect made a receive block of streaming-lazy writable");
		return;
	}
	/* in two parts, so that the mapping is split */
	if (how == 2 && size > s->info.page_size) {
		munmap(b->memory + s->info.page_size, size - s->info.page_size);
		size = s->info.page_size;
	}
	munmap(b->memory, size);
	b->mapped = 0;
	b->memory = NULL;
}

static inline void op_free(struct session *s, struct rng *rng, unsigned long command)
{
	struct block *b = any(s, rng);
	struct pldma_free arg = { .id = b ? b->id : NOTHING };
	enum twist twist = some_twist(rng);
	int expected = 0;

	if (!below(rng, 16))
		arg.reserved = 1U << below(rng, 32);
	if (arg.reserved)
		expected = EINVAL;
	else if (!b)
		expected = ENOENT;
	else if (is_user(b->policy) != (command == PLDMA_IOC_UNREGISTER))
		expected = EINVAL;
	else if (b->busy || b->mapped || b->exports)
		expected = EBUSY;
	if (!call(s, command, &arg, expected, twist))
		return;
	if (b->source >= 0)
		s->blocks[b->source].exports--;
	b->live = 0;
}

static inline void op_query(struct session *s, struct rng *rng)
{
	struct block *b = any(s, rng);
	struct pldma_query arg = { .id = b ? b->id : NOTHING };
	__u32 flags;

	if (!below(rng, 16))
		arg.reserved[below(rng, 2)] = 1;
	if (!call(s, PLDMA_IOC_QUERY, &arg,
		  arg.reserved[0] || arg.reserved[1] ? EINVAL : b ? 0 : ENOENT, some_twist(rng)))
		return;
	flags = (b->mapped ? PLDMA_BLOCK_MAPPED : 0) | (b->exports ? PLDMA_BLOCK_EXPORTED : 0);
	if (arg.id != b->id || arg.direction != b->direction || arg.policy != b->policy ||
	    arg.size != b->size || arg.mmap_offset != b->mmap_offset)
		wrong(s, "QUERY describes another block than %u", b->id);
	if ((arg.flags & (PLDMA_BLOCK_MAPPED | PLDMA_BLOCK_EXPORTED)) != flags)
		wrong(s, "QUERY: expected flags 0x%x, found 0x%x", flags, arg.flags);
	if (b->policy == PLDMA_BOUNCE)
		return;
	if (b->busy ? arg.state < PLDMA_STATE_QUEUED || arg.state > PLDMA_STATE_DONE :
	    arg.state != PLDMA_STATE_USER)
		wrong(s, "QUERY: block %u is in state %u, and %s", b->id, arg.state,
		      b->busy ? "enqueued" : "not enqueued");
}

/* does the memory of this block belong to other blocks as well */
static inline int shares(const struct session *s, const struct block *b)
{
	int i;

	if (b->exports || b->source >= 0)
		return 1;
	for (i = 0; i < BLOCKS; i++) {
		const struct block *o = &s->blocks[i];

		if (o != b && o->live && is_user(o->policy) && is_user(b->policy) &&
		    o->memory < b->memory + b->size && b->memory < o->memory + o->size)
			return 1;
	}
	return 0;
}

/* draw a transfer, and what ENQUEUE must answer */
static inline int some_enqueue(struct session *s, struct rng *rng, struct block *b,
			       struct pldma_enqueue *arg)
{
	__u64 start, i, odd = 0;
	int code = 0;

	*arg = (struct pldma_enqueue){ .id = b ? b->id : NOTHING, .cookie = draw(rng) };
	if (b) {
		__u64 lines = b->size / s->info.cache_align;

		arg->offset = below(rng, 3) ? 0 : below(rng, lines + 1) * s->info.cache_align;
		arg->length = below(rng, 3) ? b->size - arg->offset : below(rng, b->size + 2);
		if (!below(rng, 12))
			arg->offset = edge(rng);
		if (!below(rng, 12))
			arg->length = edge(rng);
	}
	if (!below(rng, 4))
		arg->flags = PLDMA_ENQUEUE_VERIFY;
	if (!below(rng, 8)) {
		arg->flags |= PLDMA_ENQUEUE_UNALIGNED;
		arg->offset += below(rng, 16);
	}
	if (!below(rng, 32))
		arg->flags |= 4U << below(rng, 30);
	if (!below(rng, 32))
		arg->sideband[below(rng, 4)] = 1;
	if (!below(rng, 32))
		arg->reserved = 1;
	start = (b && is_user(b->policy) ? (unsigned long)b->memory : 0) + arg->offset;
	for (i = 0; i < 4; i++)
		odd |= arg->sideband[i];
	if (odd || arg->flags & ~3U || arg->reserved)
		code = EINVAL;
	else if (!b)
		code = ENOENT;
	else if (b->policy == PLDMA_BOUNCE)
		code = EINVAL;
	else if (b->busy)
		code = EBUSY;
	else if (!arg->length || arg->offset > b->size || arg->length > b->size - arg->offset)
		code = EINVAL;
	else if (!(arg->flags & PLDMA_ENQUEUE_UNALIGNED) && start % s->info.cache_align)
		code = EINVAL;
	else if (start % s->info.chan[b->direction].address_align ||
		 arg->length % s->info.chan[b->direction].length_align)
		code = EINVAL;
	return code;
}

/* store a frame before it is sent */
static inline void fill_frame(const struct session *s, struct block *b,
			      const struct pldma_enqueue *arg)
{
	int writable = b->mapped == 2 ||
		(is_user(b->policy) && b->memory + b->size <= s->arena + READONLY_PART);
	__u64 i;

	b->filled = writable && !shares(s, b) && is_right(b->policy) ? 2 : 1;
	if (b->direction != PLDMA_TX || b->filled != 2)
		return;
	for (i = 0; i < arg->length; i++)
		b->memory[arg->offset + i] = byte_of(arg->cookie, i);
}

static inline void enqueued(struct session *s, struct block *b, const struct pldma_enqueue *arg)
{
	__u32 d = b->direction;

	b->busy = 1;
	b->at = arg->offset;
	b->length = arg->length;
	b->cookie = arg->cookie;
	b->order = d == PLDMA_TX ? s->sent++ : s->offered++;
	if (d == PLDMA_TX)
		s->frames[b->order % FRAMES] = (struct frame){
			.length = arg->length, .seed = arg->cookie, .known = b->filled == 2,
		};
	s->queue[d][s->queued[d]++] = b - s->blocks;
}

static inline void op_enqueue(struct session *s, struct rng *rng)
{
	struct block *b = below(rng, 4) ? idle(s, rng) : any(s, rng);
	enum twist twist = some_twist(rng);
	struct pldma_enqueue arg;
	int expected = some_enqueue(s, rng, b, &arg);

	if (!expected)
		fill_frame(s, b, &arg);
	if (call(s, PLDMA_IOC_ENQUEUE, &arg, expected, twist))
		enqueued(s, b, &arg);
}

/* must this block complete, whatever the caller does */
static inline int will_complete(const struct session *s, const struct block *b)
{
	return s->coupled && b->order < (b->direction == PLDMA_TX ? s->offered : s->sent);
}

static inline void compare_frame(struct session *s, const struct block *b,
				 const struct pldma_dequeue *done, const struct frame *frame)
{
	__u64 i;

	if (!frame->known || !b->memory || !is_right(b->policy) || shares(s, b))
		return;
	for (i = 0; i < done->length; i++)
		if (b->memory[b->at + i] != byte_of(frame->seed, i))
			wrong(s, "byte %llu of %llu is 0x%02x instead of 0x%02x (policy %u)",
			      (unsigned long long)i, (unsigned long long)done->length,
			      b->memory[b->at + i], byte_of(frame->seed, i), b->policy);
	frames_compared++;
	bytes_compared += done->length;
}

/* check a completion, which must be that of the oldest block */
static inline void completed(struct session *s, __u32 d, const struct pldma_dequeue *done)
{
	struct block *b = &s->blocks[s->queue[d][0]];
	const struct frame *frame = &s->frames[b->order % FRAMES];
	int i;

	if (!s->queued[d] || done->id != b->id)
		wrong(s, "DEQUEUE: expected block %u, found %u", s->queued[d] ? b->id : NOTHING,
		      done->id);
	if (done->cookie != b->cookie || done->offset != b->at)
		wrong(s, "DEQUEUE: another cookie or offset than enqueued");
	if (done->length > b->length)
		wrong(s, "DEQUEUE: %llu bytes moved of %llu", (unsigned long long)done->length,
		      (unsigned long long)b->length);
	if (done->status > PLDMA_STATUS_NOT_SUBMITTED ||
	    (done->error && done->error != EIO) ||
	    !done->error != !done->status)
		wrong(s, "DEQUEUE: status %u with error %d", done->status, done->error);
	if (!is_zero(done->sideband, sizeof(done->sideband)) || done->reserved)
		wrong(s, "DEQUEUE: reserved members are not zero");
	if (done->queued_ns > done->submitted_ns || done->submitted_ns > done->done_ns ||
	    done->done_ns > now())
		wrong(s, "DEQUEUE: the times are not in order");
	if (s->coupled) {
		if (d == PLDMA_RX && b->order >= s->sent)
			wrong(s, "a frame arrived that nobody sent");
		if (d == PLDMA_TX && (done->status || done->length != b->length))
			wrong(s, "a transmitted frame has status %u and %llu of %llu bytes",
			      done->status, (unsigned long long)done->length,
			      (unsigned long long)b->length);
		if (d == PLDMA_RX && frame->length <= b->length &&
		    (done->status || done->length != frame->length))
			wrong(s, "a frame of %llu bytes arrived with status %u and %llu bytes",
			      (unsigned long long)frame->length, done->status,
			      (unsigned long long)done->length);
		if (d == PLDMA_RX && frame->length > b->length &&
		    done->status != PLDMA_STATUS_WRITE_FAILED)
			wrong(s, "a frame that is too long arrived with status %u", done->status);
		if (d == PLDMA_RX && !done->status)
			compare_frame(s, b, done, frame);
	}
	b->busy = 0;
	s->queued[d]--;
	for (i = 0; i < s->queued[d]; i++)
		s->queue[d][i] = s->queue[d][i + 1];
}

/* the answer of DEQUEUE if the oldest block need not have completed */
static inline int impatient(const struct session *s)
{
	return s->nonblock ? EAGAIN : ETIMEDOUT;
}

/* DEQUEUE while a block is queued, which may have completed or not */
static inline void take_completion(struct session *s, struct pldma_dequeue *arg, enum twist twist)
{
	__u32 d = arg->direction;
	int sure = !s->nonblock && will_complete(s, &s->blocks[s->queue[d][0]]), code;
	const char *damage;

	if (sure)
		arg->deadline_ns = now() + PATIENCE;
	code = issue(s->stage, s->fd, PLDMA_IOC_DEQUEUE, arg, twist, &damage);
	calls_made++;
	if (damage)
		wrong(s, "DEQUEUE: %s", damage);
	if (!code || (code == EIO && arg->status))
		completed(s, d, arg);
	else if (sure || code != impatient(s) || arg->error != code)
		wrong(s, "DEQUEUE: expected %s, found %s",
		      sure ? "a completion" : strerror(impatient(s)), strerror(code));
}

static inline void op_dequeue(struct session *s, struct rng *rng)
{
	struct pldma_dequeue arg = { .direction = below(rng, 2) };
	enum twist twist = some_twist(rng);
	int refuse = twist_error(twist, PLDMA_IOC_DEQUEUE);
	__u32 d = arg.direction;

	if (!below(rng, 24)) {
		arg.flags = 1U << below(rng, 32);
	} else if (!below(rng, 24)) {
		arg.direction = 2 + below(rng, 100);
	} else if (!below(rng, 24)) {
		arg.deadline_ns = 1ULL << 63;
	} else if (!below(rng, 24)) {
		arg.reserved = 1;
	} else {
		if (refuse || !s->queued[d])
			call(s, PLDMA_IOC_DEQUEUE, &arg, ENODATA, twist);
		else
			take_completion(s, &arg, twist);
		return;
	}
	call(s, PLDMA_IOC_DEQUEUE, &arg, EINVAL, twist);
}

#define BATCH 4

static inline void op_enqueue_batch(struct session *s, struct rng *rng)
{
	struct pldma_enqueue items[BATCH];
	struct block *blocks[BATCH];
	struct pldma_enqueue_batch arg = {
		.items = (unsigned long)items, .item_size = sizeof(items[0]),
		.count = 1 + below(rng, BATCH),
	};
	enum twist twist = some_twist(rng);
	int first = 0, expected;
	__u32 i, k, good = 0;

	if (!below(rng, 16)) {
		/* a damaged batch must not start anything */
		if (below(rng, 2))
			arg.count = below(rng, 2) ? 0 : PLDMA_MAX_BATCH + 1;
		else
			arg.item_size = below(rng, 2) ? 55 : s->info.page_size + 1;
		call(s, PLDMA_IOC_ENQUEUE_BATCH, &arg, EINVAL, twist);
		return;
	}
	for (i = 0; i < arg.count; i++) {
		blocks[i] = below(rng, 4) ? idle(s, rng) : any(s, rng);
		expected = some_enqueue(s, rng, blocks[i], &items[i]);
		for (k = 0; k < i; k++)
			if (!expected && blocks[k] == blocks[i])
				expected = EBUSY;
		if (!i)
			first = expected;
		if (!expected && good == i) {
			fill_frame(s, blocks[i], &items[i]);
			good++;
		}
	}
	if (!call(s, PLDMA_IOC_ENQUEUE_BATCH, &arg, good ? 0 : first, twist))
		return;
	/* the items behind the one that lacked memory were not tried */
	if (s->lacked && arg.done && arg.done < good)
		good = arg.done;
	if (arg.done != good)
		wrong(s, "ENQUEUE_BATCH: expected %u blocks, found %u", good, arg.done);
	for (i = 0; i < good; i++)
		enqueued(s, blocks[i], &items[i]);
}

static inline void op_dequeue_batch(struct session *s, struct rng *rng)
{
	struct pldma_dequeue items[BATCH];
	struct pldma_dequeue_batch arg = {
		.items = (unsigned long)items, .item_size = sizeof(items[0]),
		.count = 1 + below(rng, BATCH), .min = 1, .direction = below(rng, 2),
	};
	enum twist twist = some_twist(rng);
	__u32 d = arg.direction, i;
	const char *damage;
	int code;

	if (!below(rng, 16)) {
		arg.min = below(rng, 2) ? 0 : arg.count + 1;
		call(s, PLDMA_IOC_DEQUEUE_BATCH, &arg, EINVAL, twist);
		return;
	}
	if (twist_error(twist, PLDMA_IOC_DEQUEUE_BATCH) || !s->queued[d]) {
		call(s, PLDMA_IOC_DEQUEUE_BATCH, &arg, ENODATA, twist);
		return;
	}
	code = issue(s->stage, s->fd, PLDMA_IOC_DEQUEUE_BATCH, &arg, twist, &damage);
	calls_made++;
	if (damage)
		wrong(s, "DEQUEUE_BATCH: %s", damage);
	if (code && code != impatient(s))
		wrong(s, "DEQUEUE_BATCH: expected %s, found %s", strerror(impatient(s)),
		      strerror(code));
	if (!code && (!arg.done || arg.done > arg.count))
		wrong(s, "DEQUEUE_BATCH: %u of %u blocks", arg.done, arg.count);
	for (i = 0; !code && i < arg.done; i++)
		completed(s, d, &items[i]);
}

static inline void op_sync(struct session *s, struct rng *rng)
{
	struct block *b = any(s, rng);
	struct pldma_sync arg = { .id = b ? b->id : NOTHING, .op = below(rng, 2) };
	int expected = 0;

	arg.length = b ? b->size : 1;
	if (!below(rng, 6))
		arg.offset = edge(rng);
	if (!below(rng, 6))
		arg.length = edge(rng);
	if (!below(rng, 16))
		arg.op = 2 + below(rng, 1000);
	if (arg.op > 1)
		expected = EINVAL;
	else if (!b)
		expected = ENOENT;
	else if (b->policy != PLDMA_MANUAL || !arg.length || arg.offset > b->size ||
		 arg.length > b->size - arg.offset)
		expected = EINVAL;
	else if (b->busy)
		expected = EBUSY;
	call(s, PLDMA_IOC_SYNC, &arg, expected, some_twist(rng));
}

static inline void op_register(struct session *s, struct rng *rng)
{
	struct pldma_register arg = {
		.address = (unsigned long)s->arena + below(rng, ARENA / 4096) * 4096,
		.size = below(rng, 3) ? 4096ULL << below(rng, 5) :
			s->info.cache_align * (1 + below(rng, 64)),
		.direction = below(rng, 2),
		.policy = below(rng, 2) ? PLDMA_USER_PAGES : PLDMA_USER_PAGES_REGISTERED,
	};
	enum twist twist = some_twist(rng);
	int bad = below(rng, 16), expected = 0, i, device = 0;
	unsigned long start, end, arena = (unsigned long)s->arena;
	struct block *b = any(s, rng);

	if (bad == 6 && b && b->mapped) {
		arg.address = (unsigned long)b->memory;
		arg.size = mapping_size(s, b);
		device = 1;
	} else if (bad == 0) {
		arg.address = edge(rng);
	} else if (bad == 1) {
		arg.size = edge(rng);
	} else if (bad == 2) {
		arg.direction = 2 + below(rng, 5);
	} else if (bad == 3) {
		arg.policy = below(rng, 4) ? PLDMA_STREAMING : edge(rng);
	} else if (bad == 4) {
		arg.flags = 1;
	} else if (bad == 5) {
		arg.address += 1 + below(rng, s->info.cache_align - 1);
	}
	start = arg.address;
	end = start + arg.size;
	if (arg.flags || !arg.size || !is_user(arg.policy) || arg.direction > 1 ||
	    arg.address % s->info.cache_align || arg.size % s->info.cache_align ||
	    arg.size > s->info.policy[arg.policy].max_block || end < start)
		expected = EINVAL;
	/* what else lies in this process is not for the engine */
	else if (!device && (start < arena || start >= arena + ARENA))
		expected = start < 65536 || start >> 47 ? EFAULT : -1;
	for (i = 0; !expected && i < BLOCKS; i++) {
		const struct block *o = &s->blocks[i];
		unsigned long at = (unsigned long)o->memory;

		if (o->live && is_user(o->policy) && (arg.direction || o->direction) &&
		    at < end && start < at + o->size)
			expected = EBUSY;
	}
	if (!expected && (device || end > arena + HOLE_PART ||
			  (arg.direction == PLDMA_RX && end > arena + READONLY_PART)))
		expected = EFAULT;
	if (expected < 0 || (!expected && !unused(s) && !twist_error(twist, PLDMA_IOC_REGISTER)))
		return;
	if (!call(s, PLDMA_IOC_REGISTER, &arg, expected, twist))
		return;
	b = born(s, arg.id, arg.direction, arg.policy, arg.size);
	b->memory = (unsigned char *)start;
}

static inline void op_reset(struct session *s, struct rng *rng)
{
	static const __u32 choices[] = {
		0, PLDMA_RESET_TX | PLDMA_RESET_RX, PLDMA_RESET_TX, PLDMA_RESET_RX,
	};
	struct pldma_reset arg = { .flags = choices[below(rng, 8) ? 0 : below(rng, 4)] };
	enum twist twist = some_twist(rng);
	__u32 d, returned = 0;
	int bad = below(rng, 16), i;

	if (bad == 0)
		arg.flags |= 8U << below(rng, 29);
	else if (bad == 1)
		arg.reserved = 1;
	if (!call(s, PLDMA_IOC_RESET, &arg, bad < 2 ? EINVAL : 0, twist))
		return;
	for (d = 0; d < 2; d++) {
		__u32 one = arg.flags & (PLDMA_RESET_TX | PLDMA_RESET_RX);

		if (one && !(one & (d ? PLDMA_RESET_RX : PLDMA_RESET_TX)))
			continue;
		returned += s->queued[d];
		for (i = 0; i < s->queued[d]; i++)
			s->blocks[s->queue[d][i]].busy = 0;
		s->queued[d] = 0;
	}
	if (arg.returned != returned || arg.quarantined)
		wrong(s, "RESET: expected %u blocks, found %u, and %u in quarantine", returned,
		      arg.returned, arg.quarantined);
	s->coupled = !s->queued[0] && !s->queued[1] &&
		(!arg.flags || arg.flags == (PLDMA_RESET_TX | PLDMA_RESET_RX));
	if (s->coupled) {
		s->sent = 0;
		s->offered = 0;
	}
}

static inline void op_stats(struct session *s, struct rng *rng)
{
	struct pldma_stats arg = { .flags = below(rng, 8) ? 0 : 1U << below(rng, 32) };
	__u32 i, blocks = 0;

	if (!call(s, PLDMA_IOC_STATS, &arg, arg.flags & ~PLDMA_STATS_CLEAR ? EINVAL : 0,
		  some_twist(rng)))
		return;
	for (i = 0; i < BLOCKS; i++)
		blocks += s->blocks[i].live;
	if (arg.blocks != blocks)
		wrong(s, "STATS: expected %u blocks, found %u", blocks, arg.blocks);
}

static inline void op_info(struct session *s, struct rng *rng)
{
	struct pldma_info arg;

	memset(&arg, 0xff, sizeof(arg));
	if (call(s, PLDMA_IOC_INFO, &arg, 0, some_twist(rng)) &&
	    memcmp(&arg, &s->info, sizeof(arg)))
		wrong(s, "INFO changed");
	if (!is_zero(s->info.reserved, sizeof(s->info.reserved)) ||
	    s->info.chan[0].reserved || s->info.chan[1].reserved)
		wrong(s, "INFO: reserved members are not zero");
}

static inline void op_export(struct session *s, struct rng *rng)
{
	struct block *b = any(s, rng);
	struct pldma_export arg = { .id = b ? b->id : NOTHING };
	int expected = 0, flagged = !below(rng, 16);

	if (flagged)
		arg.flags = 1U << below(rng, 32);
	if (b && b->buffer >= 0)
		return;
	if (flagged)
		expected = EINVAL;
	else if (!b)
		expected = ENOENT;
	else if (!is_chunked(b->policy) || is_lazy_rx(b))
		expected = EOPNOTSUPP;
	else if (b->busy)
		expected = EBUSY;
	if (!call(s, PLDMA_IOC_EXPORT, &arg, expected, some_twist(rng)))
		return;
	if (fcntl(arg.fd, F_GETFD) != FD_CLOEXEC)
		wrong(s, "EXPORT: %d is not a file descriptor with O_CLOEXEC", arg.fd);
	b->buffer = arg.fd;
	b->exports++;
}

static inline void op_close_buffer(struct session *s, struct rng *rng)
{
	struct block *b = any(s, rng);

	if (!b || b->buffer < 0)
		return;
	close(b->buffer);
	calls_made++;
	b->buffer = -1;
	b->exports--;
}

static inline void op_import(struct session *s, struct rng *rng)
{
	struct block *b = any(s, rng), *made;
	struct pldma_import arg = { .size = 4096, .fd = -1, .direction = below(rng, 2) };
	int expected = EBADF, bad = below(rng, 8);
	enum twist twist = some_twist(rng);

	if (b && b->buffer >= 0) {
		arg.fd = b->buffer;
		arg.size = 1 + below(rng, mapping_size(s, b));
		/* two receive transfers to the same memory are a mistake of the caller */
		arg.direction = PLDMA_TX;
		expected = b->direction == PLDMA_TX ? 0 : -1;
	} else if (below(rng, 2)) {
		arg.fd = s->fd;
		expected = EINVAL;
	}
	if (bad == 0)
		arg.flags = 1U << below(rng, 32);
	else if (bad == 1)
		arg.size = 0;
	else if (bad == 2)
		arg.direction = 2 + below(rng, 9);
	else if (bad == 3)
		arg.size = s->info.policy[PLDMA_DMA_BUF].max_block + 1 + below(rng, 1U << 30);
	if (bad < 4)
		expected = EINVAL;
	if (expected < 0 || (!expected && !unused(s) && !twist_error(twist, PLDMA_IOC_IMPORT)))
		return;
	if (!call(s, PLDMA_IOC_IMPORT, &arg, expected, twist))
		return;
	b->exports++;
	made = born(s, arg.id, arg.direction, PLDMA_DMA_BUF, arg.size);
	made->source = b - s->blocks;
}

static inline void operation(struct session *s, struct rng *rng)
{
	switch (below(rng, 40)) {
	case 0: case 1: case 2: case 3:
		return op_alloc(s, rng);
	case 4: case 5:
		return op_free(s, rng, PLDMA_IOC_FREE);
	case 6:
		return op_free(s, rng, PLDMA_IOC_UNREGISTER);
	case 7: case 8:
		return op_query(s, rng);
	case 9: case 10: case 11: case 12: case 13: case 14:
		return op_enqueue(s, rng);
	case 15: case 16: case 17: case 18:
		return op_dequeue(s, rng);
	case 19:
		return op_sync(s, rng);
	case 20: case 21:
		return op_register(s, rng);
	case 22:
		return below(rng, 2) ? op_reset(s, rng) : op_query(s, rng);
	case 23:
		return op_stats(s, rng);
	case 24:
		return op_info(s, rng);
	case 25:
		return below(rng, 2) ? op_export(s, rng) : op_import(s, rng);
	case 26:
		return op_close_buffer(s, rng);
	case 27: case 28: case 32: case 33: case 34: case 35:
		return op_map(s, rng);
	case 29:
		return op_unmap(s, rng);
	case 30: case 36:
		return op_enqueue_batch(s, rng);
	case 37: case 38: case 39:
		return op_dequeue(s, rng);
	default:
		return op_dequeue_batch(s, rng);
	}
}

/* what no call may have left behind, or changed in memory of others */
static inline void session_checks(struct session *s, const unsigned char *others, size_t size)
{
	struct pldma_stats stats = {};
	size_t i;

	for (i = 0; i < size; i++)
		if (others[i] != CANARY)
			wrong(s, "memory that belongs to no block was written at %zu", i);
	if (ioctl(s->fd, PLDMA_IOC_STATS, &stats))
		wrong(s, "STATS: %s", strerror(errno));
	if (stats.chan[0].quarantined_blocks || stats.chan[1].quarantined_blocks)
		wrong(s, "a block is in quarantine");
}

#define OTHERS 65536

/*
 * Run a session on a freshly opened device. @keep says which of its operations to do,
 * or is NULL for all. Return 0, or 1 after a wrong answer, which s->why then describes.
 */
static inline int run_session(struct session *s, struct stage *stage, __u64 seed, int count,
			      const unsigned char *keep)
{
	unsigned char *others;
	int i, failed;

	memset(s, 0, sizeof(*s));
	s->stage = stage;
	s->coupled = 1;
	s->fd = open_device();
	memset(&s->info, 0xff, sizeof(s->info));
	expect(!ioctl(s->fd, PLDMA_IOC_INFO, &s->info), "INFO");
	others = mmap(NULL, OTHERS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s->arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(others != MAP_FAILED && s->arena != MAP_FAILED, "mmap");
	memset(others, CANARY, OTHERS);
	mprotect(s->arena + READONLY_PART, HOLE_PART - READONLY_PART, PROT_READ);
	mprotect(s->arena + HOLE_PART, ARENA - HOLE_PART, PROT_NONE);
	s->nonblock = seed & 1;
	if (s->nonblock)
		fcntl(s->fd, F_SETFL, O_NONBLOCK);

	failed = setjmp(s->wrong);
	if (!failed) {
		for (i = 0; i < count; i++) {
			struct rng rng = seeded(seed, i);

			s->op = i;
			if (!keep || keep[i])
				operation(s, &rng);
		}
		session_checks(s, others, OTHERS);
	}
	for (i = 0; i < BLOCKS; i++) {
		struct block *b = &s->blocks[i];

		if (b->live && b->mapped)
			munmap(b->memory, mapping_size(s, b));
		if (b->live && b->buffer >= 0)
			close(b->buffer);
	}
	close(s->fd);
	munmap(s->arena, ARENA);
	munmap(others, OTHERS);
	return failed;
}

#endif /* PLDMA_TEST_FUZZ_MODEL_H */
