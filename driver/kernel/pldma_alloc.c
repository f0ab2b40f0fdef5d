// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: how blocks are created and freed: ALLOC, REGISTER, IMPORT, FREE, UNREGISTER
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "pldma_priv.h"

static struct pldma_block *pldma_block_alloc(struct pldma_chan *chan, u32 policy, size_t size)
{
	struct pldma_block *block;

	block = pldma_block_new(chan, policy, size);
	if (!block)
		return NULL;
	if (pldma_memory_alloc(block)) {
		pldma_block_release(block);
		pldma_block_put(block);
		return NULL;
	}
	return block;
}

/* reserve ids, mmap() offsets and a share of the limits for @count blocks */
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
		 span > PLDMA_MAX_PGOFF - pldma->next_pgoff)
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

/* add new blocks to the table, all or none; pldma_reserve() was called before */
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

/* free blocks that were never in the table, or that are not there any more */
static void pldma_discard(struct list_head *fresh)
{
	struct pldma_block *block, *next;

	list_for_each_entry_safe(block, next, fresh, node) {
		pldma_block_release(block);
		pldma_block_put(block);
	}
}

/**
 * pldma_alloc() - PLDMA_IOC_ALLOC
 * @pldma: the device
 * @arg: argument, in which the outputs are set on success
 *
 * Return: 0, or a negative errno without any effect.
 */
int pldma_alloc(struct pldma_dev *pldma, struct pldma_alloc *arg)
{
	struct pldma_block *block;
	struct pldma_chan *chan;
	unsigned long pages;
	LIST_HEAD(fresh);
	bool mappable;
	u64 pgoff, bytes;
	u32 i, id;
	int ret;

	if (arg->flags || arg->reserved || !arg->size || !arg->count ||
	    arg->count > PLDMA_MAX_BLOCKS ||
	    arg->policy >= PLDMA_NR_POLICIES || !pldma_policy_is_owned(arg->policy) ||
	    !pldma_chan_present(pldma, arg->direction))
		return -EINVAL;
	chan = &pldma->chan[arg->direction];
	mappable = arg->policy != PLDMA_BOUNCE;

	ret = pldma_chan_enter(chan);
	if (ret)
		return ret;
	ret = -EINVAL;
	if (arg->size > pldma_policy_max_block(chan, arg->policy))
		goto out_exit;
	/* each transfer of a ring uses a whole slot */
	if (!mappable && !IS_ALIGNED(arg->size, chan->core.length_align))
		goto out_exit;
	pages = PAGE_ALIGN(arg->size) >> PAGE_SHIFT;
	bytes = pldma_policy_bytes(chan, arg->policy, arg->size);
	ret = pldma_reserve(pldma, arg->count, bytes, mappable ? pages : 0, &id, &pgoff);
	if (ret)
		goto out_exit;

	for (i = 0; i < arg->count; i++) {
		ret = -ENOMEM;
		block = pldma_block_alloc(chan, arg->policy, arg->size);
		if (!block)
			goto err_blocks;
		block->id = id + i;
		block->pgoff = mappable ? pgoff + i * pages : 0;
		list_add_tail(&block->node, &fresh);
	}
	/* from here on user space can map a block, so nothing may fail after this */
	ret = pldma_publish(pldma, &fresh);
	if (ret)
		goto err_blocks;
	pldma_block_offer(chan, &fresh);
	pldma_chan_exit(chan);

	arg->first_id = id;
	arg->mmap_offset = mappable ? pgoff << PAGE_SHIFT : 0;
	arg->mmap_stride = mappable ? (u64)pages << PAGE_SHIFT : 0;
	return 0;

err_blocks:
	pldma_discard(&fresh);
	pldma_unreserve(pldma, arg->count, bytes);
out_exit:
	pldma_chan_exit(chan);
	return ret;
}

/* do two registered ranges overlap, at least one of them for receive */
static bool pldma_overlap(const struct pldma_block *a, const struct pldma_block *b)
{
	return pldma_policy_is_user(b->policy) && a->user.mm == b->user.mm &&
	       (a->chan->direction == PLDMA_RX || b->chan->direction == PLDMA_RX) &&
	       a->user.addr < b->user.addr + b->size && b->user.addr < a->user.addr + a->size;
}

/* does a new range overlap any other, quarantined ones included */
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
 * @arg: argument, in which the outputs are set on success
 *
 * Return: 0, or a negative errno without any effect.
 */
