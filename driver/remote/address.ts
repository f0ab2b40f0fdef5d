// SPDX-License-Identifier: MIT

/**
 * Where a target is, as people write it behind `remote:`.
 *
 * @module
 */

/** The port of `plumbline-agent`, unless the address names another one. */
export const AGENT_PORT = 7562;

/** Where a target is. */
export type RemoteAddress =
  | {
    /** A TCP connection with an agent that listens. */
    readonly kind: "tcp";
    /** Name or IP address. */
    readonly host: string;
    /** Port of the agent. */
    readonly port: number;
    /** The address as text, for messages. */
    readonly text: string;
  }
  | {
    /** An agent that ssh starts. */
    readonly kind: "ssh";
    /** The destination as ssh takes it, such as `root@zed`. */
    readonly destination: string;
    /** Port of the ssh server, or null for the default. */
    readonly port: number | null;
    /** The agent's program on the target. */
    readonly program: string;
    /** The address as text, for messages. */
    readonly text: string;
  }
  | {
    /** An agent at the other end of a serial line. It carries calls and small frames. */
    readonly kind: "serial";
    /** Path of the line on the desk, such as `/dev/ttyUSB1`. */
    readonly device: string;
    /** Bits per second. */
    readonly baud: number;
    /** The address as text, for messages. */
    readonly text: string;
  };

/** Speeds of a serial line, and their numbers in `termios` on Arm, RISC-V and x86. */
export const BAUD: Readonly<Record<number, number>> = {
  9600: 0o15,
  19200: 0o16,
  38400: 0o17,
  57600: 0o10001,
  115200: 0o10002,
  230400: 0o10003,
  460800: 0o10004,
  921600: 0o10007,
};

/** Forms of an address, for messages. */
export const REMOTE_FORMS =
  "remote:HOST[:PORT], remote:ssh://[USER@]HOST[:PORT][/PROGRAM] or remote:serial:DEVICE[:BAUD]";

/**
 * Parse an address.
 *
 * @param text What follows `remote:`, such as `zed`, `[fe80::1]:7562` or `ssh://root@zed`.
 * @returns The address, or null if it is not valid.
 *
 * @example An agent that ssh starts
 * ```ts
 * import { parseRemoteAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRemoteAddress("ssh://root@zed"), {
 *   kind: "ssh",
 *   destination: "root@zed",
 *   port: null,
 *   program: "plumbline-agent",
 *   text: "ssh://root@zed",
 * });
 * ```
 */
export function parseRemoteAddress(text: string): RemoteAddress | null {
  if (text.startsWith("serial:")) return parseSerial(text);
  return text.startsWith("ssh://") ? parseSsh(text) : parseTcp(text);
}

function parseSerial(text: string): RemoteAddress | null {
  const parts = /^serial:(\/[^:\0]+)(?::(\d{1,7}))?$/.exec(text);
  if (parts === null) return null;
  const [, device = "", digits = "115200"] = parts;
  const baud = Number(digits);
  return BAUD[baud] === undefined ? null : { kind: "serial", device, baud, text };
}

function parseTcp(text: string): RemoteAddress | null {
  const parts = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text);
  if (parts === null) return null;
  const [, literal, name, digits] = parts;
  const port = digits === undefined ? AGENT_PORT : Number(digits);
  if (port < 1 || port > 65535) return null;
  return { kind: "tcp", host: literal ?? name ?? "", port, text };
}

function parseSsh(text: string): RemoteAddress | null {
  // a destination that starts with a dash would be an option of ssh
  const parts = /^ssh:\/\/((?:[\w.-]+@)?\w[\w.-]*)(?::(\d{1,5}))?(\/[\w./-]+)?$/.exec(text);
  if (parts === null) return null;
  const [, destination = "", digits, program = "plumbline-agent"] = parts;
  const port = digits === undefined ? null : Number(digits);
  if (destination.startsWith("-") || port !== null && (port < 1 || port > 65535)) return null;
  return { kind: "ssh", destination, port, program, text };
}
