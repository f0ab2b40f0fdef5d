/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pldma: structs, locks and functions that its source files share. It is one file, so
 * that the order of the locks and of the files can be seen at once.
 *
 * Locks, outermost first:
 *
 *	pldma_dev.reset_lock	one RESET or shutdown at a time
 *	pldma_chan.lock		the dmaengine channel: prep with submit, terminate,
 *				release. tx before rx
 *	pldma_loop.lock		the copy of a memory loop
 *	mmap_lock		held by the callers of the functions in pldma_mmap.c
 *	pldma_dev.table_lock	the table of blocks, limits, counts of mappings
 *	pldma_chan.done_lock	spinlock, interrupts off: states of blocks, lists,
 *				counters
 *
 * No call syncs, maps, pins, copies or allocates memory of a block under a lock of
 * its channel. A queued block would have to wait for it while the engine is idle.
 * Instead, a call claims the block: see pldma_block.c.
 *
 * The functions at the end are ordered from the bottom up: each file only calls
 * functions of the files before it.
 */
#ifndef _PLDMA_PRIV_H
#define _PLDMA_PRIV_H

#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pm.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "uapi/pldma.h"
#include "pldma_block.h"
#include "pldma_compat.h"
#include "pldma_provider.h"
#include "pldma_uarg.h"

#define PLDMA_MAX_BLOCKS	4096
#define PLDMA_MAX_ENGINE_DEPTH	256

/* user space chooses sizes: fail without a warning and without the OOM killer */
#define PLDMA_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/* number of blocks that a memory loop accepts, per direction */
#define PLDMA_LOOP_DEPTH	16

/* quirks that matter for a memory loop: its transfers are not those of a slave */
#define PLDMA_LOOP_QUIRKS	(PLDMA_QUIRK_TERMINATE | PLDMA_QUIRK_ALIGN_BYTES)

struct dentry;
struct iommu_domain;
struct pldma_dev;
struct pldma_loop;
struct seq_file;

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
 * @quirks: PLDMA_QUIRK_*, see pldma_quirks.c
 * @max_segs: maximum number of segments of a transfer, or 0 without a limit
 * @terminated: the last terminate succeeded, under @lock
 * @needs_sync: mappings for @map_dev need sync calls
 * @lock: see the top of this file
 * @ring_blocks: number of blocks of policy BOUNCE, under table_lock
 * @orphans: quarantined blocks of an earlier open, under table_lock
 * @holes: bus addresses that a running engine may still use, and that lead nowhere,
 *	under reset_lock. See pldma_revoke.c
 * @wq: wakes waiters after completions, RESET and removal
 * @submit: work that submits queued blocks to the engine
 * @done_lock: see the top of this file. It protects all members below
 * @users: number of calls that use @map_dev. Removal waits until it is 0
 * @resets: number of RESET calls. A waiter gives up if it changes
 * @wedged: the last RESET did not prove that the engine is idle
 * @ring_error: a frame of write() failed after it was queued
 * @queued: accepted blocks that the engine has no room for
 * @in_flight: blocks that are submitted to the engine
 * @done: completed blocks for DEQUEUE
 * @ring_done: completed blocks for read() and write()
 * @ring_free: blocks for read() and write() in state USER
 * @quarantine: blocks that the engine may still access
 * @pending: number of blocks in @queued and @in_flight, and of those that an
 *	ENQUEUE prepares
 * @running: number of blocks in @in_flight
 * @ended: number of transfers that are over, successful or not
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
	u32 quirks;
	u32 max_segs;
	bool terminated;
	bool needs_sync;

	struct mutex lock;		/* see the top of this file */
	u32 ring_blocks;
	struct list_head orphans;
	struct list_head holes;
	wait_queue_head_t wq;
	struct work_struct submit;

	spinlock_t done_lock;		/* all members below */
	u32 users;
	u32 resets;
	bool wedged;
	bool ring_error;
	struct list_head queued;
	struct list_head in_flight;
	struct list_head done;
	struct list_head ring_done;
	struct list_head ring_free;
	struct list_head quarantine;
	u32 pending;
	u32 running;
	u32 ended;
	u32 failed;
	struct pldma_chan_stats stats;
};

#define PLDMA_MAX_ERRORS	16

/**
 * struct pldma_error - an error, for debugfs
 * @ns: when it happened
 * @what: what failed
 * @code: enum pldma_status or an errno
 * @direction: enum pldma_direction
 * @id: the block, or 0 for none
 */
struct pldma_error {
	u64 ns;
	const char *what;
	int code;
	u32 direction;
	u32 id;
};

/**
 * struct pldma_errors - the last errors of a device
 * @lock: protects all members. Innermost
 * @total: number of errors since the device was bound
 * @last: the last of them, error n in entry n modulo PLDMA_MAX_ERRORS
 */
struct pldma_errors {
	spinlock_t lock;		/* all members below */
	u64 total;
	struct pldma_error last[PLDMA_MAX_ERRORS];
};

