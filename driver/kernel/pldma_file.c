// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: the edge to user space
 *
 * Arguments are copied in and checked here; the work is done elsewhere. An
 * argument that will be written to is probed for writing first, so that a call
 * never succeeds and then fails to say so.
 */
#include <linux/dma-map-ops.h>
#include <linux/fs.h>
#include <linux/poll.h>
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

		/* removal takes the lock before it lets go of the channel */
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
	/* counters must not be cleared unseen */
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

/* store an error in the member that ENQUEUE and DEQUEUE have for it */
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

	/* on success there is nothing left to write that could fail */
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
	/* a failed transfer comes as a completion, which holds its error already */
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

static long pldma_ioctl(struct file *file, unsigned int cmd, unsigned long p)
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
	/* ENQUEUE and DEQUEUE have to store the error, too */
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

static int pldma_mmap(struct file *file, struct vm_area_struct *vma)
{
	return pldma_block_mmap(file->private_data, vma);
}

/* a block of the ring that the caller's side may use next; the channel lock keeps it */
static struct pldma_block *pldma_ring_free(struct pldma_chan *chan)
{
	struct pldma_block *block, *found = NULL;
	struct pldma_dev *pldma = chan->pldma;
	unsigned long index;

	lockdep_assert_held(&chan->lock);
	if (!chan->ring_blocks)
		return NULL;
	/* blocks of the other direction may go at any time but under this lock */
	mutex_lock(&pldma->table_lock);
	xa_for_each(&pldma->blocks, index, block) {
		if (block->policy == PLDMA_BOUNCE && block->chan == chan &&
		    READ_ONCE(block->state) == PLDMA_STATE_USER) {
			found = block;
			break;
		}
	}
	mutex_unlock(&pldma->table_lock);
	return found;
}

static struct pldma_block *pldma_ring_done(struct pldma_chan *chan)
{
	struct pldma_block *block;

	spin_lock_irq(&chan->done_lock);
	block = list_first_entry_or_null(&chan->ring_done, struct pldma_block, node);
	spin_unlock_irq(&chan->done_lock);
	return block;
}

/* reap sent frames; an error is kept for the next write() */
static void pldma_ring_reap(struct pldma_chan *chan)
{
	struct pldma_block *block;

	while ((block = pldma_ring_done(chan))) {
		pldma_xfer_finish(block);
		if (block->status != PLDMA_STATUS_OK)
			chan->ring_error = true;
		pldma_take_done(block);
	}
}

/* may a refused slot be offered again later? An idle engine will not change its mind */
static bool pldma_ring_refused(struct pldma_chan *chan, int ret)
{
	return ret == -EAGAIN || (ret == -EBUSY && READ_ONCE(chan->running));
}

/* let the engine have every free slot of the receive ring */
static int pldma_ring_arm(struct pldma_chan *chan)
{
	struct pldma_block *block;
	struct pldma_enqueue arg;
	int ret = 0;

	while (!ret && (block = pldma_ring_free(chan))) {
		memset(&arg, 0, sizeof(arg));
		arg.length = block->size;
		ret = pldma_xfer_start(block, &arg);
	}
	/* a full queue is as much as there is to have */
	return pldma_ring_refused(chan, ret) ? 0 : ret;
}

static bool pldma_ring_ready(struct pldma_chan *chan, u32 resets, u32 pending)
{
	/* fewer pending: there is room now, even if it was not a block of the ring */
	return pldma_ring_done(chan) || READ_ONCE(chan->pending) < pending ||
	       READ_ONCE(chan->resets) != resets || READ_ONCE(chan->pldma->dead);
}

/* wait, without the lock, for a block of the ring */
static int pldma_ring_wait(struct pldma_chan *chan, struct file *file, u32 resets)
{
	u32 pending = READ_ONCE(chan->pending);
	int ret;

	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	/* a completion between the look at the ring and that at the counter */
	if (pldma_ring_done(chan))
		return 0;
	mutex_unlock(&chan->lock);
	ret = wait_event_interruptible(chan->wq, pldma_ring_ready(chan, resets, pending));
	mutex_lock(&chan->lock);
	if (!ret && chan->pldma->dead)
		ret = -ENODEV;
	if (!ret && chan->resets != resets)
		ret = -ECANCELED;
	return ret;
}

/* copy a frame between user space and the memory of a slot */
static int pldma_ring_copy(struct pldma_block *block, char __user *to, const char __user *from,
			   size_t len)
{
	struct pldma_chan *chan = block->chan;
	u64 start = ktime_get_ns();
	unsigned long missed = 0;
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < block->nchunks && at < len && !missed; i++) {
		size_t n = min_t(size_t, len - at, PAGE_SIZE << block->chunks[i].order);
		void *memory = page_address(block->chunks[i].page);

		if (to)
			missed = copy_to_user(to + at, memory, n);
		else
			missed = copy_from_user(memory, from + at, n);
		at += n;
	}
	pldma_cost_add(chan, PLDMA_COST_COPY, false, at - missed, start);
	return missed ? -EFAULT : 0;
}

