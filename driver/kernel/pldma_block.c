// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: a block: its reference count, its id, and its release
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
	block->policy = policy;
	block->size = size;
	return block;
}

static void pldma_block_free(struct kref *ref)
{
	struct pldma_block *block = container_of(ref, struct pldma_block, ref);

	if (block->user.mm)
		mmdrop(block->user.mm);
	kfree(block);
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
 * pldma_block_lock() - find a block by its id and lock its channel
 * @pldma: the device
 * @id: id of the block
 *
 * Return: the block, for pldma_block_unlock(), or -ENOENT, or -ENODEV after the
 * device is gone.
 */
struct pldma_block *pldma_block_lock(struct pldma_dev *pldma, u32 id)
{
	struct pldma_block *block;

	mutex_lock(&pldma->table_lock);
	block = pldma->dead ? ERR_PTR(-ENODEV) : xa_load(&pldma->blocks, id);
	if (!IS_ERR_OR_NULL(block))
		kref_get(&block->ref);
	mutex_unlock(&pldma->table_lock);
	if (!block)
		return ERR_PTR(-ENOENT);
	if (IS_ERR(block))
		return block;

	mutex_lock(&block->chan->lock);
	if (!pldma->dead && !block->gone)
		return block;
	pldma_block_unlock(block);
	return ERR_PTR(READ_ONCE(pldma->dead) ? -ENODEV : -ENOENT);
}

/**
 * pldma_block_unlock() - undo pldma_block_lock()
 * @block: the block. It may be freed by this call
 */
void pldma_block_unlock(struct pldma_block *block)
{
	mutex_unlock(&block->chan->lock);
	pldma_block_put(block);
}

/**
 * pldma_block_release() - free the memory of a block
 * @block: block that neither the engine nor user space can access any more
 */
void pldma_block_release(struct pldma_block *block)
{
	lockdep_assert_held(&block->chan->lock);
	block->gone = true;
	pldma_user_unmap(block, true, false);
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

/**
 * pldma_block_forget() - hide a block and subtract it from the limits
 * @block: the block
 *
 * Context: table_lock held.
 */
void pldma_block_forget(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;

	pldma_block_hide(block);
	pldma->nblocks--;
	if (!pldma_policy_is_user(block->policy))
		pldma->bytes -= PAGE_ALIGN(block->size);
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
	list_move_tail(&block->node, &block->chan->orphans);
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
