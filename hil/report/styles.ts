// SPDX-License-Identifier: MIT
/**
 * The style of a series, the same in every chart and legend. Series differ in colour, dashes and shape,
 * because a reader may not be able to distinguish the colours.
 *
 * Colours are CSS variables (`style.css`), with one value for light and one for dark.
 *
 * @module
 */

/** The style of a series. */
export interface SeriesStyle {
  /** A CSS colour. */
  readonly color: string;
  /** The lengths of dashes and gaps; empty for a solid line. */
  readonly dash: readonly number[];
  /** The outline of its points: an SVG path within a square from −1 to 1. */
  readonly shape: string;
}

const SHAPES = {
  circle: "M0.8,0A0.8,0.8,0,1,1,-0.8,0A0.8,0.8,0,1,1,0.8,0Z",
  square: "M-0.7,-0.7H0.7V0.7H-0.7Z",
  diamond: "M0,-1L1,0L0,1L-1,0Z",
  up: "M0,-0.9L0.95,0.75H-0.95Z",
  down: "M0,0.9L0.95,-0.75H-0.95Z",
  right: "M0.9,0L-0.75,0.95V-0.95Z",
  left: "M-0.9,0L0.75,0.95V-0.95Z",
  plus: "M-0.3,-0.9H0.3V-0.3H0.9V0.3H0.3V0.9H-0.3V0.3H-0.9V-0.3H-0.3Z",
  bar: "M-0.9,-0.35H0.9V0.35H-0.9Z",
  star: "M0,-1L0.3,-0.3L1,0L0.3,0.3L0,1L-0.3,0.3L-1,0L-0.3,-0.3Z",
} as const;

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]] as const;

/** The styles of policies, sync calls and references. */
const KNOWN: Readonly<
  Record<string, readonly [color: number, dash: number, shape: keyof typeof SHAPES]>
> = {
  "coherent": [1, 0, "circle"],
  "write-combine": [2, 1, "square"],
  "streaming": [3, 0, "diamond"],
  "streaming-lazy": [4, 0, "up"],
  "noncoherent": [5, 1, "down"],
  "user-pages": [6, 2, "right"],
  "user-pages-registered": [7, 1, "left"],
  "manual": [8, 3, "plus"],
  "bounce": [9, 0, "bar"],
  "dma-buf": [6, 0, "square"],
  "none": [10, 2, "star"],
  "for_device tx": [3, 0, "up"],
  "for_cpu tx": [1, 2, "down"],
  "for_device rx": [4, 1, "diamond"],
  "for_cpu rx": [5, 0, "circle"],
  "memcpy": [9, 2, "bar"],
  "ordinary memory": [9, 2, "star"],
};

/**
 * Returns the style of a series.
 *
 * @param name The name of the series, such as a policy
 * @param index The position of the series, which decides the style of an unknown name
 * @returns The style
 */
export function styleOf(name: string, index: number): SeriesStyle {
  const shapes = Object.keys(SHAPES) as (keyof typeof SHAPES)[];
  const [color, dash, shape] = (Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined) ??
    [
      1 + index % 9,
      Math.floor(index / 9) % DASHES.length,
      shapes[index % shapes.length] ?? "circle",
    ];
  return { color: `var(--series-${color})`, dash: DASHES[dash] ?? [], shape: SHAPES[shape] };
}

/**
 * Sorts the names of series: policies in their usual order, then unknown names as they come.
 *
 * @param names The names
 * @returns The names, each once
 */
export function sortSeries(names: Iterable<string>): string[] {
  const order = Object.keys(KNOWN);
  const rank = (name: string): number => {
    const at = order.indexOf(name);
    return at < 0 ? order.length : at;
  };
  return [...new Set(names)].sort((a, b) => rank(a) - rank(b));
}

/** The styles of the series of a metric, in the order of its legend. */
export type Styles = ReadonlyMap<string, SeriesStyle>;

/**
 * Chooses the styles of the series of a metric, for all its charts and its legend.
 *
 * @param names The names of the series
 * @returns The styles
 */
export function stylesFor(names: Iterable<string>): Styles {
  const styles = new Map<string, SeriesStyle>();
  const taken = new Set<string>();
  let next = 0;
  for (const name of sortSeries(names)) {
    let style = styleOf(name, next++);
    // an unknown name must not take the colour of a known one
    for (let tries = 0; taken.has(style.color) && tries < 9; tries++) style = styleOf(name, next++);
    taken.add(style.color);
    styles.set(name, style);
  }
  return styles;
}
