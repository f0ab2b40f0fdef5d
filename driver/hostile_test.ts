// SPDX-License-Identifier: MIT
// A driver that answers nonsense: the binding throws errors of its own, and believes nothing impossible.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AnswerError } from "./answer_error.ts";
import type { Block, CompletedTransfer } from "./block.ts";
import { BlockStateError } from "./block_state.ts";
import { Device } from "./device.ts";
import { ErrnoError } from "./errno.ts";
import { AbiMismatchError } from "./errors.ts";
import { FakeSyscalls } from "./testing/fake_syscalls.ts";
import { one } from "./testing/device.ts";
import { Random } from "./testing/random.ts";
import { ALLOC, DEQUEUE, INFO, IOC, type RequestName } from "./uapi.ts";

const SEED = Number(Deno.env.get("PLUMBLINE_SEED") ?? 1);
const ROUNDS = Deno.env.get("PLUMBLINE_FULL") === "1" ? 1_000_000 : 100_000;

/** A device whose answers are changed before the binding sees them. */
class HostileSyscalls extends FakeSyscalls {
  /** Changes the answer of one request; null changes nothing. */
  lie: ((name: RequestName, answer: DataView) => void) | null = null;

  override ioctl(fd: number, request: number, argument: Uint8Array<ArrayBuffer> | null): number {
    const tell = () => {
      const name = NAMES.get(request);
      if (name === undefined || argument === null) return;
      this.lie?.(name, new DataView(argument.buffer));
    };
    try {
      const result = super.ioctl(fd, request, argument);
      tell();
      return result;
    } catch (error) {
      tell();
      throw error;
    }
  }
}

const NAMES = new Map(Object.entries(IOC).map(([name, code]) => [code, name as RequestName]));

/** Numbers at which a comparison or a conversion may go wrong. */
const EDGES = [0n, 1n, 63n, 4096n, 0x7fffffffn, 0xffffffffn, 1n << 53n, (1n << 63n) - 1n, ~0n];

/** Whether an error is one that the binding throws on purpose. */
function isOwn(error: unknown): boolean {
  // JavaScript's own RangeErrors, such as "Invalid array length", do not begin like this
  if (error instanceof RangeError) return error.message.startsWith("Expected ");
  return [ErrnoError, AnswerError, BlockStateError, AbiMismatchError]
    .some((kind) => error instanceof kind);
}

/** Checks what no completion may say, whatever the driver answered. */
function checkTransfer({ block, bytes, offset, ...done }: CompletedTransfer): void {
  assert(Number.isSafeInteger(bytes) && bytes >= 0 && offset + bytes <= block.size, `${bytes}`);
  assertEquals(block.state, "user");
  assert(done.queuedNs <= done.doneNs, `${done.queuedNs} ${done.doneNs}`);
  assertEquals(done.status, "ok");
}

Deno.test("Device throws only its own errors, whatever the driver answers", () => {
  const random = new Random(SEED);
  const draw = (limit: number) => random.below(limit);
  let lies = 0;
  let refused = 0;
  let accepted = 0;
  for (let session = 0; session * 20 < ROUNDS; session++) {
    const fake = new HostileSyscalls();
    fake.lie = (_, answer) => {
      if (draw(4) > 0) return;
      lies++;
      const at = draw(answer.byteLength / 4) * 4;
      const value = EDGES[draw(EDGES.length)] ?? 0n;
      if (draw(2) === 0 || at + 8 > answer.byteLength) {
        answer.setUint32(at, Number(value & 0xffffffffn), true);
      } else answer.setBigUint64(at, value, true);
    };
    const attempt = (call: () => void) => {
      try {
        call();
        accepted++;
      } catch (error) {
        if (!isOwn(error)) throw error;
        refused++;
      }
    };
    let device: Device | undefined;
    attempt(() => device = Device.open({ path: "/dev/fake", syscalls: fake }));
    if (device === undefined) continue;
    const open = device;
    const some = (): Block | undefined => open.blocks[draw(open.blocks.length || 1)];
    for (let i = 0; i < 20; i++) {
      const direction = draw(2) === 0 ? "tx" : "rx";
      const calls = [
        () => void open.alloc({ size: 4096, count: 1 + draw(2), direction, policy: "streaming" }),
        () => some()?.enqueue({ cookie: BigInt(draw(9)) }),
        () => some()?.enqueue({ length: 1 + draw(4096) }),
        () => checkTransfer(open.dequeue(direction, { timeoutMs: 0 })),
        () => checkTransfer(open.dequeue(direction, { timeoutMs: 0 })),
        () => void open.dequeueBatch(direction, { max: 2, timeoutMs: 0 }).forEach(checkTransfer),
        () => void open.enqueueBatch(open.blocks.slice(0, 2).map((block) => ({ block }))),
        () => void open.reset(),
        () => void open.stats(),
        () => void open.refreshInfo(),
        () => void open.query(some()?.id ?? 0),
        () => some()?.free(),
        () => some()?.set(new Uint8Array(16)),
      ];
      attempt(calls[draw(calls.length)] ?? (() => {}));
    }
    fake.lie = null;
    attempt(() => open[Symbol.dispose]());
    assertEquals(fake.openFiles.size, 0);
    assertEquals(fake.mappings.size, 0);
  }
  console.log(`${lies} lies in ${ROUNDS} calls: ${refused} refused, ${accepted} accepted`);
  assert(lies > ROUNDS / 10 && refused > ROUNDS / 10 && accepted > ROUNDS / 10);
});

