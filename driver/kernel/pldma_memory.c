// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: driver-owned memory under each policy
 *
 * The policies STREAMING, STREAMING_LAZY, MANUAL, BOUNCE and NONE use chunks of
 * cached pages. A chunk has at most min(dma_max_mapping_size(),
 * dma_get_max_seg_size()) bytes and is mapped by dma_map_page() for the life of
 * its block. The DMA API allows syncing a part of such a mapping, but not a part of
 * a mapping made by dma_map_sgtable().
 *
 * A chunk is a compound page, so that processes and buffers can hold references to
 * all of its pages (see pldma_mmap.c). Its pages live until the last reference goes.
 *
 * Chunks of receive blocks are zeroed and cleaned before they are mapped. Mapping
 * alone is not enough: mapping for DMA_FROM_DEVICE may invalidate the cache without
 * writing it back (Armv7 does). If the zeros were still in the cache, they would be lost,
 * and user space could read the former content of the memory.
 *
 * The policies COHERENT, WRITE_COMBINE and NONCOHERENT use dma_alloc_*().
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/ktime.h>

#include "pldma_priv.h"
#include "pldma_fault.h"

static const char pldma_page_mark;

/**
 * pldma_page_owned() - check whether a page belongs to a block
 * @page: page with a reference
 *
 * Return: true also for a block that was freed, while others use its pages.
 */
bool pldma_page_owned(struct page *page)
{
	return page_private(compound_head(page)) == (unsigned long)&pldma_page_mark;
}

static void pldma_free_chunks(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	unsigned int i;

	for (i = 0; i < block->nchunks; i++) {
		struct pldma_chunk *chunk = &block->chunks[i];

		/* no sync: the block's user is done with the data */
		if (chunk->dma != DMA_MAPPING_ERROR)
			dma_unmap_page_attrs(chan->map_dev, chunk->dma,
					     PAGE_SIZE << chunk->order, chan->map_dir,
					     DMA_ATTR_SKIP_CPU_SYNC);
		put_page(chunk->page);
	}
	kvfree(block->chunks);
	block->chunks = NULL;
	block->nchunks = 0;
}

