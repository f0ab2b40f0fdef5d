// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: DMA blocks between user space and programmable logic
 *
 * A client of the kernel's dmaengine API. For each pair of channels, of which
 * either may be absent, there is one device node /dev/pldmaN. The ioctl API is
 * described in uapi/pldma.h, the states of a block in pldma_xfer.c, the sync
 * policies in pldma_block.c, the locks in pldma_priv.h.
 *
 * Channels come from, in this order,
 *  - module parameters tx= and rx=, that name channels as in
 *    /sys/class/dma ("dma0chan1"), as with dmatest;
 *  - the device tree ("dmas", "dma-names") or the slave map of the provider
 *    (dma_device.filter), through dma_request_chan().
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/log2.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>

#include "pldma_priv.h"

#define PLDMA_MAX_PAIRS	8

static ulong max_block = 4UL << 20;
module_param(max_block, ulong, 0444);
MODULE_PARM_DESC(max_block, "largest block in bytes (default 4 MiB)");

static ulong max_bytes;
module_param(max_bytes, ulong, 0444);
MODULE_PARM_DESC(max_bytes,
		 "bytes of driver-owned memory per device (default 256 MiB, at most a quarter of RAM)");

static uint queue_depth = 64;
module_param(queue_depth, uint, 0444);
MODULE_PARM_DESC(queue_depth, "blocks queued or in flight per direction (default 64)");

static uint engine_depth;
module_param(engine_depth, uint, 0444);
MODULE_PARM_DESC(engine_depth,
		 "transfers handed to the engine at once (default: what the provider says, else 1)");

static char *tx[PLDMA_MAX_PAIRS];
static unsigned int ntx;
module_param_array(tx, charp, &ntx, 0444);
MODULE_PARM_DESC(tx, "transmit channels by name, one per device, - for none");

static char *rx[PLDMA_MAX_PAIRS];
static unsigned int nrx;
module_param_array(rx, charp, &nrx, 0444);
MODULE_PARM_DESC(rx, "receive channels by name, one per device, - for none");

static DEFINE_IDA(pldma_ida);
static struct lock_class_key pldma_chan_keys[PLDMA_NR_DIRECTIONS];
static struct platform_device *pldma_pairs[PLDMA_MAX_PAIRS];

/* platform data of devices made from module parameters */
struct pldma_pair {
	const char *name[PLDMA_NR_DIRECTIONS];
};

static const char * const pldma_names[PLDMA_NR_DIRECTIONS] = { "tx", "rx" };

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

/**
 * pldma_chan_present() - is there such a channel
 * @pldma: the device
 * @direction: enum pldma_direction, not checked yet
 *
 * Return: true when it exists.
 */
bool pldma_chan_present(struct pldma_dev *pldma, u32 direction)
{
	return direction < PLDMA_NR_DIRECTIONS && pldma->chan[direction].map_dev;
}

static bool pldma_name_matches(struct dma_chan *chan, void *name)
{
	return !strcmp(dma_chan_name(chan), name);
}

static struct dma_chan *pldma_request(struct pldma_dev *pldma, u32 direction)
{
	const struct pldma_pair *pair = dev_get_platdata(pldma->dev);
	struct dma_chan *chan;
	dma_cap_mask_t mask;

	if (!pair)
		return dma_request_chan(pldma->dev, pldma_names[direction]);
	if (!pair->name[direction])
		return ERR_PTR(-ENODEV);
	dma_cap_zero(mask);
	dma_cap_set(DMA_SLAVE, mask);
	chan = dma_request_channel(mask, pldma_name_matches, (void *)pair->name[direction]);
	/* the provider may come later */
	return chan ? chan : ERR_PTR(-EPROBE_DEFER);
}

/*
 * Is a channel left out of a slave map on purpose? dma_request_chan() says only
 * -EPROBE_DEFER. But once the provider of the other channel is there, its map tells.
 */
static bool pldma_unmapped(struct pldma_dev *pldma, u32 direction)
{
	struct dma_chan *other = pldma->chan[!direction].dma;
	const struct dma_filter *filter;
	int i;

	if (!other || dev_fwnode(pldma->dev) || dev_get_platdata(pldma->dev))
		return false;
	filter = &other->device->filter;
	for (i = 0; i < filter->mapcnt; i++)
		if (!strcmp(filter->map[i].devname, dev_name(pldma->dev)) &&
		    !strcmp(filter->map[i].slave, pldma_names[direction]))
			return false;
	return filter->mapcnt;
}

/* does a page that is mapped for the channel need sync calls? Ask, do not guess */
static int pldma_probe_sync(struct pldma_chan *chan)
{
	struct page *page = alloc_page(GFP_KERNEL);
	dma_addr_t addr;
	int ret = 0;

	if (!page)
		return -ENOMEM;
	addr = dma_map_page(chan->map_dev, page, 0, PAGE_SIZE, chan->map_dir);
	if (dma_mapping_error(chan->map_dev, addr)) {
		ret = -EIO;
	} else {
		chan->needs_sync = dma_need_sync(chan->map_dev, addr);
		dma_unmap_page(chan->map_dev, addr, PAGE_SIZE, chan->map_dir);
	}
	__free_page(page);
	return ret;
}

static u32 pldma_property(struct pldma_dev *pldma, const char *name, u32 value)
{
	device_property_read_u32(pldma->dev, name, &value);
	return value;
}

