// SPDX-License-Identifier: GPL-2.0
/*
 * memloop: a memory loop (pldma.ko memcpy=...)
 *
 *	memloop frames		INFO, frames longer and shorter than the receive block,
 *				queues of different length, RESET with one queue filled
 *				and of one direction, memory of many segments
 *	memloop cut COUNT	RESET, close() and SIGKILL during a copy, in turn; after
 *				each of them the loop must deliver frames
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "device.h"

#define LARGE (4 << 20)
#define MANY 8
#define SECOND 1000000000ULL

/* blocks of one direction, mapped */
struct blocks {
	__u32 id[MANY];
	__u8 *memory[MANY];
};

static struct blocks get(int fd, __u32 direction, __u32 policy, size_t size)
{
	struct pldma_alloc arg = alloc_blocks(fd, policy, direction, size, MANY);
	int prot = direction == PLDMA_TX ? PROT_READ | PROT_WRITE : PROT_READ;
	struct blocks got;
	int i;

	for (i = 0; i < MANY; i++) {
		got.id[i] = arg.first_id + i;
		got.memory[i] = mmap(NULL, size, prot, MAP_SHARED, fd,
				     arg.mmap_offset + i * arg.mmap_stride);
		expect(got.memory[i] != MAP_FAILED, "mmap");
	}
	return got;
}

static void unmap(const struct blocks *blocks, size_t size)
{
	int i;

	for (i = 0; i < MANY; i++)
		munmap(blocks->memory[i], size);
}

static void fill(__u8 *memory, size_t size, unsigned int seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		memory[i] = (i * 7 + i / 251 + seed * 31) & 0xff;
}

static void queue(int fd, __u32 id, size_t length)
{
	expect(!enqueue(fd, id, length), "ENQUEUE");
}

/* dequeue, and check id, status and length */
static void take(int fd, __u32 direction, __u32 id, __u32 status, __u64 length)
{
	struct pldma_dequeue out;
	int ret = dequeue(fd, direction, now() + 20 * SECOND, &out);

	if (ret != (status == PLDMA_STATUS_OK ? 0 : -1) || out.id != id ||
	    out.status != status || out.length != length)
		fail("%u: expected block %u, status %u, length %llu, found %u, %u, %llu (%s)",
		     direction, id, status, (unsigned long long)length, out.id, out.status,
		     (unsigned long long)out.length, ret ? strerror(errno) : "success");
}

static void same(const struct blocks *tx, int sent, const struct blocks *rx, int received,
		 size_t length)
{
	if (memcmp(tx->memory[sent], rx->memory[received], length))
		fail("frame %d: the data in receive block %d is different", sent, received);
}

static void check_info(int fd)
{
	__u32 want = PLDMA_CHAN_PRESENT | PLDMA_CHAN_PROVES_IDLE | PLDMA_CHAN_EXACT_LENGTHS |
		     PLDMA_CHAN_MEMORY_LOOP;
	struct pldma_info info;
	int i;

	expect(!ioctl(fd, PLDMA_IOC_INFO, &info), "INFO");
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		if ((info.chan[i].flags & want) != want || info.chan[i].flags & PLDMA_CHAN_WEDGED)
			fail("INFO: expected flags %#x, found %#x", want, info.chan[i].flags);
	expect(!info.core_id, "a memory loop has no core");
	expect(!strcmp(info.chan[PLDMA_TX].channel, info.chan[PLDMA_RX].channel),
	       "both directions have the same channel");
	printf("INFO names a memory loop of %s\n", info.chan[PLDMA_TX].engine);
}

static void check_lengths(int fd, const struct blocks *tx, const struct blocks *rx)
{
	size_t short_frame = 300032, space = 131072;

	fill(tx->memory[0], LARGE, 1);
	queue(fd, rx->id[0], LARGE);
	queue(fd, tx->id[0], short_frame);
	take(fd, PLDMA_TX, tx->id[0], PLDMA_STATUS_OK, short_frame);
	take(fd, PLDMA_RX, rx->id[0], PLDMA_STATUS_OK, short_frame);
	same(tx, 0, rx, 0, short_frame);
	puts("a short frame has its own length");

	fill(tx->memory[1], LARGE, 2);
	queue(fd, rx->id[1], space);
	queue(fd, tx->id[1], LARGE);
	take(fd, PLDMA_TX, tx->id[1], PLDMA_STATUS_OK, LARGE);
	take(fd, PLDMA_RX, rx->id[1], PLDMA_STATUS_WRITE_FAILED, space);
	same(tx, 1, rx, 1, space);
	puts("a frame longer than the receive block fills the block and is an error");
}

