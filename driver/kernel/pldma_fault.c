// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: injected faults in sync calls, to see whether a board and a test find them
 *
 * Only part of the module after "make PLDMA_TEST_FAULTS=y", and not part of the
 * ABI. The module parameter "fault" holds "CALL MISTAKE" or "none", and may be
 * written at any time. "fault_hits" counts the calls with a fault since then.
 *
 * CALL is one of
 *	tx-for-device	before the engine reads; for user-pages: the map
 *	tx-for-cpu	after the engine has read; for user-pages: the unmap
 *	rx-for-device	before the engine writes; for user-pages: the map
 *	rx-for-cpu	after the engine has written; for user-pages: the unmap
 *	first-for-device	after dma_alloc_noncoherent()
 *
 * MISTAKE is one of
 *	skip		leave out the call (map and unmap: DMA_ATTR_SKIP_CPU_SYNC)
 *	direction	use the other direction (not for map and unmap)
 *
 * or, for calls with a single range but not for tables of user pages, one of
 *	short		use only the first half of the range
 *	late		use only the second half of the range
 *	previous	use the length of the previous call, if that is shorter
 *	elsewhere	use the range of the previous call, which is another block's;
 *			leave out the call if there was none since the fault was set
 */
#define PLDMA_FAULT_SELF
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/string.h>

#include "pldma_fault.h"

enum pldma_fault_call {
	PLDMA_FAULT_TX_FOR_DEVICE,
	PLDMA_FAULT_TX_FOR_CPU,
	PLDMA_FAULT_RX_FOR_DEVICE,
	PLDMA_FAULT_RX_FOR_CPU,
	PLDMA_FAULT_FIRST_FOR_DEVICE,
	PLDMA_FAULT_NR_CALLS,
};

enum pldma_fault_mistake {
	PLDMA_FAULT_NONE,
	PLDMA_FAULT_SKIP,
	PLDMA_FAULT_DIRECTION,
	PLDMA_FAULT_SHORT,
	PLDMA_FAULT_LATE,
	PLDMA_FAULT_PREVIOUS,
	PLDMA_FAULT_ELSEWHERE,
};

static const char * const pldma_fault_calls[] = {
	[PLDMA_FAULT_TX_FOR_DEVICE] = "tx-for-device",
	[PLDMA_FAULT_TX_FOR_CPU] = "tx-for-cpu",
	[PLDMA_FAULT_RX_FOR_DEVICE] = "rx-for-device",
	[PLDMA_FAULT_RX_FOR_CPU] = "rx-for-cpu",
	[PLDMA_FAULT_FIRST_FOR_DEVICE] = "first-for-device",
};

static const char * const pldma_fault_mistakes[] = {
	[PLDMA_FAULT_NONE] = "none",
	[PLDMA_FAULT_SKIP] = "skip",
	[PLDMA_FAULT_DIRECTION] = "direction",
	[PLDMA_FAULT_SHORT] = "short",
	[PLDMA_FAULT_LATE] = "late",
	[PLDMA_FAULT_PREVIOUS] = "previous",
	[PLDMA_FAULT_ELSEWHERE] = "elsewhere",
};

/* call in the upper half, mistake in the lower half, so that one store changes both */
static unsigned int pldma_fault_armed;
static atomic_t pldma_fault_hits = ATOMIC_INIT(0);

/* the correct range of the last call of each kind; supports one device at a time */
static struct {
	dma_addr_t addr;
	size_t size;
} pldma_fault_last[PLDMA_FAULT_NR_CALLS];

static int pldma_fault_set(const char *text, const struct kernel_param *param)
{
	char call[20], mistake[12];
	int c, m;

	if (sysfs_streq(text, "") || sysfs_streq(text, "none")) {
		WRITE_ONCE(pldma_fault_armed, 0);
		return 0;
	}
	if (sscanf(text, "%19s %11s", call, mistake) != 2)
		return -EINVAL;
	c = match_string(pldma_fault_calls, ARRAY_SIZE(pldma_fault_calls), call);
	m = match_string(pldma_fault_mistakes, ARRAY_SIZE(pldma_fault_mistakes), mistake);
	if (c < 0 || m < 0)
		return -EINVAL;
	atomic_set(&pldma_fault_hits, 0);
	/* the previous range may have been freed */
	pldma_fault_last[c].addr = 0;
	WRITE_ONCE(pldma_fault_armed, c << 16 | m);
	return 0;
}

static int pldma_fault_get(char *text, const struct kernel_param *param)
{
	unsigned int armed = READ_ONCE(pldma_fault_armed);

	return sysfs_emit(text, "%s %s\n", pldma_fault_calls[armed >> 16],
			  pldma_fault_mistakes[armed & 0xffff]);
}

static const struct kernel_param_ops pldma_fault_ops = {
	.set = pldma_fault_set,
	.get = pldma_fault_get,
};

module_param_cb(fault, &pldma_fault_ops, NULL, 0644);
MODULE_PARM_DESC(fault, "TEST BUILD: inject a fault: CALL MISTAKE, or none");

static int pldma_fault_get_hits(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", atomic_read(&pldma_fault_hits));
}

static const struct kernel_param_ops pldma_fault_hits_ops = {
	.get = pldma_fault_get_hits,
};

module_param_cb(fault_hits, &pldma_fault_hits_ops, NULL, 0444);
MODULE_PARM_DESC(fault_hits, "TEST BUILD: number of calls with a fault since the last change");

