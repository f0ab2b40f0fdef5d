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

static char *memcpy_chans[PLDMA_MAX_PAIRS];
static unsigned int nmemcpy;
module_param_array_named(memcpy, memcpy_chans, charp, &nmemcpy, 0444);
MODULE_PARM_DESC(memcpy, "names of channels that copy memory, one per memory loop");

static DEFINE_IDA(pldma_ida);
static struct platform_device *pldma_pairs[2 * PLDMA_MAX_PAIRS];
static unsigned int npairs;

static void pldma_put(void *data)
{
	pldma_dev_put(data);
}

/* release the channels; the engine is stopped and cannot be started any more */
static void pldma_release_channels(void *data)
{
	struct dma_chan *dma[PLDMA_NR_DIRECTIONS];
	struct pldma_dev *pldma = data;
	u32 i;

	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];

		/* a concurrent close() must not use a channel after it is released */
		mutex_lock(&chan->lock);
		WRITE_ONCE(pldma->dead, true);
		dma[i] = chan->dma;
		chan->dma = NULL;
		mutex_unlock(&chan->lock);
	}
	pldma_loop_stop(pldma);
	if (dma[PLDMA_TX])
		dma_release_channel(dma[PLDMA_TX]);
	/* both directions of a memory loop have the same channel */
	if (dma[PLDMA_RX] && dma[PLDMA_RX] != dma[PLDMA_TX])
		dma_release_channel(dma[PLDMA_RX]);
	/* pl330 lacks device_synchronize(), so callbacks may run until here */
	pldma_loop_free(pldma);
}

static void pldma_free_id(void *data)
{
	struct pldma_dev *pldma = data;

	ida_free(&pldma_ida, pldma->id);
}

static bool pldma_unused(struct pldma_chan *chan)
{
	bool unused;

	spin_lock_irq(&chan->done_lock);
	unused = !chan->users;
	spin_unlock_irq(&chan->done_lock);
	return unused;
}

/*
 * Remove the device: wake waiters, wait for calls that use the DMA device, tear down
 * mappings, free memory, in this order.
 * A process that still has the file open gets ENODEV.
 */
static void pldma_remove(void *data)
{
	struct pldma_dev *pldma = data;
	u32 i, left = 0;

	misc_deregister(&pldma->misc);
	pldma_debugfs_remove(pldma);
	mutex_lock(&pldma->table_lock);
	WRITE_ONCE(pldma->dead, true);
	mutex_unlock(&pldma->table_lock);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		wake_up_all(&pldma->chan[i].wq);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		wait_event(pldma->chan[i].wq, pldma_unused(&pldma->chan[i]));

	pldma_zap_mappings(pldma);
	pldma_shutdown(pldma);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];

		cancel_work_sync(&chan->submit);
		left += pldma_quarantine(chan, NULL);
		pldma_forget_holes(chan);
	}
	/* leaking pages is better than letting the engine write to memory of others */
	if (left)
		dev_err(pldma->dev, "engine not idle: %u blocks stay pinned until reboot\n", left);
}

/* before a reboot or kexec, which close no files: the next kernel owns the memory */
static void pldma_platform_shutdown(struct platform_device *pdev)
{
	pldma_halt(platform_get_drvdata(pdev));
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
	pldma_debugfs_add(pldma);
	platform_set_drvdata(pdev, pldma);
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
	.shutdown = pldma_platform_shutdown,
	.id_table = pldma_ids,
	.driver = {
		.name = "pldma",
		.of_match_table = pldma_of_match,
		.pm = pm_sleep_ptr(&pldma_pm_ops),
	},
};

static const char *pldma_pair_name(char **names, unsigned int n, unsigned int i)
{
	return i < n && strcmp(names[i], "-") ? names[i] : NULL;
}

static void pldma_unmake_pairs(void)
{
	while (npairs)
		platform_device_unregister(pldma_pairs[--npairs]);
}

static int __init pldma_make_pair(const struct pldma_pair *pair)
{
	struct platform_device *pdev;

	pdev = platform_device_register_data(NULL, "pldma-pair", npairs, pair, sizeof(*pair));
	if (IS_ERR(pdev)) {
		pldma_unmake_pairs();
		return PTR_ERR(pdev);
	}
	pldma_pairs[npairs++] = pdev;
	return 0;
}

/* create one platform device for each pair of channels of tx= and rx=, and of memcpy= */
static int __init pldma_make_pairs(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < max(ntx, nrx); i++) {
		struct pldma_pair pair = {
			.name = { pldma_pair_name(tx, ntx, i), pldma_pair_name(rx, nrx, i) },
		};

		ret = pldma_make_pair(&pair);
	}
	for (i = 0; !ret && i < nmemcpy; i++) {
		struct pldma_pair pair = { .memcpy = memcpy_chans[i] };

		ret = pldma_make_pair(&pair);
	}
	return ret;
}

static int __init pldma_init(void)
{
	int ret;

	if (!pldma_dev_params_valid() || !pldma_quirks_valid())
		return -EINVAL;
	ret = pldma_xfer_init();
	if (ret)
		return ret;
	ret = pldma_loop_init();
	if (ret)
		goto err_xfer;
	pldma_debugfs_init();
	ret = platform_driver_register(&pldma_driver);
	if (ret)
		goto err_debugfs;
	ret = pldma_make_pairs();
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	platform_driver_unregister(&pldma_driver);
err_debugfs:
	pldma_debugfs_exit();
	pldma_loop_exit();
err_xfer:
	pldma_xfer_exit();
	return ret;
}
module_init(pldma_init);

static void __exit pldma_exit(void)
{
	pldma_unmake_pairs();
	platform_driver_unregister(&pldma_driver);
	pldma_debugfs_exit();
	pldma_loop_exit();
	pldma_xfer_exit();
}
module_exit(pldma_exit);

MODULE_DESCRIPTION("DMA blocks between user space and programmable logic");
MODULE_AUTHOR("the Plumbline contributors");
MODULE_LICENSE("GPL");
PLDMA_IMPORT_DMA_BUF;
MODULE_VERSION("0.1.0");
