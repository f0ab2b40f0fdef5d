// SPDX-License-Identifier: MIT
/**
 * A copy of the checkout, in which mutants are planted one after the other. The checkout itself is never
 * changed.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { removeTree } from "../../fixtures/host/cache.ts";
import { run } from "../../fixtures/host/run.ts";
import { makeScratch } from "../../fixtures/host/scratch.ts";
import { applyEdit, type Mutant } from "./mutant.ts";

/** A copy of a checkout in a temporary folder. Disposing it removes the folder. */
export class Copy implements AsyncDisposable {
  /** The folder. */
  readonly root: string;
  readonly #source: string;

  private constructor(root: string, source: string) {
    this.root = root;
    this.#source = source;
  }

  /**
   * Copies the files of a checkout that git tracks or would track.
   *
   * @param source The checkout
   * @returns The copy, which the caller disposes
   * @throws {Error} If the folder is not a checkout of git
   */
  static async of(source: string): Promise<Copy> {
    const args = ["-C", source, "ls-files", "-z", "-co", "--exclude-standard"];
    const { code, stdout, stderr } = await run("git", args);
    if (code !== 0) {
      throw new Error(`Expected a checkout of git in ${source}, found none: ${stderr.trim()}`);
    }
    const root = await makeScratch("plumbline-mutants");
    for (const file of stdout.split("\0")) {
      // a file that was deleted and not committed yet is still listed
      if (file === "" || !await isThere(join(source, file))) continue;
      await Deno.mkdir(dirname(join(root, file)), { recursive: true });
      await Deno.copyFile(join(source, file), join(root, file));
    }
    return new Copy(root, source);
  }

  /**
   * Plants a mutant.
   *
   * @param mutant The mutant
   * @returns On disposal, the file is what it was
   * @throws {EditError} If its text does not occur exactly once in its file
   */
  async plant(mutant: Mutant): Promise<AsyncDisposable> {
    const path = join(this.root, mutant.file);
    const original = await Deno.readTextFile(join(this.#source, mutant.file));
    await Deno.writeTextFile(path, applyEdit(mutant, original));
    return { [Symbol.asyncDispose]: () => Deno.writeTextFile(path, original) };
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeTree(this.root);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isFile;
  } catch {
    return false;
  }
}