/**
 * struct pldma_dev - a pair of channels and its character device
 * @ref: held by the binding and by the open file
 * @misc: the character device
 * @name: name of the character device
 * @id: N of /dev/pldmaN
 * @dev: the bound device
 * @chan: by enum pldma_direction
 * @loop: the memory loop, or NULL for a device with programmable logic
 * @dead: the device is unbound. Set under table_lock
 * @open: whether a process has the device open
 * @reset_lock: see the top of this file
 * @table_lock: see the top of this file
 * @blocks: blocks by id
 * @by_pgoff: blocks by page offset for mmap()
 * @nblocks: number of blocks
 * @bytes: size of all driver-owned blocks in bytes, including quarantined ones
 * @max_bytes: limit of @bytes
 * @max_block: size of the largest block in bytes
 * @next_id: id of the next block
 * @next_pgoff: page offset of the next block
 * @mappings: mappings that removal must undo, list of struct pldma_mapping
 * @errors: the last errors
 * @debugfs: folder in debugfs
 */
struct pldma_dev {
	struct kref ref;
	struct miscdevice misc;
	char name[16];
	int id;
	struct device *dev;
	struct pldma_chan chan[PLDMA_NR_DIRECTIONS];
	struct pldma_loop *loop;
	bool dead;
	atomic_t open;
	struct mutex reset_lock;	/* one RESET or shutdown at a time */

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
	struct pldma_errors errors;
	struct dentry *debugfs;
};

static inline bool pldma_policy_is_user(u32 policy)
{
	return policy == PLDMA_USER_PAGES || policy == PLDMA_USER_PAGES_REGISTERED;
}

