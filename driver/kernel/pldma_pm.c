// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: suspend, which is refused while the engine may access memory
 *
 * An engine that loses its power or its clock in the middle of a frame cannot go on
 * after resume, and no core and no driver of a DMA controller is known to save its
 * state. So the owner of the device has to end its transfers first.
 */
#include <linux/device.h>
#include <linux/pm.h>

#include "pldma_priv.h"

static int pldma_suspend(struct device *dev)
{
	struct pldma_dev *pldma = dev_get_drvdata(dev);
	u32 i;

	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];
		u32 pending;
		bool wedged;

		spin_lock_irq(&chan->done_lock);
		pending = chan->pending;
		/* no RESET is running, because user space is frozen */
		wedged = chan->wedged || !list_empty(&chan->holes);
		spin_unlock_irq(&chan->done_lock);
		if (!pending && !wedged)
			continue;
		dev_warn(dev, "no suspend: channel %s has %u blocks in flight or queued%s\n",
			 chan->channel, pending, wedged ? " and is not idle" : "");
		return -EBUSY;
	}
	return 0;
}

/* user space is frozen meanwhile, so nothing is to do at resume */
DEFINE_SIMPLE_DEV_PM_OPS(pldma_pm_ops, pldma_suspend, NULL);
