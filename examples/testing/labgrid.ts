// SPDX-License-Identifier: MIT
/**
 * A minimal Debian 13 with labgrid from its backports, because the labgrid of Debian 12 needs a package that
 * Debian lacks. Each run has processes and a loopback interface of its own, which end with it.
 *
 * @module
 */
import { debianMirrors, hostSources, keyring } from "../../fixtures/host/apt.ts";
import { checkout, once } from "../../fixtures/host/cache.ts";
import { needTools } from "../../fixtures/host/packages.ts";
import { type Finished, note, run, UnavailableError } from "../../fixtures/host/run.ts";
import { makeScratch } from "../../fixtures/host/scratch.ts";

const SUITE = "trixie";
const PACKAGES = [
  ...["python3-labgrid", "labgrid-client", "labgrid-coordinator", "labgrid-exporter"],
  ...["openssh-client", "openssh-server"],
];

/** Enters the root. Arguments: the root, the checkout, the folder for results, then the command. */
const ENTER = `set -eu
root=$1; checkout=$2; out=$3; shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$checkout" "$root/plumbline"
mount -o remount,bind,ro "$root/plumbline"
mount --bind "$out" "$root/out"
exec chroot "$root" "$@"
`;

/** Switches the loopback interface on, without a package for it: SIOCSIFFLAGS with IFF_UP. */
const LOOPBACK = "import fcntl, socket, struct; " +
  "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 1))";

/**
 * Prepares the root, once for each machine.
 *
 * @returns Path of its archive
 * @throws {UnavailableError} If this process is not root, or something cannot be fetched
 */
export async function prepareLabgrid(): Promise<string> {
  if (Deno.uid() !== 0) {
    throw new UnavailableError("A root for labgrid is made by root only: run as root");
  }
  await needTools([
    { what: "mmdebstrap", package: "mmdebstrap" },
    { what: "unshare", package: "util-linux" },
    { what: keyring, package: "debian-archive-keyring" },
  ], "A root for labgrid");
  const { main } = debianMirrors(await hostSources());
  if (main === null) throw new UnavailableError("This machine's apt sources name no Debian mirror");
  const dir = await once("labgrid-root", `1 ${SUITE} ${PACKAGES.join(" ")}`, async (dir) => {
    note(`making a minimal Debian ${SUITE} with labgrid`);
    const done = await run("mmdebstrap", [
      ...["--mode=root", "--variant=minbase", `--include=${PACKAGES.join(",")}`],
      ...[`--keyring=${keyring}`, SUITE, `${dir}/root.tar`],
      ...[SUITE, `${SUITE}-backports`].map((suite) => `deb ${main} ${suite} main`),
    ], { timeoutSeconds: 1800 });
    if (done.code === 0) return;
    const last = done.stderr.split("\n").findLast((line) => line.startsWith("E: "));
    throw new UnavailableError(`mmdebstrap failed: ${last}`);
  });
  return `${dir}/root.tar`;
}

/** A root with labgrid and the farm, for one night. */
export class LabgridRoot implements AsyncDisposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Unpacks the root.
   *
   * @param archive What {@linkcode prepareLabgrid} returned
   * @param files Files in its folder `/farm`, by their names
   * @returns The root. The caller disposes of it
   */
  static async create(
    archive: string,
    files: Readonly<Record<string, string>>,
  ): Promise<LabgridRoot> {
    const root = new LabgridRoot(await makeScratch("plumbline-labgrid"));
    const path = root.#path;
    const done = await run("tar", ["-xf", archive, "-C", path, "--exclude=./dev/*"]);
    if (done.code !== 0) throw new Error(done.stderr);
    for (const folder of ["plumbline", "out", "farm"]) await Deno.mkdir(`${path}/${folder}`);
    await Deno.copyFile(Deno.execPath(), `${path}/usr/local/bin/deno`);
    for await (const { name } of Deno.readDir(`${checkout}/examples/labgrid`)) {
      await Deno.copyFile(`${checkout}/examples/labgrid/${name}`, `${path}/farm/${name}`);
    }
    await Deno.copyFile(`${checkout}/examples/testing/labgrid.sh`, `${path}/farm/test.sh`);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${path}/farm/${name}`, text);
    }
    return root;
  }

  /**
   * Copies a file into the folder `/farm`.
   *
   * @param from The file
   * @param name Its name there
   */
  async add(from: string, name: string): Promise<void> {
    await Deno.copyFile(from, `${this.#path}/farm/${name}`);
  }

  /**
   * Runs a night.
   *
   * @param args Arguments of `labgrid.sh`
   * @param options `out`: folder that receives its files; `env`: more variables; `seconds`: limit
   * @returns How it ended
   */
  async run(
    args: readonly string[],
    { out, env = {}, seconds }: {
      readonly out: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly seconds: number;
    },
  ): Promise<Finished> {
    const variables = Object.entries({
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ...env,
    }).map(([name, value]) => `${name}=${value}`);
    const inside = [`python3 -c "${LOOPBACK}"`, 'exec sh /farm/test.sh "$@"'].join(" && ");
    // the kernel kills a child of each of these programs together with the program
    const die = ["setpriv", "--pdeathsig", "KILL", "--"];
    const limit = ["timeout", "--signal=KILL", `${seconds}`];
    const namespaces = [
      "unshare",
      "--mount",
      "--pid",
      "--net",
      "--fork",
      "--kill-child=KILL",
      "--",
    ];
    const [program = "", ...rest] = [...die, ...limit, ...die, ...namespaces];
    return await run(program, [
      ...[...rest, "sh", "-c", ENTER, "sh", this.#path, checkout, out],
      ...["/usr/bin/env", "-i", ...variables, "/bin/sh", "-c", inside, "sh", ...args],
    ], { timeoutSeconds: seconds + 60 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#path, { recursive: true });
  }
}
