// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: the path of a block from ENQUEUE to its completion
 *
 *	USER --ENQUEUE--> QUEUED --> IN_FLIGHT --callback--> DONE --DEQUEUE--> USER
 *
 * If the engine has room, ENQUEUE goes directly to IN_FLIGHT, in this order: prep,
 * for_device, submit, issue_pending. Prep comes first because it can fail, and a
 * failed ENQUEUE must not change anything. Prep only needs bus addresses, so
 * memory may be synced after it. If the engine is full, ENQUEUE syncs the block at
 * once and leaves it in QUEUED. A work item preps and submits it after a
 * completion.
 *
 * The completion callback runs in atomic context. It records time, status and
 * length, moves the block from one list to another, and wakes waiters. DEQUEUE
 * (see pldma_dequeue.c) does for_cpu, unmap and unpin.
 */
#include <linux/ktime.h>

#include "pldma_priv.h"

/* record the end of a transfer, successful or not; done_lock held */
static void pldma_mark_done(struct pldma_block *block, u32 status, size_t moved, u64 now)
{
	struct pldma_chan *chan = block->chan;

	lockdep_assert_held(&chan->done_lock);
	block->status = status;
	block->moved = moved;
	block->done_ns = now;
	block->state = PLDMA_STATE_DONE;
	list_move_tail(&block->node, block->policy == PLDMA_BOUNCE ?
		       &chan->ring_done : &chan->done);
	chan->pending--;
	if (status != PLDMA_STATUS_OK) {
		chan->stats.errors++;
		chan->failed++;
	}
}

static u32 pldma_status(const struct dmaengine_result *result)
{
	if (!result)
		return PLDMA_STATUS_OK;
	switch (result->result) {
	case DMA_TRANS_NOERROR:
		return PLDMA_STATUS_OK;
	case DMA_TRANS_READ_FAILED:
		return PLDMA_STATUS_READ_FAILED;
	case DMA_TRANS_WRITE_FAILED:
		return PLDMA_STATUS_WRITE_FAILED;
	default:
		return PLDMA_STATUS_ABORTED;
	}
}

/* completion callback: the provider calls it in atomic context */
static void pldma_complete(void *param, const struct dmaengine_result *result)
{
	struct pldma_block *block = param;
	struct pldma_chan *chan = block->chan;
	size_t residue = result ? result->residue : 0;
	unsigned long flags;
	u64 now = ktime_get_ns();
	bool more;

	spin_lock_irqsave(&chan->done_lock, flags);
	if (block->state != PLDMA_STATE_IN_FLIGHT) {
		/* the provider called back after terminate */
		spin_unlock_irqrestore(&chan->done_lock, flags);
		return;
	}
	pldma_mark_done(block, pldma_status(result), block->len - min(residue, block->len), now);
	chan->running--;
	chan->stats.transfers++;
	chan->stats.bytes += block->moved;
	more = !list_empty(&chan->queued);
	spin_unlock_irqrestore(&chan->done_lock, flags);

	if (more)
		queue_work(system_highpri_wq, &chan->submit);
	wake_up_interruptible(&chan->wq);
}

/* fill the list for the engine; no entry is longer than max_seg */
static unsigned int pldma_fill_sgl(struct pldma_block *block)
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

static struct dma_async_tx_descriptor *pldma_prep(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	struct dma_async_tx_descriptor *desc;
	unsigned int n = pldma_fill_sgl(block);

	desc = dmaengine_prep_slave_sg(chan->dma, block->sgl, n,
				       chan->direction == PLDMA_TX ? DMA_MEM_TO_DEV :
				       DMA_DEV_TO_MEM, DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!desc)
		return NULL;
	desc->callback_result = pldma_complete;
	desc->callback_param = block;
	/* if this fails, only the check value is missing */
	if (chan->core.check_kind != PLDMA_CHECK_NONE)
		dmaengine_desc_attach_metadata(desc, &block->check, sizeof(block->check));
	return desc;
}

/* submit a descriptor; pending already includes the block */
static int pldma_submit(struct pldma_block *block, struct dma_async_tx_descriptor *desc)
{
	struct pldma_chan *chan = block->chan;

	/* the callback may run before this function returns */
	spin_lock_irq(&chan->done_lock);
	block->submitted_ns = ktime_get_ns();
	block->state = PLDMA_STATE_IN_FLIGHT;
	list_move_tail(&block->node, &chan->in_flight);
	chan->running++;
	spin_unlock_irq(&chan->done_lock);

	if (dma_submit_error(dmaengine_submit(desc))) {
		spin_lock_irq(&chan->done_lock);
		list_del_init(&block->node);
		chan->running--;
		block->state = PLDMA_STATE_QUEUED;
		spin_unlock_irq(&chan->done_lock);
		return -EIO;
	}
	dma_async_issue_pending(chan->dma);
	return 0;
}

/**
 * pldma_submit_work() - submit queued blocks to the engine
 * @work: member of a channel
 */
void pldma_submit_work(struct work_struct *work)
{
	struct pldma_chan *chan = container_of(work, struct pldma_chan, submit);
	struct dma_async_tx_descriptor *desc;
	struct pldma_block *block;
	u32 running;

	mutex_lock(&chan->lock);
	for (;;) {
		spin_lock_irq(&chan->done_lock);
		block = list_first_entry_or_null(&chan->queued, struct pldma_block, node);
		running = chan->running;
		if (running >= chan->core.engine_depth)
			block = NULL;
		spin_unlock_irq(&chan->done_lock);
		if (!block)
			break;

		desc = pldma_prep(block);
		if (desc && !pldma_submit(block, desc))
			continue;

		spin_lock_irq(&chan->done_lock);
		/* pldma_submit() removed the block from the list before it failed */
		list_move(&block->node, &chan->queued);
		if (running) {
			/* a completion after running was read queues this work again */
			spin_unlock_irq(&chan->done_lock);
			break;
		}
		block->submitted_ns = 0;
		pldma_mark_done(block, PLDMA_STATUS_NOT_SUBMITTED, 0, ktime_get_ns());
		spin_unlock_irq(&chan->done_lock);
		wake_up_interruptible(&chan->wq);
	}
	mutex_unlock(&chan->lock);
}

