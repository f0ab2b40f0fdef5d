// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: the ioctl API
 *
 * Copies arguments in and out and checks them. Other files do the work. An argument
 * with outputs is first tested for write access, so that a call does not succeed
 * and then fail to report its result.
 */
#include <linux/dma-map-ops.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "pldma_priv.h"

union pldma_arg {
	struct pldma_info info;
	struct pldma_alloc alloc;
	struct pldma_free free;
	struct pldma_query query;
	struct pldma_enqueue enqueue;
	struct pldma_dequeue dequeue;
	struct pldma_sync sync;
	struct pldma_register reg;
	struct pldma_reset reset;
	struct pldma_enqueue_batch enqueue_batch;
	struct pldma_dequeue_batch dequeue_batch;
	struct pldma_export export;
	struct pldma_import import;
	struct pldma_cache cache;
};

/*
 * The commands by number, from 0 and without a gap. @cmd holds the direction and the
 * present size of the struct, @least is the size that the struct had first. @writes
 * is set if the call writes its outputs itself, or has none.
 */
static const struct {
	unsigned int cmd;
	unsigned int least;
	bool writes;
} pldma_calls[] = {
	{ PLDMA_IOC_INFO, 624 },
	{ PLDMA_IOC_ALLOC, 48 },
	{ PLDMA_IOC_FREE, 8, true },
	{ PLDMA_IOC_QUERY, 56 },
	{ PLDMA_IOC_ENQUEUE, PLDMA_ENQUEUE_LEAST, true },
	{ PLDMA_IOC_DEQUEUE, PLDMA_DEQUEUE_LEAST, true },
	{ PLDMA_IOC_SYNC, 32 },
	{ PLDMA_IOC_REGISTER, 32 },
	{ PLDMA_IOC_UNREGISTER, 8, true },
	{ PLDMA_IOC_STATS, 1168, true },
	{ PLDMA_IOC_RESET, 16 },
	{ PLDMA_IOC_ENQUEUE_BATCH, 24 },
	{ PLDMA_IOC_DEQUEUE_BATCH, 40 },
	{ PLDMA_IOC_EXPORT, 16, true },
	{ PLDMA_IOC_IMPORT, 24 },
	{ PLDMA_IOC_CACHE, 24, true },
};

static void pldma_chan_info(struct pldma_chan *chan, struct pldma_chan_info *info)
{
	info->flags = PLDMA_CHAN_PRESENT;
	if (dev_is_dma_coherent(chan->map_dev))
		info->flags |= PLDMA_CHAN_DEV_COHERENT;
	if (chan->needs_sync)
		info->flags |= PLDMA_CHAN_NEEDS_SYNC;
	if (chan->pldma->loop)
		info->flags |= PLDMA_CHAN_MEMORY_LOOP;
	if (chan->pldma->loop || (chan->ops && chan->ops->idle))
		info->flags |= PLDMA_CHAN_PROVES_IDLE;
	else if (!(chan->quirks & PLDMA_QUIRK_TERMINATE))
		info->flags |= PLDMA_CHAN_TRUSTS_TERMINATE;
	if (pldma_strict_domain(chan->map_dev))
		info->flags |= PLDMA_CHAN_UNMAP_PROVES;
	if (chan->core.sideband)
		info->flags |= PLDMA_CHAN_SIDEBAND;
	if (!(chan->quirks & PLDMA_QUIRK_LENGTH))
		info->flags |= PLDMA_CHAN_EXACT_LENGTHS;
	if (READ_ONCE(chan->wedged))
		info->flags |= PLDMA_CHAN_WEDGED;
	info->queue_depth = chan->queue_depth;
	info->engine_depth = chan->core.engine_depth;
	info->max_segment = chan->max_seg;
	info->address_align = chan->core.address_align;
	info->length_align = chan->core.length_align;
	info->check_kind = chan->core.check_kind;
	info->quirks = chan->quirks;
	info->max_segments = chan->max_segs;
	info->max_transfer = (u64)chan->max_segs * chan->max_seg;
	info->dma_mask = dma_get_mask(chan->map_dev);
	strscpy(info->engine, chan->engine, sizeof(info->engine));
	strscpy(info->channel, chan->channel, sizeof(info->channel));
}

