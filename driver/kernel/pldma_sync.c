// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: which policy syncs which range at which transition
 *
 * PLDMA_STREAMING_LAZY leaves out for_device on receive. That is safe, because no
 * cache line of the block can be dirty while the engine writes: the pages are
 * cleaned before they are mapped (see pldma_memory.c), user space cannot get a
 * writable mapping (only shared mappings, VM_MAYWRITE cleared), and for_cpu on
 * receive is never left out.
 */
#include <linux/dma-mapping.h>
#include <linux/ktime.h>

#include "pldma_priv.h"
#include "pldma_fault.h"

/**
 * pldma_block_needs_sync() - check whether sync calls of a block have any effect
 * @block: the block
 *
 * The answer is that of the DMA API, because also a coherent device may use
 * bounce buffers.
 *
 * Return: false for memory that is never synced or need not be.
 */
bool pldma_block_needs_sync(struct pldma_block *block)
{
	switch (block->policy) {
	case PLDMA_COHERENT:
	case PLDMA_WRITE_COMBINE:
	case PLDMA_NONE:
		return false;
	default:
		break;
	}
	return READ_ONCE(block->nsegs) ? READ_ONCE(block->needs_sync) : block->chan->needs_sync;
}

static void pldma_sync_one(struct pldma_chan *chan, u32 op, dma_addr_t addr, size_t len)
{
	if (op == PLDMA_SYNC_FOR_DEVICE)
		dma_sync_single_for_device(chan->map_dev, addr, len, chan->map_dir);
	else
		dma_sync_single_for_cpu(chan->map_dev, addr, len, chan->map_dir);
}

/**
 * pldma_block_sync() - sync a range of a block
 * @block: claimed block whose memory is mapped and can be synced
 * @op: enum pldma_sync_op
 * @offset: start of the range
 * @len: bytes; 0 does nothing
 * @verify: see pldma_cost_add()
 *
 * Context: process context.
 */
static void pldma_block_sync(struct pldma_block *block, u32 op, size_t offset, size_t len,
			     bool verify)
{
	struct pldma_chan *chan = block->chan;
	u32 kind = op == PLDMA_SYNC_FOR_DEVICE ? PLDMA_COST_FOR_DEVICE : PLDMA_COST_FOR_CPU;
	size_t at = 0;
	unsigned int i;
	u64 start, ns;

	if (!len)
		return;
	start = ktime_get_ns();
	if (block->policy == PLDMA_USER_PAGES_REGISTERED) {
		len = block->size;
		if (op == PLDMA_SYNC_FOR_DEVICE)
			dma_sync_sgtable_for_device(chan->map_dev, &block->user.sgt,
						    chan->map_dir);
		else
			dma_sync_sgtable_for_cpu(chan->map_dev, &block->user.sgt,
						 chan->map_dir);
	} else if (block->vaddr) {
		pldma_sync_one(chan, op, block->dma + offset, len);
	} else {
		for (i = 0; i < block->nchunks && at < offset + len; i++) {
			size_t size = PAGE_SIZE << block->chunks[i].order;
			size_t from = max(offset, at), to = min(offset + len, at + size);

			if (from < to)
				pldma_sync_one(chan, op, block->chunks[i].dma + (from - at),
					       to - from);
			at += size;
		}
	}
	ns = pldma_cost_add(chan, kind, verify, len, start);
	if (op == PLDMA_SYNC_FOR_DEVICE)
		block->sync_device_ns += ns;
	else
		block->sync_cpu_ns += ns;
}

/* extend a range to whole cache lines within the block */
static void pldma_widen(struct pldma_block *block, size_t *offset, size_t *len)
{
	size_t align = pldma_cache_align();
	size_t end = min_t(size_t, ALIGN(*offset + *len, align), PAGE_ALIGN(block->size));

	*offset = ALIGN_DOWN(*offset, align);
	*len = end - *offset;
}

/* size of a block rounded up to whole cache lines */
static size_t pldma_sync_len(const struct pldma_block *block)
{
	return min_t(size_t, ALIGN(block->size, pldma_cache_align()), PAGE_ALIGN(block->size));
}

