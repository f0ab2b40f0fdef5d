// SPDX-License-Identifier: MIT
/**
 * One scenario for every engine: frames of seeded sizes, and the cases in which engines differ. Each step ends with
 * one line that says what a caller sees, so two boards agree if their lines are equal.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { Block, EnqueueOptions } from "../../../../driver/block.ts";
import type { Device } from "../../../../driver/device.ts";
import type { WaitOptions } from "../../../../driver/device_options.ts";
import { ErrnoError } from "../../../../driver/errno.ts";
import { TransferError } from "../../../../driver/errors.ts";
import { UserMemory } from "../../../../driver/memory.ts";
import { Remote } from "../../../../driver/remote.ts";
import type { Direction, Quirk } from "../../../../driver/uapi.ts";

/** One step of the scenario. */
export interface Step {
  /** What is tried. */
  readonly kind: Kind;
  /** The kind, and its numbers. */
  readonly name: string;
  /** What the caller saw. */
  readonly outcome: string;
}

/** What a board did. */
export interface Run {
  /** Name of the engine's driver. */
  readonly engine: string;
  /** Quirks in force. */
  readonly quirks: readonly Quirk[];
  readonly steps: readonly Step[];
}

/** The kinds of steps. */
export type Kind =
  | "whole frame"
  | "short frame"
  | "part of a block"
  | "full queue"
  | "frame by frame"
  | "scattered transmit"
  | "scattered receive"
  | "many segments"
  | "long frame"
  | "transmit without receive"
  | "receive without transmit"
  | "reset of one direction"
  | "after it all"
  | "late writes";

/** The longest wait for what must come; long, because an emulated machine may be slow. */
const COMES_MS = 10_000;
/** The longest wait for what some engines lack. */
const SOON_MS = 4000;
/** The longest wait for what does not come. */
const NEVER = { timeoutMs: 1000 };
const PAGE = 4096;
/** Frames of seeded sizes. */
const FRAMES = 24;

/** A seeded generator of 32-bit numbers (xorshift32 of Marsaglia). */
function generator(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Moves frames, and remembers what each receive block must hold until the end. */
class Mover {
  readonly device: Device;
  readonly #next: () => number;
  readonly #comes: WaitOptions;
  readonly #kept: { readonly block: Block; readonly content: Uint8Array }[] = [];

  constructor(device: Device, next: () => number, comes: WaitOptions) {
    this.device = device;
    this.#next = next;
    this.#comes = comes;
  }

  data(length: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let i = 0; i < words.length; i++) words[i] = this.#next();
    return new Uint8Array(words.buffer, 0, length);
  }

  block(direction: Direction, size: number, policy: "coherent" | "streaming" = "coherent"): Block {
    const [block] = this.device.alloc({ direction, policy, size });
    assert(block !== undefined);
    return block;
  }

  /** What the completion of one direction says. */
  take(direction: Direction, wait = this.#comes): string {
    try {
      const { bytes } = this.device.dequeue(direction, wait);
      return `ok ${bytes}`;
    } catch (error) {
      if (error instanceof TransferError) {
        return `${error.completion.status} ${error.completion.bytes}`;
      }
      if (error instanceof ErrnoError) return error.code;
      throw error;
    }
  }

  /** Whether a block holds a frame and nothing else, now and at the end. */
  holds(block: Block, frame: Uint8Array, offset = 0): string {
    if (block.state !== "user") return block.state;
    const content = new Uint8Array(block.size);
    content.set(frame, offset);
    this.#kept.push({ block, content });
    return block.equals(content) ? "right" : "wrong";
  }

  /** Sends a frame; returns what the caller saw. */
  move(tx: Block, rx: Block, frame: Uint8Array, at: { tx?: number; rx?: number } = {}): string {
    const { tx: from = 0, rx: to = 0 } = at;
    rx.enqueue({ offset: to });
    tx.set(frame, from);
    tx.enqueue({ offset: from, length: frame.length });
    const sent = this.take("tx");
    const received = this.take("rx");
    return `tx ${sent}, rx ${received} ${this.holds(rx, frame, to)}`;
  }

  /** Takes all blocks back, with force if it must be; returns how RESET without force ended. */
  reset(direction?: Direction): string {
    try {
      const { returned } = this.device.reset(direction === undefined ? {} : { direction });
      return `reset returned ${returned}`;
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      this.device.reset({ force: true });
      return `reset ${error.code}`;
    }
  }

  /** How many receive blocks changed after they were given back. */
  changed(): number {
    return this.#kept.filter(({ block, content }) => !block.equals(content)).length;
  }
}

