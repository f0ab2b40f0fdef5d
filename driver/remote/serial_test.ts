// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Device } from "../device.ts";
import { AgentError, Remote } from "../remote.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../syscalls.ts";
import { addressOf, startAgentOn } from "../testing/agent.ts";
import { one } from "../testing/device.ts";
import { connectLines } from "../testing/line.ts";

Deno.test("Device moves small frames over a serial line, and the next desk takes over from a lost one", async () => {
  using line = await connectLines();
  using _agent = await startAgentOn(line.ends[0]);
  const address = addressOf(`serial:${line.ends[1]}`);
  const move = (remote: Remote) => {
    using device = Device.open({ syscalls: remote });
    const [tx, rx] = [one(device, "tx"), one(device, "rx")];
    // all bytes, because a line may take some of them for its own
    const frame = Uint8Array.from({ length: 1024 }, (_, i) => i ^ (i >> 8));
    for (let round = 0; round < 3; round++) {
      rx.enqueue({ length: 4096 });
      tx.set(frame);
      tx.enqueue({ length: frame.length });
      assertEquals([device.dequeue("rx").bytes, device.dequeue("tx").bytes], [1024, 1024]);
      const back = new Uint8Array(1024);
      rx.copyTo(back);
      assertEquals(back, frame);
      assert(rx.equals(frame));
    }
  };
  {
    using remote = Remote.connect(address);
    move(remote);
  }
  {
    // this one says goodbye to nobody
    const lost = Remote.connect(address);
    lost.open("/dev/pldma0", 2);
    const garbage = new Uint8Array(10).fill(1);
    await Deno.writeFile(line.ends[1], garbage, { append: true, create: false });
  }
  using next = Remote.connect(address);
  move(next);
});

Deno.test("Remote says that a serial line carries no data and no second connection", async () => {
  using line = await connectLines();
  using _agent = await startAgentOn(line.ends[0]);
  using remote = Remote.connect(addressOf(`serial:${line.ends[1]}`));
  const memory = remote.mmap(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assertThrows(() => memory.set(new Uint8Array(1 << 17), 0), RangeError, "data need a network");
  assertThrows(() => memory.copyTo(new Uint8Array(1 << 17), 0), RangeError, "data need a network");
  memory.fill(3, 0, 1 << 20);
  assertEquals(remote.sum(memory.address, 1 << 20, 1), 3 << 20);
  await assertRejects(
    () => remote.ioctlAsync(0, 0, new Uint8Array(8)),
    Error,
    "needs a network, found a serial line",
  );
});

Deno.test("Remote.connect() explains what is wrong with a serial line", async () => {
  const connect = (text: string) => Remote.connect(addressOf(text));
  assertThrows(() => connect("serial:/dev/ttyUSB77"), AgentError, "found ENOENT");
  assertThrows(() => connect("serial:/dev/null"), AgentError, "found another file");
  using line = await connectLines();
  // nobody is there, but the other end returns what it gets
  const error = assertThrows(() => connect(`serial:${line.ends[1]}`), AgentError);
  assert(/is it another program|did not answer within 3 s/.test(error.message), error.message);
});
