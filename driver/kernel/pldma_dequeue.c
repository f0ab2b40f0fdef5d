// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: DEQUEUE: wait for the oldest completion and return its block
 */
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "pldma_priv.h"

/* check for a completion or another reason to stop waiting */
static bool pldma_dequeue_ready(struct pldma_chan *chan, u32 resets)
{
	bool ready;

	spin_lock_irq(&chan->done_lock);
	ready = !list_empty(&chan->done) || !chan->pending;
	spin_unlock_irq(&chan->done_lock);
	return ready || READ_ONCE(chan->resets) != resets || READ_ONCE(chan->pldma->dead);
}

/* wait for pldma_dequeue_ready(); the deadline is absolute, so a restarted call keeps it */
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
	if (block->chan->direction == PLDMA_RX)
		memcpy(arg->sideband, block->check.sideband, sizeof(arg->sideband));
	else
		memset(arg->sideband, 0, sizeof(arg->sideband));
	arg->error = block->status == PLDMA_STATUS_OK ? 0 : EIO;
}

/* claim the oldest completion; without one, return why, or -EAGAIN to wait */
static int pldma_dequeue_claim(struct pldma_chan *chan, u32 resets, struct pldma_block **block)
{
	int ret = 0;

	*block = NULL;
	spin_lock_irq(&chan->done_lock);
	if (READ_ONCE(chan->pldma->dead)) {
		ret = -ENODEV;
	} else if (chan->resets != resets) {
		ret = -ECANCELED;
	} else {
		*block = pldma_claim_first(chan, &chan->done);
		if (!*block)
			ret = chan->pending ? -EAGAIN : -ENODATA;
	}
	spin_unlock_irq(&chan->done_lock);
	return ret;
}

/*
 * Wait for the oldest completion, claim its block, and write the completion. If that
 * fails, the block is in state DONE again.
 * Return: 0 or a negative errno. -EIO comes with a completion.
 */
static int pldma_dequeue_take(struct pldma_chan *chan, u32 resets, struct pldma_dequeue *arg,
			      const struct pldma_uarg *uarg, bool nonblock)
{
	struct pldma_block *block;
	int ret;

	for (;;) {
		ret = pldma_dequeue_claim(chan, resets, &block);
		if (block) {
			pldma_xfer_finish(block);
			pldma_fill_dequeue(arg, block);
			ret = pldma_uarg_write(uarg, arg, sizeof(*arg));
			if (ret) {
				pldma_block_unclaim_done(block, &chan->done);
				return ret;
			}
			pldma_take_done(block);
			return arg->error ? -EIO : 0;
		}
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = pldma_dequeue_wait(chan, resets, ns_to_ktime(arg->deadline_ns));
		if (ret == -ETIMEDOUT) {
			spin_lock_irq(&chan->done_lock);
			chan->stats.timeouts++;
			spin_unlock_irq(&chan->done_lock);
			pldma_note(chan, 0, "DEQUEUE timed out, blocks queued or in flight:",
				   READ_ONCE(chan->pending));
		}
		if (ret)
			return ret;
	}
}

static struct pldma_chan *pldma_dequeue_chan(struct pldma_dev *pldma, u32 direction, u32 flags,
					     u64 deadline_ns)
{
	if (flags || deadline_ns > KTIME_MAX || !pldma_chan_present(pldma, direction))
		return ERR_PTR(-EINVAL);
	return &pldma->chan[direction];
}

/**
 * pldma_dequeue() - PLDMA_IOC_DEQUEUE
 * @pldma: the device
 * @arg: argument
 * @uarg: address of the argument, for the completion or for the error
 * @nonblock: fail with -EAGAIN instead of waiting
 *
 * Return: 0 or a negative errno. -EIO comes with a completion.
 */
int pldma_dequeue(struct pldma_dev *pldma, struct pldma_dequeue *arg,
		  const struct pldma_uarg *uarg, bool nonblock)
{
	struct pldma_dequeue __user *user = uarg->ptr;
	struct pldma_chan *chan;
	int ret;

	if (put_user(0, &user->error))
		return -EFAULT;
	chan = pldma_dequeue_chan(pldma, arg->direction, arg->flags | arg->reserved,
				  arg->deadline_ns);
	if (READ_ONCE(pldma->dead))
		ret = -ENODEV;
	else if (IS_ERR(chan))
		ret = PTR_ERR(chan);
	else
		ret = pldma_dequeue_take(chan, READ_ONCE(chan->resets), arg, uarg, nonblock);
	/* a completion contains its error */
	return ret && ret != -EIO ? pldma_store_error(&user->error, ret) : ret;
}

/**
 * pldma_dequeue_batch() - PLDMA_IOC_DEQUEUE_BATCH
 * @pldma: the device
 * @arg: argument, in which @done is set
 * @nonblock: do not wait
 *
 * Return: 0 with at least one completion, or a negative errno.
 */
int pldma_dequeue_batch(struct pldma_dev *pldma, struct pldma_dequeue_batch *arg, bool nonblock)
{
	struct pldma_chan *chan;
	u32 resets;
	int ret = 0;

	chan = pldma_dequeue_chan(pldma, arg->direction, arg->flags, arg->deadline_ns);
	if (IS_ERR(chan))
		return PTR_ERR(chan);
	if (!pldma_batch_valid(arg->count, arg->item_size, PLDMA_DEQUEUE_LEAST) ||
	    !arg->min || arg->min > arg->count)
		return -EINVAL;

	resets = READ_ONCE(chan->resets);
	for (arg->done = 0; arg->done < arg->count; arg->done++) {
		struct pldma_uarg item = pldma_batch_item(arg->items, arg->item_size, arg->done);
		struct pldma_dequeue completion = {
			.direction = arg->direction,
			.deadline_ns = arg->deadline_ns,
		};

		ret = pldma_dequeue_take(chan, resets, &completion, &item,
					 nonblock || arg->done >= arg->min);
		/* a completion contains its error */
		if (ret && ret != -EIO)
			break;
		cond_resched();
	}
	return arg->done ? 0 : ret;
}
