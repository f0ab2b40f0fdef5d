// SPDX-License-Identifier: MIT
/**
 * Conditions of the kernel module: built for this kernel, signed if the kernel asks for it, and loaded;
 * and of the device that it makes.
 *
 * @module
 */
import type { Quirk } from "../../driver/uapi.ts";
import { after, type Condition, met, unmet } from "./condition.ts";
import { type Facts, type Files, isThere, textOf } from "./facts.ts";

/** What the last bytes of a signed module are (`include/linux/module_signature.h` of Linux). */
const SIGNATURE = "~Module signature appended~\n";

/** Where the firmware says whether it checks signatures. Byte 4 of the file is 0 or 1. */
const SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/** The quirks, as the parameter `quirks=` of the module takes them. */
const QUIRK_NAMES: Readonly<Record<Quirk, string>> = {
  terminate: "terminate-unproved",
  oneSegment: "one-segment",
  length: "length-unknown",
  oneTransfer: "one-transfer",
  alignBytes: "copy-align-bytes",
  resetsBoth: "resets-both",
};

/** What is expected of the module's signature. */
const SIGNED = "one that the kernel accepts, if it asks for one";

/** A file with the module. */
interface ModuleFile {
  readonly path: string;
  /** Whether `modprobe` finds it. */
  readonly installed: boolean;
  /** The release that it was built for, or null if the file is compressed or no module. */
  readonly release: string | null;
  readonly signed: boolean;
}

/**
 * Judges the module, up to the point where it is loaded.
 *
 * @param facts The machine
 * @param parameters Its parameters, such as `tx=dma0chan0 rx=dma0chan1`, or null if they are not known
 * @returns The conditions. The last one is that the module is loaded
 */
export function checkModule(facts: Facts, parameters: string | null): Condition[] {
  const { files, remote } = facts;
  const loaded = files.list("/sys/module/pldma").length > 0;
  if (loaded) return [checkLoaded(facts, null, parameters)];
  const signing = { id: "module-signature", title: "signature of pldma.ko", expected: SIGNED };
  if (remote !== null) {
    // the module comes from a desk, and no agent shows where it lies
    const reasons = signatureReasons(files);
    return [
      reasons.length === 0 ? met(signing, "the kernel asks for none") : unmet(
        signing,
        "advice",
        reasons.join(", "),
        "sign the module with a key that is enrolled (docs/module-signing.md)",
      ),
      checkLoaded(facts, null, parameters),
    ];
  }
  const file = findModule(facts);
  const built = checkBuilt(facts, file);
  const tools = built.status === "missing" ? [checkHeaders(facts), checkCompiler(facts)] : [];
  const signature = after(built, signing, () => checkSignature(files, file, signing));
  const last = { id: "module-loaded", title: "pldma loaded", expected: "/sys/module/pldma" };
  return [
    ...tools,
    built,
    signature,
    after(signature, last, () => checkLoaded(facts, file, parameters)),
  ];
}

function checkHeaders({ files, release }: Facts): Condition {
  const subject = {
    id: "headers",
    title: "kernel headers",
    expected: `/lib/modules/${release}/build`,
  };
  if (isThere(files, `/lib/modules/${release}/build/Makefile`)) {
    return met(subject, "they are there");
  }
  const system = textOf(files, "/etc/os-release") ?? "";
  const id = /^ID(?:_LIKE)?="?([^"\n]*)/gm;
  const names = [...system.matchAll(id)].flatMap(([, text = ""]) => text.split(" "));
  const mend = names.includes("debian") || names.includes("ubuntu")
    ? `sudo apt install linux-headers-${release}`
    : names.includes("fedora") || names.includes("rhel")
    ? `sudo dnf install kernel-devel-${release}`
    : "build on a desk: make -C driver/kernel KDIR=KERNEL ARCH=arm64 " +
      "CROSS_COMPILE=aarch64-linux-gnu-";
  return unmet(subject, "missing", "none", mend);
}

function checkCompiler({ files }: Facts): Condition {
  const subject = { id: "compiler", title: "compiler", expected: "gcc and make" };
  const found = new Set(["/usr/bin", "/usr/local/bin", "/bin"].flatMap(files.list));
  const missing = ["gcc", "make"].filter((name) => !found.has(name));
  return missing.length === 0 ? met(subject, "both are there") : unmet(
    subject,
    "missing",
    `no ${missing.join(", no ")}`,
    `sudo apt install ${missing.join(" ")}`,
  );
}

function checkBuilt({ release, driver }: Facts, file: ModuleFile | null): Condition {
  const subject = {
    id: "module-built",
    title: "pldma.ko",
    expected: `built for Linux ${release}`,
  };
  const build = `make -C ${driver}`;
  if (file === null) return unmet(subject, "missing", "none", build);
  if (file.release === null) return met(subject, `${file.path}, compressed`);
  return file.release === release ? met(subject, file.path) : unmet(
    subject,
    "missing",
    `${file.path}, built for Linux ${file.release}`,
    `make -C ${driver} clean && ${build}`,
  );
}

