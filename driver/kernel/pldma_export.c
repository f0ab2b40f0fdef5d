// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: the memory of a block as a dma-buf for other drivers and processes
 *
 * Only blocks with cached pages can be exported, because memory of dma_alloc_*() must
 * be freed before the device is gone, but a buffer may live longer. A buffer holds a
 * reference to each page. So close() and removal free the block, but not its pages.
 * FREE fails with EBUSY while there is a buffer.
 *
 * Access by the CPU through the buffer is bracketed by DMA_BUF_IOCTL_SYNC. That syncs
 * the mappings of all importers. For the device of the block it does what SYNC does
 * under policy MANUAL. Under the other policies ENQUEUE and DEQUEUE have done it.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "pldma_priv.h"

/**
 * struct pldma_buffer - an exported block
 * @block: the block, held by a reference. Its memory may be freed already
 * @npages: number of pages
 * @pages: the pages, each held by a reference
 * @lock: protects @attachments and their members
 * @attachments: importers, list of struct pldma_attachment
 */
struct pldma_buffer {
	struct pldma_block *block;
	unsigned int npages;
	struct page **pages;
	struct mutex lock;		/* attachments */
	struct list_head attachments;
};

/**
 * struct pldma_attachment - an importer of a buffer
 * @node: entry in pldma_buffer.attachments
 * @dev: device of the importer
 * @sgt: the pages, mapped for @dev if @mapped
 * @dir: direction of the mapping
 * @mapped: @sgt is mapped
 */
struct pldma_attachment {
	struct list_head node;
	struct device *dev;
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool mapped;
};

static int pldma_buffer_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct pldma_buffer *buffer = dmabuf->priv;
	struct pldma_attachment *at;
	unsigned int max_seg;
	int ret;

	at = kzalloc(sizeof(*at), GFP_KERNEL);
	if (!at)
		return -ENOMEM;
	max_seg = max_t(unsigned int, round_down(dma_get_max_seg_size(attach->dev), PAGE_SIZE),
			PAGE_SIZE);
	ret = sg_alloc_table_from_pages_segment(&at->sgt, buffer->pages, buffer->npages, 0,
						dmabuf->size, max_seg, GFP_KERNEL);
	if (ret) {
		kfree(at);
		return ret;
	}
	at->dev = attach->dev;
	attach->priv = at;
	mutex_lock(&buffer->lock);
	list_add(&at->node, &buffer->attachments);
	mutex_unlock(&buffer->lock);
	return 0;
}

static void pldma_buffer_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct pldma_buffer *buffer = dmabuf->priv;
	struct pldma_attachment *at = attach->priv;

	mutex_lock(&buffer->lock);
	list_del(&at->node);
	mutex_unlock(&buffer->lock);
	sg_free_table(&at->sgt);
	kfree(at);
}

static struct sg_table *pldma_buffer_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	struct pldma_buffer *buffer = attach->dmabuf->priv;
	struct pldma_attachment *at = attach->priv;
	int ret;

	mutex_lock(&buffer->lock);
	/*
	 * The block is mapped already. The DMA API takes a second mapping of the same
	 * memory for a mistake, unless the one who maps syncs it.
	 */
	ret = at->mapped ? -EBUSY :
			   dma_map_sgtable(at->dev, &at->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (!ret) {
		dma_sync_sgtable_for_device(at->dev, &at->sgt, dir);
		at->mapped = true;
		at->dir = dir;
	}
	mutex_unlock(&buffer->lock);
	return ret ? ERR_PTR(ret) : &at->sgt;
}

static void pldma_buffer_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	struct pldma_buffer *buffer = attach->dmabuf->priv;
	struct pldma_attachment *at = attach->priv;

	mutex_lock(&buffer->lock);
	at->mapped = false;
	dma_sync_sgtable_for_cpu(at->dev, sgt, dir);
	dma_unmap_sgtable(at->dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	mutex_unlock(&buffer->lock);
}

static int pldma_buffer_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct pldma_buffer *buffer = dmabuf->priv;
	struct pldma_attachment *at;
	int ret;

	ret = pldma_sync_whole(buffer->block, PLDMA_SYNC_FOR_CPU);
	if (ret)
		return ret;
	mutex_lock(&buffer->lock);
	list_for_each_entry(at, &buffer->attachments, node)
		if (at->mapped)
			dma_sync_sgtable_for_cpu(at->dev, &at->sgt, at->dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int pldma_buffer_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct pldma_buffer *buffer = dmabuf->priv;
	struct pldma_attachment *at;

	mutex_lock(&buffer->lock);
	list_for_each_entry(at, &buffer->attachments, node)
		if (at->mapped)
			dma_sync_sgtable_for_device(at->dev, &at->sgt, at->dir);
	mutex_unlock(&buffer->lock);
	return pldma_sync_whole(buffer->block, PLDMA_SYNC_FOR_DEVICE);
}

