/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pldma: DMA blocks between user space and programmable logic
 *
 * A character device /dev/pldmaN stands for one pair of DMA channels: tx moves
 * data from memory to the logic (DMA_TO_DEVICE, MM2S), rx from the logic to
 * memory (DMA_FROM_DEVICE, S2MM). Either may be absent. Opening is exclusive.
 *
 * All data lives in *blocks*. A block is owned by exactly one side at a time:
 *
 *	            ENQUEUE               engine has room
 *	   USER ---------------> QUEUED ------------------> IN_FLIGHT
 *	    ^                       |                        |     |
 *	    |<----------------------+----- RESET ------------+     | completion
 *	    |                                                |     v
 *	    +<------------------- DEQUEUE -------------------|--- DONE
 *	                                                     |
 *	                     RESET, idleness not proved      v
 *	                                                 QUARANTINED
 *
 * Only in state USER may user space touch the memory or free the block.
 *
 * Conventions: sizes and offsets are bytes, times are nanoseconds of
 * CLOCK_MONOTONIC. Reserved fields and unknown flags must be zero (EINVAL).
 * An unknown command gives ENOTTY and leaves the argument untouched. A pointer
 * that cannot be read or written gives EFAULT. Once the device is gone, every
 * call gives ENODEV. Output fields are written only on success, but for the
 * member @error of ENQUEUE and DEQUEUE.
 */
#ifndef _UAPI_PLDMA_H
#define _UAPI_PLDMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** PLDMA_ABI_VERSION - changes when an existing program could misread a struct */
#define PLDMA_ABI_VERSION	1

#define PLDMA_IOC_MAGIC		0xd9

/**
 * enum pldma_direction - which of the two channels
 * @PLDMA_TX: memory to logic
 * @PLDMA_RX: logic to memory
 * @PLDMA_NR_DIRECTIONS: how many there are
 */
enum pldma_direction {
	PLDMA_TX = 0,
	PLDMA_RX = 1,
	PLDMA_NR_DIRECTIONS = 2,
};

/**
 * enum pldma_policy - where a block's memory comes from and who syncs caches
 * @PLDMA_COHERENT: dma_alloc_coherent(), never synced
 * @PLDMA_WRITE_COMBINE: dma_alloc_wc(), never synced
 * @PLDMA_STREAMING: cached pages mapped once; the whole block is synced at each
 *	of the four transitions (tx and rx, for_device and for_cpu)
 * @PLDMA_STREAMING_LAZY: as @PLDMA_STREAMING, but only tx for_device and rx
 *	for_cpu, and only the bytes that moved, widened to cache lines; receive
 *	blocks are read-only for user space
 * @PLDMA_NONCOHERENT: dma_alloc_noncoherent(); the enqueued range is synced at
 *	each of the four transitions
 * @PLDMA_USER_PAGES: the caller's memory, pinned and mapped at each ENQUEUE,
 *	unmapped and unpinned at DEQUEUE (REGISTER)
 * @PLDMA_USER_PAGES_REGISTERED: the caller's memory, pinned and mapped once,
 *	synced whole at each transition (REGISTER)
 * @PLDMA_MANUAL: cached pages mapped once; synced only by SYNC
 * @PLDMA_BOUNCE: a ring in the driver, reached by read() and write()
 * @PLDMA_NONE: cached pages mapped once and never synced. A negative control:
 *	it corrupts data wherever syncs matter
 * @PLDMA_NR_POLICIES: how many there are
 */
enum pldma_policy {
	PLDMA_COHERENT = 0,
	PLDMA_WRITE_COMBINE = 1,
	PLDMA_STREAMING = 2,
	PLDMA_STREAMING_LAZY = 3,
	PLDMA_NONCOHERENT = 4,
	PLDMA_USER_PAGES = 5,
	PLDMA_USER_PAGES_REGISTERED = 6,
	PLDMA_MANUAL = 7,
	PLDMA_BOUNCE = 8,
	PLDMA_NONE = 9,
	PLDMA_NR_POLICIES = 10,
};

/**
 * enum pldma_attr - the memory attribute that a user mapping really has
 * @PLDMA_ATTR_NONE: no user mapping is made by this driver
 * @PLDMA_ATTR_CACHED: ordinary cached memory
 * @PLDMA_ATTR_UNCACHED: uncached; on Arm this is Normal Non-cacheable
 * @PLDMA_ATTR_WRITE_COMBINE: uncached with write combining
 */