static int pldma_info(struct pldma_dev *pldma, struct pldma_info *info)
{
	u32 direction, policy;
	int ret;

	memset(info, 0, sizeof(*info));
	info->abi_version = PLDMA_ABI_VERSION;
	info->cache_align = pldma_cache_align();
	info->page_size = PAGE_SIZE;
	info->max_blocks = PLDMA_MAX_BLOCKS;
	info->max_bytes = pldma->max_bytes;
	for (direction = 0; direction < PLDMA_NR_DIRECTIONS; direction++) {
		struct pldma_chan *chan = &pldma->chan[direction];

		if (!pldma_chan_present(pldma, direction))
			continue;
		ret = pldma_chan_enter(chan);
		if (ret)
			return ret;
		pldma_chan_info(chan, &info->chan[direction]);
		if (chan->core.id) {
			info->core_id = chan->core.id;
			info->core_version = chan->core.version;
			memcpy(info->core_build, chan->core.build, sizeof(info->core_build));
		}
		for (policy = 0; policy < PLDMA_NR_POLICIES; policy++) {
			size_t max = pldma_policy_max_block(chan, policy);
			u32 attr = pldma_policy_attr(chan, policy);

			if (!max)
				continue;
			info->policy[policy].flags |= 1U << direction;
			info->policy[policy].attr = attr;
			info->policy[policy].max_block =
				min_not_zero(info->policy[policy].max_block, (u64)max);
			if (policy == PLDMA_WRITE_COMBINE &&
			    attr == pldma_policy_attr(chan, PLDMA_COHERENT))
				info->policy[policy].flags |= PLDMA_POLICY_ALIAS;
		}
		pldma_chan_exit(chan);
	}
	return 0;
}

static int pldma_query(struct pldma_dev *pldma, struct pldma_query *arg)
{
	struct pldma_block *block;

	if (memchr_inv(arg->reserved, 0, sizeof(arg->reserved)))
		return -EINVAL;
	block = pldma_block_get(pldma, arg->id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	arg->state = READ_ONCE(block->state);
	arg->direction = block->chan->direction;
	arg->policy = block->policy;
	arg->flags = 0;
	if (READ_ONCE(block->mappings))
		arg->flags |= PLDMA_BLOCK_MAPPED;
	if (pldma_block_needs_sync(block))
		arg->flags |= PLDMA_BLOCK_NEEDS_SYNC;
	if (READ_ONCE(block->exports))
		arg->flags |= PLDMA_BLOCK_EXPORTED;
	if (READ_ONCE(block->user.pages))
		arg->flags |= PLDMA_BLOCK_PINNED;
	arg->segments = READ_ONCE(block->nsegs);
	arg->size = block->size;
	arg->mmap_offset = (u64)READ_ONCE(block->pgoff) << PAGE_SHIFT;
	pldma_block_put(block);
	return 0;
}

static int pldma_stats(struct pldma_dev *pldma, const struct pldma_uarg *uarg, bool observer)
{
	struct pldma_stats __user *user = uarg->ptr;
	struct pldma_stats *stats;
	u32 flags, i;
	int ret;

	if (get_user(flags, &user->flags))
		return -EFAULT;
	if (uarg->size > sizeof(*stats)) {
		ret = check_zeroed_user(uarg->ptr + sizeof(*stats), uarg->size - sizeof(*stats));
		if (ret <= 0)
			return ret ? ret : -E2BIG;
	}
	if (flags & ~PLDMA_STATS_CLEAR)
		return -EINVAL;
	if (flags && observer)
		return -EBADF;
	stats = kzalloc(sizeof(*stats), GFP_KERNEL);
	if (!stats)
		return -ENOMEM;
	stats->flags = flags;
	/* do not clear the counters if they cannot be copied out */
	ret = pldma_uarg_write(uarg, stats, sizeof(*stats));
	if (ret)
		goto out_free;
	mutex_lock(&pldma->table_lock);
	stats->blocks = pldma->nblocks;
	stats->bytes = pldma->bytes;
	mutex_unlock(&pldma->table_lock);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];
		u64 bytes;

		if (READ_ONCE(pldma->dead))
			ret = -ENODEV;
		spin_lock_irq(&chan->done_lock);
		stats->chan[i] = chan->stats;
		if (flags & PLDMA_STATS_CLEAR)
			memset(&chan->stats, 0, sizeof(chan->stats));
		spin_unlock_irq(&chan->done_lock);
		stats->chan[i].quarantined_blocks = pldma_quarantine(chan, &bytes);
		stats->chan[i].quarantined_bytes = bytes;
	}
	if (!ret)
		ret = pldma_uarg_write(uarg, stats, sizeof(*stats));
out_free:
	kfree(stats);
	return ret;
}

