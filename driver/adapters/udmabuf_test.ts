// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { runLoop } from "../../hil/frames/loop.ts";
import { patterns } from "../../hil/patterns/mod.ts";
import { Device } from "../device.ts";
import { ErrnoError } from "../errno.ts";
import { ResetError, TransferError } from "../errors.ts";
import { runC } from "../testing/c_compiler.ts";
import { type FakeSync, FakeUdmabuf } from "./testing/fake_udmabuf.ts";
import { UdmabufSyscalls } from "./udmabuf.ts";
import { DEVICE_INFO, DRIVER_INFO, packSync, REQUEST, SYNC_ARGS, syncWord } from "./udmabuf_abi.ts";
import { Arena } from "./udmabuf_arena.ts";
import { AxiDmaDirect } from "./udmabuf_engine.ts";

const PATH = "/dev/udmabuf0+/dev/uio0+20";

function open(fake: FakeUdmabuf): Device {
  return Device.open({ path: PATH, syscalls: new UdmabufSyscalls(fake) });
}

const POLICIES = ["coherent", "write-combine", "streaming", "streaming-lazy"] as const;
const SIZE = 4096;

/** Runs a loop, and returns frames and kinds of faults. */
function loop(device: Device, policy: (typeof POLICIES)[number] | "none", frames = 40) {
  const pattern = patterns.tagged().create({ seed: 1, maxLength: SIZE });
  const report = runLoop(device, pattern, { policy, size: SIZE, depth: 2, frames, guarded: true });
  assertEquals(report.timeout, null);
  return report;
}

/** The structs, written from their description, and what a C compiler makes of them. */
const PROGRAM = `
#include <linux/ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
struct driver { uint64_t flags; char version[16]; };
struct device { uint64_t flags, size, addr; };
struct sync { uint64_t flags, size, offset; };
int main(void)
{
	unsigned long all[] = {
		_IOR('U', 1, struct driver), _IOR('U', 7, struct device), _IOR('U', 8, struct sync),
		_IOW('U', 9, struct sync),
		offsetof(struct driver, flags), offsetof(struct driver, version), sizeof(struct driver),
		offsetof(struct device, flags), offsetof(struct device, size), offsetof(struct device, addr),
		sizeof(struct device),
		offsetof(struct sync, flags), offsetof(struct sync, size), offsetof(struct sync, offset),
		sizeof(struct sync),
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		printf("%lu ", all[i]);
	return 0;
}
`;

Deno.test("REQUEST of u-dma-buf and its structs have the numbers that a C compiler computes", async () => {
  const printed = new TextDecoder().decode(await runC(PROGRAM)).trim().split(" ").map(Number);
  const layouts = [DRIVER_INFO, DEVICE_INFO, SYNC_ARGS];
  assertEquals(printed, [
    ...[REQUEST.GET_DRV_INFO, REQUEST.GET_DEV_INFO, REQUEST.GET_SYNC, REQUEST.SET_SYNC],
    ...layouts.flatMap(({ at, size }) => [...Object.values(at), size]),
  ]);
});

Deno.test("packSync() and syncWord() put command, direction, mode and range where the driver reads them", () => {
  const args = { op: "for-device", target: "rx", mode: 3, offset: 0x1_0000, size: 0x40 } as const;
  const view = new DataView(packSync(args).buffer);
  const words = [0, 8, 16].map((at) => Number(view.getBigUint64(at, true)));
  assertEquals(words, [3 | 2 << 2 | 3 << 8, 0x40, 0x1_0000]);
  assertEquals(syncWord("tx", 0x1_0000, 0x40), "0x1000000000045");
});

Deno.test("Arena takes the first gap that fits, and joins what is given back", () => {
  const arena = new Arena(100);
  assertEquals([arena.take(40), arena.take(40), arena.take(40)], [0, 40, null]);
  arena.give({ offset: 0, size: 20 });
  assertEquals([arena.take(30), arena.take(20), arena.take(20)], [null, 0, 80]);
  arena.give({ offset: 0, size: 20 });
  arena.give({ offset: 20, size: 20 });
  assertEquals([arena.used, arena.take(40)], [60, 0]);
});

