/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * pldma: DMA blocks between user space and programmable logic
 *
 * A character device /dev/pldmaN stands for one pair of DMA channels: tx moves
 * data from memory to the logic (DMA_TO_DEVICE, MM2S), rx from the logic to
 * memory (DMA_FROM_DEVICE, S2MM). Either may be absent. Opening is exclusive (EBUSY),
 * except with O_RDONLY. A file opened with O_RDONLY only looks at the device, which
 * another process may have open: INFO, QUERY and STATS without CLEAR work. All other
 * commands and read() fail with EBADF, mmap() fails with EACCES, and poll() reports
 * POLLERR.
 *
 * This header is one file, because programs copy it and include it alone.
 *
 * All data lives in *blocks*. At any time a block has exactly one owner:
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
 * User space may access the memory of a block, and free the block, only in state
 * USER.
 *
 * Only one call at a time can change a block. If two threads call ENQUEUE, SYNC, FREE
 * or UNREGISTER for the same block, the second call fails with EBUSY. No call waits
 * for syncs, copies or allocations that another call does, except RESET and
 * close(), which wait for a RESET of another thread.
 *
 * Conventions: sizes and offsets are in bytes, times in nanoseconds of
 * CLOCK_MONOTONIC. Reserved fields and unknown flags must be zero (EINVAL). An
 * unknown command fails with ENOTTY and does not change the argument. A pointer
 * that cannot be read or written fails with EFAULT. After the device is gone,
 * every call fails with ENODEV. Outputs are written on success only, except for
 * the member @error of ENQUEUE and DEQUEUE.
 *
 * A struct may grow at its end. The size in the command number is that of the
 * caller. Members that the caller does not have are zero. Members that the driver
 * does not have must be zero (E2BIG). A struct that is smaller than its first
 * version fails with EINVAL.
 */
#ifndef _UAPI_PLDMA_H
#define _UAPI_PLDMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** PLDMA_ABI_VERSION - changes if an existing program could misread a struct */
#define PLDMA_ABI_VERSION	2

#define PLDMA_IOC_MAGIC		0xd9

/**
 * enum pldma_direction - direction of a channel
 * @PLDMA_TX: from memory to logic
 * @PLDMA_RX: from logic to memory
 * @PLDMA_NR_DIRECTIONS: number of directions
 */
enum pldma_direction {
	PLDMA_TX = 0,
	PLDMA_RX = 1,
	PLDMA_NR_DIRECTIONS = 2,
};

/**
 * enum pldma_policy - where the memory of a block comes from and who syncs caches
 * @PLDMA_COHERENT: dma_alloc_coherent(), never synced
 * @PLDMA_WRITE_COMBINE: dma_alloc_wc(), never synced
 * @PLDMA_STREAMING: cached pages, mapped once. The whole block is synced at each of
 *	the four transitions (tx and rx, for_device and for_cpu)
 * @PLDMA_STREAMING_LAZY: like @PLDMA_STREAMING, but synced only for tx for_device
 *	and rx for_cpu, and only the bytes that moved, extended to whole cache
 *	lines. Receive blocks are read-only for user space
 * @PLDMA_NONCOHERENT: dma_alloc_noncoherent(). The enqueued range is synced at each
 *	of the four transitions
 * @PLDMA_USER_PAGES: memory of the caller (REGISTER), pinned and mapped at each
 *	ENQUEUE, unmapped and unpinned at DEQUEUE
 * @PLDMA_USER_PAGES_REGISTERED: memory of the caller (REGISTER), pinned and mapped
 *	once. The whole block is synced at each of the four transitions
 * @PLDMA_MANUAL: cached pages, mapped once, synced only by SYNC
 * @PLDMA_BOUNCE: a ring in the driver for read() and write()
 * @PLDMA_NONE: cached pages, mapped once, never synced. A negative control, which
 *	corrupts data on every board that needs syncs
 * @PLDMA_DMA_BUF: a dma-buf of another driver (IMPORT), mapped once, synced only by
 *	DMA_BUF_IOCTL_SYNC of the caller
 * @PLDMA_NR_POLICIES: number of policies
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
	PLDMA_DMA_BUF = 10,
	PLDMA_NR_POLICIES = 11,
};

/**
 * enum pldma_attr - effective memory attribute of a user mapping
 * @PLDMA_ATTR_NONE: this driver creates no user mapping
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
 * @PLDMA_STATE_QUEUED: the driver, until the engine has room
 * @PLDMA_STATE_IN_FLIGHT: the engine
 * @PLDMA_STATE_DONE: the driver, until DEQUEUE
 * @PLDMA_STATE_QUARANTINED: no one. The engine could not be proved idle and may
 *	still access the memory, so it stays mapped and pinned
 */
