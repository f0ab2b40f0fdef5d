/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers, and ioctls with damaged arguments, for fuzz.c
 */
#ifndef PLDMA_TEST_FUZZ_CALL_H
#define PLDMA_TEST_FUZZ_CALL_H

#include "device.h"

/* splitmix64: each number depends on the seed and on how many were drawn before */
struct rng {
	__u64 state;
};

static inline __u64 draw(struct rng *rng)
{
	__u64 z = (rng->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline __u64 below(struct rng *rng, __u64 limit)
{
	return limit ? draw(rng) % limit : 0;
}

static inline struct rng seeded(__u64 seed, __u64 part)
{
	struct rng rng = { seed * 0x2545f4914f6cdd1dULL + part };

	draw(&rng);
	return rng;
}

/* numbers at which a comparison or an addition may go wrong */
static inline __u64 edge(struct rng *rng)
{
	static const __u64 edges[] = {
		0, 1, 2, 63, 64, 65, 4095, 4096, 4097, 65535, 65536, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000ULL, 0x7fffffffffffffffULL, 0x8000000000000000ULL,
		0xfffffffffffff000ULL, 0xffffffffffffffffULL,
	};
	__u64 at = below(rng, 2 * ARRAY_SIZE(edges));

	return at < ARRAY_SIZE(edges) ? edges[at] : draw(rng);
}

/* how the argument of a call is damaged */
enum twist {
	TWIST_NONE,
	TWIST_MAGIC,		/* another magic number */
	TWIST_NUMBER,		/* a number that no command has */
	TWIST_WAY,		/* _IOR, _IOW and _IOWR exchanged */
	TWIST_SHORT,		/* a struct that is smaller than its first version */
	TWIST_LONG,		/* a struct with members that the driver does not know: zero */
	TWIST_TAIL,		/* the same, but not zero */
	TWIST_NULL,
	TWIST_HALF,		/* the second half is not mapped */
	TWIST_READONLY,
	NR_TWISTS,
};

#define MORE 16			/* bytes of the unknown members */
#define CANARY 0xa5

static const unsigned long commands[] = {
	PLDMA_IOC_INFO, PLDMA_IOC_ALLOC, PLDMA_IOC_FREE, PLDMA_IOC_QUERY, PLDMA_IOC_ENQUEUE,
	PLDMA_IOC_DEQUEUE, PLDMA_IOC_SYNC, PLDMA_IOC_REGISTER, PLDMA_IOC_UNREGISTER,
	PLDMA_IOC_STATS, PLDMA_IOC_RESET, PLDMA_IOC_ENQUEUE_BATCH, PLDMA_IOC_DEQUEUE_BATCH,
	PLDMA_IOC_EXPORT, PLDMA_IOC_IMPORT,
};

/*
 * Where arguments lie: at the end of a page, before one that is not mapped, so that a
 * read or write behind the argument fails. The page is also mapped read-only.
 */
struct stage {
	unsigned char *page, *readonly;
	size_t size;
};

static inline void stage_open(struct stage *stage)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	expect(fd >= 0 && !ftruncate(fd, page), "memfd_create");
	stage->size = page;
	stage->page = mmap(NULL, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(stage->page != MAP_FAILED, "mmap");
	expect(mmap(stage->page, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
	       stage->page, "mmap");
	stage->readonly = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	expect(stage->readonly != MAP_FAILED, "mmap");
	close(fd);
	memset(stage->page, CANARY, page);
}

/* the errno that a damaged argument must end with, or 0 if it has no effect */
static inline int twist_error(enum twist twist, unsigned long command)
{
	static const int errors[NR_TWISTS] = {
		[TWIST_MAGIC] = ENOTTY, [TWIST_NUMBER] = ENOTTY, [TWIST_WAY] = ENOTTY,
		[TWIST_SHORT] = EINVAL, [TWIST_TAIL] = E2BIG, [TWIST_NULL] = EFAULT,
		[TWIST_HALF] = EFAULT, [TWIST_READONLY] = EFAULT,
	};

	/* INFO has no inputs, and some calls have no outputs */
	if ((twist == TWIST_TAIL && command == PLDMA_IOC_INFO) ||
	    (twist == TWIST_READONLY && !(_IOC_DIR(command) & _IOC_READ)))
		return 0;
	return errors[twist];
}

static inline unsigned long twisted(enum twist twist, unsigned long command)
{
	unsigned int way = _IOC_DIR(command), nr = _IOC_NR(command), size = _IOC_SIZE(command);

	switch (twist) {
	case TWIST_MAGIC:
		return _IOC(way, PLDMA_IOC_MAGIC ^ 1, nr, size);
	case TWIST_NUMBER:
		return _IOC(way, PLDMA_IOC_MAGIC, nr + ARRAY_SIZE(commands), size);
	case TWIST_WAY:
		return _IOC(way ^ (way == _IOC_WRITE ? _IOC_READ | _IOC_WRITE : _IOC_WRITE),
			    PLDMA_IOC_MAGIC, nr, size);
	case TWIST_SHORT:
		return _IOC(way, PLDMA_IOC_MAGIC, nr, size - 1);
	case TWIST_LONG:
	case TWIST_TAIL:
		return _IOC(way, PLDMA_IOC_MAGIC, nr, size + MORE);
	default:
		return command;
	}
}

/*
 * Call the driver. Return its errno, or 0. *damage is set to text if the driver wrote
 * where it must not.
 */
static inline int issue(struct stage *stage, int fd, unsigned long command, void *arg,
			enum twist twist, const char **damage)
{
	size_t size = _IOC_SIZE(command), len = size;
	unsigned char *place, *pointer, copy[2048];
	size_t i;
	int code;

	if (twist == TWIST_LONG || twist == TWIST_TAIL)
		len += MORE;
	place = stage->page + stage->size - len;
	memcpy(place, arg, size);
	memset(place + size, twist == TWIST_TAIL ? 0x11 : 0, len - size);
	memcpy(copy, place, len);
	pointer = place;
	if (twist == TWIST_NULL)
		pointer = NULL;
	else if (twist == TWIST_HALF)
		pointer = stage->page + stage->size - size / 2;
	else if (twist == TWIST_READONLY)
		pointer = stage->readonly + stage->size - len;
	if (twist == TWIST_HALF)
		memcpy(pointer, arg, size / 2);

	code = ioctl(fd, twisted(twist, command), pointer) ? errno : 0;

	*damage = NULL;
	for (i = 0; i < stage->size - len; i++)
		if (stage->page[i] != CANARY)
			*damage = "the call wrote in front of its argument";
	if (twist == TWIST_MAGIC || twist == TWIST_NUMBER || twist == TWIST_WAY ||
	    twist == TWIST_SHORT || twist == TWIST_READONLY)
		if (memcmp(place, copy, len))
			*damage = "the refused call changed its argument";
	if (!code && (twist == TWIST_LONG || twist == TWIST_TAIL))
		for (i = size; i < len; i++)
			if (place[i] && (_IOC_DIR(command) & _IOC_READ))
				*damage = "members that the driver does not know are not zero";
	memcpy(arg, place, size);
	memset(place, CANARY, len);
	return code;
}

#endif /* PLDMA_TEST_FUZZ_CALL_H */
