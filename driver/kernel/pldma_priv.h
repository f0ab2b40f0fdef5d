/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pldma: structs, locks and functions that its source files share
 *
 * Locks, outermost first:
 *
 *	pldma_chan.lock		one direction: all changes of a block's state except
 *				by the completion callback, all sync calls, prep and
 *				submit
 *	mmap_lock		taken under pldma_chan.lock when memory is pinned or
 *				copied from or to user space
 *	pldma_dev.table_lock	the table of blocks, limits, counts of mappings
 *	pldma_chan.done_lock	spinlock, interrupts off: the lists that the
 *				completion callback uses
 *
 * The functions at the end are ordered from the bottom up: each file only calls
 * functions of the files before it.
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
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "uapi/pldma.h"
#include "pldma_block.h"
#include "pldma_provider.h"

#ifdef MAX_PAGE_ORDER
#define PLDMA_MAX_PAGE_ORDER	MAX_PAGE_ORDER
#else
#define PLDMA_MAX_PAGE_ORDER	(MAX_ORDER - 1)	/* MAX_ORDER is exclusive in 6.1 */
#endif

#define PLDMA_MAX_BLOCKS	4096
#define PLDMA_MAX_ENGINE_DEPTH	256

/* user space chooses sizes: fail without a warning and without the OOM killer */
#define PLDMA_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

struct pldma_dev;

/**
 * struct pldma_chan - one direction of a device
 * @pldma: the device
 * @direction: enum pldma_direction
 * @dma: the dmaengine channel, or NULL if there is none
 * @map_dev: the device that memory is mapped for
 * @map_dir: DMA_TO_DEVICE or DMA_FROM_DEVICE
 * @engine: name of the DMA controller's driver
 * @channel: name of the channel
 * @ops: operations of a registered provider, or NULL
 * @core: what the provider reported about the core
 * @queue_depth: maximum number of blocks that are queued or in flight
 * @max_seg: size of the longest segment that the engine accepts
 * @chunk_order: log2 of the number of pages of the largest chunk
 * @terminate_stops: the device tree says that a successful terminate proves that
 *	the engine is idle
 * @terminated: the last terminate succeeded
 * @needs_sync: mappings for @map_dev need sync calls
 * @lock: see the top of this file
 * @resets: number of RESET calls. A waiter gives up if it changes
 * @wedged: the last RESET did not prove that the engine is idle
 * @ring_blocks: number of blocks of policy BOUNCE
 * @ring_error: a frame of write() failed after it was queued
 * @orphans: quarantined blocks of an earlier open
 * @wq: wakes waiters after completions, RESET and removal
 * @submit: work that submits queued blocks to the engine
 * @done_lock: see the top of this file
 * @queued: accepted blocks that the engine has no room for
 * @in_flight: blocks that are submitted to the engine
 * @done: completed blocks for DEQUEUE
 * @ring_done: completed blocks for read() and write()
 * @quarantine: blocks that the engine may still access
 * @pending: number of blocks in @queued and @in_flight
 * @running: number of blocks in @in_flight
 * @failed: number of blocks in @done and @ring_done with an error
 * @stats: counters since the device was opened
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

	struct mutex lock;		/* see the top of this file */
	u32 resets;
	bool wedged;
	u32 ring_blocks;
	bool ring_error;
	struct list_head orphans;
	wait_queue_head_t wq;
	struct work_struct submit;

	spinlock_t done_lock;		/* lists that the callback uses */
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
 * struct pldma_dev - a pair of channels and its character device
 * @ref: held by the binding and by the open file
 * @misc: the character device
 * @name: name of the character device
 * @id: N of /dev/pldmaN
 * @dev: the bound device
 * @chan: by enum pldma_direction
 * @dead: the device is unbound. Set under both channel locks and table_lock
 * @open: whether a process has the device open
 * @table_lock: see the top of this file
 * @blocks: blocks by id
 * @by_pgoff: blocks by page offset for mmap()
 * @nblocks: number of blocks
 * @bytes: size of all driver-owned blocks in bytes, including quarantined ones
 * @max_bytes: limit of @bytes
 * @max_block: size of the largest block in bytes
 * @next_id: id of the next block
 * @next_pgoff: page offset of the next block
 * @mappings: list of struct pldma_mapping
 * @mapping: address space of the device file
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

/* driver-owned cached pages, mapped in chunks */
static inline bool pldma_policy_is_chunked(u32 policy)
{
	return policy == PLDMA_STREAMING || policy == PLDMA_STREAMING_LAZY ||
	       policy == PLDMA_MANUAL || policy == PLDMA_BOUNCE ||
	       policy == PLDMA_NONE;
}

/* ranges with this alignment share no cache line; dma_get_cache_alignment() is 1 on x86 */
static inline size_t pldma_cache_align(void)
{
	return max_t(size_t, dma_get_cache_alignment(), cache_line_size());
}

