// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: memory loop: tx and rx of one DMA_MEMCPY channel
 *
 * The module parameter memcpy= names a channel that copies memory, such as one of
 * pl330 or zynqmp_dma. The oldest tx block in flight is copied into the oldest rx
 * block in flight. There is no programmable logic, so this tests memory, caches and
 * a DMA engine, but no design.
 *
 * A copy waits for no partner, so it ends by itself. RESET lets the copy under way
 * end, which proves that the engine is idle. The contract of terminate matters only
 * if a copy does not end in time.
 *
 * A frame that is longer than the rx block fills the block, and the rx transfer ends
 * with DMA_TRANS_WRITE_FAILED, as on a loopback core.
 */
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "pldma_priv.h"

/* zynqmp_dma has 32 descriptors, so this many pieces are submitted at once */
#define PLDMA_LOOP_PIECES	16

/* how long RESET waits for a copy */
#define PLDMA_LOOP_WAIT		(2 * HZ)

/**
 * struct pldma_loop_end - one side of a copy
 * @block: block in flight, or NULL without one
 * @sg: next segment of the copy
 * @at: number of bytes of @sg that are copied already
 */
struct pldma_loop_end {
	struct pldma_block *block;
	struct scatterlist *sg;
	size_t at;
};

/**
 * struct pldma_loop - a memory loop
 * @pldma: the device
 * @copy: the channel that copies
 * @wq: wakes RESET after a copy
 * @work: starts copies, and ends those that are over
 * @lock: the members below. Inside pldma_chan.lock, and never held while waiting
 * @done: completion callback of a block
 * @paused: by direction: RESET has stopped it, and no block was submitted since
 * @active: the engine may access memory. Read without @lock by those who wait
 * @ends: by direction: the blocks of the copy, or no blocks after RESET gave it up
 * @left: number of bytes that are not submitted yet
 * @cookie: the last piece that was submitted
 */
struct pldma_loop {
	struct pldma_dev *pldma;
	struct dma_chan *copy;
	wait_queue_head_t wq;
	struct work_struct work;

	struct mutex lock;		/* all members below */
	dma_async_tx_callback_result done;
	bool paused[PLDMA_NR_DIRECTIONS];
	bool active;
	struct pldma_loop_end ends[PLDMA_NR_DIRECTIONS];
	size_t left;
	dma_cookie_t cookie;
};

static struct workqueue_struct *pldma_loop_wq;

/**
 * pldma_loop_init() - create the workqueue of memory loops
 *
 * Return: 0 or -ENOMEM.
 */
int pldma_loop_init(void)
{
	pldma_loop_wq = alloc_workqueue("pldma_loop", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return pldma_loop_wq ? 0 : -ENOMEM;
}

/**
 * pldma_loop_exit() - undo pldma_loop_init()
 */
void pldma_loop_exit(void)
{
	destroy_workqueue(pldma_loop_wq);
}

/* callback of a piece; a recycled descriptor may call it again, which does no harm */
static void pldma_loop_copied(void *param)
{
	struct pldma_loop *loop = param;

	queue_work(pldma_loop_wq, &loop->work);
}

static struct pldma_block *pldma_loop_oldest(struct pldma_chan *chan)
{
	struct pldma_block *block;

	spin_lock_irq(&chan->done_lock);
	block = list_first_entry_or_null(&chan->in_flight, struct pldma_block, node);
	spin_unlock_irq(&chan->done_lock);
	return block;
}

/* begin the next copy if both directions have a block; no block leaves before it ends */
static bool pldma_loop_begin(struct pldma_loop *loop)
{
	struct pldma_block *block[PLDMA_NR_DIRECTIONS];
	u32 i;

	lockdep_assert_held(&loop->lock);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		block[i] = loop->paused[i] ? NULL : pldma_loop_oldest(&loop->pldma->chan[i]);
		if (!block[i])
			return false;
	}
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		loop->ends[i].block = block[i];
		loop->ends[i].sg = block[i]->sgl;
		loop->ends[i].at = 0;
	}
	loop->left = min(block[PLDMA_TX]->len, block[PLDMA_RX]->len);
	WRITE_ONCE(loop->active, true);
	return true;
}

