// SPDX-License-Identifier: MIT
/** Several descriptors, several processes, and signals. @module */

import { ERRNO } from "../../../driver/errno.ts";
import { assert, fails, group, kernel, LONG, refusesCall, same } from "./check.ts";
import { dup, system, withSignals } from "./kernel.ts";
import { dequeueArgument } from "./raw.ts";

const CHILD = new URL("./child.ts", import.meta.url).pathname;

export const process = group("process:", (check) => {
  check(
    {
      name: "a duplicate descriptor is the same open device until both are closed",
      needs: kernel,
    },
    (raw, context) => {
      const { id } = raw.alloc("streaming", "rx");
      const other = context.adopt(dup(raw.fd));
      raw.setNonblocking(true);
      raw.enqueue(id);
      raw.close();
      fails("EBUSY", "open", () => context.open());
      refusesCall(other, "EAGAIN", "DEQUEUE", dequeueArgument("rx", context.in(60_000)));
      same(other.reset(), 1, "returned");
      other.close();
      context.open();
    },
  );

  check(
    { name: "a child that inherits the descriptor keeps the device open", needs: kernel },
    async (raw, context) => {
      raw.close();
      const dir = Deno.makeTempDirSync({ prefix: "plumbline-abi-" });
      try {
        const mine = context.open(0);
        const child = system(
          `cd '${dir}' && : > started && for i in $(seq 400); do [ -e go ] && exit; sleep 0.05; done`,
        );
        await appears(`${dir}/started`);
        mine.close();
        fails("EBUSY", "open", () => context.open());
        Deno.writeTextFileSync(`${dir}/go`, "");
        same(await child, 0, "exit status of the child");
        context.open();
      } finally {
        Deno.removeSync(dir, { recursive: true });
      }
    },
  );

  check(
    {
      name: "ENQUEUE fails with EPERM for memory of another process, and changes nothing",
      needs: kernel,
    },
    async (raw, context) => {
      raw.close();
      const mine = context.open(0);
      const id = mine.register("user-pages", "rx", context.memory().address);
      const before = mine.stats().bytes.toHex() + mine.query(id).bytes.toHex();
      const command = `'${Deno.execPath()}' run -A --no-check --quiet '${CHILD}' ${mine.fd} ${id}`;
      same(await system(command), ERRNO.EPERM, "errno in the child");
      same(mine.stats().bytes.toHex() + mine.query(id).bytes.toHex(), before, "STATS and QUERY");
      mine.enqueue(id);
    },
  );

  check(
    {
      name: "DEQUEUE that waits fails with EINTR at a signal, and stores it in the struct",
      needs: kernel,
    },
    (raw, context) => {
      raw.enqueue(raw.alloc("streaming", "rx").id);
      withSignals(false, () => {
        const argument = dequeueArgument("rx", context.in(LONG));
        fails("EINTR", "DEQUEUE", () => raw.call("DEQUEUE", argument));
        same(argument.get("error"), ERRNO.EINTR, "error");
      });
    },
  );

  check(
    { name: "DEQUEUE that the kernel restarts keeps its deadline", needs: kernel },
    (raw, context) => {
      raw.enqueue(raw.alloc("streaming", "rx").id);
      withSignals(true, () => {
        const deadline = context.in(100);
        fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", deadline));
        const late = (context.now() - deadline) / 1e6;
        // if each signal restarted the whole wait, it would never end
        assert(late >= 0 && late < LONG, `DEQUEUE returned ${late} ms after its deadline`);
      });
    },
  );
});

/** Waits for a file. */
async function appears(path: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    try {
      Deno.statSync(path);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Expected ${path} within 20 s, found nothing: did the child start?`);
}
