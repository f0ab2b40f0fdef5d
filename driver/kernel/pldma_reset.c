// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: RESET and quarantine
 *
 * A successful terminate does not prove that the engine has stopped writing. A
 * block that was in flight returns to its owner only if the provider proves that
 * the engine is idle. Otherwise the block stays mapped and pinned in state
 * QUARANTINED, ENQUEUE fails with EIO, and the next RESET asks again.
 */
#include "pldma_priv.h"

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
	if (!chan->dma)
		return false;
	WRITE_ONCE(chan->resets, chan->resets + 1);
	spin_lock_irq(&chan->done_lock);
	busy = chan->running || chan->wedged;
	spin_unlock_irq(&chan->done_lock);
	/* always terminate, because an idle core may still hold a part of a frame */
	ret = dmaengine_terminate_async(chan->dma);
	/* even after an error, because no callback may run after blocks are returned */
	dmaengine_synchronize(chan->dma);
	if (ret && busy)
		dev_warn_ratelimited(chan->pldma->dev, "channel %s cannot be terminated: error %d\n",
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

/* hand a block to the CPU and to its owner */
static void pldma_give_back(struct pldma_block *block)
{
	pldma_for_cpu_all(block);
	spin_lock_irq(&block->chan->done_lock);
	list_del_init(&block->node);
	block->state = PLDMA_STATE_USER;
	spin_unlock_irq(&block->chan->done_lock);
}

/**
 * pldma_quarantine() - count the blocks that a wedged engine may still access
 * @chan: direction, its lock held
 * @bytes: address for their total size in bytes, or NULL
 *
 * Return: number of blocks, including those of an earlier open.
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

/* return or quarantine all blocks of a terminated channel; no callback can run any more */
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
		/* blocks of an earlier open */
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

	/* a loopback core couples both directions: stop both before asking either */
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
 * @result: how many blocks were returned and quarantined
 *
 * Return: 0, -EIO if an engine was not proved idle, or -ENODEV.
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
 * @pldma: the device. No block is mapped any more
 *
 * Blocks that a wedged engine may still access are kept as orphans.
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
