// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { equalBytes } from "../../driver/memory.ts";
import { expectedPattern } from "./computed.ts";
import { framesRepeat, PATTERN_NAMES, patternNamed, patterns, type PatternSpec } from "./mod.ts";

const LENGTH = 40_000;

Deno.test("patternNamed() finds every pattern by its name, and lists all names if it finds none", () => {
  for (const name of PATTERN_NAMES) {
    const spec = patternNamed(name);
    const pattern = spec.create({ seed: 1, maxLength: 64 });
    assertEquals([spec.name, pattern.name], [name, name]);
  }
  const error = assertThrows(() => patternNamed("taged"), RangeError);
  for (const name of PATTERN_NAMES) assert(error.message.includes(name), name);
});

/** The name of a pattern, its period, and how many of the frames of a size differ within it. */
function differing(spec: PatternSpec, size: number, most = Infinity): [string, number, number] {
  const pattern = spec.create({ seed: 3, maxLength: size });
  const frames = Math.min(pattern.period, most);
  const seen = new Set<string>();
  for (let sequence = 0; sequence < frames; sequence++) {
    seen.add(pattern.body(sequence, size).toHex());
  }
  if (pattern.period === frames) {
    assertEquals(pattern.body(frames, size).slice(), pattern.body(0, size).slice(), pattern.name);
  }
  return [pattern.name, frames, seen.size];
}

Deno.test("Pattern.body() repeats after the period and not before, and never contains poison", () => {
  for (const name of PATTERN_NAMES) {
    for (const size of name === "video" ? [63, 64, 4096] : [8, 9, 520, 4096]) {
      const [, frames, differ] = differing(patternNamed(name), size, 5000);
      assertEquals(differ, frames, `${name}, ${size} bytes`);
    }
    const pattern = patternNamed(name).create({ seed: 3, maxLength: LENGTH });
    const poison = pattern.poison(64, 4096);
    for (let at = 0; at < 4096; at += 8) {
      assertNotEquals(poison.subarray(at, at + 8), pattern.body(0, LENGTH).subarray(at, at + 8));
    }
  }
});

Deno.test("Pattern.body() of less than a word repeats as early as the README says", () => {
  const after = (name: string, size: number) => {
    const pattern = patternNamed(name).create({ seed: 3, maxLength: 64 });
    let distance = 1;
    while (!framesRepeat(pattern, size, distance)) distance++;
    return distance;
  };
  assertEquals(after("address", 1), 32);
  for (const name of ["tagged", "counter16", "counter32", "counter64"]) {
    assertEquals([after(name, 1), after(name, 2)], [256, 4093], name);
  }
  assertEquals(after("counter8", 1), 251);
  for (let size = 1; size < 8; size++) {
    assertEquals(differing(patterns.walkingOnes(), size), ["walking-ones", 61, 8 * size + 1]);
    assertEquals(after("video", size), 2 ** Math.ceil(size / 2));
  }
});

Deno.test("walkingOnes() and walkingZeros() of every width repeat after their period and not before", () => {
  for (let width = 8; width <= 1024; width += 8) {
    for (const spec of [patterns.walkingOnes({ width }), patterns.walkingZeros({ width })]) {
      const [name, frames, differ] = differing(spec, width / 8);
      assertEquals(differ, frames, `${name}, width ${width}`);
      assert(frames > width * 0.8, `${name}, width ${width}: ${frames} frames`);
    }
  }
});

Deno.test("framesRepeat() agrees with a comparison of whole frames, for every pattern and size", () => {
  for (const name of PATTERN_NAMES) {
    const pattern = patternNamed(name).create({ seed: 3, maxLength: 9000 });
    for (const size of [1, 2, 3, 7, 8, 9, 63, 64, 65, 520, 4096, 9000]) {
      const frame = (sequence: number) => {
        const bytes = new Uint8Array(size);
        pattern.write(bytes, sequence);
        return bytes.toHex();
      };
      for (const distance of [1, 2, 8, 32, 61, 127, 251, 256, 512, 4093, 65_536]) {
        let alike = true;
        for (let n = 0; n < 16 && alike; n++) alike = frame(n) === frame(n + distance);
        const text = `${name}, ${size} bytes, ${distance} frames later`;
        assertEquals(framesRepeat(pattern, size, distance), alike, text);
      }
    }
  }
  const pattern = patterns.tagged().create({ seed: 3, maxLength: 64 });
  assertEquals([1, 2, 64].map((size) => framesRepeat(pattern, size, 256)), [true, false, false]);
  // for frames that differ only at their end, the declared period decides
  const ends = expectedPattern(0, 5000, (n, size) => new Uint8Array(size).fill(n, size - 1));
  assertEquals(framesRepeat(ends, 5000, 3), false);
});

