// SPDX-License-Identifier: MIT

/**
 * Which outcomes of a litmus program are allowed: an executable model of a CPU with write-back caches
 * and a device that does not snoop them.
 *
 * The model was written from these documents, and not from sim or the adversarial bus:
 *
 * - Arm Architecture Reference Manual for A-profile, DDI 0487, "General behavior of the caches"
 *   (section D7.5.1 of recent issues). A Normal Cacheable location can be allocated to a cache at any
 *   time. An entry might not remain in the cache, and might not remain dirty. An eviction can
 *   overwrite what another observer wrote only if the entry holds a location that was written in the
 *   shareability domain, so a clean line is never written back. Allocation does not make a value
 *   invisible to an observer that already saw it.
 * - The same manual, "A64 Cache maintenance instructions": DC CVAC writes a dirty line back to the
 *   point of coherency, DC IVAC discards the line, and may clean it first.
 * - Linux, arch/arm64/mm/dma-mapping.c: `for_device` cleans, whatever the direction. `for_cpu`
 *   invalidates, except for DMA_TO_DEVICE, where it does nothing. arch/arm/mm/dma-mapping.c differs in
 *   one cell: `for_device` with DMA_FROM_DEVICE invalidates.
 * - Linux, kernel/dma/swiotlb.c, for bounce buffers: `for_device` copies to the buffer for
 *   DMA_TO_DEVICE and DMA_BIDIRECTIONAL (5.17 also for DMA_FROM_DEVICE), `for_cpu` copies back for
 *   DMA_FROM_DEVICE and DMA_BIDIRECTIONAL.
 * - Linux, Documentation/core-api/dma-api.rst: sync calls are needed after the last store and before
 *   the first load, and a coherent device needs none.
 *
 * Caches act line by line, so the lines of a program have nothing in common, and the outcomes of a
 * program are every combination of the outcomes of its lines. The search over one line is exhaustive:
 * before and after each event, and inside a store, every sequence of fills, write-backs and evictions
 * is tried.
 *
 * A store of a whole line is not atomic. The first word makes the line dirty, and an eviction may write
 * the line back before the other words are stored, with what they held before. So the model speaks of
 * one word, and a line is judged word by word.
 *
 * @module
 */

import { type EventKind, LINE_NAMES, type LineDirection, type Program } from "./program.ts";

/**
 * What lies between the CPU and the device:
 *
 * - `arm64`: caches that are not snooped, with the sync calls of arch/arm64.
 * - `arm`: the same, with the sync calls of arch/arm.
 * - `bounce`: a bounce buffer of swiotlb.
 * - `coherent`: nothing. Every access is seen by everyone.
 */
export type Machine = "arm64" | "arm" | "bounce" | "coherent";

/** The machines, in the order in which reports name them. */
export const MACHINES: readonly Machine[] = ["arm64", "arm", "bounce", "coherent"];

/**
 * A line, or its word. With caches, `near` is the cached copy, or -1 if there is none, and `far` is
 * memory. With a bounce buffer, `near` is the memory of the CPU and `far` is the buffer.
 */
interface LineState {
  readonly far: number;
  readonly near: number;
  readonly dirty: boolean;
}

/** What an event can lead to: a state, and what was observed, or -1. */
type Step = readonly [LineState, number];

const NOTHING = -1;

function invalid(far: number): LineState {
  return { far, near: NOTHING, dirty: false };
}

/** What caches can do on their own: fill, write back, and evict a clean line. */
function spontaneous(state: LineState): LineState[] {
  if (state.near === NOTHING) return [{ far: state.far, near: state.far, dirty: false }];
  if (state.dirty) return [{ far: state.near, near: state.near, dirty: false }];
  return [invalid(state.far)];
}

function keyOf(state: LineState): number {
  return (state.far * 64 + state.near + 1) * 2 + (state.dirty ? 1 : 0);
}

/** Every state that caches can reach on their own, the given ones included. */
function drift(states: readonly LineState[]): LineState[] {
  const found = new Map(states.map((state) => [keyOf(state), state]));
  for (const state of found.values()) {
    for (const next of spontaneous(state)) {
      if (!found.has(keyOf(next))) found.set(keyOf(next), next);
    }
  }
  return [...found.values()];
}

function cleaned(state: LineState): LineState {
  return state.dirty ? { far: state.near, near: state.near, dirty: false } : state;
}

/** One event with caches that are not snooped. */
function cachedStep(
  state: LineState,
  kind: EventKind,
  direction: LineDirection,
  value: number,
  machine: Machine,
): Step[] {
  switch (kind) {
    case "S": {
      // another word of the line may be stored first, which makes the line dirty
      const held = state.near === NOTHING ? state.far : state.near;
      const begun = drift([{ far: state.far, near: held, dirty: true }]);
      const stored = [state, ...begun].map(({ far }) => ({ far, near: value, dirty: true }));
      return stored.map((next) => [next, NOTHING]);
    }
    case "L": {
      const held = state.near === NOTHING ? state.far : state.near;
      return [[{ far: state.far, near: held, dirty: state.dirty }, held]];
    }
    case "D": {
      const discards = machine === "arm" && direction === "rx";
      return [[discards ? invalid(state.far) : cleaned(state), NOTHING]];
    }
    case "U":
      return [[direction === "tx" ? state : invalid(state.far), NOTHING]];
    case "R":
      return [[state, state.far]];
    case "W":
      return [[{ far: value, near: state.near, dirty: state.dirty }, NOTHING]];
    case "C":
      return [[state, NOTHING]];
  }
}

