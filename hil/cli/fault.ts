// SPDX-License-Identifier: MIT
/**
 * Arms the fault injection of a virtual board's engine through debugfs.
 *
 * @module
 */

/** Folder of the engine's devices. */
const ENGINES = "/sys/kernel/debug/pl_softdma";

/**
 * Arm a fault in every engine. Frames count from 0 from here on.
 *
 * @param spec what to inject, such as `kind=flip frame=17`
 * @param root folder of the engines' devices
 * @throws {Error} when there is no engine, or it refuses the fault
 */
export function armFault(spec: string, root: string = ENGINES): void {
  const engines = list(root);
  if (engines.length === 0) throw new Error(`There is no engine that injects faults in ${root}`);
  for (const engine of engines) {
    try {
      Deno.writeTextFileSync(`${root}/${engine}/fault`, spec);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`The engine ${engine} refuses the fault "${spec}": ${why}`);
    }
  }
}

/**
 * Disarm every engine and tell what it injected since it was armed.
 *
 * @param root folder of the engines' devices
 * @returns a line for each injected fault, as the engine writes it
 */
export function disarmFault(root: string = ENGINES): string[] {
  const injected: string[] = [];
  for (const engine of list(root)) {
    // disarming forgets what was injected: read that first
    const text = Deno.readTextFileSync(`${root}/${engine}/injected`);
    injected.push(...text.split("\n").filter((line) => line !== ""));
    Deno.writeTextFileSync(`${root}/${engine}/fault`, "kind=none");
  }
  return injected;
}

function list(root: string): string[] {
  try {
    return [...Deno.readDirSync(root)].map((entry) => entry.name).sort();
  } catch {
    return [];
  }
}
