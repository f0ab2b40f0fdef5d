// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: RESET and quarantine
 *
 * A block that was in flight returns to its owner only if the engine is idle: the
 * provider says so or, without such a provider, the engine was terminated, and its
 * driver is not known to lie about that (see pldma_quirks.c). Or it returns because the
 * IOMMU keeps the engine from its memory (see pldma_revoke.c). Otherwise the block
 * stays mapped and pinned in state QUARANTINED, ENQUEUE fails with EIO, and the next
 * RESET asks again, or a privileged caller forces it.
 */
#include <linux/capability.h>

#include "pldma_priv.h"
#include "pldma_trace.h"

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

/* stop a channel; true if the engine may have been moving data */
static bool pldma_terminate(struct pldma_chan *chan)
{
	bool busy;
	int ret;

	lockdep_assert_held(&chan->lock);
	lockdep_assert_held(&chan->pldma->reset_lock);
	if (!chan->dma)
		return false;
	spin_lock_irq(&chan->done_lock);
	WRITE_ONCE(chan->resets, chan->resets + 1);
	busy = chan->running || chan->wedged || !list_empty(&chan->holes);
	spin_unlock_irq(&chan->done_lock);
	if (chan->pldma->loop) {
		ret = pldma_loop_terminate(chan);
	} else {
		/* always terminate, because an idle core may still hold a part of a frame */
		ret = dmaengine_terminate_async(chan->dma);
		/* even after an error, because no callback may run after blocks are returned */
		dmaengine_synchronize(chan->dma);
	}
	if (ret)
		pldma_note(chan, 0, "the channel cannot be terminated: errno", -ret);
	if (ret && busy)
		dev_warn_ratelimited(chan->pldma->dev, "channel %s cannot be terminated: error %d\n",
				     chan->channel, ret);
	chan->terminated = !ret;
	return busy;
}

static bool pldma_proved_idle(struct pldma_chan *chan)
{
	if (chan->pldma->loop)
		return pldma_loop_idle(chan->pldma);
	if (chan->ops && chan->ops->idle)
		return chan->ops->idle(chan->dma);
	return chan->terminated && !(chan->quirks & PLDMA_QUIRK_TERMINATE);
}

/**
 * pldma_quarantine() - count the blocks that a wedged engine may still access
 * @chan: direction
 * @bytes: address for their total size in bytes, or NULL
 *
 * Return: number of blocks, including those of an earlier open.
 */
u32 pldma_quarantine(struct pldma_chan *chan, u64 *bytes)
{
	struct pldma_block *block;
	u64 total = 0;
	u32 n = 0;

	mutex_lock(&chan->pldma->table_lock);
	spin_lock_irq(&chan->done_lock);
	list_for_each_entry(block, &chan->quarantine, node) {
		total += block->size;
		n++;
	}
	spin_unlock_irq(&chan->done_lock);
	list_for_each_entry(block, &chan->orphans, node) {
		total += block->size;
		n++;
	}
	mutex_unlock(&chan->pldma->table_lock);
	if (bytes)
		*bytes = total;
	return n;
}

/* claim all blocks of a list and move them to another */
static void pldma_collect(struct pldma_chan *chan, struct list_head *list, struct list_head *to)
{
	struct pldma_block *block, *next;

	lockdep_assert_held(&chan->done_lock);
	list_for_each_entry_safe(block, next, list, node) {
		block->busy = true;
		chan->users++;
		list_move_tail(&block->node, to);
		if (block->state == PLDMA_STATE_DONE)
			chan->failed -= block->status != PLDMA_STATUS_OK;
		else if (block->state != PLDMA_STATE_QUARANTINED)
			chan->pending--;
	}
}

/* leave a block to an engine that may access it, in quarantine */
static void pldma_give_up(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;

	lockdep_assert_held(&chan->done_lock);
	block->state = PLDMA_STATE_QUARANTINED;
	trace_pldma_quarantine(block);
	pldma_note(chan, block->id, "quarantine: bytes", block->len);
	list_move_tail(&block->node, &chan->quarantine);
}

/* move the blocks that can be taken from the engine to the front of a list */
static void pldma_sort_revocable(struct list_head *list, struct list_head *revoke)
{
	struct pldma_block *block, *next;

	list_for_each_entry_safe(block, next, list, node)
		if (pldma_can_revoke(block))
			list_move_tail(&block->node, revoke);
}

/*
 * Collect or quarantine all blocks of a terminated channel. No callback can run any
 * more. A block that another call has claimed stays with that call. @revoke is NULL
 * if no memory can be taken from the engine.
 */
