// SPDX-License-Identifier: MIT
// Run in a guest by ../vm_test.ts: the adapter on the IIO core of Linux, and what neither of them can do.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { IioSyscalls } from "../../../../driver/adapters/iio.ts";
import type { Block } from "../../../../driver/block.ts";
import { Device } from "../../../../driver/device.ts";
import { ErrnoError } from "../../../../driver/errno.ts";
import { TransferError } from "../../../../driver/errors.ts";
import { libc } from "../../../../driver/libc.ts";
import type { Direction } from "../../../../driver/uapi.ts";
import { armFault, disarmFault } from "../../../../fixtures/boards/vm/fault.ts";

const PATH = "/dev/iio:device0+/dev/iio:device1";
const SIZE = 4096;
const wait = { timeoutMs: 20_000 };
const briefly = { timeoutMs: 50 };

function open(queueDepth = 8): Device {
  return Device.open({ path: PATH, syscalls: new IioSyscalls(libc, { queueDepth }) });
}

function alloc(device: Device, direction: Direction, count = 1): Block[] {
  return device.alloc({ direction, policy: "streaming", size: SIZE, count });
}

/** One block of each direction. */
function pair(device: Device): { tx: Block; rx: Block } {
  const [tx] = alloc(device, "tx");
  const [rx] = alloc(device, "rx");
  assert(tx !== undefined && rx !== undefined);
  return { tx, rx };
}

/** Sends one frame, and returns the length that is reported for it. */
function send(device: Device, { tx, rx }: { tx: Block; rx: Block }, value: number, length = SIZE) {
  rx.enqueue();
  tx.fill(value);
  tx.enqueue({ length });
  device.dequeue("tx", wait);
  return device.dequeue("rx", wait).bytes;
}

function refused(call: () => unknown): [string, string] {
  const error = assertThrows(call, ErrnoError);
  return [error.code, error.message];
}

const enableFile = (direction: Direction) =>
  `/sys/bus/iio/devices/iio:device${direction === "tx" ? 0 : 1}/buffer0/enable`;

/** Number of files that this process has open. */
const files = () => [...Deno.readDirSync("/proc/self/fd")].length;

Deno.test("IioSyscalls says what IIO cannot do, and leaves no file open", () => {
  const before = files();
  {
    using device = open();
    const { tx, rx, policies } = device.info;
    assertEquals([tx?.engine, tx?.channel, rx?.channel], ["iio", "plumbline-tx", "plumbline-rx"]);
    assertEquals([rx?.exactLengths, rx?.checkKind, rx?.lengthAlign], [false, "none", 8]);
    const offered = Object.entries(policies).filter(([, one]) => one.tx && one.rx);
    assertEquals(offered.map(([name]) => name), ["streaming", "manual", "none", "dma-buf"]);
    const kind = { size: SIZE, direction: "tx" } as const;
    const [block] = device.alloc({ ...kind, policy: "streaming" });
    assert(block !== undefined);
    assertEquals(refused(() => device.stats())[0], "EOPNOTSUPP");
    assertEquals(refused(() => device.export(block))[0], "EOPNOTSUPP");
    const [code, message] = refused(() => device.alloc({ ...kind, policy: "coherent" }));
    assertEquals(code, "EINVAL");
    assertStringIncludes(
      message,
      "expected one of the policies streaming, manual, none, found coherent",
    );
    assertEquals(
      refused(() => device.alloc({ ...kind, size: 2 ** 20, policy: "none" }))[0],
      "EINVAL",
    );
    const inside = refused(() => block.enqueue({ offset: 64, length: 64 }));
    assertStringIncludes(inside[1], "IIO moves the beginning of a DMABUF only");
    assertStringIncludes(refused(() => block.enqueue({ length: 63 }))[1], "a multiple of 8");
    assertEquals(refused(() => block.syncForDevice())[0], "EINVAL");
    assertEquals(refused(() => device.dequeue("rx"))[0], "ENODATA");
    assertEquals(refused(() => open())[0], "EBUSY");
  }
  assertEquals(files(), before);
});

Deno.test("IioSyscalls reports the length that was asked for, because IIO does not tell that of a short frame", () => {
  using device = open();
  const blocks = pair(device);
  assertEquals(send(device, blocks, 0x5a, 64), SIZE);
  assertEquals(blocks.rx.bytes().findIndex((byte) => byte !== 0x5a), 64);
});