/**
 * pldma_xfer_start() - queue a block and start its transfer if the engine has room
 * @block: the block, its channel lock held
 * @arg: range, flags and cookie
 *
 * Return: 0, or a negative errno without any effect.
 */
int pldma_xfer_start(struct pldma_block *block, const struct pldma_enqueue *arg)
{
	struct pldma_chan *chan = block->chan;
	struct dma_async_tx_descriptor *desc = NULL;
	bool verify = arg->flags & PLDMA_ENQUEUE_VERIFY;
	unsigned long start;
	bool room, kick;
	int ret;

	lockdep_assert_held(&chan->lock);
	if (block->state != PLDMA_STATE_USER)
		return -EBUSY;
	if (!arg->length || arg->offset > block->size || arg->length > block->size - arg->offset)
		return -EINVAL;
	start = block->user.addr + arg->offset;
	if (!(arg->flags & PLDMA_ENQUEUE_UNALIGNED) && !IS_ALIGNED(start, pldma_cache_align()))
		return -EINVAL;
	if (!IS_ALIGNED(start, chan->core.address_align) ||
	    !IS_ALIGNED(arg->length, chan->core.length_align))
		return -EINVAL;
	if (chan->wedged)
		return -EIO;

	spin_lock_irq(&chan->done_lock);
	room = list_empty(&chan->queued) && chan->running < chan->core.engine_depth;
	ret = chan->pending < chan->queue_depth ? 0 : -EAGAIN;
	spin_unlock_irq(&chan->done_lock);
	if (ret)
		return ret;

	block->queued_ns = ktime_get_ns();
	block->offset = arg->offset;
	block->len = arg->length;
	block->flags = arg->flags;
	block->cookie = arg->cookie;
	block->sync_device_ns = 0;
	block->sync_cpu_ns = 0;
	block->status = PLDMA_STATUS_OK;
	block->moved = 0;
	block->check.kind = PLDMA_CHECK_NONE;
	block->check.value = 0;
	block->synced = false;

	if (block->policy == PLDMA_USER_PAGES) {
		ret = verify ? pldma_user_map(block, 0, block->size, true) :
			pldma_user_map(block, block->offset, block->len, false);
		if (ret)
			return ret;
	}
	if (room) {
		desc = pldma_prep(block);
		if (!desc) {
			ret = -EBUSY;
			goto err_unmap;
		}
	}

	pldma_for_device(block);

	spin_lock_irq(&chan->done_lock);
	chan->pending++;
	if (!room) {
		block->state = PLDMA_STATE_QUEUED;
		list_add_tail(&block->node, &chan->queued);
	}
	/* the engine may have completed transfers in the meantime */
	kick = !room && chan->running < chan->core.engine_depth;
	spin_unlock_irq(&chan->done_lock);

	if (kick)
		queue_work(system_highpri_wq, &chan->submit);
	if (!room)
		return 0;

	ret = pldma_submit(block, desc);
	if (!ret)
		return 0;

	spin_lock_irq(&chan->done_lock);
	chan->pending--;
	block->state = PLDMA_STATE_USER;
	spin_unlock_irq(&chan->done_lock);
	wake_up_interruptible(&chan->wq);	/* a waiting DEQUEUE may have to end with ENODATA */
	block->status = PLDMA_STATUS_NOT_SUBMITTED;
	pldma_for_cpu(block);
	return ret;

err_unmap:
	if (block->policy == PLDMA_USER_PAGES)
		pldma_user_unmap(block, verify, false);
	return ret;
}

/**
 * pldma_enqueue() - PLDMA_IOC_ENQUEUE
 * @pldma: the device
 * @arg: argument
 *
 * Return: 0, or a negative errno without any effect.
 */
int pldma_enqueue(struct pldma_dev *pldma, const struct pldma_enqueue *arg)
{
	struct pldma_block *block;
	int ret;

	if (READ_ONCE(pldma->dead))
		return -ENODEV;
	if (arg->flags & ~(PLDMA_ENQUEUE_VERIFY | PLDMA_ENQUEUE_UNALIGNED) || arg->reserved ||
	    memchr_inv(arg->sideband, 0, sizeof(arg->sideband)))
		return -EINVAL;
	block = pldma_block_lock(pldma, arg->id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	ret = block->policy == PLDMA_BOUNCE ? -EINVAL : pldma_xfer_start(block, arg);
	pldma_block_unlock(block);
	return ret;
}

/**
 * pldma_xfer_finish() - make the data of a transfer visible to the CPU
 * @block: block in state DONE, its channel lock held
 */
void pldma_xfer_finish(struct pldma_block *block)
{
	if (block->synced)
		return;
	pldma_for_cpu(block);
	block->synced = true;
}

/**
 * pldma_take_done() - return a block in state DONE to user space
 * @block: block in state DONE, its channel lock held
 */
void pldma_take_done(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;

	lockdep_assert_held(&chan->lock);
	spin_lock_irq(&chan->done_lock);
	list_del_init(&block->node);
	block->state = PLDMA_STATE_USER;
	if (block->status != PLDMA_STATUS_OK)
		chan->failed--;
	spin_unlock_irq(&chan->done_lock);
}