enum pldma_attr {
	PLDMA_ATTR_NONE = 0,
	PLDMA_ATTR_CACHED = 1,
	PLDMA_ATTR_UNCACHED = 2,
	PLDMA_ATTR_WRITE_COMBINE = 3,
};

/**
 * enum pldma_state - who owns a block
 * @PLDMA_STATE_USER: the caller
 * @PLDMA_STATE_QUEUED: the driver, waiting for room in the engine
 * @PLDMA_STATE_IN_FLIGHT: the engine
 * @PLDMA_STATE_DONE: the driver, waiting for DEQUEUE
 * @PLDMA_STATE_QUARANTINED: nobody: an engine that could not be proved idle may
 *	still reach the memory, so it stays mapped and pinned
 */
enum pldma_state {
	PLDMA_STATE_USER = 0,
	PLDMA_STATE_QUEUED = 1,
	PLDMA_STATE_IN_FLIGHT = 2,
	PLDMA_STATE_DONE = 3,
	PLDMA_STATE_QUARANTINED = 4,
};

/**
 * enum pldma_status - how the engine ended a transfer
 * @PLDMA_STATUS_OK: moved; a short receive frame is OK with a smaller length
 * @PLDMA_STATUS_READ_FAILED: the engine could not read its source
 * @PLDMA_STATUS_WRITE_FAILED: the engine could not write its destination, or the
 *	frame was longer than the block's range
 * @PLDMA_STATUS_ABORTED: the engine gave the transfer up
 * @PLDMA_STATUS_NOT_SUBMITTED: the engine refused the queued transfer
 */
enum pldma_status {
	PLDMA_STATUS_OK = 0,
	PLDMA_STATUS_READ_FAILED = 1,
	PLDMA_STATUS_WRITE_FAILED = 2,
	PLDMA_STATUS_ABORTED = 3,
	PLDMA_STATUS_NOT_SUBMITTED = 4,
};

/**
 * enum pldma_check_kind - what a core's check value is
 * @PLDMA_CHECK_NONE: the core computes none
 * @PLDMA_CHECK_CRC32: CRC-32 of IEEE 802.3 (reflected 0x04c11db7, initial value
 *	and final XOR 0xffffffff) over the bytes that the core read (tx) or
 *	wrote (rx)
 */
enum pldma_check_kind {
	PLDMA_CHECK_NONE = 0,
	PLDMA_CHECK_CRC32 = 1,
};

/* flags of struct pldma_policy_info: offered for tx, for rx */
#define PLDMA_POLICY_TX			0x00000001
#define PLDMA_POLICY_RX			0x00000002
/* the effective attribute is that of PLDMA_COHERENT */
#define PLDMA_POLICY_ALIAS		0x00000004

/**
 * struct pldma_policy_info - one policy on this device
 * @flags: PLDMA_POLICY_*; 0 when it is not offered
 * @attr: effective attribute of the user mapping, enum pldma_attr
 * @max_block: largest block, bytes
 */
struct pldma_policy_info {
	__u32 flags;
	__u32 attr;
	__aligned_u64 max_block;
};

/* flags of struct pldma_chan_info */
#define PLDMA_CHAN_PRESENT		0x00000001
/* the kernel takes the mapping device for cache coherent */
#define PLDMA_CHAN_DEV_COHERENT		0x00000002
/* a page mapped for the device needs sync calls (also true when it bounces) */
#define PLDMA_CHAN_NEEDS_SYNC		0x00000004
/* RESET can prove that the engine is idle */
#define PLDMA_CHAN_PROVES_IDLE		0x00000008
/* the engine was not proved idle: ENQUEUE gives EIO until RESET succeeds */
#define PLDMA_CHAN_WEDGED		0x00000010

/**
 * struct pldma_chan_info - one channel
 * @flags: PLDMA_CHAN_*; 0 when the channel is absent
 * @queue_depth: blocks that may be queued or in flight at once
 * @engine_depth: of these, how many are handed to the engine at once
 * @max_segment: longest contiguous piece the engine takes, bytes
 * @address_align: alignment of a transfer's start, bytes
 * @length_align: alignment of a transfer's length, bytes
 * @check_kind: enum pldma_check_kind
 * @reserved: zero
 * @dma_mask: addresses that the mapping device reaches
 * @engine: name of the DMA controller's driver
 * @channel: name of the dmaengine channel
 */
