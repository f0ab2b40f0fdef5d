/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pldma: structs of the ioctl API in user space, which may be older or newer
 *
 * A struct may grow at its end. Each call knows the size that its struct has in the
 * program: it is part of the command number, or a member of a batch.
 */
#ifndef _PLDMA_UARG_H
#define _PLDMA_UARG_H

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "uapi/pldma.h"

/* sizes that the structs of a batch had first */
#define PLDMA_ENQUEUE_LEAST	56
#define PLDMA_DEQUEUE_LEAST	120

/**
 * struct pldma_uarg - a struct in user space
 * @ptr: its address
 * @size: its size as the program knows it
 */
struct pldma_uarg {
	void __user *ptr;
	size_t size;
};

/* write a struct that has @size bytes here; members that are unknown here become zero */
static inline int pldma_uarg_write(const struct pldma_uarg *uarg, const void *arg, size_t size)
{
	if (copy_to_user(uarg->ptr, arg, min(uarg->size, size)))
		return -EFAULT;
	if (uarg->size > size && clear_user(uarg->ptr + size, uarg->size - size))
		return -EFAULT;
	return 0;
}

/* store the error of ENQUEUE or DEQUEUE in the member @error; return @ret or -EFAULT */
static inline int pldma_store_error(__s32 __user *error, int ret)
{
	if (put_user(ret == -ERESTARTSYS ? EINTR : -ret, error))
		return -EFAULT;
	return ret;
}

/* check the size of a batch; @least is the size that its items had first */
static inline bool pldma_batch_valid(u32 count, u32 item_size, size_t least)
{
	return count && count <= PLDMA_MAX_BATCH && item_size >= least && item_size <= PAGE_SIZE;
}

static inline struct pldma_uarg pldma_batch_item(u64 items, u32 item_size, u32 index)
{
	return (struct pldma_uarg) {
		.ptr = u64_to_user_ptr(items) + (size_t)index * item_size,
		.size = item_size,
	};
}

#endif /* _PLDMA_UARG_H */
