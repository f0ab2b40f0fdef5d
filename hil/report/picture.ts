// SPDX-License-Identifier: MIT
/**
 * A picture of a damaged frame: the whole frame as a strip with its pages, and the first damaged cache
 * lines, word by word and bit by bit.
 *
 * Each column is a word of 64 bits with the least significant bit at the bottom. So a stuck bit is a
 * horizontal line, a wrong byte lane a band of eight bits, and a stale cache line a block.
 *
 * @module
 */
import type { Fault } from "../verify/fault.ts";
import { Html, html } from "./html.ts";
import { plural } from "../text/format.ts";
import { sizeText } from "./text.ts";

/** Facts about the frame. */
export interface FrameFacts {
  /** The size of the frame in bytes, or null if unknown. */
  readonly size: number | null;
  /** The size of a cache line in bytes. */
  readonly line: number;
}

const PAGE = 4096;
const WORD = 8;
const BITS = 64;
/** The width of the pictures, the height of a bit, and the height of the strip, in units of the SVG. */
const WIDTH = 640;
const BIT = 3;
const STRIP = 26;
/** The greatest number of cache lines that are drawn. */
const MOST_LINES = 8;
/** The greatest number of page marks that can be distinguished. */
const MOST_PAGES = 160;

/**
 * Draws the faults of one frame.
 *
 * @param faults The faults, all of the same frame
 * @param facts Facts about the frame
 * @returns Both pictures with captions, or null if the faults have no place in the frame
 */
export function drawFrame(faults: readonly Fault[], facts: FrameFacts): Html | null {
  const placed = faults.filter(({ offset, length }) =>
    Number.isSafeInteger(offset) && Number.isSafeInteger(offset + length) && length > 0
  );
  const [first] = placed;
  if (first === undefined) return null;
  const line = facts.line >= WORD && facts.line <= PAGE && facts.line % WORD === 0
    ? facts.line
    : 64;
  const base = placed.find(({ damage }) => damage !== undefined)?.damage?.base ?? line;
  return html`<figure class="damage">${drawStrip(placed, facts.size, base)}${
    drawLines(placed, line, base)
  }</figure>`;
}

/** Draws the whole frame with its pages and faults. */
function drawStrip(faults: readonly Fault[], size: number | null, base: number): Html {
  const from = faults.reduce((low, { offset }) => Math.min(low, offset), 0);
  const last = faults.reduce((high, { offset, length }) => Math.max(high, offset + length), 1);
  const to = Math.max(last, size ?? 0);
  const scale = WIDTH / (to - from);
  const x = (at: number): string => ((at - from) * scale).toFixed(2);
  const firstPage = Math.ceil((base + from + 1) / PAGE) * PAGE - base;
  const count = Math.max(0, Math.ceil((to - firstPage) / PAGE));
  const pages = count > MOST_PAGES
    ? ""
    : Array.from({ length: count }, (_, i) => `M${x(firstPage + i * PAGE)},0V${STRIP}`).join("");
  const wrong = faults.map(({ offset, length }) =>
    html`
      <rect x="${x(offset)}" width="${Math.max(2, length * scale).toFixed(
        2,
      )}" y="3" height="${STRIP - 6}" />
    `
  );
  const marks = count === 0
    ? ""
    : count > MOST_PAGES
    ? `${count} pages, not drawn`
    : "a mark for each page";
  const end = size === null ? "end of the last fault" : sizeText(to);
  const width = (Math.max(1, size ?? to) * scale).toFixed(2);
  return html`
    <svg class="strip" role="img" viewBox="0 0 ${WIDTH} ${STRIP}" preserveAspectRatio="none"
      aria-label="The damaged places of the frame, from its start to its end">
      <rect class="frame" x="${x(0)}" width="${width}" height="${STRIP}" />
      <path class="page" d="${pages}" />
      <g class="wrong">${wrong}</g>
    </svg>
    <div
      class="ends"><span>${byteText(from)}</span><span>${marks}</span><span>${end}</span></div>
  `;
}

