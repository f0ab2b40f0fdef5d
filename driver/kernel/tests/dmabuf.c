// SPDX-License-Identifier: GPL-2.0
/*
 * dmabuf: exchange memory between /dev/pldma0 and other drivers. It is one file of over
 * 400 lines, because all checks share the ways to make a buffer.
 *
 *	dmabuf import EXPORTER ROUNDS	transfers from and to buffers of another driver
 *	dmabuf refused EXPORTER		arguments that IMPORT and EXPORT refuse
 *	dmabuf export ROUNDS		blocks as buffers: mappings, SYNC, FREE, close()
 *	dmabuf unbound			a buffer that outlives its device
 *	dmabuf vgem ROUNDS		blocks as buffers that vgem imports
 *
 * EXPORTER is heap (the dma-heap "system"), udmabuf, or vgem. Needs root, a loopback
 * design, and the driver of the exporter. vgem and udmabuf do not sync the mappings of
 * their importers, so the device must be coherent. Exits with 0 on success. Otherwise
 * exits with 1 after a line that describes the failure.
 */
#define _GNU_SOURCE
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdbool.h>

#include "contents.h"
#include "device.h"
#include "drm.h"

static int from_heap(void)
{
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	struct dma_heap_allocation_data arg = { .len = SIZE, .fd_flags = O_RDWR | O_CLOEXEC };

	expect(heap >= 0, "open /dev/dma_heap/system");
	expect(!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &arg), "DMA_HEAP_IOCTL_ALLOC");
	close(heap);
	return arg.fd;
}

static int from_udmabuf(void)
{
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd = memfd_create("dmabuf", MFD_ALLOW_SEALING | MFD_CLOEXEC), fd;
	struct udmabuf_create arg = {
		.memfd = memfd, .flags = UDMABUF_FLAGS_CLOEXEC, .size = SIZE,
	};

	expect(device >= 0 && memfd >= 0, "open /dev/udmabuf");
	expect(!ftruncate(memfd, SIZE) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), "seal");
	fd = ioctl(device, UDMABUF_CREATE, &arg);
	expect(fd >= 0, "UDMABUF_CREATE");
	close(device);
	close(memfd);
	return fd;
}

static int open_vgem(void)
{
	char name[32] = "", path[32];
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
	int i, fd;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, "vgem"))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	fail("there is no device of vgem");
	return -1;
}

/* @access is O_RDWR, or 0 for a buffer that is open for reading only */
static int from_vgem(int access)
{
	struct drm_mode_create_dumb dumb = { .width = SIZE / 4, .height = 1, .bpp = 32 };
	struct drm_prime_handle prime = { .flags = O_CLOEXEC | access };
	int card = open_vgem();

	expect(!ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb), "DRM_IOCTL_MODE_CREATE_DUMB");
	prime.handle = dumb.handle;
	expect(!ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime), "DRM_IOCTL_PRIME_HANDLE_TO_FD");
	close(card);
	return prime.fd;
}

static int make_buffer(const char *exporter)
{
	if (!strcmp(exporter, "heap"))
		return from_heap();
	if (!strcmp(exporter, "udmabuf"))
		return from_udmabuf();
	if (!strcmp(exporter, "vgem"))
		return from_vgem(O_RDWR);
	fail("expected heap, udmabuf or vgem, found %s", exporter);
	return -1;
}

static void *map_buffer(int buffer)
{
	void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);

	expect(memory != MAP_FAILED, "mmap of a buffer");
	return memory;
}

static int sync_buffer(int buffer, __u64 flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return ioctl(buffer, DMA_BUF_IOCTL_SYNC, &arg);
}

static void begin(int buffer, __u64 access)
{
	expect(!sync_buffer(buffer, DMA_BUF_SYNC_START | access), "DMA_BUF_SYNC_START");
}

static void end(int buffer, __u64 access)
{
	expect(!sync_buffer(buffer, DMA_BUF_SYNC_END | access), "DMA_BUF_SYNC_END");
}

static __u32 import_buffer(int fd, int buffer, __u32 direction)
{
	struct pldma_import arg = { .size = SIZE, .fd = buffer, .direction = direction };

	expect(!ioctl(fd, PLDMA_IOC_IMPORT, &arg), "IMPORT");
	return arg.id;
}