Deno.test("IioSyscalls takes a failed transfer for a good one, because IIO reports every end as success", () => {
  using device = open();
  const blocks = pair(device);
  armFault("kind=error direction=rx frame=0 seed=1");
  try {
    assertEquals(send(device, blocks, 0x77), SIZE);
    assertEquals(disarmFault().length, 1);
  } finally {
    disarmFault();
  }
  assertEquals(blocks.rx.bytes().every((byte) => byte === 0x77), false);
});

Deno.test("IioSyscalls returns all blocks by a RESET, which disables the buffers, and goes on", () => {
  using device = open();
  const blocks = pair(device);
  blocks.rx.enqueue();
  assertEquals(device.query(blocks.rx.id).state, "in-flight");
  assertEquals(Deno.readTextFileSync(enableFile("rx")).trim(), "1");
  const [code, message] = refused(() => device.dequeue("rx", briefly));
  assertEquals(code, "ETIMEDOUT");
  assertStringIncludes(message, "no rx completion within 50 ms");
  assertEquals(device.reset(), { returned: 1, quarantined: 0 });
  assertEquals(Deno.readTextFileSync(enableFile("rx")).trim(), "0");
  assertEquals([send(device, blocks, 0x31), blocks.rx.bytes()[SIZE - 1]], [SIZE, 0x31]);
});

Deno.test("IioSyscalls reports a buffer that somebody disables as an aborted transfer, and goes on", () => {
  using device = open();
  const blocks = pair(device);
  blocks.rx.enqueue();
  Deno.writeTextFileSync(enableFile("rx"), "0");
  const { completion } = assertThrows(() => device.dequeue("rx", wait), TransferError);
  assertEquals([completion.status, completion.bytes, blocks.rx.state], ["aborted", 0, "user"]);
  assertEquals([send(device, blocks, 0x32), blocks.rx.bytes()[0]], [SIZE, 0x32]);
});

Deno.test("IioSyscalls names a block that the engine refused, although IIO reported success", () => {
  using device = open(17);
  // the engine takes 16
  const blocks = alloc(device, "rx", 17);
  for (const block of blocks) block.enqueue();
  const last = blocks.at(-1);
  assertEquals(device.query(last?.id ?? -1).state, "done");
  assertEquals(device.query(blocks[15]?.id ?? -1).state, "in-flight");
  assertEquals(device.reset().returned, 17);
  blocks[15]?.enqueue();
  const [code, message] = refused(() => last?.enqueue());
  assertEquals(code, "EBUSY");
  assertStringIncludes(message, `the engine refused block ${last?.id} before`);
  device.reset();
});

Deno.test("IioSyscalls says which file enables a channel", () => {
  const channel = "/sys/bus/iio/devices/iio:device1/buffer0/in_voltage0_en";
  Deno.writeTextFileSync(channel, "0");
  try {
    using device = open();
    const { rx } = pair(device);
    const [code, message] = refused(() => rx.enqueue());
    assertEquals(code, "EINVAL");
    assertStringIncludes(message, "no channel of plumbline-rx is enabled: echo 1 > one of /sys/");
  } finally {
    Deno.writeTextFileSync(channel, "1");
  }
});

Deno.test("IioSyscalls works after a program that was killed while the engine had its blocks", async () => {
  const program = `
    import { IioSyscalls } from "${import.meta.resolve("../../../../driver/adapters/iio.ts")}";
    import { Device } from "${import.meta.resolve("../../../../driver/device.ts")}";
    import { libc } from "${import.meta.resolve("../../../../driver/libc.ts")}";
    const device = Device.open({ path: "${PATH}", syscalls: new IioSyscalls(libc) });
    const kind = { policy: "streaming", size: ${SIZE} };
    for (const block of device.alloc({ ...kind, direction: "rx", count: 8 })) block.enqueue();
    const [tx] = device.alloc({ ...kind, direction: "tx" });
    tx.enqueue();
    // a wait that ends, and one that does not, leave their fences behind
    while (!device.poll({ readable: true, writable: true }, 1000).readable);
    try { device.dequeue("tx", { timeoutMs: 5000 }); } catch {}
    device.dequeue("rx");
    try { device.dequeue("rx", { timeoutMs: 50 }); } catch {}
    Deno.kill(Deno.pid, "SIGKILL");`;
  const { signal } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", program],
  }).output();
  assertEquals(signal, "SIGKILL");
  assertEquals(Deno.readTextFileSync(enableFile("rx")).trim(), "1");
  using device = open();
  const blocks = pair(device);
  assertEquals([send(device, blocks, 0x33), blocks.rx.bytes()[SIZE - 1]], [SIZE, 0x33]);
});
