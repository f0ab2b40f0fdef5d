// SPDX-License-Identifier: MIT

import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "./errno.ts";
import { describeShortage, type Shortage } from "./shortage.ts";
import { setUp } from "./testing/device.ts";

const MEMINFO = "MemAvailable:  500000 kB\nCmaTotal:  262144 kB\nCmaFree:  70000 kB\n";

const shortage = (some: Partial<Shortage> = {}): string =>
  describeShortage({
    info: { maxBlocks: 64, maxBytes: 1 << 28 },
    bytes: 96 << 20,
    count: 2,
    policy: "coherent",
    held: [],
    memoryInfo: MEMINFO,
    ...some,
  });

Deno.test("describeShortage() names the limit that is reached and the parameter that raises it", () => {
  assertEquals(
    shortage(),
    "the contiguous memory (CMA) has 70000 of 262144 KiB free: use smaller or fewer blocks, or boot with " +
      "a larger cma=",
  );
  assertEquals(
    shortage({ held: [200 << 20] }),
    "209715200 of the 268435456 bytes of the device are in use: free some, or load pldma.ko with a " +
      "larger max_bytes=",
  );
  assertEquals(
    shortage({ held: Array(63).fill(4096) }),
    "63 of the 64 blocks of the device are in use: free some",
  );
  assertEquals(
    shortage({ policy: "streaming" }),
    "500000 KiB of memory are available, perhaps in pieces: use smaller or fewer blocks, or a policy " +
      "without contiguous memory, such as user-pages",
  );
  assertEquals(
    shortage({ memoryInfo: null }),
    "use smaller or fewer blocks, or a policy without contiguous memory, such as user-pages",
  );
});

Deno.test("Device.alloc() says why there is no memory", () => {
  const { fake, device } = setUp();
  using _ = device;
  fake.fail("ALLOC", "ENOMEM");
  const alloc = () => device.alloc({ direction: "tx", policy: "coherent", size: 4096 });
  const error = assertThrows(alloc, ErrnoError, "policy coherent: 0 of the 0 blocks of the device");
  assertEquals(error.code, "ENOMEM");
});