struct pldma_chan_info {
	__u32 flags;
	__u32 queue_depth;
	__u32 engine_depth;
	__u32 max_segment;
	__u32 address_align;
	__u32 length_align;
	__u32 check_kind;
	__u32 reserved;
	__aligned_u64 dma_mask;
	char engine[32];
	char channel[32];
};

#define PLDMA_MAX_POLICIES	16

/**
 * struct pldma_info - argument of PLDMA_IOC_INFO; legal at any time
 * @abi_version: PLDMA_ABI_VERSION of the driver; check it before anything else
 * @cache_align: blocks share no cache line when aligned to this, bytes
 * @page_size: unit of mappings, bytes
 * @max_blocks: blocks that may exist at once
 * @max_bytes: bytes of driver-owned memory that may exist at once
 * @core_id: what the core in the logic says it is; 0 when unknown
 * @core_version: its version, major << 16 | minor
 * @core_build: hash of the build, all zero when unknown
 * @chan: the two channels, by enum pldma_direction
 * @policy: the policies, by enum pldma_policy
 * @reserved: zero
 */
struct pldma_info {
	__u32 abi_version;
	__u32 cache_align;
	__u32 page_size;
	__u32 max_blocks;
	__aligned_u64 max_bytes;
	__u32 core_id;
	__u32 core_version;
	__u8 core_build[32];
	struct pldma_chan_info chan[PLDMA_NR_DIRECTIONS];
	struct pldma_policy_info policy[PLDMA_MAX_POLICIES];
	__aligned_u64 reserved[8];
};

/**
 * struct pldma_alloc - argument of PLDMA_IOC_ALLOC
 * @size: in: bytes of each block
 * @count: in: how many blocks
 * @direction: in: enum pldma_direction
 * @policy: in: enum pldma_policy, but not the two of user pages
 * @flags: in: zero
 * @first_id: out: id of the first block; the others follow without a gap. An id
 *	is never used twice within an open
 * @reserved: in: zero
 * @mmap_offset: out: offset for mmap() of the first block; 0 for PLDMA_BOUNCE,
 *	which has no mapping
 * @mmap_stride: out: distance to the next block's offset
 *
 * The memory is zeroed and belongs to the caller. All blocks or none. It is
 * charged to the caller's cgroup, but for what dma_alloc_*() takes from CMA,
 * which the kernel does not charge.
 *
 * EINVAL: a size or count of 0 or over its limit, unknown direction, unknown
 * policy or one of user pages, channel absent, slots of a ring that the engine
 * cannot fill (length_align). ENOMEM: no memory, or the
 * device's byte or block limit is reached. ENOSPC: ids or offsets used up.
 */
struct pldma_alloc {
	__aligned_u64 size;
	__u32 count;
	__u32 direction;
	__u32 policy;
	__u32 flags;
	__u32 first_id;
	__u32 reserved;
	__aligned_u64 mmap_offset;
	__aligned_u64 mmap_stride;
};

/**
 * struct pldma_free - argument of PLDMA_IOC_FREE and PLDMA_IOC_UNREGISTER
 * @id: in: the block
 * @reserved: in: zero
 *
 * ENOENT: no such block. EBUSY: not in state USER, or still mapped. EINVAL: FREE
 * of a registered block, or UNREGISTER of an allocated one.
 */
struct pldma_free {
	__u32 id;
	__u32 reserved;
};

/* flags of struct pldma_query */
#define PLDMA_BLOCK_MAPPED		0x00000001
#define PLDMA_BLOCK_NEEDS_SYNC		0x00000002
#define PLDMA_BLOCK_PINNED		0x00000004

/**
 * struct pldma_query - argument of PLDMA_IOC_QUERY; legal in every state
 * @id: in: the block
 * @state: out: enum pldma_state
 * @direction: out: enum pldma_direction
 * @policy: out: enum pldma_policy
 * @flags: out: PLDMA_BLOCK_*. NEEDS_SYNC tells whether the sync calls of its
 *	policy do anything at all on this device
 * @segments: out: contiguous pieces that the memory consists of, 0 while it is
 *	not mapped for the device
 * @size: out: bytes
 * @mmap_offset: out: offset for mmap(), 0 when there is none
 * @reserved: in: zero
 *
 * ENOENT: no such block.
 */
