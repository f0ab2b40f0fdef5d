// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: the path of a block from ENQUEUE to its completion
 *
 *	USER --ENQUEUE--> QUEUED --> IN_FLIGHT --callback--> DONE --DEQUEUE--> USER
 *
 * ENQUEUE claims the block, pins and syncs it. Then it submits the block or, if the
 * engine has no room, leaves it in QUEUED. A work item submits it after a completion.
 * Prep and submit are a pair, as Documentation/driver-api/dmaengine/client.rst
 * demands, under pldma_chan.lock. Nothing is synced under that lock, so the engine
 * gets a queued block whatever other calls do to other blocks.
 *
 * The completion callback runs in atomic context. It records time, status and
 * length, moves the block from one list to another, and wakes waiters. DEQUEUE
 * (see pldma_dequeue.c) does for_cpu, unmap and unpin.
 */
#include <linux/ktime.h>

#include "pldma_priv.h"
#include "pldma_trace.h"

/* unbound, so that the work does not wait for the provider's thread on the same CPU */
static struct workqueue_struct *pldma_submit_wq;

/**
 * pldma_xfer_init() - create the workqueue of pldma_submit_work()
 *
 * Return: 0 or -ENOMEM.
 */
int pldma_xfer_init(void)
{
	pldma_submit_wq = alloc_workqueue("pldma", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return pldma_submit_wq ? 0 : -ENOMEM;
}

/**
 * pldma_xfer_exit() - undo pldma_xfer_init()
 */
void pldma_xfer_exit(void)
{
	destroy_workqueue(pldma_submit_wq);
}

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
	chan->ended++;
	if (status != PLDMA_STATUS_OK) {
		chan->stats.errors++;
		chan->failed++;
		pldma_note(chan, block->id, "transfer failed: status", status);
	}
	trace_pldma_complete(block);
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
		queue_work(pldma_submit_wq, &chan->submit);
	wake_up_interruptible(&chan->wq);
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
	/* if this fails, only the check value and the words are missing */
	if (chan->core.check_kind != PLDMA_CHECK_NONE || chan->core.sideband)
		dmaengine_desc_attach_metadata(desc, &block->check, sizeof(block->check));
	return desc;
}

/*
 * Prep and submit a block, which pending already includes.
 * Return: 0, or with the block in state QUEUED and in no list: -EIO, or without a
 * descriptor -EBUSY, or -ENOMEM if the engine was idle, so that none can become free.
 */
static int pldma_submit(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	struct dma_async_tx_descriptor *desc = NULL;
	bool idle = !READ_ONCE(chan->running);
	int ret;

	lockdep_assert_held(&chan->lock);
	if (chan->pldma->loop)
		pldma_fill_sgl(block);
	else
		desc = pldma_prep(block);

	/* the callback may run before dmaengine_submit() returns */
	spin_lock_irq(&chan->done_lock);
	block->submitted_ns = ktime_get_ns();
	block->state = PLDMA_STATE_IN_FLIGHT;
	list_move_tail(&block->node, &chan->in_flight);
	chan->running++;
	trace_pldma_submit(block);
	spin_unlock_irq(&chan->done_lock);

	if (chan->pldma->loop) {
		/* another thread may have dequeued and freed the block by now */
		pldma_loop_submit(chan, pldma_complete);
		return 0;
	}
	if (desc && !dma_submit_error(dmaengine_submit(desc))) {
		dma_async_issue_pending(chan->dma);
		return 0;
	}

	spin_lock_irq(&chan->done_lock);
	list_del_init(&block->node);
	chan->running--;
	block->state = PLDMA_STATE_QUEUED;
	block->submitted_ns = 0;
	trace_pldma_refuse(block);
	spin_unlock_irq(&chan->done_lock);
	ret = desc ? -EIO : idle ? -ENOMEM : -EBUSY;
	pldma_note(chan, block->id, "the engine refused a transfer: errno", -ret);
	return ret;
}

/* submit the oldest queued block if the engine has room; true to call this again */
static bool pldma_submit_next(struct pldma_chan *chan)
{
	struct pldma_block *block = NULL;
	bool idle, again;

	spin_lock_irq(&chan->done_lock);
	idle = !chan->running;
	if (chan->running < chan->core.engine_depth)
		block = list_first_entry_or_null(&chan->queued, struct pldma_block, node);
	spin_unlock_irq(&chan->done_lock);
	if (!block)
		return false;
	if (!pldma_submit(block))
		return true;

	spin_lock_irq(&chan->done_lock);
	if (idle)
		pldma_mark_done(block, PLDMA_STATUS_NOT_SUBMITTED, 0, ktime_get_ns());
	else
		list_add(&block->node, &chan->queued);
	/* a completion queues the work again, but the last one may be over already */
	again = !chan->running;
	spin_unlock_irq(&chan->done_lock);
	if (idle)
		wake_up_interruptible(&chan->wq);
	return again;
}

/**
 * pldma_submit_work() - submit queued blocks to the engine
 * @work: member of a channel
 */
