// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: a dmaengine channel: where it comes from, and what it can do
 *
 * Channels come from, in this order,
 *  - the module parameters tx= and rx=, which name channels as in
 *    /sys/class/dma ("dma0chan1"), as dmatest does;
 *  - the module parameter memcpy=, for a memory loop (see pldma_loop.c);
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

static bool pldma_name_matches(struct dma_chan *chan, void *name)
{
	return !strcmp(dma_chan_name(chan), name);
}

static struct dma_chan *pldma_chan_named(enum dma_transaction_type type, const char *name)
{
	struct dma_chan *chan;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(type, mask);
	chan = dma_request_channel(mask, pldma_name_matches, (void *)name);
	/* the provider may be loaded later */
	return chan ? chan : ERR_PTR(-EPROBE_DEFER);
}

/* both directions of a memory loop have the same channel, which tx requests */
static struct dma_chan *pldma_chan_request_loop(struct pldma_dev *pldma, u32 direction,
						const char *name)
{
	struct dma_chan *chan = pldma->chan[PLDMA_TX].dma;
	int ret;

	if (direction == PLDMA_RX)
		return chan ? chan : ERR_PTR(-EPROBE_DEFER);
	chan = pldma_chan_named(DMA_MEMCPY, name);
	if (IS_ERR(chan))
		return chan;
	ret = pldma_loop_new(pldma, chan);
	if (ret) {
		dma_release_channel(chan);
		return ERR_PTR(ret);
	}
	return chan;
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

	if (!pair)
		return dma_request_chan(pldma->dev, pldma_direction_names[direction]);
	if (pair->memcpy)
		return pldma_chan_request_loop(pldma, direction, pair->memcpy);
	if (!pair->name[direction])
		return ERR_PTR(-ENODEV);
	return pldma_chan_named(DMA_SLAVE, pair->name[direction]);
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
		chan->needs_sync = pldma_need_sync(chan->map_dev, addr);
		dma_unmap_page(chan->map_dev, addr, PAGE_SIZE, chan->map_dir);
	}
	__free_page(page);
	return ret;
}

/* the alignment that the driver gives for DMA_MEMCPY is also that of its slave transfers */
static void pldma_chan_align(struct pldma_chan *chan)
{
	u32 align = chan->dma->device->copy_align;

	chan->core.address_align = 1;
	chan->core.length_align = 1;
	if (chan->quirks & PLDMA_QUIRK_ALIGN_BYTES) {
		/* dma-axi-dmac also checks lengths */
		chan->core.address_align = max(align, 1U);
		chan->core.length_align = max(align, 1U);
	} else if (align < 16) {
		chan->core.address_align = BIT(align);
		if (chan->pldma->loop)
			chan->core.length_align = BIT(align);
	}
}

/* can the channel do the transfers of the direction */
static int pldma_chan_check(struct pldma_chan *chan)
{
	u32 need = BIT(chan->direction == PLDMA_TX ? DMA_MEM_TO_DEV : DMA_DEV_TO_MEM);
	struct dma_slave_caps caps;
	int ret;

	if (chan->pldma->loop)
		return 0;
	/* otherwise a callback could still run after RESET has returned its block */
	if (!chan->dma->device->device_synchronize) {
		dev_err(chan->pldma->dev, "the driver of channel %s lacks device_synchronize()\n",
			dma_chan_name(chan->dma));
		return -EOPNOTSUPP;
	}
	/* some drivers fill in no directions: -ENXIO */
	ret = dma_get_slave_caps(chan->dma, &caps);
	if (ret && ret != -ENXIO)
		return ret;
	if (!chan->dma->device->device_prep_slave_sg || (!ret && !(caps.directions & need)))
		return -EOPNOTSUPP;
	return 0;
}

/* read a number from the device tree, with a default */
static u32 pldma_property(struct pldma_dev *pldma, const char *name, u32 value)
{
	device_property_read_u32(pldma->dev, name, &value);
	return value;
}

/* tell the driver of the controller the address of the logic, if it is no stream */
static int pldma_chan_config(struct pldma_chan *chan)
{
	bool tx = chan->direction == PLDMA_TX;
	struct device *dev = chan->pldma->dev;
	struct dma_slave_config config = {};
	u32 width, burst;
	u64 address;
	int ret;

	if (chan->pldma->loop)
		return 0;
	if (device_property_read_u64(dev, tx ? "plumbline,tx-fifo" : "plumbline,rx-fifo",
				     &address)) {
		/* some drivers need an address that they do not ask for */
		if (chan->dma->device->device_config && !chan->ops)
			dev_info(dev, "no address of a FIFO for channel %s: it must be a stream\n",
				 chan->channel);
		return 0;
	}
	width = pldma_property(chan->pldma, "plumbline,fifo-width", 4);
	burst = pldma_property(chan->pldma, "plumbline,fifo-burst", 1);
	config.direction = tx ? DMA_MEM_TO_DEV : DMA_DEV_TO_MEM;
	config.src_addr = tx ? 0 : address;
	config.dst_addr = tx ? address : 0;
	config.src_addr_width = width;
	config.dst_addr_width = width;
	config.src_maxburst = burst;
	config.dst_maxburst = burst;
	ret = dmaengine_slave_config(chan->dma, &config);
	if (ret)
		dev_err(dev, "channel %s refuses a FIFO of %u bytes at 0x%llx, burst %u: error %d\n",
			chan->channel, width, address, burst, ret);
	return ret;
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
	struct device *provider;
	size_t chunk, align;
	int ret;

	ret = pldma_chan_check(chan);
	if (ret)
		return ret;

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
	ret = pldma_quirks(chan, &chan->quirks);
	if (ret)
		return ret;
	ret = pldma_chan_config(chan);
	if (ret)
		return ret;
	if (pldma->loop)
		chan->quirks &= PLDMA_LOOP_QUIRKS;
	if (direction == PLDMA_RX && chan->quirks & PLDMA_QUIRK_ONE_SEGMENT)
		chan->max_segs = 1;
	/* a memory loop queues by itself */
	chan->core.engine_depth = pldma->loop ? PLDMA_LOOP_DEPTH : 1;
	pldma_chan_align(chan);
	if (chan->ops && chan->ops->describe)
		chan->ops->describe(chan->dma, &chan->core);
	chan->core.engine_depth = pldma_property(pldma, "plumbline,engine-depth",
						 chan->core.engine_depth);
	chan->core.address_align = pldma_property(pldma, "plumbline,address-align",
						  chan->core.address_align);
	chan->core.length_align = pldma_property(pldma, "plumbline,length-align",
						 chan->core.length_align);
	if (engine_depth)
		chan->core.engine_depth = engine_depth;
	if (chan->core.engine_depth > 1 && chan->quirks & PLDMA_QUIRK_ONE_TRANSFER) {
		dev_err(pldma->dev, "an engine depth of %u contradicts quirk one-transfer of %s\n",
			chan->core.engine_depth, chan->engine);
		return -EINVAL;
	}
	if (!is_power_of_2(chan->core.address_align) || !is_power_of_2(chan->core.length_align))
		return -EINVAL;

	/* a segment that is followed by another must end at an aligned address */
	align = max3(pldma_cache_align(), (size_t)chan->core.address_align,
		     (size_t)chan->core.length_align);
	chan->max_seg = pldma_max_segment(chan);
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
