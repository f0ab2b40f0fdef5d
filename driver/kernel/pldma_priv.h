/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pldma: what its source files share
 *
 * Locks, outermost first:
 *
 *	pldma_chan.lock		one direction: every change of a block's state but
 *				the completion, all sync calls, prep and submit
 *	mmap_lock		taken by copies to and from user space and by
 *				pinning, under pldma_chan.lock
 *	pldma_dev.table_lock	the table of blocks, limits, counts of mappings
 *	pldma_chan.done_lock	spinlock, interrupts off: the lists that the
 *				completion callback touches
 */
#ifndef _PLDMA_PRIV_H
#define _PLDMA_PRIV_H

#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "uapi/pldma.h"
#include "pldma_provider.h"

#ifdef MAX_PAGE_ORDER
#define PLDMA_MAX_PAGE_ORDER	MAX_PAGE_ORDER
#else
#define PLDMA_MAX_PAGE_ORDER	(MAX_ORDER - 1)	/* MAX_ORDER is exclusive in 6.1 */
#endif

#define PLDMA_MAX_BLOCKS	4096
#define PLDMA_MAX_ENGINE_DEPTH	256

struct pldma_chan;
struct pldma_dev;

/**
 * struct pldma_chunk - pages of one allocation, mapped for the device once
 * @page: first page
 * @order: log2 of the number of pages
 * @dma: bus address, or DMA_MAPPING_ERROR while it is not mapped
 */
struct pldma_chunk {
	struct page *page;
	unsigned int order;
	dma_addr_t dma;
};

/**
 * struct pldma_seg - one contiguous piece in bus addresses
 * @addr: where it starts
 * @len: bytes
 */
struct pldma_seg {
	dma_addr_t addr;
	size_t len;
};

/**
 * struct pldma_user - memory of the caller's
 * @mm: whose it is, held by mmgrab()
 * @addr: where it starts
 * @pages: pinned pages, NULL while nothing is pinned
 * @npages: how many
 * @sgt: its mapping; valid when @mapped
 * @mapped: dma_map_sgtable() succeeded
 * @offset: start of the pinned range in the block
 * @len: its bytes
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
 * struct pldma_block - memory, and the one transfer that it can be in
 * @ref: held by the table, by each mapping and by each call that looks at it
 * @chan: its direction
 * @node: place in one of the lists of @chan while not in state USER
 * @id: as user space knows it
 * @policy: enum pldma_policy
 * @state: enum pldma_state; changed under @chan->lock, but IN_FLIGHT to DONE by
 *	the callback under @chan->done_lock
 * @gone: freed; whoever still holds a reference must not use it
 * @synced: the completion was synced and unmapped, only the copy to user space
 *	is missing
 * @size: bytes
 * @pgoff: page offset for mmap(), 0 when there is none
 * @mappings: live mappings, under table_lock
 * @chunks: memory of the cached policies
 * @nchunks: how many
 * @vaddr: memory of the policies that dma_alloc_*() serves
 * @dma: its bus address
 * @user: memory of the user-page policies
 * @segs: the memory in bus addresses
 * @nsegs: how many pieces, 0 while not mapped for the device
 * @sgl: scratch list for one transfer
 * @nsgl: its capacity
 * @offset: range of the transfer in the block
 * @len: its bytes
 * @flags: PLDMA_ENQUEUE_*
 * @cookie: of the caller's
 * @queued_ns: when ENQUEUE took it
 * @submitted_ns: when the engine got it
 * @done_ns: when the engine reported it
 * @sync_device_ns: spent in for_device, or pin and map
 * @sync_cpu_ns: spent in for_cpu, or unmap and unpin
 * @status: enum pldma_status
 * @moved: bytes moved
 * @check: check value, written by the provider
 */
struct pldma_block {
	struct kref ref;
	struct pldma_chan *chan;
	struct list_head node;
	u32 id;
	u32 policy;
	u32 state;
	bool gone;
	bool synced;
	size_t size;
	unsigned long pgoff;
	unsigned int mappings;