static int pldma_chan_init(struct pldma_dev *pldma, u32 direction)
{
	struct pldma_chan *chan = &pldma->chan[direction];
	struct dma_slave_caps caps;
	struct device *provider;
	size_t chunk, align;
	int ret;

	ret = dma_get_slave_caps(chan->dma, &caps);
	if (ret)
		return ret;
	if (!chan->dma->device->device_prep_slave_sg ||
	    !(caps.directions & BIT(direction == PLDMA_TX ? DMA_MEM_TO_DEV : DMA_DEV_TO_MEM)))
		return -EOPNOTSUPP;

	provider = chan->dma->device->dev;
	/* a provider that goes away takes us along, and brings us back when it comes back */
	if (!device_link_add(pldma->dev, provider, DL_FLAG_AUTOPROBE_CONSUMER))
		return -ENODEV;

	chan->map_dev = dmaengine_get_dma_device(chan->dma);
	strscpy(chan->engine, provider->driver ? provider->driver->name : dev_name(provider),
		sizeof(chan->engine));
	strscpy(chan->channel, dma_chan_name(chan->dma), sizeof(chan->channel));

	ret = pldma_probe_sync(chan);
	if (ret)
		return ret;

	chan->ops = pldma_find_provider(chan->dma->device);
	chan->core.engine_depth = 1;
	chan->core.address_align = 1;
	chan->core.length_align = 1;
	if (chan->ops && chan->ops->describe)
		chan->ops->describe(chan->dma, &chan->core);
	chan->core.engine_depth = pldma_property(pldma, "plumbline,engine-depth",
						 chan->core.engine_depth);
	chan->core.address_align = pldma_property(pldma, "plumbline,address-align",
						  chan->core.address_align);
	chan->core.length_align = pldma_property(pldma, "plumbline,length-align",
						 chan->core.length_align);
	chan->terminate_stops = device_property_read_bool(pldma->dev,
							  "plumbline,terminate-stops-engine");
	if (engine_depth)
		chan->core.engine_depth = engine_depth;
	if (!is_power_of_2(chan->core.address_align) || !is_power_of_2(chan->core.length_align))
		return -EINVAL;

	/* a piece that is followed by another must end where one may begin */
	align = max3(pldma_cache_align(), (size_t)chan->core.address_align,
		     (size_t)chan->core.length_align);
	chan->max_seg = dma_get_max_seg_size(chan->map_dev);
	if (chan->max_seg > align)
		chan->max_seg = round_down(chan->max_seg, align);
	chunk = min_t(size_t, dma_max_mapping_size(chan->map_dev), chan->max_seg);
	chunk = clamp_t(size_t, chunk, PAGE_SIZE, PAGE_SIZE << PLDMA_MAX_PAGE_ORDER);
	chan->chunk_order = ilog2(chunk >> PAGE_SHIFT);

	/* only our own providers are known to fill in pldma's metadata */
	if (!chan->ops || !dmaengine_is_metadata_mode_supported(chan->dma, DESC_METADATA_CLIENT))
		chan->core.check_kind = PLDMA_CHECK_NONE;
	chan->core.engine_depth = clamp_t(u32, chan->core.engine_depth, 1, PLDMA_MAX_ENGINE_DEPTH);
	chan->queue_depth = clamp_t(u32, queue_depth, chan->core.engine_depth, PLDMA_MAX_BLOCKS);
	return 0;
}

static struct pldma_dev *pldma_dev_new(struct device *dev)
{
	struct pldma_dev *pldma;
	u64 limit;
	u32 i;

	pldma = kzalloc(sizeof(*pldma), GFP_KERNEL);
	if (!pldma)
		return NULL;
	kref_init(&pldma->ref);
	pldma->dev = get_device(dev);
	mutex_init(&pldma->table_lock);
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
		INIT_LIST_HEAD(&chan->queued);
		INIT_LIST_HEAD(&chan->in_flight);
		INIT_LIST_HEAD(&chan->done);
		INIT_LIST_HEAD(&chan->ring_done);
		INIT_LIST_HEAD(&chan->quarantine);
	}
	return pldma;
}

static void pldma_put(void *data)
{
	pldma_dev_put(data);
}

/* let go of the channels; the engine is stopped and nobody can start it */
static void pldma_release_channels(void *data)
{
	struct pldma_dev *pldma = data;
	u32 i;

	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];
		struct dma_chan *dma;

		/* a close() that runs now must not touch what we release */
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
 * The device goes. Waiters are woken, mappings torn down, memory freed, in this
 * order. Whoever still has the file open gets ENODEV.
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
	/* a leak is better than pages that an engine writes into for somebody else */
	if (left)
		dev_err(pldma->dev, "engine not idle: %u blocks stay pinned for ever\n", left);
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
		struct dma_chan *chan = pldma_request(pldma, direction);

		if (IS_ERR(chan))
			missing[direction] = PTR_ERR(chan);
		else
			pldma->chan[direction].dma = chan;
	}
	for (direction = 0; direction < PLDMA_NR_DIRECTIONS; direction++) {
		struct pldma_chan *chan = &pldma->chan[direction];

		ret = missing[direction];
		if (ret && ret != -ENODEV && !pldma_unmapped(pldma, direction))
			return dev_err_probe(dev, ret, "no %s channel\n", pldma_names[direction]);
		if (!chan->dma)
			continue;
		ret = pldma_chan_init(pldma, direction);
		if (ret)
			return dev_err_probe(dev, ret, "cannot use %s channel %s\n",
					     pldma_names[direction], dma_chan_name(chan->dma));
	}
	if (!pldma->chan[PLDMA_TX].dma && !pldma->chan[PLDMA_RX].dma)
		return dev_err_probe(dev, -ENODEV, "neither a tx nor an rx channel\n");

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

	if (!max_block || max_block > SZ_1G)
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
