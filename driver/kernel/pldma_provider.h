/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a DMA controller can report to pldma beyond dmaengine
 *
 * dmaengine has no interface for three things: which core is behind a channel,
 * which check value the core computed for a frame, and whether the engine has
 * stopped. A provider that knows them registers the operations below. pldma also
 * works with providers that do not.
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
 */
struct pldma_core {
	u32 id;
	u32 version;
	u8 build[32];
	u32 check_kind;
	u32 engine_depth;
	u32 address_align;
	u32 length_align;
};

/**
 * struct pldma_check - client metadata that pldma attaches to each descriptor
 * @kind: set by the provider: enum pldma_check_kind
 * @value: set by the provider: the check value
 *
 * Attached by dmaengine_desc_attach_metadata() (DESC_METADATA_CLIENT) if the core
 * computes a check value. The provider fills it in before it calls the callback.
 * dmaengine defines client metadata from the provider for DMA_DEV_TO_MEM only.
 * Plumbline extends it to DMA_MEM_TO_DEV.
 */
struct pldma_check {
	u32 kind;
	u32 value;
};

/**
 * struct pldma_provider_ops - operations of a provider
 * @describe: fill in what is known. Other members keep their defaults
 * @idle: return true only if the engine has stopped and cannot access memory any
 *	more. Called after the channel is terminated and synchronized. May sleep, but
 *	only for a bounded time
 */
struct pldma_provider_ops {
	void (*describe)(struct dma_chan *chan, struct pldma_core *core);
	bool (*idle)(struct dma_chan *chan);
};

int pldma_register_provider(struct dma_device *dma,
			    const struct pldma_provider_ops *ops);
void pldma_unregister_provider(struct dma_device *dma);

#endif /* _PLDMA_PROVIDER_H */
