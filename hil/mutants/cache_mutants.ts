// SPDX-License-Identifier: MIT
/**
 * Mistakes in the rules of the simulated cache. Each must turn the generated litmus tests red, which are the
 * only tests that these mutants run.
 *
 * @module
 */

import type { Mutant } from "./mutant.ts";

const CACHE = "fixtures/boards/sim/memory/cache.ts";
const CLEAN = 'else if (op === "for-device") memory.clean(offset, length);';
const INVALIDATE = 'if (direction === "rx") memory.invalidate(offset, length);';

/** The mutants of the rules. */
export const CACHE_MUTANTS: readonly Mutant[] = [
  {
    id: "cache-tx-for-device-nothing",
    file: CACHE,
    find: CLEAN,
    replace: "",
    breaks: "for_device on tx writes nothing back",
  },
  {
    id: "cache-tx-for-device-drops",
    file: CACHE,
    find: CLEAN,
    replace: 'else if (op === "for-device") memory.invalidate(offset, length);',
    breaks: "for_device on tx drops what was stored",
  },
  {
    id: "cache-tx-for-cpu-drops",
    file: CACHE,
    find: CLEAN,
    replace: `${CLEAN}\n  else memory.invalidate(offset, length);`,
    breaks: "for_cpu on tx drops what was stored",
  },
  {
    id: "cache-rx-for-device-nothing",
    file: CACHE,
    find: INVALIDATE,
    replace: 'if (direction === "rx" && op === "for-cpu") memory.invalidate(offset, length);',
    breaks: "for_device on rx leaves dirty lines, which overwrite what the device writes",
  },
  {
    id: "cache-rx-for-cpu-nothing",
    file: CACHE,
    find: INVALIDATE,
    replace: 'if (direction === "rx" && op === "for-device") memory.invalidate(offset, length);',
    breaks: "for_cpu on rx leaves lines that are stale",
  },
  {
    id: "cache-save-without-memory",
    file: CACHE,
    find: "    this.device.set(bytes, from);\n",
    replace: "",
    breaks: "a line that is written back becomes clean, and memory keeps its old value",
  },
  {
    id: "cache-load-leaves-dirty",
    file: CACHE,
    find: "    this.cpu.set(bytes, from);\n    this.#snapshot.set(bytes, from);\n",
    replace: "    this.cpu.set(bytes, from);\n",
    breaks: "a line that is loaded counts as dirty, and is evicted over what the device wrote",
  },
  {
    id: "cache-load-from-cache",
    file: CACHE,
    find: "    const bytes = this.device.subarray(from, to);\n",
    replace: "    const bytes = this.#snapshot.subarray(from, to);\n",
    breaks: "an invalidate shows what the cache held instead of memory",
  },
  {
    id: "cache-evicts-clean-lines",
    file: CACHE,
    find: "    if (this.#clean(from, to)) return;\n" +
      "    const draw = this.#draws(EVICT, transfer);\n" +
      "    for (const at of this.#dirty(from, to)) {",
    replace: "    const draw = this.#draws(EVICT, transfer);\n" +
      "    for (let at = from; at < to; at += this.#model.line) {",
    breaks: "a clean line is evicted over what the device wrote",
  },
  {
    id: "cache-read-snoops-once",
    file: CACHE,
    find: "else if (draw(at) >= staleRead) this.#save(at, at + line);",
    replace: "else if (draw(at) >= staleRead) snooped.push(at);",
    breaks: "the device reads a new value, and the old one afterwards",
  },
  {
    id: "cache-read-drops",
    file: CACHE,
    find: "else if (draw(at) >= staleRead) this.#save(at, at + line);",
    replace: "else if (draw(at) >= staleRead) this.#load(at, at + line);",
    breaks: "a line that the device reads loses what was stored",
  },
  {
    id: "cache-stale-line-stays",
    file: CACHE,
    find: "if (!diverged && this.#clean(from, to)) return;",
    replace: "if (this.#clean(from, to)) return;",
    breaks: "an invalidate drops dirty lines only, so that a stale one stays",
  },
  {
    id: "cache-write-drops-neighbour",
    file: CACHE,
    find: "    if (start < to) this.#load(start, to);\n",
    replace:
      "    if (start < to) this.#load(start, to + line > this.cpu.length ? to : to + line);\n",
    breaks: "a write of the device drops the line behind it, too",
  },
  {
    id: "cache-sync-at-start",
    file: "fixtures/boards/sim/driver/device.ts",
    find: "handover.sync(block, op, { offset, length }, false);",
    replace: "handover.sync(block, op, { offset: 0, length }, false);",
    breaks: "SYNC syncs the start of the block instead of the range",
  },
];
