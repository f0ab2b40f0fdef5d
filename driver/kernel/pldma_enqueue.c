// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: ENQUEUE of one block, or of a batch of them
 */
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "pldma_priv.h"

/* check the argument, claim the block, and start its transfer */
static int pldma_enqueue_one(struct pldma_dev *pldma, const struct pldma_enqueue *arg)
{
	bool words = memchr_inv(arg->sideband, 0, sizeof(arg->sideband));
	struct pldma_block *block;
	int ret;

	if (READ_ONCE(pldma->dead))
		return -ENODEV;
	if (arg->flags & ~(PLDMA_ENQUEUE_VERIFY | PLDMA_ENQUEUE_UNALIGNED) || arg->reserved ||
	    (words && !pldma->chan[PLDMA_TX].core.sideband))
		return -EINVAL;
	block = pldma_block_get(pldma, arg->id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	if (words && block->chan->direction != PLDMA_TX)
		ret = -EINVAL;
	else
		ret = block->policy == PLDMA_BOUNCE ? -EINVAL : pldma_block_claim(block);
	if (!ret) {
		ret = pldma_xfer_start(block, arg);
		if (ret)
			pldma_block_unclaim(block);
	}
	pldma_block_put(block);
	return ret;
}

/**
 * pldma_enqueue_item() - PLDMA_IOC_ENQUEUE, or one item of a batch
 * @pldma: the device
 * @arg: argument
 * @uarg: address of the argument, for the error
 *
 * Return: 0, or a negative errno without any effect.
 */
int pldma_enqueue_item(struct pldma_dev *pldma, const struct pldma_enqueue *arg,
		       const struct pldma_uarg *uarg)
{
	struct pldma_enqueue __user *user = uarg->ptr;
	int ret;

	/* write it now, because a write after a successful ENQUEUE could fail */
	if (put_user(0, &user->error))
		return -EFAULT;
	ret = pldma_enqueue_one(pldma, arg);
	return ret ? pldma_store_error(&user->error, ret) : 0;
}

/**
 * pldma_enqueue_batch() - PLDMA_IOC_ENQUEUE_BATCH
 * @pldma: the device
 * @arg: argument, in which @done is set
 *
 * Return: 0 if at least one item was accepted, or the error of the first item.
 */
int pldma_enqueue_batch(struct pldma_dev *pldma, struct pldma_enqueue_batch *arg)
{
	int ret = 0;

	if (arg->flags || !pldma_batch_valid(arg->count, arg->item_size, PLDMA_ENQUEUE_LEAST))
		return -EINVAL;
	for (arg->done = 0; arg->done < arg->count; arg->done++) {
		struct pldma_uarg user = pldma_batch_item(arg->items, arg->item_size, arg->done);
		struct pldma_enqueue item;

		ret = copy_struct_from_user(&item, sizeof(item), user.ptr, user.size);
		if (!ret)
			ret = pldma_enqueue_item(pldma, &item, &user);
		if (ret)
			break;
		cond_resched();
	}
	return arg->done ? 0 : ret;
}