Deno.test("Pattern.write() writes body and stamp, and Pattern.body() throws for a frame that is too long", () => {
  for (const name of PATTERN_NAMES) {
    const pattern = patternNamed(name).create({ seed: 3, maxLength: 5000 });
    for (const length of [1, 7, 64, 5000]) {
      const expected = pattern.body(9, length).slice();
      const stamp = pattern.stamp(9, length);
      if (stamp !== null) new DataView(expected.buffer).setInt32(length - 4, stamp, true);
      const target = new Uint8Array(length);
      pattern.write(target, 9);
      assertEquals(target, expected, name);
    }
    assertThrows(() => pattern.body(0, 5001), RangeError, "5000", name);
    assertThrows(() => patternNamed(name).create({ seed: -1, maxLength: 8 }), RangeError, "seed");
    assertThrows(
      () => patternNamed(name).create({ seed: 1, maxLength: 0 }),
      RangeError,
      "maxLength",
    );
  }
});

Deno.test("PatternSpec.create() with another seed changes the frames of seeded patterns, and every poison", () => {
  for (const name of PATTERN_NAMES) {
    const [a, b] = [1, 2].map((seed) => patternNamed(name).create({ seed, maxLength: 4096 }));
    assert(a !== undefined && b !== undefined);
    const seeded = /^(tagged|prbs|random)/.test(name);
    assertEquals(a.body(0, 64).toString() !== b.body(0, 64).toString(), seeded, name);
    assertNotEquals(a.poison(0, 64), b.poison(0, 64));
  }
});

function words(bytes: Uint8Array, width: number): bigint[] {
  const size = width / 8;
  return Array.from(
    { length: bytes.length / size },
    (_, i) =>
      [...bytes.subarray(i * size, (i + 1) * size)].reduceRight((n, b) => n << 8n | BigInt(b), 0n),
  );
}

Deno.test("counter() counts from start by step, and wraps", () => {
  for (const width of [8, 16, 32, 64] as const) {
    const limit = 1n << BigInt(width);
    for (
      const [start, step] of [[0n, 1n], [limit - 3n, 5n], [7n, limit - 1n], [
        2n,
        limit / 2n,
      ]] as const
    ) {
      const pattern = patterns.counter({ width, start, step }).create({ seed: 0, maxLength: 800 });
      for (const sequence of [0, 1]) {
        const skipped = BigInt(65 * (sequence % pattern.period));
        assertEquals(
          words(pattern.body(sequence, 800), width),
          Array.from(
            { length: 6400 / width },
            (_, i) => (start + (skipped + BigInt(i)) * step) % limit,
          ),
          `width ${width}, start ${start}, step ${step}`,
        );
      }
    }
    assertThrows(() => patterns.counter({ width, start: limit }), RangeError, "start");
    assertThrows(() => patterns.counter({ width, step: 0n }), RangeError, "step");
  }
});

Deno.test("walkingOnes() and the other patterns of words have the words that their names promise", () => {
  const frame = (spec: ReturnType<typeof patterns.zeros>) =>
    spec.create({ seed: 0, maxLength: 4096 }).body(0, 4096);
  for (const width of [8, 64, 512]) {
    const all = (1n << BigInt(width)) - 1n;
    const [fives, tens] = [all / 3n, all / 3n * 2n];
    const ones = words(frame(patterns.walkingOnes({ width })), width);
    assertEquals(ones, ones.map((_, i) => 1n << BigInt(i % width)));
    const zeros = words(frame(patterns.walkingZeros({ width })), width);
    assertEquals(zeros, zeros.map((_, i) => all ^ (1n << BigInt(i % width))));
    const board = words(frame(patterns.checkerboard({ width })), width);
    assertEquals(board, board.map((_, i) => i % 2 === 0 ? fives : tens));
    const inverse = words(frame(patterns.checkerboardInverse({ width })), width);
    assertEquals(inverse, board.map((word) => all ^ word));
    const toggling = words(frame(patterns.switching({ width })), width);
    for (let i = 1; i < toggling.length; i++) {
      assertEquals((toggling[i] ?? 0n) ^ (toggling[i - 1] ?? 0n), all);
    }
  }
  assertEquals(words(frame(patterns.address()), 64).slice(0, 3), [0n, 8n, 16n]);
  assert(frame(patterns.zeros()).every((byte) => byte === 0));
  assert(frame(patterns.ones()).every((byte) => byte === 0xff));
  assertThrows(() => patterns.walkingOnes({ width: 12 }), RangeError, "multiple of 8");
});