static int export_block(int fd, __u32 id)
{
	struct pldma_export arg = { .id = id };

	expect(!ioctl(fd, PLDMA_IOC_EXPORT, &arg), "EXPORT");
	return arg.fd;
}

static void transfer(int fd, __u32 tx, __u32 rx)
{
	struct pldma_dequeue done;

	expect(!enqueue(fd, rx, SIZE), "ENQUEUE rx");
	expect(!enqueue(fd, tx, SIZE), "ENQUEUE tx");
	expect(!dequeue(fd, PLDMA_RX, now() + 20000000000ULL, &done), "DEQUEUE rx");
	expect(done.length == SIZE, "the received frame is short");
	expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
}

static void check_import(const char *exporter, int rounds)
{
	int fd = open_device(), round, frame;
	long before = 0;

	for (round = 0; round < rounds; round++) {
		int from = make_buffer(exporter), to = make_buffer(exporter);
		__u32 tx = import_buffer(fd, from, PLDMA_TX);
		__u32 rx = import_buffer(fd, to, PLDMA_RX);
		unsigned char *out = map_buffer(from), *in = map_buffer(to);
		struct pldma_query query = { .id = rx };

		expect(!ioctl(fd, PLDMA_IOC_QUERY, &query), "QUERY");
		expect(query.policy == PLDMA_DMA_BUF && query.size == SIZE && query.segments &&
		       !query.mmap_offset, "QUERY of an imported buffer");
		for (frame = 0; frame < 3; frame++) {
			begin(from, DMA_BUF_SYNC_WRITE);
			fill(out, round + frame);
			end(from, DMA_BUF_SYNC_WRITE);
			transfer(fd, tx, rx);
			begin(to, DMA_BUF_SYNC_READ);
			compare(in, round + frame, "the received frame");
			end(to, DMA_BUF_SYNC_READ);
		}
		/* in each round, something else ends first */
		if (round % 3 == 0)
			close(to);
		munmap(out, SIZE);
		if (round % 3 != 1) {
			free_block(fd, tx);
			free_block(fd, rx);
		} else {
			close(fd);
			fd = open_device();
		}
		compare(in, round + frame - 1, "the buffer after FREE");
		munmap(in, SIZE);
		close(from);
		if (round % 3)
			close(to);
		if (round == rounds / 10)
			before = available();
	}
	no_leak(before, rounds);
	close(fd);
	printf("buffers of %s: %d rounds\n", exporter, rounds);
}

