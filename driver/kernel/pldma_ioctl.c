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
};

static void pldma_chan_info(struct pldma_chan *chan, struct pldma_chan_info *info)
{
	info->flags = PLDMA_CHAN_PRESENT;
	if (dev_is_dma_coherent(chan->map_dev))
		info->flags |= PLDMA_CHAN_DEV_COHERENT;
	if (chan->needs_sync)
		info->flags |= PLDMA_CHAN_NEEDS_SYNC;
	if ((chan->ops && chan->ops->idle) || chan->terminate_stops)
		info->flags |= PLDMA_CHAN_PROVES_IDLE;
	if (READ_ONCE(chan->wedged))
		info->flags |= PLDMA_CHAN_WEDGED;
	info->queue_depth = chan->queue_depth;
	info->engine_depth = chan->core.engine_depth;
	info->max_segment = chan->max_seg;
	info->address_align = chan->core.address_align;
	info->length_align = chan->core.length_align;
	info->check_kind = chan->core.check_kind;
	info->dma_mask = dma_get_mask(chan->map_dev);
	strscpy(info->engine, chan->engine, sizeof(info->engine));
	strscpy(info->channel, chan->channel, sizeof(info->channel));
}

static int pldma_info(struct pldma_dev *pldma, struct pldma_info *info)
{
	u32 direction, policy;

	memset(info, 0, sizeof(*info));
	info->abi_version = PLDMA_ABI_VERSION;
	info->cache_align = pldma_cache_align();
	info->page_size = PAGE_SIZE;
	info->max_blocks = PLDMA_MAX_BLOCKS;
	info->max_bytes = pldma->max_bytes;
	for (direction = 0; direction < PLDMA_NR_DIRECTIONS; direction++) {
		struct pldma_chan *chan = &pldma->chan[direction];

		/* removal takes this lock before it releases the channel */
		mutex_lock(&chan->lock);
		if (pldma->dead) {
			mutex_unlock(&chan->lock);
			return -ENODEV;
		}
		if (!chan->dma) {
			mutex_unlock(&chan->lock);
			continue;
		}
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
			info->policy[policy].max_block = max;
			if (policy == PLDMA_WRITE_COMBINE &&
			    attr == pldma_policy_attr(chan, PLDMA_COHERENT))
				info->policy[policy].flags |= PLDMA_POLICY_ALIAS;
		}
		mutex_unlock(&chan->lock);
	}
	return 0;
}

static int pldma_query(struct pldma_dev *pldma, struct pldma_query *arg)
{
	struct pldma_block *block;

	if (memchr_inv(arg->reserved, 0, sizeof(arg->reserved)))
		return -EINVAL;
	block = pldma_block_lock(pldma, arg->id);
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
	if (block->user.pages)
		arg->flags |= PLDMA_BLOCK_PINNED;
	arg->segments = block->nsegs;
	arg->size = block->size;
	arg->mmap_offset = (u64)block->pgoff << PAGE_SHIFT;
	pldma_block_unlock(block);
	return 0;
}

static int pldma_stats(struct pldma_dev *pldma, struct pldma_stats __user *uarg)
{
	struct pldma_stats *stats;
	u32 flags, i;
	int ret = 0;

	if (get_user(flags, &uarg->flags))
		return -EFAULT;
	if (flags & ~PLDMA_STATS_CLEAR)
		return -EINVAL;
	stats = kzalloc(sizeof(*stats), GFP_KERNEL);
	if (!stats)
		return -ENOMEM;
	stats->flags = flags;
	/* do not clear the counters if they cannot be copied out */
	if (copy_to_user(uarg, stats, sizeof(*stats))) {
		ret = -EFAULT;
		goto out_free;
	}
	mutex_lock(&pldma->table_lock);
	stats->blocks = pldma->nblocks;
	stats->bytes = pldma->bytes;
	mutex_unlock(&pldma->table_lock);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];
		u64 bytes;

		mutex_lock(&chan->lock);
		if (pldma->dead)
			ret = -ENODEV;
		spin_lock_irq(&chan->done_lock);
		stats->chan[i] = chan->stats;
		if (flags & PLDMA_STATS_CLEAR)
			memset(&chan->stats, 0, sizeof(chan->stats));
		spin_unlock_irq(&chan->done_lock);
		stats->chan[i].quarantined_blocks = pldma_quarantine(chan, &bytes);
		stats->chan[i].quarantined_bytes = bytes;
		mutex_unlock(&chan->lock);
	}
	if (!ret && copy_to_user(uarg, stats, sizeof(*stats)))
		ret = -EFAULT;
out_free:
	kfree(stats);
	return ret;
}

/* store an error in the member @error of ENQUEUE and DEQUEUE */
static long pldma_store_error(__s32 __user *error, int ret)
{
	if (put_user(ret == -ERESTARTSYS ? EINTR : -ret, error))
		return -EFAULT;
	return ret;
}

static long pldma_ioctl_enqueue(struct pldma_dev *pldma, struct pldma_enqueue *arg,
				struct pldma_enqueue __user *uarg)
{
	int ret;

	/* write it now, because a write after a successful ENQUEUE could fail */
	if (put_user(0, &uarg->error))
		return -EFAULT;
	ret = pldma_enqueue(pldma, arg);
	return ret ? pldma_store_error(&uarg->error, ret) : 0;
}