Deno.test("expectFrom() finds counters and cycles at any phase, even if some bytes are wrong", () => {
  const named = PATTERN_NAMES.filter((name) =>
    /^(counter|walking|checker|switch|address)/.test(name)
  );
  for (const name of named) {
    for (const length of [64, 1001, 4096]) {
      const long = patternNamed(name).create({ seed: 0, maxLength: 9 * length + 3 });
      for (const phase of [0, 1, 2, 3]) {
        const stream = long.body(16, 9 * length + 3).slice(phase);
        const first = stream.slice(0, length);
        first[40] = (first[40] ?? 0) ^ 0x80;
        const found = patternNamed(name).expectFrom?.(first, { seed: 0, maxLength: length });
        // bit 8 in the second byte of a word may be bit 0 in the first byte of another word
        if (name.startsWith("walking") && length === 64 && phase > 0) continue;
        assert(found !== null && found !== undefined, `${name}, length ${length}, phase ${phase}`);
        for (const sequence of [0, 1, 7, 2]) {
          assertEquals(
            found.body(sequence, length),
            stream.slice(sequence * length, (sequence + 1) * length),
            `${name}, length ${length}, phase ${phase}, frame ${sequence}`,
          );
        }
      }
    }
  }
});

Deno.test("expectFrom() finds walking bits that begin inside a word, if the frame shows where", () => {
  for (const width of [8, 32, 64, 128, 256, 512]) {
    const [bytes, cycle] = [width / 8, width * width / 8];
    const more = cycle + 3 * bytes + 5;
    for (const make of [patterns.walkingOnes, patterns.walkingZeros]) {
      const spec = make({ width });
      const stream = spec.create({ seed: 0, maxLength: 4 * more }).body(0, 4 * more);
      for (const start of [1, 3, bytes - 1, bytes + 1, 9 * bytes + 5, cycle - 3]) {
        const expected = (sequence: number) =>
          stream.subarray(start + sequence * more, start + (sequence + 1) * more);
        for (const wrong of [[], [0], [bytes, 6 * bytes + 1]]) {
          const first = expected(0).slice();
          for (const at of wrong) first[at] = (first[at] ?? 0) ^ 0x10;
          const found = spec.expectFrom?.(first, { seed: 0, maxLength: more });
          const text = `${spec.name}, width ${width}, start ${start}, wrong ${wrong}`;
          assert(found !== null && found !== undefined, text);
          for (const sequence of [0, 2]) {
            assert(equalBytes(found.body(sequence, more), expected(sequence)), text);
          }
        }
      }
    }
  }
  // a shorter frame may fit in several places; the one that is found must fit it
  const spec = patterns.walkingOnes();
  const stream = spec.create({ seed: 0, maxLength: 2048 }).body(0, 2048);
  for (const length of [64, 100, 300]) {
    for (let start = 0; start < 512; start++) {
      const first = stream.subarray(start, start + length);
      const found = spec.expectFrom?.(first, { seed: 0, maxLength: length }) ?? null;
      if (start % 8 === 0) assert(found !== null, `${length} bytes, start ${start}`);
      if (found !== null) assertEquals(found.body(0, length), first);
    }
  }
});

Deno.test("narrow() finds with later frames where walking bits began, and no frame that is wrong changes it", () => {
  for (const make of [patterns.walkingOnes, patterns.walkingZeros]) {
    for (const [width, length] of [[32, 16], [64, 16], [64, 64], [64, 100], [64, 300]] as const) {
      const spec = make({ width });
      const cycle = width * width / 8;
      const stream = spec.create({ seed: 0, maxLength: 80 * length + cycle }).body(
        0,
        80 * length + cycle,
      );
      for (let start = 0; start < cycle; start++) {
        const frame = (sequence: number) =>
          stream.subarray(start + sequence * length, start + (sequence + 1) * length);
        const text = `${spec.name}, width ${width}, ${length} bytes, start ${start}`;
        let found = spec.expectFrom?.(frame(0), { seed: 0, maxLength: length, frames: 80 }) ?? null;
        for (let sequence = 0; sequence < 80; sequence++) {
          assert(found !== null, text);
          const wrong = frame(sequence).slice();
          wrong[length >> 1] = (wrong[length >> 1] ?? 0) ^ 0xff;
          assert(found.narrow?.(sequence, wrong) === found, text);
          const left = found.narrow?.(sequence, frame(sequence)) ?? found;
          assertEquals(left.body(sequence, length), frame(sequence), text);
          found = left;
        }
      }
    }
  }
});

Deno.test("expectFrom() returns a pattern that repeats after its period and not before", () => {
  for (const name of PATTERN_NAMES) {
    for (const length of [63, 64, 96, 1000, 4096]) {
      const first = patternNamed(name).create({ seed: 0, maxLength: length }).body(3, length);
      const found = patternNamed(name).expectFrom?.(first, { seed: 0, maxLength: length });
      if (found === undefined) continue;
      const text = `${name}, ${length} bytes`;
      assert(found !== null, text);
      for (let distance = 1; distance <= Math.min(found.period, 1500); distance++) {
        const alike = distance === found.period;
        assertEquals(framesRepeat(found, length, distance), alike, `${text}, ${distance}`);
      }
    }
  }
});

