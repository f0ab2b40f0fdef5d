// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: /sys/kernel/debug/pldma/pldmaN/, to look at a device that another process
 * has open, such as one that hangs
 *
 *	channels	limits, quirks in force, and what is queued
 *	blocks		every block with its state and its last transfer
 *	errors		the last errors, with times of CLOCK_MONOTONIC
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "pldma_priv.h"

static struct dentry *pldma_root;

static const char * const pldma_state_names[] = {
	[PLDMA_STATE_USER] = "user",
	[PLDMA_STATE_QUEUED] = "queued",
	[PLDMA_STATE_IN_FLIGHT] = "in-flight",
	[PLDMA_STATE_DONE] = "done",
	[PLDMA_STATE_QUARANTINED] = "quarantined",
};

static const char * const pldma_policy_names[PLDMA_NR_POLICIES] = {
	[PLDMA_COHERENT] = "coherent",
	[PLDMA_WRITE_COMBINE] = "write-combine",
	[PLDMA_STREAMING] = "streaming",
	[PLDMA_STREAMING_LAZY] = "streaming-lazy",
	[PLDMA_NONCOHERENT] = "noncoherent",
	[PLDMA_USER_PAGES] = "user-pages",
	[PLDMA_USER_PAGES_REGISTERED] = "user-pages-registered",
	[PLDMA_MANUAL] = "manual",
	[PLDMA_BOUNCE] = "bounce",
	[PLDMA_NONE] = "none",
	[PLDMA_DMA_BUF] = "dma-buf",
};

static void pldma_show_chan(struct seq_file *file, struct pldma_chan *chan)
{
	u32 pending, running, failed, users;
	bool wedged;

	spin_lock_irq(&chan->done_lock);
	pending = chan->pending;
	running = chan->running;
	failed = chan->failed;
	users = chan->users;
	wedged = chan->wedged;
	spin_unlock_irq(&chan->done_lock);
	seq_printf(file, "%s engine=%s channel=%s%s%s\n",
		   pldma_direction_names[chan->direction], chan->engine, chan->channel,
		   chan->pldma->loop ? " memory-loop" : "", wedged ? " wedged" : "");
	seq_printf(file, "  pending=%u running=%u failed=%u calls=%u queue_depth=%u engine_depth=%u\n",
		   pending, running, failed, users, chan->queue_depth, chan->core.engine_depth);
	seq_printf(file, "  max_segment=%u max_segments=%u address_align=%u length_align=%u quirks=",
		   chan->max_seg, chan->max_segs, chan->core.address_align,
		   chan->core.length_align);
	pldma_quirks_show(file, chan->quirks);
	seq_putc(file, '\n');
}

static int channels_show(struct seq_file *file, void *unused)
{
	struct pldma_dev *pldma = file->private;
	u32 i;

	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		if (pldma_chan_present(pldma, i))
			pldma_show_chan(file, &pldma->chan[i]);
	seq_printf(file, "open=%d\n", atomic_read(&pldma->open));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(channels);

static void pldma_show_block(struct seq_file *file, struct pldma_block *block)
{
	struct pldma_chan *chan = block->chan;
	u64 offset, len, moved, cookie, queued_ns, submitted_ns, done_ns;
	u32 state, status;
	bool busy;

	spin_lock_irq(&chan->done_lock);
	state = block->state;
	busy = block->busy;
	status = block->status;
	offset = block->offset;
	len = block->len;
	moved = block->moved;
	cookie = block->cookie;
	queued_ns = block->queued_ns;
	submitted_ns = block->submitted_ns;
	done_ns = block->done_ns;
	spin_unlock_irq(&chan->done_lock);
	seq_printf(file, "%u %s %s %s%s size=%zu segments=%u mappings=%u offset=%llu length=%llu moved=%llu cookie=%llu status=%u queued=%llu submitted=%llu done=%llu\n",
		   block->id, pldma_direction_names[chan->direction],
		   pldma_policy_names[block->policy], pldma_state_names[state],
		   busy ? "+busy" : "", block->size, READ_ONCE(block->nsegs), block->mappings,
		   offset, len, moved, cookie, status, queued_ns, submitted_ns, done_ns);
}

static int blocks_show(struct seq_file *file, void *unused)
{
	struct pldma_dev *pldma = file->private;
	struct pldma_block *block;
	unsigned long index;
	u32 i;

	mutex_lock(&pldma->table_lock);
	xa_for_each(&pldma->blocks, index, block)
		pldma_show_block(file, block);
	/* blocks of an earlier open that the engine may still access; they have no id */
	for (i = 0; i < PLDMA_NR_DIRECTIONS; i++)
		list_for_each_entry(block, &pldma->chan[i].orphans, node)
			pldma_show_block(file, block);
	mutex_unlock(&pldma->table_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(blocks);

static int errors_show(struct seq_file *file, void *unused)
{
	struct pldma_dev *pldma = file->private;
	struct pldma_errors *errors = &pldma->errors;
	struct pldma_error last[PLDMA_MAX_ERRORS];
	u64 total, i;

	spin_lock_irq(&errors->lock);
	total = errors->total;
	memcpy(last, errors->last, sizeof(last));
	spin_unlock_irq(&errors->lock);
	seq_printf(file, "total=%llu\n", total);
	for (i = total > PLDMA_MAX_ERRORS ? total - PLDMA_MAX_ERRORS : 0; i < total; i++) {
		const struct pldma_error *error = &last[i % PLDMA_MAX_ERRORS];

		seq_printf(file, "%llu %s block=%u %s %d\n", error->ns,
			   pldma_direction_names[error->direction], error->id, error->what,
			   error->code);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(errors);

/**
 * pldma_debugfs_add() - show a device in debugfs
 * @pldma: the device, with its name
 */
void pldma_debugfs_add(struct pldma_dev *pldma)
{
	pldma->debugfs = debugfs_create_dir(pldma->name, pldma_root);
	debugfs_create_file("channels", 0400, pldma->debugfs, pldma, &channels_fops);
	debugfs_create_file("blocks", 0400, pldma->debugfs, pldma, &blocks_fops);
	debugfs_create_file("errors", 0400, pldma->debugfs, pldma, &errors_fops);
}

/**
 * pldma_debugfs_remove() - undo pldma_debugfs_add(), and wait for those who read
 * @pldma: the device
 */
void pldma_debugfs_remove(struct pldma_dev *pldma)
{
	debugfs_remove_recursive(pldma->debugfs);
}

/**
 * pldma_debugfs_init() - create the folder of all devices
 */
void pldma_debugfs_init(void)
{
	pldma_root = debugfs_create_dir("pldma", NULL);
}

/**
 * pldma_debugfs_exit() - undo pldma_debugfs_init()
 */
void pldma_debugfs_exit(void)
{
	debugfs_remove_recursive(pldma_root);
}
