// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { runLoop } from "../../hil/frames/loop.ts";
import { patterns } from "../../hil/patterns/mod.ts";
import { Device } from "../device.ts";
import { ErrnoError } from "../errno.ts";
import { DyploSyscalls } from "./dyplo.ts";
import { runC } from "../testing/c_compiler.ts";
import { ALLOC_REQUEST, BLOCK, REQUEST } from "./dyplo_abi.ts";
import { checkDyplo } from "./dyplo_checks.ts";
import { type DyploBugs, FakeDyplo } from "./testing/fake_dyplo.ts";

const PATH = "/dev/dyplod0";

function open(fake: FakeDyplo, options = {}): Device {
  return Device.open({ path: PATH, syscalls: new DyploSyscalls(fake, options) });
}

/** Names of the checks that find something, with what they find. */
function problems(bugs: DyploBugs) {
  const fake = new FakeDyplo(bugs);
  const checks = checkDyplo(fake, PATH, {
    interrupt: () => fake.interrupt(),
    syncs: () => fake.syncs,
  });
  assertEquals(fake.openFiles, 0);
  assertEquals(checks.filter(({ skipped }) => skipped !== null), []);
  assertEquals(checks.length, 4);
  return checks.filter(({ problem }) => problem !== null)
    .map(({ name, problem }) => [name, problem]);
}

/** The structs, written from their description, and what a C compiler makes of them. */
const PROGRAM = `
#include <linux/ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
struct request { uint32_t size, count; };
struct block { uint32_t id, offset, size, bytes_used; uint16_t user_signal, state; };
int main(void)
{
	unsigned long all[] = {
		_IOWR('d', 0x20, struct request), _IO('d', 0x21), _IOWR('d', 0x22, struct block),
		_IOWR('d', 0x23, struct block), _IOWR('d', 0x24, struct block),
		offsetof(struct block, id), offsetof(struct block, offset), offsetof(struct block, size),
		offsetof(struct block, bytes_used), offsetof(struct block, user_signal),
		offsetof(struct block, state), sizeof(struct block),
		offsetof(struct request, size), offsetof(struct request, count), sizeof(struct request),
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		printf("%lu ", all[i]);
	return 0;
}
`;

Deno.test("REQUEST and BLOCK have the numbers that a C compiler computes", async () => {
  const printed = new TextDecoder().decode(await runC(PROGRAM)).trim().split(" ").map(Number);
  assertEquals(printed, [
    ...[REQUEST.ALLOC, REQUEST.FREE, REQUEST.QUERY, REQUEST.ENQUEUE, REQUEST.DEQUEUE],
    ...[...Object.values(BLOCK.at), BLOCK.size],
    ...[...Object.values(ALLOC_REQUEST.at), ALLOC_REQUEST.size],
  ]);
});

Deno.test("checkDyplo() finds nothing in a driver without bugs", () => {
  assertEquals(problems({}), []);
});

Deno.test("checkDyplo() names an rx ENQUEUE that syncs the length of the frame before", () => {
  assertEquals(problems({ syncsEarlierLength: true }), [[
    "each ENQUEUE and DEQUEUE syncs the bytes of its own frame",
    "rx ENQUEUE synced 0 of 4096 bytes: a length of an earlier frame",
  ]]);
});

Deno.test("checkDyplo() names a tx wait that a signal leaves on the queue of rx", () => {
  assertEquals(problems({ leavesWrongQueue: true }), [[
    "a tx wait that a signal ended is woken by the next completion",
    "DEQUEUE of tx is never woken",
  ]]);
});

Deno.test("checkDyplo() names a tx ENQUEUE that takes more bytes than the block holds", () => {
  assertEquals(problems({ takesTooMany: true }), [[
    "tx ENQUEUE refuses more bytes than the block holds",
    "tx ENQUEUE took 4104 bytes of a block of 4096: the engine reads what lies behind it",
  ]]);
});

Deno.test("checkDyplo() says which checks it skipped", () => {
  const skipped = checkDyplo(new FakeDyplo(), PATH).map((check) => check.skipped);
  assertEquals(skipped, [
    null,
    null,
    "nothing records the syncs of the driver",
    "nothing can interrupt a wait",
  ]);
});

Deno.test("DyploSyscalls moves frames through a loop, with full queues, and leaves nothing open", () => {
  const fake = new FakeDyplo();
  {
    using device = open(fake);
    const pattern = patterns.tagged().create({ seed: 1, maxLength: 8192 });
    for (const size of [8, 64, 1000, 4096]) {
      const report = runLoop(device, pattern, {
        ...{ policy: "streaming-lazy", size, depth: 2, frames: 50 },
        guarded: false,
      });
      assertEquals([report.frames, report.faults.length, report.timeout], [50, 0, null]);
    }
  }
  assertEquals(fake.openFiles, 0);
});

Deno.test("DyploSyscalls says what the driver cannot do", () => {
  using device = open(new FakeDyplo());
  assertEquals([device.info.tx?.engine, device.info.tx?.checkKind], ["dyplo", "none"]);
  const offered = Object.entries(device.info.policies).filter(([, { tx, rx }]) => tx || rx);
  assertEquals(offered.map(([name]) => name), ["streaming-lazy"]);
  const blocks = { size: 4096, direction: "tx", policy: "streaming-lazy" } as const;
  const [tx] = device.alloc(blocks);
  const refused = (call: () => unknown) => {
    const error = assertThrows(call, ErrnoError);
    return [error.code, error.message] as const;
  };
  assertEquals(refused(() => device.stats())[0], "EOPNOTSUPP");
  assertEquals(refused(() => device.alloc(blocks))[0], "EBUSY");
  const [refusal, why] = refused(() => device.alloc({ ...blocks, policy: "coherent" }));
  assertEquals(refusal, "EINVAL");
  assertStringIncludes(why, "expected policy streaming-lazy, found coherent");
  const [, inside] = refused(() => tx?.enqueue({ offset: 64, length: 64 }));
  assertStringIncludes(inside, "at 64: the driver moves the beginning of a block only");
  assertEquals(refused(() => tx?.enqueue({ verify: true }))[0], "EOPNOTSUPP");
  assertEquals(refused(() => device.dequeue("rx"))[0], "ENODATA");
  const [rx] = device.alloc({ ...blocks, direction: "rx" });
  assertEquals(rx?.writable, false);
  tx?.enqueue();
  const [code, message] = refused(() => device.dequeue("tx", { timeoutMs: 20 }));
  assertEquals(code, "ETIMEDOUT");
  assertStringIncludes(message, "no tx completion within 20 ms");
  assertEquals(refused(() => device.reset())[0], "EIO");
});
