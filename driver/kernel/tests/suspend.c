// SPDX-License-Identifier: GPL-2.0
/*
 * suspend: the system does not suspend while a transfer is queued or in flight
 *
 *	suspend
 *
 * Afterwards a process has a block in flight until the system shuts down.
 *
 * Needs /dev/pldma0 and /dev/pldma1. The kernel suspends the second device first.
 * The first always has a block in flight, so the system never suspends: the virtio
 * driver that carries the files of a virtual board does not survive that. Which
 * device refused is in /sys/power/suspend_stats/last_failed_dev.
 */
#include "device.h"

/* suspend; the system must not, because of /dev/pldmaN */
static void refused_by(int n, const char *when)
{
	char device[64] = "";
	char want[16];
	int fd = open("/sys/power/state", O_WRONLY);

	expect(fd >= 0, "open /sys/power/state");
	if (write(fd, "freeze", 6) != -1 || errno != EBUSY)
		fail("%s: expected EBUSY, found %s", when, strerror(errno));
	close(fd);
	fd = open("/sys/power/suspend_stats/last_failed_dev", O_RDONLY);
	expect(fd >= 0 && read(fd, device, sizeof(device) - 1) > 0, "last_failed_dev");
	close(fd);
	snprintf(want, sizeof(want), "pldma.%d\n", n);
	if (strcmp(device, want))
		fail("%s: expected that %s refuses, found %s", when, want, device);
}

int main(void)
{
	int first = open_device(), fd = open("/dev/pldma1", O_RDWR);
	struct pldma_alloc busy = alloc_blocks(first, PLDMA_STREAMING, PLDMA_RX, SIZE, 1);
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_RX, SIZE, 2);
	struct pldma_alloc tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);

	put("/sys/power/pm_test", "devices");
	expect(!enqueue(first, busy.first_id, SIZE), "ENQUEUE");
	refused_by(0, "idle");
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
	refused_by(1, "in flight");
	expect(!reset(fd, NULL), "RESET");
	refused_by(0, "after RESET");
	/* a completion that nobody has dequeued does not matter */
	expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
	expect(!enqueue(fd, tx.first_id, SIZE), "ENQUEUE");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE");
	expect(!dequeue(fd, PLDMA_RX, now() + 20000000000ULL, NULL), "DEQUEUE");
	refused_by(0, "after a frame");
	puts("a device refuses suspend with EBUSY only during a transfer");
	fflush(stdout);
	/* what happens to a transfer when the system shuts down is in the kernel log */
	if (!fork()) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		pause();
	}
	return 0;
}