int pldma_register(struct pldma_dev *pldma, struct pldma_register *arg)
{
	u64 align, pgoff, address, end;
	struct pldma_chan *chan;
	struct pldma_block *block;
	LIST_HEAD(fresh);
	u32 id;
	int ret;

	align = pldma_cache_align();
	/* pinning ignores a tag in the top byte, so the check for overlap must too */
	address = untagged_addr(arg->address);
	if (arg->flags || !arg->size || !pldma_policy_is_user(arg->policy) ||
	    !pldma_chan_present(pldma, arg->direction) ||
	    !IS_ALIGNED(address, align) || !IS_ALIGNED(arg->size, align) ||
	    arg->size > pldma_policy_max_block(&pldma->chan[arg->direction], arg->policy) ||
	    check_add_overflow(address, arg->size, &end))
		return -EINVAL;
	/* no process has memory there */
	if (end > ULONG_MAX)
		return -EFAULT;
	chan = &pldma->chan[arg->direction];

	block = pldma_block_new(chan, arg->policy, arg->size);
	if (!block)
		return -ENOMEM;
	block->user.addr = address;
	block->user.mm = current->mm;
	mmgrab(block->user.mm);

	ret = pldma_chan_enter(chan);
	if (ret)
		goto err_put;
	ret = pldma_reserve(pldma, 1, 0, 0, &id, &pgoff);
	if (ret)
		goto err_exit;

	mutex_lock(&pldma->table_lock);
	if (pldma_overlaps(pldma, block))
		ret = -EBUSY;
	mutex_unlock(&pldma->table_lock);
	if (ret)
		goto err_unreserve;

	/* report unmapped memory now and not at the first ENQUEUE */
	ret = pldma_user_map(block, 0, block->size, true);
	if (ret)
		goto err_unreserve;
	if (arg->policy == PLDMA_USER_PAGES)
		pldma_user_unmap(block, true, false);

	mutex_lock(&pldma->table_lock);
	/* the other direction may have registered a range in the meantime */
	if (pldma_overlaps(pldma, block))
		ret = -EBUSY;
	else
		ret = xa_err(xa_store(&pldma->blocks, id, block, GFP_KERNEL));
	if (!ret)
		block->id = id;
	mutex_unlock(&pldma->table_lock);
	if (ret)
		goto err_unreserve;
	list_add(&block->node, &fresh);
	pldma_block_offer(chan, &fresh);
	pldma_chan_exit(chan);
	arg->id = id;
	return 0;

err_unreserve:
	pldma_unreserve(pldma, 1, 0);
	pldma_block_release(block);
err_exit:
	pldma_chan_exit(chan);
err_put:
	pldma_block_put(block);
	return ret;
}

/**
 * pldma_import() - PLDMA_IOC_IMPORT
 * @pldma: the device
 * @arg: argument, in which the outputs are set on success
 *
 * Return: 0, or a negative errno without any effect.
 */
int pldma_import(struct pldma_dev *pldma, struct pldma_import *arg)
{
	struct pldma_chan *chan;
	struct pldma_block *block;
	LIST_HEAD(fresh);
	u64 pgoff;
	u32 id;
	int ret;

	if (arg->flags || !arg->size || !pldma_chan_present(pldma, arg->direction))
		return -EINVAL;
	chan = &pldma->chan[arg->direction];
	if (arg->size > pldma_policy_max_block(chan, PLDMA_DMA_BUF))
		return -EINVAL;
	block = pldma_block_new(chan, PLDMA_DMA_BUF, arg->size);
	if (!block)
		return -ENOMEM;
	ret = pldma_chan_enter(chan);
	if (ret)
		goto err_put;
	ret = pldma_reserve(pldma, 1, 0, 0, &id, &pgoff);
	if (ret)
		goto err_exit;
	ret = pldma_import_map(block, arg->fd);
	if (ret)
		goto err_release;
	block->id = id;
	list_add(&block->node, &fresh);
	ret = pldma_publish(pldma, &fresh);
	if (ret)
		goto err_release;
	pldma_block_offer(chan, &fresh);
	pldma_chan_exit(chan);
	arg->id = id;
	return 0;

err_release:
	pldma_unreserve(pldma, 1, 0);
	pldma_block_release(block);
err_exit:
	pldma_chan_exit(chan);
err_put:
	pldma_block_put(block);
	return ret;
}

/**
 * pldma_free() - PLDMA_IOC_FREE and PLDMA_IOC_UNREGISTER
 * @pldma: the device
 * @id: the block
 * @registered: true for UNREGISTER
 *
 * Return: 0, -ENOENT, -EINVAL for the wrong one of the two calls, or -EBUSY if the
 * block is not in state USER, or is mapped or exported.
 */
int pldma_free(struct pldma_dev *pldma, u32 id, bool registered)
{
	struct pldma_block *block;
	struct pldma_chan *chan;
	int ret;

	block = pldma_block_get(pldma, id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	chan = block->chan;
	ret = -EINVAL;
	if (pldma_policy_is_user(block->policy) == registered)
		ret = pldma_block_claim(block);
	if (ret)
		goto out_put;

	mutex_lock(&pldma->table_lock);
	if (block->mappings || block->exports)
		ret = -EBUSY;
	else
		pldma_block_forget(block);
	mutex_unlock(&pldma->table_lock);
	if (ret) {
		pldma_block_unclaim(block);
		goto out_put;
	}
	/* the claim never ends, so that no other call can claim the block */
	pldma_block_release(block);
	pldma_block_put(block);
	pldma_chan_exit(chan);
out_put:
	pldma_block_put(block);
	return ret;
}
