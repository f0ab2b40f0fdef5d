// SPDX-License-Identifier: GPL-2.0
/*
 * unmap: a memory loop of an engine that is slow and cannot be stopped (QEMU's edu)
 *
 *	unmap frames		INFO, frames of several sizes, short and long frames
 *	unmap stray ADDRESS	a store to a bus address of no block: its bytes are missing,
 *				and the next frame is right
 *	unmap pending		RESET and FREE while a copy is under way: no byte changes
 *				afterwards
 *	unmap revoked POLICY	the same behind an IOMMU in strict mode, with an engine that
 *				goes on after RESET: RESET succeeds by unmapping
 *	unmap kept		the same with policy coherent, whose memory cannot be unmapped:
 *				quarantine
 *	unmap quarantined	the same in lazy mode: quarantine, in which bytes change
 *	unmap close		close() and a new open() while the engine goes on
 */
#define _GNU_SOURCE
#include "device.h"

#define SECOND 1000000000ULL
#define LONG_COPY (192 << 10)	/* takes over 9 seconds: 49 pieces of 200 ms */
#define STRAY "/sys/module/pl_edu/parameters/stray"

struct block {
	__u32 id;
	__u8 *memory;
	size_t size;
};

static struct block get(int fd, __u32 direction, __u32 policy, size_t size)
{
	struct pldma_alloc arg = alloc_blocks(fd, policy, direction, size, 1);
	int prot = direction == PLDMA_TX ? PROT_READ | PROT_WRITE : PROT_READ;

	return (struct block){ arg.first_id, map(fd, &arg, prot), size };
}

/* memory of the program, for policy USER_PAGES */
static struct block get_user(int fd, __u32 direction, size_t size)
{
	struct pldma_register reg = {
		.size = size, .policy = PLDMA_USER_PAGES, .direction = direction,
	};
	__u8 *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	expect(memory != MAP_FAILED, "mmap");
	memset(memory, 0x5a, size);
	reg.address = (unsigned long)memory;
	expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER");
	return (struct block){ reg.id, memory, size };
}

static void fill(const struct block *block, unsigned int seed)
{
	size_t i;

	for (i = 0; i < block->size; i++)
		block->memory[i] = (i * 7 + i / 251 + seed * 31) & 0xff;
}

static struct pldma_chan_info rx_info(int fd)
{
	struct pldma_info info;

	expect(!ioctl(fd, PLDMA_IOC_INFO, &info), "INFO");
	return info.chan[PLDMA_RX];
}

static __u64 pause_ns(__u64 ns)
{
	struct timespec time = { ns / SECOND, ns % SECOND };

	nanosleep(&time, NULL);
	return now();
}

static void take(int fd, __u32 direction, __u32 status, __u64 length)
{
	struct pldma_dequeue out;
	int ret = dequeue(fd, direction, now() + 120 * SECOND, &out);

	if (ret != (status == PLDMA_STATUS_OK ? 0 : -1) || out.status != status ||
	    out.length != length)
		fail("%u: expected status %u, length %llu, found %u, %llu (%s)", direction,
		     status, (unsigned long long)length, out.status,
		     (unsigned long long)out.length, ret ? strerror(errno) : "success");
}

/* move one frame; the length is that of the shorter side */
static void move(int fd, const struct block *tx, size_t sent, const struct block *rx, size_t space)
{
	expect(!enqueue(fd, rx->id, space), "ENQUEUE rx");
	expect(!enqueue(fd, tx->id, sent), "ENQUEUE tx");
	take(fd, PLDMA_TX, PLDMA_STATUS_OK, sent);
	take(fd, PLDMA_RX, sent > space ? PLDMA_STATUS_WRITE_FAILED : PLDMA_STATUS_OK,
	     sent > space ? space : sent);
}

/* one frame with new data in new blocks */
static void deliver(int fd, unsigned int seed)
{
	struct block tx = get(fd, PLDMA_TX, PLDMA_STREAMING, 8192);
	struct block rx = get(fd, PLDMA_RX, PLDMA_STREAMING, 8192);

	fill(&tx, seed);
	move(fd, &tx, 8192, &rx, 8192);
	expect(!memcmp(tx.memory, rx.memory, 8192), "the frame is different");
	munmap(tx.memory, 8192);
	munmap(rx.memory, 8192);
	free_block(fd, tx.id);
	free_block(fd, rx.id);
}