enum pldma_state {
	PLDMA_STATE_USER = 0,
	PLDMA_STATE_QUEUED = 1,
	PLDMA_STATE_IN_FLIGHT = 2,
	PLDMA_STATE_DONE = 3,
	PLDMA_STATE_QUARANTINED = 4,
};

/**
 * enum pldma_status - how a transfer ended
 * @PLDMA_STATUS_OK: success. A short receive frame is OK with a smaller length
 * @PLDMA_STATUS_READ_FAILED: the engine could not read its source
 * @PLDMA_STATUS_WRITE_FAILED: the engine could not write its destination, or the
 *	frame was longer than the enqueued range
 * @PLDMA_STATUS_ABORTED: the engine aborted the transfer
 * @PLDMA_STATUS_NOT_SUBMITTED: the engine did not accept the queued transfer
 */
enum pldma_status {
	PLDMA_STATUS_OK = 0,
	PLDMA_STATUS_READ_FAILED = 1,
	PLDMA_STATUS_WRITE_FAILED = 2,
	PLDMA_STATUS_ABORTED = 3,
	PLDMA_STATUS_NOT_SUBMITTED = 4,
};

/**
 * enum pldma_check_kind - kind of check value of a core
 * @PLDMA_CHECK_NONE: the core computes none
 * @PLDMA_CHECK_CRC32: CRC-32 of IEEE 802.3 (reflected 0x04c11db7, initial value
 *	and final XOR 0xffffffff) over the bytes that the core read (tx) or
 *	wrote (rx)
 */
enum pldma_check_kind {
	PLDMA_CHECK_NONE = 0,
	PLDMA_CHECK_CRC32 = 1,
};

/* flags of struct pldma_policy_info: the policy is offered for tx, for rx */
#define PLDMA_POLICY_TX			0x00000001
#define PLDMA_POLICY_RX			0x00000002
/* the memory is the same as that of PLDMA_COHERENT */
#define PLDMA_POLICY_ALIAS		0x00000004

/**
 * struct pldma_policy_info - one policy on this device
 * @flags: PLDMA_POLICY_*, or 0 if the device does not offer the policy
 * @attr: effective attribute of the user mapping, enum pldma_attr
 * @max_block: size of the largest block that each direction accepts
 */
struct pldma_policy_info {
	__u32 flags;
	__u32 attr;
	__aligned_u64 max_block;
};

/* flags of struct pldma_chan_info */
#define PLDMA_CHAN_PRESENT		0x00000001
/* the kernel considers the DMA device cache-coherent */
#define PLDMA_CHAN_DEV_COHERENT		0x00000002
/* memory mapped for the device needs sync calls, for caches or bounce buffers */
#define PLDMA_CHAN_NEEDS_SYNC		0x00000004
/* RESET asks the engine whether it is idle */
#define PLDMA_CHAN_PROVES_IDLE		0x00000008
/* the engine was not proved idle: ENQUEUE fails with EIO until RESET succeeds */
#define PLDMA_CHAN_WEDGED		0x00000010
/* RESET believes the engine's driver that a terminated engine is idle */
#define PLDMA_CHAN_TRUSTS_TERMINATE	0x00000020
/* the length of a short receive frame is known */
#define PLDMA_CHAN_EXACT_LENGTHS	0x00000040
/*
 * there is no programmable logic: tx and rx are one DMA_MEMCPY channel that copies
 * the oldest tx block into the oldest rx block
 */
