// SPDX-License-Identifier: MIT
/**
 * The attributes of a device's accesses to memory, through the file of pl_loopback.ko in debugfs.
 *
 * @module
 */

import type { AttributePort, Attributes } from "../../driver/attributes.ts";
import { ErrnoError } from "../../driver/errno.ts";
import type { Remote } from "../../driver/remote.ts";
import { O_CLOEXEC, O_WRONLY } from "../../driver/syscalls.ts";
import { type Direction, DIRECTIONS } from "../../driver/uapi.ts";
import { foundOn } from "./remote.ts";

/** Where the files of the driver of the loopback core are. */
const ROOT = "/sys/kernel/debug/pl_loopback";

/** What each errno of opening the file means. Without privilege, it is one of {@linkcode UNPRIVILEGED}. */
const REFUSALS: Readonly<Record<number, string>> = {
  16: "another program sets the attributes of this device: wait until it has ended",
  95:
    "the core takes attributes for all its transfers at once: load a bitstream with version 1.1 of the loopback core",
};

/** EPERM and EACCES. */
const UNPRIVILEGED: readonly number[] = [1, 13];

/** What is accessed of the machine that has the device. */
export interface AttributeFiles {
  /** The program that must have the privilege, for messages. */
  readonly program: string;
  /** Target of a symbolic link. Throws if there is none. */
  readLink(path: string): string;
  /** Whether a folder or a file exists. */
  exists(path: string): boolean;
  /** Text of a file. */
  read(path: string): string;
  /** Opens a file for writing. Throws an `ErrnoError`, or an error whose message has `os error N`. */
  open(path: string): { write(text: string): void } & Disposable;
}

const HERE: AttributeFiles = {
  program: "it",
  readLink: (path) => Deno.readLinkSync(path),
  exists(path) {
    try {
      Deno.statSync(path);
      return true;
    } catch {
      return false;
    }
  },
  read: (path) => Deno.readTextFileSync(path),
  open(path) {
    const file = Deno.openSync(path, { write: true });
    return {
      write: (text) => void file.writeSync(new TextEncoder().encode(text)),
      [Symbol.dispose]: () => file.close(),
    };
  },
};

/**
 * Accesses the files of a target.
 *
 * @param remote The target
 * @returns How it is accessed
 */
export function attributeFilesOf(remote: Remote): AttributeFiles {
  return {
    program: "plumbline-agent",
    readLink: (path) => foundOn(remote, path, remote.readLink(path)),
    exists: (path) => remote.exists(path),
    read: (path) => foundOn(remote, path, remote.readFile(path)),
    open(path) {
      const fd = remote.open(path, O_WRONLY | O_CLOEXEC);
      return {
        write: (text) => void remote.write(fd, new TextEncoder().encode(text)),
        [Symbol.dispose]: () => remote.close(fd),
      };
    },
  };
}

/**
 * Open what chooses the attributes of a device's accesses.
 *
 * @param path Path of the device, such as `/dev/pldma0`
 * @param files How the machine is accessed. Defaults to this machine
 * @returns The port, or one line that says what is missing
 */
export function openAttributes(
  path: string,
  files: AttributeFiles = HERE,
): AttributePort | string {
  const client = `/sys/class/misc/${path.slice(path.lastIndexOf("/") + 1)}/device`;
  const controller = DIRECTIONS.map((direction) => {
    try {
      return files.readLink(`${client}/dma:${direction}/device`).replace(/^.*\//, "");
    } catch {
      return null;
    }
  }).find((name) => name !== null);
  const file = `${ROOT}/${controller}/attributes`;
  if (controller === undefined || !files.exists(file)) {
    return files.exists(`${ROOT}/${controller}`)
      ? "this pl_loopback.ko cannot set attributes: build and load that of this version"
      : files.exists("/sys/kernel/debug/dmaengine")
      ? "only the loopback core with its driver pl_loopback.ko can set attributes, and this device has another engine"
      : "debugfs is missing: mount -t debugfs none /sys/kernel/debug";
  }
  try {
    const defaults = parseDefaults(files.read(file));
    const opened = files.open(file);
    return {
      defaults,
      set: (direction, { cache, prot, user = defaults[direction].user }) =>
        opened.write(`direction=${direction} cache=${cache} prot=${prot} user=${user}\n`),
      [Symbol.dispose]: () => opened[Symbol.dispose](),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const errno = error instanceof ErrnoError
      ? error.errno
      : Number(/os error (\d+)/.exec(error.message)?.[1]);
    const refusal = UNPRIVILEGED.includes(errno)
      ? `setting attributes needs CAP_SYS_RAWIO: run ${files.program} as root`
      : REFUSALS[errno];
    if (refusal === undefined) throw error;
    return refusal;
  }
}

/** Reads the file: a line for each direction, such as `direction=tx cache=3 prot=0 user=0`. */
function parseDefaults(text: string): Record<Direction, Required<Attributes>> {
  const of = (direction: Direction): Required<Attributes> => {
    const line = `^direction=${direction} cache=(\\d+) prot=(\\d+) user=(\\d+)`;
    const match = new RegExp(line, "m").exec(text);
    if (match === null) {
      throw new Error(`Expected a line with direction=${direction} in attributes, found "${text}"`);
    }
    return { cache: Number(match[1]), prot: Number(match[2]), user: Number(match[3]) };
  };
  return { tx: of("tx"), rx: of("rx") };
}