/* write zeroed pages back from the cache to memory, on every architecture */
static int pldma_clean_page(struct device *dev, struct page *page, size_t size)
{
	dma_addr_t dma;

	dma = dma_map_page_attrs(dev, page, 0, size, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
	if (dma_mapping_error(dev, dma))
		return -ENOMEM;
	dma_unmap_page(dev, dma, size, DMA_TO_DEVICE);
	return 0;
}

static int pldma_alloc_chunks(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	size_t left = PAGE_ALIGN(block->size) >> PAGE_SHIFT;
	unsigned int order = chan->chunk_order;
	struct device *dev = chan->map_dev;
	gfp_t gfp = PLDMA_GFP | __GFP_COMP | __GFP_ZERO;
	u64 start;

	/* otherwise a device with 32 address bits would need bounce buffers */
	if (IS_ENABLED(CONFIG_ZONE_DMA32) && !pldma_translated(dev) &&
	    min_not_zero(dma_get_mask(dev), dev->bus_dma_limit) <= DMA_BIT_MASK(32))
		gfp |= GFP_DMA32;

	if (chan->max_segs) {
		order = get_order(block->size);
		left = 1UL << order;
	}
	block->chunks = kvcalloc(chan->max_segs ? 1 : left, sizeof(*block->chunks), PLDMA_GFP);
	if (!block->chunks)
		return -ENOMEM;

	while (left) {
		struct pldma_chunk *chunk = &block->chunks[block->nchunks];

		order = min_t(unsigned int, order, ilog2(left));
		if (fatal_signal_pending(current))
			goto err_free;
		/* try hard only for the smallest chunk that will do */
		chunk->page = alloc_pages(order && !chan->max_segs ?
					  (gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY :
					  gfp, order);
		if (!chunk->page) {
			if (!order || chan->max_segs)
				goto err_free;
			order--;
			continue;
		}
		/* a mark for pldma_page_owned(), which the page loses when it is freed */
		set_page_private(chunk->page, (unsigned long)&pldma_page_mark);
		chunk->order = order;
		chunk->dma = DMA_MAPPING_ERROR;
		block->nchunks++;

		if (chan->map_dir == DMA_FROM_DEVICE &&
		    pldma_clean_page(dev, chunk->page, PAGE_SIZE << order))
			goto err_free;
		start = ktime_get_ns();
		chunk->dma = dma_map_page_attrs(dev, chunk->page, 0, PAGE_SIZE << order,
						chan->map_dir, DMA_ATTR_NO_WARN);
		if (dma_mapping_error(dev, chunk->dma)) {
			chunk->dma = DMA_MAPPING_ERROR;
			goto err_free;
		}
		pldma_cost_add(chan, PLDMA_COST_MAP, false, PAGE_SIZE << order, start);
		left -= 1UL << order;
	}
	return 0;

err_free:
	pldma_free_chunks(block);
	return -ENOMEM;
}

static int pldma_alloc_dma(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	size_t size = PAGE_ALIGN(block->size);

	switch (block->policy) {
	case PLDMA_COHERENT:
		block->vaddr = dma_alloc_coherent(chan->map_dev, size, &block->dma, PLDMA_GFP);
		break;
	case PLDMA_WRITE_COMBINE:
		block->vaddr = dma_alloc_wc(chan->map_dev, size, &block->dma, PLDMA_GFP);
		break;
	case PLDMA_NONCOHERENT:
		/* bidirectional, so that the first sync writes the zeros back to memory */
		block->vaddr = dma_alloc_noncoherent(chan->map_dev, size, &block->dma,
						     DMA_BIDIRECTIONAL, PLDMA_GFP);
		if (!block->vaddr)
			break;
		/* DMA_API_DEBUG complains about mappings that were not checked */
		if (dma_mapping_error(chan->map_dev, block->dma)) {
			dma_free_noncoherent(chan->map_dev, size, block->vaddr,
					     block->dma, DMA_BIDIRECTIONAL);
			block->vaddr = NULL;
			break;
		}
		dma_sync_single_for_device(chan->map_dev, block->dma, size, DMA_BIDIRECTIONAL);
		break;
	}
	return block->vaddr ? 0 : -ENOMEM;
}

static void pldma_free_dma(struct pldma_block *block)
{
	struct device *dev = block->chan->map_dev;
	size_t size = PAGE_ALIGN(block->size);

	if (!block->vaddr)
		return;
	switch (block->policy) {
	case PLDMA_COHERENT:
		dma_free_coherent(dev, size, block->vaddr, block->dma);
		break;
	case PLDMA_WRITE_COMBINE:
		dma_free_wc(dev, size, block->vaddr, block->dma);
		break;
	case PLDMA_NONCOHERENT:
		dma_free_noncoherent(dev, size, block->vaddr, block->dma, DMA_BIDIRECTIONAL);
		break;
	}
	block->vaddr = NULL;
}

/**
 * pldma_free_segs() - free the bus addresses and the scratch list of a block
 * @block: the block
 */
void pldma_free_segs(struct pldma_block *block)
{
	kvfree(block->sgl);
	kvfree(block->segs);
	block->sgl = NULL;
	block->segs = NULL;
	WRITE_ONCE(block->nsegs, 0);
}

/**
 * pldma_alloc_segs() - allocate the bus addresses and the scratch list of a block
 * @block: the block
 * @nsegs: number of contiguous segments
 * @size: total size of the segments in bytes
 *
 * Return: 0 or -ENOMEM.
 */
int pldma_alloc_segs(struct pldma_block *block, unsigned int nsegs, size_t size)
{
	/* a segment is cut into entries of max_seg, of which the last may be shorter */
	block->nsgl = nsegs + size / block->chan->max_seg + 1;
	block->segs = kvcalloc(nsegs, sizeof(*block->segs), PLDMA_GFP);
	block->sgl = kvcalloc(block->nsgl, sizeof(*block->sgl), PLDMA_GFP);
	if (!block->segs || !block->sgl) {
		pldma_free_segs(block);
		return -ENOMEM;
	}
	return 0;
}

/**
 * pldma_publish_segs() - let QUERY see that the memory is mapped
 * @block: the block, whose bus addresses are filled in
 * @nsegs: their number
 */
void pldma_publish_segs(struct pldma_block *block, unsigned int nsegs)
{
	bool needs_sync = false;
	unsigned int i;

	for (i = 0; i < nsegs && !needs_sync; i++)
		needs_sync = pldma_need_sync(block->chan->map_dev, block->segs[i].addr);
	WRITE_ONCE(block->needs_sync, needs_sync);
	WRITE_ONCE(block->nsegs, nsegs);
}

/* store the bus addresses of driver-owned memory */
static int pldma_fill_segs(struct pldma_block *block)
{
	unsigned int nsegs = block->vaddr ? 1 : block->nchunks;
	unsigned int i;
	int ret;

	ret = pldma_alloc_segs(block, nsegs, PAGE_ALIGN(block->size));
	if (ret)
		return ret;
	if (block->vaddr) {
		block->segs[0].addr = block->dma;
		block->segs[0].len = PAGE_ALIGN(block->size);
	}
	for (i = 0; i < block->nchunks; i++) {
		block->segs[i].addr = block->chunks[i].dma;
		block->segs[i].len = PAGE_SIZE << block->chunks[i].order;
	}
	pldma_publish_segs(block, nsegs);
	return 0;
}

/**
 * pldma_memory_alloc() - allocate driver-owned memory and map it for the device
 * @block: block of a policy that is not about user pages
 *
 * Return: 0 or -ENOMEM. Call pldma_memory_free() in both cases.
 */
int pldma_memory_alloc(struct pldma_block *block)
{
	int ret;

	if (pldma_policy_is_chunked(block->policy))
		ret = pldma_alloc_chunks(block);
	else
		ret = pldma_alloc_dma(block);
	return ret ? ret : pldma_fill_segs(block);
}

/**
 * pldma_memory_free() - undo pldma_memory_alloc()
 * @block: the block
 */
void pldma_memory_free(struct pldma_block *block)
{
	pldma_free_segs(block);
	pldma_free_chunks(block);
	pldma_free_dma(block);
}

/**
 * pldma_fill_sgl() - list the segments of the enqueued range for the engine
 * @block: block, mapped for the device. No entry of its list is longer than max_seg
 *
 * Return: number of entries.
 */
unsigned int pldma_fill_sgl(struct pldma_block *block)
{
	size_t at = block->policy == PLDMA_USER_PAGES ? block->user.offset : 0;
	size_t end = block->offset + block->len;
	unsigned int i, n = 0;

	sg_init_table(block->sgl, block->nsgl);
	for (i = 0; i < block->nsegs && at < end; i++) {
		const struct pldma_seg *seg = &block->segs[i];
		size_t from = max(block->offset, at), to = min(end, at + seg->len);

		while (from < to) {
			struct scatterlist *sg = &block->sgl[n++];
			size_t len = min_t(size_t, to - from, block->chan->max_seg);

			sg->length = len;
			sg_dma_address(sg) = seg->addr + (from - at);
			sg_dma_len(sg) = len;
			from += len;
		}
		at += seg->len;
	}
	if (n)
		sg_mark_end(&block->sgl[n - 1]);
	return n;
}
