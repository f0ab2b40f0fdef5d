// SPDX-License-Identifier: MIT
/**
 * Mistakes in the kernel module: syncs: missing ones, wrong ranges, wrong directions, wrong order.
 *
 * @module
 */

import { abi, type DriverMutant, program } from "./probe.ts";

const KERNEL = "driver/kernel";

/** The mutants. */
export const SYNCS: readonly DriverMutant[] = [
  {
    id: "driver-whole-rounded-down",
    file: `${KERNEL}/pldma_sync.c`,
    find: "min_t(size_t, ALIGN(block->size, pldma_cache_align())",
    replace: "min_t(size_t, ALIGN_DOWN(block->size, pldma_cache_align())",
    breaks: "streaming does not sync the last line of a block whose size is no multiple of a line",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming"),
  },
  {
    id: "driver-range-rounded-down",
    file: `${KERNEL}/pldma_sync.c`,
    find: "ALIGN(*offset + *len, align)",
    replace: "ALIGN_DOWN(*offset + *len, align)",
    breaks: "streaming-lazy does not sync the last line of a frame that ends within it",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming-lazy"),
  },
  {
    id: "driver-lazy-after-error",
    file: `${KERNEL}/pldma_sync.c`,
    find: "if (!for_device && block->status == PLDMA_STATUS_OK)",
    replace: "if (!for_device)",
    breaks: "after an error streaming-lazy syncs only the bytes that the engine reported",
    probe: abi("after an error the whole range is synced"),
  },
  {
    id: "driver-lazy-tx",
    file: `${KERNEL}/pldma_sync.c`,
    find: "if (tx != for_device)",
    replace: "if (tx || for_device)",
    breaks: "streaming-lazy never syncs tx",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming-lazy"),
  },
  {
    id: "driver-reset-unsynced",
    file: `${KERNEL}/pldma_reset.c`,
    find: "\t\tpldma_for_cpu_all(block);\n",
    replace: "",
    breaks: "RESET returns blocks without for_cpu, and leaves user pages mapped and pinned",
    probe: abi("RESET shows what the engine wrote before, policy streaming"),
  },
  {
    id: "driver-reset-stale",
    file: `${KERNEL}/pldma_sync.c`,
    find: "block, PLDMA_SYNC_FOR_CPU, 0, pldma_sync_len(block), true);",
    replace: "block, PLDMA_SYNC_FOR_CPU, 0, 0, true);",
    breaks: "RESET returns blocks that the driver owns without for_cpu",
    probe: abi("RESET shows what the engine wrote before, policy streaming"),
  },
  {
    id: "driver-reset-pinned",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t\tpldma_user_unmap(block, true, true);\n",
    replace: "",
    breaks: "RESET leaves user pages mapped and pinned",
    probe: abi("RESET unpins and unmaps"),
  },
  {
    id: "driver-streaming-tx-device",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_STREAMING && tx && for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "streaming sends without for_device",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming"),
  },
  {
    id: "driver-streaming-rx-cpu",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_STREAMING && !tx && !for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "streaming receives without for_cpu",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming"),
  },
  {
    id: "driver-streaming-tx-cpu",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_STREAMING && tx && !for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "streaming leaves out for_cpu on tx, which the policy promises",
    probe: abi("counts what a frame of policy streaming costs"),
  },
  {
    id: "driver-streaming-rx-device",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_STREAMING && !tx && for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "streaming receives without for_device, so dirty lines overwrite received data",
    probe: abi("counts what a frame of policy streaming costs"),
  },
  {
    id: "driver-lazy-tx-device",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_STREAMING_LAZY && tx)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "streaming-lazy sends without for_device",
    probe: program("loop 3 4096 4 200", { board: "adversarial" }),
  },
  {
    id: "driver-lazy-rx-cpu",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_STREAMING_LAZY && !tx)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "streaming-lazy receives without for_cpu",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming-lazy"),
  },
  {
    id: "driver-noncoherent-tx-device",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_NONCOHERENT && tx && for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "noncoherent sends without for_device",
    probe: program("loop 4 4096 4 200", { board: "adversarial" }),
  },
  {
    id: "driver-noncoherent-rx-cpu",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_NONCOHERENT && !tx && !for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "noncoherent receives without for_cpu",
    probe: program("loop 4 4096 4 200", { board: "adversarial" }),
  },
  {
    id: "driver-noncoherent-rx-device",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_NONCOHERENT && !tx && for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "noncoherent receives without for_device",
    probe: abi("counts what a frame of policy noncoherent costs"),
  },
  {
    id: "driver-registered-tx-device",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_USER_PAGES_REGISTERED && tx && for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "registered memory is sent without for_device",
    probe: abi("RESET shows what the engine wrote before, policy user-pages-registered"),
  },
  {
    id: "driver-registered-rx-cpu",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_USER_PAGES_REGISTERED && !tx && !for_device)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "registered memory receives without for_cpu",
    probe: program("robustness stores"),
  },
  {
    id: "driver-bounce-tx-device",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_BOUNCE && tx)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "write() sends without for_device",
    probe: abi("move frames of every length in order"),
  },
  {
    id: "driver-bounce-rx-cpu",
    file: `${KERNEL}/pldma_sync.c`,
    find: "\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    replace:
      "\tif (block->policy == PLDMA_BOUNCE && !tx)\n\t\treturn false;\n\t*offset = block->offset;\n\t*len = block->len;\n\tswitch",
    breaks: "read() receives without for_cpu",
    probe: abi("move frames of every length in order"),
  },
  {
    id: "driver-user-pages-rx-cpu",
    file: `${KERNEL}/pldma_sync.c`,
    find: "pldma_user_unmap(block, verify, true);",
    replace: "pldma_user_unmap(block, verify, false);",
    breaks: "user pages are unmapped without a sync after a transfer",
    probe: program("robustness stores"),
  },
  {
    id: "driver-swapped",
    file: `${KERNEL}/pldma_sync.c`,
    find: "if (op == PLDMA_SYNC_FOR_DEVICE)\n\t\tdma_sync_single_for_device",
    replace: "if (op != PLDMA_SYNC_FOR_DEVICE)\n\t\tdma_sync_single_for_device",
    breaks: "for_device and for_cpu are swapped",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming"),
  },
  {
    id: "driver-cpu-direction",
    file: `${KERNEL}/pldma_sync.c`,
    find: "dma_sync_single_for_cpu(chan->map_dev, addr, len, chan->map_dir);",
    replace: "dma_sync_single_for_cpu(chan->map_dev, addr, len, DMA_TO_DEVICE);",
    breaks: "for_cpu has the direction of tx",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming"),
  },
  {
    id: "driver-device-direction",
    file: `${KERNEL}/pldma_sync.c`,
    find: "dma_sync_single_for_device(chan->map_dev, addr, len, chan->map_dir);",
    replace: "dma_sync_single_for_device(chan->map_dev, addr, len, DMA_FROM_DEVICE);",
    breaks: "for_device has the direction of rx",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming"),
  },
  {
    id: "driver-registered-swapped",
    file: `${KERNEL}/pldma_sync.c`,
    find: "dma_sync_sgtable_for_cpu(chan->map_dev, &block->user.sgt,",
    replace: "dma_sync_sgtable_for_device(chan->map_dev, &block->user.sgt,",
    breaks: "registered memory gets for_device instead of for_cpu",
    probe: program("robustness stores"),
  },
  {
    id: "driver-range-offset",
    file: `${KERNEL}/pldma_sync.c`,
    find: "block->chunks[i].dma + (from - at),",
    replace: "block->chunks[i].dma,",
    breaks: "a part of a block is synced at the start of its chunk",
    probe: abi("a part of a block is moved to its place"),
  },
  {
    id: "driver-noncoherent-offset",
    file: `${KERNEL}/pldma_sync.c`,
    find: "pldma_sync_one(chan, op, block->dma + offset, len);",
    replace: "pldma_sync_one(chan, op, block->dma, len);",
    breaks: "a part of a noncoherent block is synced at the start of the block",
    probe: abi("a part of a block is moved to its place", { board: "adversarial" }),
  },
  {
    id: "driver-first-chunk-only",
    file: `${KERNEL}/pldma_sync.c`,
    find: "for (i = 0; i < block->nchunks && at < offset + len; i++) {",
    replace: "for (i = 0; i < 1 && at < offset + len; i++) {",
    breaks: "only the first chunk of a large block is synced",
    probe: program("loop 2 1048576 1 6"),
  },
  {
    id: "driver-after-submit",
    file: `${KERNEL}/pldma_xfer.c`,
    find:
      "\tpldma_for_device(block);\n\n\tmutex_lock(&chan->lock);\n\tret = pldma_xfer_submit(block);\n\tmutex_unlock(&chan->lock);\n",
    replace:
      "\tmutex_lock(&chan->lock);\n\tret = pldma_xfer_submit(block);\n\tmutex_unlock(&chan->lock);\n\tpldma_for_device(block);\n",
    breaks: "for_device comes after the engine has started",
    probe: program("loop 2 65536 4 600"),
  },
  {
    id: "driver-no-finish",
    file: `${KERNEL}/pldma_xfer.c`,
    find: "\tpldma_for_cpu(block);\n\tblock->synced = true;",
    replace: "\tblock->synced = true;",
    breaks: "DEQUEUE returns blocks without for_cpu",
    probe: abi("the last bytes of a block of no whole cache lines arrive, policy streaming"),
  },
  {
    id: "driver-call-bound",
    file: `${KERNEL}/pldma_sync.c`,
    find: "arg->length > block->size - arg->offset)",
    replace: "arg->length > block->size)",
    breaks: "SYNC accepts a range that ends after its block",
    probe: abi("SYNC fails with EINVAL for an end beyond the block"),
  },
  {
    id: "driver-call-policy",
    file: `${KERNEL}/pldma_sync.c`,
    find: "if (block->policy != PLDMA_MANUAL || !arg->length ||",
    replace: "if (!arg->length ||",
    breaks: "SYNC accepts blocks that the driver syncs",
    probe: abi("SYNC fails with EINVAL for every policy except manual"),
  },
  {
    id: "driver-call-op",
    file: `${KERNEL}/pldma_sync.c`,
    find: "if (arg->op > PLDMA_SYNC_FOR_CPU)\n\t\treturn -EINVAL;\n",
    replace: "",
    breaks: "SYNC takes an unknown operation as for_cpu",
    probe: abi("SYNC fails with EINVAL for op 2"),
  },
  {
    id: "driver-buffer-manual",
    file: `${KERNEL}/pldma_sync.c`,
    find: "if (block->policy != PLDMA_MANUAL) {",
    replace: "if (block->policy != PLDMA_NR_POLICIES) {",
    breaks: "DMA_BUF_IOCTL_SYNC does not sync a block of policy manual",
    probe: abi("EXPORT makes DMA_BUF_IOCTL_SYNC do what SYNC does"),
  },
  {
    id: "driver-buffer-begin",
    file: `${KERNEL}/pldma_export.c`,
    find: "dma_sync_sgtable_for_cpu(at->dev, &at->sgt, at->dir);",
    replace: ";",
    breaks: "DMA_BUF_IOCTL_SYNC does not sync importers before the CPU reads",
    probe: abi("IMPORT makes a block whose frames"),
  },
  {
    id: "driver-buffer-end",
    file: `${KERNEL}/pldma_export.c`,
    find: "dma_sync_sgtable_for_device(at->dev, &at->sgt, at->dir);",
    replace: ";",
    breaks: "DMA_BUF_IOCTL_SYNC does not sync importers after the CPU wrote",
    probe: abi("IMPORT makes a block whose frames"),
  },
];
