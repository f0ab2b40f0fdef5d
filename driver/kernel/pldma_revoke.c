// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: take memory from an engine that may still be running, by unmapping it
 *
 * Behind an IOMMU in strict mode, an engine cannot access memory that is unmapped, so
 * RESET needs no proof that the engine is idle. But the engine goes on to use the old
 * bus addresses, so they must not be given to other memory: dma_unmap_page() would do
 * that. Therefore only the translation is removed from the IOMMU. The addresses stay
 * allocated, as a *hole*, until the engine is known to be idle. The pages of the block
 * are mapped a second time, at new addresses.
 *
 * This needs pages that can be mapped again: those of the policies with cached pages,
 * and of USER_PAGES, which ENQUEUE maps anyway. Other blocks go to quarantine.
 */
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "pldma_priv.h"
#include "pldma_trace.h"

/**
 * struct pldma_hole - bus addresses that are allocated, and that lead nowhere
 * @node: entry in pldma_chan.holes
 * @iova: first address
 * @size: number of bytes
 * @sgt: the mapping, if it is one of dma_map_sgtable(). Its pages are not held
 */
struct pldma_hole {
	struct list_head node;
	dma_addr_t iova;
	size_t size;
	struct sg_table sgt;
};

/**
 * pldma_can_revoke() - check whether memory can be taken from the engine by unmapping
 * @block: the block, whose memory is mapped
 *
 * Return: true if pldma_revoke() can do it.
 */
bool pldma_can_revoke(struct pldma_block *block)
{
	return pldma_policy_is_chunked(block->policy) || block->policy == PLDMA_USER_PAGES;
}

/* remove a translation and remember its addresses; @hole belongs to the channel then */
static bool pldma_dig(struct pldma_chan *chan, struct iommu_domain *domain,
		      struct pldma_hole *hole)
{
	size_t done = iommu_unmap(domain, hole->iova, hole->size);

	if (done != hole->size) {
		dev_err(chan->pldma->dev, "the IOMMU unmapped %zu of %zu bytes\n", done,
			hole->size);
		return false;
	}
	list_add_tail(&hole->node, &chan->holes);
	return true;
}

/* map a chunk a second time, and take the first mapping from the engine */
static bool pldma_revoke_chunk(struct pldma_block *block, struct iommu_domain *domain,
			       unsigned int i)
{
	struct pldma_chunk *chunk = &block->chunks[i];
	struct device *dev = block->chan->map_dev;
	size_t size = PAGE_SIZE << chunk->order;
	struct pldma_hole *hole;
	dma_addr_t again;

	hole = kzalloc(sizeof(*hole), GFP_KERNEL);
	if (!hole)
		return false;
	hole->iova = chunk->dma;
	hole->size = size;
	again = dma_map_page_attrs(dev, chunk->page, 0, size, block->chan->map_dir,
				   DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_NO_WARN);
	if (dma_mapping_error(dev, again))
		goto err_free;
	if (!pldma_dig(block->chan, domain, hole))
		goto err_unmap;
	chunk->dma = again;
	block->segs[i].addr = again;
	return true;

err_unmap:
	dma_unmap_page_attrs(dev, again, size, block->chan->map_dir, DMA_ATTR_SKIP_CPU_SYNC);
err_free:
	kfree(hole);
	return false;
}

/* the DMA API maps all segments of a table at consecutive addresses */
static bool pldma_revoke_user(struct pldma_block *block, struct iommu_domain *domain)
{
	struct pldma_chan *chan = block->chan;
	struct sg_table *sgt = &block->user.sgt;
	struct pldma_hole *hole;
	struct scatterlist *sg;
	dma_addr_t end = 0;
	int i;

	if (!block->user.mapped)
		return true;
	hole = kzalloc(sizeof(*hole), GFP_KERNEL);
	if (!hole)
		return false;
	for_each_sgtable_dma_sg(sgt, sg, i)
		end = sg_dma_address(sg) + sg_dma_len(sg);
	hole->iova = ALIGN_DOWN(sg_dma_address(sgt->sgl), PAGE_SIZE);
	hole->size = ALIGN(end, PAGE_SIZE) - hole->iova;
	if (!pldma_dig(chan, domain, hole)) {
		kfree(hole);
		return false;
	}
	dma_sync_sgtable_for_cpu(chan->map_dev, sgt, chan->map_dir);
	hole->sgt = *sgt;
	memset(sgt, 0, sizeof(*sgt));
	block->user.mapped = false;
	pldma_free_segs(block);
	return true;
}