static long pldma_ioctl_dequeue(struct pldma_dev *pldma, struct pldma_dequeue *arg,
				struct pldma_dequeue __user *uarg, bool nonblock)
{
	int ret;

	if (put_user(0, &uarg->error))
		return -EFAULT;
	ret = pldma_dequeue(pldma, arg, uarg, nonblock);
	/* -EIO comes with a completion, which contains the error already */
	return ret && ret != -EIO ? pldma_store_error(&uarg->error, ret) : ret;
}

static long pldma_ioctl_alloc(struct pldma_dev *pldma, struct pldma_alloc *arg, void __user *uarg)
{
	u32 i;
	int ret;

	if (copy_to_user(uarg, arg, sizeof(*arg)))
		return -EFAULT;
	ret = pldma_alloc(pldma, arg);
	if (ret)
		return ret;
	if (!copy_to_user(uarg, arg, sizeof(*arg)))
		return 0;
	for (i = 0; i < arg->count; i++)
		pldma_free(pldma, arg->first_id + i, false);
	return -EFAULT;
}

static long pldma_ioctl_register(struct pldma_dev *pldma, struct pldma_register *arg,
				 void __user *uarg)
{
	int ret;

	if (copy_to_user(uarg, arg, sizeof(*arg)))
		return -EFAULT;
	ret = pldma_register(pldma, arg);
	if (ret)
		return ret;
	if (!copy_to_user(uarg, arg, sizeof(*arg)))
		return 0;
	pldma_free(pldma, arg->id, true);
	return -EFAULT;
}

static long pldma_ioctl_sync(struct pldma_dev *pldma, struct pldma_sync *arg, void __user *uarg)
{
	int ret;

	if (copy_to_user(uarg, arg, sizeof(*arg)))
		return -EFAULT;
	ret = pldma_sync(pldma, arg);
	if (!ret && copy_to_user(uarg, arg, sizeof(*arg)))
		return -EFAULT;
	return ret;
}

static long pldma_ioctl_reset(struct pldma_dev *pldma, struct pldma_reset *arg, void __user *uarg)
{
	int ret;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	if (copy_to_user(uarg, arg, sizeof(*arg)))
		return -EFAULT;
	ret = pldma_reset(pldma, arg);
	if ((!ret || ret == -EIO) && copy_to_user(uarg, arg, sizeof(*arg)))
		return -EFAULT;
	return ret;
}

/**
 * pldma_ioctl() - the ioctl API
 * @file: the open file
 * @cmd: PLDMA_IOC_*
 * @p: address of the argument in user space
 *
 * Return: 0 or a negative errno.
 */
long pldma_ioctl(struct file *file, unsigned int cmd, unsigned long p)
{
	struct pldma_dev *pldma = file->private_data;
	void __user *uarg = (void __user *)p;
	union pldma_arg arg;
	int ret;

	switch (cmd) {
	case PLDMA_IOC_INFO:
	case PLDMA_IOC_STATS:
		break;
	case PLDMA_IOC_ALLOC:
	case PLDMA_IOC_FREE:
	case PLDMA_IOC_QUERY:
	case PLDMA_IOC_ENQUEUE:
	case PLDMA_IOC_DEQUEUE:
	case PLDMA_IOC_SYNC:
	case PLDMA_IOC_REGISTER:
	case PLDMA_IOC_UNREGISTER:
	case PLDMA_IOC_RESET:
		if (copy_from_user(&arg, uarg, _IOC_SIZE(cmd)))
			return -EFAULT;
		break;
	default:
		return -ENOTTY;
	}
	/* ENQUEUE and DEQUEUE also store the error in their argument */
	if (READ_ONCE(pldma->dead) && cmd != PLDMA_IOC_ENQUEUE && cmd != PLDMA_IOC_DEQUEUE)
		return -ENODEV;

	switch (cmd) {
	case PLDMA_IOC_INFO:
		ret = pldma_info(pldma, &arg.info);
		break;
	case PLDMA_IOC_ALLOC:
		return pldma_ioctl_alloc(pldma, &arg.alloc, uarg);
	case PLDMA_IOC_FREE:
	case PLDMA_IOC_UNREGISTER:
		if (arg.free.reserved)
			return -EINVAL;
		return pldma_free(pldma, arg.free.id, cmd == PLDMA_IOC_UNREGISTER);
	case PLDMA_IOC_QUERY:
		ret = pldma_query(pldma, &arg.query);
		break;
	case PLDMA_IOC_ENQUEUE:
		return pldma_ioctl_enqueue(pldma, &arg.enqueue, uarg);
	case PLDMA_IOC_DEQUEUE:
		return pldma_ioctl_dequeue(pldma, &arg.dequeue, uarg, file->f_flags & O_NONBLOCK);
	case PLDMA_IOC_SYNC:
		return pldma_ioctl_sync(pldma, &arg.sync, uarg);
	case PLDMA_IOC_REGISTER:
		return pldma_ioctl_register(pldma, &arg.reg, uarg);
	case PLDMA_IOC_STATS:
		return pldma_stats(pldma, uarg);
	case PLDMA_IOC_RESET:
		return pldma_ioctl_reset(pldma, &arg.reset, uarg);
	default:
		return -ENOTTY;
	}
	if (!ret && copy_to_user(uarg, &arg, _IOC_SIZE(cmd)))
		return -EFAULT;
	return ret;
}