/* more frames than receive blocks, then the other way round */
static void check_queues(int fd, const struct blocks *tx, const struct blocks *rx)
{
	struct pldma_dequeue out;
	size_t size = 65536;
	int i;

	for (i = 0; i < MANY; i++) {
		fill(tx->memory[i], size, i);
		queue(fd, tx->id[i], size);
	}
	for (i = 0; i < 3; i++)
		queue(fd, rx->id[i], size);
	for (i = 0; i < 3; i++) {
		take(fd, PLDMA_RX, rx->id[i], PLDMA_STATUS_OK, size);
		same(tx, i, rx, i, size);
	}
	expect(dequeue(fd, PLDMA_RX, now(), &out) == -1 && errno == ENODATA, "rx is empty");
	for (i = 0; i < 3; i++)
		take(fd, PLDMA_TX, tx->id[i], PLDMA_STATUS_OK, size);
	expect(dequeue(fd, PLDMA_TX, now() + SECOND / 10, &out) == -1 && errno == ETIMEDOUT,
	       "tx waits for a receive block");
	for (i = 3; i < MANY; i++)
		queue(fd, rx->id[i], size);
	for (i = 3; i < MANY; i++) {
		take(fd, PLDMA_TX, tx->id[i], PLDMA_STATUS_OK, size);
		take(fd, PLDMA_RX, rx->id[i], PLDMA_STATUS_OK, size);
		same(tx, i, rx, i, size);
	}
	puts("queues of different length keep the order of frames");
}

static void check_one_queue(int fd, const struct blocks *tx, const struct blocks *rx)
{
	struct pldma_reset out;
	int i, direction;

	for (direction = 0; direction < PLDMA_NR_DIRECTIONS; direction++) {
		const struct blocks *blocks = direction == PLDMA_TX ? tx : rx;

		for (i = 0; i < MANY; i++)
			queue(fd, blocks->id[i], LARGE);
		expect(!reset(fd, &out), "RESET");
		expect(out.returned == MANY && !out.quarantined, "RESET returns every block");
		fill(tx->memory[0], 4096, 99 + direction);
		queue(fd, tx->id[0], 4096);
		queue(fd, rx->id[0], 4096);
		take(fd, PLDMA_TX, tx->id[0], PLDMA_STATUS_OK, 4096);
		take(fd, PLDMA_RX, rx->id[0], PLDMA_STATUS_OK, 4096);
		same(tx, 0, rx, 0, 4096);
	}
	puts("RESET returns the blocks of one filled queue");
}

/* RESET of one direction during a copy: the other one goes on */
static void check_one_direction(int fd, const struct blocks *tx, const struct blocks *rx)
{
	struct pldma_reset one = { .flags = PLDMA_RESET_RX };
	int i;

	for (i = 0; i < 3; i++)
		queue(fd, tx->id[i], LARGE);
	queue(fd, rx->id[0], LARGE);
	expect(!ioctl(fd, PLDMA_IOC_RESET, &one) && one.returned == 1, "RESET of rx");
	for (i = 1; i < 4; i++)
		queue(fd, rx->id[i], LARGE);
	for (i = 0; i < 3; i++)
		take(fd, PLDMA_TX, tx->id[i], PLDMA_STATUS_OK, LARGE);
	expect(!reset(fd, NULL), "RESET");
	puts("RESET of one direction leaves the other one running");
}

