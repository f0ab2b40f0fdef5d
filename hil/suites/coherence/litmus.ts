// SPDX-License-Identifier: MIT
/**
 * The litmus tests: what CPU and device do to the same lines of memory, and what either must see
 * then. Each uses the same blocks again and again, with other data each round.
 *
 * @module
 */

import type { Block } from "../../../driver/block.ts";
import type { Direction } from "../../../driver/uapi.ts";
import type { LitmusName } from "./expected.ts";
import type { Part, Piece, Stand } from "./stand.ts";

/** A litmus test. */
export interface Litmus {
  /** What is done, by direction. */
  readonly parts: Readonly<Partial<Record<Direction, Part>>>;
  /** Whether it is tried around the sizes of caches, and not only with a few lines. */
  readonly around: boolean;
  /** The least lines of a frame. */
  readonly lines: number;
  /** What a control leaves out: the call, or the call for the second half of each range. */
  readonly half?: true;
}

/** What the CPU stores the device must read. */
const transmitVisibility: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size, piece } = stand;
  return (round) => {
    tx.set(piece(round, 0, size), 0);
    stand.move(round, tx, rx, { offset: 0, length: size });
    return stand.check(round, rx, 0, size, { piece });
  };
};

/** What the device writes the CPU must see, also where it has just looked. */
const receiveVisibility: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size, piece } = stand;
  return (round) => {
    rx.copy(0, size); // every line is in the cache now
    tx.set(piece(round, 0, size), 0);
    stand.move(round, tx, rx, { offset: 0, length: size });
    return stand.check(round, rx, 0, size, { piece });
  };
};

/** What the CPU stored before must not be written back over what the device wrote. */
const dirtyLineEviction: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size, piece, poison } = stand;
  return (round) => {
    tx.set(piece(round, 0, size), 0);
    rx.set(poison(round, 0, size), 0);
    stand.move(round, tx, rx, { offset: 0, length: size }, { behind: () => stand.press() });
    return stand.check(round, rx, 0, size, { piece, stored: poison });
  };
};

/** Where two frames of one block meet: within a line, and another each round. */
function border({ size, line, align }: Stand, round: number): number {
  const within = align * (1 + round % (line / align - 1));
  return round % (Math.floor(size / line) - 1) * line + within;
}

/** One line belongs to two frames, of which the second is stored when the first has been sent. */
const sharedLineOut: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size, piece } = stand;
  return (round) => {
    const middle = border(stand, round);
    let bytes = 0;
    for (const [from, to] of [[0, middle], [middle, size]] as const) {
      tx.set(piece(round, from, to - from), from);
      stand.move(round, tx, rx, { offset: from, length: to - from });
      bytes += stand.check(round, rx, from, to - from, { piece });
    }
    return bytes;
  };
};

/** One line belongs to two frames; the CPU stores beside each before it comes. */
const sharedLineIn: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size, line, exact, piece, poison } = stand;
  return (round) => {
    const middle = border(stand, round);
    const edge = middle - middle % line;
    tx.set(piece(round, 0, size), 0);
    for (const [from, to] of [[0, middle], [middle, size]] as const) {
      // where nothing is widened, what the CPU has in the frame's lines stays
      const before = exact ? from - from % line : from;
      const behind = exact ? Math.min(edge + line, size) : to;
      if (rx.writable) rx.set(poison(round, before, size - before), before);
      stand.move(round, tx, rx, { offset: from, length: to - from }, {
        behind: () => stand.press(),
      });
      stand.check(round, rx, before, from - before, { piece: poison });
      stand.check(round, rx, from, to - from, { piece, stored: poison });
      stand.check(round, rx, to, Math.max(0, behind - to), { piece: poison });
    }
    // the second frame must have left the first one alone
    stand.check(round, rx, 0, exact ? edge : middle, { piece, stored: poison });
    return size;
  };
};

/** Parts of a block are sent one by one: each must be handed over, whatever was before. */
const partialSyncOut: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size, line, piece } = stand;
  return (round) => {
    const middle = (1 + round % (Math.floor(size / line) - 1)) * line;
    tx.set(piece(round, 0, size), 0);
    let bytes = 0;
    for (const [from, to] of [[middle, size], [0, middle]] as const) {
      stand.move(round, tx, rx, { offset: from, length: to - from });
      bytes += stand.check(round, rx, from, to - from, { piece });
    }
    return bytes;
  };
};

/** Short and long frames come in turn: each must be handed over to its end. */
const partialSyncIn: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size, line, align, piece } = stand;
  const lengths = [size - 3, line, size, size / 2 + 5, 2 * line]
    .map((length) => Math.max(align, Math.floor(length / align) * align));
  return (round) => {
    const length = lengths[round % lengths.length] ?? size;
    tx.set(piece(round, 0, length), 0);
    stand.move(round, tx, rx, { offset: 0, length, room: size });
    return stand.check(round, rx, 0, length, { piece });
  };
};

/** Bytes of a word. */
const WORD = 8;

