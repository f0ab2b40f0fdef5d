// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: a dma-buf of another driver as the memory of a block, policy DMA_BUF
 *
 * The buffer is attached and mapped for the life of the block. It is never synced
 * here: the caller brackets its accesses with DMA_BUF_IOCTL_SYNC, and the exporter
 * syncs the mappings of its importers. Some exporters do not (see README.md).
 *
 * Reservation fences are not used: the caller orders its transfers and the work of
 * other devices.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/ktime.h>

#include "pldma_priv.h"

/* store the bus addresses of the first bytes of the buffer */
static int pldma_import_segs(struct pldma_block *block)
{
	struct sg_table *sgt = block->import.sgt;
	struct pldma_chan *chan = block->chan;
	unsigned int i, nsegs = 0;
	struct scatterlist *sg;
	size_t size = 0;
	int ret;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (size >= block->size)
			break;
		size += sg_dma_len(sg);
		nsegs++;
	}
	if (size < block->size)
		return -EINVAL;
	if (chan->max_segs && nsegs > chan->max_segs)
		return -EOPNOTSUPP;
	ret = pldma_alloc_segs(block, nsegs, size);
	if (ret)
		return ret;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (i == nsegs)
			break;
		block->segs[i].addr = sg_dma_address(sg);
		block->segs[i].len = sg_dma_len(sg);
	}
	pldma_publish_segs(block, nsegs);
	return 0;
}

/**
 * pldma_import_map() - attach a dma-buf to the device and map it
 * @block: new block of policy DMA_BUF
 * @fd: file descriptor of the buffer
 *
 * Return: 0, -EBADF, -EINVAL if the file is not a dma-buf or the block is larger,
 * -EACCES if the engine would write to a buffer that is read-only, -EOPNOTSUPP if it
 * has too many segments, or an error of the exporter. Call pldma_import_unmap() in
 * all cases.
 */
int pldma_import_map(struct pldma_block *block, int fd)
{
	struct pldma_import_map *import = &block->import;
	struct pldma_chan *chan = block->chan;
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	struct sg_table *sgt;
	u64 start;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	import->dmabuf = dmabuf;
	if (block->size > dmabuf->size)
		return -EINVAL;
	if (chan->map_dir == DMA_FROM_DEVICE && !(dmabuf->file->f_mode & FMODE_WRITE))
		return -EACCES;

	attach = dma_buf_attach(dmabuf, chan->map_dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	import->attach = attach;
	start = ktime_get_ns();
	sgt = dma_buf_map_attachment_unlocked(attach, chan->map_dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	import->sgt = sgt;
	pldma_cost_add(chan, PLDMA_COST_MAP, true, block->size, start);
	return pldma_import_segs(block);
}

/**
 * pldma_import_unmap() - undo pldma_import_map()
 * @block: the block
 */
void pldma_import_unmap(struct pldma_block *block)
{
	struct pldma_import_map *import = &block->import;
	struct pldma_chan *chan = block->chan;
	u64 start;

	if (import->sgt) {
		start = ktime_get_ns();
		dma_buf_unmap_attachment_unlocked(import->attach, import->sgt, chan->map_dir);
		pldma_cost_add(chan, PLDMA_COST_UNMAP, true, block->size, start);
	}
	if (import->attach)
		dma_buf_detach(import->dmabuf, import->attach);
	if (import->dmabuf)
		dma_buf_put(import->dmabuf);
	memset(import, 0, sizeof(*import));
}