static void check_frames(void)
{
	static const size_t sizes[] = { 1, 64, 4032, 4033, 8192 };
	int fd = open_device();
	struct block tx = get(fd, PLDMA_TX, PLDMA_STREAMING, 8192);
	struct block rx = get(fd, PLDMA_RX, PLDMA_STREAMING, 8192);
	struct pldma_chan_info info = rx_info(fd);
	unsigned int i;

	expect(info.flags & PLDMA_CHAN_MEMORY_LOOP, "INFO must name a memory loop");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fill(&tx, i + 1);
		move(fd, &tx, sizes[i], &rx, 8192);
		expect(!memcmp(tx.memory, rx.memory, sizes[i]), "the frame is different");
	}
	fill(&tx, 99);
	move(fd, &tx, 8192, &rx, 4096);
	expect(!memcmp(tx.memory, rx.memory, 4096), "the start of a long frame is different");
	expect(memcmp(tx.memory + 4096, rx.memory + 4096, 4096),
	       "a long frame went past the space");
	printf("frames of 1 to 8192 bytes, %s, mask %#llx\n",
	       info.flags & PLDMA_CHAN_NEEDS_SYNC ? "with syncs" : "without syncs",
	       (unsigned long long)info.dma_mask);
	close(fd);
}

static void check_stray(const char *address)
{
	int fd = open_device();
	struct block tx = get(fd, PLDMA_TX, PLDMA_STREAMING, 8192);
	struct block rx = get(fd, PLDMA_RX, PLDMA_STREAMING, 8192);
	size_t i, wrong = 0;

	fill(&tx, 1);
	put(STRAY, address);
	/* the engine does not notice what the IOMMU refuses */
	move(fd, &tx, 8192, &rx, 8192);
	for (i = 0; i < 8192; i++)
		wrong += tx.memory[i] != rx.memory[i];
	for (i = 0; i < 4032; i++)
		expect(!rx.memory[i], "the first piece must be missing");
	expect(!memcmp(tx.memory + 4032, rx.memory + 4032, 8192 - 4032), "the rest must be right");
	fill(&tx, 2);
	move(fd, &tx, 8192, &rx, 8192);
	expect(!memcmp(tx.memory, rx.memory, 8192), "the next frame is different");
	printf("a stray store: %zu bytes are missing, and the next frame is right\n", wrong);
	close(fd);
}

static size_t differences(const __u8 *a, const __u8 *b, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < size; i++)
		n += a[i] != b[i];
	return n;
}

/* begin a long copy, and wait until some of it is there, but not all */
static void begin(int fd, const struct block *tx, const struct block *rx)
{
	size_t missing;

	fill(tx, 77);
	expect(!enqueue(fd, rx->id, rx->size), "ENQUEUE rx");
	expect(!enqueue(fd, tx->id, tx->size), "ENQUEUE tx");
	pause_ns(SECOND / 2);
	missing = differences(tx->memory, rx->memory, rx->size);
	expect(missing > rx->size / 2, "most of the copy must be missing when RESET comes");
}

static size_t changes_in(const struct block *block, unsigned int seconds)
{
	__u8 *before = malloc(block->size);
	size_t n;

	expect(!!before, "malloc");
	memcpy(before, block->memory, block->size);
	pause_ns(seconds * SECOND);
	n = differences(before, block->memory, block->size);
	free(before);
	return n;
}

/* blocks of the policy, or of memory of the program */
static void get_pair(int fd, __u32 policy, struct block *tx, struct block *rx)
{
	*tx = get(fd, PLDMA_TX, PLDMA_STREAMING, LONG_COPY);
	*rx = policy == PLDMA_USER_PAGES ? get_user(fd, PLDMA_RX, LONG_COPY) :
					   get(fd, PLDMA_RX, policy, LONG_COPY);
}

static void give_back(int fd, __u32 policy, const struct block *rx)
{
	struct pldma_free arg = { .id = rx->id };

	if (policy == PLDMA_USER_PAGES) {
		expect(!ioctl(fd, PLDMA_IOC_UNREGISTER, &arg), "UNREGISTER");
	} else {
		munmap(rx->memory, rx->size);
		free_block(fd, rx->id);
	}
}

static void check_pending(void)
{
	static const __u32 policies[] = { PLDMA_STREAMING, PLDMA_COHERENT, PLDMA_USER_PAGES };
	struct pldma_reset out;
	struct block tx, rx;
	unsigned int i;
	int fd = open_device();

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		get_pair(fd, policies[i], &tx, &rx);
		begin(fd, &tx, &rx);
		expect(!reset(fd, &out) && out.returned == 2 && !out.quarantined, "RESET");
		expect(differences(tx.memory, rx.memory, rx.size) > 4096,
		       "RESET must come before the end of the copy");
		expect(!changes_in(&rx, 2), "bytes changed after RESET");
		give_back(fd, policies[i], &rx);
		if (policies[i] == PLDMA_USER_PAGES)
			expect(!changes_in(&rx, 1), "bytes changed after UNREGISTER");
		munmap(tx.memory, tx.size);
		free_block(fd, tx.id);
		deliver(fd, i);
	}
	puts("RESET with a copy pending: no byte changes afterwards");
	close(fd);
}

