// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: DMA blocks between user space and programmable logic
 *
 * A client of the kernel's dmaengine API. Each pair of channels, of which either
 * may be absent, has one device node /dev/pldmaN. uapi/pldma.h describes the ioctl
 * API, README.md the other files, pldma_priv.h their structs and locks.
 *
 * This file loads the module, and binds and unbinds devices.
 */
#include <linux/idr.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "pldma_priv.h"

#define PLDMA_MAX_PAIRS	8

static char *tx[PLDMA_MAX_PAIRS];
static unsigned int ntx;
module_param_array(tx, charp, &ntx, 0444);
MODULE_PARM_DESC(tx, "names of transmit channels, one per device, - for none");

static char *rx[PLDMA_MAX_PAIRS];
static unsigned int nrx;
module_param_array(rx, charp, &nrx, 0444);
MODULE_PARM_DESC(rx, "names of receive channels, one per device, - for none");

static DEFINE_IDA(pldma_ida);
static struct platform_device *pldma_pairs[PLDMA_MAX_PAIRS];

static void pldma_put(void *data)
{
	pldma_dev_put(data);
}

/* release the channels; the engine is stopped and cannot be started any more */
static void pldma_release_channels(void *data)
{
	struct pldma_dev *pldma = data;
	u32 i;

	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];
		struct dma_chan *dma;

		/* a concurrent close() must not use a channel after it is released */
		mutex_lock(&chan->lock);
		WRITE_ONCE(pldma->dead, true);
		dma = chan->dma;
		chan->dma = NULL;
		mutex_unlock(&chan->lock);
		if (dma)
			dma_release_channel(dma);
	}
}

static void pldma_free_id(void *data)
{
	struct pldma_dev *pldma = data;

	ida_free(&pldma_ida, pldma->id);
}

/*
 * Remove the device: wake waiters, tear down mappings, free memory, in this order.
 * A process that still has the file open gets ENODEV.
 */
static void pldma_remove(void *data)
{
	struct pldma_dev *pldma = data;
	u32 i, left = 0;

	misc_deregister(&pldma->misc);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		mutex_lock(&pldma->chan[i].lock);
	mutex_lock(&pldma->table_lock);
	WRITE_ONCE(pldma->dead, true);
	mutex_unlock(&pldma->table_lock);
	for (i = PLDMA_NR_DIRECTIONS; i-- > 0;)
		mutex_unlock(&pldma->chan[i].lock);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		wake_up_all(&pldma->chan[i].wq);

	pldma_zap_mappings(pldma);
	pldma_shutdown(pldma);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];

		cancel_work_sync(&chan->submit);
		mutex_lock(&chan->lock);
		left += pldma_quarantine(chan, NULL);
		mutex_unlock(&chan->lock);
	}
	/* leaking pages is better than letting the engine write to memory of others */
	if (left)
		dev_err(pldma->dev, "engine not idle: %u blocks stay pinned until reboot\n", left);
}

