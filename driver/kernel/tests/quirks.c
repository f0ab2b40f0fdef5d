// SPDX-License-Identifier: GPL-2.0
/*
 * quirks: /dev/pldma0 on an engine of which pldma knows only what dmaengine tells
 *
 *	quirks trusted ROUNDS	an engine whose driver is trusted: needs providers=0
 *	quirks distrusted	an engine whose driver is not: needs providers=0
 *				quirks=pl_softdma:terminate-unproved
 *	quirks segments		an engine that receives into one segment: needs
 *				quirks=pl_softdma:one-segment
 *	quirks both		an engine that resets both directions: needs
 *				quirks=pl_softdma:resets-both
 *
 * Needs root and a loopback design. Exits with 0 on success. Otherwise exits with 1
 * after a line that describes the failure.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sys/syscall.h>

#include "device.h"

static struct pldma_chan_info rx_info(int fd)
{
	struct pldma_info info;

	expect(!ioctl(fd, PLDMA_IOC_INFO, &info), "INFO");
	return info.chan[PLDMA_RX];
}

/* send a frame of some bytes and compare it */
static void one_frame(int fd, __u64 size)
{
	struct pldma_alloc tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, size, 1);
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, size, 1);
	unsigned char *out = map(fd, &tx, PROT_READ | PROT_WRITE);
	unsigned char *in = map(fd, &rx, PROT_READ);
	struct pldma_query query = { .id = rx.first_id };
	struct pldma_dequeue done;
	__u64 i;

	for (i = 0; i < size; i++)
		out[i] = (i * 31 + (i >> 8)) & 0xff;
	expect(!enqueue(fd, rx.first_id, size) && !enqueue(fd, tx.first_id, size), "ENQUEUE");
	expect(!dequeue(fd, PLDMA_RX, now() + 20000000000ULL, &done), "DEQUEUE rx");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
	expect(done.length == size && !memcmp(in, out, size), "the received frame differs");
	expect(!ioctl(fd, PLDMA_IOC_QUERY, &query), "QUERY");
	expect(rx_info(fd).max_segments != 1 || query.segments == 1, "the block has one segment");
	munmap(out, size);
	munmap(in, size);
	free_block(fd, tx.first_id);
	free_block(fd, rx.first_id);
}

static __u64 largest_block(int fd)
{
	struct pldma_info info;

	expect(!ioctl(fd, PLDMA_IOC_INFO, &info), "INFO");
	return info.policy[PLDMA_STREAMING].max_block;
}

static void check_trusted(int rounds)
{
	struct pldma_reset result;
	struct pldma_alloc rx;
	int fd = open_device(), round;
	struct pldma_chan_info info = rx_info(fd);

	expect(!(info.flags & PLDMA_CHAN_PROVES_IDLE) &&
	       info.flags & PLDMA_CHAN_TRUSTS_TERMINATE, "INFO must report the trust");
	expect(info.quirks == (PLDMA_QUIRK_ONE_SEGMENT | PLDMA_QUIRK_LENGTH) &&
	       info.max_segments == 1 && !(info.flags & PLDMA_CHAN_EXACT_LENGTHS),
	       "INFO must report the quirks of an unknown driver");
	close(fd);
	for (round = 0; round < rounds; round++) {
		fd = open_device();
		rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
		expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE after close() during a transfer");
		close(fd);
	}
	fd = open_device();
	rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
	expect(dequeue(fd, PLDMA_RX, now() + 200000000ULL, NULL) < 0 && errno == ETIMEDOUT,
	       "DEQUEUE without a frame must time out");
	expect(!reset(fd, &result) && result.returned == 1 && !result.quarantined, "RESET");
	free_block(fd, rx.first_id);
	one_frame(fd, SIZE);
	close(fd);
	printf("closed during a transfer: %d times, usable each time\n", rounds);
}