static ssize_t pldma_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct pldma_dev *pldma = file->private_data;
	struct pldma_chan *chan = &pldma->chan[PLDMA_TX];
	struct pldma_enqueue arg = { .length = len };
	struct pldma_block *block;
	u32 resets;
	int ret;

	mutex_lock(&chan->lock);
	resets = chan->resets;
	for (;;) {
		ret = -ENODEV;
		if (pldma->dead)
			break;
		ret = -EINVAL;
		if (!len || !chan->ring_blocks)
			break;
		pldma_ring_reap(chan);
		ret = -EIO;
		if (chan->ring_error) {
			chan->ring_error = false;
			break;
		}
		block = pldma_ring_free(chan);
		if (block) {
			ret = -EMSGSIZE;
			if (len > block->size)
				break;
			ret = pldma_ring_copy(block, NULL, buf, len);
			if (!ret)
				ret = pldma_xfer_start(block, &arg);
			/* the queue may be full of blocks that are not the ring's */
			if (!pldma_ring_refused(chan, ret))
				break;
		}
		ret = pldma_ring_wait(chan, file, resets);
		if (ret)
			break;
	}
	mutex_unlock(&chan->lock);
	return ret ? ret : len;
}

static ssize_t pldma_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct pldma_dev *pldma = file->private_data;
	struct pldma_chan *chan = &pldma->chan[PLDMA_RX];
	struct pldma_block *block;
	ssize_t moved = 0;
	u32 resets;
	int ret;

	mutex_lock(&chan->lock);
	resets = chan->resets;
	for (;;) {
		ret = -ENODEV;
		if (pldma->dead)
			break;
		ret = -EINVAL;
		if (!len || !chan->ring_blocks)
			break;
		ret = pldma_ring_arm(chan);
		if (ret)
			break;
		block = pldma_ring_done(chan);
		if (block) {
			pldma_xfer_finish(block);
			moved = block->moved;
			if (block->status != PLDMA_STATUS_OK)
				ret = -EIO;
			else if (block->moved > len)
				ret = -EMSGSIZE;
			else
				ret = pldma_ring_copy(block, buf, NULL, block->moved);
			/* a frame that the caller could not take stays */
			if (ret && ret != -EIO)
				break;
			pldma_take_done(block);
			pldma_ring_arm(chan);
			break;
		}
		ret = pldma_ring_wait(chan, file, resets);
		if (ret)
			break;
	}
	mutex_unlock(&chan->lock);
	return ret ? ret : moved;
}

static __poll_t pldma_poll(struct file *file, poll_table *wait)
{
	struct pldma_dev *pldma = file->private_data;
	__poll_t mask = 0;
	u32 i;

	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		poll_wait(file, &pldma->chan[i].wq, wait);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];
		__poll_t ready = i == PLDMA_RX ? EPOLLIN | EPOLLRDNORM : EPOLLOUT | EPOLLWRNORM;
		bool room;

		mutex_lock(&chan->lock);
		if (pldma->dead) {
			mask |= EPOLLHUP | EPOLLERR;
		} else {
			spin_lock_irq(&chan->done_lock);
			if (!list_empty(&chan->done) || !list_empty(&chan->ring_done))
				mask |= ready;
			if (chan->failed || chan->wedged || chan->ring_error)
				mask |= EPOLLERR;
			room = chan->pending < chan->queue_depth;
			spin_unlock_irq(&chan->done_lock);
			/* a free slot is of no use to write() while the queue is full */
			if (i == PLDMA_TX && room && !(mask & ready) && pldma_ring_free(chan))
				mask |= ready;
		}
		mutex_unlock(&chan->lock);
	}
	return mask;
}

static int pldma_open(struct inode *inode, struct file *file)
{
	/* misc_open() holds a lock that misc_deregister() takes: this is alive */
	struct pldma_dev *pldma = container_of(file->private_data, struct pldma_dev, misc);
	u32 i;

	if (atomic_cmpxchg(&pldma->open, 0, 1))
		return -EBUSY;
	kref_get(&pldma->ref);
	file->private_data = pldma;
	pldma->mapping = file->f_mapping;
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];

		mutex_lock(&chan->lock);
		spin_lock_irq(&chan->done_lock);
		memset(&chan->stats, 0, sizeof(chan->stats));
		spin_unlock_irq(&chan->done_lock);
		mutex_unlock(&chan->lock);
	}
	mutex_lock(&pldma->table_lock);
	if (xa_empty(&pldma->blocks)) {
		pldma->next_id = 1;
		pldma->next_pgoff = 1;
	}
	mutex_unlock(&pldma->table_lock);
	return nonseekable_open(inode, file);
}

static int pldma_release(struct inode *inode, struct file *file)
{
	struct pldma_dev *pldma = file->private_data;

	pldma_shutdown(pldma);
	atomic_set_release(&pldma->open, 0);
	pldma_dev_put(pldma);
	return 0;
}

const struct file_operations pldma_fops = {
	.owner = THIS_MODULE,
	.open = pldma_open,
	.release = pldma_release,
	.read = pldma_read,
	.write = pldma_write,
	.poll = pldma_poll,
	.mmap = pldma_mmap,
	.unlocked_ioctl = pldma_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
