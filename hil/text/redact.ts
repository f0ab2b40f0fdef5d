// SPDX-License-Identifier: MIT
/**
 * Removes from texts what people do not want to send around: names of hosts and users, and addresses.
 *
 * @module
 */
import { plural } from "./format.ts";

/** Words of the kernel's command line that matter for DMA. Others may name hosts, keys or disks. */
const SHOWN =
  /^(?:cma|mem|hugepages\w*|iommu[.\w]*|arm-smmu[.\w]*|swiotlb|isolcpus|nohz_full|rcu_nocbs|idle|maxcpus|nosmt|mitigations|cpufreq[.\w]*|cpuidle[.\w]*|pldma[.\w]*|xilinx_dma[.\w]*|module\.sig_enforce|lockdown|nokaslr)(?:=|$)/;

/**
 * Keeps the words of a kernel's command line that anybody may see.
 *
 * @param line The command line
 * @returns These words, and the number of the others
 *
 * @example A password
 * ```ts
 * import { publicCommandLine } from "./redact.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(publicCommandLine("cma=256M password=x"), "cma=256M (1 more word)");
 * ```
 */
export function publicCommandLine(line: string): string {
  const words = line.trim().split(/\s+/).filter((word) => word !== "");
  const shown = words.filter((word) => SHOWN.test(word));
  const hidden = words.length - shown.length;
  return [...shown, ...(hidden === 0 ? [] : [`(${plural(hidden, "more word")})`])].join(" ");
}

/** What is replaced in every text. */
const PATTERNS: readonly [RegExp, string][] = [
  [/\b(ssh:\/\/)[^\s"',;]+/g, "$1[host]"],
  [/\b(remote:)(?!ssh:|serial:)[^\s"',;]+/g, "$1[host]"],
  [/\/home\/[^/\s"':]+/g, "/home/[user]"],
  [/\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/gi, "[mac]"],
  [/(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)/g, "[address]"],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, "[mail]"],
];

/**
 * Removes names and addresses from a text.
 *
 * @param text The text
 * @param names Names to remove wherever they are words, such as that of the host
 * @returns The text with words in brackets in their place
 *
 * @example A path and an address
 * ```ts
 * import { redact } from "./redact.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(redact("/home/ann/top.bit on lab7, 10.0.0.7", ["lab7"]), "/home/[user]/top.bit on [name], [address]");
 * ```
 */
export function redact(text: string, names: readonly string[] = []): string {
  const plain = PATTERNS.reduce((known, [pattern, word]) => known.replaceAll(pattern, word), text);
  return names.filter((name) => name.length > 2).reduce((known, name) => {
    const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return known.replaceAll(new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, "g"), "[name]");
  }, plain);
}

/**
 * Removes names and addresses from all texts of a JSON value.
 *
 * @param value The value
 * @param names As for {@linkcode redact}
 * @returns A copy. `desk` and `kernel command line`, which name more than that, are cut
 */
export function redactAll(value: unknown, names: readonly string[] = []): unknown {
  if (typeof value === "string") return redact(value, names);
  if (Array.isArray(value)) return value.map((one) => redactAll(one, names));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === "desk" && typeof one === "string"
        ? "[name]"
        : key === "kernel command line" && typeof one === "string"
        ? publicCommandLine(one)
        : redactAll(one, names),
    ]),
  );
}
