// SPDX-License-Identifier: MIT
/**
 * An aarch64 board without a network and without shared folders, as in a laboratory. It has a compiler
 * and the kernel's headers. Its memory contains all files from the start, and it returns results
 * through a serial port.
 *
 * @module
 */
import { apt, download, release, unpack } from "../../../fixtures/host/apt.ts";
import { type Arch, arches } from "../../../fixtures/host/arch.ts";
import { commonArguments } from "../../../fixtures/boards/vm/qemu.ts";
import { once, removeTree } from "../../../fixtures/host/cache.ts";
import { cpio, type CpioFile } from "../../../fixtures/boards/vm/cpio.ts";
import { deviceTree } from "../../../fixtures/boards/vm/devicetree.ts";
import { note, qemuPath, run } from "../../../fixtures/host/run.ts";
import { kernelReports } from "../../../fixtures/boards/vm/reports.ts";
import { type System, system } from "../../../fixtures/boards/vm/system.ts";
import { headerPackages } from "../../../fixtures/kernels/store.ts";

const arch: Arch = "aarch64";

/** The files for building a module natively: 60 MB, a quarter of the full packages. */
const compiler: Readonly<Record<string, readonly string[]>> = {
  "gcc-12": ["./usr/bin/*gcc-12"],
  "cpp-12": ["./usr/lib/gcc/*/cc1"],
  "make": ["./usr/bin/*"],
  "binutils": ["./usr/bin/*"],
  "binutils-aarch64-linux-gnu": ["./usr/bin/*"],
  "libbinutils": ["./usr/lib/*.so*"],
  "libctf0": ["./usr/lib/*.so*"],
  "libctf-nobfd0": ["./usr/lib/*.so*"],
  "libjansson4": ["./usr/lib/*.so*"],
  "libgmp10": ["./usr/lib/*.so*"],
  "libisl23": ["./usr/lib/*.so*"],
  "libmpc3": ["./usr/lib/*.so*"],
  "libmpfr6": ["./usr/lib/*.so*"],
  "libzstd1": ["./usr/lib/*.so*"],
  "zlib1g": ["./lib/*.so*"],
};

/** Options of {@linkcode runAirgapped}. */
export interface AirgapOptions {
  /** Files for the board: path in the root of the board to path on the host. */
  readonly files: Readonly<Record<string, string>>;
  /** A shell script that ends at the first failure. The host gets what it leaves in /out. */
  readonly job: string;
  /** Folder on the host for /out and for the log of the console. */
  readonly dir: string;
  /** Limit for the whole run, boot included. */
  readonly timeoutSeconds: number;
}

/** How the board ended. */
export interface AirgapRun {
  /** Exit status of the script, or `null` if nothing came back. */
  readonly exitCode: number | null;
  /** What the kernel complained about. */
  readonly kernelReports: readonly string[];
  /** Text of the console. */
  readonly console: string;
  /** Folder on the host with the files of /out. */
  readonly out: string;
}

/**
 * Boots the board, runs a script in it, and fetches the files that the script left in /out.
 *
 * @param options The files and the script
 * @returns How the board ended
 * @throws {UnavailableError} If this machine cannot run the board
 */
