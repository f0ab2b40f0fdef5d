// SPDX-License-Identifier: MIT
/* The memory of a session. */
#include "memory.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system.h"

struct mapping {
	uintptr_t at;
	size_t length;
	int prot;
	bool anonymous;
};

/* In the order of their addresses. */
static struct mapping *mappings;
static size_t count, room;
static uint64_t anonymous;

/* One page that cannot be accessed. */
static uintptr_t forbidden;

static sigjmp_buf lost;
static volatile sig_atomic_t accessing;

/* The kernel sends SIGBUS if the driver was unbound, which unmaps the memory of its blocks. */
static void on_bus_error(int signal)
{
	(void)signal;
	if (accessing)
		siglongjmp(lost, 1);
	_exit(1);
}

void memory_init(void)
{
	struct sigaction action = { .sa_handler = on_bus_error };
	void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || sigaction(SIGBUS, &action, NULL))
		_exit(1);
	forbidden = (uintptr_t)page;
}

/* Index of the first mapping above an address. */
static size_t above(uint64_t at)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mappings[middle].at > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static struct mapping *find(uint64_t at, uint64_t length)
{
	size_t next = above(at);
	struct mapping *found = next > 0 ? &mappings[next - 1] : NULL;
	uint64_t offset;

	if (!found)
		return NULL;
	offset = at - found->at;
	return offset <= found->length && length <= found->length - offset ? found : NULL;
}

/* Returns the memory, or NULL with EFAULT. */
static void *range(uint64_t at, uint64_t length, int prot)
{
	struct mapping *found = find(at, length);

	if (found && (found->prot & prot) == prot)
		return (void *)(uintptr_t)at;
	errno = EFAULT;
	return NULL;
}

static int reserve(void)
{
	size_t more = room ? 2 * room : 64;
	struct mapping *grown;

	if (count < room)
		return 0;
	if (more > MEMORY_MAX_MAPPINGS) {
		errno = ENOMEM;
		return -1;
	}
	grown = realloc(mappings, more * sizeof(*grown));
	if (!grown)
		return -1;
	mappings = grown;
	room = more;
	return 0;
}

int64_t memory_map(uint64_t length, uint64_t prot, uint64_t flags, int fd, uint64_t offset)
{
	bool own = flags & MAP_ANONYMOUS;
	size_t index;
	void *at;

	if (prot & ~(uint64_t)(PROT_READ | PROT_WRITE) ||
	    flags & ~(uint64_t)(MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS) ||
	    length > SIZE_MAX || length == 0) {
		errno = EINVAL;
		return -1;
	}
	if (own && length > MEMORY_MAX_ANONYMOUS - anonymous) {
		errno = ENOMEM;
		return -1;
	}
	if (reserve())
		return -1;
	at = system_mmap((size_t)length, (int)prot, (int)flags, own ? -1 : fd, own ? 0 : offset);
	if (at == MAP_FAILED)
		return -1;
	index = above((uintptr_t)at);
	memmove(&mappings[index + 1], &mappings[index], (count - index) * sizeof(*mappings));
	mappings[index] = (struct mapping){ (uintptr_t)at, (size_t)length, (int)prot, own };
	count++;
	if (own)
		anonymous += length;
	return (int64_t)(uintptr_t)at;
}

int64_t memory_unmap(uint64_t at, uint64_t length)
{
	struct mapping *found = find(at, length);

	/* only as a whole, so that the list is right */
	if (!found || found->at != at || found->length != length) {
		errno = EINVAL;
		return -1;
	}
	if (system_munmap((void *)found->at, found->length))
		return -1;
	if (found->anonymous)
		anonymous -= length;
	count--;
	memmove(found, found + 1, (size_t)(mappings + count - found) * sizeof(*found));
	return 0;
}

/* Begins an access that SIGBUS may end. Ends with DONE(). */
#define ACCESS()						\
	do {							\
		if (sigsetjmp(lost, 1)) {			\
			accessing = 0;				\
			errno = EFAULT;				\
			return -1;				\
		}						\
		accessing = 1;					\
	} while (0)
#define DONE()	(accessing = 0)

int64_t memory_put(uint64_t to, const void *data, uint64_t length)
{
	void *memory = range(to, length, PROT_WRITE);

	if (!memory)
		return -1;
	ACCESS();
	memcpy(memory, data, (size_t)length);
	DONE();
	return 0;
}

