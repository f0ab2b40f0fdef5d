// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: read() and write() through the blocks of policy BOUNCE
 *
 * The blocks of one direction form a ring of slots. A slot is a block, and each
 * frame uses one slot.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "pldma_priv.h"

/**
 * pldma_ring_free() - find a free slot of the ring
 * @chan: direction, its lock held, which keeps the slot valid
 *
 * Return: a block of policy BOUNCE in state USER, or NULL.
 */
struct pldma_block *pldma_ring_free(struct pldma_chan *chan)
{
	struct pldma_block *block, *found = NULL;
	struct pldma_dev *pldma = chan->pldma;
	unsigned long index;

	lockdep_assert_held(&chan->lock);
	if (!chan->ring_blocks)
		return NULL;
	/* blocks of the other direction may be freed at any time, but not under this lock */
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

/* the oldest completed slot of the ring, or NULL */
static struct pldma_block *pldma_ring_done(struct pldma_chan *chan)
{
	struct pldma_block *block;

	spin_lock_irq(&chan->done_lock);
	block = list_first_entry_or_null(&chan->ring_done, struct pldma_block, node);
	spin_unlock_irq(&chan->done_lock);
	return block;
}

/* free the slots of sent frames; keep an error for the next write() */
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

/* may a slot that was refused be accepted later? An idle engine would refuse it again */
static bool pldma_ring_refused(struct pldma_chan *chan, int ret)
{
	return ret == -EAGAIN || (ret == -EBUSY && READ_ONCE(chan->running));
}

/* enqueue every free slot of the receive ring */
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
	/* a full queue is not an error: it has as many slots as it can hold */
	return pldma_ring_refused(chan, ret) ? 0 : ret;
}

static bool pldma_ring_ready(struct pldma_chan *chan, u32 resets, u32 pending)
{
	/* fewer pending blocks mean room in the queue, whether or not one was a slot */
	return pldma_ring_done(chan) || READ_ONCE(chan->pending) < pending ||
	       READ_ONCE(chan->resets) != resets || READ_ONCE(chan->pldma->dead);
}

/* release the channel lock and wait for a slot */
static int pldma_ring_wait(struct pldma_chan *chan, struct file *file, u32 resets)
{
	u32 pending = READ_ONCE(chan->pending);
	int ret;

	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	/* a slot may have completed before pending was read */
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

/* check that the device and the ring still exist */
static int pldma_ring_check(struct pldma_chan *chan, size_t len)
{
	if (chan->pldma->dead)
		return -ENODEV;
	return len && chan->ring_blocks ? 0 : -EINVAL;
}

/**
 * pldma_write() - send one frame through the transmit ring
 * @file: the open file
 * @buf: the frame
 * @len: its length
 * @pos: not used
 *
 * Return: @len or a negative errno.
 */
ssize_t pldma_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
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
		ret = pldma_ring_check(chan, len);
		if (ret)
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
			/* the queue may be full of blocks that are not slots */
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

/**
 * pldma_read() - receive one frame through the receive ring
 * @file: the open file
 * @buf: buffer for the frame
 * @len: its size
 * @pos: not used
 *
 * Return: length of the frame or a negative errno.
 */
ssize_t pldma_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
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
		ret = pldma_ring_check(chan, len);
		if (!ret)
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
			/* a frame that was not copied out stays in the ring */
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
