// SPDX-License-Identifier: MIT
// Checked with node:assert itself: an assertion that never throws would otherwise pass its own test.
import nodeAssert from "node:assert";
import * as std from "@std/assert";

/** One row: an assertion that must hold and the same assertion on values that must fail. */
const rows: Record<string, { holds: () => void; fails: () => void }> = {
  assert: { holds: () => std.assert(1), fails: () => std.assert(0) },
  assertFalse: { holds: () => std.assertFalse(0), fails: () => std.assertFalse(1) },
  "assertEquals on objects": {
    holds: () => std.assertEquals({ a: [1, new Map([[1, 2n]])] }, { a: [1, new Map([[1, 2n]])] }),
    fails: () => std.assertEquals({ a: [1] }, { a: [2] }),
  },
  "assertEquals on bytes": {
    holds: () => std.assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 2])),
    fails: () => std.assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 3])),
  },
  "assertEquals on types": {
    holds: () => std.assertEquals<unknown>(NaN, NaN),
    fails: () => std.assertEquals<unknown>(1, "1"),
  },
  assertNotEquals: {
    holds: () => std.assertNotEquals({ a: 1 }, { a: 2 }),
    fails: () => std.assertNotEquals({ a: 1 }, { a: 1 }),
  },
  assertStrictEquals: {
    holds: () => std.assertStrictEquals(1, 1),
    fails: () => std.assertStrictEquals({}, {}),
  },
  assertNotStrictEquals: {
    holds: () => std.assertNotStrictEquals({}, {}),
    fails: () => std.assertNotStrictEquals(1, 1),
  },
  assertExists: { holds: () => std.assertExists(0), fails: () => std.assertExists(null) },
  assertAlmostEquals: {
    holds: () => std.assertAlmostEquals(0.1 + 0.2, 0.3),
    fails: () => std.assertAlmostEquals(1, 1.1, 0.01),
  },
  "assertAlmostEquals on NaN": {
    holds: () => std.assertAlmostEquals(NaN, NaN),
    fails: () => std.assertAlmostEquals(NaN, 1),
  },
  assertGreater: { holds: () => std.assertGreater(2, 1), fails: () => std.assertGreater(1, 1) },
  assertGreaterOrEqual: {
    holds: () => std.assertGreaterOrEqual(1, 1),
    fails: () => std.assertGreaterOrEqual(0, 1),
  },
  assertLess: { holds: () => std.assertLess(1, 2), fails: () => std.assertLess(1, 1) },
  assertLessOrEqual: {
    holds: () => std.assertLessOrEqual(1, 1),
    fails: () => std.assertLessOrEqual(2, 1),
  },
  assertInstanceOf: {
    holds: () => std.assertInstanceOf(new TypeError(), Error),
    fails: () => std.assertInstanceOf(new Error(), TypeError),
  },
  assertStringIncludes: {
    holds: () => std.assertStringIncludes("block 3", "3"),
    fails: () => std.assertStringIncludes("block 3", "4"),
  },
  assertMatch: {
    holds: () => std.assertMatch("block 3", /\d/),
    fails: () => std.assertMatch("block", /\d/),
  },
  assertNotMatch: {
    holds: () => std.assertNotMatch("block", /\d/),
    fails: () => std.assertNotMatch("block 3", /\d/),
  },
  assertArrayIncludes: {
    holds: () => std.assertArrayIncludes([1, { a: 2 }], [{ a: 2 }]),
    fails: () => std.assertArrayIncludes([1], [2]),
  },
  "assertThrows without a class": {
    holds: () => void std.assertThrows(() => nodeAssert.fail()),
    fails: () => void std.assertThrows(() => 1),
  },
  "assertThrows by class": {
    holds: () => void std.assertThrows(() => JSON.parse("{"), SyntaxError),
    fails: () => void std.assertThrows(() => JSON.parse("{"), TypeError),
  },
  "assertThrows by message": {
    holds: () => void std.assertThrows(() => std.fail("queued"), std.AssertionError, "queued"),
    fails: () => void std.assertThrows(() => std.fail("queued"), std.AssertionError, "done"),
  },
};

for (const [name, { holds, fails }] of Object.entries(rows)) {
  Deno.test(`${name} holds where it should and throws AssertionError where it should not`, () => {
    holds();
    nodeAssert.throws(fails, std.AssertionError);
  });
}

Deno.test("assertRejects() resolves to the error and rejects when there is none", async () => {
  const error = await std.assertRejects(() => Promise.reject(new RangeError("far")), RangeError);
  nodeAssert.equal(error.message, "far");
  await std.assertRejects(() => Promise.reject(1));
  await nodeAssert.rejects(() => std.assertRejects(() => Promise.resolve(1)), std.AssertionError);
  await nodeAssert.rejects(
    () => std.assertRejects(() => Promise.reject(new Error("x")), RangeError),
    std.AssertionError,
  );
  await nodeAssert.rejects(
    () => std.assertRejects(() => Promise.reject(new Error("x")), Error, "y"),
    std.AssertionError,
  );
  await nodeAssert.rejects(
    () => std.assertRejects(() => nodeAssert.fail("synchronous")),
    std.AssertionError,
  );
});

Deno.test("Messages carry the caller's note and the difference", () => {
  nodeAssert.throws(() => std.assertEquals([1], [2], "frame 17"), /1[^]*2[^]*frame 17/);
  nodeAssert.throws(() => std.assert(false, "not idle"), /not idle/);
});