/* do a call whose argument is in the kernel; its outputs are written afterwards */
static int pldma_call(struct file *file, unsigned int nr, union pldma_arg *arg,
		      const struct pldma_uarg *uarg)
{
	struct pldma_dev *pldma = file->private_data;
	bool nonblock = file->f_flags & O_NONBLOCK;

	switch (nr) {
	case _IOC_NR(PLDMA_IOC_INFO):
		return pldma_info(pldma, &arg->info);
	case _IOC_NR(PLDMA_IOC_ALLOC):
		return pldma_alloc(pldma, &arg->alloc);
	case _IOC_NR(PLDMA_IOC_FREE):
	case _IOC_NR(PLDMA_IOC_UNREGISTER):
		if (arg->free.reserved)
			return -EINVAL;
		return pldma_free(pldma, arg->free.id, nr == _IOC_NR(PLDMA_IOC_UNREGISTER));
	case _IOC_NR(PLDMA_IOC_QUERY):
		return pldma_query(pldma, &arg->query);
	case _IOC_NR(PLDMA_IOC_ENQUEUE):
		return pldma_enqueue_item(pldma, &arg->enqueue, uarg);
	case _IOC_NR(PLDMA_IOC_DEQUEUE):
		return pldma_dequeue(pldma, &arg->dequeue, uarg, nonblock);
	case _IOC_NR(PLDMA_IOC_SYNC):
		return pldma_sync(pldma, &arg->sync);
	case _IOC_NR(PLDMA_IOC_REGISTER):
		return pldma_register(pldma, &arg->reg);
	case _IOC_NR(PLDMA_IOC_STATS):
		return pldma_stats(pldma, uarg, pldma_is_observer(file));
	case _IOC_NR(PLDMA_IOC_RESET):
		return pldma_reset(pldma, &arg->reset);
	case _IOC_NR(PLDMA_IOC_ENQUEUE_BATCH):
		return pldma_enqueue_batch(pldma, &arg->enqueue_batch);
	case _IOC_NR(PLDMA_IOC_DEQUEUE_BATCH):
		return pldma_dequeue_batch(pldma, &arg->dequeue_batch, nonblock);
	case _IOC_NR(PLDMA_IOC_EXPORT):
		return pldma_export(pldma, &arg->export, uarg->ptr);
	case _IOC_NR(PLDMA_IOC_IMPORT):
		return pldma_import(pldma, &arg->import);
	case _IOC_NR(PLDMA_IOC_CACHE):
		return pldma_cache(pldma, &arg->cache);
	default:
		return -ENOTTY;
	}
}

/* free the blocks that a call made, because the program cannot learn their ids */
static void pldma_undo(struct pldma_dev *pldma, unsigned int nr, const union pldma_arg *arg)
{
	u32 i;

	switch (nr) {
	case _IOC_NR(PLDMA_IOC_ALLOC):
		for (i = 0; i < arg->alloc.count; i++)
			pldma_free(pldma, arg->alloc.first_id + i, false);
		break;
	case _IOC_NR(PLDMA_IOC_REGISTER):
		pldma_free(pldma, arg->reg.id, true);
		break;
	case _IOC_NR(PLDMA_IOC_IMPORT):
		pldma_free(pldma, arg->import.id, false);
		break;
	}
}

/**
 * pldma_ioctl() - the ioctl API
 * @file: the open file
 * @cmd: PLDMA_IOC_*, with the size that the struct has in the program
 * @p: address of the argument in user space
 *
 * Return: 0 or a negative errno.
 */
long pldma_ioctl(struct file *file, unsigned int cmd, unsigned long p)
{
	struct pldma_dev *pldma = file->private_data;
	struct pldma_uarg uarg = { (void __user *)p, _IOC_SIZE(cmd) };
	unsigned int nr = _IOC_NR(cmd), known;
	union pldma_arg arg;
	int ret, written;

	if (_IOC_TYPE(cmd) != PLDMA_IOC_MAGIC || nr >= ARRAY_SIZE(pldma_calls))
		return -ENOTTY;
	known = pldma_calls[nr].cmd;
	if (_IOC_DIR(cmd) != _IOC_DIR(known))
		return -ENOTTY;
	if (uarg.size < pldma_calls[nr].least)
		return -EINVAL;
	/* INFO has no input, and STATS is larger than a stack can hold */
	if (known != PLDMA_IOC_INFO && known != PLDMA_IOC_STATS) {
		ret = copy_struct_from_user(&arg, _IOC_SIZE(known), uarg.ptr, uarg.size);
		if (ret)
			return ret;
	}
	if (pldma_is_observer(file) && known != PLDMA_IOC_INFO && known != PLDMA_IOC_QUERY &&
	    known != PLDMA_IOC_STATS)
		return -EBADF;
	/* ENQUEUE and DEQUEUE also store the error in their argument */
	if (READ_ONCE(pldma->dead) && known != PLDMA_IOC_ENQUEUE && known != PLDMA_IOC_DEQUEUE)
		return -ENODEV;
	if (pldma_calls[nr].writes)
		return pldma_call(file, nr, &arg, &uarg);

	/* what cannot be written must not be done. INFO does nothing */
	if (known != PLDMA_IOC_INFO) {
		ret = pldma_uarg_write(&uarg, &arg, _IOC_SIZE(known));
		if (ret)
			return ret;
	}
	ret = pldma_call(file, nr, &arg, &uarg);
	/* both outputs of RESET are valid if the engine is not idle */
	if (ret && !(known == PLDMA_IOC_RESET && ret == -EIO))
		return ret;
	written = pldma_uarg_write(&uarg, &arg, _IOC_SIZE(known));
	if (written)
		pldma_undo(pldma, nr, &arg);
	return written ? written : ret;
}
