/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a DMA controller can report to pldma beyond dmaengine
 *
 * dmaengine has no interface for four things: which core is behind a channel,
 * which check value the core computed for a frame, which words travel beside it, and
 * whether the engine has stopped. A provider that knows them registers the operations
 * below. pldma also works with providers that do not.
 */
#ifndef _PLDMA_PROVIDER_H
#define _PLDMA_PROVIDER_H

#include <linux/types.h>

struct dma_chan;
struct dma_device;

/**
 * struct pldma_core - the core behind a channel
 * @id: id of the core, 0 if unknown
 * @version: major << 16 | minor
 * @build: hash of the build, zero if unknown
 * @check_kind: enum pldma_check_kind
 * @engine_depth: number of transfers that may be submitted to the channel at once
 * @address_align: required alignment of the start of a transfer, bytes
 * @length_align: required alignment of the length of a transfer, bytes
 * @sideband: words travel beside frames, in struct pldma_check
 */
struct pldma_core {
	u32 id;
	u32 version;
	u8 build[32];
	u32 check_kind;
	u32 engine_depth;
	u32 address_align;
	u32 length_align;
	bool sideband;
};

/**
 * struct pldma_check - client metadata that pldma attaches to each descriptor
 * @kind: set by the provider: enum pldma_check_kind
 * @value: set by the provider: the check value
 * @sideband: words beside the frame, set by pldma for DMA_MEM_TO_DEV before it attaches
 *	the metadata, and by the provider for DMA_DEV_TO_MEM
 *
 * Attached by dmaengine_desc_attach_metadata() (DESC_METADATA_CLIENT) if the core
 * computes a check value or passes words. The provider fills it in before it calls the callback.
 * dmaengine defines client metadata from the provider for DMA_DEV_TO_MEM only.
 * Plumbline extends it to DMA_MEM_TO_DEV.
 */
struct pldma_check {
	u32 kind;
	u32 value;
	u32 sideband[4];
};

/**
 * struct pldma_provider_ops - operations of a provider
 * @describe: fill in what is known. Other members keep their defaults
 * @idle: return true only if the engine has stopped and cannot access memory any
 *	more. Called after the channel is terminated and synchronized. May sleep, but
 *	only for a bounded time
 * @cache: do an operation of enum pldma_cache_op on a range of bus addresses. Only for
 *	a bus that models caches: they answer in place of those of the processor.
 *	Called in process context. Returns 0 or a negative errno
 */
struct pldma_provider_ops {
	void (*describe)(struct dma_chan *chan, struct pldma_core *core);
	bool (*idle)(struct dma_chan *chan);
	int (*cache)(struct dma_chan *chan, u32 op, dma_addr_t addr, size_t len);
};

int pldma_register_provider(struct dma_device *dma,
			    const struct pldma_provider_ops *ops);
void pldma_unregister_provider(struct dma_device *dma);

#endif /* _PLDMA_PROVIDER_H */
