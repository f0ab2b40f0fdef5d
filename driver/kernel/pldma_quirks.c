// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: what is known about drivers of DMA controllers, which dmaengine cannot tell
 *
 * dmaengine promises that an engine does not access the memory of a transfer any
 * more after terminate and synchronize (Documentation/driver-api/dmaengine/
 * provider.rst, device_synchronize). Other clients rely on it, for example
 * drivers/iio/buffer/industrialio-buffer-dmaengine.c. So does pldma, except for
 * drivers that are known to break the promise.
 *
 * Other properties are not part of any promise, so pldma assumes the worst of a
 * driver that is not in the table.
 *
 * The quirks of a channel come from the first of these that has any:
 *  - the module parameter quirks=DRIVER:QUIRK+QUIRK,...
 *  - the property "plumbline,quirks" of the device, a list of strings
 *  - the table below, by the name of the driver
 *  - a provider of pldma (pldma_provider.h), which has none
 *  - the default for unknown drivers
 * The word "none" stands for no quirks.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/property.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "pldma_priv.h"

#define PLDMA_MAX_QUIRKS	16

static char *quirks[PLDMA_MAX_QUIRKS];
static unsigned int nquirks;
module_param_array(quirks, charp, &nquirks, 0444);
MODULE_PARM_DESC(quirks, "quirks of drivers, as DRIVER:QUIRK+QUIRK,... (see README.md)");

static const char * const pldma_quirk_names[] = {
	[ilog2(PLDMA_QUIRK_TERMINATE)] = "terminate-unproved",
	[ilog2(PLDMA_QUIRK_ONE_SEGMENT)] = "one-segment",
	[ilog2(PLDMA_QUIRK_LENGTH)] = "length-unknown",
	[ilog2(PLDMA_QUIRK_ONE_TRANSFER)] = "one-transfer",
	[ilog2(PLDMA_QUIRK_ALIGN_BYTES)] = "copy-align-bytes",
	[ilog2(PLDMA_QUIRK_RESETS_BOTH)] = "resets-both",
};

#define PLDMA_QUIRKS_UNKNOWN	(PLDMA_QUIRK_ONE_SEGMENT | PLDMA_QUIRK_LENGTH)

/*
 * @width: default of "xlnx,sg-length-width", or 0 for a driver without this property.
 * Its driver cuts longer segments into several descriptors.
 */
static const struct pldma_engine {
	const char *driver;
	u32 quirks;
	u32 width;
} pldma_engines[] = {
	/*
	 * drivers/dma/xilinx/xilinx_dma.c: xilinx_dma_terminate_all() returns 0 also
	 * after the engine did not halt. TLAST ends one descriptor, and the others
	 * of the transfer stay armed. Completions of several transfers are coalesced.
	 * The reset of one channel resets the whole core (PG021, DMACR.Reset).
	 */
	{ "xilinx-vdma", PLDMA_QUIRK_TERMINATE | PLDMA_QUIRK_ONE_SEGMENT |
			 PLDMA_QUIRK_ONE_TRANSFER | PLDMA_QUIRK_RESETS_BOTH, 23 },
	/*
	 * drivers/dma/dma-axi-dmac.c: axi_dmac_terminate_all() disables the engine
	 * and does not wait. copy_align is a number of bytes, not a shift.
	 */
	{ "dma-axi-dmac", PLDMA_QUIRK_TERMINATE | PLDMA_QUIRK_ONE_SEGMENT |
			  PLDMA_QUIRK_ALIGN_BYTES },
	/*
	 * drivers/dma/xilinx/xdma.c: reports no residue, and does not start the next
	 * transfer at a completion
	 */
	{ "xdma", PLDMA_QUIRK_ONE_SEGMENT | PLDMA_QUIRK_LENGTH | PLDMA_QUIRK_ONE_TRANSFER },
	/* drivers/dma/pl330.c: the result of a transfer has no residue */
	{ "dma-pl330", PLDMA_QUIRK_LENGTH },
	/*
	 * drivers/dma/xilinx/zynqmp_dma.c: zynqmp_dma_device_terminate_all() only masks
	 * interrupts. The result of a transfer has no residue.
	 */
	{ "xilinx-zynqmp-dma", PLDMA_QUIRK_TERMINATE | PLDMA_QUIRK_LENGTH },
};

/**
 * pldma_quirks_show() - write the names of quirks, as the parameter quirks= takes them
 * @file: where to write
 * @quirks: PLDMA_QUIRK_*
 */
void pldma_quirks_show(struct seq_file *file, u32 quirks)
{
	const char *before = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pldma_quirk_names); i++) {
		if (!(quirks & BIT(i)))
			continue;
		seq_printf(file, "%s%s", before, pldma_quirk_names[i]);
		before = "+";
	}
	if (!quirks)
		seq_puts(file, "none");
}

