// SPDX-License-Identifier: MIT
/*
 * A driver in this process, in place of system.c: enough of pldma to move frames around a loop, and to
 * find an agent that touches memory outside blocks. Nothing of it is a model of the real driver.
 *
 * Forbidden pages lie before and behind each mapping, so that an access outside of it ends the process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../system.h"
#include "pldma.h"

#define PAGE		4096u
#define MAX_BLOCKS	256
#define STRIDE		(1ull << 20)
#define MAX_MAPPINGS	20000

struct block {
	bool used, queued, done;
	uint32_t direction;
	uint64_t offset, length, cookie, order;
};

static struct block blocks[MAX_BLOCKS];
static uint64_t orders;
static int device = -1;

static struct {
	uint8_t *at;
	size_t length;
	int prot;
} mappings[MAX_MAPPINGS];
static size_t mapping_count;

static int fail(int error)
{
	errno = error;
	return -1;
}

int system_open(const char *path, int flags)
{
	(void)flags;
	if (strcmp(path, "/dev/pldma0"))
		return fail(ENOENT);
	if (device >= 0)
		return fail(EBUSY);
	memset(blocks, 0, sizeof(blocks));
	device = memfd_create("pldma", MFD_CLOEXEC);
	if (device >= 0 && ftruncate(device, MAX_BLOCKS * STRIDE))
		abort();
	return device;
}

int system_close(int fd)
{
	if (fd == device)
		device = -1;
	return close(fd);
}

static size_t whole(size_t length)
{
	return (length + PAGE - 1) / PAGE * PAGE;
}

void *system_mmap(size_t length, int prot, int flags, int fd, uint64_t offset)
{
	size_t bytes = whole(length);
	uint8_t *at;

	if (bytes < length || mapping_count == MAX_MAPPINGS || bytes > 1ull << 32) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	at = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return at;
	if (mmap(at + PAGE, bytes, prot, flags | MAP_FIXED, fd, (off_t)offset) == MAP_FAILED) {
		int error = errno;

		munmap(at, bytes + 2 * PAGE);
		errno = error;
		return MAP_FAILED;
	}
	mappings[mapping_count].at = at + PAGE;
	mappings[mapping_count].prot = prot;
	mappings[mapping_count++].length = length;
	return at + PAGE;
}

int system_munmap(void *at, size_t length)
{
	for (size_t i = 0; i < mapping_count; i++) {
		if (mappings[i].at != at)
			continue;
		mappings[i] = mappings[--mapping_count];
		return munmap((uint8_t *)at - PAGE, whole(length) + 2 * PAGE);
	}
	abort(); /* the agent unmaps what is not mapped */
}

/*
 * Whether a range is memory of the session that allows the access. The last page of a mapping counts as
 * a whole.
 */
static bool is_mapped(uint64_t at, uint64_t length, int prot)
{
	for (size_t i = 0; i < mapping_count; i++) {
		uint64_t start = (uintptr_t)mappings[i].at, size = whole(mappings[i].length);

		if (at >= start && at - start <= size && length <= size - (at - start) &&
		    (mappings[i].prot & prot) == prot)
			return true;
	}
	return false;
}

/* Whether memory that can be accessed is there: the agent's own, unless a mapping has it. */
static bool is_agents_own(uint64_t at)
{
	unsigned char in_memory;

	return at < 1ull << 47 && !is_mapped(at, 1, PROT_NONE) &&
	       !msync((void *)(uintptr_t)(at / PAGE * PAGE), PAGE, MS_ASYNC) &&
	       !mincore((void *)(uintptr_t)(at / PAGE * PAGE), PAGE, &in_memory) && in_memory;
}

static struct block *next(uint32_t direction, bool done)
{
	struct block *found = NULL;

	for (int i = 0; i < MAX_BLOCKS; i++) {
		struct block *one = &blocks[i];

		if (one->used && one->direction == direction && (done ? one->done : one->queued) &&
		    (!found || one->order < found->order))
			found = one;
	}
	return found;
}