	struct pldma_chunk *chunks;
	unsigned int nchunks;
	void *vaddr;
	dma_addr_t dma;
	struct pldma_user user;

	struct pldma_seg *segs;
	unsigned int nsegs;
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
 * struct pldma_chan - one direction
 * @pldma: the device
 * @direction: enum pldma_direction
 * @dma: the dmaengine channel, NULL when absent
 * @map_dev: the device that memory is mapped for
 * @map_dir: DMA_TO_DEVICE or DMA_FROM_DEVICE
 * @engine: name of the DMA controller's driver
 * @channel: name of the channel
 * @ops: operations of a provider of ours, or NULL
 * @core: what the provider said of itself
 * @queue_depth: blocks queued or in flight at once
 * @max_seg: longest piece for the engine
 * @chunk_order: largest allocation of the cached policies
 * @terminate_stops: the board says that a successful terminate is proof enough
 * @terminated: the last one succeeded
 * @needs_sync: a page mapped for @map_dev needs sync calls
 * @lock: see above
 * @resets: counts RESET calls; a waiter that sees it change gives up
 * @wedged: the engine was not proved idle
 * @ring_blocks: how many blocks of policy BOUNCE there are
 * @ring_error: a write() was lost after it had been queued
 * @orphans: quarantined blocks of an earlier open
 * @wq: completions, RESET and removal
 * @submit: hands queued blocks to the engine
 * @done_lock: see above
 * @queued: accepted blocks that the engine had no room for
 * @in_flight: blocks that the engine has
 * @done: blocks for DEQUEUE
 * @ring_done: blocks for read() and write()
 * @quarantine: blocks that the engine may still reach
 * @pending: how many blocks are in @queued and @in_flight
 * @running: how many blocks are in @in_flight
 * @failed: how many blocks in @done and @ring_done have an error
 * @stats: counters since open
 */
struct pldma_chan {
	struct pldma_dev *pldma;
	u32 direction;
	struct dma_chan *dma;
	struct device *map_dev;
	enum dma_data_direction map_dir;
	char engine[32];
	char channel[32];
	const struct pldma_provider_ops *ops;
	struct pldma_core core;
	u32 queue_depth;
	u32 max_seg;
	unsigned int chunk_order;
	bool terminate_stops;
	bool terminated;
	bool needs_sync;

	struct mutex lock;		/* one direction, see the top */
	u32 resets;
	bool wedged;
	u32 ring_blocks;
	bool ring_error;
	struct list_head orphans;
	wait_queue_head_t wq;
	struct work_struct submit;

	spinlock_t done_lock;		/* lists the callback touches */
	struct list_head queued;
	struct list_head in_flight;
	struct list_head done;
	struct list_head ring_done;
	struct list_head quarantine;
	u32 pending;
	u32 running;
	u32 failed;
	struct pldma_chan_stats stats;
};

/**
 * struct pldma_mapping - one live mapping of a block into a process
 * @node: place in pldma_dev.mappings
 * @ref: VMAs that it consists of
 * @block: what is mapped
 * @mm: where, held by mmgrab()
 * @linked: removal has passed through mmap_lock since it was made
 */
struct pldma_mapping {
	struct list_head node;
	refcount_t ref;
	struct pldma_block *block;
	struct mm_struct *mm;
	bool linked;
};

/**
 * struct pldma_dev - one pair of channels and its character device
 * @ref: held by the binding and by the open file
 * @misc: the character device
 * @name: its name
 * @id: N of /dev/pldmaN
 * @dev: the bound device
 * @chan: by enum pldma_direction
 * @dead: unbound; set under both channel locks and table_lock
 * @open: somebody has it open
 * @table_lock: see the top
 * @blocks: by id
 * @by_pgoff: by offset for mmap()
 * @nblocks: how many
 * @bytes: driver-owned bytes, quarantine included
 * @max_bytes: their limit
 * @max_block: limit of one block
 * @next_id: id of the next block
 * @next_pgoff: offset of the next block
 * @mappings: live ones
 * @mapping: address space that they belong to
 */
struct pldma_dev {
	struct kref ref;
	struct miscdevice misc;
	char name[16];
	int id;
	struct device *dev;
	struct pldma_chan chan[PLDMA_NR_DIRECTIONS];
	bool dead;
	atomic_t open;