static void check_distrusted(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2], none[2] = {};
	struct pldma_reset force = { .flags = PLDMA_RESET_FORCE }, result;
	int fd = open_device();
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);

	expect(!(rx_info(fd).flags & (PLDMA_CHAN_PROVES_IDLE | PLDMA_CHAN_TRUSTS_TERMINATE)),
	       "INFO must report neither proof nor trust");
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
	expect(reset(fd, &result) < 0 && errno == EIO && result.quarantined == 1, "RESET");
	expect(enqueue(fd, rx.first_id, SIZE) < 0 && errno == EBUSY, "ENQUEUE in quarantine");
	close(fd);

	fd = open_device();
	rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	expect(enqueue(fd, rx.first_id, SIZE) < 0 && errno == EIO, "ENQUEUE must be EIO");
	expect(!syscall(SYS_capget, &header, data), "capget");
	none[0].permitted = data[0].permitted;
	none[1].permitted = data[1].permitted;
	expect(!syscall(SYS_capset, &header, none), "capset");
	refused(fd, PLDMA_IOC_RESET, &force, EPERM, "RESET with FORCE");
	expect(!syscall(SYS_capset, &header, data), "capset");
	expect(!ioctl(fd, PLDMA_IOC_RESET, &force) && !force.quarantined, "RESET with FORCE");
	free_block(fd, rx.first_id);
	one_frame(fd, SIZE);
	close(fd);
	puts("only a forced RESET ends the quarantine");
}

static void check_segments(void)
{
	long page = sysconf(_SC_PAGESIZE);
	int fd = open_device(), memory = memfd_create("page", 0);
	struct pldma_chan_info info = rx_info(fd);
	struct pldma_register reg = {
		.size = 2 * page, .direction = PLDMA_RX, .policy = PLDMA_USER_PAGES_REGISTERED,
	};
	struct pldma_stats stats = {};
	struct pldma_alloc block;
	char *area;
	int i;

	expect(info.quirks == PLDMA_QUIRK_ONE_SEGMENT && info.max_segments == 1, "INFO");
	one_frame(fd, 3 * page);
	/* a segment has a power of two of pages */
	block = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, 3 * page, 1);
	expect(!ioctl(fd, PLDMA_IOC_STATS, &stats) && stats.bytes == (__u64)(4 * page),
	       "STATS must count what a block of 3 pages takes");
	free_block(fd, block.first_id);
	/* the bounce buffers of the board limit this to less than max_segment */
	one_frame(fd, largest_block(fd));
	/* two pages of address space with the same page of memory are two segments */
	area = mmap(NULL, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(area != MAP_FAILED && memory >= 0 && !ftruncate(memory, page), "memory");
	for (i = 0; i < 2; i++)
		expect(mmap(area + i * page, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    memory, 0) != MAP_FAILED, "mmap");
	reg.address = (unsigned long)area;
	refused(fd, PLDMA_IOC_REGISTER, &reg, EOPNOTSUPP, "REGISTER of two segments for rx");
	reg.size = page;
	expect(!ioctl(fd, PLDMA_IOC_REGISTER, &reg), "REGISTER of one segment for rx");
	close(fd);
	puts("a frame is received into one segment");
}

static void check_both(void)
{
	struct pldma_reset one = { .flags = PLDMA_RESET_RX };
	struct pldma_reset both = { .flags = PLDMA_RESET_RX | PLDMA_RESET_TX };
	int fd = open_device();
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);

	expect(rx_info(fd).quirks == PLDMA_QUIRK_RESETS_BOTH, "INFO");
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
	refused(fd, PLDMA_IOC_RESET, &one, EOPNOTSUPP, "RESET of one direction");
	expect(!ioctl(fd, PLDMA_IOC_RESET, &both) && both.returned == 1, "RESET of both");
	free_block(fd, rx.first_id);
	one_frame(fd, SIZE);
	close(fd);
	puts("one direction is not reset alone");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "trusted"))
		check_trusted(argc > 2 ? atoi(argv[2]) : 1000);
	else if (!strcmp(what, "distrusted"))
		check_distrusted();
	else if (!strcmp(what, "segments"))
		check_segments();
	else if (!strcmp(what, "both"))
		check_both();
	else
		fail("expected trusted, distrusted, segments or both");
	return 0;
}