static void pldma_loop_advance(struct pldma_loop_end *end, size_t len)
{
	end->at += len;
	if (end->at == sg_dma_len(end->sg)) {
		end->sg = sg_next(end->sg);
		end->at = 0;
	}
}

/* submit one piece; its length, or 0 if the engine does not accept it */
static size_t pldma_loop_piece(struct pldma_loop *loop)
{
	struct pldma_loop_end *from = &loop->ends[PLDMA_TX], *to = &loop->ends[PLDMA_RX];
	struct dma_async_tx_descriptor *desc;
	dma_cookie_t cookie;
	size_t len;

	len = min3(loop->left, (size_t)sg_dma_len(from->sg) - from->at,
		   (size_t)sg_dma_len(to->sg) - to->at);
	desc = dmaengine_prep_dma_memcpy(loop->copy, sg_dma_address(to->sg) + to->at,
					 sg_dma_address(from->sg) + from->at, len,
					 DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!desc)
		return 0;
	/*
	 * Set both callbacks. Drivers recycle descriptors: zynqmp_dma calls whatever an
	 * earlier user left in one, and pl330 clears only the first of the two. So
	 * callback_result must stay empty for the next user.
	 */
	desc->callback = pldma_loop_copied;
	desc->callback_result = NULL;
	desc->callback_param = loop;
	cookie = dmaengine_submit(desc);
	if (dma_submit_error(cookie))
		return 0;
	loop->cookie = cookie;
	pldma_loop_advance(from, len);
	pldma_loop_advance(to, len);
	loop->left -= len;
	return len;
}

/* submit more of the copy; false if the engine accepts nothing */
static bool pldma_loop_submit_pieces(struct pldma_loop *loop)
{
	unsigned int n = 0;

	lockdep_assert_held(&loop->lock);
	while (loop->left && n < PLDMA_LOOP_PIECES && pldma_loop_piece(loop))
		n++;
	if (n)
		dma_async_issue_pending(loop->copy);
	return n;
}

static void pldma_loop_complete(struct pldma_loop *loop, bool failed)
{
	struct pldma_loop_end *ends = loop->ends;
	struct dmaengine_result result[PLDMA_NR_DIRECTIONS] = {};
	size_t tx = ends[PLDMA_TX].block->len, rx = ends[PLDMA_RX].block->len;
	u32 i;

	lockdep_assert_held(&loop->lock);
	if (failed) {
		for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
			result[i].result = DMA_TRANS_ABORTED;
			result[i].residue = ends[i].block->len;
		}
	} else if (tx > rx) {
		result[PLDMA_RX].result = DMA_TRANS_WRITE_FAILED;
	} else {
		result[PLDMA_RX].residue = rx - tx;
	}
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		loop->done(ends[i].block, &result[i]);
		ends[i].block = NULL;
	}
}

/* the pieces that were submitted are over; true to begin the next copy */
static bool pldma_loop_continue(struct pldma_loop *loop, bool failed)
{
	lockdep_assert_held(&loop->lock);
	/* after RESET gave up the copy, nobody waits for its result */
	if (loop->ends[PLDMA_TX].block) {
		if (!failed && loop->left) {
			if (pldma_loop_submit_pieces(loop))
				return false;
			failed = true;
		}
		pldma_loop_complete(loop, failed);
	}
	WRITE_ONCE(loop->active, false);
	wake_up_all(&loop->wq);
	return true;
}

static void pldma_loop_work(struct work_struct *work)
{
	struct pldma_loop *loop = container_of(work, struct pldma_loop, work);
	enum dma_status status;
	bool more = true;

	mutex_lock(&loop->lock);
	while (more) {
		if (loop->active) {
			status = dma_async_is_tx_complete(loop->copy, loop->cookie, NULL, NULL);
			if (status != DMA_COMPLETE && status != DMA_ERROR)
				break;
			more = pldma_loop_continue(loop, status == DMA_ERROR);
		} else {
			more = pldma_loop_begin(loop);
			if (more && !pldma_loop_submit_pieces(loop))
				more = pldma_loop_continue(loop, true);
		}
	}
	mutex_unlock(&loop->lock);
}