#define PLDMA_CHAN_MEMORY_LOOP		0x00000080
/*
 * the device is behind an IOMMU in strict mode: from an engine that is not proved idle,
 * RESET takes memory by unmapping it, which is proof. Not the memory of COHERENT,
 * WRITE_COMBINE, NONCOHERENT, USER_PAGES_REGISTERED and DMA_BUF
 */
#define PLDMA_CHAN_UNMAP_PROVES		0x00000100
/* words travel beside frames: see @sideband of struct pldma_enqueue */
#define PLDMA_CHAN_SIDEBAND		0x00000200

/* quirks of the engine's driver, in struct pldma_chan_info */
/* after a successful terminate, the engine may still access memory */
#define PLDMA_QUIRK_TERMINATE		0x00000001
/* a short frame may end a segment instead of a transfer */
#define PLDMA_QUIRK_ONE_SEGMENT		0x00000002
/* the driver does not report how many bytes were moved */
#define PLDMA_QUIRK_LENGTH		0x00000004
/* the driver handles only one submitted transfer correctly */
#define PLDMA_QUIRK_ONE_TRANSFER	0x00000008
/* the driver gives its alignment in bytes instead of as a shift */
#define PLDMA_QUIRK_ALIGN_BYTES		0x00000010
/* terminate of one channel also resets the channel of the other direction */
#define PLDMA_QUIRK_RESETS_BOTH		0x00000020

/**
 * struct pldma_chan_info - one channel
 * @flags: PLDMA_CHAN_*, or 0 if there is no such channel
 * @queue_depth: maximum number of blocks that are queued or in flight
 * @engine_depth: maximum number of these blocks that are in flight
 * @max_segment: longest contiguous segment that the engine accepts
 * @address_align: required alignment of the start of a transfer
 * @length_align: required alignment of the length of a transfer
 * @check_kind: enum pldma_check_kind
 * @quirks: PLDMA_QUIRK_*
 * @max_segments: maximum number of segments of a transfer, 0 without a limit
 * @reserved: zero
 * @max_transfer: length of the longest transfer that needs no more segments than
 *	that, 0 without a limit
 * @dma_mask: mask of the bus addresses that the DMA device can access
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
	__u32 quirks;
	__u32 max_segments;
	__u32 reserved;
	__aligned_u64 max_transfer;
	__aligned_u64 dma_mask;
	char engine[32];
	char channel[32];
};

#define PLDMA_MAX_POLICIES	16

/**
 * struct pldma_info - argument of PLDMA_IOC_INFO, which is legal at any time
 * @abi_version: PLDMA_ABI_VERSION of the driver. Check it before all other members
 * @cache_align: ranges with this alignment share no cache line
 * @page_size: page size, which is the unit of mappings
 * @max_blocks: maximum number of blocks
 * @max_bytes: maximum amount of driver-owned memory
 * @core_id: id of the core in the logic, 0 if unknown
 * @core_version: version of the core, major << 16 | minor
 * @core_build: hash of the build of the core, all zero if unknown
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
 * @size: in: size of each block
 * @count: in: number of blocks
 * @direction: in: enum pldma_direction
 * @policy: in: enum pldma_policy, but not one of user pages, and not PLDMA_DMA_BUF
 * @flags: in: zero
 * @first_id: out: id of the first block. The other ids follow without a gap. No id
 *	is used twice while the device is open
 * @reserved: in: zero
 * @mmap_offset: out: offset of the first block for mmap(), or 0 for PLDMA_BOUNCE,
 *	which cannot be mapped. A 32-bit program needs _FILE_OFFSET_BITS=64, because
 *	offsets pass 2 GiB
 * @mmap_stride: out: distance to the offset of the next block
 *
 * Allocates all blocks or none. Their memory is zeroed and in state USER. It is
 * charged to the cgroup of the caller, except memory that dma_alloc_*() takes from
 * CMA, because the kernel does not charge that.
 *
 * EINVAL: a size or count is 0 or over its limit; unknown direction; unknown policy
 * or one of memory of others; no such channel; for PLDMA_BOUNCE, a size that the engine
 * cannot transfer (length_align). ENOMEM: no memory, or the limit of bytes or blocks
 * is reached. ENOSPC: ids or offsets are used up.
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
 * FREE also ends a block of IMPORT. The buffer lives on as long as others use it.
 *
 * ENOENT: no such block. EBUSY: the block is not in state USER, or it is mapped, or a
 * buffer of EXPORT exists.
 * EINVAL: FREE of a registered block, or UNREGISTER of an allocated one.
 */