/* memory that ALLOC makes and that counts against the limit of bytes */
static inline bool pldma_policy_is_owned(u32 policy)
{
	return !pldma_policy_is_user(policy) && policy != PLDMA_DMA_BUF;
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

/* an open file that only looks: it is not exclusive, and owns no block */
static inline bool pldma_is_observer(const struct file *file)
{
	return !(file->f_mode & FMODE_WRITE);
}

/* is there a channel of this direction; @direction need not be valid */
static inline bool pldma_chan_present(struct pldma_dev *pldma, u32 direction)
{
	return direction < PLDMA_NR_DIRECTIONS && pldma->chan[direction].map_dev;
}

/**
 * struct pldma_pair - platform data of devices made from module parameters
 * @name: names of the channels by enum pldma_direction, or NULL for none
 * @memcpy: name of the channel of a memory loop, or NULL
 */
struct pldma_pair {
	const char *name[PLDMA_NR_DIRECTIONS];
	const char *memcpy;
};

/* pldma_provider.c */
const struct pldma_provider_ops *pldma_find_provider(struct dma_device *dma);

/* pldma_trace.c */
void pldma_note(struct pldma_chan *chan, u32 id, const char *what, int code);

/* pldma_cost.c */
u64 pldma_cost_add(struct pldma_chan *chan, u32 kind, bool verify, size_t bytes, u64 start_ns);

/* pldma_iommu.c */
bool pldma_translated(struct device *dev);
bool pldma_need_sync(struct device *dev, dma_addr_t addr);
struct iommu_domain *pldma_strict_domain(struct device *dev);

/* pldma_quirks.c */
bool pldma_quirks_valid(void);
size_t pldma_max_segment(struct pldma_chan *chan);
int pldma_quirks(struct pldma_chan *chan, u32 *found);
void pldma_quirks_show(struct seq_file *file, u32 quirks);

/* pldma_policy.c */
u32 pldma_policy_attr(struct pldma_chan *chan, u32 policy);
size_t pldma_policy_max_block(struct pldma_chan *chan, u32 policy);
u64 pldma_policy_bytes(struct pldma_chan *chan, u32 policy, size_t size);

/* pldma_memory.c */
bool pldma_page_owned(struct page *page);
int pldma_alloc_segs(struct pldma_block *block, unsigned int nsegs, size_t size);
void pldma_publish_segs(struct pldma_block *block, unsigned int nsegs);
void pldma_free_segs(struct pldma_block *block);
int pldma_memory_alloc(struct pldma_block *block);
void pldma_memory_free(struct pldma_block *block);
unsigned int pldma_fill_sgl(struct pldma_block *block);

/* pldma_user.c */
int pldma_user_map(struct pldma_block *block, size_t offset, size_t len, bool verify);
void pldma_user_unmap(struct pldma_block *block, bool verify, bool sync);

/* pldma_import.c */
int pldma_import_map(struct pldma_block *block, int fd);
void pldma_import_unmap(struct pldma_block *block);

/* pldma_block.c */
struct pldma_block *pldma_block_new(struct pldma_chan *chan, u32 policy, size_t size);
void pldma_block_put(struct pldma_block *block);
struct pldma_block *pldma_block_get(struct pldma_dev *pldma, u32 id);
int pldma_chan_enter(struct pldma_chan *chan);
void pldma_chan_exit(struct pldma_chan *chan);
void pldma_block_offer(struct pldma_chan *chan, struct list_head *fresh);
int pldma_block_claim(struct pldma_block *block);
struct pldma_block *pldma_claim_first(struct pldma_chan *chan, struct list_head *list);
void pldma_unclaim(struct pldma_block *block);
void pldma_block_unclaim(struct pldma_block *block);
void pldma_block_unclaim_done(struct pldma_block *block, struct list_head *list);
void pldma_block_release(struct pldma_block *block);
void pldma_block_hide(struct pldma_block *block);
void pldma_block_forget(struct pldma_block *block);
void pldma_block_unexport(struct pldma_block *block);
void pldma_block_orphan(struct pldma_block *block);
void pldma_block_drop(struct pldma_block *block);

/* pldma_sync.c */
bool pldma_block_needs_sync(struct pldma_block *block);
void pldma_for_device(struct pldma_block *block);
void pldma_for_cpu(struct pldma_block *block);
void pldma_for_cpu_all(struct pldma_block *block);
int pldma_sync(struct pldma_dev *pldma, struct pldma_sync *arg);
int pldma_sync_whole(struct pldma_block *block, u32 op);

/* pldma_cache.c */
int pldma_cache(struct pldma_dev *pldma, const struct pldma_cache *arg);

/* pldma_alloc.c */
int pldma_alloc(struct pldma_dev *pldma, struct pldma_alloc *arg);
int pldma_register(struct pldma_dev *pldma, struct pldma_register *arg);
int pldma_import(struct pldma_dev *pldma, struct pldma_import *arg);
int pldma_free(struct pldma_dev *pldma, u32 id, bool registered);

/* pldma_mmap.c */
int pldma_block_mmap(struct pldma_dev *pldma, struct vm_area_struct *vma);
void pldma_zap_mappings(struct pldma_dev *pldma);

/* pldma_loop.c */
int pldma_loop_init(void);
void pldma_loop_exit(void);
int pldma_loop_new(struct pldma_dev *pldma, struct dma_chan *copy);
void pldma_loop_stop(struct pldma_dev *pldma);
void pldma_loop_free(struct pldma_dev *pldma);
void pldma_loop_submit(struct pldma_chan *chan, dma_async_tx_callback_result done);
int pldma_loop_terminate(struct pldma_chan *chan);
bool pldma_loop_idle(struct pldma_dev *pldma);

/* pldma_xfer.c */
int pldma_xfer_init(void);
void pldma_xfer_exit(void);
void pldma_submit_work(struct work_struct *work);
int pldma_xfer_start(struct pldma_block *block, const struct pldma_enqueue *arg);
void pldma_xfer_finish(struct pldma_block *block);
void pldma_take_done(struct pldma_block *block);

/* pldma_enqueue.c */
int pldma_enqueue_item(struct pldma_dev *pldma, const struct pldma_enqueue *arg,
		       const struct pldma_uarg *uarg);
int pldma_enqueue_batch(struct pldma_dev *pldma, struct pldma_enqueue_batch *arg);

/* pldma_dequeue.c */
int pldma_dequeue(struct pldma_dev *pldma, struct pldma_dequeue *arg,
		  const struct pldma_uarg *uarg, bool nonblock);
int pldma_dequeue_batch(struct pldma_dev *pldma, struct pldma_dequeue_batch *arg, bool nonblock);

/* pldma_revoke.c */
bool pldma_can_revoke(struct pldma_block *block);
bool pldma_revoke(struct pldma_block *block);
void pldma_fill_holes(struct pldma_chan *chan);
void pldma_forget_holes(struct pldma_chan *chan);

/* pldma_reset.c */
int pldma_reset(struct pldma_dev *pldma, struct pldma_reset *arg);
u32 pldma_quarantine(struct pldma_chan *chan, u64 *bytes);
void pldma_shutdown(struct pldma_dev *pldma);
void pldma_halt(struct pldma_dev *pldma);

/* pldma_ring.c */
ssize_t pldma_write(struct file *file, const char __user *buf, size_t len, loff_t *pos);
ssize_t pldma_read(struct file *file, char __user *buf, size_t len, loff_t *pos);

/* pldma_dev.c */
extern const char * const pldma_direction_names[PLDMA_NR_DIRECTIONS];
bool pldma_dev_params_valid(void);
struct pldma_dev *pldma_dev_new(struct device *dev);
void pldma_dev_put(struct pldma_dev *pldma);

/* pldma_export.c */
int pldma_export(struct pldma_dev *pldma, struct pldma_export *arg,
		 struct pldma_export __user *uarg);

/* pldma_ioctl.c */
long pldma_ioctl(struct file *file, unsigned int cmd, unsigned long p);

/* pldma_file.c */
extern const struct file_operations pldma_fops;

/* pldma_pm.c */
extern const struct dev_pm_ops pldma_pm_ops;

/* pldma_debugfs.c */
void pldma_debugfs_init(void);
void pldma_debugfs_exit(void);
void pldma_debugfs_add(struct pldma_dev *pldma);
void pldma_debugfs_remove(struct pldma_dev *pldma);

/* pldma_chan.c */
struct dma_chan *pldma_chan_request(struct pldma_dev *pldma, u32 direction);
bool pldma_chan_unmapped(struct pldma_dev *pldma, u32 direction);
int pldma_chan_init(struct pldma_dev *pldma, u32 direction);

#endif /* _PLDMA_PRIV_H */
