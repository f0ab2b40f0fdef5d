// SPDX-License-Identifier: MIT
/**
 * `deno task dist`: a tarball with everything that a board without internet needs.
 *
 * The tarball contains the source files, not a bundle. So `deno test -P` runs the same files on the
 * board as elsewhere, the lines of a stack trace can be read there, and a team's tests can import
 * `mod.ts`. The `links` in `deno.json` keep every import inside the tarball.
 *
 * @module
 */
import { agentArches } from "../../fixtures/agent/build.ts";
import { type Arch, arches, archNames } from "../../fixtures/host/arch.ts";
import { checkout } from "../../fixtures/host/cache.ts";
import { UnavailableError } from "../../fixtures/host/run.ts";
import { denoBinary, denoVersion } from "../../fixtures/boards/vm/system.ts";
import { VERSION } from "../results/tool.ts";
import {
  type Arguments,
  type CommandLine,
  helpText,
  parseArguments,
} from "../settings/arguments.ts";
import { absolutePath } from "../settings/paths.ts";
import { alternatives, parseList, parseName, UsageError } from "../settings/values.ts";
import { type AgentTarball, makeAgentTarball } from "./agent.ts";
import { makeDebs } from "./deb.ts";
import { checkWritable, DistError, findSources, pack } from "./pack.ts";
import { addPrograms, LABELS, neededGlibc, TREE } from "./tree.ts";

export { DistError } from "./pack.ts";
export { neededGlibc } from "./tree.ts";

/** Options of {@linkcode makeTarball}. */
export interface DistOptions {
  /** Architecture of the board. */
  readonly arch: Arch;
  /** Folder for the tarball. Made if it does not exist. */
  readonly out: string;
  /** Returns the path of Deno for an architecture. With `null` the tarball contains no Deno. */
  readonly deno: ((arch: Arch) => Promise<string>) | null;
  /** The checkout. Defaults to the one that contains this file. */
  readonly root?: string;
}

/** A finished tarball. */
export interface Tarball {
  /** Its path. */
  readonly path: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Its SHA-256, hexadecimal. */
  readonly sha256: string;
  /** The version in its name. Ends in `-dirty` if a file in it differs from the commit. */
  readonly version: string;
  /** The oldest glibc that its Deno runs with, such as `2.17`, or `null` without Deno. */
  readonly glibc: string | null;
}

/**
 * Makes a tarball. The same commit always gives the same bytes: entries are sorted, belong to root,
 * and have the time of the commit, or of `SOURCE_DATE_EPOCH`.
 *
 * @param options For which board, and where to write it
 * @returns The tarball
 * @throws {DistError} If this is no git checkout, or if the folder cannot be written. No file is left
 * behind
 * @throws {UnavailableError} If git or Deno cannot be had
 */
export async function makeTarball(options: DistOptions): Promise<Tarball> {
  const root = options.root ?? checkout;
  const sources = await findSources(root, TREE);
  const version = sources.dirty ? `${VERSION}-dirty` : VERSION;
  const path = `${options.out}/plumbline-${version}-linux-${LABELS[options.arch]}.tar.gz`;
  await checkWritable(options.out);
  const deno = options.deno === null ? null : await options.deno(options.arch);
  const glibc = deno === null ? null : await neededGlibc(deno);

  const name = `plumbline-${version}`;
  const bring = glibc === null
    ? `Put Deno ${denoVersion} (npm's ${arches[options.arch].denoPackage}) at bin/deno.`
    : `It contains Deno ${denoVersion}, which needs glibc ${glibc} or newer.`;
  const packed = await pack(path, name, {
    root,
    sources,
    add: (dir) => addPrograms(dir, options.arch, deno, { name, cache: "$here/.cache", bring }),
  });
  return { path, ...packed, version, glibc };
}

