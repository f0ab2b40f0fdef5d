// SPDX-License-Identifier: MIT
/**
 * Facts about machine and kernel, for those who compare measurements later. They are gathered once per
 * run, from `/proc` and `/sys`. A fact that cannot be read is `null`, and nothing fails.
 *
 * @module
 */
import { type Direction, DIRECTIONS } from "../../driver/uapi.ts";
import type { KernelFiles } from "../../driver/remote.ts";
import type { Environment } from "../results/schema.ts";
import { localFiles } from "./local_files.ts";

/** Limit for the length of a fact, in characters. */
const LONGEST = 2000;

/** Limit for the number of modules. */
const MOST_MODULES = 16;

/**
 * Gathers facts about the machine that this process runs on.
 *
 * @param options `device`: path of the device node, for facts about its channels and engine. Defaults
 * to `/dev/pldma0`. `files`: the files of the machine. Defaults to those of this one. `root`: folder with
 * `/proc` and `/sys`, for tests
 * @returns The facts. An unknown one is `null`
 *
 * @example The kernel's command line
 * ```ts
 * import { gatherEnvironment } from "./environment.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(typeof gatherEnvironment()["kernel command line"], "string");
 * ```
 */
export function gatherEnvironment(
  { device = "/dev/pldma0", root = "", files = localFiles }: {
    device?: string | undefined;
    root?: string;
    files?: KernelFiles | undefined;
  } = {},
): Environment {
  const read = (path: string) => text(files, path);
  const cpu = `${root}/sys/devices/system/cpu`;
  const client = `${root}/sys/class/misc/${device.split("/").at(-1)}/device`;
  const frequency = Number(read(`${cpu}/cpu0/cpufreq/scaling_cur_freq`) ?? NaN) / 1000;
  const memory = read(`${root}/proc/meminfo`) ?? "";
  return {
    "machine": read(`${root}/proc/device-tree/model`) ??
      read(`${root}/sys/class/dmi/id/product_name`),
    "processor": /^model name\s*: (.*)$/m.exec(read(`${root}/proc/cpuinfo`) ?? "")?.[1] ?? null,
    "processors online": read(`${cpu}/online`),
    "CPU governor": read(`${cpu}/cpu0/cpufreq/scaling_governor`),
    "CPU frequency (MHz)": Number.isFinite(frequency) ? frequency : null,
    ...caches(files, `${cpu}/cpu0/cache`),
    "memory (KiB)": kilobytes(memory, "MemTotal"),
    "CMA (KiB)": kilobytes(memory, "CmaTotal"),
    "kernel version": read(`${root}/proc/version`),
    "kernel command line": read(`${root}/proc/cmdline`),
    "load average": read(`${root}/proc/loadavg`)?.split(" ").slice(0, 3).join(" ") ?? null,
    ...(files === localFiles ? {} : { "desk": describeDesk() }),
    ...engine(files, client),
    ...modules(files, `${root}/sys/module`, client),
  };
}

/** The machine that Plumbline runs on, if the board is another one. No other fact is about it. */
function describeDesk(): string {
  return `${Deno.hostname()}, ${Deno.build.arch}, Linux ${Deno.osRelease()}`;
}

/** Reads a short text file, without its final line break. Returns `null` if it cannot be read. */
function text(files: KernelFiles, path: string): string | null {
  const content = files.readFile(path)?.replace(/[\0\n]+$/, "") ?? "";
  if (content === "") return null;
  return content.length <= LONGEST ? content : `${content.slice(0, LONGEST - 1)}…`;
}

function kilobytes(memory: string, name: string): number | null {
  const value = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(memory)?.[1];
  return value === undefined ? null : Number(value);
}

/** Caches of the first processor, such as `cache L1d`: `32K, lines of 64 bytes, 4 ways`. */
function caches(files: KernelFiles, path: string): Environment {
  const found: Record<string, string> = {};
  for (const index of files.list(path).filter((name) => /^index\d+$/.test(name))) {
    const get = (name: string): string | null => text(files, `${path}/${index}/${name}`);
    const [level, type, size] = [get("level"), get("type"), get("size")];
    if (level === null || type === null || size === null) continue;
    const kind = { Data: "d", Instruction: "i" }[type] ?? "";
    const line = get("coherency_line_size");
    const ways = get("ways_of_associativity");
    found[`cache L${level}${kind}`] = size +
      (line === null ? "" : `, lines of ${line} bytes`) +
      (ways === null || ways === "0" ? "" : `, ${ways} ways`);
  }
  return found;
}

/** Facts about the DMA controller: its driver, and whether the device tree calls it coherent. */
function engine(files: KernelFiles, client: string): Environment {
  const facts: Record<string, string | boolean | null> = {};
  for (const direction of DIRECTIONS) {
    const controller = controllerOf(client, direction);
    const node = `${controller}/of_node`;
    const properties = files.list(node);
    facts[`device tree dma-coherent ${direction}`] = properties.length > 0
      ? properties.includes("dma-coherent")
      : null;
    facts[`driver of channel ${direction}`] = linkName(files, `${controller}/driver`);
  }
  return facts;
}

/**
 * The device of the DMA controller, which is the parent of a channel's device. dmaengine links the
 * channel into its client, under the name that the client requested.
 */
function controllerOf(client: string, direction: Direction): string {
  return `${client}/dma:${direction}/device`;
}

/**
 * Versions and hashes of our modules, and of the modules that drive the DMA controller. The build id
 * identifies the binary.
 */
function modules(files: KernelFiles, path: string, client: string): Environment {
  const ours = files.list(path).filter((name) => /^(pldma$|pl_)/.test(name));
  const engines = DIRECTIONS.map((direction) =>
    linkName(files, `${controllerOf(client, direction)}/driver/module`)
  ).filter((name) => name !== null);
  const found: Record<string, string> = {};
  for (const name of [...new Set([...engines, ...ours])].slice(0, MOST_MODULES)) {
    const facts = [
      text(files, `${path}/${name}/version`),
      named("source", text(files, `${path}/${name}/srcversion`)),
      named("build", buildId(files, `${path}/${name}/notes/.note.gnu.build-id`)),
    ].filter((fact) => fact !== null);
    found[`module ${name}`] = facts.length === 0 ? "loaded" : facts.join(", ");
  }
  return found;
}

function named(name: string, value: string | null): string | null {
  return value === null ? null : `${name} ${value}`;
}

/** The build id in an ELF note: lengths of name and content, type, "GNU", and the id. */
function buildId(files: KernelFiles, path: string): string | null {
  const bytes = files.readBytes(path);
  if (bytes === null || bytes.length < 12) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [name, length] = [view.getUint32(0, true), view.getUint32(4, true)];
  const start = 12 + Math.ceil(name / 4) * 4;
  if (length > 64 || start + length > bytes.length) return null;
  return bytes.subarray(start, start + length).toHex();
}

function linkName(files: KernelFiles, path: string): string | null {
  return files.readLink(path)?.split("/").at(-1) ?? null;
}
