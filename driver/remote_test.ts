// SPDX-License-Identifier: MIT
// The file is long, because one class has all system calls of a target.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { constant } from "./constant.ts";
import { Device } from "./device.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import { UserMemory } from "./memory.ts";
import { AgentError, Remote } from "./remote.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "./syscalls.ts";
import { one } from "./testing/device.ts";
import { freePort } from "../fixtures/host/port.ts";
import { addressOf, connected, startAgent } from "./testing/agent.ts";
import { DEQUEUE, ENQUEUE, ENQUEUE_BATCH, EXPORT, IOC } from "./uapi.ts";

const ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS;

function errno(code: string, fn: () => unknown): void {
  const error = assertThrows(fn, ErrnoError);
  assertEquals(error.code, code, error.message);
}

Deno.test("Device on a remote board moves frames around a loop", async () => {
  using board = await connected();
  using device = Device.open({ syscalls: board.remote });
  assertEquals([device.info.tx?.engine, device.info.policies.streaming.maxBlock], [
    "fake",
    1 << 20,
  ]);
  const [tx, rx] = [one(device, "tx"), one(device, "rx")];
  for (let round = 0; round < 50; round++) {
    const frame = crypto.getRandomValues(new Uint8Array(1 + round * 80));
    rx.enqueue({ length: 4096 });
    tx.fill(0xee);
    tx.set(frame);
    tx.set(frame.subarray(0, 1), frame.length - 1);
    tx.enqueue({ length: frame.length, cookie: BigInt(round) });
    frame[frame.length - 1] = frame[0] ?? 0;
    assertEquals(device.dequeue("tx").cookie, BigInt(round));
    const { bytes, doneNs, queuedNs } = device.dequeue("rx");
    assertEquals(bytes, frame.length);
    assert(queuedNs <= doneNs && doneNs <= board.remote.monotonicNs() + 1e6);
    assert(rx.equals(frame));
    frame[0] = (frame[0] ?? 0) ^ 1;
    assert(!rx.equals(frame));
    const back = new Uint8Array(bytes);
    rx.copyTo(back);
    back[0] = (back[0] ?? 0) ^ 1;
    if (bytes > 1) assertEquals(back, frame);
  }
  for (const bytes of [new Uint8Array(9).fill(1), constant(new Uint8Array(4096).fill(2))]) {
    for (const stamp of [-5, 6]) {
      tx.fill(0xee);
      tx.setStamped(bytes, stamp);
      assert(tx.equalsStamped(bytes, stamp) && !tx.equalsStamped(bytes, stamp + 1));
      assert(!tx.equalsStamped(new Uint8Array(bytes.length), stamp));
      assert(!tx.equals(bytes) && tx.equals(bytes, 0, bytes.length - 4));
    }
  }
});

Deno.test("Device.enqueueBatch() and dequeueBatch() move the items of a batch to a remote board", async () => {
  using board = await connected();
  using device = Device.open({ syscalls: board.remote });
  const tx = [one(device), one(device), one(device)];
  const rx = tx.map(() => one(device, "rx"));
  tx.forEach((block, i) => block.fill(i + 1));
  const items = [...rx.map((block) => ({ block })), ...tx.map((block) => ({ block, cookie: 7n }))];
  assertEquals(device.enqueueBatch(items), 6);
  const sent = device.dequeueBatch("tx", { max: 3, min: 3, timeoutMs: 5000 });
  assertEquals(sent.map(({ block, cookie }) => [block, cookie]), tx.map((block) => [block, 7n]));
  const received = device.dequeueBatch("rx", { max: 3, min: 3, timeoutMs: 5000 });
  assertEquals(received.map(({ block }) => block), rx);
  rx.forEach((block, i) => assert(block.equals(new Uint8Array(4096).fill(i + 1)), `frame ${i}`));
});