static void pldma_settle(struct pldma_chan *chan, bool idle, struct list_head *back,
			 struct list_head *revoke)
{
	struct pldma_block *block, *next;
	LIST_HEAD(revocable);

	lockdep_assert_held(&chan->lock);
	spin_lock_irq(&chan->done_lock);
	pldma_collect(chan, &chan->queued, back);
	pldma_collect(chan, &chan->done, back);
	pldma_collect(chan, &chan->ring_done, back);
	if (idle) {
		pldma_collect(chan, &chan->in_flight, back);
		pldma_collect(chan, &chan->quarantine, back);
	} else {
		if (revoke) {
			pldma_sort_revocable(&chan->quarantine, &revocable);
			pldma_sort_revocable(&chan->in_flight, &revocable);
			pldma_collect(chan, &revocable, revoke);
		}
		list_for_each_entry_safe(block, next, &chan->in_flight, node) {
			pldma_give_up(block);
			chan->pending--;
		}
	}
	/* orphans only change under reset_lock */
	chan->wedged = !idle && !(revoke && list_empty(&chan->quarantine) &&
				  list_empty(&chan->orphans));
	chan->running = 0;
	chan->ring_error = false;
	if (!list_empty(back) || (revoke && !list_empty(revoke)))
		chan->stats.resets++;
	spin_unlock_irq(&chan->done_lock);
	wake_up_all(&chan->wq);
}

/* take collected blocks from the engine; those that cannot be taken go to quarantine */
static void pldma_take(struct pldma_chan *chan, struct list_head *revoke, struct list_head *back)
{
	struct pldma_block *block, *next;

	list_for_each_entry_safe(block, next, revoke, node) {
		cond_resched();
		if (pldma_revoke(block)) {
			list_move_tail(&block->node, back);
			continue;
		}
		spin_lock_irq(&chan->done_lock);
		pldma_give_up(block);
		chan->wedged = true;
		pldma_unclaim(block);
		spin_unlock_irq(&chan->done_lock);
	}
}

/* hand collected blocks to the CPU and to their owner; return their number */
static u32 pldma_give_back(struct pldma_chan *chan, struct list_head *back)
{
	struct pldma_block *block, *next;
	u32 n = 0;

	list_for_each_entry_safe(block, next, back, node) {
		cond_resched();
		pldma_for_cpu_all(block);
		spin_lock_irq(&chan->done_lock);
		list_del_init(&block->node);
		block->state = PLDMA_STATE_USER;
		trace_pldma_reset(block);
		pldma_unclaim(block);
		spin_unlock_irq(&chan->done_lock);
		n++;
	}
	return n;
}

/* free the blocks of an earlier open, after the engine was proved idle */
static void pldma_drop_orphans(struct pldma_chan *chan)
{
	struct pldma_block *block, *next;
	LIST_HEAD(orphans);

	mutex_lock(&chan->pldma->table_lock);
	list_splice_init(&chan->orphans, &orphans);
	mutex_unlock(&chan->pldma->table_lock);
	list_for_each_entry_safe(block, next, &orphans, node)
		pldma_block_drop(block);
}

/* is a direction to be reset; without a flag for one, both are */
static bool pldma_reset_includes(u32 flags, u32 direction)
{
	u32 one = flags & (PLDMA_RESET_TX | PLDMA_RESET_RX);

	return !one || one & (direction == PLDMA_TX ? PLDMA_RESET_TX : PLDMA_RESET_RX);
}

static void pldma_stop(struct pldma_dev *pldma, struct pldma_reset *result)
{
	bool force = result->flags & PLDMA_RESET_FORCE;
	struct list_head revoke[PLDMA_NR_DIRECTIONS], back[PLDMA_NR_DIRECTIONS];
	bool idle[PLDMA_NR_DIRECTIONS] = {};
	bool busy[PLDMA_NR_DIRECTIONS];
	bool skip[PLDMA_NR_DIRECTIONS];
	u32 i;

	lockdep_assert_held(&pldma->reset_lock);
	pldma_lock_both(pldma);
	/* a loopback core couples both directions: stop both before asking either */
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		skip[i] = !pldma_reset_includes(result->flags, i);
		busy[i] = !skip[i] && pldma_terminate(&pldma->chan[i]);
	}
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];

		INIT_LIST_HEAD(&back[i]);
		INIT_LIST_HEAD(&revoke[i]);
		/* without a channel, nothing can be proved any more */
		if (skip[i] || !chan->dma)
			continue;
		idle[i] = !busy[i] || pldma_proved_idle(chan);
		if (!idle[i] && force) {
			dev_warn_ratelimited(pldma->dev,
					     "RESET of %s was forced: it may still access memory\n",
					     chan->channel);
			idle[i] = true;
		}
		pldma_settle(chan, idle[i], &back[i],
			     pldma_strict_domain(chan->map_dev) ? &revoke[i] : NULL);
	}
	pldma_unlock_both(pldma);

	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];

		if (skip[i])
			continue;
		pldma_take(chan, &revoke[i], &back[i]);
		result->returned += pldma_give_back(chan, &back[i]);
		if (idle[i]) {
			pldma_drop_orphans(chan);
			pldma_fill_holes(chan);
		}
		result->quarantined += pldma_quarantine(chan, NULL);
	}
}

