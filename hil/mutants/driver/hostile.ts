// SPDX-License-Identifier: MIT
/**
 * Mistakes in the kernel module that need no board to fail, only an unlucky or hostile program: they check
 * the fuzzer `driver/kernel/tests/fuzz.c`.
 *
 * @module
 */

import { type DriverMutant, program } from "./probe.ts";

const KERNEL = "driver/kernel";

const MODEL = program("fuzz model 7 200000");
const STORM = program("fuzz storm 7 100");

/** The mutants. */
export const HOSTILE: readonly DriverMutant[] = [
  {
    id: "driver-free-twice",
    file: `${KERNEL}/pldma_alloc.c`,
    find: "pldma_block_release(block);\n\tpldma_block_put(block);\n\tpldma_chan_exit(chan);",
    replace: "pldma_block_release(block);\n\tpldma_block_put(block);\n\tpldma_block_put(block);\n" +
      "\tpldma_chan_exit(chan);",
    breaks: "FREE uses a block after it has freed it",
    probe: MODEL,
    alone: true,
  },
  {
    id: "driver-sync-bound",
    file: `${KERNEL}/pldma_sync.c`,
    find: "arg->offset > block->size ||\n\t    arg->length > block->size - arg->offset)",
    replace: "arg->offset + arg->length > block->size)",
    breaks: "SYNC accepts a range whose end is beyond 2^64",
    probe: MODEL,
    alone: true,
  },
  {
    id: "driver-unlock-lost",
    file: `${KERNEL}/pldma_mmap.c`,
    find: "err_unlock:\n\tmutex_unlock(&pldma->table_lock);",
    replace: "err_unlock:",
    breaks: "a refused mmap() keeps the lock of the table",
    probe: MODEL,
    alone: true,
  },
  {
    id: "driver-pages-leaked",
    file: `${KERNEL}/pldma_memory.c`,
    find: "\t\tput_page(chunk->page);",
    replace: "\t\tif (i)\n\t\t\tput_page(chunk->page);",
    breaks: "the first pages of a block are never given back",
    probe: MODEL,
    alone: true,
  },
  {
    id: "driver-completed-twice",
    file: `${KERNEL}/pldma_dequeue.c`,
    find: "\t\t\tpldma_take_done(block);",
    replace: "\t\t\tpldma_block_unclaim_done(block, &chan->done);",
    breaks: "each completion is returned again and again",
    probe: MODEL,
  },
  {
    id: "driver-info-padding",
    file: `${KERNEL}/pldma_ioctl.c`,
    find: "\tinfo->abi_version = PLDMA_ABI_VERSION;",
    replace: "\tinfo->reserved[7] = (unsigned long)info;\n\tinfo->abi_version = PLDMA_ABI_VERSION;",
    breaks: "INFO tells user space an address of the kernel's stack in a reserved member",
    probe: MODEL,
  },
  {
    id: "driver-map-unreferenced",
    file: `${KERNEL}/pldma_mmap.c`,
    find: "\tkref_get(&block->ref);\n\tblock->mappings++;",
    replace: "\tblock->mappings++;",
    breaks: "a mapping does not count as a user of its block",
    probe: MODEL,
    alone: true,
  },
  {
    id: "driver-map-page-more",
    file: `${KERNEL}/pldma_mmap.c`,
    find: "\tif (vma->vm_end - vma->vm_start != size)",
    replace: "\tif (vma->vm_end - vma->vm_start != size &&\n" +
      "\t    vma->vm_end - vma->vm_start != size + PAGE_SIZE)",
    breaks: "mmap() maps the page behind a block, too",
    probe: MODEL,
    alone: true,
  },
  {
    id: "driver-close-races",
    file: `${KERNEL}/pldma_file.c`,
    find: "\t\tpldma_shutdown(pldma);\n\t\tatomic_set_release(&pldma->open, 0);",
    replace: "\t\tatomic_set_release(&pldma->open, 0);\n\t\tpldma_shutdown(pldma);",
    breaks: "the next owner can open the device while the last one still closes it",
    probe: STORM,
    alone: true,
  },
];
