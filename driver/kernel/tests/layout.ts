// SPDX-License-Identifier: MIT
/**
 * What C and C++ compilers compute from the UAPI header, without running a compiled program.
 *
 * @module
 */

import { type Arch, arches, hostArch } from "../../../fixtures/host/arch.ts";
import { run } from "../../../fixtures/host/run.ts";
import type { Tool } from "../../../fixtures/host/packages.ts";

/** Language of a compiler. */
export type Language = "c" | "c++";

/**
 * Lists the compilers and C libraries for an architecture.
 *
 * @param arch Architecture to compile for
 * @returns The tools that must be installed
 */
export function compilers(arch: Arch): Tool[] {
  const { triplet, crossCompiler, crossLibc } = arches[arch];
  if (arch === hostArch) {
    return [
      { what: "gcc", package: "gcc" },
      { what: "g++", package: "g++" },
      { what: "/usr/include/stdio.h", package: "libc6-dev" },
    ];
  }
  return [
    { what: `${triplet}-gcc`, package: crossCompiler },
    { what: `${triplet}-g++`, package: crossCompiler.replace(/^gcc/, "g++") },
    { what: `/usr/${triplet}/include/stdio.h`, package: crossLibc },
  ];
}

const program = (arch: Arch, language: Language) =>
  `${arch === hostArch ? "" : `${arches[arch].triplet}-`}${language === "c" ? "gcc" : "g++"}`;

/**
 * Compiles a header alone, with all warnings that a program may enable.
 *
 * @param arch Architecture to compile for
 * @param language Language, which selects the compiler
 * @param standard Argument of `-std=`
 * @param header Path of the header
 * @returns The messages of the compiler, empty if there are none
 */
export async function compileAlone(
  arch: Arch,
  language: Language,
  standard: string,
  header: string,
): Promise<string> {
  const warnings = ["-pedantic", "-Wall", "-Wextra", "-Wpadded", "-Werror"];
  const args = ["-fsyntax-only", `-std=${standard}`, ...warnings, "-x", language, header];
  const done = await run(program(arch, language), args);
  return done.code === 0 ? done.stderr : done.stderr || `status ${done.code}`;
}

/**
 * Gets every size, offset and ioctl number of the UAPI header from a compiler.
 *
 * @param arch Architecture to compile for
 * @param text The header
 * @param bits 32 to compile for the 32-bit mode of the processor. Defaults to 64
 * @returns Values by C expression
 * @throws {Error} If the header does not compile
 */
export async function layoutOf(
  arch: Arch,
  text: string,
  bits: 32 | 64 = 64,
): Promise<Map<string, number>> {
  const expressions: string[] = [];
  for (const { 1: name, 2: body = "" } of text.matchAll(/^(struct \w+) \{\n(.*?)^\};$/gms)) {
    expressions.push(`sizeof(${name})`);
    for (const { 1: member } of body.matchAll(/(\w+)(?:\[[^\]]*\])?;$/gm)) {
      expressions.push(`__builtin_offsetof(${name}, ${member})`);
    }
  }
  for (const { 1: name = "" } of text.matchAll(/^#define (\w+)\s+_IO[RW]*\(/gm)) {
    expressions.push(name);
  }
  // The method of kbuild for its own offsets: the compiler writes the numbers to the assembly output
  const lines = expressions.map((e) => `asm volatile("\\n->${e} = %c0" :: "i"((unsigned)(${e})));`);
  const source = `${text}\nvoid numbers(void);\nvoid numbers(void)\n{\n${lines.join("\n")}\n}\n`;
  const dir = await Deno.makeTempDir({ prefix: "plumbline-layout-" });
  try {
    await Deno.writeTextFile(`${dir}/layout.c`, source);
    const args = ["-S", "-std=gnu99", "-o", "-", `${dir}/layout.c`];
    // Debian keeps the kernel's headers in a folder that only the 64-bit compiler searches
    if (bits === 32) args.unshift("-m32", "-isystem", `/usr/include/${arches[arch].triplet}`);
    const done = await run(program(arch, "c"), args);
    if (done.code !== 0) throw new Error(done.stderr);
    const numbers = done.stdout.matchAll(/^->(.*) = #?(-?\d+)$/gm);
    return new Map(Array.from(numbers, ([, name = "", value]) => [name, Number(value) >>> 0]));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
