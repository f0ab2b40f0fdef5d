// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: DEQUEUE: wait for the oldest completion and return its block
 */
#include <linux/hrtimer.h>
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
	memset(arg->sideband, 0, sizeof(arg->sideband));
	arg->error = block->status == PLDMA_STATUS_OK ? 0 : EIO;
}

/**
 * pldma_dequeue() - PLDMA_IOC_DEQUEUE
 * @pldma: the device
 * @arg: argument, as read from user space
 * @uarg: address for the completion in user space
 * @nonblock: fail with -EAGAIN instead of waiting
 *
 * Writes the completion under the channel lock, so that the block stays in state
 * DONE if the copy fails.
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
