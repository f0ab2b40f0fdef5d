// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: the file operations of /dev/pldmaN
 */
#include <linux/fs.h>
#include <linux/poll.h>

#include "pldma_priv.h"

static int pldma_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (pldma_is_observer(file))
		return -EACCES;
	return pldma_block_mmap(file->private_data, vma);
}

static __poll_t pldma_poll(struct file *file, poll_table *wait)
{
	struct pldma_dev *pldma = file->private_data;
	__poll_t mask = 0;
	u32 i;

	if (pldma_is_observer(file))
		return EPOLLERR;
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		poll_wait(file, &pldma->chan[i].wq, wait);
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];
		__poll_t ready = i == PLDMA_RX ? EPOLLIN | EPOLLRDNORM : EPOLLOUT | EPOLLWRNORM;

		spin_lock_irq(&chan->done_lock);
		if (READ_ONCE(pldma->dead)) {
			mask |= EPOLLHUP | EPOLLERR;
		} else {
			if (!list_empty(&chan->done) || !list_empty(&chan->ring_done))
				mask |= ready;
			if (chan->failed || chan->wedged || chan->ring_error)
				mask |= EPOLLERR;
			/* write() cannot use a free slot while the queue is full */
			if (i == PLDMA_TX && chan->pending < chan->queue_depth &&
			    !list_empty(&chan->ring_free))
				mask |= ready;
		}
		spin_unlock_irq(&chan->done_lock);
	}
	return mask;
}

static int pldma_open(struct inode *inode, struct file *file)
{
	/* misc_open() holds a lock that misc_deregister() takes, so the device exists */
	struct pldma_dev *pldma = container_of(file->private_data, struct pldma_dev, misc);
	u32 i;

	file->f_mode |= PLDMA_FMODE;
	if (pldma_is_observer(file)) {
		kref_get(&pldma->ref);
		file->private_data = pldma;
		return nonseekable_open(inode, file);
	}
	if (atomic_cmpxchg(&pldma->open, 0, 1))
		return -EBUSY;
	kref_get(&pldma->ref);
	file->private_data = pldma;
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++) {
		struct pldma_chan *chan = &pldma->chan[i];

		spin_lock_irq(&chan->done_lock);
		memset(&chan->stats, 0, sizeof(chan->stats));
		spin_unlock_irq(&chan->done_lock);
	}
	mutex_lock(&pldma->table_lock);
	if (xa_empty(&pldma->blocks)) {
		pldma->next_id = 1;
		pldma->next_pgoff = 1;
	}
	mutex_unlock(&pldma->table_lock);
	return nonseekable_open(inode, file);
}

static int pldma_release(struct inode *inode, struct file *file)
{
	struct pldma_dev *pldma = file->private_data;

	if (!pldma_is_observer(file)) {
		pldma_shutdown(pldma);
		atomic_set_release(&pldma->open, 0);
	}
	pldma_dev_put(pldma);
	return 0;
}

const struct file_operations pldma_fops = {
	.owner = THIS_MODULE,
	PLDMA_FOP_FLAGS
	.open = pldma_open,
	.release = pldma_release,
	.read = pldma_read,
	.write = pldma_write,
	.poll = pldma_poll,
	.mmap = pldma_mmap,
	.unlocked_ioctl = pldma_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
