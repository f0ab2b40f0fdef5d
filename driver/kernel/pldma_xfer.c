// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: a block's way through the engine and back
 *
 *	USER --ENQUEUE--> QUEUED --> IN_FLIGHT --callback--> DONE --DEQUEUE--> USER
 *
 * ENQUEUE goes straight to IN_FLIGHT when the engine has room, and then in this
 * order: prep, for_device, submit, issue_pending. Prep comes first because it is
 * the step that can refuse, and a refusal must leave nothing changed; it needs
 * bus addresses only, so that memory may be synced after it. When the engine is
 * full, the block is synced at once and waits in QUEUED; a work item preps and
 * submits it after a completion.
 *
 * The completion callback runs in atomic context. It notes time, status and
 * length, moves the block from one list to another and wakes whoever waits.
 * for_cpu, unmap and unpin happen in DEQUEUE.
 *
 * RESET: that a channel could be terminated does not prove that the engine
 * has stopped to write. A block that was in flight goes back to its owner
 * only when the provider proves the engine idle. Otherwise it stays mapped and
 * pinned in QUARANTINED, ENQUEUE gives EIO, and the next RESET asks again.
 */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "pldma_priv.h"

/* widen a range to whole cache lines within the block */
static void pldma_widen(struct pldma_block *block, size_t *offset, size_t *len)
{
	size_t align = pldma_cache_align();
	size_t end = min_t(size_t, ALIGN(*offset + *len, align), PAGE_ALIGN(block->size));

	*offset = ALIGN_DOWN(*offset, align);
	*len = end - *offset;
}

/* the whole of a block, for a sync: never less than whole cache lines */
static size_t pldma_sync_len(const struct pldma_block *block)
{
	return min_t(size_t, ALIGN(block->size, pldma_cache_align()), PAGE_ALIGN(block->size));
}

/* the range that the policy syncs at a transition; false for none */
static bool pldma_sync_range(struct pldma_block *block, u32 op, size_t *offset, size_t *len)
{
	bool whole = block->flags & PLDMA_ENQUEUE_VERIFY;
	bool tx = block->chan->direction == PLDMA_TX;
	bool for_device = op == PLDMA_SYNC_FOR_DEVICE;

	*offset = block->offset;
	*len = block->len;
	switch (block->policy) {
	case PLDMA_STREAMING_LAZY:
	case PLDMA_BOUNCE:
		/* tx for_device and rx for_cpu, and nothing else */
		if (tx != for_device)
			return false;
		/* after an error the engine may have written all that it was given */
		if (!for_device && block->status == PLDMA_STATUS_OK)
			*len = block->moved;
		break;
	case PLDMA_NONCOHERENT:
		break;
	case PLDMA_STREAMING:
	case PLDMA_USER_PAGES_REGISTERED:
		whole = true;
		break;
	default:
		return false;
	}
	if (whole) {
		*offset = 0;
		*len = pldma_sync_len(block);
	} else if (*len) {
		pldma_widen(block, offset, len);
	}
	return *len;
}

/* what the policy does before the engine may look; user pages are mapped already */
static void pldma_for_device(struct pldma_block *block)
{
	size_t offset, len;

	if (pldma_sync_range(block, PLDMA_SYNC_FOR_DEVICE, &offset, &len))
		pldma_block_sync(block, PLDMA_SYNC_FOR_DEVICE, offset, len,
				 block->flags & PLDMA_ENQUEUE_VERIFY);
}

/* what the policy does before the CPU may look */
static void pldma_for_cpu(struct pldma_block *block)
{
	bool verify = block->flags & PLDMA_ENQUEUE_VERIFY;
	size_t offset, len;

	if (block->policy == PLDMA_USER_PAGES)
		pldma_user_unmap(block, verify, true);
	else if (pldma_sync_range(block, PLDMA_SYNC_FOR_CPU, &offset, &len))
		pldma_block_sync(block, PLDMA_SYNC_FOR_CPU, offset, len, verify);
}

/* the whole block to the CPU, whatever the engine did to it */
static void pldma_for_cpu_all(struct pldma_block *block)
{
	switch (block->policy) {
	case PLDMA_USER_PAGES:
		pldma_user_unmap(block, true, true);
		break;
	case PLDMA_COHERENT:
	case PLDMA_WRITE_COMBINE:
	case PLDMA_MANUAL:
	case PLDMA_NONE:
		break;
	default:
		pldma_block_sync(block, PLDMA_SYNC_FOR_CPU, 0, pldma_sync_len(block), true);
		break;
	}
}

