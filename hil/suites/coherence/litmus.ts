// SPDX-License-Identifier: MIT
/**
 * The litmus tests: what CPU and device do to the same cache lines, and what each must see afterwards. A test
 * uses the same blocks in every round, with different data.
 *
 * @module
 */

import type { Block } from "../../../driver/block.ts";
import type { Direction } from "../../../driver/uapi.ts";
import type { LitmusName } from "./expected.ts";
import type { Content, LitmusRun, Setup } from "./litmus_run.ts";

/** A litmus test. */
export interface Litmus {
  /** The test in each direction. */
  readonly setups: Readonly<Partial<Record<Direction, Setup>>>;
  /** Whether frames have sizes around those of the caches, or only a few lines. */
  readonly around: boolean;
  /** Smallest number of cache lines of a frame. */
  readonly lines: number;
  /** Whether a control leaves the call out for the second half of each range only. */
  readonly half?: true;
}

/** The device must read what the CPU stored. */
const transmitVisibility: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, piece } = run;
  return (round) => {
    tx.set(piece(round, 0, size), 0);
    run.move(round, tx, rx, { offset: 0, length: size });
    return run.check(round, rx, 0, size, { piece });
  };
};

/** The device must have read the block when its completion comes: the CPU overwrites it at once. */
const transmitCompletion: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, piece, poison } = run;
  // differs from round to round, because an older one can be stale
  const overwritten: Content = (round, at, length) =>
    poison(round, at, length).map((byte) => byte ^ (round | 0x80));
  return (round) => {
    tx.set(piece(round, 0, size), 0);
    run.move(round, tx, rx, { offset: 0, length: size }, {
      sent: () => tx.set(overwritten(round, 0, size), 0),
    });
    return run.check(round, rx, 0, size, { piece, overwritten });
  };
};

/** The CPU must see what the device wrote, even if it has just read the same lines. */
const receiveVisibility: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, piece } = run;
  return (round) => {
    rx.copy(0, size); // brings every line into the cache
    tx.set(piece(round, 0, size), 0);
    run.move(round, tx, rx, { offset: 0, length: size });
    return run.check(round, rx, 0, size, { piece });
  };
};

/** An earlier store of the CPU must not be written back over what the device wrote. */
const dirtyLineEviction: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, piece, poison } = run;
  return (round) => {
    tx.set(piece(round, 0, size), 0);
    rx.set(poison(round, 0, size), 0);
    run.move(round, tx, rx, { offset: 0, length: size }, { behind: () => run.evict() });
    return run.check(round, rx, 0, size, { piece, stored: poison });
  };
};

/** Where two frames of one block meet: within a line, which is another one in each round. */
function border({ size, line, align }: LitmusRun, round: number): number {
  const within = align * (1 + round % (line / align - 1));
  return round % (Math.floor(size / line) - 1) * line + within;
}

/** Two frames share one line. The second one is stored after the first one was sent. */
const sharedLineOut: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, piece } = run;
  return (round) => {
    const middle = border(run, round);
    let bytes = 0;
    for (const [from, to] of [[0, middle], [middle, size]] as const) {
      tx.set(piece(round, from, to - from), from);
      run.move(round, tx, rx, { offset: from, length: to - from });
      bytes += run.check(round, rx, from, to - from, { piece });
    }
    return bytes;
  };
};

/** Two frames share one line. The CPU stores beside each of them before it arrives. */
const sharedLineIn: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, line, exact, piece, poison } = run;
  return (round) => {
    const middle = border(run, round);
    const edge = middle - middle % line;
    tx.set(piece(round, 0, size), 0);
    for (const [from, to] of [[0, middle], [middle, size]] as const) {
      // if the sync is not widened to lines, the CPU's own data in the frame's lines stay
      const before = exact ? from - from % line : from;
      const behind = exact ? Math.min(edge + line, size) : to;
      if (rx.writable) rx.set(poison(round, before, size - before), before);
      run.move(round, tx, rx, { offset: from, length: to - from }, {
        behind: () => run.evict(),
      });
      run.check(round, rx, before, from - before, { piece: poison });
      run.check(round, rx, from, to - from, { piece, stored: poison });
      run.check(round, rx, to, Math.max(0, behind - to), { piece: poison });
    }
    // the second frame must not change the first one
    run.check(round, rx, 0, exact ? edge : middle, { piece, stored: poison });
    return size;
  };
};

/** Parts of a block are sent one by one. Each part must be handed over, whatever was sent before. */
const partialSyncOut: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, line, piece } = run;
  return (round) => {
    const middle = (1 + round % (Math.floor(size / line) - 1)) * line;
    tx.set(piece(round, 0, size), 0);
    let bytes = 0;
    for (const [from, to] of [[middle, size], [0, middle]] as const) {
      run.move(round, tx, rx, { offset: from, length: to - from });
      bytes += run.check(round, rx, from, to - from, { piece });
    }
    return bytes;
  };
};

/** Short and long frames arrive in turn. Each must be handed over to its end. */
const partialSyncIn: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, line, align, piece } = run;
  const lengths = [size - 3, line, size, size / 2 + 5, 2 * line]
    .map((length) => Math.max(align, Math.floor(length / align) * align));
  return (round) => {
    const length = lengths[round % lengths.length] ?? size;
    tx.set(piece(round, 0, length), 0);
    run.move(round, tx, rx, { offset: 0, length, room: size });
    return run.check(round, rx, 0, length, { piece });
  };
};

/** Bytes of a word. */
const WORD = 8;

