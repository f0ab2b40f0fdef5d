// SPDX-License-Identifier: MIT
/**
 * How C and C++ compilers read the UAPI header, without running what they make of it.
 *
 * @module
 */

import { type Arch, arches, hostArch } from "../../../fixtures/host/arch.ts";
import { run } from "../../../fixtures/host/run.ts";
import type { Tool } from "../../../fixtures/host/packages.ts";

/** Language to read a header in. */
export type Language = "c" | "c++";

/**
 * Lists the compilers and C libraries for an architecture.
 *
 * @param arch Architecture to compile for
 * @returns What has to be installed
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
 * Has a header compiled alone, with every warning that a program using it could ask for.
 *
 * @param arch Architecture to compile for
 * @param language Which compiler
 * @param standard Argument of `-std=`
 * @param header Path of the header
 * @returns What the compiler complains of; empty when it does not
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
 * Asks a compiler for every size, offset and ioctl number of the UAPI header.
 *
 * @param arch Architecture to compile for
 * @param text The header
 * @param bits 32: for the processors that came before
 * @returns Numbers by the C expression that they are the value of
 * @throws {Error} When it does not compile
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
  // As kbuild finds its own offsets: the numbers end up in the text for the assembler
  const lines = expressions.map((e) => `asm volatile("\\n->${e} = %c0" :: "i"((unsigned)(${e})));`);
  const source = `${text}\nvoid numbers(void);\nvoid numbers(void)\n{\n${lines.join("\n")}\n}\n`;
  const dir = await Deno.makeTempDir({ prefix: "plumbline-layout-" });
  try {
    await Deno.writeTextFile(`${dir}/layout.c`, source);
    const args = ["-S", "-std=gnu99", "-o", "-", `${dir}/layout.c`];
    // Debian keeps the kernel's headers, which serve both, where only the 64-bit compiler looks
    if (bits === 32) args.unshift("-m32", "-isystem", `/usr/include/${arches[arch].triplet}`);
    const done = await run(program(arch, "c"), args);
    if (done.code !== 0) throw new Error(done.stderr);
    const numbers = done.stdout.matchAll(/^->(.*) = #?(-?\d+)$/gm);
    return new Map(Array.from(numbers, ([, name = "", value]) => [name, Number(value) >>> 0]));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