struct pldma_free {
	__u32 id;
	__u32 reserved;
};

/* flags of struct pldma_query */
#define PLDMA_BLOCK_MAPPED		0x00000001
#define PLDMA_BLOCK_NEEDS_SYNC		0x00000002
#define PLDMA_BLOCK_PINNED		0x00000004
#define PLDMA_BLOCK_EXPORTED		0x00000008

/**
 * struct pldma_query - argument of PLDMA_IOC_QUERY, which is legal in every state
 * @id: in: the block
 * @state: out: enum pldma_state
 * @direction: out: enum pldma_direction
 * @policy: out: enum pldma_policy
 * @flags: out: PLDMA_BLOCK_*. NEEDS_SYNC: the sync calls of the policy have an
 *	effect on this device
 * @segments: out: number of contiguous segments of the memory, 0 while it is not
 *	mapped for the device
 * @size: out: size of the block
 * @mmap_offset: out: offset for mmap(), or 0 if the block cannot be mapped
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
/* sync the whole block instead of the moved bytes, to read guard zones */
#define PLDMA_ENQUEUE_VERIFY		0x00000001
/* accept an offset that is not cache-aligned, so that ranges may share a line */
#define PLDMA_ENQUEUE_UNALIGNED		0x00000002

/**
 * struct pldma_enqueue - argument of PLDMA_IOC_ENQUEUE
 * @id: in: the block, in state USER
 * @flags: in: PLDMA_ENQUEUE_*
 * @offset: in: start of the transfer in the block
 * @length: in: number of bytes to send, or space for the received frame; not 0
 * @cookie: in: a number that DEQUEUE returns
 * @sideband: in: words that the engine sends beside the frame, such as TUSER and TDEST.
 *	What they mean is up to the design. Zero for rx, and without PLDMA_CHAN_SIDEBAND
 * @error: out: 0, or the positive errno of the call
 * @reserved: in: zero
 *
 * ENOENT: no such block. EBUSY: the block is not in state USER, or the engine has no
 * free descriptor. EINVAL: the range is empty or outside the block; the offset is not
 * cache-aligned, without UNALIGNED; the engine cannot handle the alignment; words in
 * @sideband that the engine cannot send; a block of policy BOUNCE. EAGAIN: the queue
 * is full. EIO: the engine is not idle after a failed RESET. ENOMEM: the engine is
 * idle, and its driver has no memory for a descriptor. For PLDMA_USER_PAGES also
 * EFAULT: the memory is not mapped in the process; ENOMEM: over RLIMIT_MEMLOCK, or it
 * cannot be mapped for the device; EPERM: memory of another process; EOPNOTSUPP: see
 * REGISTER. A failed call leaves the block in state USER. If the engine refused a
 * receive block (EBUSY), what the caller stored in it before may be lost.
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
 * @deadline_ns: in: absolute CLOCK_MONOTONIC time at which to give up, at most
 *	2^63 - 1. With a time in the past, or O_NONBLOCK, the call does not wait
 * @id: out: the block, which is in state USER again
 * @status: out: enum pldma_status
 * @offset: out: as enqueued
 * @length: out: number of bytes moved. A short receive frame is not an error
 * @cookie: out: as enqueued
 * @queued_ns: out: when ENQUEUE accepted the block
 * @submitted_ns: out: when the transfer was submitted to the engine
 * @done_ns: out: when the engine reported completion
 * @sync_device_ns: out: time spent in for_device, or in pinning and mapping
 * @sync_cpu_ns: out: time spent in for_cpu, or in unmapping and unpinning
 * @check_kind: out: enum pldma_check_kind
 * @check: out: check value of the bytes that the core read or wrote
 * @sideband: out: words that came beside a received frame. Zero for tx, and without
 *	PLDMA_CHAN_SIDEBAND
 * @error: out: 0, or the positive errno of the call
 * @reserved: in: zero
 *
 * Returns completions in the order of ENQUEUE. EAGAIN: O_NONBLOCK is set and no
 * transfer has completed yet. ETIMEDOUT: the deadline passed. ENODATA: there is no
 * completion, and no block is queued or in flight, blocks of a ring included.
 * ECANCELED: RESET was called during the wait. EINTR: a signal. EIO: the transfer
 * failed in the engine: all outputs are valid, @status is the reason, and the block
 * is in state USER. EINVAL: unknown direction, no such channel, or deadline too
 * large. EFAULT: if there was a completion, the block stays in state DONE, and the
 * next call returns it.
 *
 * A call of another thread may still have a completion in hand when RESET returns.
 * That call succeeds.
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

/* maximum number of items in a batch */
#define PLDMA_MAX_BATCH		4096