/** One event with a bounce buffer. */
function bounceStep(
  { far, near }: LineState,
  kind: EventKind,
  direction: LineDirection,
  value: number,
): Step[] {
  const at = (nextFar: number, nextNear: number, seen = NOTHING): Step => [
    { far: nextFar, near: nextNear, dirty: false },
    seen,
  ];
  switch (kind) {
    case "S":
      return [at(far, value)];
    case "L":
      return [at(far, near, near)];
    case "D":
      // for rx, Linux 5.17 copies and other versions do not
      return direction === "rx" ? [at(far, near), at(near, near)] : [at(near, near)];
    case "U":
      return [direction === "tx" ? at(far, near) : at(far, far)];
    case "R":
      return [at(far, near, far)];
    case "W":
      return [at(value, near)];
    case "C":
      return [at(far, near)];
  }
}

/** One event without anything between the CPU and the device. */
function coherentStep({ far }: LineState, kind: EventKind, value: number): Step[] {
  const held = kind === "S" || kind === "W" ? value : far;
  return [[invalid(held), kind === "L" || kind === "R" ? far : NOTHING]];
}

/**
 * Returns every outcome of the events of one line.
 *
 * @param kinds The events of the line in order. Each `S` and each `W` gives the line the next value
 * from 1 on, and 0 is what it held before.
 * @param direction The direction of its mapping.
 * @param machine What lies between the CPU and the device.
 * @returns The outcomes, each the observed values of `L` and `R` in order, separated by commas.
 */
export function lineOutcomes(
  kinds: readonly EventKind[],
  direction: LineDirection,
  machine: Machine,
): Set<string> {
  const caches = machine === "arm64" || machine === "arm";
  const settle = caches ? drift : (states: readonly LineState[]) => [...states];
  let reached = new Map<string, LineState[]>([
    ["", settle([machine === "bounce" ? { far: 0, near: 0, dirty: false } : invalid(0)])],
  ]);
  let value = 0;
  for (const kind of kinds) {
    if (kind === "S" || kind === "W") value++;
    const next = new Map<string, LineState[]>();
    for (const [seen, states] of reached) {
      for (const state of states) {
        const steps = caches
          ? cachedStep(state, kind, direction, value, machine)
          : machine === "bounce"
          ? bounceStep(state, kind, direction, value)
          : coherentStep(state, kind, value);
        for (const [after, observed] of steps) {
          const key = observed === NOTHING
            ? seen
            : seen === ""
            ? `${observed}`
            : `${seen},${observed}`;
          next.set(key, [...next.get(key) ?? [], after]);
        }
      }
    }
    reached = new Map([...next].map(([seen, states]) => [seen, settle(states)]));
  }
  return new Set(reached.keys());
}

const known = new Map<string, ReadonlySet<string>>();

/**
 * Returns the allowed outcomes of one line of a program, on any of several machines.
 *
 * @param program The program.
 * @param line The line.
 * @param machines The machines. An outcome is allowed if one of them allows it.
 * @returns The outcomes of the line, see `lineOutcomes()`.
 */
export function allowedOf(
  program: Program,
  line: number,
  machines: readonly Machine[],
): ReadonlySet<string> {
  const kinds = program.events.filter((event) => event.line === line).map(({ kind }) => kind);
  const direction = program.lines[line] ?? "tx";
  const key = `${direction} ${kinds.join("")} ${machines.join()}`;
  let outcomes = known.get(key);
  if (outcomes === undefined) {
    outcomes = new Set(
      machines.flatMap((machine) => [...lineOutcomes(kinds, direction, machine)]),
    );
    known.set(key, outcomes);
  }
  return outcomes;
}

/**
 * Returns the allowed outcomes of a whole program as text.
 *
 * @param program The program.
 * @param machines The machines, see `allowedOf()`.
 * @returns For example `["x=0 y=1,1", "x=1 y=1,1"]`, sorted. A line that observes nothing has no entry.
 */
export function allowedOutcomes(program: Program, machines: readonly Machine[]): string[] {
  let all = [""];
  program.lines.forEach((_direction, line) => {
    const own = [...allowedOf(program, line, machines)].filter((outcome) => outcome !== "");
    if (own.length === 0) return;
    const name = LINE_NAMES[line];
    all = all.flatMap((head) => own.map((outcome) => `${head} ${name}=${outcome}`.trimStart()));
  });
  return all.toSorted();
}