export async function runAirgapped(options: AirgapOptions): Promise<AirgapRun> {
  const facts = arches[arch];
  const { dir } = options;
  const base = await baseArchive();
  const brought: CpioFile[] = [{ name: "job", mode: 0o100644, content: encode(options.job) }];
  for (const [name, path] of Object.entries(options.files)) {
    brought.push({ name, mode: 0o100644, content: await Deno.readFile(path) });
  }
  // the kernel unpacks one archive after the other
  await Deno.copyFile(base, `${dir}/initramfs`);
  await Deno.writeFile(`${dir}/initramfs`, cpio(brought), { append: true });
  await Deno.writeFile(`${dir}/out.tar`, new Uint8Array());

  const machine = [...facts.machine, "-accel", "tcg,thread=multi", "-smp", "2", "-m", "3072"];
  const kernelArguments = [...facts.kernelArguments, ...commonArguments, "swiotlb=131072,force"];
  const qemu = await run("setpriv", [
    ...["--pdeathsig", "KILL", "--", facts.qemu, ...machine],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none"],
    ...["-kernel", (await system(arch)).kernel, "-initrd", `${dir}/initramfs`],
    ...[
      "-append",
      kernelArguments.join(" "),
      "-dtb",
      await deviceTree(facts.qemu, machine, null, dir),
    ],
    ...[
      "-chardev",
      `file,id=console,path=${qemuPath(dir)}/console.log`,
      "-serial",
      "chardev:console",
    ],
    ...["-chardev", `file,id=out,path=${qemuPath(dir)}/out.tar`, "-device", "virtio-serial-pci"],
    ...["-device", "virtserialport,chardev=out,name=out"],
  ], { timeoutSeconds: options.timeoutSeconds });
  if (qemu.stderr !== "") note(qemu.stderr.trim());

  const console = await Deno.readTextFile(`${dir}/console.log`).catch(() => "");
  await run("tar", ["-xf", `${dir}/out.tar`, "-C", dir]);
  const status = await Deno.readTextFile(`${dir}/out/status`).catch(() => "");
  return {
    exitCode: /^\d+\n$/.test(status) ? Number(status) : null,
    kernelReports: kernelReports(console),
    console,
    out: `${dir}/out`,
  };
}

/** Makes the archive with all files that every board has. */
async function baseArchive(): Promise<string> {
  const guest = await system(arch);
  const init = await Deno.readFile(new URL("airgap-init", import.meta.url));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", init)).toHex();
  const key = `1 ${release} ${guest.release} ${hash}`;
  const dir = await once(`boards/${arch}/airgap`, key, async (dir) => {
    const index = await apt("main");
    const headers = await headerPackages(index, arch, guest.release, arch);
    const tools = Object.keys(compiler).map((name) => `${name}:${arches[arch].debian}`);
    note(`fetching a compiler that runs on ${arch}`);
    const debs = await download(index, [...headers, ...tools], `${dir}/debs`);
    for (const name of headers) await unpack(debs.get(name) ?? "", `${dir}/root`);
    for (const name of tools) {
      await unpack(debs.get(name) ?? "", `${dir}/root`, compiler[name.split(":")[0] ?? ""]);
    }
    const files = new Map<string, CpioFile>();
    // the tarball contains Deno
    await addTree(files, guest.root, (path) => path !== "usr/local/bin/deno");
    await addTree(files, `${dir}/root`, () => true);
    await addModules(files, guest);
    files.set("init", { name: "init", mode: 0o100755, content: init });
    await Deno.writeFile(`${dir}/initramfs`, cpio([...files.values()]));
    await removeTree(`${dir}/debs`);
    await removeTree(`${dir}/root`);
  });
  return `${dir}/initramfs`;
}

async function addTree(
  files: Map<string, CpioFile>,
  root: string,
  wanted: (path: string) => boolean,
): Promise<void> {
  const walk = async (below: string): Promise<void> => {
    for await (const { name } of Deno.readDir(`${root}/${below}`)) {
      const path = `${below}${name}`;
      if (!wanted(path)) continue;
      const { mode, isDirectory, isSymlink } = await Deno.lstat(`${root}/${path}`);
      const content = isDirectory
        ? new Uint8Array()
        : isSymlink
        ? encode(await Deno.readLink(`${root}/${path}`))
        : await Deno.readFile(`${root}/${path}`);
      files.set(path, { name: path, mode: mode ?? 0, content });
      if (isDirectory) await walk(`${path}/`);
    }
  };
  await walk("");
}

/** Adds the modules for the serial port, but not those for shared folders. */
async function addModules(files: Map<string, CpioFile>, guest: System): Promise<void> {
  const names: string[] = [];
  files.set("boot-modules", { name: "boot-modules", mode: 0o040755, content: new Uint8Array() });
  for (const path of guest.modules) {
    const name = path.replace(/^.*\//, "");
    if (!name.startsWith("virtio")) continue;
    names.push(name);
    const file = `boot-modules/${name}`;
    files.set(file, { name: file, mode: 0o100644, content: await Deno.readFile(path) });
  }
  const order = "boot-modules/order";
  files.set(order, { name: order, mode: 0o100644, content: encode(`${names.join("\n")}\n`) });
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
