// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: mappings of blocks into processes
 *
 * A mapping holds a reference to each cached page of the driver, and so does other I/O
 * of the process: O_DIRECT, vmsplice(), process_vm_readv(), a debugger. The pages live
 * until the last reference goes, also after FREE and after the device is gone. The
 * driver unmaps them for the device before it drops its own reference. While the engine
 * may still access them, it does neither.
 *
 * Memory of dma_alloc_*() must be freed before the device is gone, so removal unmaps it
 * from all processes. An access after that ends with SIGBUS. The DMA API chooses how such
 * memory is mapped: by page frame numbers, so that other I/O cannot use it, or, behind an
 * IOMMU, by pages with references.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "pldma_priv.h"

static void pldma_vm_open(struct vm_area_struct *vma)
{
	struct pldma_mapping *mapping = vma->vm_private_data;

	/* called for a split, a move, or a fork after MADV_DOFORK */
	refcount_inc(&mapping->ref);
}

static void pldma_vm_close(struct vm_area_struct *vma)
{
	struct pldma_mapping *mapping = vma->vm_private_data;
	struct pldma_dev *pldma = mapping->block->chan->pldma;

	if (!refcount_dec_and_test(&mapping->ref))
		return;
	mutex_lock(&pldma->table_lock);
	list_del(&mapping->node);
	mapping->block->mappings--;
	mutex_unlock(&pldma->table_lock);
	pldma_block_put(mapping->block);
	if (mapping->mm)
		mmdrop(mapping->mm);
	kfree(mapping);
}

/* without a fault handler, an access after the device is gone ends with SIGBUS */
static const struct vm_operations_struct pldma_vm_ops = {
	.open = pldma_vm_open,
	.close = pldma_vm_close,
};

/* map pages with references. After an error, mmap() itself unmaps the first ones */
static int pldma_map_chunks(struct pldma_block *block, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, i, k, n, left;
	struct page *pages[32];
	int ret;

	for (i = 0; i < block->nchunks; i++) {
		/* the only chunk of a block of one segment may be larger than the block */
		unsigned long npages = min(1UL << block->chunks[i].order,
					   (vma->vm_end - addr) >> PAGE_SHIFT);

		for (k = 0; k < npages; k += n) {
			n = 0;
			while (n < ARRAY_SIZE(pages) && k + n < npages) {
				pages[n] = block->chunks[i].page + k + n;
				n++;
			}
			left = n;
			ret = vm_insert_pages(vma, addr, pages, &left);
			if (ret)
				return ret;
			addr += n << PAGE_SHIFT;
		}
	}
	return 0;
}

static void pldma_vma_flags(struct vm_area_struct *vma, bool read_only)
{
	/*
	 * A child inherits the mapping only if its parent asks for that, because it
	 * could access memory that its parent has handed to the engine.
	 */
	unsigned long set = VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;

	vm_flags_mod(vma, set, read_only ? VM_MAYWRITE : 0);
}

static int pldma_do_mmap(struct pldma_block *block, struct vm_area_struct *vma)
{
	struct pldma_chan *chan = block->chan;
	size_t size = PAGE_ALIGN(block->size);
	unsigned long pgoff = vma->vm_pgoff;
	bool read_only = block->policy == PLDMA_STREAMING_LAZY && chan->direction == PLDMA_RX;
	int ret;

	if (vma->vm_end - vma->vm_start != size)
		return -EINVAL;
	if (read_only && (vma->vm_flags & VM_WRITE))
		return -EACCES;
	pldma_vma_flags(vma, read_only);

	/* the helpers would use the offset as one into the memory */
	vma->vm_pgoff = 0;
	switch (block->policy) {
	case PLDMA_COHERENT:
		ret = dma_mmap_coherent(chan->map_dev, vma, block->vaddr, block->dma, size);
		break;
	case PLDMA_WRITE_COMBINE:
		ret = dma_mmap_wc(chan->map_dev, vma, block->vaddr, block->dma, size);
		break;
	case PLDMA_NONCOHERENT:
		ret = dma_mmap_pages(chan->map_dev, vma, size, virt_to_page(block->vaddr));
		break;
	default:
		ret = pldma_map_chunks(block, vma);
		break;
	}
	vma->vm_pgoff = pgoff;
	return ret;
}

