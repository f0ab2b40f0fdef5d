// SPDX-License-Identifier: MIT

/**
 * The numbers of the agent's protocol: `driver/agent/protocol.h` in TypeScript. A test compares both.
 *
 * @module
 */

import { type Layout, struct } from "../layout.ts";

/** `AGENT_VERSION`: the version of the protocol. */
export const AGENT_VERSION = 1;

/** `AGENT_MAGIC`: "PLBA". */
export const AGENT_MAGIC = 0x41424c50;

/** `AGENT_MAX_PAYLOAD`: the longest payload, bytes. */
export const MAX_PAYLOAD = 8 << 20;

/** `AGENT_SESSION_SIZE`: length of the name of a session, bytes. */
export const SESSION_SIZE = 16;

/** `AGENT_POSTED`: flag of a request that gets no reply. */
export const POSTED = 1;

/** `enum agent_op`: the requests. */
export const OP = {
  HELLO: 0,
  OPEN: 1,
  CLOSE: 2,
  IOCTL: 3,
  MMAP: 4,
  MUNMAP: 5,
  POLL: 6,
  READ: 7,
  WRITE: 8,
  CLOCK: 9,
  PUT: 10,
  GET: 11,
  COPY: 12,
  COMPARE: 13,
  COMPARE_WITH: 14,
  FILL: 15,
  CRC: 16,
  LOCK: 17,
  FILE: 18,
  LIST: 19,
  LINK: 20,
  ATTACH: 21,
  LOG: 22,
  SUM: 23,
  REPEAT: 24,
  CREATE: 25,
  FOLDER: 26,
  REMOVE: 27,
  EXISTS: 28,
} as const;

/** Name of a request. */
export type OpName = keyof typeof OP;

/** `struct agent_request`. `op` holds the flags, too, in its upper half. */
export const REQUEST: Layout<"length" | "op" | "arg"> = struct("agent_request", {
  length: "u32",
  op: "u32",
  arg: ["u64", 5],
});

/** `struct agent_reply`. */
export const REPLY: Layout<
  "length" | "error" | "result" | "now_ns" | "posted_error" | "reserved"
> = struct("agent_reply", {
  length: "u32",
  error: "s32",
  result: "u64",
  now_ns: "u64",
  posted_error: "s32",
  reserved: "u32",
});

/** `struct agent_hello`. The token follows. */
export const HELLO: Layout<"magic" | "version" | "session"> = struct("agent_hello", {
  magic: "u32",
  version: "u32",
  session: ["u8", SESSION_SIZE],
});

/** `struct agent_welcome`. */
export const WELCOME: Layout<
  | "magic"
  | "version"
  | "session"
  | "pid"
  | "page_size"
  | "pointer_size"
  | "reserved"
  | "machine"
  | "release"
  | "node"
> = struct("agent_welcome", {
  magic: "u32",
  version: "u32",
  session: ["u8", SESSION_SIZE],
  pid: "u32",
  page_size: "u32",
  pointer_size: "u32",
  reserved: "u32",
  machine: ["u8", 32],
  release: ["u8", 64],
  node: ["u8", 64],
});

/** `struct agent_repeated`. The records follow. */
export const REPEATED: Layout<"wrong" | "user_ns" | "system_ns" | "failed_step" | "reserved"> =
  struct("agent_repeated", {
    wrong: "u64",
    user_ns: "u64",
    system_ns: "u64",
    failed_step: "u32",
    reserved: "u32",
  });