Deno.test("Remote.ioctl() fails with EFAULT for a batch that claims more items than it has", async () => {
  using board = await connected();
  const { remote } = board;
  const fd = remote.open("/dev/pldma0", 2);
  const bytes = new Uint8Array(ENQUEUE.size).fill(0x55);
  const call = (count: number) => {
    const argument = new DataView(new ArrayBuffer(ENQUEUE_BATCH.size));
    argument.setUint32(ENQUEUE_BATCH.at.item_size, ENQUEUE.size, true);
    argument.setUint32(ENQUEUE_BATCH.at.count, count, true);
    const attachment = { at: ENQUEUE_BATCH.at.items, bytes };
    remote.ioctl(fd, IOC.ENQUEUE_BATCH, new Uint8Array(argument.buffer), attachment);
  };
  errno("EFAULT", () => call(2));
  assertEquals(bytes[ENQUEUE.at.error], 0x55);
  errno("ENOENT", () => call(1));
  assertEquals(bytes[ENQUEUE.at.error], ERRNO.ENOENT);
});

Deno.test("Block.bytes() and UserMemory.bytes() throw on a remote board", async () => {
  using board = await connected();
  using device = Device.open({ syscalls: board.remote });
  assertThrows(() => one(device).bytes(), Error, "on another machine, so there is no view of it");
  using memory = UserMemory.allocate(100, { syscalls: board.remote });
  assertThrows(() => memory.bytes(), Error, "on another machine");
});

Deno.test("Remote reports the errors of calls by their names", async () => {
  using board = await connected();
  const { remote } = board;
  errno("EACCES", () => remote.open("/dev/mem", 2));
  // the attributes of a core's transfers may be set, if there are any, and nothing beside them
  const core = "/sys/kernel/debug/pl_loopback/none";
  errno("ENOENT", () => remote.open(`${core}/attributes`, 1));
  for (const path of [`${core}/fault`, `${core}/../attributes`, `${core}/attributes/x`]) {
    errno("EACCES", () => remote.open(path, 1));
  }
  errno("ENOENT", () => remote.open("/dev/pldma7", 2));
  errno("EBADF", () => remote.close(0));
  errno("EBADF", () => remote.mmap(4096, PROT_READ, 1, 0, 0));
  const fd = remote.open("/dev/pldma0", 2);
  errno("ENOTTY", () => remote.ioctl(fd, 0xffff_ffff, null));
  errno("EFAULT", () => remote.ioctl(fd, IOC.INFO, null));
  remote.close(fd);
  errno("EBADF", () => remote.ioctl(fd, IOC.INFO, null));
});