static void check_revoked(__u32 policy)
{
	struct pldma_reset out;
	struct block tx, rx;
	int fd = open_device();

	expect(rx_info(fd).flags & PLDMA_CHAN_UNMAP_PROVES, "INFO must tell that unmapping proves");
	get_pair(fd, policy, &tx, &rx);
	begin(fd, &tx, &rx);
	expect(!reset(fd, &out), "RESET");
	expect(out.returned == 2 && !out.quarantined, "RESET must return both blocks");
	expect(differences(tx.memory, rx.memory, rx.size) > 4096,
	       "RESET must come before the end of the copy");
	/* new data for a running engine: what it still stores would be seen */
	fill(&tx, 5);
	expect(!changes_in(&rx, 3), "bytes changed after RESET");
	/* the same blocks, with new addresses, while the engine uses the old ones */
	move(fd, &tx, 8192, &rx, 8192);
	expect(!memcmp(tx.memory, rx.memory, 8192), "the frame is different");
	give_back(fd, policy, &rx);
	munmap(tx.memory, tx.size);
	free_block(fd, tx.id);
	deliver(fd, 4);
	puts("RESET by unmapping: no byte changes, no quarantine, and frames afterwards");
	close(fd);
}

static void check_kept(void)
{
	struct pldma_reset out;
	struct block tx, rx;
	int fd = open_device();
	__u64 end;

	get_pair(fd, PLDMA_COHERENT, &tx, &rx);
	begin(fd, &tx, &rx);
	expect(reset(fd, &out) == -1 && errno == EIO && out.returned == 1 && out.quarantined == 1,
	       "RESET must take the tx block, and leave the rx block in quarantine");
	end = now() + 60 * SECOND;
	while (reset(fd, &out))
		expect(now() < end, "RESET must succeed after the end of the copy");
	expect(!out.quarantined && out.returned == 1, "RESET must return the rx block");
	deliver(fd, 6);
	puts("memory that cannot be unmapped stays in quarantine until the copy ends");
	close(fd);
}

static void check_quarantined(void)
{
	struct pldma_reset out;
	struct block tx, rx;
	int fd = open_device();
	__u64 end;
	size_t n;

	expect(!(rx_info(fd).flags & PLDMA_CHAN_UNMAP_PROVES), "INFO must not claim a proof");
	get_pair(fd, PLDMA_STREAMING, &tx, &rx);
	begin(fd, &tx, &rx);
	expect(reset(fd, &out) == -1 && errno == EIO && out.quarantined == 2 && !out.returned,
	       "RESET must leave both blocks in quarantine");
	expect(rx_info(fd).flags & PLDMA_CHAN_WEDGED, "INFO must report it");
	n = changes_in(&rx, 3);
	expect(n > 4096, "the engine must go on");
	end = now() + 60 * SECOND;
	while (reset(fd, &out))
		expect(now() < end, "RESET must succeed after the end of the copy");
	expect(!out.quarantined && out.returned == 2, "RESET must return both blocks");
	deliver(fd, 3);
	printf("quarantine, in which %zu bytes changed; RESET after the copy ends it\n", n);
	close(fd);
}

static void check_close(void)
{
	struct block tx, rx;
	int fd = open_device();

	get_pair(fd, PLDMA_STREAMING, &tx, &rx);
	begin(fd, &tx, &rx);
	munmap(tx.memory, tx.size);
	munmap(rx.memory, rx.size);
	close(fd);
	fd = open_device();
	expect(!(rx_info(fd).flags & PLDMA_CHAN_WEDGED), "close() must leave no quarantine");
	/* the copy of the earlier open ends first */
	deliver(fd, 8);
	close(fd);
	puts("close() during a copy, and a frame afterwards");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "frames"))
		check_frames();
	else if (!strcmp(what, "stray") && argc == 3)
		check_stray(argv[2]);
	else if (!strcmp(what, "pending"))
		check_pending();
	else if (!strcmp(what, "revoked") && argc == 3)
		check_revoked(strcmp(argv[2], "user-pages") ? PLDMA_STREAMING : PLDMA_USER_PAGES);
	else if (!strcmp(what, "kept"))
		check_kept();
	else if (!strcmp(what, "quarantined"))
		check_quarantined();
	else if (!strcmp(what, "close"))
		check_close();
	else
		fail("usage: unmap frames | stray ADDRESS | pending | kept | quarantined | close\n"
		     "       unmap revoked streaming|user-pages");
	return 0;
}