static int pldma_buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct pldma_buffer *buffer = dmabuf->priv;
	unsigned long n = vma_pages(vma);

	/* a private mapping would be a copy, which no device can see */
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, 0);
	return vm_insert_pages(vma, vma->vm_start, buffer->pages + vma->vm_pgoff, &n);
}

static void pldma_buffer_free(struct pldma_buffer *buffer)
{
	struct pldma_dev *pldma = buffer->block->chan->pldma;
	unsigned int i;

	for (i = 0; i < buffer->npages; i++)
		put_page(buffer->pages[i]);
	kvfree(buffer->pages);
	pldma_block_unexport(buffer->block);
	pldma_block_put(buffer->block);
	pldma_dev_put(pldma);
	kfree(buffer);
}

static void pldma_buffer_release(struct dma_buf *dmabuf)
{
	pldma_buffer_free(dmabuf->priv);
}

static const struct dma_buf_ops pldma_buffer_ops = {
	.attach = pldma_buffer_attach,
	.detach = pldma_buffer_detach,
	.map_dma_buf = pldma_buffer_map,
	.unmap_dma_buf = pldma_buffer_unmap,
	.begin_cpu_access = pldma_buffer_begin,
	.end_cpu_access = pldma_buffer_end,
	.mmap = pldma_buffer_mmap,
	.release = pldma_buffer_release,
};

/* take references to a block, its device and its pages */
static struct pldma_buffer *pldma_buffer_new(struct pldma_block *block)
{
	struct pldma_dev *pldma = block->chan->pldma;
	unsigned int npages = PAGE_ALIGN(block->size) >> PAGE_SHIFT;
	struct pldma_buffer *buffer;
	unsigned int i, k;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return NULL;
	buffer->pages = kvmalloc_array(npages, sizeof(*buffer->pages), PLDMA_GFP);
	if (!buffer->pages) {
		kfree(buffer);
		return NULL;
	}
	for (i = 0; i < block->nchunks; i++) {
		struct pldma_chunk *chunk = &block->chunks[i];

		for (k = 0; k < 1U << chunk->order && buffer->npages < npages; k++) {
			get_page(chunk->page + k);
			buffer->pages[buffer->npages++] = chunk->page + k;
		}
	}
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->attachments);
	buffer->block = block;
	kref_get(&block->ref);
	kref_get(&pldma->ref);
	mutex_lock(&pldma->table_lock);
	block->exports++;
	mutex_unlock(&pldma->table_lock);
	return buffer;
}

/* make the buffer of a claimed block */
static struct dma_buf *pldma_buffer_make(struct pldma_block *block)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct pldma_buffer *buffer;
	struct dma_buf *dmabuf;

	buffer = pldma_buffer_new(block);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	info.exp_name = "pldma";
	info.ops = &pldma_buffer_ops;
	info.size = PAGE_ALIGN(block->size);
	info.flags = O_RDWR;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		pldma_buffer_free(buffer);
	return dmabuf;
}

/* can the memory of a block be exported */
static bool pldma_exportable(const struct pldma_block *block)
{
	/* receive blocks of STREAMING_LAZY must not be written by the CPU */
	return pldma_policy_is_chunked(block->policy) && block->policy != PLDMA_BOUNCE &&
		!(block->policy == PLDMA_STREAMING_LAZY && block->chan->direction == PLDMA_RX);
}

/**
 * pldma_export() - PLDMA_IOC_EXPORT
 * @pldma: the device
 * @arg: argument
 * @uarg: the argument in user space, to which the file descriptor is written
 *
 * Return: 0, or a negative errno without any effect.
 */
int pldma_export(struct pldma_dev *pldma, struct pldma_export *arg,
		 struct pldma_export __user *uarg)
{
	struct pldma_block *block;
	struct dma_buf *dmabuf;
	int ret, fd;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	block = pldma_block_get(pldma, arg->id);
	if (IS_ERR(block))
		return PTR_ERR(block);
	ret = pldma_exportable(block) ? pldma_block_claim(block) : -EOPNOTSUPP;
	if (ret)
		goto out_put;
	dmabuf = pldma_buffer_make(block);
	pldma_block_unclaim(block);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto out_put;
	}
	/* once the file is installed, another thread can use it, so nothing may fail */
	fd = get_unused_fd_flags(O_CLOEXEC);
	ret = fd < 0 ? fd : 0;
	if (!ret && put_user(fd, &uarg->fd)) {
		put_unused_fd(fd);
		ret = -EFAULT;
	}
	if (ret)
		dma_buf_put(dmabuf);
	else
		fd_install(fd, dmabuf->file);
out_put:
	pldma_block_put(block);
	return ret;
}
