// SPDX-License-Identifier: MIT

import { assertEquals } from "@std/assert";
import { parseRemoteAddress } from "./address.ts";

Deno.test("parseRemoteAddress() parses hosts, ports and IPv6 addresses", () => {
  for (
    const [text, host, port] of [
      ["zed", "zed", 7562],
      ["10.0.0.7:99", "10.0.0.7", 99],
      ["[::1]", "::1", 7562],
      ["[fe80::1]:7000", "fe80::1", 7000],
    ] as const
  ) {
    assertEquals(parseRemoteAddress(text), { kind: "tcp", host, port, text });
  }
});

Deno.test("parseRemoteAddress() parses destinations of ssh", () => {
  for (
    const [text, destination, port, program] of [
      ["ssh://zed", "zed", null, "plumbline-agent"],
      ["ssh://root@zed:22", "root@zed", 22, "plumbline-agent"],
      ["ssh://zed/opt/a-b/agent", "zed", null, "/opt/a-b/agent"],
    ] as const
  ) {
    assertEquals(parseRemoteAddress(text), { kind: "ssh", destination, port, program, text });
  }
});

Deno.test("parseRemoteAddress() refuses what ssh or a shell could misunderstand", () => {
  for (
    const text of [
      ...["", "zed:", "zed:0", "zed:65536", "zed:x", "a b", "::1", "[::1", "zed/x"],
      ...["ssh://", "ssh://-oProxyCommand=x", "ssh://a@-b", "ssh://zed/$(x)", "ssh://zed;x"],
      ...["ssh://zed:0", "ssh://zed/a b", "ssh://zed:99999"],
    ]
  ) {
    assertEquals(parseRemoteAddress(text), null, text);
  }
});

Deno.test("parseRemoteAddress() parses serial lines, and refuses speeds that no line has", () => {
  const parse = (text: string) => parseRemoteAddress(text);
  const text = "serial:/dev/ttyUSB1";
  const line = { kind: "serial", device: "/dev/ttyUSB1", baud: 115200, text } as const;
  assertEquals(parse(text), line);
  assertEquals(parse(`${text}:921600`), { ...line, baud: 921600, text: `${text}:921600` });
  for (const wrong of ["serial:", "serial:ttyUSB1", `${text}:1`, `${text}:`, `${text}:9600:8N1`]) {
    assertEquals(parse(wrong), null, wrong);
  }
});