/**
 * struct pldma_enqueue_batch - argument of PLDMA_IOC_ENQUEUE_BATCH
 * @items: in: address of an array of struct pldma_enqueue
 * @item_size: in: size of an item. Items grow like all structs
 * @count: in: number of items, from 1 to PLDMA_MAX_BATCH
 * @done: out: number of items that were accepted
 * @flags: in: zero
 *
 * Enqueues the items one after another and stops at the first one that fails. Its
 * error is in its member @error. The call fails only if the first item fails, and
 * with the error of that item. So a caller compares @done with @count, as after
 * sendmmsg(). EINVAL: count or item_size is out of range.
 */
struct pldma_enqueue_batch {
	__aligned_u64 items;
	__u32 item_size;
	__u32 count;
	__u32 done;
	__u32 flags;
};

/**
 * struct pldma_dequeue_batch - argument of PLDMA_IOC_DEQUEUE_BATCH
 * @items: in: address of an array of struct pldma_dequeue, whose contents are ignored
 * @item_size: in: size of an item. Items grow like all structs
 * @count: in: number of items, from 1 to PLDMA_MAX_BATCH
 * @min: in: number of completions to wait for, from 1 to @count
 * @done: out: number of completions that were written to @items
 * @direction: in: enum pldma_direction
 * @flags: in: zero
 * @deadline_ns: in: as in struct pldma_dequeue
 *
 * Waits until there were @min completions, and returns up to @count without a further
 * wait. A transfer that failed in the engine is a completion like all others, and its
 * member @error is EIO. The call fails, with an error of DEQUEUE, only if there was
 * no completion. So fewer than @min completions are a success. EINVAL: count, min or
 * item_size is out of range.
 */
struct pldma_dequeue_batch {
	__aligned_u64 items;
	__u32 item_size;
	__u32 count;
	__u32 min;
	__u32 done;
	__u32 direction;
	__u32 flags;
	__aligned_u64 deadline_ns;
};