/**
 * pldma_loop_submit() - start the transfers of the blocks in flight of a memory loop
 * @chan: direction. Its blocks in flight have their lists of segments. The newest one
 *	may be over already
 * @done: called with a block when its transfer is over
 */
void pldma_loop_submit(struct pldma_chan *chan, dma_async_tx_callback_result done)
{
	struct pldma_loop *loop = chan->pldma->loop;

	lockdep_assert_held(&chan->lock);
	mutex_lock(&loop->lock);
	loop->done = done;
	loop->paused[chan->direction] = false;
	mutex_unlock(&loop->lock);
	queue_work(pldma_loop_wq, &loop->work);
}

/* RESET gives up a copy: its blocks may go away, but the engine may still access them */
static void pldma_loop_give_up(struct pldma_loop *loop)
{
	u32 i;

	mutex_lock(&loop->lock);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		loop->ends[i].block = NULL;
	mutex_unlock(&loop->lock);
}

/**
 * pldma_loop_terminate() - stop one direction of a memory loop
 * @chan: direction. Its blocks in flight are not copied any more
 *
 * Waits for the copy under way, which is then complete in both directions.
 *
 * Return: 0, or a negative errno if a copy is under way that does not end.
 */
int pldma_loop_terminate(struct pldma_chan *chan)
{
	struct pldma_loop *loop = chan->pldma->loop;
	int ret;

	lockdep_assert_held(&chan->lock);
	mutex_lock(&loop->lock);
	loop->paused[chan->direction] = true;
	mutex_unlock(&loop->lock);
	if (wait_event_timeout(loop->wq, !READ_ONCE(loop->active), PLDMA_LOOP_WAIT))
		return 0;

	pldma_loop_give_up(loop);
	/* without a terminate that helps, the copy may at least end later */
	if (chan->quirks & PLDMA_QUIRK_TERMINATE)
		return -ETIMEDOUT;
	ret = dmaengine_terminate_sync(loop->copy);
	if (ret)
		return ret;
	mutex_lock(&loop->lock);
	WRITE_ONCE(loop->active, false);
	mutex_unlock(&loop->lock);
	return 0;
}

/**
 * pldma_loop_idle() - check whether the engine of a memory loop may access memory
 * @pldma: the device
 *
 * Return: true if it does not.
 */
bool pldma_loop_idle(struct pldma_dev *pldma)
{
	return !READ_ONCE(pldma->loop->active);
}

/**
 * pldma_loop_new() - make a memory loop of the channel of both directions
 * @pldma: the device
 * @copy: a channel with DMA_MEMCPY
 *
 * Return: 0 or -ENOMEM.
 */
int pldma_loop_new(struct pldma_dev *pldma, struct dma_chan *copy)
{
	struct pldma_loop *loop = kzalloc(sizeof(*loop), GFP_KERNEL);

	if (!loop)
		return -ENOMEM;
	loop->pldma = pldma;
	loop->copy = copy;
	init_waitqueue_head(&loop->wq);
	INIT_WORK(&loop->work, pldma_loop_work);
	mutex_init(&loop->lock);
	pldma->loop = loop;
	return 0;
}

/**
 * pldma_loop_stop() - stop the engine of a memory loop, if the device is one
 * @pldma: the device, which cannot submit blocks any more
 */
void pldma_loop_stop(struct pldma_dev *pldma)
{
	struct pldma_loop *loop = pldma->loop;
	u32 i;

	if (!loop)
		return;
	dmaengine_terminate_sync(loop->copy);
	/* a late callback queues the work again, which must not use the channel then */
	mutex_lock(&loop->lock);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		loop->paused[i] = true;
	WRITE_ONCE(loop->active, false);
	mutex_unlock(&loop->lock);
}

/**
 * pldma_loop_free() - free the memory loop of a device, if it is one
 * @pldma: the device. Its channel is released, so that no callback can run any more
 */
void pldma_loop_free(struct pldma_dev *pldma)
{
	struct pldma_loop *loop = pldma->loop;

	if (!loop)
		return;
	cancel_work_sync(&loop->work);
	pldma->loop = NULL;
	kfree(loop);
}