Deno.test("Remote.mmap() returns memory that only its own range reaches", async () => {
  using board = await connected();
  const { remote } = board;
  const memory = remote.mmap(5000, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
  const big = crypto.getRandomValues(new Uint8Array(5000));
  memory.set(big, 0);
  assert(remote.equal(memory, 0, big, 5000));
  memory.fill(7, 100, 50);
  assertEquals(remote.compare(memory, 0, big.with(100, big[100]! ^ 1)).first, 100);
  assertThrows(() => memory.copyTo(new Uint8Array(1), 5000), ErrnoError, "EFAULT");
  // a posted request fails the next one
  memory.set(Uint8Array.of(1, 2), 4999);
  const error = assertThrows(() => remote.crc32(memory, 0, 1), ErrnoError);
  assertEquals([error.syscall, error.code], ["store to memory on the target", "EFAULT"]);
  const readOnly = remote.mmap(4096, PROT_READ, ANONYMOUS, -1, 0);
  readOnly.set(Uint8Array.of(1), 0);
  errno("EFAULT", () => remote.crc32(readOnly, 0, 1));
  remote.munmap(memory);
  errno("EFAULT", () => remote.crc32(memory, 0, 1));
});

Deno.test("Remote.compare() counts differences, and crc32() is that of IEEE 802.3", async () => {
  using board = await connected();
  const { remote } = board;
  const memory = remote.mmap(4096, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
  memory.set(new TextEncoder().encode("123456789"), 0);
  assertEquals(remote.crc32(memory, 0, 9), 0xcbf43926);
  const other = new TextEncoder().encode("12x4567y9");
  for (const expected of [other, constant(pad(other, 4096))]) {
    assertEquals(remote.compare(memory, 0, expected), { count: 2, first: 2, last: 7 });
  }
});

function pad(bytes: Uint8Array, length: number): Uint8Array {
  const padded = new Uint8Array(length);
  padded.set(bytes);
  return padded;
}

Deno.test("Remote sends a constant buffer once, in pieces that are used", async () => {
  using board = await connected();
  const { remote } = board;
  const memory = remote.mmap(4 << 20, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
  const tape = constant(new Uint8Array(3 << 20));
  tape.forEach((_, i) => tape[i] = i * 7 ^ i >> 8);
  const before = tape.slice();
  for (const [from, to] of [[0, 1000], [1 << 19, 3 << 19], [1000, 3 << 20]] as const) {
    memory.set(tape.subarray(from, to), 0);
    assert(remote.equal(memory, 0, before.subarray(from, to), to - from));
    assert(remote.equal(memory, 0, tape.subarray(from, to), to - from));
  }
  // a broken promise shows that the bytes are not sent again
  tape.fill(0);
  memory.set(tape.subarray(5000, 9000), 0);
  assert(remote.equal(memory, 0, before.subarray(5000, 9000), 4000));
  assert(!remote.equal(memory, 0, tape.slice(5000, 9000), 4000));
});

Deno.test("Device.dequeue() on a remote board waits for its timeout, and keeps the deadline in the struct", async () => {
  using board = await connected();
  using device = Device.open({ syscalls: board.remote });
  one(device, "rx").enqueue();
  const start = board.remote.monotonicNs();
  errno("ETIMEDOUT", () => device.dequeue("rx", { timeoutMs: 200 }));
  assert(board.remote.monotonicNs() - start >= 199e6);
  errno("ETIMEDOUT", () => device.dequeue("rx", { timeoutMs: 0 }));
  const argument = new Uint8Array(DEQUEUE.size);
  const view = new DataView(argument.buffer);
  view.setUint32(DEQUEUE.at.direction, 1, true);
  const dequeue = () => board.remote.ioctl(device.fd, IOC.DEQUEUE, argument);
  for (const deadline of [1n, 12345n, BigInt(start)]) {
    view.setBigUint64(DEQUEUE.at.deadline_ns, deadline, true);
    errno("ETIMEDOUT", dequeue);
    assertEquals(view.getBigUint64(DEQUEUE.at.deadline_ns, true), deadline);
  }
  device.reset();
  // the driver refuses a deadline that is no time, and accepts the last one
  for (const [deadline, code] of [[2n ** 63n - 1n, "ENODATA"], [2n ** 63n, "EINVAL"]] as const) {
    view.setBigUint64(DEQUEUE.at.deadline_ns, deadline, true);
    errno(code, dequeue);
    assertEquals(view.getBigUint64(DEQUEUE.at.deadline_ns, true), deadline);
  }
});

Deno.test("Remote.monotonicNs() returns whole nanoseconds, which a deadline must be", async () => {
  using board = await connected();
  const now = performance.now.bind(performance);
  // a desk's clock that is finer than a nanosecond
  performance.now = () => now() + Math.random() * 1e-6;
  try {
    const times = Array.from({ length: 1000 }, () => board.remote.monotonicNs());
    assertEquals(times.filter((time) => !Number.isInteger(time)), []);
  } finally {
    performance.now = now;
  }
});

Deno.test("Remote takes no late reply of a call that Deno broke off for that of the next call", async () => {
  using agent = await startAgent();
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/broken_off_test.ts`;
    const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    await Deno.writeTextFile(
      file,
      `import { Device } from ${here("device.ts")};
import { parseRemoteAddress, Remote } from ${here("remote.ts")};
const remote = Remote.connect(parseRemoteAddress("${agent.address.text}")!);
const device = Device.open({ syscalls: remote });
const [rx] = device.alloc({ direction: "rx", policy: "streaming", size: 64 });
rx!.enqueue();
Deno.test({ name: "blocks", timeout: 300, fn: () => void device.dequeue("rx", { timeoutMs: 1500 }) });
Deno.test("next", () => void remote.readFile("/proc/version"));
`,
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", file],
      env: { NO_COLOR: "1" },
      stderr: "null",
    }).output();
    const output = new TextDecoder().decode(stdout);
    assertMatch(output, /^next \.\.\. FAILED/m, output);
    assertStringIncludes(output, "was broken off, because Deno ended its test");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("Device.dequeueAsync() on a remote board waits while other calls go on", async () => {
  using board = await connected();
  await using device = Device.open({ syscalls: board.remote });
  const [tx, rx] = [one(device, "tx"), one(device, "rx")];
  rx.enqueue();
  const waits = [0, 1, 2].map(() =>
    assertRejects(() => device.dequeueAsync("rx", { timeoutMs: 400 }), ErrnoError, "ETIMEDOUT")
  );
  let calls = 0;
  const end = performance.now() + 200;
  while (performance.now() < end) {
    tx.set(Uint8Array.of(calls++));
    assert(tx.equals(Uint8Array.of((calls - 1) & 255)));
  }
  assert(calls > 10, `${calls} calls`);
  await Promise.all(waits);
  // the connections are used again
  await assertRejects(() => device.dequeueAsync("rx", { timeoutMs: 0 }), ErrnoError, "ETIMEDOUT");
});

Deno.test("Remote.lock() excludes another connection until this one ends", async () => {
  using board = await connected();
  const device = `/dev/pldma-test-${crypto.randomUUID()}`;
  const text = JSON.stringify({ pid: 1 });
  assertEquals(board.remote.lock(device, text, 0), { locked: true, text: "" });
  {
    using other = Remote.connect(board.agent.address);
    assertEquals(other.lock(device, "no", 0), { locked: false, text });
    board.remote[Symbol.dispose]();
    assertEquals(other.lock(device, "yes", 10_000), { locked: true, text });
  }
  errno("EACCES", () => {
    using other = Remote.connect(board.agent.address);
    other.lock("/dev/mem", "no", 0);
  });
  Deno.removeSync(`/run/lock/plumbline${device.replaceAll("/", "-")}.lock`);
});

Deno.test("Remote reads files of the kernel, and no others", async () => {
  using board = await connected();
  const { remote } = board;
  assert(remote.memoryInfo()?.includes("MemTotal:"));
  assert(remote.list("/sys/devices/system/cpu").includes("cpu0"));
  assertEquals(remote.list("/etc"), []);
  assertEquals(remote.readLink("/sys/class/mem/null"), Deno.readLinkSync("/sys/class/mem/null"));
  for (const path of ["/etc/passwd", "/proc/self/mem", "/sys/../etc/passwd", "/proc/1/environ"]) {
    assertEquals(remote.readFile(path), null, path);
  }
  assertEquals(remote.target.machine, Deno.build.arch);
  assertEquals(remote.target.release, Deno.osRelease());
});

Deno.test("Remote.connect() says what to do if there is no agent", () => {
  const message = "start it on the target with --listen, or use --board remote:ssh://";
  const address = addressOf(`127.0.0.1:${freePort()}`);
  assertThrows(() => Remote.connect(address), AgentError, message);
  assertThrows(
    () => Remote.connect(addressOf("no-such-host.invalid")),
    AgentError,
    "Cannot find no-such-host.invalid:",
  );
});

Deno.test("Remote.connect() needs the token of the agent", async () => {
  using agent = await startAgent({ token: "right" });
  const advice = "refuses the token: set PLUMBLINE_AGENT_TOKEN";
  for (const wrong of ["", "r", "rightright", "wrong", "right\0"]) {
    assertThrows(() => Remote.connect(agent.address, wrong), AgentError, advice);
  }
  using remote = Remote.connect(agent.address, "right");
  assert(remote.monotonicNs() > 0);
  using device = Device.open({ syscalls: remote });
  one(device, "rx").enqueue();
  await assertRejects(() => device.dequeueAsync("rx", { timeoutMs: 1 }), ErrnoError, "ETIMEDOUT");
});

/** A program on a port that answers the first bytes with its own and ends the connection. */
async function answering(
  answer: Uint8Array,
  fn: (port: number) => Promise<void> | void,
): Promise<void> {
  const program = `
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    console.log(listener.addr.port);
    for await (const one of listener) {
      await one.read(new Uint8Array(999));
      await one.write(Uint8Array.from([${answer.join()}]));
      one.closeWrite();
    }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", program],
    stdout: "piped",
  }).spawn();
  try {
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    await fn(Number(new TextDecoder().decode(value)));
    await reader.cancel();
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

Deno.test("Remote.connect() tells an agent of another version from another program", async () => {
  const welcome = new Uint8Array(32 + 200);
  const view = new DataView(welcome.buffer);
  view.setUint32(0, 200, true);
  view.setUint32(32, 0x41424c50, true);
  view.setUint32(36, 9, true);
  await answering(welcome, (port) => {
    const address = addressOf(`127.0.0.1:${port}`);
    assertThrows(() => Remote.connect(address), AgentError, "version 1 of the agent's protocol");
    assertThrows(() => Remote.connect(address), AgentError, "found 9: install the plumbline-agent");
  });
  view.setUint32(32, 1, true);
  await answering(welcome, (port) => {
    const address = addressOf(`127.0.0.1:${port}`);
    assertThrows(() => Remote.connect(address), AgentError, "found another program");
  });
  await answering(
    new TextEncoder().encode("SSH-2.0-OpenSSH_9.2 and some more text\r\n"),
    (port) => {
      const address = addressOf(`127.0.0.1:${port}`);
      assertThrows(() => Remote.connect(address), AgentError, "is it another program?");
    },
  );
});

Deno.test("Remote reports a killed agent at every later call, and disposing it does not throw", async () => {
  using board = await connected();
  using device = Device.open({ syscalls: board.remote });
  const block = one(device);
  board.agent.child.kill("SIGKILL");
  await board.agent.child.status;
  for (let i = 0; i < 3; i++) {
    const error = assertThrows(() => {
      // the kernel needs a moment to end the process of the connection
      for (let tries = 0; tries < 1000; tries++) block.equals(new Uint8Array(1));
    }, AgentError);
    assert(error.message.includes("was lost"), error.message);
    assert(error.message.includes("check that the target, its network and plumbline-agent are up"));
  }
});

/** Runs a function with a program named ssh that is a shell script. */
async function withSsh(script: string, fn: () => Promise<void> | void): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = Deno.env.get("PATH") ?? "";
  try {
    await Deno.writeTextFile(`${dir}/ssh`, `#!/bin/sh\n${script}\n`);
    await Deno.chmod(`${dir}/ssh`, 0o755);
    Deno.env.set("PATH", `${dir}:${path}`);
    await fn();
  } finally {
    Deno.env.set("PATH", path);
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("Remote.connect() starts the agent by ssh, also for calls that wait", async () => {
  const { buildTestAgent } = await import("../fixtures/agent/build.ts");
  const agent = await buildTestAgent("agent");
  const seen = await Deno.makeTempFile();
  await withSsh(`echo "$@" >> ${seen}\nexec ${agent} --stdio`, async () => {
    using remote = Remote.connect(addressOf("ssh://root@zed:2222/opt/agent"));
    await using device = Device.open({ syscalls: remote });
    one(device, "rx").enqueue();
    await assertRejects(() => device.dequeueAsync("rx", { timeoutMs: 1 }), ErrnoError, "ETIMEDOUT");
  });
  const calls = (await Deno.readTextFile(seen)).trim().split("\n");
  assertEquals(calls.length, 2);
  assert(calls[0]?.endsWith("-p 2222 -- root@zed /opt/agent --stdio"), calls[0]);
  assert(calls[0]?.includes("BatchMode=yes"));
  await Deno.remove(seen);
});

Deno.test("Remote.connect() says why ssh failed", async () => {
  for (
    const [script, message] of [
      ["exit 255", "ssh cannot log in, or lost its connection"],
      ["exit 127", "there is no plumbline-agent on the target: install it there"],
      ["exit 3", "ssh ended with status 3"],
    ] as const
  ) {
    await withSsh(script, () => {
      assertThrows(() => Remote.connect(addressOf("ssh://zed")), AgentError, message);
    });
  }
});

Deno.test("Remote.repeat() repeats recorded calls on the target, and records what they keep", async () => {
  using board = await connected();
  const { remote } = board;
  using device = Device.open({ syscalls: remote });
  const [tx, rx] = [one(device, "tx"), one(device, "rx")];
  const frame = constant(crypto.getRandomValues(new Uint8Array(1000)));
  const step = () => {
    rx.enqueue({ length: 4096 });
    tx.set(frame);
    remote.mark();
    tx.enqueue({ length: 1000 });
    device.dequeue("rx");
    device.dequeue("tx");
    assert(rx.equals(frame));
  };
  step(); // sends the frame
  const program = remote.record(step);
  assertEquals(program.steps, 7);
  program.keep(IOC.DEQUEUE, DEQUEUE.at.queued_ns, 3);
  const { times, records, wrong } = remote.repeat(program, { seconds: 5, most: 30, passes: 2 });
  assertEquals([times, wrong, records.length], [30, 0, 1 + 30 * (2 * (1 + 3 + 3) + 1)]);
  assert(records.every((time, i) => i === 0 || time > 0));
  const clock = records.filter((_, i) => i % 15 === 0);
  assertEquals(clock, clock.toSorted((a, b) => a - b));
  assert((clock.at(-1) ?? Infinity) < remote.monotonicNs() + 1e6);
  // afterwards everything is as it was before
  step();
  const limited = remote.repeat(program, { seconds: 0.05, most: 100_000 });
  assert(limited.times > 1 && limited.times < 100_000, `${limited.times}`);
});

Deno.test("Remote.repeat() counts wrong data, and fails with the call that fails", async () => {
  using board = await connected();
  const { remote } = board;
  const memory = remote.mmap(4096, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
  const right = new Uint8Array(100);
  const compare = remote.record(() => {
    remote.equal(memory, 0, right, 100);
    remote.equal(memory, 1, right, 100);
  });
  assertEquals(remote.repeat(compare, { seconds: 1, most: 5 }).wrong, 0);
  memory.fill(1, 0, 1);
  assertEquals(remote.repeat(compare, { seconds: 1, most: 5 }).wrong, 5);
  using device = Device.open({ syscalls: remote });
  const [rx, tx] = [one(device, "rx"), one(device, "tx")];
  const unbalanced = remote.record(() => {
    rx.enqueue();
    tx.enqueue({ length: 4 });
    device.dequeue("rx");
  });
  const error = assertThrows(() => remote.repeat(unbalanced, { seconds: 1 }), ErrnoError);
  assertEquals([error.code, /call (\d) of 3/.exec(error.message)?.[1]], ["EBUSY", "1"]);
  assertThrows(
    () => remote.record(() => remote.open("/dev/pldma0", 2)),
    Error,
    "Expected requests that can be repeated, found OPEN",
  );
  remote.ping();
});

Deno.test("Remote.sum() adds up bytes and words", async () => {
  using board = await connected();
  const { remote } = board;
  const memory = remote.mmap(4096, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
  memory.fill(3, 0, 4096);
  assertEquals(remote.sum(memory.address + 1n, 4095, 1), 3 * 4095);
  memory.fill(0, 0, 4096);
  memory.set(Uint8Array.of(5, 1), 8);
  assertEquals(remote.sum(memory.address, 4096, 8), 261);
  errno("EINVAL", () => remote.sum(memory.address + 1n, 8, 8));
  errno("EFAULT", () => remote.sum(memory.address, 4104, 8));
  remote.copy(memory.address, memory.address + 8n, 2);
  assertEquals(remote.sum(memory.address, 2, 1), 6);
});

Deno.test("Remote.ioctl() fails with EMFILE for an EXPORT beyond 64 files, which leaves no file behind", async () => {
  using board = await connected();
  const { remote } = board;
  const fd = remote.open("/dev/pldma0", 2);
  const exported = () => {
    const argument = new Uint8Array(EXPORT.size);
    remote.ioctl(fd, IOC.EXPORT, argument);
    return new DataView(argument.buffer).getInt32(EXPORT.at.fd, true);
  };
  const open = () => [...Deno.readDirSync(`/proc/${remote.target.pid}/fd`)].length;
  const before = open();
  const files = Array.from({ length: 63 }, exported);
  assertEquals([new Set(files).size, open()], [63, before + 63]);
  for (let i = 0; i < 3; i++) errno("EMFILE", exported);
  assertEquals(open(), before + 63);
  remote.close(files[10] ?? -1);
  assertEquals(exported(), files[10]);
  errno("EMFILE", () => remote.open("/dev/pldma0", 2));
});