for (const version of [4, 5] as const) {
  Deno.test(`UdmabufSyscalls moves frames under every policy of u-dma-buf ${version}, and restores sync_mode`, () => {
    const fake = new FakeUdmabuf({ version });
    {
      using device = open(fake);
      for (const policy of POLICIES) {
        const report = loop(device, policy);
        assertEquals([policy, report.frames, report.faults.length], [policy, 40, 0]);
      }
    }
    assertEquals([fake.openFiles, fake.settings.mode], [0, 1]);
  });

  Deno.test(`UdmabufSyscalls shows a missing sync of u-dma-buf ${version}: the cache keeps what it held`, () => {
    using device = open(new FakeUdmabuf({ version }));
    const { faults } = loop(device, "none");
    assertEquals(faults.length > 0, true);
    assertEquals([...new Set(faults.map(({ kind }) => kind))], ["not-written"]);
  });
}

Deno.test("UdmabufSyscalls passes without syncs on a device that is coherent", () => {
  using device = open(new FakeUdmabuf({ coherent: true }));
  assertEquals(device.info.tx?.needsSync, false);
  assertEquals(loop(device, "none").faults.length, 0);
});

/** The syncs that one frame in each direction makes after the blocks exist. */
function syncsOf(policy: (typeof POLICIES)[number] | "manual"): FakeSync[] {
  const fake = new FakeUdmabuf();
  using device = open(fake);
  const [tx] = device.alloc({ size: SIZE, direction: "tx", policy });
  const [rx] = device.alloc({ size: SIZE, direction: "rx", policy });
  const before = fake.syncs.length;
  rx?.enqueue();
  tx?.enqueue({ length: 100 });
  device.dequeue("tx");
  device.dequeue("rx");
  return fake.syncs.slice(before);
}

Deno.test("UdmabufSyscalls syncs what each policy says, and nothing else", () => {
  assertEquals(syncsOf("coherent"), []);
  assertEquals(syncsOf("manual"), []);
  const [tx, rx] = [{ direction: 1, offset: 0 }, { direction: 2, offset: SIZE }];
  assertEquals(syncsOf("streaming"), [
    { op: "for-device", ...rx, size: SIZE },
    { op: "for-device", ...tx, size: SIZE },
    { op: "for-cpu", ...tx, size: SIZE },
    { op: "for-cpu", ...rx, size: SIZE },
  ]);
  // 100 bytes are two lines
  assertEquals(syncsOf("streaming-lazy"), [
    { op: "for-device", ...tx, size: 128 },
    { op: "for-cpu", ...rx, size: 128 },
  ]);
});

Deno.test("UdmabufSyscalls maps blocks as their policy says, and clears them through the cache", () => {
  const fake = new FakeUdmabuf();
  using device = open(fake);
  for (const policy of POLICIES) {
    const [block] = device.alloc({ size: SIZE, direction: "tx", policy });
    assertEquals(block?.bytes().every((byte) => byte === 0), true);
    block?.free();
  }
  assertEquals(fake.mapped, [
    ...["cached", "coherent", "cached", "write-combine"],
    ...["cached", "cached", "cached", "cached"],
  ]);
  const [clean, drop] = fake.syncs;
  assertEquals(clean, { op: "for-device", direction: 0, offset: 0, size: SIZE });
  assertEquals(drop, { op: "for-cpu", direction: 0, offset: 0, size: SIZE });
  // memory that a cached block left dirty is clean and zero in the next block
  const [dirty] = device.alloc({ size: SIZE, direction: "tx", policy: "none" });
  dirty?.fill(0x5a);
  dirty?.free();
  const [next] = device.alloc({ size: SIZE, direction: "tx", policy: "coherent" });
  assertEquals(next?.bytes().every((byte) => byte === 0), true);
});

function refused(call: () => unknown): [string | undefined, string] {
  const error = assertThrows(call, ErrnoError);
  return [error.code, error.message];
}

