// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: a block: its reference count, its id, its claim, and its release
 *
 * A call that syncs, maps, pins or copies the memory of a block claims the block
 * first. It then owns all members except those that another lock protects, and no
 * lock is held meanwhile. ENQUEUE, SYNC and FREE claim a block in state USER,
 * DEQUEUE and RESET one that they take from a list. No other call can claim it:
 * ENQUEUE, SYNC and FREE fail with EBUSY.
 *
 * A claim also counts in pldma_chan.users, so that removal waits for its end.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "pldma_priv.h"

/**
 * pldma_block_new() - create a block without memory, id and offset
 * @chan: direction
 * @policy: enum pldma_policy
 * @size: bytes
 *
 * The block is claimed until pldma_block_offer(), without a count in
 * pldma_chan.users.
 *
 * Return: the block, on which the caller holds a reference, or NULL.
 */
struct pldma_block *pldma_block_new(struct pldma_chan *chan, u32 policy, size_t size)
{
	struct pldma_block *block;

	block = kzalloc(sizeof(*block), PLDMA_GFP);
	if (!block)
		return NULL;
	kref_init(&block->ref);
	INIT_LIST_HEAD(&block->node);
	block->chan = chan;
	block->busy = true;
	block->policy = policy;
	block->size = size;
	return block;
}

static void pldma_block_free(struct kref *ref)
{
	struct pldma_block *block = container_of(ref, struct pldma_block, ref);

	if (block->user.mm)
		mmdrop(block->user.mm);
	kfree_rcu(block, rcu);
}

/**
 * pldma_block_put() - drop a reference
 * @block: the block
 */
void pldma_block_put(struct pldma_block *block)
{
	kref_put(&block->ref, pldma_block_free);
}

/**
 * pldma_block_get() - find a block by its id
 * @pldma: the device
 * @id: id of the block
 *
 * Takes no lock, because table_lock is held while a mapping is made.
 *
 * Return: the block, on which the caller then holds a reference, or -ENOENT, or
 * -ENODEV after the device is gone.
 */
struct pldma_block *pldma_block_get(struct pldma_dev *pldma, u32 id)
{
	struct pldma_block *block;

	if (READ_ONCE(pldma->dead))
		return ERR_PTR(-ENODEV);
	rcu_read_lock();
	block = xa_load(&pldma->blocks, id);
	if (block && !kref_get_unless_zero(&block->ref))
		block = NULL;
	rcu_read_unlock();
	return block ? block : ERR_PTR(-ENOENT);
}

/**
 * pldma_chan_enter() - announce that a call uses the DMA device
 * @chan: direction
 *
 * Return: 0, for pldma_chan_exit(), or -ENODEV after the device is gone.
 */
int pldma_chan_enter(struct pldma_chan *chan)
{
	int ret = 0;

	spin_lock_irq(&chan->done_lock);
	if (READ_ONCE(chan->pldma->dead))
		ret = -ENODEV;
	else
		chan->users++;
	spin_unlock_irq(&chan->done_lock);
	return ret;
}

static void pldma_exit_locked(struct pldma_chan *chan)
{
	lockdep_assert_held(&chan->done_lock);
	if (!--chan->users && READ_ONCE(chan->pldma->dead))
		wake_up_all(&chan->wq);
}

/**
 * pldma_chan_exit() - undo pldma_chan_enter()
 * @chan: direction
 */
void pldma_chan_exit(struct pldma_chan *chan)
{
	spin_lock_irq(&chan->done_lock);
	pldma_exit_locked(chan);
	spin_unlock_irq(&chan->done_lock);
}

static void pldma_claim(struct pldma_block *block)
{
	lockdep_assert_held(&block->chan->done_lock);
	block->busy = true;
	list_del_init(&block->node);
	block->chan->users++;
}

/**
 * pldma_block_claim() - claim a block in state USER
 * @block: the block
 *
 * Return: 0, for pldma_block_unclaim(), or -ENODEV, -ENOENT, or -EBUSY.
 */
int pldma_block_claim(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	int ret = 0;

	spin_lock_irq(&chan->done_lock);
	if (READ_ONCE(chan->pldma->dead))
		ret = -ENODEV;
	else if (block->gone)
		ret = -ENOENT;
	else if (block->state != PLDMA_STATE_USER || block->busy)
		ret = -EBUSY;
	else
		pldma_claim(block);
	spin_unlock_irq(&chan->done_lock);
	return ret;
}

/**
 * pldma_claim_first() - claim the first block of a list
 * @chan: direction, its done_lock held
 * @list: one of its lists
 *
 * Return: the block, which is not in the list any more, or NULL.
 */
struct pldma_block *pldma_claim_first(struct pldma_chan *chan, struct list_head *list)
{
	struct pldma_block *block;

	lockdep_assert_held(&chan->done_lock);
	if (READ_ONCE(chan->pldma->dead))
		return NULL;
	block = list_first_entry_or_null(list, struct pldma_block, node);
	if (block)
		pldma_claim(block);
	return block;
}