/* the range that the policy syncs at a transition; false if it syncs nothing */
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
		/* only tx for_device and rx for_cpu */
		if (tx != for_device)
			return false;
		/* after an error the engine may have written to the whole range */
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

/**
 * pldma_for_device() - do what the policy does before the engine may access memory
 * @block: block that the caller has claimed. User pages are mapped already
 */
void pldma_for_device(struct pldma_block *block)
{
	size_t offset, len;

	if (pldma_sync_range(block, PLDMA_SYNC_FOR_DEVICE, &offset, &len))
		pldma_block_sync(block, PLDMA_SYNC_FOR_DEVICE, offset, len,
				 block->flags & PLDMA_ENQUEUE_VERIFY);
}

/**
 * pldma_for_cpu() - do what the policy does before the CPU may access memory
 * @block: block that the caller has claimed
 */
void pldma_for_cpu(struct pldma_block *block)
{
	bool verify = block->flags & PLDMA_ENQUEUE_VERIFY;
	size_t offset, len;

	if (block->policy == PLDMA_USER_PAGES)
		pldma_user_unmap(block, verify, true);
	else if (pldma_sync_range(block, PLDMA_SYNC_FOR_CPU, &offset, &len))
		pldma_block_sync(block, PLDMA_SYNC_FOR_CPU, offset, len, verify);
}

/**
 * pldma_for_cpu_all() - hand a whole block to the CPU after RESET
 * @block: block that the caller has claimed. The engine may have written to any part of it
 */
void pldma_for_cpu_all(struct pldma_block *block)
{
	switch (block->policy) {
	case PLDMA_USER_PAGES:
		pldma_user_unmap(block, true, true);
		break;
	case PLDMA_COHERENT:
	case PLDMA_WRITE_COMBINE:
	case PLDMA_MANUAL:
	case PLDMA_DMA_BUF:
	case PLDMA_NONE:
		break;
	default:
		pldma_block_sync(block, PLDMA_SYNC_FOR_CPU, 0, pldma_sync_len(block), true);
		break;
	}
}

/**
 * pldma_sync() - PLDMA_IOC_SYNC
 * @pldma: the device
 * @arg: argument, in which the outputs are set on success
 *
 * Return: 0 or a negative errno.
 */
int pldma_sync(struct pldma_dev *pldma, struct pldma_sync *arg)
{
	struct pldma_block *block;
	int ret;

	if (arg->op > PLDMA_SYNC_FOR_CPU)
		return -EINVAL;
	block = pldma_block_get(pldma, arg->id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	if (block->policy != PLDMA_MANUAL || !arg->length || arg->offset > block->size ||
	    arg->length > block->size - arg->offset)
		ret = -EINVAL;
	else
		ret = pldma_block_claim(block);
	if (!ret) {
		block->sync_device_ns = 0;
		block->sync_cpu_ns = 0;
		pldma_block_sync(block, arg->op, arg->offset, arg->length, false);
		arg->ns = block->sync_device_ns + block->sync_cpu_ns;
		pldma_block_unclaim(block);
	}
	pldma_block_put(block);
	return ret;
}

/**
 * pldma_sync_whole() - do for a whole block what SYNC does, if its policy allows SYNC
 * @block: the block
 * @op: enum pldma_sync_op
 *
 * Return: 0, also after FREE or removal, when no device is left; or -EBUSY if the
 * caller of ENQUEUE does not own the block at present.
 */
int pldma_sync_whole(struct pldma_block *block, u32 op)
{
	struct pldma_chan *chan = block->chan;
	bool busy;
	int ret;

	/* the other policies sync in ENQUEUE and DEQUEUE */
	if (block->policy != PLDMA_MANUAL) {
		spin_lock_irq(&chan->done_lock);
		busy = !block->gone && !READ_ONCE(chan->pldma->dead) &&
			block->state != PLDMA_STATE_USER;
		spin_unlock_irq(&chan->done_lock);
		return busy ? -EBUSY : 0;
	}
	ret = pldma_block_claim(block);
	if (ret)
		return ret == -EBUSY ? ret : 0;
	pldma_block_sync(block, op, 0, pldma_sync_len(block), false);
	pldma_block_unclaim(block);
	return 0;
}
