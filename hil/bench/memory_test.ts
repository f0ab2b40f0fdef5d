// SPDX-License-Identifier: MIT
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import type { CaseContext } from "../case/context.ts";
import { prove } from "./case.ts";
import { ifItFits, whatFits } from "./memory.ts";

const ENOMEM = new ErrnoError("ioctl", ERRNO.ENOMEM);

Deno.test("whatFits() halves the number until it fits, down to one", () => {
  const tried: number[] = [];
  const fits = (most: number, room: number) => {
    tried.length = 0;
    return whatFits(most, (count) => {
      tried.push(count);
      if (count > room) throw ENOMEM;
      return count;
    });
  };
  assertEquals([fits(40, 10), tried.join()], [10, "40,20,10"]);
  assertEquals([fits(7, 7), tried.join()], [7, "7"]);
  assertThrows(() => fits(5, 0), ErrnoError, "ENOMEM");
  assertEquals(tried, [5, 2, 1]);
  const other = new ErrnoError("ioctl", ERRNO.EINVAL);
  assertThrows(
    () =>
      whatFits(8, () => {
        throw other;
      }),
    ErrnoError,
    "EINVAL",
  );
});

function context(over: Partial<CaseContext>): CaseContext {
  const skip = (reason: string): never => {
    throw new Error(`skipped: ${reason}`);
  };
  return { size: 1 << 20, depth: 8, policy: "coherent", skip, ...over } as CaseContext;
}

Deno.test("ifItFits() skips for ENOMEM only", async () => {
  const run = (error: Error) =>
    ifItFits(() => {
      throw error;
    })(context({}));
  await assertRejects(
    async () => await run(ENOMEM),
    Error,
    "skipped: not even one block of 1048576 bytes fits: ioctl failed: ENOMEM",
  );
  const other = new ErrnoError("ioctl", ERRNO.EIO);
  await assertRejects(async () => await run(other), ErrnoError, "EIO");
});

Deno.test("prove() uses small frames if memory is short", async () => {
  const sizes: (number | undefined)[] = [];
  const device = { info: { pageSize: 4096 } } as CaseContext["device"];
  const report = {
    ...{ asked: 4, frames: 4, bytes: 4, faults: [], timeout: null, seconds: 1 },
    seen: { tx: null, rx: null },
  };
  const run = (options: { size?: number } = {}) => {
    sizes.push(options.size);
    if (options.size !== 4096) throw ENOMEM;
    return Promise.resolve(report);
  };
  await prove(context({ device, loop: { run } }));
  assertEquals(sizes, [1 << 20, 4096]);
});