/**
 * enum pldma_sync_op - direction of a sync
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
 * @offset: in: start of the range, without alignment rules
 * @length: in: length of the range, not 0
 * @ns: out: duration of the sync calls
 *
 * ENOENT: no such block. EBUSY: the block is not in state USER. EINVAL: another
 * policy, unknown op, or the range is empty or outside the block.
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
 * @address: in: start of the memory, aligned to cache_align
 * @size: in: size of the memory, a multiple of cache_align
 * @direction: in: enum pldma_direction
 * @policy: in: PLDMA_USER_PAGES or PLDMA_USER_PAGES_REGISTERED
 * @flags: in: zero
 * @id: out: the block
 *
 * For tx the memory may be read-only. If the caller makes it writable while it is
 * registered, the engine may not see what is stored.
 *
 * Ranges overlap if their addresses do. The driver does not notice two mappings of the
 * same pages: the caller must not let a receive transfer and another transfer use the
 * same memory at the same time.
 *
 * EINVAL: the range is not aligned, empty, over the limit, or beyond the end of the
 * address space; another policy; unknown direction; no such channel. EFAULT: the
 * memory is not mapped, not writable (rx), or that of a block. ENOMEM: over
 * RLIMIT_MEMLOCK, or the limit of blocks is reached. EBUSY: the range overlaps another
 * registered range, and at least one of them is for rx. ENOSPC: ids are used up.
 * EOPNOTSUPP: the memory has more segments than the engine can receive into
 * (max_segments).
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
 * struct pldma_export - argument of PLDMA_IOC_EXPORT
 * @id: in: the block, in state USER
 * @flags: in: zero
 * @fd: out: file descriptor of a dma-buf, with O_CLOEXEC
 * @reserved: in: zero
 *
 * Makes a dma-buf of the memory of a block, for other drivers, or to pass to other
 * processes. Its size is that of the block, rounded up to pages. DMA_BUF_IOCTL_SYNC
 * syncs the mappings of importers and, for PLDMA_MANUAL, does what SYNC does for the
 * whole block. It fails with EBUSY while the block is not in state USER.
 *
 * The block cannot be freed as long as the buffer exists. After close(), or after the
 * device is gone, the buffer keeps the memory, which still counts against max_bytes,
 * and the device does not access it.
 *
 * ENOENT: no such block. EBUSY: the block is not in state USER. EOPNOTSUPP: a policy
 * other than STREAMING, STREAMING_LAZY, MANUAL and NONE, or a receive block of
 * STREAMING_LAZY. ENOMEM: no memory. EMFILE: no file descriptor is left.
 */
