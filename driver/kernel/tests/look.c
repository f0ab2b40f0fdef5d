// SPDX-License-Identifier: GPL-2.0
/*
 * look: what others see of a device that a process has open
 *
 *	look
 *
 * Prints the files of debugfs while two receive blocks wait, then the tracepoints of
 * one frame, a RESET and a refused second open.
 */
#include "device.h"

#define DEBUGFS "/sys/kernel/debug/pldma/pldma0/"
#define TRACING "/sys/kernel/debug/tracing/"

static void show(const char *title, const char *path)
{
	char text[4096];
	FILE *file = fopen(path, "r");
	size_t n;

	expect(!!file, path);
	printf("== %s\n", title);
	while ((n = fread(text, 1, sizeof(text), file)))
		fwrite(text, 1, n, stdout);
	fclose(file);
}

static void show_all(void)
{
	show("channels", DEBUGFS "channels");
	show("blocks", DEBUGFS "blocks");
	show("errors", DEBUGFS "errors");
}

int main(void)
{
	int fd = open_device(), other;
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 2);
	struct pldma_alloc tx = alloc_blocks(fd, PLDMA_COHERENT, PLDMA_TX, SIZE, 1);
	struct pldma_dequeue out;
	struct pldma_info info;

	put(TRACING "events/pldma/enable", "1");
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
	expect(!enqueue(fd, rx.first_id + 1, SIZE), "ENQUEUE");
	expect(dequeue(fd, PLDMA_RX, now() + 1000000, &out) == -1 && errno == ETIMEDOUT,
	       "DEQUEUE times out");
	show_all();

	expect(open(DEVICE, O_RDWR) == -1 && errno == EBUSY, "a second open fails with EBUSY");
	other = open(DEVICE, O_RDONLY);
	expect(other >= 0 && !ioctl(other, PLDMA_IOC_INFO, &info), "INFO without the device");
	close(other);

	/* a frame that is longer than the receive block fails */
	expect(!reset(fd, NULL), "RESET");
	expect(!enqueue(fd, rx.first_id, 4096), "ENQUEUE");
	expect(!enqueue(fd, tx.first_id, 8192), "ENQUEUE");
	expect(dequeue(fd, PLDMA_RX, now() + 20000000000ULL, &out) == -1 && errno == EIO,
	       "a frame that is too long is an error");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, &out), "DEQUEUE");
	show_all();
	put(TRACING "events/pldma/enable", "0");
	show("trace", TRACING "trace");
	return 0;
}
