// SPDX-License-Identifier: MIT

/**
 * Runs a C program from a test, to ask the compiler what a header means.
 *
 * @module
 */

/** Folder of the UAPI header. */
const include = new URL("../kernel/uapi/", import.meta.url).pathname;

/**
 * Compile a program and run it.
 *
 * @param source The program.
 * @param language Which compiler: cc, or c++.
 * @returns What it wrote to its standard output.
 * @throws {Error} When it does not compile without a warning, or fails.
 */
export async function runC(source: string, language: "c" | "c++" = "c"): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "plumbline-" });
  try {
    const [file, program] = [`${folder}/program.${language === "c" ? "c" : "cc"}`, `${folder}/run`];
    await Deno.writeTextFile(file, source);
    const flags = ["-Wall", "-Wextra", "-Wpedantic", "-Wno-long-long", "-Werror", `-I${include}`];
    await run(language === "c" ? "cc" : "c++", [...flags, "-o", program, file]);
    return await run(program, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(command: string, args: string[]): Promise<Uint8Array> {
  const output = await new Deno.Command(command, { args, stderr: "piped" }).output();
  if (output.success) return output.stdout;
  throw new Error(`${command} failed: ${new TextDecoder().decode(output.stderr)}`);
}