/** Memory of the program whose pages are no neighbours, as far as a program can cause that. */
function scattered(device: Device, pages: number): UserMemory {
  const memory = UserMemory.allocate(pages * PAGE, { syscalls: device.syscalls });
  // there is no view of another machine's memory, so its kernel touches the pages, in their order
  if (device.syscalls instanceof Remote) return memory;
  const bytes = memory.bytes();
  for (let i = 0; i < pages; i++) bytes[((i * 29) % pages) * PAGE] = 0;
  return memory;
}

/**
 * Runs the scenario.
 *
 * @param device A device with a loopback design or a memory loop, and nothing in flight
 * @param seed Chooses sizes and contents
 * @param multiple Lengths are multiples of this number of bytes. Defaults to 1
 * @param patience How many times longer to wait for what must come than for other engines. Defaults to 1
 * @returns What the board did. The same seed and multiple give the same names of steps on every board
 */
export function runScenario(device: Device, seed: number, multiple = 1, patience = 1): Run {
  const next = generator(seed);
  const mover = new Mover(device, next, { timeoutMs: COMES_MS * patience });
  const soon = { timeoutMs: SOON_MS * patience };
  const steps: Step[] = [];
  const step = (kind: Kind, detail: string, action: () => string) => {
    let outcome: string;
    try {
      outcome = action();
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      outcome = `${error.syscall.replace(/^.*_/, "")} ${error.code}`;
      // what a refused step left with the engine must not reach the next one
      mover.reset();
    }
    steps.push({ kind, name: `${kind} ${detail}`.trim(), outcome });
  };

  const below = (n: number) => next() % n;
  const whole = (n: number) => Math.ceil(n / multiple) * multiple;
  const sizes = [
    () => 1 + below(64),
    () => PAGE - 2 + below(5),
    () => 1 + below(4 * PAGE),
    () => 50_000 + below(50_000),
  ];
  for (let i = 0; i < FRAMES; i++) {
    const size = whole(sizes[i % sizes.length]?.() ?? 1);
    const policy = below(2) === 0 ? "coherent" : "streaming";
    const short = below(2) === 0;
    const room = short ? size + whole(1 + below(150_000)) : size;
    const frame = mover.data(size);
    step(short ? "short frame" : "whole frame", `${i}: ${policy}, ${size} of ${room}`, () => {
      const tx = mover.block("tx", size, policy);
      return mover.move(tx, mover.block("rx", room, policy), frame);
    });
  }
  for (const [tx, rx] of [[256, 0], [0, 256], [768, 512]] as const) {
    const frame = mover.data(1000);
    step(
      "part of a block",
      `from ${tx} to ${rx}`,
      () =>
        mover.move(mover.block("tx", 1000 + tx), mover.block("rx", 1000 + rx), frame, { tx, rx }),
    );
  }

  const frames = Array.from({ length: 6 }, () => mover.data(whole(1 + below(9000))));
  step("full queue", frames.map(({ length }) => length).join(" "), () => {
    const rx = frames.map(() => mover.block("rx", 9000));
    for (const block of rx) block.enqueue();
    for (const frame of frames) {
      const tx = mover.block("tx", frame.length);
      tx.set(frame);
      tx.enqueue();
    }
    return frames.map((frame, i) => {
      const block = rx[i];
      assert(block !== undefined);
      const came = `tx ${mover.take("tx")}, rx ${mover.take("rx")}`;
      return `${came} ${mover.holds(block, frame)}`;
    }).join("; ");
  });

  const singles = Array.from({ length: 4 }, () => mover.data(whole(1 + below(9000))));
  step("frame by frame", singles.map(({ length }) => length).join(" "), () => {
    const rx = singles.map(() => mover.block("rx", 9000));
    for (const block of rx) block.enqueue();
    const came = singles.map((frame, i) => {
      const tx = mover.block("tx", frame.length);
      tx.set(frame);
      tx.enqueue();
      const block = rx[i];
      assert(block !== undefined);
      const came = `tx ${mover.take("tx")}, rx ${mover.take("rx", soon)}`;
      return `${came} ${mover.holds(block, frame)}`;
    });
    // nothing is left if each frame came in its turn
    return `${came.join("; ")}, ${mover.reset()}`;
  });

  for (const direction of ["tx", "rx"] as const) {
    const pages = 12;
    const frame = mover.data(pages * PAGE);
    const kind = direction === "tx" ? "scattered transmit" : "scattered receive";
    step(kind, `${pages} pages`, () => {
      using memory = scattered(device, pages);
      using block = device.register(memory, { direction, policy: "user-pages-registered" });
      const other = mover.block(direction === "tx" ? "rx" : "tx", frame.length);
      const [tx, rx] = direction === "tx" ? [block, other] : [other, block];
      rx.enqueue();
      tx.set(frame);
      tx.enqueue();
      const came = `tx ${mover.take("tx")}, rx ${mover.take("rx")}`;
      return `${came} ${rx.equals(frame) ? "right" : "wrong"}`;
    });
  }

  // more segments than the driver of AXI DMA has descriptors
  const pages = 300;
  const much = mover.data(pages * PAGE);
  step("many segments", `${pages} pages`, () => {
    using memory = scattered(device, pages);
    using tx = device.register(memory, { direction: "tx", policy: "user-pages-registered" });
    const rx = mover.block("rx", much.length);
    tx.set(much);
    tx.enqueue();
    rx.enqueue();
    return `tx ${mover.take("tx")}, rx ${mover.take("rx")} ${mover.holds(rx, much)}`;
  });

  /** Hands blocks to the engine, waits in vain where `never` says so, and resets. */
  const unfinished = (
    given: readonly (readonly [Block, EnqueueOptions])[],
    never: Direction | null,
    direction?: Direction,
  ): string => {
    for (const [block, options] of given) block.enqueue(options);
    const waited = never === null ? "" : `${never} ${mover.take(never, NEVER)}, `;
    return waited + mover.reset(direction);
  };
  const long = mover.data(5000);
  step("long frame", "5000 of 4096", () => {
    const tx = mover.block("tx", long.length);
    const rx = mover.block("rx", PAGE);
    rx.enqueue();
    tx.set(long);
    tx.enqueue();
    const received = mover.take("rx", NEVER);
    const sent = mover.take("tx", soon);
    const reset = mover.reset();
    const beginning = rx.equals(long.subarray(0, PAGE)) ? "right" : "wrong";
    return `tx ${sent}, rx ${received}, ${reset}, beginning ${beginning}`;
  });
  step(
    "transmit without receive",
    "100000",
    () => unfinished([[mover.block("tx", 100_000), {}]], "tx"),
  );
  step("receive without transmit", "4096", () => {
    const rx = mover.block("rx", PAGE);
    return `${unfinished([[rx, {}]], "rx")}, ${mover.holds(rx, new Uint8Array())}`;
  });
  step("reset of one direction", "rx", () => {
    const rx = mover.block("rx", PAGE);
    return `${unfinished([[rx, {}]], null, "rx")}, ${mover.holds(rx, new Uint8Array())}`;
  });
  const last = mover.data(20_000);
  step(
    "after it all",
    "20000",
    () => mover.move(mover.block("tx", last.length), mover.block("rx", last.length), last),
  );
  step("late writes", "", () => `${mover.changed()} blocks changed after they were given back`);

  const { rx } = device.info;
  assert(rx !== null);
  // a memory loop knows lengths by itself
  const quirks = rx.quirks.filter((quirk) => quirk !== "length" || !rx.exactLengths);
  return { engine: rx.engine, quirks, steps };
}