const LINE: CommandLine = {
  command: "deno task dist",
  purpose: "Make a tarball for a board without internet.",
  details: "Its name is plumbline-VERSION-linux-ARCH.tar.gz.",
  operands: "",
  groups: [{
    title: "Options",
    options: [
      {
        name: "arch",
        value: "ARCH,...",
        help: `${alternatives(Object.values(LABELS))}. Defaults to both`,
      },
      { name: "with-deno", value: null, help: `Include Deno ${denoVersion}, from its npm package` },
      {
        name: "agent",
        value: "ARCH,...",
        help:
          `Make tarballs for targets without Deno instead, with plumbline-agent and the sources of the ` +
          `module: ${alternatives(agentArches)}, or all`,
      },
      {
        name: "deb",
        value: null,
        help: "Make Debian packages instead: plumbline with Deno, plumbline-agent, pldma-dkms",
      },
      { name: "out", value: "DIR", help: "Folder for what is made. Defaults to .cache/dist" },
    ],
  }],
  examples: [
    ["deno task dist --arch arm64 --with-deno", "Make one for an arm64 board"],
    ["deno task dist --deb --arch arm64", "Make Debian packages for an arm64 board"],
    ["deno task dist --agent armhf", "Make one for a Zynq-7000, which is tested from a desk"],
  ],
  exit: {
    0: "The tarballs or packages were made",
    2: "The command line is not valid",
    3: "One could not be made",
  },
};

/**
 * Runs the command line.
 *
 * @param args The arguments after the task's name
 * @param fetchDeno Returns the path of Deno for an architecture
 * @returns The exit status
 */
export async function main(
  args: readonly string[],
  fetchDeno: (arch: Arch) => Promise<string> = denoBinary,
): Promise<number> {
  const fail = (status: number, message: string): number => {
    console.error(`dist: ${message.trim().split("\n")[0]}`);
    return status;
  };
  try {
    const given = parseArguments(LINE, args);
    if (given.switches.has("help")) console.log(helpText(LINE));
    else await makeTarballs(given, fetchDeno);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) return fail(2, error.message);
    if (error instanceof DistError) return fail(3, error.message);
    if (error instanceof UnavailableError) {
      const offline = args.includes("--with-deno")
        ? "; without --with-deno no network is needed"
        : "";
      return fail(3, `${error.message.split("\n")[0]}${offline}`);
    }
    // such as a full disk, or a file that was removed
    if (error instanceof Error && "code" in error) return fail(3, error.message);
    console.error("dist: this is a defect of Plumbline itself:", error);
    return 3;
  }
}

async function makeTarballs(
  given: Arguments,
  fetchDeno: (arch: Arch) => Promise<string>,
): Promise<void> {
  const { values, switches } = given;
  const labels = Object.values(LABELS);
  const wanted = parseList(
    "--arch",
    values["arch"] ?? "all",
    (option, text) => parseName(option, text, labels),
  ) ?? labels;
  const out = absolutePath(values["out"] ?? ".cache/dist");
  if (values["agent"] !== undefined) return await makeAgents(values["agent"], out, given);
  const chosen = archNames.filter((arch) => wanted.includes(LABELS[arch]));
  if (switches.has("deb")) {
    if (switches.has("with-deno")) {
      throw new UsageError("--deb always includes Deno: give it alone");
    }
    for (const arch of chosen) {
      for (const path of await makeDebs({ arch, out, deno: fetchDeno })) console.log(path);
    }
    return;
  }
  for (const arch of chosen) {
    const deno = switches.has("with-deno") ? fetchDeno : null;
    const made = await makeTarball({ arch, out, deno });
    if (made.version !== VERSION) console.error("dist: there are changes that are not committed");
    const glibc = made.glibc === null ? "without Deno" : `Deno needs glibc ${made.glibc}`;
    console.log(`${made.sha256}  ${made.path}`);
    console.error(`dist: ${LABELS[arch]}: ${made.size} bytes, ${glibc}`);
  }
}

/** Makes tarballs for targets without Deno. */
async function makeAgents(
  asked: string,
  out: string,
  { values, switches }: Arguments,
): Promise<void> {
  if (values["arch"] !== undefined || switches.has("with-deno") || switches.has("deb")) {
    throw new UsageError(
      "--agent makes other tarballs than --arch, --with-deno and --deb: give one of them",
    );
  }
  const parse = (option: string, text: string) => parseName(option, text, agentArches);
  for (const arch of parseList("--agent", asked, parse) ?? agentArches) {
    const made: AgentTarball = await makeAgentTarball({ arch, out });
    if (made.version !== VERSION) console.error("dist: there are changes that are not committed");
    console.log(`${made.sha256}  ${made.path}`);
    console.error(`dist: ${arch}: ${made.size} bytes, the agent has ${made.agentSize}`);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