static void move(void)
{
	struct block *tx, *rx;

	while ((tx = next(PLDMA_TX, false)) && (rx = next(PLDMA_RX, false))) {
		size_t length = tx->length < rx->length ? tx->length : rx->length;
		uint8_t *data = malloc(length ? length : 1);

		if (!data || pread(device, data, length, (tx - blocks) * STRIDE + tx->offset) != (ssize_t)length ||
		    pwrite(device, data, length, (rx - blocks) * STRIDE + rx->offset) != (ssize_t)length)
			abort();
		free(data);
		rx->length = length;
		tx->queued = rx->queued = false;
		tx->done = rx->done = true;
	}
}

static int do_alloc(struct pldma_alloc *ask)
{
	uint32_t first = 0;

	if (ask->size == 0 || ask->size > STRIDE || ask->count == 0 || ask->count > MAX_BLOCKS ||
	    ask->direction > 1)
		return fail(EINVAL);
	while (first < MAX_BLOCKS && blocks[first].used)
		first++;
	for (uint32_t i = first; i < MAX_BLOCKS; i++)
		if (blocks[i].used)
			first = i + 1;
	if (first + ask->count > MAX_BLOCKS)
		return fail(ENOMEM);
	for (uint32_t i = first; i < first + ask->count; i++)
		blocks[i] = (struct block){ .used = true, .direction = ask->direction };
	ask->first_id = first;
	ask->mmap_offset = first * STRIDE;
	ask->mmap_stride = STRIDE;
	return 0;
}

static struct block *find(uint32_t id)
{
	return id < MAX_BLOCKS && blocks[id].used ? &blocks[id] : NULL;
}

static int do_enqueue(struct pldma_enqueue *ask)
{
	struct block *block = find(ask->id);

	if (!block)
		return fail(ENOENT);
	if (block->queued || block->done)
		return fail(EBUSY);
	if (ask->length == 0 || ask->length > STRIDE || ask->offset > STRIDE - ask->length)
		return fail(EINVAL);
	block->queued = true;
	block->offset = ask->offset;
	block->length = ask->length;
	block->cookie = ask->cookie;
	block->order = ++orders;
	move();
	return 0;
}

static uint64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int end(struct pldma_dequeue *ask, int error)
{
	ask->error = error;
	return error ? fail(error) : 0;
}

static int do_dequeue(struct pldma_dequeue *ask)
{
	struct block *block;

	if (ask->direction > 1 || ask->flags || ask->deadline_ns >> 63)
		return end(ask, EINVAL);
	block = next(ask->direction, true);
	if (!block && !next(ask->direction, false))
		return end(ask, ENODATA);
	/* nothing completes while this process waits; a wait of the fuzzer ends at once */
	while (!block && ask->deadline_ns > monotonic() && !getenv("FAKE_IMPATIENT"))
		usleep(1000);
	if (!block)
		return end(ask, ETIMEDOUT);
	block->done = false;
	ask->id = (uint32_t)(block - blocks);
	ask->status = 0;
	ask->offset = block->offset;
	ask->length = block->length;
	ask->cookie = block->cookie;
	ask->queued_ns = ask->submitted_ns = ask->done_ns = monotonic();
	ask->sync_device_ns = ask->sync_cpu_ns = 0;
	ask->check_kind = 0;
	return end(ask, 0);
}

static void do_info(struct pldma_info *info)
{
	*info = (struct pldma_info){
		.abi_version = PLDMA_ABI_VERSION, .cache_align = 64, .page_size = PAGE,
		.max_blocks = MAX_BLOCKS, .max_bytes = MAX_BLOCKS * STRIDE,
	};
	for (int i = 0; i < 2; i++) {
		info->chan[i] = (struct pldma_chan_info){
			.flags = PLDMA_CHAN_PRESENT, .queue_depth = 64, .engine_depth = 1,
			.max_segment = STRIDE, .address_align = 1, .length_align = 1, .dma_mask = ~0ull,
		};
		strcpy((char *)info->chan[i].engine, "fake");
	}
	info->policy[2] = (struct pldma_policy_info){ PLDMA_POLICY_TX | PLDMA_POLICY_RX, 1, STRIDE };
}

