// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: mappings of blocks into processes
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "pldma_priv.h"

static void pldma_vm_open(struct vm_area_struct *vma)
{
	struct pldma_mapping *mapping = vma->vm_private_data;

	/* called for a split or a move, but never for a fork (VM_DONTCOPY) */
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
	mmdrop(mapping->mm);
	kfree(mapping);
}

/* without a fault handler, an access after the device is gone ends with SIGBUS */
static const struct vm_operations_struct pldma_vm_ops = {
	.open = pldma_vm_open,
	.close = pldma_vm_close,
};

static int pldma_map_chunks(struct pldma_block *block, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start;
	unsigned int i;
	int ret;

	for (i = 0; i < block->nchunks; i++) {
		size_t size = PAGE_SIZE << block->chunks[i].order;

		ret = remap_pfn_range(vma, addr, page_to_pfn(block->chunks[i].page), size,
				      vma->vm_page_prot);
		if (ret) {
			/* otherwise the first chunks would stay mapped after the unlock */
			if (i)
				zap_vma_ptes(vma, vma->vm_start, addr - vma->vm_start);
			return ret;
		}
		addr += size;
	}
	return 0;
}

static void pldma_vma_flags(struct vm_area_struct *vma, bool read_only)
{
	/*
	 * A child must not inherit the mapping, because it could access memory
	 * that its parent has handed to the engine. VM_IO prevents madvise()
	 * from clearing VM_DONTCOPY.
	 */
	unsigned long set = VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;
	unsigned long clear = read_only ? VM_MAYWRITE : 0;

#ifdef PLDMA_HAVE_VM_FLAGS_MOD
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
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
	mapping->mm = vma->vm_mm;
	mmgrab(mapping->mm);
	kref_get(&block->ref);
	block->mappings++;
	list_add(&mapping->node, &pldma->mappings);
	vma->vm_private_data = mapping;
	vma->vm_ops = &pldma_vm_ops;
	mutex_unlock(&pldma->table_lock);
	return 0;

err_unlock:
	mutex_unlock(&pldma->table_lock);
	kfree(mapping);
	return ret;
}

/**
 * pldma_zap_mappings() - unmap all blocks, so that every access faults
 * @pldma: the device, marked dead
 *
 * A VMA is linked into the address space only after ->mmap() has returned, but
 * still under mmap_lock. Taking that lock once for each process with a mapping
 * makes sure that unmap_mapping_range() finds all of them.
 */
void pldma_zap_mappings(struct pldma_dev *pldma)
{
	struct inode *inode = NULL;
	struct pldma_mapping *mapping;
	struct mm_struct *mm;

	mutex_lock(&pldma->table_lock);
	/* a mapping keeps the file and its inode; without a mapping there is nothing to do */
	if (!list_empty(&pldma->mappings)) {
		inode = pldma->mapping->host;
		ihold(inode);
	}
again:
	list_for_each_entry(mapping, &pldma->mappings, node) {
		if (mapping->linked)
			continue;
		mapping->linked = true;
		mm = mapping->mm;
		mmgrab(mm);
		mutex_unlock(&pldma->table_lock);
		mmap_write_lock(mm);
		mmap_write_unlock(mm);
		mmdrop(mm);
		mutex_lock(&pldma->table_lock);
		goto again;
	}
	mutex_unlock(&pldma->table_lock);

	if (inode) {
		unmap_mapping_range(inode->i_mapping, 0, 0, 1);
		iput(inode);
	}
}
