/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pldma: what differs between the kernels that it compiles for
 *
 * Kbuild looks for a function in the kernel's headers, and defines PLDMA_HAVE_*. A
 * check of the version would be wrong for kernels with backports.
 */
#ifndef _PLDMA_COMPAT_H
#define _PLDMA_COMPAT_H

#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mmzone.h>

/* 6.8: MAX_ORDER, exclusive until 6.4, became MAX_PAGE_ORDER */
#ifdef MAX_PAGE_ORDER
#define PLDMA_MAX_PAGE_ORDER	MAX_PAGE_ORDER
#else
#define PLDMA_MAX_PAGE_ORDER	(MAX_ORDER - 1)
#endif

/* 6.3: vm_flags may only be changed by functions */
#ifndef PLDMA_HAVE_VM_FLAGS_MOD
static inline void vm_flags_mod(struct vm_area_struct *vma, unsigned long set, unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/* 6.2: dma-bufs are mapped under a lock, unless the function takes it itself */
#ifndef PLDMA_HAVE_DMA_BUF_UNLOCKED
#define dma_buf_map_attachment_unlocked		dma_buf_map_attachment
#define dma_buf_unmap_attachment_unlocked	dma_buf_unmap_attachment
#endif

/* 6.13: the name of a namespace is a string */
#ifdef PLDMA_HAVE_UNQUOTED_NAMESPACES
#define PLDMA_IMPORT_DMA_BUF	MODULE_IMPORT_NS(DMA_BUF)
#else
#define PLDMA_IMPORT_DMA_BUF	MODULE_IMPORT_NS("DMA_BUF")
#endif

/* 6.3: iommu_map() got a parameter, and iommu_map_atomic() went */
#ifdef PLDMA_HAVE_IOMMU_MAP_ATOMIC
#define iommu_map(domain, iova, paddr, size, prot, gfp)	\
	iommu_map(domain, iova, paddr, size, prot)
#endif

/* 7.2: zap_vma_ptes() became zap_special_vma_range() */
#ifdef PLDMA_HAVE_ZAP_SPECIAL_VMA_RANGE
#define zap_vma_ptes	zap_special_vma_range
#endif

/*
 * Offsets for mmap() are never used twice. Those of a 32-bit kernel pass 4 GiB, which
 * mmap() allows only for files with unsigned offsets.
 */
#define PLDMA_MAX_PGOFF		min_t(u64, ULONG_MAX, S64_MAX >> PAGE_SHIFT)

#ifdef FOP_UNSIGNED_OFFSET			/* since 6.12, a flag of the operations */
#define PLDMA_FOP_FLAGS		.fop_flags = FOP_UNSIGNED_OFFSET,
#define PLDMA_FMODE		0
#else
#define PLDMA_FOP_FLAGS
#define PLDMA_FMODE		FMODE_UNSIGNED_OFFSET
#endif

#endif /* _PLDMA_COMPAT_H */