struct pldma_export {
	__u32 id;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct pldma_import - argument of PLDMA_IOC_IMPORT
 * @size: in: size of the block, which begins at the start of the buffer
 * @fd: in: file descriptor of a dma-buf, which may be closed afterwards
 * @direction: in: enum pldma_direction
 * @flags: in: zero
 * @id: out: the block, of policy PLDMA_DMA_BUF
 *
 * Attaches a buffer to the device and maps it. The caller maps the buffer by its file
 * descriptor, and has to call DMA_BUF_IOCTL_SYNC before and after each access. The
 * driver neither syncs nor waits for reservation fences. FREE ends the block.
 *
 * EBADF: not a file descriptor. EINVAL: not a dma-buf; a size of 0, over that of the
 * buffer, or over the limit; unknown direction; no such channel. EACCES: rx into a
 * buffer that is open for reading only. EOPNOTSUPP: the buffer has more segments than
 * the engine can receive into (max_segments). ENOMEM: no memory, or the limit of blocks
 * is reached. ENOSPC: ids are used up. Other errors come from the exporter.
 */
struct pldma_import {
	__aligned_u64 size;
	__s32 fd;
	__u32 direction;
	__u32 flags;
	__u32 id;
};

/**
 * enum pldma_cache_op - raw operation on the lines of the data caches
 * @PLDMA_CACHE_CLEAN: write dirty lines to memory
 * @PLDMA_CACHE_INVALIDATE: drop lines, and with them what was stored and not cleaned
 * @PLDMA_CACHE_CLEAN_INVALIDATE: write dirty lines to memory, then drop all lines
 */
enum pldma_cache_op {
	PLDMA_CACHE_CLEAN = 0,
	PLDMA_CACHE_INVALIDATE = 1,
	PLDMA_CACHE_CLEAN_INVALIDATE = 2,
};

/**
 * struct pldma_cache - argument of PLDMA_IOC_CACHE, for policy MANUAL
 * @id: in: block in state USER
 * @op: in: enum pldma_cache_op
 * @offset: in: start of the range, a multiple of cache_align of INFO
 * @length: in: number of bytes, a multiple of cache_align, not 0
 *
 * Does one operation on each line of the range, up to the point where all devices see
 * the same memory. Unlike SYNC, it does so whatever the kernel believes about the
 * device. It is for an audit of what the hardware snoops, and for nothing else.
 *
 * The first call for a block cleans the whole block before its operation, so that no
 * later call uncovers what the pages held before they belonged to the block.
 *
 * EPERM: without CAP_SYS_RAWIO. ENOENT: no such block. EINVAL: another policy; unknown
 * op; the range is empty, not aligned, or not inside the block. EBUSY: the block is not
 * in state USER. EOPNOTSUPP: the processor has no such operation. x86 has no INVALIDATE,
 * and for 32-bit Arm the driver has none of the three.
 */
struct pldma_cache {
	__u32 id;
	__u32 op;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * enum pldma_cost_kind - the calls that struct pldma_cost measures
 * @PLDMA_COST_FOR_DEVICE: dma_sync_*_for_device()
 * @PLDMA_COST_FOR_CPU: dma_sync_*_for_cpu()
 * @PLDMA_COST_MAP: dma_map_*()
 * @PLDMA_COST_UNMAP: dma_unmap_*()
 * @PLDMA_COST_PIN: pin_user_pages()
 * @PLDMA_COST_UNPIN: unpin_user_pages()
 * @PLDMA_COST_COPY: copy_from_user() and copy_to_user() of PLDMA_BOUNCE
 * @PLDMA_NR_COSTS: number of kinds
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
 * struct pldma_cost - cost of one kind of call in one direction
 * @calls: number of blocks, or parts of blocks, that the call processed. All
 *	segments of a block count as one
 * @bytes: number of bytes that the call processed
 * @total_ns: total duration
 * @max_ns: longest duration
 */
struct pldma_cost {
	__aligned_u64 calls;
	__aligned_u64 bytes;
	__aligned_u64 total_ns;
	__aligned_u64 max_ns;
};

/**
 * struct pldma_chan_stats - counters of one direction
 * @cost: by enum pldma_cost_kind: transfers without VERIFY, and mapping at ALLOC
 * @verify: by enum pldma_cost_kind: transfers with VERIFY, RESET, REGISTER, release
 * @transfers: number of transfers that the engine completed
 * @bytes: number of bytes that these transfers moved
 * @errors: number of failed transfers, including those that the engine did not accept
 * @timeouts: number of DEQUEUE calls whose deadline passed
 * @resets: number of RESET calls that returned at least one block
 * @quarantined_blocks: number of blocks that are in quarantine now
 * @quarantined_bytes: total size of these blocks
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
/* set the counters to zero after reading them, except numbers of what exists now */
#define PLDMA_STATS_CLEAR		0x00000001

/**
 * struct pldma_stats - argument of PLDMA_IOC_STATS
 * @flags: in: PLDMA_STATS_*
 * @blocks: out: number of blocks that exist
 * @bytes: out: size of all driver-owned blocks, including quarantined ones
 * @chan: out: by enum pldma_direction
 *
 * Opening the device sets the counters to zero.
 */
struct pldma_stats {
	__u32 flags;
	__u32 blocks;
	__aligned_u64 bytes;
	struct pldma_chan_stats chan[PLDMA_NR_DIRECTIONS];
};

/* flags of struct pldma_reset */
/* return all blocks even if the engine may still access their memory */
#define PLDMA_RESET_FORCE		0x00000001
/* reset only this direction. Without either flag, both directions are reset */
#define PLDMA_RESET_TX			0x00000002
#define PLDMA_RESET_RX			0x00000004

/**
 * struct pldma_reset - argument of PLDMA_IOC_RESET
 * @flags: in: PLDMA_RESET_*
 * @returned: out: number of blocks that are in state USER again
 * @quarantined: out: number of blocks in quarantine, 0 on success
 * @reserved: in: zero
 *
 * Aborts all transfers that are queued or in flight, drops completions that were
 * not dequeued, and returns every block. Waiting DEQUEUE calls fail with ECANCELED.
 * With one of the flags TX and RX, only the blocks of that direction are affected,
 * and both outputs count only them.
 *
 * If the engine is not proved idle, RESET can still return memory that it unmaps: see
 * PLDMA_CHAN_UNMAP_PROVES. Blocks of other memory are quarantined.
 *
 * EIO: the engine could not be proved idle, and blocks are in quarantine. Both
 * outputs are valid then, and the caller may try again. EINVAL: there is no channel
 * of the direction. EOPNOTSUPP: one direction, but the engine's driver resets both
 * (PLDMA_QUIRK_RESETS_BOTH). EPERM: FORCE without CAP_SYS_RAWIO. Use FORCE only
 * after the engine was stopped by other means, for example by loading another
 * bitstream. Otherwise it may write to memory of others.
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
#define PLDMA_IOC_ENQUEUE_BATCH	_IOWR(PLDMA_IOC_MAGIC, 11, struct pldma_enqueue_batch)
#define PLDMA_IOC_DEQUEUE_BATCH	_IOWR(PLDMA_IOC_MAGIC, 12, struct pldma_dequeue_batch)
#define PLDMA_IOC_EXPORT	_IOWR(PLDMA_IOC_MAGIC, 13, struct pldma_export)
#define PLDMA_IOC_IMPORT	_IOWR(PLDMA_IOC_MAGIC, 14, struct pldma_import)
#define PLDMA_IOC_CACHE		_IOW(PLDMA_IOC_MAGIC, 15, struct pldma_cache)

/*
 * mmap() maps one whole block by its offset, with MAP_SHARED. EINVAL: another offset
 * or length, or a private mapping. EACCES: a writable mapping of a receive block of
 * PLDMA_STREAMING_LAZY. A child process does not inherit the mapping.
 *
 * The memory of the policies STREAMING, STREAMING_LAZY, MANUAL and NONE can be used in
 * other system calls, such as read() and write() with O_DIRECT, vmsplice(), and
 * process_vm_readv(). The caller must not ENQUEUE the block meanwhile. The kernel keeps
 * the pages until their last user is done, also after FREE, but they are then no part
 * of a block any more. After the device is gone, mappings of such memory stay, and no
 * device accesses it. Mappings of the policies COHERENT, WRITE_COMBINE and NONCOHERENT
 * cannot be used in this way, and after the device is gone an access to them ends with
 * SIGBUS.
 *
 * poll() reports POLLIN if there is a receive completion; POLLOUT if there is a
 * transmit completion, or if the transmit ring has a free slot and the queue has
 * room; POLLERR if an engine error was not dequeued yet, or the engine is not idle
 * after a failed RESET; POLLHUP if the device is gone.
 *
 * read() and write() move one frame each through the blocks of PLDMA_BOUNCE, which
 * form a ring of slots for each direction. write() waits for a free slot, copies the
 * frame, and queues it. EMSGSIZE: the frame is larger than a slot. read() waits for
 * a frame, copies it out, and submits the slot again. EMSGSIZE: the buffer is too
 * small, and the frame stays. Only read() submits the slots of a new ring, or of a
 * ring after RESET. So call read() once with O_NONBLOCK before poll(). EINVAL: there
 * is no such ring, the length is 0, or the engine cannot handle the length. EAGAIN:
 * O_NONBLOCK is set and the call would wait. EIO: as for DEQUEUE. ENOMEM: the engine
 * accepts no slot although it is idle. ECANCELED: RESET was called during the wait.
 */

#endif /* _UAPI_PLDMA_H */