/** What a driver can say of a transfer that it moved right, and that cannot be. */
const LIES: Readonly<Record<string, (answer: DataView, device: Device) => void>> = {
  "more bytes than the block has": (answer) => number(answer, "length", 4097n),
  "more bytes than were enqueued": (answer) => number(answer, "length", 101n),
  "a length of 2^64 - 1": (answer) => number(answer, "length", ~0n),
  "another offset": (answer) => number(answer, "offset", 64n),
  "an unknown block": (answer) => answer.setUint32(DEQUEUE.at.id, 77, true),
  "a block of the other direction": (answer, device) =>
    answer.setUint32(DEQUEUE.at.id, device.blocks.find((b) => b.direction === "rx")?.id ?? 0, true),
  "a block that is not enqueued": (answer, device) =>
    answer.setUint32(DEQUEUE.at.id, device.blocks.at(-1)?.id ?? 0, true),
  "an unknown status": (answer) => answer.setUint32(DEQUEUE.at.status, 5, true),
  "success with a failed status": (answer) => answer.setUint32(DEQUEUE.at.status, 1, true),
  "an end before the start": (answer) => number(answer, "done_ns", 1n),
  "submitted before it was queued": (answer) => number(answer, "submitted_ns", 1n),
};

function number(view: DataView, member: keyof typeof DEQUEUE.at, value: bigint): void {
  view.setBigUint64(DEQUEUE.at[member], value, true);
}

for (const [what, lie] of Object.entries(LIES)) {
  Deno.test(`Device.dequeue() refuses ${what}`, () => {
    const fake = new HostileSyscalls();
    using device = Device.open({ path: "/dev/fake", syscalls: fake });
    const block = one(device);
    one(device, "rx").enqueue();
    one(device);
    block.enqueue({ length: 100, cookie: 7n });
    fake.lie = (name, answer) => name === "DEQUEUE" ? lie(answer, device) : undefined;
    const error = assertThrows(() => device.dequeue("tx"), Error, "xpected");
    assert(error instanceof AnswerError || error instanceof RangeError, error.message);
  });
}

Deno.test("Device.dequeue() refuses a second completion of one transfer", () => {
  const fake = new HostileSyscalls();
  using device = Device.open({ path: "/dev/fake", syscalls: fake });
  const [block, other] = [one(device), one(device)];
  block.enqueue();
  other.enqueue();
  device.dequeue("tx");
  fake.lie = (_, answer) => answer.setUint32(DEQUEUE.at.id, block.id, true);
  assertThrows(() => device.dequeue("tx"), AnswerError, "which the caller owns");
});

Deno.test("Device.alloc() refuses blocks that overlap, or that exist, and leaves nothing behind", () => {
  const fake = new HostileSyscalls();
  using device = Device.open({ path: "/dev/fake", syscalls: fake });
  const alloc = () => device.alloc({ size: 4096, count: 2, direction: "tx", policy: "streaming" });
  fake.lie = (name, answer) => {
    if (name === "ALLOC") answer.setBigUint64(ALLOC.at.mmap_stride, 4095n, true);
  };
  assertThrows(alloc, AnswerError, "expected blocks at least 4096 bytes apart");
  fake.lie = (name, answer) => {
    if (name === "ALLOC") answer.setBigUint64(ALLOC.at.mmap_offset, ~0n, true);
  };
  assertThrows(alloc, RangeError, "Expected a number up to 2^53 - 1 from the driver");
  assertEquals([fake.blocks.size, fake.mappings.size, device.blocks.length], [0, 0, 0]);
  fake.lie = null;
  const [first] = alloc();
  fake.lie = (name, answer) => {
    if (name !== "ALLOC") return;
    answer.setUint32(ALLOC.at.first_id, first?.id ?? 0, true);
  };
  assertThrows(alloc, AnswerError, "expected a new id from ALLOC");
});

Deno.test("Device.open() refuses an alignment or a depth that cannot be", () => {
  for (const at of [INFO.at.page_size, INFO.at.cache_align]) {
    for (const value of [0, 48]) {
      const fake = new HostileSyscalls();
      fake.lie = (_, answer) => answer.setUint32(at, value, true);
      const open = () => Device.open({ path: "/dev/fake", syscalls: fake });
      assertThrows(open, AnswerError, "expected a power of two");
      assertEquals(fake.openFiles.size, 0);
    }
  }
});