Deno.test("expectFrom() returns null for garbage, and for a frame that may match by chance", () => {
  const options = { seed: 0, maxLength: 4096 };
  const named = PATTERN_NAMES.flatMap((name) => {
    const { expectFrom } = patternNamed(name);
    return expectFrom === undefined ? [] : [{ name, expectFrom }];
  });
  const garbage = patterns.random().create({ seed: 9, maxLength: 4096 });
  const wide = patterns.walkingOnes({ width: 512 }).create(options).body(0, 4096).slice();
  for (const { name, expectFrom } of named) {
    assertEquals(expectFrom(garbage.body(0, 4096), options), null, name);
    // most of its bytes are zeros, but it has no word of the width of the patterns
    if (name !== "zeros") assertEquals(expectFrom(wide, options), null, name);
    for (let sequence = 0; sequence < 100; sequence++) {
      for (const length of [1, 2, 3, 5, 8, 12, 17, 24]) {
        const frame = garbage.body(sequence, length);
        assertEquals(expectFrom(frame, options), null, `${name}, ${length} bytes, ${sequence}`);
      }
    }
  }
  // so many words must agree that only one of 2^24 random frames does
  const least = (name: string) => {
    const spec = patternNamed(name);
    const first = spec.create(options).body(1, 4096);
    let length = 1;
    while ((spec.expectFrom?.(first.subarray(0, length), options) ?? null) === null) length++;
    return length;
  };
  assertEquals(
    ["counter8", "counter16", "counter32", "counter64", "zeros", "walking-ones"].map(least),
    [5, 6, 8, 16, 5, 16],
  );
  // each further frame counts as much
  const word = patterns.counter({ width: 64 }).create(options).body(1, 8);
  const found = patterns.counter({ width: 64 }).expectFrom?.(word, { ...options, frames: 2 });
  assertEquals(found?.body(0, 8), word);
});

Deno.test("video() paints eight bars, a ramp, a moving mark and a frame counter", () => {
  const [width, height] = [320, 64];
  const bytes = width * height * 3;
  const spec = patterns.video({ width, height, format: "rgb24" });
  const pattern = spec.create({ seed: 0, maxLength: 2 * bytes + 100 });
  const pixel = (
    frame: Uint8Array,
    x: number,
    y: number,
  ) => [...frame.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
  for (const sequence of [0, 1, 1000, 3]) {
    const frame = pattern.body(sequence, 2 * bytes + 100).slice();
    let number = 0;
    for (let bit = 31; bit >= 0; bit--) {
      number = number * 2 + (pixel(frame, bit, 5)[0] === 255 ? 1 : 0);
    }
    assertEquals(number, sequence);
    const x = (4 * sequence) % (width - 15) & ~1;
    const y = (2 * sequence) % (height - 15);
    assertEquals([pixel(frame, x, y + 15), pixel(frame, x + 15, y + 15)], [[255, 255, 255], [
      255,
      255,
      255,
    ]]);
    assertEquals(frame.subarray(bytes, 2 * bytes), frame.subarray(0, bytes), "the second picture");
    assertEquals(frame.subarray(2 * bytes), frame.subarray(0, 100));
    // a jump to another frame paints the same as a fresh pattern
    assertEquals(
      spec.create({ seed: 0, maxLength: bytes }).body(sequence, bytes),
      frame.subarray(0, bytes),
    );
  }
  assertEquals(pixel(pattern.body(0, bytes), 45, 20), [255, 255, 0], "yellow");
  assertEquals(pixel(pattern.body(0, bytes), 319, 20), [0, 0, 0], "black");
  assertEquals(pixel(pattern.body(0, bytes), 160, 63), [128, 128, 128], "the middle of the ramp");
});

Deno.test("video() writes each pixel format, and throws for a size out of range", () => {
  const first = (format: "xrgb8888" | "yuyv", x: number) => {
    const size = format === "yuyv" ? 2 : 4;
    const line = patterns.video({ width: 320, height: 16, format }).create({
      seed: 0,
      maxLength: 320 * 16 * 4,
    })
      .body(0, 320 * 16 * size);
    return [...line.subarray((10 * 320 + x) * size, (10 * 320 + x) * size + 4)];
  };
  assertEquals(first("xrgb8888", 200), [0, 0, 255, 0], "red");
  assertEquals(first("yuyv", 20), [235, 128, 235, 128], "white");
  assertEquals(first("yuyv", 200), [81, 90, 81, 240], "red");
  assertThrows(() => patterns.video({ width: 31 }), RangeError, "width");
  assertThrows(() => patterns.video({ height: 0 }), RangeError, "height");
});