struct pldma_query {
	__u32 id;
	__u32 state;
	__u32 direction;
	__u32 policy;
	__u32 flags;
	__u32 segments;
	__aligned_u64 size;
	__aligned_u64 mmap_offset;
	__aligned_u64 reserved[2];
};

/* flags of struct pldma_enqueue */
/* sync the whole block, not only what moves, so that guard zones can be read */
#define PLDMA_ENQUEUE_VERIFY		0x00000001
/* accept an offset that is not cache-aligned: neighbours may share a line */
#define PLDMA_ENQUEUE_UNALIGNED		0x00000002

/**
 * struct pldma_enqueue - argument of PLDMA_IOC_ENQUEUE
 * @id: in: the block, in state USER
 * @flags: in: PLDMA_ENQUEUE_*
 * @offset: in: where the transfer starts in the block
 * @length: in: bytes to send, or room for the frame to receive; not 0
 * @cookie: in: handed back by DEQUEUE
 * @sideband: in: for TUSER and TDEST in a later version; zero
 * @error: out: 0, or the positive errno that the call failed with
 * @reserved: in: zero
 *
 * ENOENT: no such block. EBUSY: the block is not the caller's, or the engine
 * had no descriptor left. EINVAL: range outside the block or empty, offset not
 * cache-aligned without UNALIGNED, alignment that the engine cannot do, a block
 * of policy BOUNCE. EAGAIN: the queue is full. EIO: the engine is not idle
 * after a failed RESET. For PLDMA_USER_PAGES also EFAULT: memory not there;
 * ENOMEM: over RLIMIT_MEMLOCK, or no room to map it; EPERM: memory of another
 * process. Nothing has changed after a refusal.
 */
struct pldma_enqueue {
	__u32 id;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 cookie;
	__u32 sideband[4];
	__s32 error;
	__u32 reserved;
};

/**
 * struct pldma_dequeue - argument of PLDMA_IOC_DEQUEUE
 * @direction: in: enum pldma_direction
 * @flags: in: zero
 * @deadline_ns: in: absolute CLOCK_MONOTONIC time to give up at, at most
 *	2^63 - 1; a time in the past only looks. O_NONBLOCK never waits
 * @id: out: the block, in state USER again
 * @status: out: enum pldma_status
 * @offset: out: as enqueued
 * @length: out: bytes moved; a short receive frame is not an error
 * @cookie: out: as enqueued
 * @queued_ns: out: when ENQUEUE took the block
 * @submitted_ns: out: when the engine was given it
 * @done_ns: out: when the engine reported it
 * @sync_device_ns: out: spent in for_device, or in pinning and mapping
 * @sync_cpu_ns: out: spent in for_cpu, or in unmapping and unpinning
 * @check_kind: out: enum pldma_check_kind
 * @check: out: check value over the bytes that the core saw
 * @sideband: out: zero in this version
 * @error: out: 0, or the positive errno that the call failed with
 * @reserved: in: zero
 *
 * Completions come back in the order of ENQUEUE. EAGAIN: O_NONBLOCK and nothing
 * is done yet. ETIMEDOUT: the deadline passed. ENODATA: no completion waits, and
 * nothing is queued or in flight, blocks of the ring included. ECANCELED: RESET
 * came in between. EINTR: a signal. EIO: the engine failed the transfer: all
 * output fields are valid, @status tells how, and the block is the caller's.
 * EINVAL: direction unknown or absent, deadline too large. EFAULT after a
 * completion leaves the block done, to be asked for again.
 */
struct pldma_dequeue {
	__u32 direction;
	__u32 flags;
	__aligned_u64 deadline_ns;
	__u32 id;
	__u32 status;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 cookie;
	__aligned_u64 queued_ns;
	__aligned_u64 submitted_ns;
	__aligned_u64 done_ns;
	__aligned_u64 sync_device_ns;
	__aligned_u64 sync_cpu_ns;
	__u32 check_kind;
	__u32 check;
	__u32 sideband[4];
	__s32 error;
	__u32 reserved;
};