Deno.test("UdmabufSyscalls says what u-dma-buf cannot do", () => {
  using device = open(new FakeUdmabuf({ size: 65536 }));
  const { tx, policies } = device.info;
  assertEquals([tx?.engine, tx?.checkKind, tx?.provesIdle], ["axi-dma-direct", "none", true]);
  const offered = Object.entries(policies).filter(([, one]) => one.tx || one.rx);
  assertEquals(offered.map(([name]) => name), [...POLICIES, "manual", "none"]);
  const blocks = { size: SIZE, direction: "tx", policy: "coherent" } as const;
  assertEquals(refused(() => device.stats())[0], "EOPNOTSUPP");
  assertEquals(refused(() => device.reset({ direction: "tx" }))[0], "EOPNOTSUPP");
  assertEquals(refused(() => device.alloc({ ...blocks, policy: "bounce" }))[0], "EINVAL");
  assertEquals(refused(() => device.alloc({ ...blocks, size: 65536 }))[0], "EINVAL");
  assertEquals(refused(() => device.alloc({ ...blocks, count: 17 }))[0], "ENOMEM");
  const [block] = device.alloc(blocks);
  assertEquals(refused(() => block?.enqueue({ offset: 8, length: 64 }))[0], "EINVAL");
  assertEquals(refused(() => block?.syncForDevice())[0], "EINVAL");
  assertEquals(refused(() => device.dequeue("rx"))[0], "ENODATA");
});

Deno.test("UdmabufSyscalls returns all blocks from an engine that hangs, by its reset", () => {
  const fake = new FakeUdmabuf({ hangs: "tx" });
  using device = open(fake);
  const [tx] = device.alloc({ size: SIZE, direction: "tx", policy: "streaming" });
  const [rx] = device.alloc({ size: SIZE, direction: "rx", policy: "streaming" });
  rx?.enqueue();
  tx?.enqueue();
  assertEquals(device.query(tx?.id ?? -1).state, "in-flight");
  const [code, message] = refused(() => device.dequeue("rx", { timeoutMs: 20 }));
  assertEquals(code, "ETIMEDOUT");
  assertStringIncludes(message, "no rx completion within 20 ms");
  assertEquals(device.reset(), { returned: 2, quarantined: 0 });
  assertEquals([tx?.state, rx?.state, device.query(tx?.id ?? -1).state], ["user", "user", "user"]);
});

Deno.test("UdmabufSyscalls keeps the blocks of an engine that does not end its reset", () => {
  let stops = true;
  const engine = () => ({
    ...{ name: "stubborn", addressAlign: 64, maxTransfer: SIZE, start: () => {} },
    look: () => ({ done: false, bytes: 0, error: null }),
    reset: () => stops,
  });
  const syscalls = new UdmabufSyscalls(new FakeUdmabuf(), { engine });
  using device = Device.open({ path: PATH, syscalls });
  const [rx, other] = device.alloc({ size: SIZE, count: 2, direction: "rx", policy: "streaming" });
  rx?.enqueue();
  stops = false;
  assertThrows(() => device.reset(), ResetError);
  assertEquals(device.query(rx?.id ?? -1).state, "quarantined");
  assertEquals(refused(() => other?.enqueue())[0], "EIO");
  stops = true;
  assertEquals(device.reset(), { returned: 1, quarantined: 0 });
  assertEquals(rx?.state, "user");
});

Deno.test("UdmabufSyscalls reports an error of the engine as a failed transfer", () => {
  using device = open(new FakeUdmabuf({ fails: "rx" }));
  const [rx] = device.alloc({ size: SIZE, direction: "rx", policy: "streaming" });
  rx?.enqueue();
  const { completion: transfer } = assertThrows(() => device.dequeue("rx"), TransferError);
  assertEquals([transfer.status, transfer.bytes, rx?.state], ["write-failed", 0, "user"]);
});

Deno.test("AxiDmaDirect refuses a core with scatter-gather, and waits for the end of its reset", () => {
  const port = (status: number, resets: number) => ({
    length: 0x10000,
    load: (offset: number) => offset === 4 ? status : offset === 0 && resets-- > 0 ? 4 : 0,
    store: () => {},
  });
  assertThrows(() => new AxiDmaDirect(port(9, 0)), Error, "scatter-gather");
  assertEquals(new AxiDmaDirect(port(1, 3)).reset(), true);
  assertEquals(new AxiDmaDirect(port(1, Infinity)).reset(), false);
});

Deno.test("UdmabufSyscalls.covers() accepts a buffer and the registers of an engine", () => {
  const covers = (path: string) => UdmabufSyscalls.covers(path);
  assertEquals(covers("/dev/udmabuf0+/dev/uio0"), true);
  assertEquals(covers("/dev/udmabuf-tx+/dev/uio12+23"), true);
  assertEquals(covers("/dev/udmabuf0"), false);
  assertEquals(covers("/dev/pldma0"), false);
  assertEquals(UdmabufSyscalls.filesOf(PATH), ["/dev/udmabuf0", "/dev/uio0"]);
});
