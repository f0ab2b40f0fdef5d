// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: what each policy offers: the attribute of its mappings, and sizes of blocks
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>

#include "pldma_priv.h"

/**
 * pldma_policy_attr() - effective memory attribute of a user mapping
 * @chan: direction
 * @policy: enum pldma_policy
 *
 * Same rules as dma_pgprot(), which is not exported.
 *
 * Return: enum pldma_attr.
 */
u32 pldma_policy_attr(struct pldma_chan *chan, u32 policy)
{
	switch (policy) {
	case PLDMA_BOUNCE:
	case PLDMA_DMA_BUF:
		return PLDMA_ATTR_NONE;
	case PLDMA_WRITE_COMBINE:
		if (dev_is_dma_coherent(chan->map_dev))
			return PLDMA_ATTR_CACHED;
		return IS_ENABLED(CONFIG_ARCH_HAS_DMA_WRITE_COMBINE) ?
			PLDMA_ATTR_WRITE_COMBINE : PLDMA_ATTR_UNCACHED;
	case PLDMA_COHERENT:
		return dev_is_dma_coherent(chan->map_dev) ?
			PLDMA_ATTR_CACHED : PLDMA_ATTR_UNCACHED;
	default:
		return PLDMA_ATTR_CACHED;
	}
}

/**
 * pldma_policy_max_block() - size of the largest block under a policy
 * @chan: direction
 * @policy: enum pldma_policy
 *
 * Return: bytes, or 0 if the policy is not offered.
 */
size_t pldma_policy_max_block(struct pldma_chan *chan, u32 policy)
{
	size_t max = chan->pldma->max_block;

	/* a block of one segment can only be as long as the segment */
	if (chan->max_segs)
		max = min_t(size_t, max, chan->max_seg);
	switch (policy) {
	case PLDMA_COHERENT:
	case PLDMA_WRITE_COMBINE:
		if (!dma_can_mmap(chan->map_dev))
			return 0;
		/* only CMA or an IOMMU can exceed the limit of the page allocator */
		if (IS_ENABLED(CONFIG_DMA_CMA))
			return max;
		fallthrough;
	case PLDMA_NONCOHERENT:
		return min_t(size_t, max, PAGE_SIZE << PLDMA_MAX_PAGE_ORDER);
	case PLDMA_DMA_BUF:
		/* a bounce buffer is small, and the exporter chooses the segments */
		return PAGE_ALIGN_DOWN(min_t(size_t, max, dma_max_mapping_size(chan->map_dev)));
	default:
		if (chan->max_segs && pldma_policy_is_chunked(policy))
			max = min_t(size_t, max, PAGE_SIZE << chan->chunk_order);
		return max;
	}
}

/**
 * pldma_policy_bytes() - memory that a block takes
 * @chan: direction
 * @policy: enum pldma_policy
 * @size: size of the block in bytes
 *
 * Return: bytes. 0 for memory that belongs to others.
 */
u64 pldma_policy_bytes(struct pldma_chan *chan, u32 policy, size_t size)
{
	if (!pldma_policy_is_owned(policy))
		return 0;
	/* one chunk holds the whole block */
	if (chan->max_segs && pldma_policy_is_chunked(policy))
		return (u64)PAGE_SIZE << get_order(size);
	return PAGE_ALIGN((u64)size);
}
