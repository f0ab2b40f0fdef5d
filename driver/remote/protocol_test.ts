// SPDX-License-Identifier: MIT

import { assertEquals } from "@std/assert";
import type { Layout } from "../layout.ts";
import { runC } from "../testing/c_compiler.ts";
import { AGENT_PORT } from "./address.ts";
import * as protocol from "./protocol.ts";

Deno.test("the numbers and layouts of the protocol are those of driver/agent/protocol.h", async () => {
  const constants: Record<string, number> = {
    AGENT_VERSION: protocol.AGENT_VERSION,
    AGENT_MAGIC: protocol.AGENT_MAGIC,
    AGENT_PORT,
    AGENT_MAX_PAYLOAD: protocol.MAX_PAYLOAD,
    AGENT_SESSION_SIZE: protocol.SESSION_SIZE,
    AGENT_POSTED: protocol.POSTED,
  };
  for (const [name, value] of Object.entries(protocol.OP)) constants[`AGENT_${name}`] = value;
  const layouts: Layout<string>[] = [
    protocol.REQUEST,
    protocol.REPLY,
    protocol.HELLO,
    protocol.WELCOME,
    protocol.REPEATED,
  ];
  for (const { name, size, at } of layouts) {
    constants[`sizeof(struct ${name})`] = size;
    for (const [member, offset] of Object.entries<number>(at)) {
      constants[`offsetof(struct ${name}, ${member})`] = offset;
    }
  }
  const expressions = Object.keys(constants);
  const header = new URL("../agent/protocol.h", import.meta.url).pathname;
  const lines = expressions.map((one) => `printf("%lu\\n", (unsigned long)(${one}));`);
  const source = `#include <stddef.h>\n#include <stdio.h>\n#include "${header}"\n` +
    `int main(void) { ${lines.join("\n")} return 0; }\n`;
  const found = new TextDecoder().decode(await runC(source)).trim().split("\n").map(Number);
  assertEquals(
    Object.fromEntries(expressions.map((one, i) => [one, found[i]])),
    constants,
  );
});