static enum pldma_fault_call pldma_fault_call(enum dma_data_direction dir, bool for_cpu)
{
	if (dir == DMA_BIDIRECTIONAL)
		return PLDMA_FAULT_FIRST_FOR_DEVICE;
	if (dir == DMA_TO_DEVICE)
		return for_cpu ? PLDMA_FAULT_TX_FOR_CPU : PLDMA_FAULT_TX_FOR_DEVICE;
	return for_cpu ? PLDMA_FAULT_RX_FOR_CPU : PLDMA_FAULT_RX_FOR_DEVICE;
}

/* the mistake to make in a call */
static enum pldma_fault_mistake pldma_fault(enum dma_data_direction dir, bool for_cpu,
					    unsigned int possible)
{
	unsigned int armed = READ_ONCE(pldma_fault_armed);
	enum pldma_fault_mistake mistake = armed & 0xffff;

	if (armed >> 16 != pldma_fault_call(dir, for_cpu) || !(possible & BIT(mistake)))
		return PLDMA_FAULT_NONE;
	atomic_inc(&pldma_fault_hits);
	return mistake;
}

static enum dma_data_direction pldma_fault_other(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
}

#define PLDMA_FAULT_SINGLE	(BIT(PLDMA_FAULT_SKIP) | BIT(PLDMA_FAULT_DIRECTION) | \
				 BIT(PLDMA_FAULT_SHORT) | BIT(PLDMA_FAULT_LATE) | \
				 BIT(PLDMA_FAULT_PREVIOUS) | BIT(PLDMA_FAULT_ELSEWHERE))
#define PLDMA_FAULT_TABLE	(BIT(PLDMA_FAULT_SKIP) | BIT(PLDMA_FAULT_DIRECTION))
#define PLDMA_FAULT_MAP		BIT(PLDMA_FAULT_SKIP)

/* Wrappers: the driver calls them instead of the function whose name they end with */

/* change the arguments of a call; false to leave out the call */
static bool pldma_fault_single(bool for_cpu, dma_addr_t *addr, size_t *size,
			       enum dma_data_direction *dir)
{
	enum pldma_fault_call call = pldma_fault_call(*dir, for_cpu);
	dma_addr_t last_addr = pldma_fault_last[call].addr;
	size_t last_size = pldma_fault_last[call].size;
	size_t half = *size / 2;

	pldma_fault_last[call].addr = *addr;
	pldma_fault_last[call].size = *size;

	switch (pldma_fault(*dir, for_cpu, PLDMA_FAULT_SINGLE)) {
	case PLDMA_FAULT_SKIP:
		return false;
	case PLDMA_FAULT_DIRECTION:
		*dir = pldma_fault_other(*dir);
		return true;
	case PLDMA_FAULT_SHORT:
		*size = half;
		return true;
	case PLDMA_FAULT_LATE:
		*addr += half;
		*size -= half;
		return true;
	case PLDMA_FAULT_PREVIOUS:
		*size = min(*size, last_size);
		return true;
	case PLDMA_FAULT_ELSEWHERE:
		if (!last_addr)
			return false;
		*addr = last_addr;
		*size = last_size;
		return true;
	default:
		return true;
	}
}

void pldma_fault_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
					enum dma_data_direction dir)
{
	if (pldma_fault_single(false, &addr, &size, &dir))
		dma_sync_single_for_device(dev, addr, size, dir);
}

void pldma_fault_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				     enum dma_data_direction dir)
{
	if (pldma_fault_single(true, &addr, &size, &dir))
		dma_sync_single_for_cpu(dev, addr, size, dir);
}

/* change the arguments of a call for a table; false to leave out the call */
static bool pldma_fault_table(bool for_cpu, enum dma_data_direction *dir)
{
	enum pldma_fault_mistake mistake = pldma_fault(*dir, for_cpu, PLDMA_FAULT_TABLE);

	if (mistake == PLDMA_FAULT_DIRECTION)
		*dir = pldma_fault_other(*dir);
	return mistake != PLDMA_FAULT_SKIP;
}

void pldma_fault_sync_sgtable_for_device(struct device *dev, struct sg_table *sgt,
					 enum dma_data_direction dir)
{
	if (pldma_fault_table(false, &dir))
		dma_sync_sgtable_for_device(dev, sgt, dir);
}

void pldma_fault_sync_sgtable_for_cpu(struct device *dev, struct sg_table *sgt,
				      enum dma_data_direction dir)
{
	if (pldma_fault_table(true, &dir))
		dma_sync_sgtable_for_cpu(dev, sgt, dir);
}

int pldma_fault_map_sgtable(struct device *dev, struct sg_table *sgt,
			    enum dma_data_direction dir, unsigned long attrs)
{
	if (pldma_fault(dir, false, PLDMA_FAULT_MAP) == PLDMA_FAULT_SKIP)
		attrs |= DMA_ATTR_SKIP_CPU_SYNC;
	return dma_map_sgtable(dev, sgt, dir, attrs);
}

void pldma_fault_unmap_sgtable(struct device *dev, struct sg_table *sgt,
			       enum dma_data_direction dir, unsigned long attrs)
{
	if (pldma_fault(dir, true, PLDMA_FAULT_MAP) == PLDMA_FAULT_SKIP)
		attrs |= DMA_ATTR_SKIP_CPU_SYNC;
	dma_unmap_sgtable(dev, sgt, dir, attrs);
}
