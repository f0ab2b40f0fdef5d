// SPDX-License-Identifier: MIT
/**
 * Conditions of the machine and its kernel.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";
import { formatBytes } from "../text/format.ts";
import { type Condition, met, unmet } from "./condition.ts";
import { type Facts, type Files, linkName, textOf } from "./facts.ts";

/** The oldest kernel that `pldma` is compiled for in this project's tests. */
const OLDEST = [6, 1] as const;

/** The options of a kernel without which `pldma` cannot be loaded. */
const NEEDED = ["CONFIG_MODULES", "CONFIG_DMA_ENGINE"];

/** Memory that the loops of the suites need, bytes. */
const WANTED_CMA = 64 << 20;
const WANTED_LOCKED = 64 << 20;

/** Entry of the auxiliary vector with the page size (`AT_PAGESZ` of `linux/auxvec.h`). */
const AT_PAGESZ = 6;

/**
 * Judges what the board is and which kernel runs on it.
 *
 * @param facts The machine
 * @returns The conditions
 */
export function checkMachine(facts: Facts): Condition[] {
  return [
    facts.remote === null ? checkArchitecture(facts) : met(
      { id: "agent", title: "agent of the board", expected: "plumbline-agent answers" },
      `${facts.remote}, ${facts.arch}, ${
        facts.user === null
          ? "user not shown"
          : facts.user === 0
          ? "as root"
          : `as user ${facts.user}`
      }`,
    ),
    checkPages(facts),
    checkKernel(facts),
    checkOptions(facts),
    checkLogic(facts.files),
  ];
}

function checkArchitecture({ arch }: Facts): Condition {
  const subject = {
    id: "architecture",
    title: "architecture",
    expected: "aarch64 or x86_64, on which Deno runs",
  };
  return ["aarch64", "x86_64"].includes(arch)
    ? met(subject, arch)
    : unmet(subject, "missing", arch, "use the agent: --board remote:HOST (docs/remote.md)");
}

function checkPages({ files, arch, remote }: Facts): Condition {
  const subject = { id: "page-size", title: "page size", expected: "any" };
  const bytes = files.readBytes("/proc/self/auxv");
  if (bytes !== null) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // a key and its value, each as long as a pointer
    const long = /^(?:arm(?!64)|i\d86|riscv32)/.test(arch) ? 4 : 8;
    const word = (at: number) =>
      long === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
    for (let at = 0; at + 2 * long <= bytes.length; at += 2 * long) {
      if (word(at) === AT_PAGESZ) return met(subject, formatBytes(word(at + long)));
    }
  }
  return unmet(subject, "unknown", notShown("/proc/self/auxv", remote), null);
}

function checkKernel({ release }: Facts): Condition {
  const subject = { id: "kernel", title: "Linux", expected: `${OLDEST.join(".")} or later` };
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (major === undefined || minor === undefined) return unmet(subject, "unknown", release, null);
  const older = Number(major) < OLDEST[0] ||
    Number(major) === OLDEST[0] && Number(minor) < OLDEST[1];
  return older
    ? unmet(
      subject,
      "advice",
      `${release}, for which pldma was never compiled`,
      "if make -C driver/kernel fails, boot a kernel from 6.1 on",
    )
    : met(subject, release);
}

function checkOptions({ files, release, remote }: Facts): Condition {
  const subject = { id: "kernel-options", title: "kernel options", expected: NEEDED.join(", ") };
  if (files.list("/sys/module/pldma").length > 0) return met(subject, "pldma is loaded");
  const config = readConfig(files, release);
  if (config === null) {
    const names = remote === null
      ? `/proc/config.gz, no /boot/config-${release}`
      : "/proc/config.gz";
    return unmet(subject, "unknown", notShown(names, remote), null);
  }
  const missing = NEEDED.filter((name) => !new RegExp(`^${name}=[ym]$`, "m").test(config));
  return missing.length === 0 ? met(subject, "both are set") : unmet(
    subject,
    "missing",
    `without ${missing.join(", ")}`,
    `build a kernel with ${missing.map((name) => `${name}=y`).join(" ")}`,
  );
}

function readConfig(files: Files, release: string): string | null {
  const packed = files.readBytes("/proc/config.gz");
  try {
    if (packed !== null) return new TextDecoder().decode(gunzipSync(packed));
  } catch {
    // not what Linux writes there
  }
  return files.readFile(`/boot/config-${release}`);
}

