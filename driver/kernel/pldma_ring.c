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

/* claim the first slot of a list: a free one, or the oldest completed one, or NULL */
static struct pldma_block *pldma_ring_claim(struct pldma_chan *chan, struct list_head *list)
{
	struct pldma_block *block;

	spin_lock_irq(&chan->done_lock);
	block = pldma_claim_first(chan, list);
	spin_unlock_irq(&chan->done_lock);
	return block;
}

/* free the slots of sent frames; keep an error for the next write() */
static void pldma_ring_reap(struct pldma_chan *chan)
{
	struct pldma_block *block;

	while ((block = pldma_ring_claim(chan, &chan->ring_done))) {
		pldma_xfer_finish(block);
		if (block->status != PLDMA_STATUS_OK) {
			spin_lock_irq(&chan->done_lock);
			chan->ring_error = true;
			spin_unlock_irq(&chan->done_lock);
		}
		pldma_take_done(block);
	}
}

/* did a frame fail since the last call */
static bool pldma_ring_failed(struct pldma_chan *chan)
{
	bool failed;

	spin_lock_irq(&chan->done_lock);
	failed = chan->ring_error;
	chan->ring_error = false;
	spin_unlock_irq(&chan->done_lock);
	return failed;
}

/**
 * struct pldma_ring_wait - what a call waits for, beside a frame, RESET and removal
 * @resets: pldma_chan.resets at the start of the call
 * @ended: pldma_chan.ended before the last attempt
 * @slot: a free slot is enough
 * @room: room in the queue is enough
 * @engine: the end of a transfer is enough
 */
struct pldma_ring_wait {
	u32 resets;
	u32 ended;
	bool slot;
	bool room;
	bool engine;
};

/* before an attempt: wait for nothing that happened earlier */
static void pldma_ring_begin(struct pldma_chan *chan, struct pldma_ring_wait *wait)
{
	wait->ended = READ_ONCE(chan->ended);
	wait->slot = false;
	wait->room = false;
	wait->engine = false;
}

/* may a slot that was refused be accepted later? An idle engine would refuse it again */
static bool pldma_ring_refused(struct pldma_chan *chan, int ret, struct pldma_ring_wait *wait)
{
	wait->room = ret == -EAGAIN;
	/* the driver of an idle engine may still hold the descriptor of what just ended */
	wait->engine = (ret == -EBUSY || ret == -ENOMEM) &&
		(READ_ONCE(chan->running) || READ_ONCE(chan->ended) != wait->ended);
	return wait->room || wait->engine;
}

/* enqueue every free slot of the receive ring */
static int pldma_ring_arm(struct pldma_chan *chan, struct pldma_ring_wait *wait)
{
	struct pldma_block *block;
	struct pldma_enqueue arg;
	int ret = 0;

	while (!ret && (block = pldma_ring_claim(chan, &chan->ring_free))) {
		memset(&arg, 0, sizeof(arg));
		arg.length = block->size;
		ret = pldma_xfer_start(block, &arg);
		if (ret)
			pldma_block_unclaim(block);
	}
	/* a full queue is not an error: it has as many slots as it can hold */
	return pldma_ring_refused(chan, ret, wait) ? 0 : ret;
}

static bool pldma_ring_ready(struct pldma_chan *chan, const struct pldma_ring_wait *wait)
{
	bool ready;

	spin_lock_irq(&chan->done_lock);
	ready = !list_empty(&chan->ring_done) ||
		(wait->slot && !list_empty(&chan->ring_free)) ||
		(wait->room && chan->pending < chan->queue_depth) ||
		(wait->engine && chan->ended != wait->ended) ||
		chan->resets != wait->resets || READ_ONCE(chan->pldma->dead);
	spin_unlock_irq(&chan->done_lock);
	return ready;
}

/* wait for a slot */
static int pldma_ring_wait(struct pldma_chan *chan, struct file *file,
			   const struct pldma_ring_wait *wait)
{
	int ret;

	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	ret = wait_event_interruptible(chan->wq, pldma_ring_ready(chan, wait));
	if (!ret && READ_ONCE(chan->pldma->dead))
		ret = -ENODEV;
	if (!ret && READ_ONCE(chan->resets) != wait->resets)
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
	if (READ_ONCE(chan->pldma->dead))
		return -ENODEV;
	return len && READ_ONCE(chan->ring_blocks) ? 0 : -EINVAL;
}

/* copy a frame to a free slot and send it; this ends the claim of the slot */
static int pldma_ring_send(struct pldma_block *block, const char __user *buf, size_t len)
{
	struct pldma_enqueue arg = { .length = len };
	int ret = -EMSGSIZE;

	if (len <= block->size)
		ret = pldma_ring_copy(block, NULL, buf, len);
	if (!ret)
		ret = pldma_xfer_start(block, &arg);
	if (ret)
		pldma_block_unclaim(block);
	return ret;
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
	struct pldma_ring_wait wait = { .resets = READ_ONCE(chan->resets) };
	struct pldma_block *block;
	int ret;

	for (;;) {
		ret = pldma_ring_check(chan, len);
		if (ret)
			return ret;
		pldma_ring_begin(chan, &wait);
		pldma_ring_reap(chan);
		if (pldma_ring_failed(chan))
			return -EIO;
		block = pldma_ring_claim(chan, &chan->ring_free);
		wait.slot = !block;
		if (block) {
			ret = pldma_ring_send(block, buf, len);
			/* the queue may be full of blocks that are not slots */
			if (!pldma_ring_refused(chan, ret, &wait))
				return ret ? ret : len;
		}
		ret = pldma_ring_wait(chan, file, &wait);
		if (ret)
			return ret;
	}
}

/* copy the frame of a completed slot out; this ends the claim of the slot */
static ssize_t pldma_ring_take(struct pldma_block *block, char __user *buf, size_t len)
{
	struct pldma_chan *chan = block->chan;
	struct pldma_ring_wait wait = {};
	ssize_t ret = block->moved;

	pldma_xfer_finish(block);
	if (block->status != PLDMA_STATUS_OK)
		ret = -EIO;
	else if (block->moved > len)
		ret = -EMSGSIZE;
	else if (pldma_ring_copy(block, buf, NULL, block->moved))
		ret = -EFAULT;
	/* a frame that was not copied out stays in the ring */
	if (ret < 0 && ret != -EIO) {
		pldma_block_unclaim_done(block, &chan->ring_done);
		return ret;
	}
	pldma_take_done(block);
	pldma_ring_arm(chan, &wait);
	return ret;
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
	struct pldma_ring_wait wait = { .resets = READ_ONCE(chan->resets) };
	struct pldma_block *block;
	int ret;

	if (pldma_is_observer(file))
		return -EBADF;
	for (;;) {
		ret = pldma_ring_check(chan, len);
		pldma_ring_begin(chan, &wait);
		if (!ret)
			ret = pldma_ring_arm(chan, &wait);
		if (ret)
			return ret;
		block = pldma_ring_claim(chan, &chan->ring_done);
		if (block)
			return pldma_ring_take(block, buf, len);
		ret = pldma_ring_wait(chan, file, &wait);
		if (ret)
			return ret;
	}
}
