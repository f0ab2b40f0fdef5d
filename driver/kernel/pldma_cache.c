// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: raw cache operations on a block, for an audit of what the hardware snoops
 *
 * The sync calls of the DMA API do what the kernel believes to be necessary. For a
 * device that the device tree calls coherent they do nothing. So they cannot tell
 * whether that belief is right, and the operations here do not use them.
 *
 * They act on whole lines of one block, whose pages belong to nobody else. Fresh pages
 * are zeroed by stores. Where the DMA API does nothing, the zeros may be in the cache
 * only, and an invalidate would uncover what the pages held before. So the first
 * operation on a block cleans all of it.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/mm.h>

#if defined(CONFIG_ARM64)
#include <asm/barrier.h>
#elif defined(CONFIG_ARM)
#include <asm/barrier.h>
#include <asm/outercache.h>
#elif defined(CONFIG_X86_64)
#include <asm/cacheflush.h>
#endif

#include "pldma_priv.h"

/* the shortest line that Arm's architectures allow; processors of one chip may differ */
#define PLDMA_LEAST_LINE	16

#if defined(CONFIG_ARM64)

#define pldma_each_line(op, from, to) do {					\
	unsigned long at;							\
										\
	for (at = (from); at < (to); at += PLDMA_LEAST_LINE)			\
		asm volatile("dc " op ", %0" : : "r" (at) : "memory");		\
} while (0)

/* to the point of coherency */
static int pldma_cache_cpu(u32 op, void *vaddr, size_t len)
{
	unsigned long from = (unsigned long)vaddr, to = from + len;

	dsb(sy);
	switch (op) {
	case PLDMA_CACHE_CLEAN:
		pldma_each_line("cvac", from, to);
		break;
	case PLDMA_CACHE_INVALIDATE:
		pldma_each_line("ivac", from, to);
		break;
	default:
		pldma_each_line("civac", from, to);
		break;
	}
	dsb(sy);
	return 0;
}

#elif defined(CONFIG_ARM) && __LINUX_ARM_ARCH__ >= 7

/* by address to the point of coherency: DCCMVAC, DCIMVAC and DCCIMVAC of Arm DDI 0406 */
#define pldma_each_line(crm, from, to) do {					\
	unsigned long at;							\
										\
	for (at = (from); at < (to); at += PLDMA_LEAST_LINE)			\
		asm volatile("mcr p15, 0, %0, c7, " crm ", 1" : : "r" (at)	\
			     : "memory");					\
	dsb(sy);								\
} while (0)

/*
 * That point is the bus, and an outer cache like the L2C-310 lies behind it. Lines go
 * outwards through the inner caches first. When the outer cache has dropped a line, a
 * processor may already have read it back from there ahead of time, so the inner caches
 * drop theirs again.
 */
static int pldma_cache_cpu(u32 op, void *vaddr, size_t len)
{
	unsigned long from = (unsigned long)vaddr, to = from + len;
	phys_addr_t phys = virt_to_phys(vaddr);

	dsb(sy);
	switch (op) {
	case PLDMA_CACHE_CLEAN:
		pldma_each_line("c10", from, to);
		outer_clean_range(phys, phys + len);
		break;
	case PLDMA_CACHE_INVALIDATE:
		pldma_each_line("c6", from, to);
		outer_inv_range(phys, phys + len);
		pldma_each_line("c6", from, to);
		break;
	default:
		pldma_each_line("c10", from, to);
		outer_flush_range(phys, phys + len);
		pldma_each_line("c14", from, to);
		break;
	}
	return 0;
}

#elif defined(CONFIG_X86_64)

/* CLFLUSH also cleans. The only invalidate of x86 drops all caches as a whole */
static int pldma_cache_cpu(u32 op, void *vaddr, size_t len)
{
	if (op == PLDMA_CACHE_INVALIDATE)
		return -EOPNOTSUPP;
	clflush_cache_range(vaddr, len);
	return 0;
}

#else

static int pldma_cache_cpu(u32 op, void *vaddr, size_t len)
{
	return -EOPNOTSUPP;
}

#endif

static int pldma_cache_range(struct pldma_block *block, u32 op, size_t offset, size_t len)
{
	struct pldma_chan *chan = block->chan;
	size_t at = 0;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < block->nchunks && at < offset + len && !ret; i++) {
		const struct pldma_chunk *chunk = &block->chunks[i];
		size_t size = PAGE_SIZE << chunk->order;
		size_t from = max(offset, at), to = min(offset + len, at + size);

		if (from < to && chan->ops && chan->ops->cache)
			ret = chan->ops->cache(chan->dma, op, chunk->dma + (from - at), to - from);
		else if (from < to)
			ret = pldma_cache_cpu(op, page_address(chunk->page) + (from - at),
					      to - from);
		at += size;
	}
	return ret;
}

static bool pldma_cache_valid(const struct pldma_block *block, const struct pldma_cache *arg)
{
	size_t align = pldma_cache_align();

	return block->policy == PLDMA_MANUAL && arg->length &&
		IS_ALIGNED(arg->offset, align) && IS_ALIGNED(arg->length, align) &&
		arg->offset <= block->size && arg->length <= block->size - arg->offset;
}

/**
 * pldma_cache() - PLDMA_IOC_CACHE
 * @pldma: the device
 * @arg: argument
 *
 * Return: 0 or a negative errno.
 */
int pldma_cache(struct pldma_dev *pldma, const struct pldma_cache *arg)
{
	struct pldma_block *block;
	int ret;

	if (arg->op > PLDMA_CACHE_CLEAN_INVALIDATE)
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	block = pldma_block_get(pldma, arg->id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	ret = pldma_cache_valid(block, arg) ? pldma_block_claim(block) : -EINVAL;
	if (!ret) {
		if (!block->cleaned)
			ret = pldma_cache_range(block, PLDMA_CACHE_CLEAN, 0,
						PAGE_ALIGN(block->size));
		block->cleaned = !ret;
		if (!ret)
			ret = pldma_cache_range(block, arg->op, arg->offset, arg->length);
		pldma_block_unclaim(block);
	}
	pldma_block_put(block);
	return ret;
}