/** One word of each line changes each round, to i and then to its complement: every bit of it. */
const pingPong: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size, line } = stand;
  const base = stand.piece(0, 0, size).slice();
  // of the part of the block that begins at `from`
  const fill = (bytes: Uint8Array, round: number, from: number): void => {
    const word = new Uint8Array(new Uint32Array(WORD / 4).fill(valueOf(round)).buffer);
    const last = Math.floor((from + bytes.length) / line);
    for (let i = Math.floor(from / line); i <= last; i++) {
      const at = i * line + (i * WORD) % line - from;
      if (at >= 0 && at + WORD <= bytes.length) bytes.set(word, at);
    }
  };
  const piece: Piece = (round, at, length) => {
    const bytes = base.slice(at, at + length);
    fill(bytes, round, at);
    return bytes;
  };
  tx.set(base, 0);
  return (round) => {
    fill(tx.bytes().subarray(0, size), round, 0);
    stand.move(round, tx, rx, { offset: 0, length: size });
    return stand.check(round, rx, 0, size, { piece });
  };
};

function valueOf(round: number): number {
  return (round % 2 === 0 ? round / 2 : ~(round >> 1)) >>> 0;
}

/** The CPU reads and stores right beside memory that the device writes meanwhile. */
const neighbourPrefetch: Part = (stand) => {
  const tx = stand.sender();
  const { receiver, before, behind } = stand.neighbours();
  const { size, line, piece, poison } = stand;
  const sides: readonly [string, Block, number][] = [
    ["before", before, Math.ceil(size / line) * line - line],
    ["behind", behind, 0],
  ];
  return (round) => {
    receiver.copy(0, size);
    tx.set(piece(round, 0, size), 0);
    const mark = poison(round, 0, line).map((byte) => byte ^ round);
    stand.move(round, tx, receiver, { offset: 0, length: size }, {
      before: () => {
        for (const [, block, at] of sides) {
          block.copyTo(new Uint8Array(block.size)); // up to the edge, in the order of a prefetcher
          if (block.writable) block.set(mark, at);
        }
      },
    });
    for (const [where, block, at] of sides) {
      if (block.writable && !block.equals(mark, at)) stand.trespass(round, where, block);
    }
    return stand.check(round, receiver, 0, size, { piece });
  };
};

/** Words that a round stores into a block of write-combining memory. */
const SCATTERED = 24;

/** Single words, all over and the last one right before ENQUEUE, are not left in a buffer. */
const writeCombineDrain: Part = (stand) => {
  const [tx, rx] = [stand.sender(), stand.receiver()];
  const { size } = stand;
  const now = stand.piece(0, 0, size).slice();
  const before = now.slice();
  const piece: Piece = (round, at, length) =>
    (round === current ? now : before).subarray(at, at + length);
  let current = 0;
  let state = 1;
  tx.set(now, 0);
  return (round) => {
    current = round;
    before.set(now);
    const bytes = tx.bytes();
    for (let i = 0; i < SCATTERED; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const at = Math.floor(state / 2 ** 32 * Math.floor(size / WORD)) * WORD;
      for (let k = at; k < at + WORD; k++) now[k] = bytes[k] = (state >>> 8) + round + k;
    }
    stand.move(round, tx, rx, { offset: 0, length: size });
    return stand.check(round, rx, 0, size, { piece });
  };
};

/** What is stored through two mappings, a line through each in turn, is one block. */
const twoMappingsOut: Part = (stand) => {
  const { sender, alias } = stand.mappedSender();
  const rx = stand.receiver();
  const { size, line, piece } = stand;
  return (round) => {
    const bytes = piece(round, 0, size);
    const own = sender.bytes();
    for (let at = 0, other = round; at < size; at += line, other++) {
      (other % 2 === 0 ? own : alias).set(bytes.subarray(at, at + line), at);
    }
    stand.move(round, sender, rx, { offset: 0, length: size });
    return stand.check(round, rx, 0, size, { piece });
  };
};

/** What the device writes is seen through both mappings. */
const twoMappingsIn: Part = (stand) => {
  const tx = stand.sender();
  const { receiver, alias } = stand.mappedReceiver();
  const { size, piece } = stand;
  return (round) => {
    tx.set(piece(round, 0, size), 0);
    stand.move(round, tx, receiver, { offset: 0, length: size });
    stand.compare(round, alias.slice(0, size), 0, { piece });
    return stand.check(round, receiver, 0, size, { piece });
  };
};

/** What each litmus test does; what it stands on is in `expected.ts`. */
export const LITMUS: Readonly<Record<LitmusName, Litmus>> = {
  "transmit visibility": { parts: { tx: transmitVisibility }, around: true, lines: 0 },
  "receive visibility": { parts: { rx: receiveVisibility }, around: true, lines: 0 },
  "dirty-line eviction": { parts: { rx: dirtyLineEviction }, around: true, lines: 0 },
  "shared line": { parts: { tx: sharedLineOut, rx: sharedLineIn }, around: false, lines: 2 },
  "partial sync": {
    parts: { tx: partialSyncOut, rx: partialSyncIn },
    around: false,
    lines: 2,
    half: true,
  },
  "ping-pong": { parts: { tx: pingPong, rx: pingPong }, around: true, lines: 1 },
  "neighbour prefetch": { parts: { rx: neighbourPrefetch }, around: false, lines: 1 },
  "write-combine drain": { parts: { tx: writeCombineDrain }, around: false, lines: 1 },
  "two mappings": { parts: { tx: twoMappingsOut, rx: twoMappingsIn }, around: false, lines: 1 },
};
