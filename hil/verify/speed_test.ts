// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { PATTERN_NAMES } from "../patterns/mod.ts";
import { Throughput } from "./testing/throughput.ts";

// verify_bench.ts measures more, but another job on the machine may disturb some of the rounds
for (const [size, least] of [[4096, 0.5], [1 << 20, 0.8]] as const) {
  Deno.test(`fillFrame() and holdsFrame() reach ${100 * least} % of the rate of memcpy and memcmp for every pattern, ${size} bytes`, () => {
    for (const name of PATTERN_NAMES) {
      using throughput = new Throughput(name, size);
      let best = 0;
      for (let round = 0; round < 10 && best < least; round++) {
        best = Math.max(best, throughput.measure(21).ratio);
      }
      assert(
        best >= least,
        `${name}: expected at least ${least} of the rate of memory, found ${best}`,
      );
    }
  });
}

/** Counts the bytes of memory, other than views, that typed arrays and buffers allocate while `run` runs. */
function allocated(run: () => void): number {
  let bytes = 0;
  const undo: (() => void)[] = [];
  const replace = (on: object, name: string, value: unknown) => {
    const before = Object.getOwnPropertyDescriptor(on, name);
    assert(before !== undefined, `Expected a property ${name}, found none`);
    Object.defineProperty(on, name, { ...before, value });
    undo.push(() => Object.defineProperty(on, name, before));
  };
  for (const kind of [ArrayBuffer, Uint8Array, Uint16Array, Uint32Array, BigUint64Array]) {
    const construct = (target: typeof kind, args: unknown[], as: typeof kind) => {
      const made = Reflect.construct(target, args, as);
      if (!(args[0] instanceof ArrayBuffer)) bytes += made.byteLength;
      return made;
    };
    replace(globalThis, kind.name, new Proxy(kind, { construct }));
  }
  const copying = [ArrayBuffer.prototype, Object.getPrototypeOf(Uint8Array.prototype)];
  for (const on of copying) {
    for (const name of ["slice", "map", "filter", "toReversed", "toSorted", "with"]) {
      const method = on[name];
      if (method === undefined) continue;
      replace(on, name, function (this: unknown, ...args: unknown[]) {
        const made = method.apply(this, args);
        bytes += made.byteLength;
        return made;
      });
    }
  }
  try {
    run();
  } finally {
    for (const back of undo) back();
  }
  return bytes;
}

Deno.test("fillFrame() and holdsFrame() allocate nothing but views", () => {
  assertEquals(allocated(() => new Uint8Array(new Uint8Array(1000).slice(1).buffer)), 1999);
  for (const name of PATTERN_NAMES) {
    using throughput = new Throughput(name, 1 << 16);
    throughput.frame(0);
    const bytes = allocated(() => {
      for (let sequence = 1; sequence < 100; sequence++) assert(throughput.frame(sequence));
    });
    assertEquals(bytes, 0, name);
  }
});