static void check_refused(const char *exporter)
{
	int fd = open_device(), buffer = make_buffer(exporter), plain = memfd_create("plain", 0);
	struct pldma_import import = { .size = SIZE, .fd = buffer, .direction = PLDMA_TX };
	struct pldma_import bad;
	struct pldma_alloc alloc = { .size = SIZE, .count = 1, .policy = PLDMA_DMA_BUF };
	struct pldma_export export = {};
	struct pldma_stats stats = {};
	struct pldma_free arg;
	__u32 policy, id;

	bad = import;
	bad.size = 0;
	refused(fd, PLDMA_IOC_IMPORT, &bad, EINVAL, "IMPORT, size 0");
	bad = import;
	bad.size = SIZE + 1;
	refused(fd, PLDMA_IOC_IMPORT, &bad, EINVAL, "IMPORT, size over that of the buffer");
	bad = import;
	bad.size = 1ULL << 40;
	refused(fd, PLDMA_IOC_IMPORT, &bad, EINVAL, "IMPORT, size over the limit");
	bad = import;
	bad.direction = 2;
	refused(fd, PLDMA_IOC_IMPORT, &bad, EINVAL, "IMPORT, direction");
	bad = import;
	bad.flags = 1;
	refused(fd, PLDMA_IOC_IMPORT, &bad, EINVAL, "IMPORT, flags");
	bad = import;
	bad.fd = -1;
	refused(fd, PLDMA_IOC_IMPORT, &bad, EBADF, "IMPORT, no file");
	bad = import;
	bad.fd = plain;
	refused(fd, PLDMA_IOC_IMPORT, &bad, EINVAL, "IMPORT, not a dma-buf");
	refused(fd, PLDMA_IOC_IMPORT, NULL, EFAULT, "IMPORT of NULL");
	if (!strcmp(exporter, "vgem")) {
		bad = import;
		bad.fd = from_vgem(0);
		bad.direction = PLDMA_RX;
		refused(fd, PLDMA_IOC_IMPORT, &bad, EACCES, "IMPORT for rx of a read-only buffer");
		free_block(fd, import_buffer(fd, bad.fd, PLDMA_TX));
		close(bad.fd);
	}
	refused(fd, PLDMA_IOC_ALLOC, &alloc, EINVAL, "ALLOC of policy DMA_BUF");
	expect(!ioctl(fd, PLDMA_IOC_STATS, &stats) && !stats.blocks, "a refusal left a block");

	id = import_buffer(fd, buffer, PLDMA_RX);
	export.id = id;
	refused(fd, PLDMA_IOC_EXPORT, &export, EOPNOTSUPP, "EXPORT of an imported buffer");
	arg = (struct pldma_free){ .id = id };
	refused(fd, PLDMA_IOC_UNREGISTER, &arg, EINVAL, "UNREGISTER of an imported buffer");
	free_block(fd, id);

	for (policy = 0; policy <= PLDMA_NONE; policy++) {
		struct pldma_alloc rx;

		if (policy == PLDMA_USER_PAGES || policy == PLDMA_USER_PAGES_REGISTERED)
			continue;
		rx = alloc_blocks(fd, policy, PLDMA_RX, SIZE, 1);
		export = (struct pldma_export){ .id = rx.first_id };
		if (policy == PLDMA_STREAMING || policy == PLDMA_MANUAL || policy == PLDMA_NONE) {
			export.flags = 1;
			refused(fd, PLDMA_IOC_EXPORT, &export, EINVAL, "EXPORT, flags");
			export.flags = 0;
			expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
			refused(fd, PLDMA_IOC_EXPORT, &export, EBUSY, "EXPORT in flight");
			expect(!reset(fd, NULL), "RESET");
		} else {
			refused(fd, PLDMA_IOC_EXPORT, &export, EOPNOTSUPP, "EXPORT, policy");
		}
		free_block(fd, rx.first_id);
	}
	export = (struct pldma_export){ .id = ~0U };
	refused(fd, PLDMA_IOC_EXPORT, &export, ENOENT, "EXPORT, id");
	close(fd);
	close(buffer);
	close(plain);
	printf("IMPORT and EXPORT refuse what they must, with buffers of %s\n", exporter);
}

static void check_export(int rounds)
{
	static const __u32 policies[] = { PLDMA_STREAMING, PLDMA_MANUAL };
	int fd = open_device(), round;
	long before = 0;

	for (round = 0; round < rounds; round++) {
		struct pldma_alloc tx = alloc_blocks(fd, policies[round % 2], PLDMA_TX, SIZE, 1);
		struct pldma_alloc rx = alloc_blocks(fd, policies[round % 2], PLDMA_RX, SIZE, 1);
		int from = export_block(fd, tx.first_id), to = export_block(fd, rx.first_id);
		unsigned char *out = map_buffer(from), *in = map_buffer(to);
		struct pldma_query query = { .id = tx.first_id };
		struct pldma_free arg = { .id = tx.first_id };
		__u32 imported;

		begin(from, DMA_BUF_SYNC_WRITE);
		fill(out, round);
		end(from, DMA_BUF_SYNC_WRITE);
		expect(!enqueue(fd, rx.first_id, SIZE), "ENQUEUE");
		expect(sync_buffer(to, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ) < 0 &&
		       errno == EBUSY, "DMA_BUF_IOCTL_SYNC in flight must be EBUSY");
		expect(!enqueue(fd, tx.first_id, SIZE), "ENQUEUE tx");
		expect(!dequeue(fd, PLDMA_RX, now() + 20000000000ULL, NULL), "DEQUEUE rx");
		expect(!dequeue(fd, PLDMA_TX, now() + 20000000000ULL, NULL), "DEQUEUE tx");
		begin(to, DMA_BUF_SYNC_READ);
		compare(in, round, "the received frame in the buffer");
		end(to, DMA_BUF_SYNC_READ);

		expect(!ioctl(fd, PLDMA_IOC_QUERY, &query) &&
		       (query.flags & PLDMA_BLOCK_EXPORTED),
		       "QUERY must report PLDMA_BLOCK_EXPORTED");
		refused(fd, PLDMA_IOC_FREE, &arg, EBUSY, "FREE of an exported block");
		imported = import_buffer(fd, from, PLDMA_TX);
		free_block(fd, imported);
		close(from);
		refused(fd, PLDMA_IOC_FREE, &arg, EBUSY, "FREE while the buffer is mapped");
		munmap(out, SIZE);
		free_block(fd, tx.first_id);
		close(fd);
		/* the buffer outlives the block; the device does not matter to it any more */
		begin(to, DMA_BUF_SYNC_RW);
		compare(in, round, "the buffer after close");
		fill(in, round + 1);
		end(to, DMA_BUF_SYNC_RW);
		fd = open_device();
		if (round % 2)
			munmap(in, SIZE);
		close(to);
		if (!(round % 2))
			munmap(in, SIZE);
		if (round == rounds / 10)
			before = available();
	}
	no_leak(before, rounds);
	close(fd);
	printf("blocks as buffers: %d rounds\n", rounds);
}

