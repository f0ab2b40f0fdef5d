// SPDX-License-Identifier: MIT
/**
 * Mistakes in what takes memory from a running engine behind an IOMMU.
 *
 * @module
 */

import { type DriverMutant, program } from "./probe.ts";

const KERNEL = "driver/kernel";

/** A board on which the driver of the engine proves nothing by stopping it. */
const DISTRUST = { board: "iommu", pldma: "quirks=pl_edu:terminate-unproved" } as const;

const STREAMING = program("unmap revoked streaming", DISTRUST);
const USER = program("unmap revoked user-pages", DISTRUST);
const LAZY = program(
  "echo DMA-FQ > $(readlink -f /sys/bus/pci/drivers/pl_edu/0000*/iommu_group)/type; unmap quarantined",
  DISTRUST,
);

/** The mutants. Lazy mode lasts until the end of a boot, so its probe is the last one. */
export const REVOKES: readonly DriverMutant[] = [
  {
    id: "driver-hole-still-leads",
    file: `${KERNEL}/pldma_revoke.c`,
    find: "\tsize_t done = iommu_unmap(domain, hole->iova, hole->size);",
    replace: "\tsize_t done = hole->size;",
    breaks: "RESET returns memory that the engine can still reach",
    probe: STREAMING,
    alone: true,
  },
  {
    id: "driver-revoked-address",
    file: `${KERNEL}/pldma_revoke.c`,
    find: "\tblock->segs[i].addr = again;\n",
    replace: "",
    breaks: "a block that was taken from the engine is sent with its old addresses",
    probe: STREAMING,
    alone: true,
  },
  {
    id: "driver-revoked-user-mapped",
    file: `${KERNEL}/pldma_revoke.c`,
    find: "\tif (!pldma_dig(chan, domain, hole)) {\n\t\tkfree(hole);\n\t\treturn false;\n\t}",
    replace: "\tlist_add_tail(&hole->node, &chan->holes);",
    breaks: "RESET returns memory of the program that the engine can still reach",
    probe: USER,
    alone: true,
  },
  {
    id: "driver-strict-unknown",
    file: `${KERNEL}/pldma_iommu.c`,
    find: "\t    !pldma_untrusted(dev))\n\t\treturn domain;\n#endif",
    replace: "\t    !pldma_untrusted(dev))\n\t\treturn NULL;\n#endif",
    breaks: "unmapping is never proof, so blocks stay in quarantine",
    probe: STREAMING,
    alone: true,
  },
  {
    id: "driver-lazy-proves",
    file: `${KERNEL}/pldma_iommu.c`,
    find: "domain && domain->type == IOMMU_DOMAIN_DMA && domain->pgsize_bitmap",
    replace: "domain && domain->pgsize_bitmap",
    breaks: "unmapping counts as proof although the IOMMU may still know the translation",
    probe: LAZY,
    alone: true,
  },
];
