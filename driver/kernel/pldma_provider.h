/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a DMA controller of Plumbline's own tells pldma beyond dmaengine
 *
 * dmaengine has no words for three things that pldma wants to know: which core
 * sits behind a channel, what check value the core computed over a frame, and
 * whether the engine has really stopped. A provider that can answer registers
 * the operations below; with any other provider pldma does without.
 */
#ifndef _PLDMA_PROVIDER_H
#define _PLDMA_PROVIDER_H

#include <linux/types.h>

struct dma_chan;
struct dma_device;

/**
 * struct pldma_core - what sits behind a channel
 * @id: identity of the core, 0 when unknown
 * @version: major << 16 | minor
 * @build: hash of the build, zero when unknown
 * @check_kind: enum pldma_check_kind
 * @engine_depth: transfers that the channel takes at once
 * @address_align: alignment of a transfer's start, bytes
 * @length_align: alignment of a transfer's length, bytes
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
 * Attached by dmaengine_desc_attach_metadata() (DESC_METADATA_CLIENT) when the
 * core has a check value. The provider fills it before it invokes the callback.
 * For DMA_DEV_TO_MEM that is what client metadata is for; that the provider
 * also writes it for DMA_MEM_TO_DEV is an extension of Plumbline's.
 */
struct pldma_check {
	u32 kind;
	u32 value;
};

/**
 * struct pldma_provider_ops - operations of a provider
 * @describe: fill in what is known; fields left alone keep their defaults
 * @idle: true only when the engine has stopped and can no longer reach memory.
 *	Called after dmaengine_terminate_sync(), may sleep, must be bounded
 */
struct pldma_provider_ops {
	void (*describe)(struct dma_chan *chan, struct pldma_core *core);
	bool (*idle)(struct dma_chan *chan);
};

int pldma_register_provider(struct dma_device *dma,
			    const struct pldma_provider_ops *ops);
void pldma_unregister_provider(struct dma_device *dma);

#endif /* _PLDMA_PROVIDER_H */
