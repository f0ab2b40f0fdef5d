// SPDX-License-Identifier: MIT
/**
 * Compares the throughput of writing and verifying frames with that of plain memory.
 *
 * @module
 */

import { type Block, blockInternals } from "../../../driver/block.ts";
import { Handle } from "../../../driver/handle.ts";
import { libc } from "../../../driver/libc.ts";
import type { Mapping } from "../../../driver/mapping.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../driver/syscalls.ts";
import { fillFrame, holdsFrame } from "../../frames/framed.ts";
import { patternNamed } from "../../patterns/mod.ts";
import type { Pattern } from "../../patterns/pattern.ts";

/** Bytes that are written and compared in one slice of a measurement. */
const SLICE = 1 << 22;

/** Frames of one pattern and size, in a block of mapped memory, as on a board. */
export class Throughput implements Disposable {
  readonly #pattern: Pattern;
  readonly #size: number;
  readonly #mapping: Mapping;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #block: Block;
  readonly #source: Uint8Array<ArrayBuffer>;

  /**
   * @param name Name of the pattern
   * @param size Bytes of a frame
   */
  constructor(name: string, size: number) {
    this.#pattern = patternNamed(name).create({ seed: 1, maxLength: size });
    this.#size = size;
    this.#mapping = libc.mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bytes = new Uint8Array(this.#mapping.buffer, 0, size);
    this.#bytes = bytes;
    this.#block = blockInternals.create({
      id: 1,
      size,
      direction: "tx",
      policy: "coherent",
      handle: new Handle("memory", libc, -1), // neither writing nor comparing needs an open file
      mapping: this.#mapping,
      base: 0,
      memory: null,
      onFree: () => {},
    });
    this.#source = new Uint8Array(size);
    this.#pattern.write(this.#source, 0);
  }

  /**
   * Writes a frame and verifies it.
   *
   * @param sequence Its number
   * @returns Whether it holds the expected bytes
   */
  frame(sequence: number): boolean {
    const frame = { pattern: this.#pattern, sequence, size: this.#size, at: 0 };
    fillFrame(this.#block, frame);
    return holdsFrame(this.#block, frame);
  }

  /**
   * Copies the same number of bytes and compares them.
   *
   * @param _sequence Unused
   * @returns Whether they are equal
   */
  memory(_sequence: number): boolean {
    this.#bytes.set(this.#source);
    return libc.equal(this.#mapping, 0, this.#source, this.#size);
  }

  /**
   * Measures both by turns, in slices so short that another job of the machine seldom interrupts one.
   *
   * @param slices The number of slices of each
   * @returns The rate of `frame`, and its ratio to the rate of `memory`, of the median slices
   */
  measure(slices: number): { ratio: number; bytesPerSecond: number } {
    const frames = Math.ceil(SLICE / this.#size);
    let sequence = 0;
    const time = (method: "frame" | "memory") => {
      const start = performance.now();
      for (let i = 0; i < frames; i++) {
        if (!this[method](sequence++)) throw new Error(`Expected frame ${sequence} to be equal`);
      }
      return performance.now() - start;
    };
    const times: { memory: number; frame: number }[] = [];
    for (let slice = 0; slice < slices; slice++) {
      times.push({ memory: time("memory"), frame: time("frame") });
    }
    const median = (method: "frame" | "memory") =>
      times.map((slice) => slice[method]).sort((a, b) => a - b)[slices >> 1] ?? NaN;
    return {
      ratio: median("memory") / median("frame"),
      bytesPerSecond: frames * this.#size / (median("frame") / 1000),
    };
  }

  /** Unmaps the memory. */
  [Symbol.dispose](): void {
    libc.munmap(this.#mapping);
  }
}
