// SPDX-License-Identifier: MIT
/**
 * Builds mutants of `pldma.ko`. Only what a mutant changes is compiled again.
 *
 * @module
 */

import { makeModules, type ModuleTarget, moduleTarget } from "../../../fixtures/boards/vm/build.ts";
import type { Arch } from "../../../fixtures/host/arch.ts";
import { headersOf } from "../../../fixtures/kernels/choice.ts";
import { checkout, copyFiles, hashFiles, listFiles, once } from "../../../fixtures/host/cache.ts";
import { BuildError, run } from "../../../fixtures/host/run.ts";
import { makeScratch } from "../../../fixtures/host/scratch.ts";
import { applyEdit, type Mutant } from "../mutant.ts";
import type { MutantKernel } from "./probe.ts";

const DIR = "driver/kernel";

/** Builds one mutant after the other in a copy of the sources. Disposing it removes the copy. */
export class MutantBuilds implements AsyncDisposable {
  readonly #arch: Arch;
  readonly #kernel: MutantKernel;
  #copy: string | null = null;

  /**
   * @param arch Architecture of the guest
   * @param kernel The kernel that it boots
   */
  constructor(arch: Arch, kernel: MutantKernel) {
    this.#arch = arch;
    this.#kernel = kernel;
  }

  /**
   * Builds a mutant, or returns what an earlier run built from the same sources.
   *
   * @param mutant The mutant, or `null` for the module as it is
   * @returns Path of its `pldma.ko`
   * @throws {EditError} If the edit does not apply
   * @throws {BuildError} If it does not compile
   */
  async of(mutant: Mutant | null): Promise<string> {
    const files = await listFiles(
      `${checkout}/${DIR}`,
      (path) => /(^|\/)(Kbuild|Makefile|[^/]+\.[ch])$/.test(path) && !path.startsWith("tests/"),
    );
    const headers = this.#kernel === "main" ? undefined : await headersOf(this.#arch, this.#kernel);
    const target = await moduleTarget(this.#arch, headers);
    const edit = mutant === null ? "" : JSON.stringify([mutant.file, mutant.find, mutant.replace]);
    const hash = await hashFiles(`${checkout}/${DIR}`, files, `1 ${target.release} ${edit}`);
    const make = async (to: string) => {
      const copy = await this.#sources(files, target);
      if (mutant !== null) {
        const path = `${copy}/${mutant.file}`;
        const original = await Deno.readTextFile(`${checkout}/${mutant.file}`);
        await Deno.writeTextFile(path, applyEdit(mutant, original));
        try {
          if (path.endsWith(".c")) await this.#compile(path.replace(/\.c$/, ".o"), target.headers);
          else await makeModules(target, `${copy}/${DIR}`);
        } finally {
          await Deno.writeTextFile(path, original);
        }
      }
      await Deno.copyFile(`${copy}/${DIR}/pldma.ko`, `${to}/pldma.ko`);
      // the objects of a header's mutant are of no use to the next one
      if (mutant?.file.endsWith(".h")) await makeModules(target, `${copy}/${DIR}`);
    };
    const dir = await once(`mutants/${this.#arch}`, hash, make, { unusedDays: 7 });
    return `${dir}/pldma.ko`;
  }

  async #sources(files: readonly string[], target: ModuleTarget): Promise<string> {
    if (this.#copy !== null) return this.#copy;
    const copy = await makeScratch("plumbline-mutants");
    await copyFiles(`${checkout}/${DIR}`, files, `${copy}/${DIR}`);
    await makeModules(target, `${copy}/${DIR}`);
    this.#copy = copy;
    return copy;
  }

  /** Compiles one object and links the module, as the last build did, which takes a fifth of the time. */
  async #compile(object: string, headers: string): Promise<void> {
    const dir = object.replace(/\/[^/]*$/, "");
    const good = await Deno.readFile(object);
    try {
      for (const target of [object, `${dir}/pldma.o`, `${dir}/pldma.ko`]) {
        const text = await Deno.readTextFile(target.replace(/([^/]*)$/, ".$1.cmd"));
        const command = /^\S+ := (.*)$/m.exec(text)?.[1]?.replaceAll("$(pound)", "#")
          .replaceAll("$$", "$");
        if (command === undefined) throw new BuildError(`kbuild left no command for ${target}`);
        // -e: behind the compiler comes objtool, which succeeds on the object of the last build, too
        const done = await run("sh", ["-ec", command], { cwd: headers });
        if (done.code !== 0) throw new BuildError(`It does not compile:\n${done.stderr}`);
      }
    } finally {
      await Deno.writeFile(object, good);
    }
  }

  /** Removes the copy. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#copy !== null) await Deno.remove(this.#copy, { recursive: true });
  }
}