	struct mutex table_lock;	/* table, limits, mappings */
	struct xarray blocks;
	struct xarray by_pgoff;
	u32 nblocks;
	u64 bytes;
	u64 max_bytes;
	size_t max_block;
	u64 next_id;
	u64 next_pgoff;
	struct list_head mappings;
	struct address_space *mapping;
};

static inline bool pldma_policy_is_user(u32 policy)
{
	return policy == PLDMA_USER_PAGES || policy == PLDMA_USER_PAGES_REGISTERED;
}

/* cached pages of ours, mapped in chunks */
static inline bool pldma_policy_is_chunked(u32 policy)
{
	return policy == PLDMA_STREAMING || policy == PLDMA_STREAMING_LAZY ||
	       policy == PLDMA_MANUAL || policy == PLDMA_BOUNCE ||
	       policy == PLDMA_NONE;
}

/* ranges aligned to this share no cache line; dma_get_cache_alignment() is 1 on x86 */
static inline size_t pldma_cache_align(void)
{
	return max_t(size_t, dma_get_cache_alignment(), cache_line_size());
}

u64 pldma_cost_add(struct pldma_chan *chan, u32 kind, bool verify, size_t bytes, u64 start_ns);

/* pldma_core.c */
void pldma_dev_put(struct pldma_dev *pldma);
bool pldma_chan_present(struct pldma_dev *pldma, u32 direction);

/* pldma_block.c */
u32 pldma_policy_attr(struct pldma_chan *chan, u32 policy);
size_t pldma_policy_max_block(struct pldma_chan *chan, u32 policy);
int pldma_alloc(struct pldma_dev *pldma, struct pldma_alloc *arg);
int pldma_register(struct pldma_dev *pldma, struct pldma_register *arg);
int pldma_free(struct pldma_dev *pldma, u32 id, bool registered);
struct pldma_block *pldma_block_lock(struct pldma_dev *pldma, u32 id);
void pldma_block_unlock(struct pldma_block *block);
void pldma_block_put(struct pldma_block *block);
void pldma_block_release(struct pldma_block *block);
void pldma_block_drop(struct pldma_block *block);
void pldma_block_orphan(struct pldma_block *block);
int pldma_user_map(struct pldma_block *block, size_t offset, size_t len, bool verify);
void pldma_user_unmap(struct pldma_block *block, bool verify, bool sync);
void pldma_block_sync(struct pldma_block *block, u32 op, size_t offset, size_t len, bool verify);
bool pldma_block_needs_sync(struct pldma_block *block);
int pldma_block_mmap(struct pldma_dev *pldma, struct vm_area_struct *vma);
void pldma_zap_mappings(struct pldma_dev *pldma);

/* pldma_xfer.c */
void pldma_submit_work(struct work_struct *work);
int pldma_xfer_start(struct pldma_block *block, const struct pldma_enqueue *arg);
int pldma_enqueue(struct pldma_dev *pldma, const struct pldma_enqueue *arg);
int pldma_dequeue(struct pldma_dev *pldma, struct pldma_dequeue *arg,
		  struct pldma_dequeue __user *uarg, bool nonblock);
void pldma_xfer_finish(struct pldma_block *block);
void pldma_take_done(struct pldma_block *block);
int pldma_sync(struct pldma_dev *pldma, struct pldma_sync *arg);
int pldma_reset(struct pldma_dev *pldma, struct pldma_reset *result);
u32 pldma_quarantine(struct pldma_chan *chan, u64 *bytes);
void pldma_shutdown(struct pldma_dev *pldma);

/* pldma_file.c */
extern const struct file_operations pldma_fops;

/* pldma_provider.c */
const struct pldma_provider_ops *pldma_find_provider(struct dma_device *dma);

#endif /* _PLDMA_PRIV_H */