int64_t memory_get(uint64_t from, void *data, uint64_t length)
{
	const void *memory = range(from, length, PROT_READ);

	if (!memory)
		return -1;
	ACCESS();
	memcpy(data, memory, (size_t)length);
	DONE();
	return 0;
}

int64_t memory_copy(uint64_t to, uint64_t from, uint64_t length)
{
	const void *source = range(from, length, PROT_READ);
	void *memory = range(to, length, PROT_WRITE);

	if (!memory || !source)
		return -1;
	ACCESS();
	memmove(memory, source, (size_t)length);
	DONE();
	return 0;
}

int64_t memory_fill(uint64_t to, uint64_t value, uint64_t length)
{
	void *memory = range(to, length, PROT_WRITE);

	if (!memory)
		return -1;
	ACCESS();
	memset(memory, (int)(value & 0xff), (size_t)length);
	DONE();
	return 0;
}

/* CRC-32 of IEEE 802.3, four bits at a time. */
int64_t memory_crc(uint64_t from, uint64_t length)
{
	const uint8_t *memory = range(from, length, PROT_READ);
	uint32_t table[16], crc = ~0u;

	if (!memory)
		return -1;
	for (uint32_t i = 0; i < 16; i++) {
		table[i] = i;
		for (int bit = 0; bit < 4; bit++)
			table[i] = table[i] & 1 ? 0xedb88320u ^ table[i] >> 1 : table[i] >> 1;
	}
	ACCESS();
	for (uint64_t i = 0; i < length; i++) {
		crc ^= memory[i];
		crc = table[crc & 15] ^ crc >> 4;
		crc = table[crc & 15] ^ crc >> 4;
	}
	DONE();
	return ~crc;
}

/* volatile, so that the compiler makes one load of each */
static uint64_t add_up(const void *memory, uint64_t length, uint64_t width)
{
	const volatile uint8_t *bytes = memory;
	const volatile uint64_t *words = memory;
	uint64_t sum = 0;

	if (width == 1)
		for (uint64_t i = 0; i < length; i++)
			sum += bytes[i];
	else
		for (uint64_t i = 0; i < length / 8; i++)
			sum += words[i];
	return sum;
}

int64_t memory_sum(uint64_t from, uint64_t length, uint64_t width)
{
	const void *memory = range(from, length, PROT_READ);
	uint64_t sum;

	if (!memory)
		return -1;
	if ((width != 1 && width != 8) || from % width || length % width) {
		errno = EINVAL;
		return -1;
	}
	ACCESS();
	sum = add_up(memory, length, width);
	DONE();
	/* an error is -1 only */
	return (int64_t)(sum & INT64_MAX);
}

static int64_t differences(const uint8_t *one, const uint8_t *two, size_t length,
			   struct agent_difference *where)
{
	int64_t different = 0;

	*where = (struct agent_difference){ 0 };
	if (!memcmp(one, two, length))
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (one[i] == two[i])
			continue;
		if (different++ == 0)
			where->first = i;
		where->last = i;
	}
	return different;
}

int64_t memory_compare(uint64_t at, uint64_t other, uint64_t length, struct agent_difference *where)
{
	const uint8_t *one = range(at, length, PROT_READ), *two = range(other, length, PROT_READ);
	int64_t different;

	if (!one || !two)
		return -1;
	ACCESS();
	different = differences(one, two, (size_t)length, where);
	DONE();
	return different;
}

int64_t memory_compare_with(uint64_t at, const void *data, uint64_t length,
			    struct agent_difference *where)
{
	const uint8_t *memory = range(at, length, PROT_READ);
	int64_t different;

	if (!memory)
		return -1;
	ACCESS();
	different = differences(memory, data, (size_t)length, where);
	DONE();
	return different;
}

uint64_t memory_pointer(uint64_t at, uint64_t length)
{
	/* no user process of any of the architectures has memory there */
	uint64_t limit = sizeof(void *) == 4 ? 1ull << 32 : 1ull << 57;

	if (at >= limit || find(at, length))
		return at;
	return forbidden + at % (uint64_t)sysconf(_SC_PAGESIZE);
}
