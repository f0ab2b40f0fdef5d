// SPDX-License-Identifier: MIT
/**
 * Generating and verifying frames against the least that memory allows.
 *
 * @module
 */

import type { Block } from "../../../driver/block.ts";
import { libc } from "../../../driver/libc.ts";
import type { Mapping } from "../../../driver/mapping.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../driver/syscalls.ts";
import { fillFrame, holdsFrame } from "../../frames/framed.ts";
import { patternNamed } from "../../patterns/mod.ts";
import type { Pattern } from "../../patterns/pattern.ts";

/** Bytes of a slice. */
const SLICE = 1 << 22;

/** One pattern at one size, in memory as a block has it: mapped, and compared through FFI. */
export class Bout implements Disposable {
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
    // all that writing and verifying a frame takes of one
    this.#block = {
      set: (data: Uint8Array, at: number) => bytes.set(data, at),
      equals: (data: Uint8Array, at: number, length: number = data.length) =>
        libc.equal(this.#mapping, at, data, length),
    } as unknown as Block;
    this.#source = new Uint8Array(size);
    this.#pattern.write(this.#source, 0);
  }

  /**
   * Write a frame and verify it.
   *
   * @param sequence Its number
   * @returns Whether it is what it should be
   */
  proof(sequence: number): boolean {
    const frame = { pattern: this.#pattern, sequence, size: this.#size, at: 0 };
    fillFrame(this.#block, frame);
    return holdsFrame(this.#block, frame);
  }

  /**
   * Copy as many bytes and compare them.
   *
   * @param _sequence Unused
   * @returns Whether they are equal
   */
  memory(_sequence: number): boolean {
    this.#bytes.set(this.#source);
    return libc.equal(this.#mapping, 0, this.#source, this.#size);
  }

  /**
   * Let both run by turns, in slices so short that another job of the machine seldom gets into one.
   *
   * @param slices How many of each
   * @returns The share that `proof` reached of the rate of `memory`, by the median slices, and its rate
   */
  ratio(slices: number): { ratio: number; bytesPerSecond: number } {
    const frames = Math.ceil(SLICE / this.#size);
    let sequence = 0;
    const time = (way: "proof" | "memory") => {
      const start = performance.now();
      for (let i = 0; i < frames; i++) {
        if (!this[way](sequence++)) throw new Error(`Expected frame ${sequence} to be equal`);
      }
      return performance.now() - start;
    };
    const times: { memory: number; proof: number }[] = [];
    for (let slice = 0; slice < slices; slice++) {
      times.push({ memory: time("memory"), proof: time("proof") });
    }
    const median = (way: "proof" | "memory") =>
      times.map((slice) => slice[way]).sort((a, b) => a - b)[slices >> 1] ?? NaN;
    return {
      ratio: median("memory") / median("proof"),
      bytesPerSecond: frames * this.#size / (median("proof") / 1000),
    };
  }

  /** Give the memory back. */
  [Symbol.dispose](): void {
    libc.munmap(this.#mapping);
  }
}
