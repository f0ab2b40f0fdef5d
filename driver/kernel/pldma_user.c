// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: memory of the caller, pinned and mapped for the device
 *
 * The pages are mapped by dma_map_sgtable(), so they can only be synced as a whole.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/ktime.h>

#include "pldma_priv.h"
#include "pldma_fault.h"

static void pldma_user_unpin(struct pldma_block *block, bool verify)
{
	struct pldma_user *user = &block->user;
	u64 start;

	if (!user->pages)
		return;
	start = ktime_get_ns();
	/* pinned for writing, and a receive engine may have written to them */
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
 * @block: block of a user-page policy, of which nothing is mapped
 * @offset: start in the block
 * @len: bytes
 * @verify: see pldma_cost_add()
 *
 * Context: process that owns the memory, channel lock held.
 * Return: 0, -EPERM in another process, -EFAULT or -ENOMEM.
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

	/* see pldma_memory.c: the zeros of fresh pages may be in the cache only */
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
 * @block: block of a user-page policy
 * @verify: see pldma_cost_add()
 * @sync: make the data of a transfer visible to the CPU. Must be false without a
 *	transfer, because a sync would undo what the caller has stored since
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