static void check_unbound(void)
{
	const char *name = bound_device();
	int fd = open_device(), buffer;
	struct pldma_alloc rx = alloc_blocks(fd, PLDMA_MANUAL, PLDMA_RX, SIZE, 1);
	unsigned char *in;

	buffer = export_block(fd, rx.first_id);
	in = map_buffer(buffer);
	put("/sys/bus/platform/drivers/pldma/unbind", name);
	begin(buffer, DMA_BUF_SYNC_RW);
	fill(in, 3);
	end(buffer, DMA_BUF_SYNC_RW);
	close(fd);
	put("/sys/bus/platform/drivers/pldma/bind", name);
	fd = open_device();
	/* the new binding can import the buffer of the old one */
	free_block(fd, import_buffer(fd, buffer, PLDMA_RX));
	compare(in, 3, "the buffer");
	close(fd);
	munmap(in, SIZE);
	close(buffer);
	puts("a buffer outlives its device");
}

static void check_vgem(int rounds)
{
	int fd = open_device(), card = open_vgem(), round;
	long before = 0;

	for (round = 0; round < rounds; round++) {
		struct pldma_alloc tx = alloc_blocks(fd, PLDMA_STREAMING, PLDMA_TX, SIZE, 1);
		struct drm_prime_handle prime = { .fd = export_block(fd, tx.first_id) };
		struct pldma_free arg = { .id = tx.first_id };
		unsigned char *out = map(fd, &tx, PROT_READ | PROT_WRITE), *theirs;
		struct drm_gem_close gem = {};

		expect(!ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime), "vgem must import");
		close(prime.fd);
		/* vgem has attached and mapped the buffer, and now has the only reference */
		prime.flags = O_CLOEXEC | O_RDWR;
		expect(!ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime), "fd of vgem");
		theirs = map_buffer(prime.fd);
		begin(prime.fd, DMA_BUF_SYNC_WRITE);
		fill(theirs, round);
		end(prime.fd, DMA_BUF_SYNC_WRITE);
		close(prime.fd);
		compare(out, round, "the block");
		munmap(out, SIZE);
		refused(fd, PLDMA_IOC_FREE, &arg, EBUSY, "FREE while vgem has the buffer");
		munmap(theirs, SIZE);
		gem.handle = prime.handle;
		expect(!ioctl(card, DRM_IOCTL_GEM_CLOSE, &gem), "DRM_IOCTL_GEM_CLOSE");
		free_block(fd, tx.first_id);
		if (round == rounds / 10)
			before = available();
	}
	no_leak(before, rounds);
	close(card);
	close(fd);
	printf("blocks as buffers in vgem: %d rounds\n", rounds);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *exporter = argc > 2 ? argv[2] : "";

	if (!strcmp(what, "import"))
		check_import(exporter, argc > 3 ? atoi(argv[3]) : 100);
	else if (!strcmp(what, "refused"))
		check_refused(exporter);
	else if (!strcmp(what, "export"))
		check_export(atoi(exporter));
	else if (!strcmp(what, "unbound"))
		check_unbound();
	else if (!strcmp(what, "vgem"))
		check_vgem(atoi(exporter));
	else
		fail("expected import, refused, export, unbound or vgem");
	return 0;
}
