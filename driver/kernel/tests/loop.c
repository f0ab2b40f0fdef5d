// SPDX-License-Identifier: GPL-2.0
/*
 * loop: the loop of hil/frames/loop.ts in C, as a reference for its speed
 *
 *	loop POLICY SIZE DEPTH FRAMES
 *
 * Does the same work for each frame: copies the frame and its header to a transmit
 * block, enqueues and dequeues both blocks, and compares header and body of the
 * received frame. Prints the seconds from the first ENQUEUE to the last comparison.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pldma.h"

#define STEP	(65 * 8)	/* as in hil/patterns/tagged.ts */
#define SLOTS	4093
#define HEADER	32
#define MAX_DEPTH 256

static int fd;
static size_t size;
static unsigned char *tape, *tx[MAX_DEPTH], *rx[MAX_DEPTH];
static __u32 tx_id[MAX_DEPTH], rx_id[MAX_DEPTH];

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void make(__u32 policy, __u32 direction, __u32 depth, unsigned char **blocks, __u32 *ids)
{
	struct pldma_alloc arg = {
		.size = size, .count = depth, .direction = direction, .policy = policy,
	};
	int prot = direction == PLDMA_RX ? PROT_READ : PROT_READ | PROT_WRITE;
	__u32 i;

	if (ioctl(fd, PLDMA_IOC_ALLOC, &arg))
		die("ALLOC");
	for (i = 0; i < depth; i++) {
		ids[i] = arg.first_id + i;
		blocks[i] = mmap(NULL, size, prot, MAP_SHARED, fd,
				 arg.mmap_offset + i * arg.mmap_stride);
		if (blocks[i] == MAP_FAILED)
			die("mmap");
	}
}

static void enqueue(__u32 id, __u64 cookie)
{
	struct pldma_enqueue arg = { .id = id, .length = size, .cookie = cookie };

	if (ioctl(fd, PLDMA_IOC_ENQUEUE, &arg))
		die("ENQUEUE");
}

static void dequeue(__u32 direction, __u32 id, __u64 cookie, __u64 length)
{
	struct pldma_dequeue arg = {
		.direction = direction, .deadline_ns = now() + 20000000000ULL,
	};

	if (ioctl(fd, PLDMA_IOC_DEQUEUE, &arg))
		die("DEQUEUE");
	if (arg.id != id || arg.cookie != cookie || arg.length != length) {
		fprintf(stderr, "unexpected completion\n");
		exit(1);
	}
}

static void make_header(unsigned char *header, __u64 sequence)
{
	__u64 words[HEADER / 8] = { 0x504c4d42, sequence, size, sequence * 0x9e3779b97f4a7c15ULL };

	memcpy(header, words, HEADER);
}

static void send(__u32 slot, __u64 sequence)
{
	unsigned char header[HEADER];

	enqueue(rx_id[slot], sequence);
	memcpy(tx[slot], tape + sequence % SLOTS * STEP, size);
	make_header(header, sequence);
	memcpy(tx[slot], header, HEADER);
	enqueue(tx_id[slot], sequence);
}

static void receive(__u32 slot, __u64 sequence)
{
	unsigned char header[HEADER];

	dequeue(PLDMA_RX, rx_id[slot], sequence, size);
	dequeue(PLDMA_TX, tx_id[slot], sequence, size);
	make_header(header, sequence);
	if (memcmp(rx[slot], header, HEADER) ||
	    memcmp(rx[slot] + HEADER, tape + sequence % SLOTS * STEP + HEADER, size - HEADER)) {
		fprintf(stderr, "frame %llu differs from the sent frame\n",
			(unsigned long long)sequence);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	__u64 frames, due, sent = 0, start;
	__u32 policy, depth;
	size_t i, words;

	if (argc != 5) {
		fprintf(stderr, "usage: loop POLICY SIZE DEPTH FRAMES\n");
		return 2;
	}
	policy = strtoul(argv[1], NULL, 10);
	size = strtoul(argv[2], NULL, 10);
	depth = strtoul(argv[3], NULL, 10);
	frames = strtoull(argv[4], NULL, 10);
	if (size < 2 * HEADER || !depth || depth > MAX_DEPTH) {
		fprintf(stderr, "expected SIZE of at least 64 and DEPTH from 1 to 256\n");
		return 2;
	}
	fd = open("/dev/pldma0", O_RDWR);
	if (fd < 0)
		die("/dev/pldma0");
	words = size / 8 + 1 + SLOTS * STEP / 8;
	tape = malloc(words * 8);
	if (!tape)
		die("malloc");
	for (i = 0; i < words; i++) {
		__u64 word = (i + 1) * 0x9e3779b97f4a7c15ULL;

		memcpy(tape + 8 * i, &word, 8);
	}
	make(policy, PLDMA_TX, depth, tx, tx_id);
	make(policy, PLDMA_RX, depth, rx, rx_id);

	start = now();
	while (sent < frames && sent < depth) {
		send(sent % depth, sent);
		sent++;
	}
	for (due = 0; due < frames; due++) {
		receive(due % depth, due);
		if (sent < frames) {
			send(sent % depth, sent);
			sent++;
		}
	}
	printf("%.9f\n", (now() - start) / 1e9);
	return 0;
}