/** Draws the bits of the first damaged cache lines. */
function drawLines(faults: readonly Fault[], line: number, base: number): Html {
  const first = faults.reduce((low, { offset }) => Math.min(low, offset), Infinity);
  const last = faults.reduce((high, { offset, length }) => Math.max(high, offset + length), 0);
  // positions count from the start of the block, where cache lines and pages begin;
  // one more line on each side shows undamaged data
  const start = Math.max(0, Math.floor((base + first) / line) - 1) * line;
  const lines = Math.min(MOST_LINES, Math.ceil((base + last - start) / line) + 1);
  const words = lines * line / WORD;
  const column = WIDTH / words;
  const height = BITS * BIT;
  const cell = { start, end: start + lines * line, column };

  // the wrong bits are known from the start of a fault to the end of the recorded damage
  const split = faults.map(({ offset, length, damage }) => ({
    from: base + offset,
    known: damage === undefined ? base + offset : base + damage.offset + damage.xor.length / 2,
    to: base + offset + length,
  }));
  const extents = split.flatMap(({ from, known, to }) =>
    bytesPath(from, Math.min(known, to), cell)
  );
  const unknown = split.flatMap(({ from, known, to }) =>
    bytesPath(Math.max(from, known), to, cell)
  );
  const bits = faults.flatMap(({ damage }) =>
    damage === undefined ? [] : bitsPath(damage.xor, base + damage.offset, cell)
  );
  const lineMarks = Array.from({ length: lines + 1 }, (_, i) => {
    const at = start + i * line;
    const kind = at % PAGE === 0 ? "page" : "line";
    return html`
      <path class="${kind}" d="M${(i * line / WORD * column).toFixed(2)},0V${height}" />
    `;
  });
  const lanes = Array.from({ length: 7 }, (_, i) => `M0,${(i + 1) * 8 * BIT}H${WIDTH}`).join("");
  const paths = [
    ["extent", extents],
    ["extent unknown", unknown],
    ["wrong", bits],
    ["lane", [lanes]],
  ] as const;
  const drawn = paths.map(([name, d]) =>
    html`
      <path class="${name}" d="${d.join("")}" />
    `
  );
  const caption = [
    extents.length === 0 ? null : "Dark: wrong bits. Light: the extent of a fault.",
    unknown.length === 0 ? null : "Outlined: the wrong bits were not recorded.",
    hasPage(start, lines * line) ? "Thick line: the start of a page." : null,
  ].filter((sentence) => sentence !== null).join(" ");
  const [left, right] = [start - base, start - base + lines * line - 1];
  const middle = `${plural(lines, "cache line")} of ${line} bytes`;
  return html`
    <div class="bitmap">
      <div class="scale"><span>bit 63</span><span>32</span><span>0</span></div>
      <svg class="bits" role="img" viewBox="0 0 ${WIDTH} ${height}" preserveAspectRatio="none"
        aria-label="Bits of the damaged words">
        <rect class="frame" width="${WIDTH}" height="${height}"/>${drawn}${lineMarks}
      </svg>
    </div>
    <div class="ends">
      <span>${byteText(left)}</span><span>${middle}</span><span>byte ${right}</span>
    </div>
    <figcaption>${caption}</figcaption>
  `;
}

/** Names a position. Before a frame is its guard zone. */
function byteText(at: number): string {
  return at < 0 ? `${plural(-at, "byte")} before the frame` : `byte ${at}`;
}

function hasPage(start: number, length: number): boolean {
  return Math.ceil(start / PAGE) * PAGE <= start + length;
}

interface Cells {
  readonly start: number;
  readonly end: number;
  readonly column: number;
}

/** Draws whole bytes, at positions within the block. */
function bytesPath(from: number, to: number, cells: Cells): string[] {
  const paths: string[] = [];
  const [begin, end] = [Math.max(from, cells.start), Math.min(to, cells.end)];
  for (let at = begin; at < end;) {
    const word = Math.floor(at / WORD) * WORD;
    const behind = Math.min(end, word + WORD);
    paths.push(rect(word, (at - word) * 8, (behind - word) * 8, cells));
    at = behind;
  }
  return paths;
}

/** Draws bits. Neighbouring bits of a word are one piece. */
function bitsPath(xor: string, from: number, cells: Cells): string[] {
  const paths: string[] = [];
  for (let i = 0; i < xor.length / 2; i++) {
    const at = from + i;
    if (at < cells.start || at >= cells.end) continue;
    const byte = Number.parseInt(xor.slice(2 * i, 2 * i + 2), 16);
    const lane = (at % WORD) * 8;
    for (let bit = 0; bit < 8;) {
      if ((byte >> bit & 1) === 0) {
        bit++;
        continue;
      }
      let behind = bit + 1;
      while (behind < 8 && (byte >> behind & 1) === 1) behind++;
      paths.push(rect(at - at % WORD, lane + bit, lane + behind, cells));
      bit = behind;
    }
  }
  return paths;
}

function rect(word: number, low: number, high: number, { start, column }: Cells): string {
  const x = ((word - start) / WORD * column).toFixed(2);
  return `M${x},${(BITS - high) * BIT}h${column.toFixed(2)}v${(high - low) * BIT}h-${
    column.toFixed(2)
  }z`;
}
