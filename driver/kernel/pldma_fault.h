/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Injected faults in sync calls, in a test build only: see pldma_fault.c
 *
 * Include this last. It replaces the calls that sync, map and unmap memory by
 * wrappers. Without PLDMA_TEST_FAULTS it is empty.
 */
#ifndef _PLDMA_FAULT_H
#define _PLDMA_FAULT_H

#ifdef PLDMA_TEST_FAULTS

#include <linux/dma-mapping.h>

void pldma_fault_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
					enum dma_data_direction dir);
void pldma_fault_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				     enum dma_data_direction dir);
void pldma_fault_sync_sgtable_for_device(struct device *dev, struct sg_table *sgt,
					 enum dma_data_direction dir);
void pldma_fault_sync_sgtable_for_cpu(struct device *dev, struct sg_table *sgt,
				      enum dma_data_direction dir);
int pldma_fault_map_sgtable(struct device *dev, struct sg_table *sgt,
			    enum dma_data_direction dir, unsigned long attrs);
void pldma_fault_unmap_sgtable(struct device *dev, struct sg_table *sgt,
			       enum dma_data_direction dir, unsigned long attrs);

#ifndef PLDMA_FAULT_SELF
#define dma_sync_single_for_device	pldma_fault_sync_single_for_device
#define dma_sync_single_for_cpu		pldma_fault_sync_single_for_cpu
#define dma_sync_sgtable_for_device	pldma_fault_sync_sgtable_for_device
#define dma_sync_sgtable_for_cpu	pldma_fault_sync_sgtable_for_cpu
#define dma_map_sgtable			pldma_fault_map_sgtable
#define dma_unmap_sgtable		pldma_fault_unmap_sgtable
#endif

#endif /* PLDMA_TEST_FAULTS */

#endif /* _PLDMA_FAULT_H */
