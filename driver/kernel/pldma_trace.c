// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: the tracepoints of pldma_trace.h, and the last errors of a device
 */
#define CREATE_TRACE_POINTS
#include "pldma_trace.h"

/**
 * pldma_note() - remember an error for debugfs
 * @chan: direction
 * @id: the block, or 0 for none
 * @what: what failed, a string constant
 * @code: enum pldma_status or an errno, as @what says
 *
 * Context: any.
 */
void pldma_note(struct pldma_chan *chan, u32 id, const char *what, int code)
{
	struct pldma_errors *errors = &chan->pldma->errors;
	struct pldma_error *error;
	unsigned long flags;

	spin_lock_irqsave(&errors->lock, flags);
	error = &errors->last[errors->total % PLDMA_MAX_ERRORS];
	error->ns = ktime_get_ns();
	error->direction = chan->direction;
	error->id = id;
	error->what = what;
	error->code = code;
	errors->total++;
	spin_unlock_irqrestore(&errors->lock, flags);
}
