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
	/* a receive engine may have written to them */
	unpin_user_pages_dirty_lock(user->pages, user->npages,
				    block->chan->map_dir == DMA_FROM_DEVICE);
	block->sync_cpu_ns += pldma_cost_add(block->chan, PLDMA_COST_UNPIN, verify,
					     user->len, start);
	atomic64_sub(user->npages, &user->mm->pinned_vm);
	kvfree(user->pages);
	WRITE_ONCE(user->pages, NULL);
}

/*
 * Count pinned pages against RLIMIT_MEMLOCK as drivers/infiniband/core/umem.c does.
 * account_locked_vm() would take mmap_lock for writing, which waits for page faults.
 */
static int pldma_user_account(struct mm_struct *mm, unsigned int npages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_add_return(npages, &mm->pinned_vm) <= limit || capable(CAP_IPC_LOCK))
		return 0;
	atomic64_sub(npages, &mm->pinned_vm);
	return -ENOMEM;
}

/*
 * Pin memory for writing, or read-only memory for reading if the engine only reads it.
 * Reading alone is not enough for writable memory: before 6.2, the page may be the
 * kernel's zero page, and the next store would go to another page. So a lack of memory
 * is no reason to try again for reading.
 */
static int pldma_pin_pages(struct pldma_block *block, unsigned long addr, unsigned int npages,
			   struct page **pages)
{
	unsigned int n = 0, i;
	int ret = 0, got;

	while (n < npages) {
		got = pin_user_pages_fast(addr + n * PAGE_SIZE, npages - n,
					  FOLL_WRITE | FOLL_LONGTERM, pages + n);
		/* the first page cannot be written, but those behind it perhaps can */
		if (got == -EFAULT && block->chan->map_dir == DMA_TO_DEVICE)
			got = pin_user_pages_fast(addr + n * PAGE_SIZE, 1, FOLL_LONGTERM,
						  pages + n);
		if (got <= 0) {
			ret = got ? got : -EFAULT;
			break;
		}
		n += got;
	}
	/* the pages of a block have an owner that syncs them already */
	for (i = 0; i < n && !ret; i++)
		if (pldma_page_owned(pages[i]))
			ret = -EFAULT;
	if (ret)
		unpin_user_pages(pages, n);
	return ret;
}

static int pldma_user_pin(struct pldma_block *block, size_t offset, size_t len, bool verify)
{
	struct pldma_user *user = &block->user;
	unsigned long addr = user->addr + offset;
	struct page **pages;
	unsigned int npages;
	u64 start;
	int ret;

	if (current->mm != user->mm)
		return -EPERM;
	npages = DIV_ROUND_UP(offset_in_page(addr) + len, PAGE_SIZE);
	ret = pldma_user_account(user->mm, npages);
	if (ret)
		return ret;
	pages = kvmalloc_array(npages, sizeof(*pages), PLDMA_GFP);
	if (!pages) {
		ret = -ENOMEM;
		goto err_account;
	}

	start = ktime_get_ns();
	ret = pldma_pin_pages(block, addr & PAGE_MASK, npages, pages);
	if (ret)
		goto err_free;
	WRITE_ONCE(user->pages, pages);
	user->npages = npages;
	user->offset = offset;
	user->len = len;
	block->sync_device_ns += pldma_cost_add(block->chan, PLDMA_COST_PIN, verify, len, start);
	return 0;

err_free:
	kvfree(pages);
err_account:
	atomic64_sub(npages, &user->mm->pinned_vm);
	return ret;
}

/**
 * pldma_user_map() - pin a part of the caller's memory and map it for the device
 * @block: claimed block of a user-page policy, of which nothing is mapped
 * @offset: start in the block
 * @len: bytes
 * @verify: see pldma_cost_add()
 *
 * Context: process that owns the memory.
 * Return: 0, -EPERM in another process, -EFAULT, -ENOMEM, or -EOPNOTSUPP if the memory
 * has too many segments.
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

	ret = -EOPNOTSUPP;
	if (chan->max_segs && user->sgt.nents > chan->max_segs)
		goto err_unmap;
	ret = pldma_alloc_segs(block, user->sgt.nents, len);
	if (ret)
		goto err_unmap;
	for_each_sgtable_dma_sg(&user->sgt, sg, i) {
		block->segs[i].addr = sg_dma_address(sg);
		block->segs[i].len = sg_dma_len(sg);
	}
	pldma_publish_segs(block, user->sgt.nents);
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
 * @block: claimed block of a user-page policy
 * @verify: see pldma_cost_add()
 * @sync: make the data of a transfer visible to the CPU. Must be false without a
 *	transfer, because a sync would undo what the caller has stored since
 */
void pldma_user_unmap(struct pldma_block *block, bool verify, bool sync)
{
	struct pldma_chan *chan = block->chan;
	struct pldma_user *user = &block->user;
	u64 start;

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
