/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pldma: a tracepoint for each transition of a block
 *
 *	USER --pldma_queue--> QUEUED --pldma_submit--> IN_FLIGHT --pldma_complete--> DONE
 *
 * pldma_dequeue and pldma_reset return a block to USER, and pldma_quarantine keeps it
 * in QUARANTINED. pldma_refuse: the engine did not accept a block.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pldma

#if !defined(_PLDMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PLDMA_TRACE_H

#include <linux/tracepoint.h>

#include "pldma_priv.h"

#define pldma_show_direction(direction)				\
	__print_symbolic(direction, { 0, "tx" }, { 1, "rx" })

#define pldma_show_status(status)				\
	__print_symbolic(status, { 0, "ok" },			\
			 { 1, "read-failed" },			\
			 { 2, "write-failed" },			\
			 { 3, "aborted" },			\
			 { 4, "not-submitted" })

#define pldma_show_state(state)					\
	__print_symbolic(state, { 0, "user" },			\
			 { 1, "queued" },			\
			 { 2, "in-flight" },			\
			 { 3, "done" },				\
			 { 4, "quarantined" })

DECLARE_EVENT_CLASS(pldma_block,
		    TP_PROTO(const struct pldma_block *block),
		    TP_ARGS(block),
		    TP_STRUCT__entry(__field(int, device)
				     __field(u32, id)
				     __field(u32, direction)
				     __field(u32, policy)
				     __field(u32, state)
				     __field(u64, offset)
				     __field(u64, length)
				     __field(u64, moved)
				     __field(u64, cookie)
				     __field(u32, status)),
		    TP_fast_assign(__entry->device = block->chan->pldma->id;
				   __entry->id = block->id;
				   __entry->direction = block->chan->direction;
				   __entry->policy = block->policy;
				   __entry->state = block->state;
				   __entry->offset = block->offset;
				   __entry->length = block->len;
				   __entry->moved = block->moved;
				   __entry->cookie = block->cookie;
				   __entry->status = block->status;),
		    TP_printk("pldma%d block=%u %s policy=%u state=%s offset=%llu length=%llu moved=%llu cookie=%llu status=%s",
			      __entry->device, __entry->id,
			      pldma_show_direction(__entry->direction), __entry->policy,
			      pldma_show_state(__entry->state), __entry->offset,
			      __entry->length, __entry->moved, __entry->cookie,
			      pldma_show_status(__entry->status))
);

#define PLDMA_BLOCK_EVENT(name)					\
	DEFINE_EVENT(pldma_block, name,				\
		     TP_PROTO(const struct pldma_block *block),	\
		     TP_ARGS(block))

PLDMA_BLOCK_EVENT(pldma_queue);
PLDMA_BLOCK_EVENT(pldma_submit);
PLDMA_BLOCK_EVENT(pldma_refuse);
PLDMA_BLOCK_EVENT(pldma_complete);
PLDMA_BLOCK_EVENT(pldma_dequeue);
PLDMA_BLOCK_EVENT(pldma_reset);
PLDMA_BLOCK_EVENT(pldma_quarantine);

#endif /* _PLDMA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE pldma_trace
#include <trace/define_trace.h>