/** One word of each line changes in each round, to i and then to its complement, so every bit changes. */
const pingPong: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size, line } = run;
  const base = run.piece(0, 0, size).slice();
  // for the part of the block that begins at `from`
  const fill = (
    bytes: { set(word: Uint8Array, at: number): void },
    length: number,
    round: number,
    from: number,
  ): void => {
    const word = new Uint8Array(new Uint32Array(WORD / 4).fill(valueOf(round)).buffer);
    const last = Math.floor((from + length) / line);
    for (let i = Math.floor(from / line); i <= last; i++) {
      const at = i * line + (i * WORD) % line - from;
      if (at >= 0 && at + WORD <= length) bytes.set(word, at);
    }
  };
  const piece: Content = (round, at, length) => {
    const bytes = base.slice(at, at + length);
    fill(bytes, length, round, at);
    return bytes;
  };
  tx.set(base, 0);
  return (round) => {
    fill(tx, size, round, 0);
    run.move(round, tx, rx, { offset: 0, length: size });
    return run.check(round, rx, 0, size, { piece });
  };
};

function valueOf(round: number): number {
  return (round % 2 === 0 ? round / 2 : ~(round >> 1)) >>> 0;
}

/** The CPU reads and stores right beside memory while the device writes to that memory. */
const neighbourPrefetch: Setup = (run) => {
  const tx = run.sender();
  const { receiver, before, behind } = run.neighbours();
  const { size, line, piece, poison } = run;
  const sides: readonly [string, Block, number][] = [
    ["before", before, Math.ceil(size / line) * line - line],
    ["behind", behind, 0],
  ];
  return (round) => {
    receiver.copy(0, size);
    tx.set(piece(round, 0, size), 0);
    const mark = poison(round, 0, line).map((byte) => byte ^ round);
    run.move(round, tx, receiver, { offset: 0, length: size }, {
      before: () => {
        for (const [, block, at] of sides) {
          block.copyTo(new Uint8Array(block.size)); // up to the edge, in the order that a prefetcher follows
          if (block.writable) block.set(mark, at);
        }
      },
    });
    for (const [where, block, at] of sides) {
      if (block.writable && !block.equals(mark, at)) {
        run.recordChangedNeighbour(round, where, block);
      }
    }
    return run.check(round, receiver, 0, size, { piece });
  };
};

/** Number of words that a round stores. */
const SCATTERED = 24;

/** Single words, the last one stored right before ENQUEUE, must not stay in a write-combining buffer. */
const writeCombineDrain: Setup = (run) => {
  const [tx, rx] = [run.sender(), run.receiver()];
  const { size } = run;
  const now = run.piece(0, 0, size).slice();
  const before = now.slice();
  const piece: Content = (round, at, length) =>
    (round === current ? now : before).subarray(at, at + length);
  let current = 0;
  let state = 1;
  tx.set(now, 0);
  return (round) => {
    current = round;
    before.set(now);
    for (let i = 0; i < SCATTERED; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const at = Math.floor(state / 2 ** 32 * Math.floor(size / WORD)) * WORD;
      for (let k = at; k < at + WORD; k++) now[k] = (state >>> 8) + round + k;
      tx.set(now.subarray(at, at + WORD), at);
    }
    run.move(round, tx, rx, { offset: 0, length: size });
    return run.check(round, rx, 0, size, { piece });
  };
};

/** Lines that are stored through two mappings in turn must form one block. */
const twoMappingsOut: Setup = (run) => {
  const { sender, alias } = run.mappedSender();
  const rx = run.receiver();
  const { size, line, piece } = run;
  return (round) => {
    const bytes = piece(round, 0, size);
    for (let at = 0, other = round; at < size; at += line, other++) {
      (other % 2 === 0 ? sender : alias).set(bytes.subarray(at, at + line), at);
    }
    run.move(round, sender, rx, { offset: 0, length: size });
    return run.check(round, rx, 0, size, { piece });
  };
};

/** The CPU must see what the device wrote through both mappings. */
const twoMappingsIn: Setup = (run) => {
  const tx = run.sender();
  const { receiver, alias } = run.mappedReceiver();
  const { size, piece } = run;
  return (round) => {
    tx.set(piece(round, 0, size), 0);
    run.move(round, tx, receiver, { offset: 0, length: size });
    const seen = new Uint8Array(size);
    alias.copyTo(seen, 0);
    run.compare(round, seen, 0, { piece });
    return run.check(round, receiver, 0, size, { piece });
  };
};

/** The litmus tests by name. `expected.ts` says which sync calls each one needs. */
export const LITMUS: Readonly<Record<LitmusName, Litmus>> = {
  "transmit visibility": { setups: { tx: transmitVisibility }, around: true, lines: 0 },
  "transmit completion": { setups: { tx: transmitCompletion }, around: true, lines: 0 },
  "receive visibility": { setups: { rx: receiveVisibility }, around: true, lines: 0 },
  "dirty-line eviction": { setups: { rx: dirtyLineEviction }, around: true, lines: 0 },
  "shared line": { setups: { tx: sharedLineOut, rx: sharedLineIn }, around: false, lines: 2 },
  "partial sync": {
    setups: { tx: partialSyncOut, rx: partialSyncIn },
    around: false,
    lines: 2,
    half: true,
  },
  "ping-pong": { setups: { tx: pingPong, rx: pingPong }, around: true, lines: 1 },
  "neighbour prefetch": { setups: { rx: neighbourPrefetch }, around: false, lines: 1 },
  "write-combine drain": { setups: { tx: writeCombineDrain }, around: false, lines: 1 },
  "two mappings": { setups: { tx: twoMappingsOut, rx: twoMappingsIn }, around: false, lines: 1 },
};
