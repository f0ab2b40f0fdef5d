// SPDX-License-Identifier: MIT
/**
 * Mistakes in the caches of the adversarial bus. Each must turn the generated litmus tests red:
 * `hil/suite_tests/litmus/vm_test.ts` builds them and tries them in one boot.
 *
 * @module
 */

import type { Mutant } from "./mutant.ts";

const CACHE = "fixtures/boards/vm/bus/advbus_cache.c";
const MAP = "fixtures/boards/vm/bus/advbus_map.c";

/** The mutants of the bus. */
export const BUS_MUTANTS: readonly Mutant[] = [
  {
    id: "bus-save-without-memory",
    file: CACHE,
    find: "	memcpy(v->memory + at, v->snapshot + at, len);\n",
    replace: "",
    breaks: "a line that is written back becomes clean, and memory keeps its old value",
  },
  {
    id: "bus-load-leaves-dirty",
    file: CACHE,
    find: "	memcpy(v->cpu + at, v->memory + at, len);\n" +
      "	memcpy(v->snapshot + at, v->memory + at, len);\n",
    replace: "	memcpy(v->cpu + at, v->memory + at, len);\n",
    breaks: "a line that is loaded counts as dirty, and is evicted over what the device wrote",
  },
  {
    id: "bus-invalidate-clean-only",
    file: CACHE,
    find: "		advbus_load(v, from, to - from);\n		return;\n",
    replace: "		for (at = from; at < to; at += v->line)\n" +
      "			if (!advbus_dirty(v, at))\n" +
      "				advbus_load(v, at, v->line);\n" +
      "		return;\n",
    breaks: "an invalidate keeps dirty lines, which overwrite what the device writes",
  },
  {
    id: "bus-clean-first-line",
    file: CACHE,
    find: "	for (; from < to; from += v->line)\n" +
      "		if (advbus_dirty(v, from) && !advbus_fault(v, advbus_chances.lose_clean, from))\n",
    replace: "	for (; from < to; from += 2 * v->line)\n" +
      "		if (advbus_dirty(v, from) && !advbus_fault(v, advbus_chances.lose_clean, from))\n",
    breaks: "a clean leaves out every second line of its range",
  },
  {
    id: "bus-read-drops",
    file: CACHE,
    find: "				atomic64_inc(&v->map->stats->stale_reads);\n",
    replace: "				advbus_load(v, at, v->line);\n",
    breaks: "a line that the device reads loses what was stored",
  },
  {
    id: "bus-tx-for-cpu-drops",
    file: MAP,
    find: "	if (dir != DMA_TO_DEVICE)\n" +
      "		advbus_invalidate(map, addr - map->start, size);\n" +
      "	advbus_put(map);\n}\n\nstatic dma_addr_t advbus_map_page(",
    replace: "	advbus_invalidate(map, addr - map->start, size);\n" +
      "	advbus_put(map);\n}\n\nstatic dma_addr_t advbus_map_page(",
    breaks: "for_cpu on tx drops what was stored",
  },
  {
    id: "bus-sync-at-start",
    file: MAP,
    find: "		advbus_clean(map, addr - map->start, size);\n	if (dir != DMA_TO_DEVICE)\n",
    replace: "		advbus_clean(map, 0, size);\n	if (dir != DMA_TO_DEVICE)\n",
    breaks: "for_device on tx cleans the start of the mapping instead of the range",
  },
];