/**
 * pldma_block_mmap() - map one whole block
 * @pldma: the device
 * @vma: the new mapping
 *
 * Context: mmap_lock held for writing.
 * Return: 0, -EINVAL, -EACCES, -ENODEV or -ENOMEM.
 */
int pldma_block_mmap(struct pldma_dev *pldma, struct vm_area_struct *vma)
{
	struct pldma_mapping *mapping;
	struct pldma_block *block;
	int ret;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;

	mutex_lock(&pldma->table_lock);
	ret = -ENODEV;
	if (pldma->dead)
		goto err_unlock;
	ret = -EINVAL;
	block = xa_load(&pldma->by_pgoff, vma->vm_pgoff);
	if (!block)
		goto err_unlock;
	ret = pldma_do_mmap(block, vma);
	if (ret)
		goto err_unlock;

	refcount_set(&mapping->ref, 1);
	mapping->block = block;
	INIT_LIST_HEAD(&mapping->node);
	if (block->vaddr) {
		mapping->mm = vma->vm_mm;
		mmgrab(mapping->mm);
		list_add(&mapping->node, &pldma->mappings);
	}
	kref_get(&block->ref);
	block->mappings++;
	vma->vm_private_data = mapping;
	vma->vm_ops = &pldma_vm_ops;
	mutex_unlock(&pldma->table_lock);
	return 0;

err_unlock:
	mutex_unlock(&pldma->table_lock);
	kfree(mapping);
	return ret;
}

/* unmap the memory of dma_alloc_*() from one process */
static void pldma_zap_mm(struct pldma_dev *pldma, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	/*
	 * A VMA is linked into the address space only after ->mmap() has returned,
	 * but still under this lock. And munmap() and exit() hold it, for reading at
	 * least, while they clear the page tables of a VMA.
	 */
	mmap_write_lock(mm);
	/* nothing is left after exit(), and lockdep of 6.1 rejects a walk through that */
	if (mtree_empty(&mm->mm_mt))
		goto out_unlock;
	for_each_vma(vmi, vma) {
		struct pldma_mapping *mapping = vma->vm_private_data;

		unsigned long len = vma->vm_end - vma->vm_start;

		if (vma->vm_ops != &pldma_vm_ops || !mapping->mm ||
		    mapping->block->chan->pldma != pldma)
			continue;
		if (vma->vm_flags & VM_PFNMAP)
			zap_vma_ptes(vma, vma->vm_start, len);
		else
			unmap_mapping_range(vma->vm_file->f_mapping,
					    (loff_t)vma->vm_pgoff << PAGE_SHIFT, len, 1);
	}
out_unlock:
	mmap_write_unlock(mm);
}

/**
 * pldma_zap_mappings() - unmap the memory that is freed with the device
 * @pldma: the device, marked dead, so that no mapping is added
 */
void pldma_zap_mappings(struct pldma_dev *pldma)
{
	struct pldma_mapping *mapping, *other;
	struct mm_struct *mm;

	mutex_lock(&pldma->table_lock);
again:
	list_for_each_entry(mapping, &pldma->mappings, node) {
		if (mapping->zapped)
			continue;
		mm = mapping->mm;
		list_for_each_entry(other, &pldma->mappings, node)
			if (other->mm == mm)
				other->zapped = true;
		/* the lock of a process is taken before table_lock */
		mmgrab(mm);
		mutex_unlock(&pldma->table_lock);
		pldma_zap_mm(pldma, mm);
		mmdrop(mm);
		mutex_lock(&pldma->table_lock);
		goto again;
	}
	mutex_unlock(&pldma->table_lock);
}