/* check that the device can do what the flags ask for */
static int pldma_reset_check(struct pldma_dev *pldma, u32 flags)
{
	u32 one = flags & (PLDMA_RESET_TX | PLDMA_RESET_RX);
	u32 i;

	if (flags & ~(PLDMA_RESET_FORCE | PLDMA_RESET_TX | PLDMA_RESET_RX))
		return -EINVAL;
	if (flags & PLDMA_RESET_FORCE && !capable(CAP_SYS_RAWIO))
		return -EPERM;
	for (i = 0; one && i < PLDMA_NR_DIRECTIONS; i++) {
		if (!pldma_reset_includes(flags, i))
			continue;
		if (!pldma_chan_present(pldma, i))
			return -EINVAL;
		/* harmless if the other direction is reset too, or does not exist */
		if (pldma->chan[i].quirks & PLDMA_QUIRK_RESETS_BOTH &&
		    !pldma_reset_includes(flags, !i) && pldma_chan_present(pldma, !i))
			return -EOPNOTSUPP;
	}
	return 0;
}

/* EIO if a direction that was reset was not proved idle */
static int pldma_reset_result(struct pldma_dev *pldma, u32 flags)
{
	u32 i;

	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		if (pldma_reset_includes(flags, i) && READ_ONCE(pldma->chan[i].wedged))
			return -EIO;
	return 0;
}

/**
 * pldma_reset() - PLDMA_IOC_RESET
 * @pldma: the device
 * @arg: argument, in which the outputs are set
 *
 * Return: 0, -EIO if an engine was not proved idle, or another negative errno
 * without any effect.
 */
int pldma_reset(struct pldma_dev *pldma, struct pldma_reset *arg)
{
	int ret;

	ret = arg->reserved ? -EINVAL : pldma_reset_check(pldma, arg->flags);
	if (ret)
		return ret;
	arg->returned = 0;
	arg->quarantined = 0;
	mutex_lock(&pldma->reset_lock);
	if (READ_ONCE(pldma->dead)) {
		ret = -ENODEV;
	} else {
		pldma_stop(pldma, arg);
		ret = pldma_reset_result(pldma, arg->flags);
	}
	mutex_unlock(&pldma->reset_lock);
	return ret;
}

/**
 * pldma_shutdown() - stop the engine and free all blocks, at close and removal
 * @pldma: the device. No block is mapped or claimed any more
 *
 * Blocks that a wedged engine may still access are kept as orphans.
 */
void pldma_shutdown(struct pldma_dev *pldma)
{
	struct pldma_reset result = {};
	struct pldma_block *block;
	unsigned long index;

	mutex_lock(&pldma->reset_lock);
	pldma_stop(pldma, &result);
	xa_for_each(&pldma->blocks, index, block) {
		if (READ_ONCE(block->state) == PLDMA_STATE_QUARANTINED)
			pldma_block_orphan(block);
		else
			pldma_block_drop(block);
	}
	mutex_unlock(&pldma->reset_lock);
}

/**
 * pldma_halt() - stop the engine for good, and leave the memory as it is
 * @pldma: the device
 */
void pldma_halt(struct pldma_dev *pldma)
{
	bool busy[PLDMA_NR_DIRECTIONS];
	u32 i;

	mutex_lock(&pldma->reset_lock);
	mutex_lock(&pldma->table_lock);
	WRITE_ONCE(pldma->dead, true);
	mutex_unlock(&pldma->table_lock);
	pldma_lock_both(pldma);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		busy[i] = pldma_terminate(&pldma->chan[i]);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		if (busy[i])
			dev_info(pldma->dev, "channel %s was stopped%s\n", pldma->chan[i].channel,
				 pldma_proved_idle(&pldma->chan[i]) ?
				 "" : " and may still access memory");
	pldma_unlock_both(pldma);
	mutex_unlock(&pldma->reset_lock);
}
