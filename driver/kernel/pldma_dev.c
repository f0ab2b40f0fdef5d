// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: the device object, which the binding and the open file share
 */
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "pldma_priv.h"

const char * const pldma_direction_names[PLDMA_NR_DIRECTIONS] = { "tx", "rx" };

static struct lock_class_key pldma_chan_keys[PLDMA_NR_DIRECTIONS];

static ulong max_block = 4UL << 20;
module_param(max_block, ulong, 0444);
MODULE_PARM_DESC(max_block, "size of the largest block in bytes (default 4 MiB)");

static ulong max_bytes;
module_param(max_bytes, ulong, 0444);
MODULE_PARM_DESC(max_bytes,
		 "limit of driver-owned memory per device in bytes (default 256 MiB, at most a quarter of RAM)");

/**
 * pldma_dev_params_valid() - check the module parameters that limit memory
 *
 * Return: true if they are valid.
 */
bool pldma_dev_params_valid(void)
{
	return max_block && max_block <= SZ_1G;
}

/**
 * pldma_dev_new() - create a device without channels
 * @dev: the device that is being bound
 *
 * Return: the device, on which the caller holds a reference, or NULL.
 */
struct pldma_dev *pldma_dev_new(struct device *dev)
{
	struct pldma_dev *pldma;
	u64 limit;
	u32 i;

	pldma = kzalloc(sizeof(*pldma), GFP_KERNEL);
	if (!pldma)
		return NULL;
	kref_init(&pldma->ref);
	pldma->dev = get_device(dev);
	mutex_init(&pldma->reset_lock);
	mutex_init(&pldma->table_lock);
	spin_lock_init(&pldma->errors.lock);
	xa_init(&pldma->blocks);
	xa_init(&pldma->by_pgoff);
	INIT_LIST_HEAD(&pldma->mappings);
	pldma->max_block = PAGE_ALIGN(max_block);
	limit = (u64)totalram_pages() << (PAGE_SHIFT - 2);
	pldma->max_bytes = max_bytes ? max_bytes : min_t(u64, limit, 256ULL << 20);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];

		chan->pldma = pldma;
		chan->direction = i;
		chan->map_dir = i == PLDMA_TX ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
		mutex_init(&chan->lock);
		lockdep_set_class(&chan->lock, &pldma_chan_keys[i]);
		spin_lock_init(&chan->done_lock);
		init_waitqueue_head(&chan->wq);
		INIT_WORK(&chan->submit, pldma_submit_work);
		INIT_LIST_HEAD(&chan->orphans);
		INIT_LIST_HEAD(&chan->holes);
		INIT_LIST_HEAD(&chan->queued);
		INIT_LIST_HEAD(&chan->in_flight);
		INIT_LIST_HEAD(&chan->done);
		INIT_LIST_HEAD(&chan->ring_done);
		INIT_LIST_HEAD(&chan->ring_free);
		INIT_LIST_HEAD(&chan->quarantine);
	}
	return pldma;
}

static void pldma_dev_free(struct kref *ref)
{
	struct pldma_dev *pldma = container_of(ref, struct pldma_dev, ref);

	xa_destroy(&pldma->blocks);
	xa_destroy(&pldma->by_pgoff);
	put_device(pldma->dev);
	kfree(pldma);
}

/**
 * pldma_dev_put() - drop a reference
 * @pldma: the device
 */
void pldma_dev_put(struct pldma_dev *pldma)
{
	kref_put(&pldma->ref, pldma_dev_free);
}