/** What is said of a file that cannot be read. An older agent refuses files that this one shows. */
function notShown(path: string, remote: string | null): string {
  return `no ${path}${remote === null ? "" : " that the agent shows"}`;
}

function checkLogic(files: Files): Condition {
  const subject = {
    id: "fpga",
    title: "programmable logic",
    expected: "a manager in state operating",
  };
  const managers = files.list("/sys/class/fpga_manager").map((name) => {
    const path = `/sys/class/fpga_manager/${name}`;
    const state = textOf(files, `${path}/state`) ?? "unknown";
    return { state, text: `${name}: ${textOf(files, `${path}/name`) ?? "unnamed"}, ${state}` };
  });
  const text = managers.map((one) => one.text).join("; ");
  if (managers.length === 0) {
    return unmet(
      subject,
      "unknown",
      "this kernel has no FPGA manager, as on a PCIe card or with logic that was loaded at boot",
      null,
    );
  }
  if (managers.every(({ state }) => state === "operating")) return met(subject, text);
  return unmet(
    subject,
    "advice",
    text,
    "load the logic: plumbline run --bitstream top.bit.bin, or fpgautil, or xmutil loadapp",
  );
}

/**
 * Judges what does not stop a frame, but limits blocks or measurements.
 *
 * @param facts The machine
 * @param controllers Names of the devices of the DMA controllers
 * @returns The conditions
 */
export function checkLimits(facts: Facts, controllers: readonly string[]): Condition[] {
  return [
    checkContiguous(facts.files),
    checkLocked(facts),
    checkTranslation(facts.files, controllers),
    checkGovernor(facts.files),
  ];
}

function checkContiguous(files: Files): Condition {
  const subject = {
    id: "cma",
    title: "contiguous memory",
    expected: `${formatBytes(WANTED_CMA)} of CMA free`,
  };
  const memory = files.readFile("/proc/meminfo") ?? "";
  const [total, free] = ["CmaTotal", "CmaFree"].map((name) => {
    const text = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(memory)?.[1];
    return text === undefined ? null : Number(text) * 1024;
  });
  if (typeof total !== "number" || typeof free !== "number" || total === 0) {
    return unmet(subject, "unknown", "no CMA; coherent blocks come from the page allocator", null);
  }
  const found = `${formatBytes(free)} free of ${formatBytes(total)}`;
  return free >= WANTED_CMA
    ? met(subject, found)
    : unmet(subject, "advice", found, "add cma=256M to the kernel's command line, and boot again");
}

function checkLocked({ files, user, remote }: Facts): Condition {
  const subject = {
    id: "locked-memory",
    title: "lockable memory",
    expected: `${formatBytes(WANTED_LOCKED)} for the policies user-pages (ulimit -l)`,
  };
  const limits = files.readFile("/proc/self/limits") ?? "";
  const soft = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1];
  if (soft === undefined) {
    return unmet(subject, "unknown", notShown("/proc/self/limits", remote), null);
  }
  const found = soft === "unlimited" ? soft : formatBytes(Number(soft));
  if (user === 0) return met(subject, `${found}; root may lock any amount`);
  if (soft === "unlimited" || Number(soft) >= WANTED_LOCKED) return met(subject, found);
  const mend = remote === null
    ? `sudo prlimit --pid $$ --memlock=${WANTED_LOCKED}`
    : `on ${remote}: sudo prlimit --pid $(pidof plumbline-agent) --memlock=${WANTED_LOCKED}`;
  return unmet(subject, "advice", found, mend);
}

function checkTranslation(files: Files, controllers: readonly string[]): Condition {
  const subject = { id: "iommu", title: "IOMMU", expected: "either way" };
  const groups = files.list("/sys/kernel/iommu_groups");
  if (groups.length === 0) return met(subject, "none: the engine uses physical addresses");
  const behind = controllers.filter((device) =>
    ["platform", "pci"].some((bus) =>
      linkName(files, `/sys/bus/${bus}/devices/${device}/iommu_group`) !== null
    )
  );
  return met(
    subject,
    behind.length === 0
      ? `${groups.length} groups, none with a DMA controller`
      : `${behind.join(", ")} behind an IOMMU: a wild address faults, and dmesg has it`,
  );
}

function checkGovernor(files: Files): Condition {
  const subject = { id: "governor", title: "CPU governor", expected: "performance, to benchmark" };
  const found = textOf(files, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (found === null) return met(subject, "the processor's frequency is fixed, or not Linux's");
  return found === "performance" ? met(subject, found) : unmet(
    subject,
    "advice",
    found,
    "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
  );
}
