// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: providers that report more than dmaengine does
 *
 * A provider registers before its channels can be requested, and unregisters after
 * they are released. So pldma may use the operations while it holds a channel.
 */
#include <linux/export.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "pldma_priv.h"

struct pldma_provider {
	struct list_head node;
	struct dma_device *dma;
	const struct pldma_provider_ops *ops;
};

static bool providers = true;
module_param(providers, bool, 0444);
MODULE_PARM_DESC(providers,
		 "use what a DMA controller reports to pldma beyond dmaengine (default Y)");

static LIST_HEAD(pldma_providers);
static DEFINE_MUTEX(pldma_providers_lock);

/**
 * pldma_register_provider() - register the operations of a DMA controller
 * @dma: the controller. Call this before dma_async_device_register()
 * @ops: its operations, valid until pldma_unregister_provider()
 *
 * Return: 0, or -ENOMEM.
 */
int pldma_register_provider(struct dma_device *dma, const struct pldma_provider_ops *ops)
{
	struct pldma_provider *provider;

	provider = kzalloc(sizeof(*provider), GFP_KERNEL);
	if (!provider)
		return -ENOMEM;
	provider->dma = dma;
	provider->ops = ops;
	mutex_lock(&pldma_providers_lock);
	list_add(&provider->node, &pldma_providers);
	mutex_unlock(&pldma_providers_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(pldma_register_provider);

/**
 * pldma_unregister_provider() - undo pldma_register_provider()
 * @dma: the controller, none of whose channels is in use
 */
void pldma_unregister_provider(struct dma_device *dma)
{
	struct pldma_provider *provider, *next;

	mutex_lock(&pldma_providers_lock);
	list_for_each_entry_safe(provider, next, &pldma_providers, node) {
		if (provider->dma == dma) {
			list_del(&provider->node);
			kfree(provider);
			break;
		}
	}
	mutex_unlock(&pldma_providers_lock);
}
EXPORT_SYMBOL_GPL(pldma_unregister_provider);

/**
 * pldma_find_provider() - find the operations of a DMA controller
 * @dma: the controller, of which the caller holds a channel
 *
 * Return: the operations, or NULL if the controller has not registered any or the
 * module parameter providers is off.
 */
const struct pldma_provider_ops *pldma_find_provider(struct dma_device *dma)
{
	const struct pldma_provider_ops *ops = NULL;
	struct pldma_provider *provider;

	if (!providers)
		return NULL;
	mutex_lock(&pldma_providers_lock);
	list_for_each_entry(provider, &pldma_providers, node) {
		if (provider->dma == dma) {
			ops = provider->ops;
			break;
		}
	}
	mutex_unlock(&pldma_providers_lock);
	return ops;
}