/* add the quirk with a name of @len characters; "none" adds nothing */
static int pldma_quirk_add(const char *name, size_t len, u32 *found)
{
	unsigned int i;

	if (len == strlen("none") && !strncmp(name, "none", len))
		return 0;
	for (i = 0; i < ARRAY_SIZE(pldma_quirk_names); i++) {
		if (len != strlen(pldma_quirk_names[i]) ||
		    strncmp(name, pldma_quirk_names[i], len))
			continue;
		*found |= BIT(i);
		return 0;
	}
	pr_err("pldma: unknown quirk %.*s\n", (int)len, name);
	return -EINVAL;
}

/* read names that are separated by + */
static int pldma_quirks_parse(const char *names, u32 *found)
{
	int ret;

	*found = 0;
	for (;;) {
		size_t len = strcspn(names, "+");

		ret = pldma_quirk_add(names, len, found);
		if (ret || !names[len])
			return ret;
		names += len + 1;
	}
}

/* the part of quirks= after the colon, for a driver; its name has @len characters */
static const char *pldma_quirks_param(const char *driver, size_t len, unsigned int from)
{
	unsigned int i;

	for (i = from; i < nquirks; i++)
		if (!strncmp(quirks[i], driver, len) && quirks[i][len] == ':')
			return quirks[i] + len + 1;
	return NULL;
}

/**
 * pldma_quirks_valid() - check the module parameter quirks=
 *
 * Return: true if it is valid. Otherwise the kernel log has the reason.
 */
bool pldma_quirks_valid(void)
{
	unsigned int i;
	u32 found;

	for (i = 0; i < nquirks; i++) {
		size_t len = strcspn(quirks[i], ":");

		if (!len || !quirks[i][len]) {
			pr_err("pldma: quirks=%s: expected DRIVER:QUIRK+QUIRK\n", quirks[i]);
			return false;
		}
		if (pldma_quirks_parse(quirks[i] + len + 1, &found))
			return false;
		if (pldma_quirks_param(quirks[i], len, i + 1)) {
			pr_err("pldma: quirks= has driver %.*s twice\n", (int)len, quirks[i]);
			return false;
		}
	}
	return true;
}

/* read the property of the device tree; -ENODATA without one */
static int pldma_quirks_property(struct device *dev, u32 *found)
{
	const char *names[ARRAY_SIZE(pldma_quirk_names)];
	int i, n, ret;

	if (!device_property_present(dev, "plumbline,quirks"))
		return -ENODATA;
	*found = 0;
	n = device_property_read_string_array(dev, "plumbline,quirks", names, ARRAY_SIZE(names));
	if (n < 0)
		return n == -ENODATA ? -EINVAL : n;
	for (i = 0; i < n; i++) {
		ret = pldma_quirk_add(names[i], strlen(names[i]), found);
		if (ret)
			return ret;
	}
	return 0;
}

static const struct pldma_engine *pldma_find_engine(const char *driver)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pldma_engines); i++)
		if (!strcmp(driver, pldma_engines[i].driver))
			return &pldma_engines[i];
	return NULL;
}

/**
 * pldma_max_segment() - size of the longest segment that one descriptor can move
 * @chan: direction, with the name of its driver
 *
 * Return: bytes.
 */
size_t pldma_max_segment(struct pldma_chan *chan)
{
	const struct pldma_engine *engine = pldma_find_engine(chan->engine);
	u32 width;

	/* xilinx_dma does not tell the DMA API, whose default is 64 KiB */
	if (!engine || !engine->width)
		return dma_get_max_seg_size(chan->map_dev);
	width = engine->width;
	device_property_read_u32(chan->dma->device->dev, "xlnx,sg-length-width", &width);
	return BIT(clamp_t(u32, width, 8, 26)) - 1;
}

/**
 * pldma_quirks() - find the quirks of a channel
 * @chan: direction, with its provider's operations and the name of its driver
 * @found: set to PLDMA_QUIRK_*
 *
 * Return: 0 or a negative errno.
 */
int pldma_quirks(struct pldma_chan *chan, u32 *found)
{
	const char *param = pldma_quirks_param(chan->engine, strlen(chan->engine), 0);
	const struct pldma_engine *engine = pldma_find_engine(chan->engine);
	int ret;

	if (param)
		return pldma_quirks_parse(param, found);
	ret = pldma_quirks_property(chan->pldma->dev, found);
	if (ret != -ENODATA)
		return ret;
	if (engine)
		*found = engine->quirks;
	else
		*found = chan->ops ? 0 : PLDMA_QUIRKS_UNKNOWN;
	return 0;
}