/** Why the kernel asks for signatures, or no text. */
function signatureReasons(files: Files): string[] {
  return [
    files.readBytes(SECURE_BOOT)?.[4] === 1 ? "Secure Boot is on" : "",
    textOf(files, "/sys/module/module/parameters/sig_enforce") === "Y"
      ? "the kernel enforces signatures"
      : "",
    /\[(integrity|confidentiality)\]/.test(textOf(files, "/sys/kernel/security/lockdown") ?? "")
      ? "the kernel is locked down"
      : "",
  ].filter((reason) => reason !== "");
}

function checkSignature(
  files: Files,
  file: ModuleFile | null,
  subject: { id: string; title: string; expected: string },
): Condition {
  const reasons = signatureReasons(files);
  if (reasons.length === 0) return met(subject, "the kernel asks for none");
  if (file?.signed === true) {
    return met(subject, `signed; ${reasons.join(", ")}, so its key must be enrolled`);
  }
  if (file !== null && file.release === null) {
    return unmet(subject, "unknown", `${reasons.join(", ")}; ${file.path} is compressed`, null);
  }
  return unmet(
    subject,
    "missing",
    `none, and ${reasons.join(", ")}`,
    "sign the module with a key that is enrolled (docs/module-signing.md)",
  );
}

function checkLoaded(
  { files, remote }: Facts,
  file: ModuleFile | null,
  parameters: string | null,
): Condition {
  const subject = { id: "module-loaded", title: "pldma loaded", expected: "/sys/module/pldma" };
  if (files.list("/sys/module/pldma").length > 0) {
    return met(subject, textOf(files, "/sys/module/pldma/version") ?? "loaded");
  }
  const how = file === null || file.installed ? "modprobe pldma" : `insmod ${file.path}`;
  const what = parameters === null ? "tx=CHANNEL rx=CHANNEL" : parameters;
  const where = remote === null ? "sudo " : `on ${remote}: `;
  return unmet(subject, "missing", "not loaded", `${where}${how} ${what}`);
}

/** Finds the module: one that `modprobe` finds, or one that was built in the checkout. */
function findModule({ files, release, driver }: Facts): ModuleFile | null {
  const base = `/lib/modules/${release}`;
  const places = [`${base}/updates/dkms`, `${base}/updates`, `${base}/extra`, driver];
  for (const place of places) {
    const name = files.list(place).find((one) => /^pldma\.ko(\.[a-z]+)?$/.test(one));
    if (name === undefined) continue;
    const path = `${place}/${name}`;
    const text = new TextDecoder("latin1").decode(files.readBytes(path) ?? new Uint8Array());
    return {
      path,
      installed: place !== driver,
      release: name === "pldma.ko" ? /vermagic=(\S+)/.exec(text)?.[1] ?? "nothing known" : null,
      signed: text.endsWith(SIGNATURE),
    };
  }
  return null;
}

/**
 * Judges the device that the module makes.
 *
 * @param facts The machine
 * @param loaded The condition that the module is loaded
 * @param device The device, such as `/dev/pldma0`
 * @returns The conditions
 */
export function checkDevice(facts: Facts, loaded: Condition, device: string): Condition[] {
  const there = {
    id: "device",
    title: device,
    expected: "a device that this user can open",
  };
  const usable = after(loaded, there, () => {
    const problem = facts.explain(device);
    if (problem === null) return met(there, "it opens");
    // the advice is behind the last colon; what was found may quote the kernel
    const colon = problem.lastIndexOf(": ");
    return colon < 0
      ? unmet(there, "missing", problem, "see dmesg")
      : unmet(there, "missing", problem.slice(0, colon), problem.slice(colon + 2));
  });
  const version = {
    id: "driver-version",
    title: "version of the driver",
    expected: "that of this Plumbline",
  };
  const quirks = { id: "quirks", title: "quirks in force", expected: "those of the engine" };
  const info = usable.status === "ok" ? facts.info(device) : null;
  return [
    usable,
    after(usable, version, () => {
      if (typeof info === "object" && info !== null) return met(version, `ABI ${info.abiVersion}`);
      return unmet(
        version,
        "missing",
        info ?? "no answer",
        `build pldma.ko of this checkout and load it: make -C ${facts.driver}, ` +
          "sudo rmmod pldma, and load it as before",
      );
    }),
    ...(typeof info === "object" && info !== null
      ? [met(
        quirks,
        (["tx", "rx"] as const).flatMap((direction) => {
          const chan = info[direction];
          if (chan === null) return [];
          const list = chan.quirks.map((quirk) => QUIRK_NAMES[quirk]).join("+");
          return [`${direction}: ${chan.engine} ${list === "" ? "none" : list}`];
        }).join("; "),
      )]
      : []),
  ];
}