/**
 * enum pldma_sync_op - which sync to do
 * @PLDMA_SYNC_FOR_DEVICE: hand the range to the device (clean)
 * @PLDMA_SYNC_FOR_CPU: hand the range to the CPU (invalidate)
 */
enum pldma_sync_op {
	PLDMA_SYNC_FOR_DEVICE = 0,
	PLDMA_SYNC_FOR_CPU = 1,
};

/**
 * struct pldma_sync - argument of PLDMA_IOC_SYNC, for policy MANUAL
 * @id: in: the block, in state USER
 * @op: in: enum pldma_sync_op
 * @offset: in: start of the range, any alignment
 * @length: in: bytes, not 0
 * @ns: out: what the calls took
 *
 * ENOENT: no such block. EBUSY: the block is not the caller's. EINVAL: another
 * policy, unknown op, range outside the block or empty.
 */
struct pldma_sync {
	__u32 id;
	__u32 op;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 ns;
};

/**
 * struct pldma_register - argument of PLDMA_IOC_REGISTER
 * @address: in: start of the caller's memory, aligned to cache_align
 * @size: in: bytes, a multiple of cache_align
 * @direction: in: enum pldma_direction
 * @policy: in: PLDMA_USER_PAGES or PLDMA_USER_PAGES_REGISTERED
 * @flags: in: zero
 * @id: out: the block
 *
 * The memory must be writable in either direction: pages are pinned for
 * writing, so that a page of zeros shared by all is never pinned.
 *
 * EINVAL: unaligned, empty, wraps, over the limit, other policy, unknown or
 * absent direction. EFAULT: not mapped or not writable. ENOMEM: over
 * RLIMIT_MEMLOCK, or the block limit is reached. EBUSY: overlaps another
 * registered range where either is for rx. ENOSPC: ids used up.
 */
struct pldma_register {
	__aligned_u64 address;
	__aligned_u64 size;
	__u32 direction;
	__u32 policy;
	__u32 flags;
	__u32 id;
};

/**
 * enum pldma_cost_kind - what is counted in struct pldma_cost
 * @PLDMA_COST_FOR_DEVICE: dma_sync_*_for_device()
 * @PLDMA_COST_FOR_CPU: dma_sync_*_for_cpu()
 * @PLDMA_COST_MAP: dma_map_*()
 * @PLDMA_COST_UNMAP: dma_unmap_*()
 * @PLDMA_COST_PIN: pin_user_pages()
 * @PLDMA_COST_UNPIN: unpin_user_pages()
 * @PLDMA_COST_COPY: copy_from_user() and copy_to_user() of PLDMA_BOUNCE
 * @PLDMA_NR_COSTS: how many there are
 */
enum pldma_cost_kind {
	PLDMA_COST_FOR_DEVICE = 0,
	PLDMA_COST_FOR_CPU = 1,
	PLDMA_COST_MAP = 2,
	PLDMA_COST_UNMAP = 3,
	PLDMA_COST_PIN = 4,
	PLDMA_COST_UNPIN = 5,
	PLDMA_COST_COPY = 6,
	PLDMA_NR_COSTS = 7,
};

/**
 * struct pldma_cost - one kind of call in one direction
 * @calls: times that a block, or a part of one, was given to that call; the
 *	pieces of a block count once together
 * @bytes: bytes given to it
 * @total_ns: time spent in it
 * @max_ns: the longest
 */
struct pldma_cost {
	__aligned_u64 calls;
	__aligned_u64 bytes;
	__aligned_u64 total_ns;
	__aligned_u64 max_ns;
};

/**
 * struct pldma_chan_stats - one direction
 * @cost: by enum pldma_cost_kind, transfers without VERIFY, and the mapping at
 *	ALLOC
 * @verify: the same for transfers with VERIFY, RESET, REGISTER and release
 * @transfers: transfers that the engine reported done
 * @bytes: bytes they moved
 * @errors: how many failed, and how many the engine did not take
 * @timeouts: DEQUEUE calls whose deadline passed
 * @resets: RESET calls that had to give back a block
 * @quarantined_blocks: blocks in quarantine now
 * @quarantined_bytes: their bytes
 * @reserved: zero
 */
struct pldma_chan_stats {
	struct pldma_cost cost[8];
	struct pldma_cost verify[8];
	__aligned_u64 transfers;
	__aligned_u64 bytes;
	__aligned_u64 errors;
	__aligned_u64 timeouts;
	__aligned_u64 resets;
	__aligned_u64 quarantined_blocks;
	__aligned_u64 quarantined_bytes;
	__aligned_u64 reserved;
};

