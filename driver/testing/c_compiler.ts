// SPDX-License-Identifier: MIT

/**
 * Runs a C program from a test, to get the numbers that a compiler computes from a header.
 *
 * @module
 */

/** Folder of the UAPI header. */
const include = new URL("../kernel/uapi/", import.meta.url).pathname;

/**
 * Compile a program and run it.
 *
 * @param source The program.
 * @param language The language, which selects the compiler: cc or c++. Defaults to `"c"`.
 * @returns The standard output of the program.
 * @throws {Error} If the program does not compile without warnings, or fails.
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