/* let other calls claim a block */
static void pldma_offer(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;

	lockdep_assert_held(&chan->done_lock);
	block->busy = false;
	if (block->policy == PLDMA_BOUNCE && block->state == PLDMA_STATE_USER) {
		list_add_tail(&block->node, &chan->ring_free);
		wake_up_interruptible(&chan->wq);
	}
}

/**
 * pldma_block_offer() - let other calls claim new blocks
 * @chan: direction of the blocks
 * @fresh: list of the blocks, which is empty afterwards
 */
void pldma_block_offer(struct pldma_chan *chan, struct list_head *fresh)
{
	struct pldma_block *block, *next;

	spin_lock_irq(&chan->done_lock);
	list_for_each_entry_safe(block, next, fresh, node) {
		list_del_init(&block->node);
		pldma_offer(block);
	}
	spin_unlock_irq(&chan->done_lock);
}

/**
 * pldma_unclaim() - end the claim of a block that is in no list
 * @block: the block, done_lock of its channel held
 */
void pldma_unclaim(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;

	lockdep_assert_held(&chan->done_lock);
	pldma_offer(block);
	pldma_exit_locked(chan);
}

/**
 * pldma_block_unclaim() - undo pldma_block_claim()
 * @block: the block
 */
void pldma_block_unclaim(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;

	spin_lock_irq(&chan->done_lock);
	pldma_unclaim(block);
	spin_unlock_irq(&chan->done_lock);
}

/**
 * pldma_block_unclaim_done() - return a claimed block to its list of completions
 * @block: block in state DONE
 * @list: the list from which pldma_claim_first() took it
 */
void pldma_block_unclaim_done(struct pldma_block *block, struct list_head *list)
{
	struct pldma_chan *chan = block->chan;
	struct pldma_block *later;

	spin_lock_irq(&chan->done_lock);
	/* another call may have returned a later completion before */
	list_for_each_entry(later, list, node)
		if (later->done_ns >= block->done_ns)
			break;
	list_add_tail(&block->node, &later->node);
	pldma_unclaim(block);
	spin_unlock_irq(&chan->done_lock);
	wake_up_interruptible(&chan->wq);
}

/**
 * pldma_block_release() - free the memory of a block
 * @block: block that neither the engine nor user space can access any more
 */
void pldma_block_release(struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;

	spin_lock_irq(&chan->done_lock);
	list_del_init(&block->node);
	block->gone = true;
	spin_unlock_irq(&chan->done_lock);
	pldma_user_unmap(block, true, false);
	pldma_import_unmap(block);
	pldma_memory_free(block);
}

/**
 * pldma_block_hide() - take the id and the mmap() offset from a block
 * @block: the block
 *
 * Context: table_lock held.
 */
void pldma_block_hide(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	lockdep_assert_held(&pldma->table_lock);
	if (block->id)
		xa_erase(&pldma->blocks, block->id);
	if (block->pgoff)
		xa_erase(&pldma->by_pgoff, block->pgoff);
	if (block->id && block->policy == PLDMA_BOUNCE)
		block->chan->ring_blocks--;
	block->id = 0;
	block->pgoff = 0;
}

/* subtract the memory of a block from the limit */
static void pldma_block_uncharge(struct pldma_block *block)
{
	block->chan->pldma->bytes -= pldma_policy_bytes(block->chan, block->policy, block->size);
}

/**
 * pldma_block_forget() - hide a block and subtract it from the limits
 * @block: the block
 *
 * Its memory counts until the last buffer of EXPORT goes.
 *
 * Context: table_lock held.
 */
void pldma_block_forget(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	lockdep_assert_held(&pldma->table_lock);
	pldma_block_hide(block);
	pldma->nblocks--;
	block->forgotten = true;
	if (!block->exports)
		pldma_block_uncharge(block);
}

/**
 * pldma_block_unexport() - a buffer of EXPORT is gone
 * @block: the block, which may be forgotten already
 */
void pldma_block_unexport(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	mutex_lock(&pldma->table_lock);
	if (!--block->exports && block->forgotten)
		pldma_block_uncharge(block);
	mutex_unlock(&pldma->table_lock);
}

/**
 * pldma_block_orphan() - keep a block that the engine may still access
 * @block: block in state QUARANTINED whose owner closes the device
 *
 * The next owner cannot see the block, but it counts against the limits.
 */
void pldma_block_orphan(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	mutex_lock(&pldma->table_lock);
	pldma_block_hide(block);
	spin_lock_irq(&block->chan->done_lock);
	list_move_tail(&block->node, &block->chan->orphans);
	spin_unlock_irq(&block->chan->done_lock);
	mutex_unlock(&pldma->table_lock);
}

/**
 * pldma_block_drop() - remove a block from the table and free it
 * @block: block that neither the engine nor user space can access any more
 */
void pldma_block_drop(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	mutex_lock(&pldma->table_lock);
	pldma_block_forget(block);
	mutex_unlock(&pldma->table_lock);
	pldma_block_release(block);
	pldma_block_put(block);
}
