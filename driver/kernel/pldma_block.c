// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: where a block's memory comes from, and who syncs it
 *
 * Driver-owned memory of the cached policies consists of chunks of at most
 * min(dma_max_mapping_size(), dma_get_max_seg_size()), each mapped by
 * dma_map_page() for the life of the block. That makes a sync of a part of a
 * block legal: the DMA API allows partial sync of a single mapping, not of a
 * mapping made by dma_map_sgtable(). The latter is used for user pages only,
 * and synced whole.
 *
 * PLDMA_STREAMING_LAZY leaves out for_device on receive. That is sound because
 * pages are zeroed and cleaned before they are mapped, user space cannot get a
 * writable alias (shared mappings only, VM_MAYWRITE cleared), and for_cpu on
 * receive is never left out: no cache line can be dirty while the engine writes.
 *
 * Cleaned, and not only mapped: mapping for DMA_FROM_DEVICE may invalidate
 * without writing back (Armv7 does). The zeros would be lost while they are still
 * in the cache, and user space would read what the memory held before.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "pldma_priv.h"
#include "pldma_fault.h"

/* sizes are the caller's choice: fail rather than warn, or kill in its cgroup */
#define PLDMA_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/**
 * pldma_cost_add() - count one call
 * @chan: direction, its lock held
 * @kind: enum pldma_cost_kind
 * @verify: the caller asked for more than the policy needs
 * @bytes: what the call was given
 * @start_ns: ktime_get_ns() before the call
 *
 * Return: nanoseconds that the call took.
 */
u64 pldma_cost_add(struct pldma_chan *chan, u32 kind, bool verify, size_t bytes, u64 start_ns)
{
	struct pldma_cost *cost = verify ? &chan->stats.verify[kind] : &chan->stats.cost[kind];
	u64 ns = ktime_get_ns() - start_ns;

	lockdep_assert_held(&chan->lock);
	cost->calls++;
	cost->bytes += bytes;
	cost->total_ns += ns;
	if (ns > cost->max_ns)
		cost->max_ns = ns;
	return ns;
}

/**
 * pldma_policy_attr() - what a user mapping under a policy really is
 * @chan: direction
 * @policy: enum pldma_policy
 *
 * Follows dma_pgprot(), which is not exported.
 *
 * Return: enum pldma_attr.
 */