/* from a block of few segments into pages that are not in the order of their addresses */
static void check_pieces(int fd, const struct blocks *tx)
{
	size_t page = sysconf(_SC_PAGESIZE), size = 16 * page, i;
	struct pldma_register reg = {
		.size = size, .policy = PLDMA_USER_PAGES_REGISTERED, .direction = PLDMA_RX,
	};
	int memory = memfd_create("pages", 0);
	__u8 *area = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect(memory >= 0 && area != MAP_FAILED && !ftruncate(memory, size), "memory");
	for (i = 0; i < size; i += page)
		expect(mmap(area + i, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    memory, size - page - i) != MAP_FAILED, "mmap");
	reg.address = (unsigned long)area;
	expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER");
	fill(tx->memory[0], size, 5);
	queue(fd, reg.id, size);
	queue(fd, tx->id[0], size);
	take(fd, PLDMA_TX, tx->id[0], PLDMA_STATUS_OK, size);
	take(fd, PLDMA_RX, reg.id, PLDMA_STATUS_OK, size);
	expect(!memcmp(tx->memory[0], area, size), "a frame into many segments is different");
	puts("a frame is copied into many segments");
}

static void frames(void)
{
	int fd = open_device();
	struct blocks tx = get(fd, PLDMA_TX, PLDMA_STREAMING, LARGE);
	struct blocks rx = get(fd, PLDMA_RX, PLDMA_STREAMING, LARGE);

	check_info(fd);
	check_lengths(fd, &tx, &rx);
	check_queues(fd, &tx, &rx);
	check_one_queue(fd, &tx, &rx);
	check_one_direction(fd, &tx, &rx);
	check_pieces(fd, &tx);
	close(fd);
}

/* deliver one frame that is new each time; the device can be opened again afterwards */
static void deliver(int fd, unsigned int seed)
{
	size_t size = 100032;
	struct blocks tx = get(fd, PLDMA_TX, PLDMA_STREAMING, size);
	struct blocks rx = get(fd, PLDMA_RX, PLDMA_STREAMING, size);

	fill(tx.memory[0], size, seed);
	queue(fd, rx.id[0], size);
	queue(fd, tx.id[0], size);
	take(fd, PLDMA_TX, tx.id[0], PLDMA_STATUS_OK, size);
	take(fd, PLDMA_RX, rx.id[0], PLDMA_STATUS_OK, size);
	same(&tx, 0, &rx, 0, size);
	unmap(&tx, size);
	unmap(&rx, size);
}

/* start copies of 32 MiB in total */
static void start_copies(int fd)
{
	struct pldma_alloc tx = alloc_blocks(fd, PLDMA_COHERENT, PLDMA_TX, LARGE, MANY);
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_COHERENT, PLDMA_RX, LARGE, MANY);
	int i;

	for (i = 0; i < MANY; i++)
		queue(fd, rx.first_id + i, LARGE);
	for (i = 0; i < MANY; i++)
		queue(fd, tx.first_id + i, LARGE);
}

/* the number of copies that RESET kept from completion */
static unsigned int cut_by_reset(int fd)
{
	struct pldma_reset out;
	struct pldma_stats stats = {};

	expect(!reset(fd, &out), "RESET");
	expect(!out.quarantined, "a memory loop proves that it is idle");
	expect(!ioctl(fd, PLDMA_IOC_STATS, &stats), "STATS");
	return MANY - stats.chan[PLDMA_RX].transfers;
}

static void cut(int count)
{
	unsigned int during = 0;
	int i, fd, status;
	pid_t child;

	for (i = 0; i < count; i++) {
		if (i % 3 == 2) {
			child = fork();
			expect(child >= 0, "fork");
			if (!child) {
				start_copies(open_device());
				raise(SIGKILL);
			}
			expect(waitpid(child, &status, 0) == child, "wait");
			expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
			       "the child starts copies and is killed");
		} else {
			fd = open_device();
			start_copies(fd);
			usleep(rand() % 3000);
			if (i % 3 == 0)
				during += !!cut_by_reset(fd);
			close(fd);
		}
		fd = open_device();
		deliver(fd, i);
		close(fd);
	}
	expect(during, "at least one RESET ran while copies were under way");
	printf("RESET, close() and SIGKILL during copies: %d times, usable each time\n", count);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "frames"))
		frames();
	else if (argc == 3 && !strcmp(argv[1], "cut"))
		cut(atoi(argv[2]));
	else
		fail("usage: memloop frames | memloop cut COUNT");
	return 0;
}
