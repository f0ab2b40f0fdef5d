// SPDX-License-Identifier: MIT
/**
 * A tarball for a target without Deno, which is tested from a desk: the agent, and the sources of the kernel module
 * to build for the target's kernel.
 *
 * @module
 */
import { type AgentArch, buildAgent } from "../../fixtures/agent/build.ts";
import { checkout } from "../../fixtures/host/cache.ts";
import { VERSION } from "../results/tool.ts";
import { checkWritable, fill, findSources, pack, type Packed } from "./pack.ts";

/** Files that a target needs, as pathspecs of git. */
const PARTS = [
  ...["LICENSE", "LICENSES", "docs/remote.md", "driver/agent", "driver/kernel"],
  ...[":!*_test.ts", ":!*.ts", ":!driver/agent/tests", ":!driver/kernel/tests"],
];

/** `ARCH` of the kernel's build, and the prefix of the cross compiler. */
const KERNEL: Readonly<Record<AgentArch, readonly [arch: string, compiler: string]>> = {
  aarch64: ["arm64", "aarch64-linux-gnu-"],
  armhf: ["arm", "arm-linux-gnueabihf-"],
  riscv64: ["riscv", "riscv64-linux-gnu-"],
  x86_64: ["x86", "x86_64-linux-gnu-"],
};

/** A finished tarball. */
export interface AgentTarball extends Packed {
  /** Its path. */
  readonly path: string;
  /** The version in its name. Ends in `-dirty` if a file in it differs from the commit. */
  readonly version: string;
  /** Bytes of the agent. */
  readonly agentSize: number;
}

/**
 * Makes a tarball for a target. The same commit and the same compiler give the same bytes.
 *
 * @param options `arch`: architecture of the target; `out`: folder for the tarball; `build`: builds the agent,
 * and defaults to `buildAgent()`
 * @returns The tarball
 * @throws {DistError} If this is no git checkout, or if the folder cannot be written
 * @throws {UnavailableError} If the compiler cannot be had
 */
export async function makeAgentTarball(
  { arch, out, build = buildAgent }: {
    readonly arch: AgentArch;
    readonly out: string;
    readonly build?: (arch: AgentArch) => Promise<string>;
  },
): Promise<AgentTarball> {
  const sources = await findSources(checkout, [PARTS]);
  const version = sources.dirty ? `${VERSION}-dirty` : VERSION;
  const name = `plumbline-agent-${version}`;
  const path = `${out}/${name}-linux-${arch}.tar.gz`;
  await checkWritable(out);
  const agent = await build(arch);
  const [kernel, compiler] = KERNEL[arch];
  const packed = await pack(path, name, {
    root: checkout,
    sources,
    async add(dir) {
      await fill("INSTALL.agent", `${dir}/INSTALL`, { name, arch, kernel, compiler }, 0o644);
      await Deno.mkdir(`${dir}/bin`);
      await Deno.copyFile(agent, `${dir}/bin/plumbline-agent`);
      await Deno.chmod(`${dir}/bin/plumbline-agent`, 0o755);
    },
  });
  return { ...packed, path, version, agentSize: (await Deno.stat(agent)).size };
}
