/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pldma: a block, its memory, and its mappings into processes
 */
#ifndef _PLDMA_BLOCK_H
#define _PLDMA_BLOCK_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "pldma_provider.h"

struct dma_buf;
struct dma_buf_attachment;
struct mm_struct;
struct page;
struct pldma_chan;

/**
 * struct pldma_chunk - contiguous pages that are mapped for the device once
 * @page: first page
 * @order: log2 of the number of pages
 * @dma: bus address, or DMA_MAPPING_ERROR while the pages are not mapped
 */
struct pldma_chunk {
	struct page *page;
	unsigned int order;
	dma_addr_t dma;
};

/**
 * struct pldma_seg - a contiguous range of bus addresses
 * @addr: first address
 * @len: size in bytes
 */
struct pldma_seg {
	dma_addr_t addr;
	size_t len;
};

/**
 * struct pldma_user - memory of the caller
 * @mm: address space of the caller, held by mmgrab()
 * @addr: address of the first byte
 * @pages: pinned pages, or NULL while nothing is pinned
 * @npages: number of pinned pages
 * @sgt: mapping of the pinned pages, valid if @mapped
 * @mapped: dma_map_sgtable() succeeded
 * @offset: start of the pinned range in the block
 * @len: size of the pinned range in bytes
 */
struct pldma_user {
	struct mm_struct *mm;
	unsigned long addr;
	struct page **pages;
	unsigned int npages;
	struct sg_table sgt;
	bool mapped;
	size_t offset;
	size_t len;
};

/**
 * struct pldma_import_map - a buffer of another driver
 * @dmabuf: the buffer, held by a reference, or NULL
 * @attach: the attachment to the device, or NULL
 * @sgt: its mapping, or NULL
 */
struct pldma_import_map {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

/**
 * struct pldma_block - memory, and at most one transfer of it
 * @ref: held by the table, by each mapping, and by each call that uses the block
 * @chan: direction
 * @rcu: frees the block after pldma_block_get() cannot see it any more
 * @node: entry in one of the lists of @chan, or in a list of the call that claimed
 *	the block
 * @id: id in user space
 * @policy: enum pldma_policy
 * @state: enum pldma_state, under @chan->done_lock
 * @busy: a call has claimed the block, under @chan->done_lock
 * @gone: the block was freed, so that holders of a reference must not use it, under
 *	@chan->done_lock
 * @synced: the completion was synced and unmapped, but not copied to user space
 * @size: size in bytes
 * @pgoff: page offset for mmap(), or 0 if the block cannot be mapped
 * @mappings: number of mappings into processes, under table_lock
 * @exports: number of buffers that EXPORT made, under table_lock
 * @forgotten: the block is not in the table any more, under table_lock
 * @cleaned: CACHE has cleaned the whole block, while the block was claimed
 * @chunks: memory of the policies with cached pages
 * @nchunks: number of chunks
 * @vaddr: memory of the policies that use dma_alloc_*()
 * @dma: bus address of @vaddr
 * @user: memory of the policies of user pages
 * @import: memory of policy DMA_BUF
 * @segs: bus addresses of the memory
 * @nsegs: number of segments, 0 while the memory is not mapped for the device
 * @needs_sync: sync calls of the segments have an effect
 * @sgl: scratch list for the transfer
 * @nsgl: number of entries in @sgl
 * @offset: start of the transfer in the block
 * @len: length of the transfer in bytes
 * @flags: PLDMA_ENQUEUE_*
 * @cookie: number of the caller
 * @queued_ns: when ENQUEUE accepted the block
 * @submitted_ns: when the transfer was submitted to the engine
 * @done_ns: when the engine reported completion
 * @sync_device_ns: time spent in for_device, or in pin and map
 * @sync_cpu_ns: time spent in for_cpu, or in unmap and unpin
 * @status: enum pldma_status
 * @moved: number of bytes that the engine moved
 * @check: check value, written by the provider
 */
struct pldma_block {
	struct kref ref;
	struct rcu_head rcu;
	struct pldma_chan *chan;
	struct list_head node;
	u32 id;
	u32 policy;
	u32 state;
	bool busy;
	bool gone;
	bool synced;
	size_t size;
	unsigned long pgoff;
	unsigned int mappings;
	unsigned int exports;
	bool forgotten;
	bool cleaned;

	struct pldma_chunk *chunks;
	unsigned int nchunks;
	void *vaddr;
	dma_addr_t dma;
	struct pldma_user user;
	struct pldma_import_map import;

	struct pldma_seg *segs;
	unsigned int nsegs;
	bool needs_sync;
	struct scatterlist *sgl;
	unsigned int nsgl;

	size_t offset;
	size_t len;
	u32 flags;
	u64 cookie;
	u64 queued_ns;
	u64 submitted_ns;
	u64 done_ns;
	u64 sync_device_ns;
	u64 sync_cpu_ns;
	u32 status;
	size_t moved;
	struct pldma_check check;
};

/**
 * struct pldma_mapping - a mapping of a block into a process
 * @node: entry in pldma_dev.mappings if @mm is set
 * @ref: number of VMAs of the mapping
 * @block: the block that is mapped
 * @mm: address space of the process, held by mmgrab(), or NULL for counted pages
 * @zapped: removal has unmapped the memory from @mm
 */
struct pldma_mapping {
	struct list_head node;
	refcount_t ref;
	struct pldma_block *block;
	struct mm_struct *mm;
	bool zapped;
};

#endif /* _PLDMA_BLOCK_H */
