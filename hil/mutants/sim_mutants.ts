// SPDX-License-Identifier: MIT
/**
 * Mistakes in the simulated board: its cache, its driver and its core.
 *
 * @module
 */

import type { Mutant } from "./mutant.ts";

const SIM = "fixtures/boards/sim";

/** The mutants of the simulated board. */
export const SIM_MUTANTS: readonly Mutant[] = [
  // the attributes of transfers
  {
    id: "attributes-without-effect",
    file: `${SIM}/driver/transfers.ts`,
    find: "      asksCaches: this.attributes?.asksCaches(block.direction) ?? true,\n",
    replace: "",
    breaks: "a port snoops whatever AxCACHE and AxPROT are",
  },
  {
    id: "attributes-stay",
    file: `${SIM}/driver/attributes.ts`,
    find: "[Symbol.dispose]: () => {\n        this.#chosen = { ...this.#defaults };\n",
    replace: "[Symbol.dispose]: () => {\n",
    breaks: "an audit that ends leaves its last attributes behind",
  },
  // the cache
  {
    id: "sim-clean-drops",
    file: `${SIM}/memory/cache.ts`,
    find: 'else if (op === "for-device") memory.clean(offset, length);',
    replace: 'else if (op === "for-device") memory.invalidate(offset, length);',
    breaks: "for_device on tx drops the stores of the program instead of writing them back",
  },
  {
    id: "sim-invalidate-cleans",
    file: `${SIM}/memory/cache.ts`,
    find: 'if (direction === "rx") memory.invalidate(offset, length);',
    replace: 'if (direction === "rx" && op === "for-cpu") memory.invalidate(offset, length);',
    breaks: "for_device on rx leaves dirty lines, which overwrite received data later",
  },
  {
    id: "sim-partial-line",
    file: `${SIM}/memory/cache.ts`,
    find: "if (offset + length < to) this.clean(to - line, 1);",
    replace: "",
    breaks: "an invalidate that ends within a line destroys what the program stored after it",
  },
  {
    id: "sim-partial-first-line",
    file: `${SIM}/memory/cache.ts`,
    find: "if (from < offset) this.clean(from, 1);",
    replace: "",
    breaks: "an invalidate that begins within a line destroys what the program stored before it",
  },
  {
    id: "sim-no-eviction",
    file: `${SIM}/memory/cache.ts`,
    find: "if (draw(at) < this.#model.evict) this.#save",
    replace: "if (draw(at) < 0) this.#save",
    breaks: "dirty lines are never evicted, so a missing for_device on rx does not show",
  },
  {
    id: "sim-always-fresh",
    file: `${SIM}/memory/cache.ts`,
    find: "if (!held && draw(at) >= staleWrite) continue;",
    replace: "if (!held) continue;",
    breaks: "the CPU always sees what the device wrote, so a missing for_cpu does not show",
  },
  {
    id: "sim-lines-rounded-down",
    file: `${SIM}/memory/cache.ts`,
    find: "Math.ceil((offset + length) / line) * line];",
    replace: "Math.floor((offset + length) / line) * line];",
    breaks: "the last line of a range is not synced if the range ends within it",
  },
  // the policies
  {
    id: "sim-lazy-tx",
    file: `${SIM}/driver/policy.ts`,
    find: 'if ((block.direction === "tx") !== (op === "for-device")) return null;',
    replace: 'if (block.direction === "tx" || op === "for-device") return null;',
    breaks: "streaming-lazy never syncs tx",
  },
  {
    id: "sim-lazy-after-error",
    file: `${SIM}/driver/policy.ts`,
    find: 'if (op === "for-cpu" && block.status === 0) length = block.moved;',
    replace: 'if (op === "for-cpu") length = block.moved;',
    breaks: "after an error streaming-lazy syncs only the bytes that the engine reported",
  },
  {
    id: "sim-whole-rounded-down",
    file: `${SIM}/driver/policy.ts`,
    find: "length: Math.ceil(block.size / align) * align };",
    replace: "length: Math.floor(block.size / align) * align };",
    breaks: "streaming does not sync the last line of a block whose size is no multiple of a line",
  },
  {
    id: "sim-range-end",
    file: `${SIM}/driver/policy.ts`,
    find: "const end = Math.ceil((block.offset + length) / align) * align;",
    replace: "const end = Math.floor((block.offset + length) / align) * align;",
    breaks:
      "streaming-lazy and noncoherent do not sync the last line of a frame that ends within it",
  },
  {
    id: "sim-noncoherent-unsynced",
    file: `${SIM}/driver/policy.ts`,
    find: '    case "noncoherent":\n      break;',
    replace: '    case "noncoherent":\n      if (op === "for-device") return null;\n      break;',
    breaks: "noncoherent is never handed to the device",
  },
  // bounds
  {
    id: "sim-enqueue-bound",
    file: `${SIM}/driver/transfers.ts`,
    find: "if (length === 0 || offset + length > block.size) return EINVAL;",
    replace:
      "if (length === 0 || offset + length > Math.ceil(block.size / 64) * 64) return EINVAL;",
    breaks: "ENQUEUE accepts a transfer that ends after its block, within the same line",
  },
  {
    id: "sim-sync-bound",
    file: `${SIM}/driver/device.ts`,
    find: "|| length === 0 || offset + length > block.size) return EINVAL;",
    replace: "|| length === 0 || offset >= block.size) return EINVAL;",
    breaks: "SYNC accepts a range that ends after its block",
  },
  {
    id: "sim-mmap-bound",
    file: `${SIM}/driver/table.ts`,
    find: "if (pages(length) !== pages(block.size)) return EINVAL;",
    replace: "if (pages(length) < pages(block.size)) return EINVAL;",
    breaks: "mmap reaches beyond its block, into the next one",
  },
  {
    id: "sim-block-limit",
    file: `${SIM}/driver/table.ts`,
    find: "if (count > MAX_BLOCKS - this.#count) return ENOMEM;",
    replace: "if (count > MAX_BLOCKS) return ENOMEM;",
    breaks: "the number of blocks has no limit",
  },
  // memory
  {
    id: "sim-not-zeroed",
    file: `${SIM}/memory/pages.ts`,
    find: "best.view(0, size).fill(0);",
    replace: "",
    breaks: "ALLOC returns what another block held before",
  },
  {
    id: "sim-reset-unsynced",
    file: `${SIM}/driver/transfers.ts`,
    find: "      this.#handover.forCpuAll(block);\n",
    replace: "",
    breaks: "RESET returns blocks without for_cpu, so the program sees old contents",
  },
  {
    id: "sim-reset-pinned",
    file: `${SIM}/driver/handover.ts`,
    find: '      case "user-pages":\n        this.unmap(block, true, true);\n        break;',
    replace: '      case "user-pages":\n        break;',
    breaks: "RESET leaves the pages of the program pinned and mapped",
  },
  // completions
  {
    id: "sim-lifo",
    file: `${SIM}/driver/transfers.ts`,
    find: "this.#submit(channel.queued.shift()!);",
    replace: "this.#submit(channel.queued.pop()!);",
    breaks: "the queue gives the engine its newest block first",
  },
  {
    id: "sim-overtaking",
    file: `${SIM}/driver/transfers.ts`,
    find: "const room = channel.queued.length === 0 && channel",
    replace: "const room = channel",
    breaks: "a block overtakes those that are queued",
    equivalent:
      "a completion submits queued blocks until the engine is full, so there is no room " +
      "while any block is queued",
  },
  {
    id: "sim-wrong-length",
    file: `${SIM}/driver/transfers.ts`,
    find: "    block.moved = moved;\n",
    replace: "    block.moved = block.length;\n",
    breaks: "a completion reports the length of its block instead of that of the frame",
  },
  {
    id: "sim-cookie-cut",
    file: `${SIM}/driver/transfers.ts`,
    find: "    block.cookieHigh = get(ENQUEUE.at.cookie + 4);\n",
    replace: "",
    breaks: "the upper half of a cookie is lost",
  },
  {
    id: "sim-no-wake",
    file: `${SIM}/waits.ts`,
    find: "for (const wake of this.#waiters) wake();",
    replace: "",
    breaks: "nothing wakes a DEQUEUE that waits on another thread: it returns at its deadline",
  },
];