/* is there a channel of this direction; @direction need not be valid */
static inline bool pldma_chan_present(struct pldma_dev *pldma, u32 direction)
{
	return direction < PLDMA_NR_DIRECTIONS && pldma->chan[direction].map_dev;
}

/**
 * struct pldma_pair - platform data of devices made from module parameters
 * @name: names of the channels by enum pldma_direction, or NULL for none
 */
struct pldma_pair {
	const char *name[PLDMA_NR_DIRECTIONS];
};

/* pldma_provider.c */
const struct pldma_provider_ops *pldma_find_provider(struct dma_device *dma);

/* pldma_cost.c */
u64 pldma_cost_add(struct pldma_chan *chan, u32 kind, bool verify, size_t bytes, u64 start_ns);

/* pldma_memory.c */
u32 pldma_policy_attr(struct pldma_chan *chan, u32 policy);
size_t pldma_policy_max_block(struct pldma_chan *chan, u32 policy);
int pldma_alloc_segs(struct pldma_block *block, unsigned int nsegs, size_t size);
void pldma_free_segs(struct pldma_block *block);
int pldma_memory_alloc(struct pldma_block *block);
void pldma_memory_free(struct pldma_block *block);

/* pldma_user.c */
int pldma_user_map(struct pldma_block *block, size_t offset, size_t len, bool verify);
void pldma_user_unmap(struct pldma_block *block, bool verify, bool sync);

/* pldma_block.c */
struct pldma_block *pldma_block_new(struct pldma_chan *chan, u32 policy, size_t size);
void pldma_block_put(struct pldma_block *block);
struct pldma_block *pldma_block_lock(struct pldma_dev *pldma, u32 id);
void pldma_block_unlock(struct pldma_block *block);
void pldma_block_release(struct pldma_block *block);
void pldma_block_hide(struct pldma_block *block);
void pldma_block_forget(struct pldma_block *block);
void pldma_block_orphan(struct pldma_block *block);
void pldma_block_drop(struct pldma_block *block);

/* pldma_sync.c */
bool pldma_block_needs_sync(struct pldma_block *block);
void pldma_for_device(struct pldma_block *block);
void pldma_for_cpu(struct pldma_block *block);
void pldma_for_cpu_all(struct pldma_block *block);
int pldma_sync(struct pldma_dev *pldma, struct pldma_sync *arg);

/* pldma_alloc.c */
int pldma_alloc(struct pldma_dev *pldma, struct pldma_alloc *arg);
int pldma_register(struct pldma_dev *pldma, struct pldma_register *arg);
int pldma_free(struct pldma_dev *pldma, u32 id, bool registered);

/* pldma_mmap.c */
int pldma_block_mmap(struct pldma_dev *pldma, struct vm_area_struct *vma);
void pldma_zap_mappings(struct pldma_dev *pldma);

/* pldma_xfer.c */
void pldma_submit_work(struct work_struct *work);
int pldma_xfer_start(struct pldma_block *block, const struct pldma_enqueue *arg);
int pldma_enqueue(struct pldma_dev *pldma, const struct pldma_enqueue *arg);
void pldma_xfer_finish(struct pldma_block *block);
void pldma_take_done(struct pldma_block *block);

/* pldma_dequeue.c */
int pldma_dequeue(struct pldma_dev *pldma, struct pldma_dequeue *arg,
		  struct pldma_dequeue __user *uarg, bool nonblock);

/* pldma_reset.c */
int pldma_reset(struct pldma_dev *pldma, struct pldma_reset *result);
u32 pldma_quarantine(struct pldma_chan *chan, u64 *bytes);
void pldma_shutdown(struct pldma_dev *pldma);

/* pldma_ring.c */
struct pldma_block *pldma_ring_free(struct pldma_chan *chan);
ssize_t pldma_write(struct file *file, const char __user *buf, size_t len, loff_t *pos);
ssize_t pldma_read(struct file *file, char __user *buf, size_t len, loff_t *pos);

/* pldma_ioctl.c */
long pldma_ioctl(struct file *file, unsigned int cmd, unsigned long p);

/* pldma_dev.c */
bool pldma_dev_params_valid(void);
struct pldma_dev *pldma_dev_new(struct device *dev);
void pldma_dev_put(struct pldma_dev *pldma);

/* pldma_file.c */
extern const struct file_operations pldma_fops;

/* pldma_chan.c */
extern const char * const pldma_direction_names[PLDMA_NR_DIRECTIONS];
struct dma_chan *pldma_chan_request(struct pldma_dev *pldma, u32 direction);
bool pldma_chan_unmapped(struct pldma_dev *pldma, u32 direction);
int pldma_chan_init(struct pldma_dev *pldma, u32 direction);

#endif /* _PLDMA_PRIV_H */