static int do_register(struct pldma_register *ask)
{
	if (is_agents_own(ask->address)) {
		fprintf(stderr, "the agent passed on an address of its own memory: %llx, %llx bytes\n",
			ask->address, ask->size);
		abort();
	}
	if (!is_mapped(ask->address, ask->size, PROT_NONE))
		return fail(EFAULT);
	ask->id = MAX_BLOCKS;
	return 0;
}

/* Like the driver: an error of the first item fails the call, and one of another ends it. -1 enqueues. */
static int do_batch(uint64_t items, uint64_t item_size, uint32_t count, uint32_t *done,
		    int direction)
{
	bool enqueue = direction < 0;
	uint64_t least = enqueue ? sizeof(struct pldma_enqueue) : sizeof(struct pldma_dequeue);

	if (count == 0 || count > PLDMA_MAX_BATCH || item_size < least || item_size > PAGE)
		return fail(EINVAL);
	/* like the kernel, which cannot write read-only memory; nor what the agent uses to refuse an address */
	if (!is_agents_own(items) && !is_mapped(items, item_size * count, PROT_READ | PROT_WRITE))
		return fail(EFAULT);
	for (*done = 0; *done < count; (*done)++, items += item_size) {
		uint8_t *item = (uint8_t *)(uintptr_t)items;
		struct pldma_enqueue in;
		struct pldma_dequeue out = { 0 };
		int error;

		if (enqueue) {
			memcpy(&in, item, sizeof(in));
			error = do_enqueue(&in) ? errno : 0;
			in.error = error;
			memcpy(item, &in, sizeof(in));
		} else {
			out.direction = (uint32_t)direction;
			error = do_dequeue(&out) ? errno : 0;
			memcpy(item, &out, sizeof(out));
		}
		if (error)
			return *done > 0 ? 0 : fail(error);
	}
	return 0;
}

static int do_enqueue_batch(struct pldma_enqueue_batch *ask)
{
	return do_batch(ask->items, ask->item_size, ask->count, &ask->done, -1);
}

static int do_dequeue_batch(struct pldma_dequeue_batch *ask)
{
	return do_batch(ask->items, ask->item_size, ask->count, &ask->done,
			ask->direction & 1);
}

int system_ioctl(int fd, uint32_t request, void *argument)
{
	struct pldma_free *by_id = argument;
	struct block *block;

	if (fd != device)
		return fail(EBADF);
	if (!argument && (request >> 8 & 0xff) == PLDMA_IOC_MAGIC)
		return fail(EFAULT);
	switch (request) {
	case PLDMA_IOC_INFO:
		do_info(argument);
		return 0;
	case PLDMA_IOC_ALLOC:
		return do_alloc(argument);
	case PLDMA_IOC_FREE:
		block = find(by_id->id);
		if (!block)
			return fail(ENOENT);
		*block = (struct block){ 0 };
		return 0;
	case PLDMA_IOC_ENQUEUE:
		return do_enqueue(argument);
	case PLDMA_IOC_DEQUEUE:
		return do_dequeue(argument);
	case PLDMA_IOC_ENQUEUE_BATCH:
		return do_enqueue_batch(argument);
	case PLDMA_IOC_DEQUEUE_BATCH:
		return do_dequeue_batch(argument);
	case PLDMA_IOC_REGISTER:
		return do_register(argument);
	case PLDMA_IOC_EXPORT:
		((struct pldma_export *)argument)->fd = memfd_create("export", MFD_CLOEXEC);
		return 0;
	case PLDMA_IOC_QUERY:
		return find(by_id->id) ? 0 : fail(ENOENT);
	case PLDMA_IOC_STATS:
		/* zeros, but for the flags that the caller set */
		memset((uint8_t *)argument + 8, 0, sizeof(struct pldma_stats) - 8);
		return 0;
	case PLDMA_IOC_RESET:
		for (int i = 0; i < MAX_BLOCKS; i++)
			blocks[i].queued = blocks[i].done = false;
		return 0;
	case 0x5421: /* FIONBIO */
		return 0;
	default:
		return fail(ENOTTY);
	}
}