/* a transfer has ended, well or not; done_lock held */
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

/* Called by the provider, in atomic context. */
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
		/* a provider that calls back after terminate */
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

/* fill the list that the engine is given; no entry is longer than max_seg */
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
	/* without metadata there is no check value, and nothing else is lost */
	if (chan->core.check_kind != PLDMA_CHECK_NONE)
		dmaengine_desc_attach_metadata(desc, &block->check, sizeof(block->check));
	return desc;
}

/* give the engine a descriptor; the block is counted in pending already */
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
 * pldma_submit_work() - hand queued blocks to the engine
 * @work: of a channel
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
		/* a refused submit took it off the list */
		list_move(&block->node, &chan->queued);
		if (running) {
			/* a completion since we looked has queued this work again */
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
 * pldma_xfer_start() - take a block of the caller's and start its transfer
 * @block: the block, its channel lock held
 * @arg: range, flags and cookie
 *
 * Return: 0 or a negative errno, with nothing changed.
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
	/* the engine may have drained since we looked */
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
	wake_up_interruptible(&chan->wq);	/* who waited for it waits for nothing now */
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
 * Return: 0 or a negative errno, with nothing changed.
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
 * pldma_xfer_finish() - make what the engine did visible to the CPU
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
 * pldma_take_done() - give a finished block back to its owner
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

/* is there a reason to stop waiting for a completion */
static bool pldma_dequeue_ready(struct pldma_chan *chan, u32 resets)
{
	bool ready;

	spin_lock_irq(&chan->done_lock);
	ready = !list_empty(&chan->done) || !chan->pending;
	spin_unlock_irq(&chan->done_lock);
	return ready || READ_ONCE(chan->resets) != resets || READ_ONCE(chan->pldma->dead);
}

/* wait until pldma_dequeue_ready(); the deadline is absolute, so a restart waits no longer */
static int pldma_dequeue_wait(struct pldma_chan *chan, u32 resets, ktime_t deadline)
{
	DEFINE_WAIT(wait);
	int ret = 0;

	for (;;) {
		prepare_to_wait(&chan->wq, &wait, TASK_INTERRUPTIBLE);
		if (pldma_dequeue_ready(chan, resets))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		if (!schedule_hrtimeout_range(&deadline, current->timer_slack_ns,
					      HRTIMER_MODE_ABS)) {
			ret = pldma_dequeue_ready(chan, resets) ? 0 : -ETIMEDOUT;
			break;
		}
	}
	finish_wait(&chan->wq, &wait);
	return ret;
}

static void pldma_fill_dequeue(struct pldma_dequeue *arg, const struct pldma_block *block)
{
	arg->id = block->id;
	arg->status = block->status;
	arg->offset = block->offset;
	arg->length = block->moved;
	arg->cookie = block->cookie;
	arg->queued_ns = block->queued_ns;
	arg->submitted_ns = block->submitted_ns;
	arg->done_ns = block->done_ns;
	arg->sync_device_ns = block->sync_device_ns;
	arg->sync_cpu_ns = block->sync_cpu_ns;
	arg->check_kind = block->check.kind;
	arg->check = block->check.value;
	memset(arg->sideband, 0, sizeof(arg->sideband));
	arg->error = block->status == PLDMA_STATUS_OK ? 0 : EIO;
}

/**
 * pldma_dequeue() - PLDMA_IOC_DEQUEUE
 * @pldma: the device
 * @arg: argument, as read from user space
 * @uarg: where to write the completion
 * @nonblock: never wait
 *
 * The completion is written under the channel lock, so that a copy that fails
 * can leave the block done.
 *
 * Return: 0 or a negative errno. -EIO comes with a completion.
 */
int pldma_dequeue(struct pldma_dev *pldma, struct pldma_dequeue *arg,
		  struct pldma_dequeue __user *uarg, bool nonblock)
{
	struct pldma_chan *chan;
	struct pldma_block *block;
	u32 resets;
	int ret;

	if (READ_ONCE(pldma->dead))
		return -ENODEV;
	if (arg->flags || arg->reserved || arg->deadline_ns > KTIME_MAX ||
	    !pldma_chan_present(pldma, arg->direction))
		return -EINVAL;
	chan = &pldma->chan[arg->direction];

	mutex_lock(&chan->lock);
	resets = chan->resets;
	for (;;) {
		if (pldma->dead) {
			ret = -ENODEV;
			break;
		}
		if (chan->resets != resets) {
			ret = -ECANCELED;
			break;
		}
		spin_lock_irq(&chan->done_lock);
		block = list_first_entry_or_null(&chan->done, struct pldma_block, node);
		ret = chan->pending ? 0 : -ENODATA;
		spin_unlock_irq(&chan->done_lock);
		if (block) {
			pldma_xfer_finish(block);
			pldma_fill_dequeue(arg, block);
			if (copy_to_user(uarg, arg, sizeof(*arg))) {
				ret = -EFAULT;
				break;
			}
			pldma_take_done(block);
			ret = arg->error ? -EIO : 0;
			break;
		}
		if (ret)
			break;
		if (nonblock) {
			ret = -EAGAIN;
			break;
		}
		mutex_unlock(&chan->lock);
		ret = pldma_dequeue_wait(chan, resets, ns_to_ktime(arg->deadline_ns));
		mutex_lock(&chan->lock);
		if (ret == -ETIMEDOUT)
			chan->stats.timeouts++;
		if (ret)
			break;
	}
	mutex_unlock(&chan->lock);
	return ret;
}

/**
 * pldma_sync() - PLDMA_IOC_SYNC
 * @pldma: the device
 * @arg: argument, completed on success
 *
 * Return: 0 or a negative errno.
 */
int pldma_sync(struct pldma_dev *pldma, struct pldma_sync *arg)
{
	struct pldma_block *block;
	int ret = 0;

	if (arg->op > PLDMA_SYNC_FOR_CPU)
		return -EINVAL;
	block = pldma_block_lock(pldma, arg->id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	if (block->policy != PLDMA_MANUAL || !arg->length || arg->offset > block->size ||
	    arg->length > block->size - arg->offset) {
		ret = -EINVAL;
	} else if (block->state != PLDMA_STATE_USER) {
		ret = -EBUSY;
	} else {
		block->sync_device_ns = 0;
		block->sync_cpu_ns = 0;
		pldma_block_sync(block, arg->op, arg->offset, arg->length, false);
		arg->ns = block->sync_device_ns + block->sync_cpu_ns;
	}
	pldma_block_unlock(block);
	return ret;
}

static void pldma_lock_both(struct pldma_dev *pldma)
{
	mutex_lock(&pldma->chan[PLDMA_TX].lock);
	mutex_lock(&pldma->chan[PLDMA_RX].lock);
}

static void pldma_unlock_both(struct pldma_dev *pldma)
{
	mutex_unlock(&pldma->chan[PLDMA_RX].lock);
	mutex_unlock(&pldma->chan[PLDMA_TX].lock);
}

/* stop a channel; true when something may have been moving */
static bool pldma_terminate(struct pldma_chan *chan)
{
	bool busy;
	int ret;

	lockdep_assert_held(&chan->lock);
	if (!chan->dma)
		return false;
	WRITE_ONCE(chan->resets, chan->resets + 1);
	spin_lock_irq(&chan->done_lock);
	busy = chan->running || chan->wedged;
	spin_unlock_irq(&chan->done_lock);
	/* a core that is idle may still hold half a frame: always tell it */
	ret = dmaengine_terminate_async(chan->dma);
	/* also after a refusal: no callback may come when blocks are given back */
	dmaengine_synchronize(chan->dma);
	if (ret && busy)
		dev_warn_ratelimited(chan->pldma->dev, "%s cannot be terminated: %d\n",
				     chan->channel, ret);
	chan->terminated = !ret;
	return busy;
}

static bool pldma_proved_idle(struct pldma_chan *chan)
{
	if (chan->ops && chan->ops->idle)
		return chan->ops->idle(chan->dma);
	return chan->terminate_stops && chan->terminated;
}

static void pldma_give_back(struct pldma_block *block)
{
	pldma_for_cpu_all(block);
	spin_lock_irq(&block->chan->done_lock);
	list_del_init(&block->node);
	block->state = PLDMA_STATE_USER;
	spin_unlock_irq(&block->chan->done_lock);
}

/**
 * pldma_quarantine() - count what a wedged engine may still reach
 * @chan: direction, its lock held
 * @bytes: where to store the bytes, or NULL
 *
 * Return: blocks, those of an earlier open included.
 */
u32 pldma_quarantine(struct pldma_chan *chan, u64 *bytes)
{
	struct pldma_block *block;
	u64 total = 0;
	u32 n = 0;

	lockdep_assert_held(&chan->lock);
	list_for_each_entry(block, &chan->quarantine, node) {
		total += block->size;
		n++;
	}
	list_for_each_entry(block, &chan->orphans, node) {
		total += block->size;
		n++;
	}
	if (bytes)
		*bytes = total;
	return n;
}

/* sort out all blocks of a terminated channel; no callback can come any more */
static void pldma_settle(struct pldma_chan *chan, bool idle, struct pldma_reset *result)
{
	struct pldma_block *block, *next;
	LIST_HEAD(back);

	spin_lock_irq(&chan->done_lock);
	list_splice_init(&chan->queued, &back);
	list_splice_init(&chan->done, &back);
	list_splice_init(&chan->ring_done, &back);
	if (idle) {
		list_splice_init(&chan->in_flight, &back);
		list_splice_init(&chan->quarantine, &back);
	} else {
		list_for_each_entry_safe(block, next, &chan->in_flight, node) {
			block->state = PLDMA_STATE_QUARANTINED;
			list_move_tail(&block->node, &chan->quarantine);
		}
	}
	chan->wedged = !idle;
	chan->pending = 0;
	chan->running = 0;
	chan->failed = 0;
	chan->ring_error = false;
	if (!list_empty(&back))
		chan->stats.resets++;
	spin_unlock_irq(&chan->done_lock);

	list_for_each_entry_safe(block, next, &back, node) {
		pldma_give_back(block);
		result->returned++;
	}
	if (idle) {
		/* what an earlier open had to leave behind */
		list_for_each_entry_safe(block, next, &chan->orphans, node) {
			list_del_init(&block->node);
			pldma_block_drop(block);
		}
	}
	result->quarantined += pldma_quarantine(chan, NULL);
	wake_up_all(&chan->wq);
}

static void pldma_stop(struct pldma_dev *pldma, struct pldma_reset *result)
{
	bool busy[PLDMA_NR_DIRECTIONS];
	struct pldma_chan *chan;
	u32 i;

	/* a loopback core couples the two: stop both before asking either */
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		busy[i] = pldma_terminate(&pldma->chan[i]);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		chan = &pldma->chan[i];
		if (chan->dma)
			pldma_settle(chan, !busy[i] || pldma_proved_idle(chan), result);
	}
}

/**
 * pldma_reset() - PLDMA_IOC_RESET
 * @pldma: the device
 * @result: what became of the blocks
 *
 * Return: 0; -EIO when an engine was not proved idle; -ENODEV.
 */
int pldma_reset(struct pldma_dev *pldma, struct pldma_reset *result)
{
	int ret = -ENODEV;

	result->returned = 0;
	result->quarantined = 0;
	pldma_lock_both(pldma);
	if (!pldma->dead) {
		pldma_stop(pldma, result);
		ret = pldma->chan[PLDMA_TX].wedged || pldma->chan[PLDMA_RX].wedged ? -EIO : 0;
	}
	pldma_unlock_both(pldma);
	return ret;
}

/**
 * pldma_shutdown() - stop the engine and free all blocks, at close and removal
 * @pldma: the device; no mapping is live, or all were zapped
 *
 * Blocks that a wedged engine may still reach are kept as orphans.
 */
void pldma_shutdown(struct pldma_dev *pldma)
{
	struct pldma_reset result = {};
	struct pldma_block *block;
	unsigned long index;

	pldma_lock_both(pldma);
	if (pldma->chan[PLDMA_TX].dma || pldma->chan[PLDMA_RX].dma)
		pldma_stop(pldma, &result);
	xa_for_each(&pldma->blocks, index, block) {
		if (block->state == PLDMA_STATE_QUARANTINED)
			pldma_block_orphan(block);
		else
			pldma_block_drop(block);
	}
	pldma_unlock_both(pldma);
}