/* flags of struct pldma_stats */
/* set the counters to zero after reading them; what exists now stays counted */
#define PLDMA_STATS_CLEAR		0x00000001

/**
 * struct pldma_stats - argument of PLDMA_IOC_STATS
 * @flags: in: PLDMA_STATS_*
 * @blocks: out: blocks that exist
 * @bytes: out: driver-owned bytes that exist, quarantine included
 * @chan: out: by enum pldma_direction
 *
 * Counters start at zero when the device is opened.
 */
struct pldma_stats {
	__u32 flags;
	__u32 blocks;
	__aligned_u64 bytes;
	struct pldma_chan_stats chan[PLDMA_NR_DIRECTIONS];
};

/**
 * struct pldma_reset - argument of PLDMA_IOC_RESET
 * @flags: in: zero
 * @returned: out: blocks given back to the caller
 * @quarantined: out: blocks that had to be quarantined; 0 on success
 * @reserved: in: zero
 *
 * Aborts what is queued and in flight in both directions, drops completions
 * that nobody dequeued, and gives every block back. Waiting DEQUEUE calls end
 * with ECANCELED. EIO: the engine could not be proved idle; both output fields
 * are valid, and RESET may be tried again.
 */
struct pldma_reset {
	__u32 flags;
	__u32 returned;
	__u32 quarantined;
	__u32 reserved;
};

#define PLDMA_IOC_INFO		_IOR(PLDMA_IOC_MAGIC, 0, struct pldma_info)
#define PLDMA_IOC_ALLOC		_IOWR(PLDMA_IOC_MAGIC, 1, struct pldma_alloc)
#define PLDMA_IOC_FREE		_IOW(PLDMA_IOC_MAGIC, 2, struct pldma_free)
#define PLDMA_IOC_QUERY		_IOWR(PLDMA_IOC_MAGIC, 3, struct pldma_query)
#define PLDMA_IOC_ENQUEUE	_IOWR(PLDMA_IOC_MAGIC, 4, struct pldma_enqueue)
#define PLDMA_IOC_DEQUEUE	_IOWR(PLDMA_IOC_MAGIC, 5, struct pldma_dequeue)
#define PLDMA_IOC_SYNC		_IOWR(PLDMA_IOC_MAGIC, 6, struct pldma_sync)
#define PLDMA_IOC_REGISTER	_IOWR(PLDMA_IOC_MAGIC, 7, struct pldma_register)
#define PLDMA_IOC_UNREGISTER	_IOW(PLDMA_IOC_MAGIC, 8, struct pldma_free)
#define PLDMA_IOC_STATS		_IOWR(PLDMA_IOC_MAGIC, 9, struct pldma_stats)
#define PLDMA_IOC_RESET		_IOWR(PLDMA_IOC_MAGIC, 10, struct pldma_reset)

/*
 * mmap() takes one whole block by its offset, MAP_SHARED: EINVAL for another
 * offset or length or a private mapping, EACCES for a writable mapping of a
 * receive block of PLDMA_STREAMING_LAZY. A child does not inherit the mapping
 * over fork().
 *
 * poll(): POLLIN when a receive completion waits, POLLOUT when a transmit
 * completion waits or a slot of the transmit ring is free and the queue has room,
 * POLLERR when an engine has reported an error that was not dequeued yet or is
 * not idle after a failed RESET, POLLHUP when the device is gone.
 *
 * read() and write() move one frame each through the blocks of PLDMA_BOUNCE.
 * write() waits for a free slot, copies and queues; EMSGSIZE when the frame is
 * larger than a slot. read() waits for a frame, copies it out and gives the slot
 * back to the engine; EMSGSIZE when the buffer is too small, and the frame
 * stays. Only read() gives the slots of a new ring, or of one after RESET, to the
 * engine: read once, nonblocking, before a poll(). EINVAL: no such ring, 0 bytes,
 * or a length that the engine cannot do. EAGAIN with O_NONBLOCK. EIO as for
 * DEQUEUE. EBUSY: the engine takes no slot although it is idle. ECANCELED when
 * RESET came in between.
 */

#endif /* _UAPI_PLDMA_H */