static int pldma_probe(struct platform_device *pdev)
{
	int missing[PLDMA_NR_DIRECTIONS] = {};
	struct device *dev = &pdev->dev;
	struct pldma_dev *pldma;
	u32 direction;
	int ret;

	pldma = pldma_dev_new(dev);
	if (!pldma)
		return -ENOMEM;
	ret = devm_add_action_or_reset(dev, pldma_put, pldma);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, pldma_release_channels, pldma);
	if (ret)
		return ret;

	for (direction = 0; direction < PLDMA_NR_DIRECTIONS; direction++) {
		struct dma_chan *chan = pldma_chan_request(pldma, direction);

		if (IS_ERR(chan))
			missing[direction] = PTR_ERR(chan);
		else
			pldma->chan[direction].dma = chan;
	}
	for (direction = 0; direction < PLDMA_NR_DIRECTIONS; direction++) {
		struct pldma_chan *chan = &pldma->chan[direction];

		ret = missing[direction];
		if (ret && ret != -ENODEV && !pldma_chan_unmapped(pldma, direction))
			return dev_err_probe(dev, ret, "no %s channel\n",
					     pldma_direction_names[direction]);
		if (!chan->dma)
			continue;
		ret = pldma_chan_init(pldma, direction);
		if (ret)
			return dev_err_probe(dev, ret, "cannot use %s channel %s\n",
					     pldma_direction_names[direction],
					     dma_chan_name(chan->dma));
	}
	if (!pldma->chan[PLDMA_TX].dma && !pldma->chan[PLDMA_RX].dma)
		return dev_err_probe(dev, -ENODEV, "no tx and no rx channel\n");

	pldma->id = ida_alloc(&pldma_ida, GFP_KERNEL);
	if (pldma->id < 0)
		return pldma->id;
	ret = devm_add_action_or_reset(dev, pldma_free_id, pldma);
	if (ret)
		return ret;
	snprintf(pldma->name, sizeof(pldma->name), "pldma%d", pldma->id);
	pldma->misc.minor = MISC_DYNAMIC_MINOR;
	pldma->misc.name = pldma->name;
	pldma->misc.fops = &pldma_fops;
	pldma->misc.parent = dev;
	pldma->misc.mode = 0660;
	ret = misc_register(&pldma->misc);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, pldma_remove, pldma);
	if (ret)
		return ret;
	dev_dbg(dev, "/dev/%s: tx %s, rx %s\n", pldma->name,
		pldma->chan[PLDMA_TX].dma ? pldma->chan[PLDMA_TX].channel : "none",
		pldma->chan[PLDMA_RX].dma ? pldma->chan[PLDMA_RX].channel : "none");
	return 0;
}

static const struct of_device_id pldma_of_match[] = {
	{ .compatible = "plumbline,pldma" },
	{ }
};
MODULE_DEVICE_TABLE(of, pldma_of_match);

static const struct platform_device_id pldma_ids[] = {
	{ .name = "pldma" },
	{ .name = "pldma-pair" },
	{ }
};
MODULE_DEVICE_TABLE(platform, pldma_ids);

static struct platform_driver pldma_driver = {
	.probe = pldma_probe,
	.id_table = pldma_ids,
	.driver = {
		.name = "pldma",
		.of_match_table = pldma_of_match,
	},
};

static const char *pldma_pair_name(char **names, unsigned int n, unsigned int i)
{
	return i < n && strcmp(names[i], "-") ? names[i] : NULL;
}

static void pldma_unmake_pairs(void)
{
	int i;

	for (i = 0; i < PLDMA_MAX_PAIRS; i++)
		platform_device_unregister(pldma_pairs[i]);
}

/* create one platform device for each pair of channels named by tx= and rx= */
static int __init pldma_make_pairs(void)
{
	unsigned int i;

	for (i = 0; i < max(ntx, nrx); i++) {
		struct pldma_pair pair = {
			.name = { pldma_pair_name(tx, ntx, i), pldma_pair_name(rx, nrx, i) },
		};
		struct platform_device *pdev;

		pdev = platform_device_register_data(NULL, "pldma-pair", i, &pair, sizeof(pair));
		if (IS_ERR(pdev)) {
			pldma_unmake_pairs();
			return PTR_ERR(pdev);
		}
		pldma_pairs[i] = pdev;
	}
	return 0;
}

static int __init pldma_init(void)
{
	int ret;

	if (!pldma_dev_params_valid())
		return -EINVAL;
	ret = platform_driver_register(&pldma_driver);
	if (ret)
		return ret;
	ret = pldma_make_pairs();
	if (ret)
		platform_driver_unregister(&pldma_driver);
	return ret;
}
module_init(pldma_init);

static void __exit pldma_exit(void)
{
	pldma_unmake_pairs();
	platform_driver_unregister(&pldma_driver);
}
module_exit(pldma_exit);

MODULE_DESCRIPTION("DMA blocks between user space and programmable logic");
MODULE_AUTHOR("the Plumbline contributors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