u32 pldma_policy_attr(struct pldma_chan *chan, u32 policy)
{
	switch (policy) {
	case PLDMA_BOUNCE:
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
 * pldma_policy_max_block() - the largest block under a policy
 * @chan: direction
 * @policy: enum pldma_policy
 *
 * Return: bytes; 0 when the policy is not offered.
 */
size_t pldma_policy_max_block(struct pldma_chan *chan, u32 policy)
{
	size_t max = chan->pldma->max_block;

	switch (policy) {
	case PLDMA_COHERENT:
	case PLDMA_WRITE_COMBINE:
		if (!dma_can_mmap(chan->map_dev))
			return 0;
		/* beyond the page allocator only CMA or an IOMMU can help */
		if (IS_ENABLED(CONFIG_DMA_CMA))
			return max;
		fallthrough;
	case PLDMA_NONCOHERENT:
		return min_t(size_t, max, PAGE_SIZE << PLDMA_MAX_PAGE_ORDER);
	default:
		return max;
	}
}

static void pldma_free_chunks(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	unsigned int i;

	for (i = 0; i < block->nchunks; i++) {
		struct pldma_chunk *chunk = &block->chunks[i];

		/* whoever reads the pages next reads them by other mappings */
		if (chunk->dma != DMA_MAPPING_ERROR)
			dma_unmap_page_attrs(chan->map_dev, chunk->dma,
					     PAGE_SIZE << chunk->order, chan->map_dir,
					     DMA_ATTR_SKIP_CPU_SYNC);
		__free_pages(chunk->page, chunk->order);
	}
	kvfree(block->chunks);
	block->chunks = NULL;
	block->nchunks = 0;
}

/* write zeros that are still in the cache back to memory, on every architecture */
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
	gfp_t gfp = PLDMA_GFP | __GFP_ZERO;
	u64 start;

	/* without this a device of 32 bits would bounce for no reason */
	if (IS_ENABLED(CONFIG_ZONE_DMA32) &&
	    min_not_zero(dma_get_mask(dev), dev->bus_dma_limit) <= DMA_BIT_MASK(32))
		gfp |= GFP_DMA32;

	block->chunks = kvcalloc(left, sizeof(*block->chunks), PLDMA_GFP);
	if (!block->chunks)
		return -ENOMEM;

	while (left) {
		struct pldma_chunk *chunk = &block->chunks[block->nchunks];

		order = min_t(unsigned int, order, ilog2(left));
		if (fatal_signal_pending(current))
			goto err_free;
		/* a large chunk is nice to have, the last resort is a page */
		chunk->page = alloc_pages(order ? (gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY :
					  gfp, order);
		if (!chunk->page) {
			if (!order)
				goto err_free;
			order--;
			continue;
		}
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
		/* both ways, so that the first sync writes the dirty zeros back */
		block->vaddr = dma_alloc_noncoherent(chan->map_dev, size, &block->dma,
						     DMA_BIDIRECTIONAL, PLDMA_GFP);
		if (!block->vaddr)
			break;
		/* DMA_API_DEBUG wants to see that somebody looked */
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

static void pldma_free_segs(struct pldma_block *block)
{
	kvfree(block->sgl);
	kvfree(block->segs);
	block->sgl = NULL;
	block->segs = NULL;
	block->nsegs = 0;
}

/* room for block->segs and for the list that a transfer hands to the engine */
static int pldma_alloc_segs(struct pldma_block *block, unsigned int nsegs, size_t size)
{
	/* each segment may end in one piece shorter than max_seg */
	block->nsgl = nsegs + size / block->chan->max_seg + 1;
	block->segs = kvcalloc(nsegs, sizeof(*block->segs), PLDMA_GFP);
	block->sgl = kvcalloc(block->nsgl, sizeof(*block->sgl), PLDMA_GFP);
	if (!block->segs || !block->sgl) {
		pldma_free_segs(block);
		return -ENOMEM;
	}
	block->nsegs = nsegs;
	return 0;
}

static int pldma_fill_segs(struct pldma_block *block)
{
	unsigned int i;
	int ret;

	ret = pldma_alloc_segs(block, block->vaddr ? 1 : block->nchunks, PAGE_ALIGN(block->size));
	if (ret)
		return ret;
	if (block->vaddr) {
		block->segs[0].addr = block->dma;
		block->segs[0].len = PAGE_ALIGN(block->size);
		return 0;
	}
	for (i = 0; i < block->nchunks; i++) {
		block->segs[i].addr = block->chunks[i].dma;
		block->segs[i].len = PAGE_SIZE << block->chunks[i].order;
	}
	return 0;
}

static void pldma_user_unpin(struct pldma_block *block, bool verify)
{
	struct pldma_user *user = &block->user;
	u64 start;

	if (!user->pages)
		return;
	start = ktime_get_ns();
	/* pinned for writing, and a receive engine may have written */
	unpin_user_pages_dirty_lock(user->pages, user->npages,
				    block->chan->map_dir == DMA_FROM_DEVICE);
	block->sync_cpu_ns += pldma_cost_add(block->chan, PLDMA_COST_UNPIN, verify,
					     user->len, start);
	account_locked_vm(user->mm, user->npages, false);
	kvfree(user->pages);
	user->pages = NULL;
}

static int pldma_user_pin(struct pldma_block *block, size_t offset, size_t len, bool verify)
{
	struct pldma_user *user = &block->user;
	unsigned long addr = user->addr + offset;
	unsigned int npages;
	u64 start;
	int ret;

	if (current->mm != user->mm)
		return -EPERM;
	npages = DIV_ROUND_UP(offset_in_page(addr) + len, PAGE_SIZE);
	ret = account_locked_vm(user->mm, npages, true);
	if (ret)
		return ret;
	user->pages = kvmalloc_array(npages, sizeof(*user->pages), PLDMA_GFP);
	if (!user->pages) {
		ret = -ENOMEM;
		goto err_account;
	}

	start = ktime_get_ns();
	ret = pin_user_pages_fast(addr & PAGE_MASK, npages, FOLL_WRITE | FOLL_LONGTERM,
				  user->pages);
	if (ret != npages) {
		if (ret > 0)
			unpin_user_pages(user->pages, ret);
		if (ret >= 0)
			ret = -EFAULT;
		goto err_free;
	}
	user->npages = npages;
	user->offset = offset;
	user->len = len;
	block->sync_device_ns += pldma_cost_add(block->chan, PLDMA_COST_PIN, verify, len, start);
	return 0;

err_free:
	kvfree(user->pages);
	user->pages = NULL;
err_account:
	account_locked_vm(user->mm, npages, false);
	return ret;
}

/**
 * pldma_user_map() - pin a part of the caller's memory and map it for the device
 * @block: block of one of the user-page policies, nothing mapped yet
 * @offset: start in the block
 * @len: bytes
 * @verify: account it as a check
 *
 * Context: process of the memory's owner, channel lock held.
 * Return: 0; -EPERM for another process, -EFAULT, -ENOMEM.
 */
int pldma_user_map(struct pldma_block *block, size_t offset, size_t len, bool verify)
{
	struct pldma_chan *chan = block->chan;
	struct pldma_user *user = &block->user;
	struct scatterlist *sg;
	size_t max_seg;
	unsigned int i;
	u64 start;
	int ret;

	lockdep_assert_held(&chan->lock);
	ret = pldma_user_pin(block, offset, len, verify);
	if (ret)
		return ret;

	max_seg = min_t(size_t, chan->max_seg, PAGE_SIZE << chan->chunk_order);
	max_seg = max_t(size_t, round_down(max_seg, PAGE_SIZE), PAGE_SIZE);
	ret = sg_alloc_table_from_pages_segment(&user->sgt, user->pages, user->npages,
						offset_in_page(user->addr + offset), len,
						max_seg, PLDMA_GFP);
	if (ret)
		goto err_unpin;

	/* as for chunks: fresh pages of the caller's may be zeros that only the cache has */
	if (IS_ENABLED(CONFIG_ARM) && chan->map_dir == DMA_FROM_DEVICE) {
		ret = dma_map_sgtable(chan->map_dev, &user->sgt, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
		if (ret) {
			ret = -ENOMEM;
			goto err_table;
		}
		dma_unmap_sgtable(chan->map_dev, &user->sgt, DMA_TO_DEVICE, 0);
	}

	start = ktime_get_ns();
	ret = dma_map_sgtable(chan->map_dev, &user->sgt, chan->map_dir, DMA_ATTR_NO_WARN);
	if (ret) {
		ret = -ENOMEM;
		goto err_table;
	}
	block->sync_device_ns += pldma_cost_add(chan, PLDMA_COST_MAP, verify, len, start);
	user->mapped = true;

	ret = pldma_alloc_segs(block, user->sgt.nents, len);
	if (ret)
		goto err_unmap;
	for_each_sgtable_dma_sg(&user->sgt, sg, i) {
		block->segs[i].addr = sg_dma_address(sg);
		block->segs[i].len = sg_dma_len(sg);
	}
	return 0;

err_unmap:
	user->mapped = false;
	dma_unmap_sgtable(chan->map_dev, &user->sgt, chan->map_dir, DMA_ATTR_SKIP_CPU_SYNC);
err_table:
	sg_free_table(&user->sgt);
err_unpin:
	pldma_user_unpin(block, verify);
	return ret;
}

/**
 * pldma_user_unmap() - undo pldma_user_map()
 * @block: block of one of the user-page policies
 * @verify: account it as a check
 * @sync: the engine had the memory, make what it did visible to the CPU. Without
 *	a transfer that must not be: it would undo what the caller stored since
 */
void pldma_user_unmap(struct pldma_block *block, bool verify, bool sync)
{
	struct pldma_chan *chan = block->chan;
	struct pldma_user *user = &block->user;
	u64 start;

	lockdep_assert_held(&chan->lock);
	if (user->mapped) {
		start = ktime_get_ns();
		dma_unmap_sgtable(chan->map_dev, &user->sgt, chan->map_dir,
				  sync ? 0 : DMA_ATTR_SKIP_CPU_SYNC);
		block->sync_cpu_ns += pldma_cost_add(chan, PLDMA_COST_UNMAP, verify,
						     user->len, start);
		sg_free_table(&user->sgt);
		user->mapped = false;
		pldma_free_segs(block);
	}
	pldma_user_unpin(block, verify);
}

/**
 * pldma_block_needs_sync() - do the sync calls of this block do anything
 * @block: the block
 *
 * Return: false for memory that is never synced, and where dma_need_sync() says
 * so. A device may be coherent and yet bounce, so the mapping is asked.
 */
bool pldma_block_needs_sync(struct pldma_block *block)
{
	unsigned int i;

	switch (block->policy) {
	case PLDMA_COHERENT:
	case PLDMA_WRITE_COMBINE:
	case PLDMA_NONE:
		return false;
	default:
		break;
	}
	if (!block->nsegs)
		return block->chan->needs_sync;
	for (i = 0; i < block->nsegs; i++)
		if (dma_need_sync(block->chan->map_dev, block->segs[i].addr))
			return true;
	return false;
}

static void pldma_sync_one(struct pldma_chan *chan, u32 op, dma_addr_t addr, size_t len)
{
	if (op == PLDMA_SYNC_FOR_DEVICE)
		dma_sync_single_for_device(chan->map_dev, addr, len, chan->map_dir);
	else
		dma_sync_single_for_cpu(chan->map_dev, addr, len, chan->map_dir);
}

/**
 * pldma_block_sync() - hand a range of a block over
 * @block: block with memory that can be synced, mapped
 * @op: enum pldma_sync_op
 * @offset: start of the range
 * @len: bytes; 0 does nothing
 * @verify: account it as a check
 *
 * Context: process, channel lock held.
 */
void pldma_block_sync(struct pldma_block *block, u32 op, size_t offset, size_t len, bool verify)
{
	struct pldma_chan *chan = block->chan;
	u32 kind = op == PLDMA_SYNC_FOR_DEVICE ? PLDMA_COST_FOR_DEVICE : PLDMA_COST_FOR_CPU;
	size_t at = 0;
	unsigned int i;
	u64 start, ns;

	lockdep_assert_held(&chan->lock);
	if (!len)
		return;
	start = ktime_get_ns();
	if (block->policy == PLDMA_USER_PAGES_REGISTERED) {
		len = block->size;
		if (op == PLDMA_SYNC_FOR_DEVICE)
			dma_sync_sgtable_for_device(chan->map_dev, &block->user.sgt,
						    chan->map_dir);
		else
			dma_sync_sgtable_for_cpu(chan->map_dev, &block->user.sgt,
						 chan->map_dir);
	} else if (block->vaddr) {
		pldma_sync_one(chan, op, block->dma + offset, len);
	} else {
		for (i = 0; i < block->nchunks && at < offset + len; i++) {
			size_t size = PAGE_SIZE << block->chunks[i].order;
			size_t from = max(offset, at), to = min(offset + len, at + size);

			if (from < to)
				pldma_sync_one(chan, op, block->chunks[i].dma + (from - at),
					       to - from);
			at += size;
		}
	}
	ns = pldma_cost_add(chan, kind, verify, len, start);
	if (op == PLDMA_SYNC_FOR_DEVICE)
		block->sync_device_ns += ns;
	else
		block->sync_cpu_ns += ns;
}

static void pldma_block_free(struct kref *ref)
{
	struct pldma_block *block = container_of(ref, struct pldma_block, ref);

	if (block->user.mm)
		mmdrop(block->user.mm);
	kfree(block);
}

/**
 * pldma_block_put() - drop a reference
 * @block: the block
 */
void pldma_block_put(struct pldma_block *block)
{
	kref_put(&block->ref, pldma_block_free);
}

/**
 * pldma_block_lock() - find a block and lock its channel
 * @pldma: the device
 * @id: as user space knows it
 *
 * Return: the block, to be given back by pldma_block_unlock(); -ENOENT, or
 * -ENODEV once the device is gone.
 */
struct pldma_block *pldma_block_lock(struct pldma_dev *pldma, u32 id)
{
	struct pldma_block *block;

	mutex_lock(&pldma->table_lock);
	block = pldma->dead ? ERR_PTR(-ENODEV) : xa_load(&pldma->blocks, id);
	if (!IS_ERR_OR_NULL(block))
		kref_get(&block->ref);
	mutex_unlock(&pldma->table_lock);
	if (!block)
		return ERR_PTR(-ENOENT);
	if (IS_ERR(block))
		return block;

	mutex_lock(&block->chan->lock);
	if (!pldma->dead && !block->gone)
		return block;
	pldma_block_unlock(block);
	return ERR_PTR(READ_ONCE(pldma->dead) ? -ENODEV : -ENOENT);
}

/**
 * pldma_block_unlock() - undo pldma_block_lock()
 * @block: the block, which may be freed by this
 */
void pldma_block_unlock(struct pldma_block *block)
{
	mutex_unlock(&block->chan->lock);
	pldma_block_put(block);
}

/**
 * pldma_block_release() - give a block's memory back to the system
 * @block: block that neither the engine nor user space can reach any more
 */
void pldma_block_release(struct pldma_block *block)
{
	lockdep_assert_held(&block->chan->lock);
	block->gone = true;
	pldma_user_unmap(block, true, false);
	pldma_free_segs(block);
	pldma_free_chunks(block);
	pldma_free_dma(block);
}

/* make a block unknown to user space: no id, no offset; table_lock held */
static void pldma_block_hide(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	lockdep_assert_held(&pldma->table_lock);
	if (block->id)
		xa_erase(&pldma->blocks, block->id);
	if (block->pgoff)
		xa_erase(&pldma->by_pgoff, block->pgoff);
	if (block->id && block->policy == PLDMA_BOUNCE)
		block->chan->ring_blocks--;
	block->id = 0;
	block->pgoff = 0;
}

/* take a block out of the table and of the books; table_lock held */
static void pldma_block_forget(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	pldma_block_hide(block);
	pldma->nblocks--;
	if (!pldma_policy_is_user(block->policy))
		pldma->bytes -= PAGE_ALIGN(block->size);
}

/**
 * pldma_block_orphan() - keep a block that the engine may still reach
 * @block: block in state QUARANTINED, whose owner closes the device
 *
 * The next owner cannot see it, but it stays in the books.
 */
void pldma_block_orphan(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	mutex_lock(&pldma->table_lock);
	pldma_block_hide(block);
	list_move_tail(&block->node, &block->chan->orphans);
	mutex_unlock(&pldma->table_lock);
}

/**
 * pldma_block_drop() - take a block out of the table and free it
 * @block: block that neither the engine nor user space can reach any more
 */
void pldma_block_drop(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	mutex_lock(&pldma->table_lock);
	pldma_block_forget(block);
	mutex_unlock(&pldma->table_lock);
	pldma_block_release(block);
	pldma_block_put(block);
}

static struct pldma_block *pldma_block_new(struct pldma_chan *chan, u32 policy, size_t size)
{
	struct pldma_block *block;

	block = kzalloc(sizeof(*block), PLDMA_GFP);
	if (!block)
		return NULL;
	kref_init(&block->ref);
	INIT_LIST_HEAD(&block->node);
	block->chan = chan;
	block->policy = policy;
	block->size = size;
	return block;
}

static struct pldma_block *pldma_block_alloc(struct pldma_chan *chan, u32 policy, size_t size)
{
	struct pldma_block *block;
	int ret;

	block = pldma_block_new(chan, policy, size);
	if (!block)
		return NULL;
	if (pldma_policy_is_chunked(policy))
		ret = pldma_alloc_chunks(block);
	else
		ret = pldma_alloc_dma(block);
	if (!ret)
		ret = pldma_fill_segs(block);
	if (ret) {
		pldma_block_release(block);
		pldma_block_put(block);
		return NULL;
	}
	return block;
}

/* take ids, offsets and a share of the limits for @count blocks */
static int pldma_reserve(struct pldma_dev *pldma, u32 count, u64 bytes, unsigned long pages,
			 u32 *id, u64 *pgoff)
{
	u64 total, span;
	int ret = 0;

	mutex_lock(&pldma->table_lock);
	if (pldma->dead)
		ret = -ENODEV;
	else if (count > PLDMA_MAX_BLOCKS - pldma->nblocks ||
		 check_mul_overflow(bytes, (u64)count, &total) ||
		 total > pldma->max_bytes - pldma->bytes)
		ret = -ENOMEM;
	else if (pldma->next_id + count > U32_MAX ||
		 check_mul_overflow((u64)pages, (u64)count, &span) ||
		 span > (min_t(u64, ULONG_MAX, S64_MAX) >> PAGE_SHIFT) - pldma->next_pgoff)
		ret = -ENOSPC;
	if (!ret) {
		*id = pldma->next_id;
		*pgoff = pldma->next_pgoff;
		pldma->next_id += count;
		pldma->next_pgoff += span;
		pldma->nblocks += count;
		pldma->bytes += total;
	}
	mutex_unlock(&pldma->table_lock);
	return ret;
}

static void pldma_unreserve(struct pldma_dev *pldma, u32 count, u64 bytes)
{
	mutex_lock(&pldma->table_lock);
	pldma->nblocks -= count;
	pldma->bytes -= count * bytes;
	mutex_unlock(&pldma->table_lock);
}

/* make new blocks known to user space, all or none; their share was reserved */
static int pldma_publish(struct pldma_dev *pldma, struct list_head *fresh)
{
	struct pldma_block *block;
	int ret = 0;

	mutex_lock(&pldma->table_lock);
	list_for_each_entry(block, fresh, node) {
		if (block->policy == PLDMA_BOUNCE)
			block->chan->ring_blocks++;
		ret = xa_err(xa_store(&pldma->blocks, block->id, block, GFP_KERNEL));
		if (!ret && block->pgoff)
			ret = xa_err(xa_store(&pldma->by_pgoff, block->pgoff, block, GFP_KERNEL));
		if (ret)
			break;
	}
	if (ret) {
		list_for_each_entry_from_reverse(block, fresh, node)
			pldma_block_hide(block);
	}
	mutex_unlock(&pldma->table_lock);
	return ret;
}

/**
 * pldma_alloc() - PLDMA_IOC_ALLOC
 * @pldma: the device
 * @arg: argument, completed on success
 *
 * Return: 0 or a negative errno, with nothing left behind.
 */
int pldma_alloc(struct pldma_dev *pldma, struct pldma_alloc *arg)
{
	struct pldma_block *block, *next;
	struct pldma_chan *chan;
	unsigned long pages;
	LIST_HEAD(fresh);
	bool mappable;
	u64 pgoff;
	u32 i, id;
	int ret;

	if (arg->flags || arg->reserved || !arg->size || !arg->count ||
	    arg->count > PLDMA_MAX_BLOCKS ||
	    arg->policy >= PLDMA_NR_POLICIES || pldma_policy_is_user(arg->policy) ||
	    !pldma_chan_present(pldma, arg->direction))
		return -EINVAL;
	chan = &pldma->chan[arg->direction];
	mappable = arg->policy != PLDMA_BOUNCE;

	mutex_lock(&chan->lock);
	ret = -ENODEV;
	if (pldma->dead)
		goto out_unlock;
	ret = -EINVAL;
	if (arg->size > pldma_policy_max_block(chan, arg->policy))
		goto out_unlock;
	/* the slots of a ring are given to the engine whole */
	if (!mappable && !IS_ALIGNED(arg->size, chan->core.length_align))
		goto out_unlock;
	pages = PAGE_ALIGN(arg->size) >> PAGE_SHIFT;
	ret = pldma_reserve(pldma, arg->count, (u64)pages << PAGE_SHIFT, mappable ? pages : 0,
			    &id, &pgoff);
	if (ret)
		goto out_unlock;

	for (i = 0; i < arg->count; i++) {
		ret = -ENOMEM;
		block = pldma_block_alloc(chan, arg->policy, arg->size);
		if (!block)
			goto err_blocks;
		block->id = id + i;
		block->pgoff = mappable ? pgoff + i * pages : 0;
		list_add_tail(&block->node, &fresh);
	}
	/* whoever guesses an offset can map a block from here on: nothing may fail after this */
	ret = pldma_publish(pldma, &fresh);
	if (ret)
		goto err_blocks;
	list_for_each_entry_safe(block, next, &fresh, node)
		list_del_init(&block->node);
	mutex_unlock(&chan->lock);

	arg->first_id = id;
	arg->mmap_offset = mappable ? pgoff << PAGE_SHIFT : 0;
	arg->mmap_stride = mappable ? (u64)pages << PAGE_SHIFT : 0;
	return 0;

err_blocks:
	list_for_each_entry_safe(block, next, &fresh, node) {
		list_del(&block->node);
		pldma_block_release(block);
		pldma_block_put(block);
	}
	pldma_unreserve(pldma, arg->count, (u64)pages << PAGE_SHIFT);
out_unlock:
	mutex_unlock(&chan->lock);
	return ret;
}

static bool pldma_overlap(const struct pldma_block *a, const struct pldma_block *b)
{
	return pldma_policy_is_user(b->policy) && a->user.mm == b->user.mm &&
	       (a->chan->direction == PLDMA_RX || b->chan->direction == PLDMA_RX) &&
	       a->user.addr < b->user.addr + b->size && b->user.addr < a->user.addr + a->size;
}

/* does a new range of the caller's overlap one that either of them receives into */
static bool pldma_overlaps(struct pldma_dev *pldma, const struct pldma_block *block)
{
	struct pldma_block *other;
	unsigned long index;
	u32 i;

	lockdep_assert_held(&pldma->table_lock);
	xa_for_each(&pldma->blocks, index, other)
		if (pldma_overlap(block, other))
			return true;
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		list_for_each_entry(other, &pldma->chan[i].orphans, node)
			if (pldma_overlap(block, other))
				return true;
	return false;
}

/**
 * pldma_register() - PLDMA_IOC_REGISTER
 * @pldma: the device
 * @arg: argument, completed on success
 *
 * Return: 0 or a negative errno, with nothing left behind.
 */
int pldma_register(struct pldma_dev *pldma, struct pldma_register *arg)
{
	u64 align, pgoff, address;
	struct pldma_chan *chan;
	struct pldma_block *block;
	u32 id;
	int ret;

	align = pldma_cache_align();
	/* pinning ignores a tag in the top byte, so overlap must be judged without */
	address = untagged_addr(arg->address);
	if (arg->flags || !arg->size || !pldma_policy_is_user(arg->policy) ||
	    !pldma_chan_present(pldma, arg->direction) ||
	    !IS_ALIGNED(address, align) || !IS_ALIGNED(arg->size, align) ||
	    arg->size > pldma->max_block ||
	    address > ULONG_MAX || arg->size > ULONG_MAX - address)
		return -EINVAL;
	chan = &pldma->chan[arg->direction];

	block = pldma_block_new(chan, arg->policy, arg->size);
	if (!block)
		return -ENOMEM;
	block->user.addr = address;
	block->user.mm = current->mm;
	mmgrab(block->user.mm);

	mutex_lock(&chan->lock);
	ret = pldma_reserve(pldma, 1, 0, 0, &id, &pgoff);
	if (ret)
		goto err_put;

	mutex_lock(&pldma->table_lock);
	if (pldma_overlaps(pldma, block))
		ret = -EBUSY;
	mutex_unlock(&pldma->table_lock);
	if (ret)
		goto err_unreserve;

	/* memory that is not there is better refused now than at ENQUEUE */
	ret = pldma_user_map(block, 0, block->size, true);
	if (ret)
		goto err_unreserve;
	if (arg->policy == PLDMA_USER_PAGES)
		pldma_user_unmap(block, true, false);

	mutex_lock(&pldma->table_lock);
	/* the other direction may have registered in the meantime */
	if (pldma_overlaps(pldma, block))
		ret = -EBUSY;
	else
		ret = xa_err(xa_store(&pldma->blocks, id, block, GFP_KERNEL));
	if (!ret)
		block->id = id;
	mutex_unlock(&pldma->table_lock);
	if (ret)
		goto err_unreserve;
	mutex_unlock(&chan->lock);
	arg->id = id;
	return 0;

err_unreserve:
	pldma_unreserve(pldma, 1, 0);
err_put:
	pldma_block_release(block);
	mutex_unlock(&chan->lock);
	pldma_block_put(block);
	return ret;
}

/**
 * pldma_free() - PLDMA_IOC_FREE and PLDMA_IOC_UNREGISTER
 * @pldma: the device
 * @id: the block
 * @registered: UNREGISTER
 *
 * Return: 0; -ENOENT, -EINVAL for the wrong one of the two, -EBUSY while the
 * block is not the caller's or is mapped.
 */
int pldma_free(struct pldma_dev *pldma, u32 id, bool registered)
{
	struct pldma_block *block;
	int ret = 0;

	block = pldma_block_lock(pldma, id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	mutex_lock(&pldma->table_lock);
	if (pldma_policy_is_user(block->policy) != registered)
		ret = -EINVAL;
	else if (block->state != PLDMA_STATE_USER || block->mappings)
		ret = -EBUSY;
	else
		pldma_block_forget(block);
	mutex_unlock(&pldma->table_lock);
	if (!ret) {
		pldma_block_release(block);
		pldma_block_put(block);
	}
	pldma_block_unlock(block);
	return ret;
}

static void pldma_vm_open(struct vm_area_struct *vma)
{
	struct pldma_mapping *mapping = vma->vm_private_data;

	/* a split or a move, never a fork */
	refcount_inc(&mapping->ref);
}

static void pldma_vm_close(struct vm_area_struct *vma)
{
	struct pldma_mapping *mapping = vma->vm_private_data;
	struct pldma_dev *pldma = mapping->block->chan->pldma;

	if (!refcount_dec_and_test(&mapping->ref))
		return;
	mutex_lock(&pldma->table_lock);
	list_del(&mapping->node);
	mapping->block->mappings--;
	mutex_unlock(&pldma->table_lock);
	pldma_block_put(mapping->block);
	mmdrop(mapping->mm);
	kfree(mapping);
}

/* no fault handler: an access after the device is gone ends in SIGBUS */
static const struct vm_operations_struct pldma_vm_ops = {
	.open = pldma_vm_open,
	.close = pldma_vm_close,
};

static int pldma_map_chunks(struct pldma_block *block, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start;
	unsigned int i;
	int ret;

	for (i = 0; i < block->nchunks; i++) {
		size_t size = PAGE_SIZE << block->chunks[i].order;

		ret = remap_pfn_range(vma, addr, page_to_pfn(block->chunks[i].page), size,
				      vma->vm_page_prot);
		if (ret) {
			/* what is mapped already would outlive the lock that we hold */
			if (i)
				zap_vma_ptes(vma, vma->vm_start, addr - vma->vm_start);
			return ret;
		}
		addr += size;
	}
	return 0;
}

static void pldma_vma_flags(struct vm_area_struct *vma, bool read_only)
{
	/*
	 * A mapping that a child inherits would let it touch memory that the
	 * parent has handed to the engine. VM_IO keeps madvise() from changing
	 * that.
	 */
	unsigned long set = VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;
	unsigned long clear = read_only ? VM_MAYWRITE : 0;

#ifdef PLDMA_HAVE_VM_FLAGS_MOD
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

static int pldma_do_mmap(struct pldma_block *block, struct vm_area_struct *vma)
{
	struct pldma_chan *chan = block->chan;
	size_t size = PAGE_ALIGN(block->size);
	unsigned long pgoff = vma->vm_pgoff;
	bool read_only = block->policy == PLDMA_STREAMING_LAZY && chan->direction == PLDMA_RX;
	int ret;

	if (vma->vm_end - vma->vm_start != size)
		return -EINVAL;
	if (read_only && (vma->vm_flags & VM_WRITE))
		return -EACCES;
	pldma_vma_flags(vma, read_only);

	/* the helpers take the offset for one into the memory */
	vma->vm_pgoff = 0;
	switch (block->policy) {
	case PLDMA_COHERENT:
		ret = dma_mmap_coherent(chan->map_dev, vma, block->vaddr, block->dma, size);
		break;
	case PLDMA_WRITE_COMBINE:
		ret = dma_mmap_wc(chan->map_dev, vma, block->vaddr, block->dma, size);
		break;
	case PLDMA_NONCOHERENT:
		ret = dma_mmap_pages(chan->map_dev, vma, size, virt_to_page(block->vaddr));
		break;
	default:
		ret = pldma_map_chunks(block, vma);
		break;
	}
	vma->vm_pgoff = pgoff;
	return ret;
}

/**
 * pldma_block_mmap() - map one whole block
 * @pldma: the device
 * @vma: where
 *
 * Context: mmap_lock held for writing.
 * Return: 0; -EINVAL, -EACCES, -ENODEV, -ENOMEM.
 */
int pldma_block_mmap(struct pldma_dev *pldma, struct vm_area_struct *vma)
{
	struct pldma_mapping *mapping;
	struct pldma_block *block;
	int ret;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;

	mutex_lock(&pldma->table_lock);
	ret = -ENODEV;
	if (pldma->dead)
		goto err_unlock;
	ret = -EINVAL;
	block = xa_load(&pldma->by_pgoff, vma->vm_pgoff);
	if (!block)
		goto err_unlock;
	ret = pldma_do_mmap(block, vma);
	if (ret)
		goto err_unlock;

	refcount_set(&mapping->ref, 1);
	mapping->block = block;
	mapping->mm = vma->vm_mm;
	mmgrab(mapping->mm);
	kref_get(&block->ref);
	block->mappings++;
	list_add(&mapping->node, &pldma->mappings);
	vma->vm_private_data = mapping;
	vma->vm_ops = &pldma_vm_ops;
	mutex_unlock(&pldma->table_lock);
	return 0;

err_unlock:
	mutex_unlock(&pldma->table_lock);
	kfree(mapping);
	return ret;
}

/**
 * pldma_zap_mappings() - make every live mapping fault
 * @pldma: the device, marked dead
 *
 * A VMA is linked into the address space only after ->mmap() has returned, still
 * under mmap_lock. Passing through that lock of every process that has a mapping
 * makes sure that unmap_mapping_range() finds them all.
 */
void pldma_zap_mappings(struct pldma_dev *pldma)
{
	struct inode *inode = NULL;
	struct pldma_mapping *mapping;
	struct mm_struct *mm;

	mutex_lock(&pldma->table_lock);
	/* with a mapping the file lives, and its inode; without one there is nothing to do */
	if (!list_empty(&pldma->mappings)) {
		inode = pldma->mapping->host;
		ihold(inode);
	}
again:
	list_for_each_entry(mapping, &pldma->mappings, node) {
		if (mapping->linked)
			continue;
		mapping->linked = true;
		mm = mapping->mm;
		mmgrab(mm);
		mutex_unlock(&pldma->table_lock);
		mmap_write_lock(mm);
		mmap_write_unlock(mm);
		mmdrop(mm);
		mutex_lock(&pldma->table_lock);
		goto again;
	}
	mutex_unlock(&pldma->table_lock);

	if (inode) {
		unmap_mapping_range(inode->i_mapping, 0, 0, 1);
		iput(inode);
	}
}