void pldma_submit_work(struct work_struct *work)
{
	struct pldma_chan *chan = container_of(work, struct pldma_chan, submit);

	mutex_lock(&chan->lock);
	while (pldma_submit_next(chan))
		;
	mutex_unlock(&chan->lock);
}

/* check whether the engine can do the transfer; then count it in pending */
static int pldma_xfer_reserve(struct pldma_block *block, const struct pldma_enqueue *arg)
{
	struct pldma_chan *chan = block->chan;
	unsigned long start = block->user.addr + arg->offset;
	int ret = 0;

	if (!arg->length || arg->offset > block->size || arg->length > block->size - arg->offset)
		return -EINVAL;
	if (!(arg->flags & PLDMA_ENQUEUE_UNALIGNED) && !IS_ALIGNED(start, pldma_cache_align()))
		return -EINVAL;
	if (!IS_ALIGNED(start, chan->core.address_align) ||
	    !IS_ALIGNED(arg->length, chan->core.length_align))
		return -EINVAL;

	spin_lock_irq(&chan->done_lock);
	if (chan->wedged)
		ret = -EIO;
	else if (chan->pending >= chan->queue_depth)
		ret = -EAGAIN;
	else
		chan->pending++;
	spin_unlock_irq(&chan->done_lock);
	return ret;
}

/* submit a block that is prepared, or queue it; this ends its claim if it succeeds */
static int pldma_xfer_submit(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	bool room;
	int ret = 0;

	lockdep_assert_held(&chan->lock);
	spin_lock_irq(&chan->done_lock);
	/* RESET may have run while the block was prepared */
	if (chan->wedged)
		ret = -EIO;
	room = list_empty(&chan->queued) && chan->running < chan->core.engine_depth;
	if (!ret) {
		block->busy = false;
		block->state = PLDMA_STATE_QUEUED;
		trace_pldma_queue(block);
		if (!room)
			list_add_tail(&block->node, &chan->queued);
	}
	spin_unlock_irq(&chan->done_lock);
	if (ret || !room)
		return ret;

	ret = pldma_submit(block);
	if (ret) {
		spin_lock_irq(&chan->done_lock);
		block->busy = true;
		block->state = PLDMA_STATE_USER;
		spin_unlock_irq(&chan->done_lock);
	}
	return ret;
}

/**
 * pldma_xfer_start() - queue a block and start its transfer if the engine has room
 * @block: block in state USER, which the caller has claimed
 * @arg: range, flags and cookie
 *
 * Return: 0, which ends the claim, or a negative errno.
 */
int pldma_xfer_start(struct pldma_block *block, const struct pldma_enqueue *arg)
{
	struct pldma_chan *chan = block->chan;
	bool verify = arg->flags & PLDMA_ENQUEUE_VERIFY;
	int ret;

	ret = pldma_xfer_reserve(block, arg);
	if (ret)
		return ret;

	block->queued_ns = ktime_get_ns();
	block->offset = arg->offset;
	block->len = arg->length;
	block->flags = arg->flags;
	block->cookie = arg->cookie;
	block->submitted_ns = 0;
	block->sync_device_ns = 0;
	block->sync_cpu_ns = 0;
	block->status = PLDMA_STATUS_OK;
	block->moved = 0;
	block->check.kind = PLDMA_CHECK_NONE;
	block->check.value = 0;
	memcpy(block->check.sideband, arg->sideband, sizeof(block->check.sideband));
	block->synced = false;

	if (block->policy == PLDMA_USER_PAGES) {
		ret = verify ? pldma_user_map(block, 0, block->size, true) :
			pldma_user_map(block, block->offset, block->len, false);
		if (ret)
			goto err_reserved;
	}
	pldma_for_device(block);

	mutex_lock(&chan->lock);
	ret = pldma_xfer_submit(block);
	mutex_unlock(&chan->lock);
	if (!ret) {
		pldma_chan_exit(chan);
		return 0;
	}

	/*
	 * No for_cpu: the engine has written nothing, and a bounce buffer may hold
	 * an older frame, which must not replace what the caller has stored.
	 */
	if (block->policy == PLDMA_USER_PAGES)
		pldma_user_unmap(block, verify, false);
err_reserved:
	spin_lock_irq(&chan->done_lock);
	chan->pending--;
	spin_unlock_irq(&chan->done_lock);
	wake_up_interruptible(&chan->wq);	/* a waiting DEQUEUE may have to end with ENODATA */
	return ret;
}

/**
 * pldma_xfer_finish() - make the data of a transfer visible to the CPU
 * @block: block in state DONE, which the caller has claimed
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
 * @block: the block, whose claim this ends
 */
void pldma_take_done(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;

	spin_lock_irq(&chan->done_lock);
	block->state = PLDMA_STATE_USER;
	if (block->status != PLDMA_STATUS_OK)
		chan->failed--;
	trace_pldma_dequeue(block);
	pldma_unclaim(block);
	spin_unlock_irq(&chan->done_lock);
}
