// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: a dmaengine channel: where it comes from, and what it can do
 *
 * Channels come from, in this order,
 *  - the module parameters tx= and rx=, which name channels as in
 *    /sys/class/dma ("dma0chan1"), as dmatest does;
 *  - the device tree ("dmas", "dma-names") or the slave map of the provider
 *    (dma_device.filter), through dma_request_chan().
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/property.h>

#include "pldma_priv.h"

static uint queue_depth = 64;
module_param(queue_depth, uint, 0444);
MODULE_PARM_DESC(queue_depth, "limit of blocks queued or in flight per direction (default 64)");

static uint engine_depth;
module_param(engine_depth, uint, 0444);
MODULE_PARM_DESC(engine_depth,
		 "limit of transfers submitted to the engine (default: as reported by the provider, else 1)");

const char * const pldma_direction_names[PLDMA_NR_DIRECTIONS] = { "tx", "rx" };

static bool pldma_name_matches(struct dma_chan *chan, void *name)
{
	return !strcmp(dma_chan_name(chan), name);
}

/**
 * pldma_chan_request() - request the dmaengine channel of a direction
 * @pldma: the device
 * @direction: enum pldma_direction
 *
 * Return: the channel, or -ENODEV if there is none, or -EPROBE_DEFER, or another
 * negative errno.
 */
struct dma_chan *pldma_chan_request(struct pldma_dev *pldma, u32 direction)
{
	const struct pldma_pair *pair = dev_get_platdata(pldma->dev);
	struct dma_chan *chan;
	dma_cap_mask_t mask;

	if (!pair)
		return dma_request_chan(pldma->dev, pldma_direction_names[direction]);
	if (!pair->name[direction])
		return ERR_PTR(-ENODEV);
	dma_cap_zero(mask);
	dma_cap_set(DMA_SLAVE, mask);
	chan = dma_request_channel(mask, pldma_name_matches, (void *)pair->name[direction]);
	/* the provider may be loaded later */
	return chan ? chan : ERR_PTR(-EPROBE_DEFER);
}

/**
 * pldma_chan_unmapped() - check whether a slave map leaves out a channel on purpose
 * @pldma: the device, with the channel of the other direction
 * @direction: enum pldma_direction
 *
 * dma_request_chan() returns only -EPROBE_DEFER in this case, but the slave map of
 * the other channel's provider contains the answer.
 *
 * Return: true if the map has other channels of the device, but not this one.
 */
bool pldma_chan_unmapped(struct pldma_dev *pldma, u32 direction)
{
	struct dma_chan *other = pldma->chan[!direction].dma;
	const struct dma_filter *filter;
	int i;

	if (!other || dev_fwnode(pldma->dev) || dev_get_platdata(pldma->dev))
		return false;
	filter = &other->device->filter;
	for (i = 0; i < filter->mapcnt; i++)
		if (!strcmp(filter->map[i].devname, dev_name(pldma->dev)) &&
		    !strcmp(filter->map[i].slave, pldma_direction_names[direction]))
			return false;
	return filter->mapcnt;
}

/* map a page to find out whether mappings for the channel need sync calls */
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

/* read a number from the device tree, with a default */
static u32 pldma_property(struct pldma_dev *pldma, const char *name, u32 value)
{
	device_property_read_u32(pldma->dev, name, &value);
	return value;
}

/**
 * pldma_chan_init() - collect the properties of a channel
 * @pldma: the device, with the dmaengine channel of the direction
 * @direction: enum pldma_direction
 *
 * The defaults are those of an unknown engine. The provider, the device tree and
 * the module parameters override them, in this order.
 *
 * Return: 0 or a negative errno.
 */
int pldma_chan_init(struct pldma_dev *pldma, u32 direction)
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
	/* unbind this device when its provider goes, and rebind it when the provider returns */
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

	/* a segment that is followed by another must end at an aligned address */
	align = max3(pldma_cache_align(), (size_t)chan->core.address_align,
		     (size_t)chan->core.length_align);
	chan->max_seg = dma_get_max_seg_size(chan->map_dev);
	if (chan->max_seg > align)
		chan->max_seg = round_down(chan->max_seg, align);
	chunk = min_t(size_t, dma_max_mapping_size(chan->map_dev), chan->max_seg);
	chunk = clamp_t(size_t, chunk, PAGE_SIZE, PAGE_SIZE << PLDMA_MAX_PAGE_ORDER);
	chan->chunk_order = ilog2(chunk >> PAGE_SHIFT);

	/* only a registered provider is known to fill in the metadata of pldma */
	if (!chan->ops || !dmaengine_is_metadata_mode_supported(chan->dma, DESC_METADATA_CLIENT))
		chan->core.check_kind = PLDMA_CHECK_NONE;
	chan->core.engine_depth = clamp_t(u32, chan->core.engine_depth, 1, PLDMA_MAX_ENGINE_DEPTH);
	chan->queue_depth = clamp_t(u32, queue_depth, chan->core.engine_depth, PLDMA_MAX_BLOCKS);
	return 0;
}