/**
 * pldma_revoke() - take the memory of a block from the engine by unmapping it
 * @block: claimed block for which pldma_can_revoke() is true
 *
 * Context: reset_lock held, no lock of a channel.
 * Return: true if the engine cannot access the memory any more, and the block can be
 * used again. If it is false, some of the memory may have new addresses.
 */
bool pldma_revoke(struct pldma_block *block)
{
	struct iommu_domain *domain = pldma_strict_domain(block->chan->map_dev);
	bool all = true;
	unsigned int i;

	lockdep_assert_held(&block->chan->pldma->reset_lock);
	/* the mode may have changed meanwhile */
	if (!domain)
		return false;
	if (block->policy == PLDMA_USER_PAGES)
		all = pldma_revoke_user(block, domain);
	for (i = 0; i < block->nchunks && all; i++)
		all = pldma_revoke_chunk(block, domain, i);
	if (all)
		pldma_note(block->chan, block->id, "taken from the engine by unmapping: bytes",
			   block->len);
	return all;
}

/* the DMA API expects a translation when it unmaps: give it one that leads to a page */
static bool pldma_fill(struct iommu_domain *domain, struct pldma_hole *hole, struct page *page)
{
	size_t at;

	for (at = 0; at < hole->size; at += PAGE_SIZE)
		if (iommu_map(domain, hole->iova + at, page_to_phys(page), PAGE_SIZE,
			      IOMMU_READ, GFP_KERNEL))
			break;
	if (at >= hole->size)
		return true;
	iommu_unmap(domain, hole->iova, at);
	return false;
}

/**
 * pldma_fill_holes() - give addresses back to the DMA API
 * @chan: direction. Its engine is idle, or its caller says so
 *
 * What cannot be given back for want of memory stays for the next call.
 *
 * Context: reset_lock held, no lock of a channel.
 */
void pldma_fill_holes(struct pldma_chan *chan)
{
	struct device *dev = chan->map_dev;
	struct pldma_hole *hole, *next;
	struct iommu_domain *domain;
	struct page *page;

	lockdep_assert_held(&chan->pldma->reset_lock);
	if (list_empty(&chan->holes))
		return;
	domain = iommu_get_domain_for_dev(dev);
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!domain || !page)
		goto out;
	list_for_each_entry_safe(hole, next, &chan->holes, node) {
		if (!pldma_fill(domain, hole, page))
			continue;
		list_del(&hole->node);
		if (hole->sgt.sgl) {
			dma_unmap_sgtable(dev, &hole->sgt, chan->map_dir, DMA_ATTR_SKIP_CPU_SYNC);
			sg_free_table(&hole->sgt);
		} else {
			dma_unmap_page_attrs(dev, hole->iova, hole->size, chan->map_dir,
					     DMA_ATTR_SKIP_CPU_SYNC);
		}
		kfree(hole);
	}
out:
	if (page)
		__free_page(page);
}

/**
 * pldma_forget_holes() - give up addresses that an engine may still use
 * @chan: direction of a device that is going
 *
 * They stay allocated, so that they are never used again.
 *
 * Context: nothing else uses the channel any more.
 */
void pldma_forget_holes(struct pldma_chan *chan)
{
	struct pldma_hole *hole, *next;

	list_for_each_entry_safe(hole, next, &chan->holes, node) {
		list_del(&hole->node);
		if (hole->sgt.sgl)
			sg_free_table(&hole->sgt);
		kfree(hole);
	}
}
