// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type AttributeFiles, openAttributes } from "./attributes.ts";

const CLIENT = "/sys/class/misc/pldma1/device";
const FOLDER = "/sys/kernel/debug/pl_loopback/a0000000.dma";
const TEXT = "direction=tx cache=3 prot=2 user=0\ndirection=rx cache=15 prot=0 user=9\n";

/** A machine with links and files, which refuses to open for writing with an errno. */
function machine(
  links: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  errno = 0,
): AttributeFiles & { readonly log: string[] } {
  const log: string[] = [];
  const of = (table: Readonly<Record<string, string>>, path: string): string => {
    const found = table[path];
    if (found === undefined) throw new Deno.errors.NotFound(`${path} (os error 2)`);
    return found;
  };
  return {
    log,
    program: "it",
    readLink: (path) => of(links, path),
    exists: (path) => Object.keys(files).some((file) => `${file}/`.startsWith(`${path}/`)),
    read: (path) => of(files, path),
    open(path) {
      if (errno !== 0) throw new Error(`refused (os error ${errno}): open '${path}'`);
      log.push(`open ${path}`);
      return { write: (text) => log.push(text), [Symbol.dispose]: () => void log.push("close") };
    },
  };
}

const LINKS = {
  [`${CLIENT}/dma:tx/device`]: "../../../a0000000.dma",
  [`${CLIENT}/dma:rx/device`]: "../../../a0000000.dma",
};
const FILES = { [`${FOLDER}/attributes`]: TEXT, "/sys/kernel/debug/dmaengine/summary": "" };

Deno.test("openAttributes() reads the defaults, and writes a line for each choice until it is closed", () => {
  const here = machine(LINKS, FILES);
  {
    using port = openAttributes("/dev/pldma1", here) as Exclude<
      ReturnType<typeof openAttributes>,
      string
    >;
    assert(typeof port !== "string");
    assertEquals(port.defaults, {
      tx: { cache: 3, prot: 2, user: 0 },
      rx: { cache: 15, prot: 0, user: 9 },
    });
    port.set("rx", { cache: 11, prot: 3, user: 1 });
    port.set("rx", { cache: 11, prot: 3 });
  }
  assertEquals(here.log, [
    `open ${FOLDER}/attributes`,
    "direction=rx cache=11 prot=3 user=1\n",
    "direction=rx cache=11 prot=3 user=9\n",
    "close",
  ]);
});

Deno.test("openAttributes() says in one line what is missing", () => {
  const old = { [`${FOLDER}/fault`]: "", "/sys/kernel/debug/dmaengine/summary": "" };
  for (
    const [links, files, errno, expected] of [
      [{}, FILES, 0, "only the loopback core with its driver pl_loopback.ko"],
      [{ [`${CLIENT}/dma:tx/device`]: "../softdma.0" }, FILES, 0, "this device has another engine"],
      [LINKS, {}, 0, "debugfs is missing: mount -t debugfs"],
      [LINKS, old, 0, "this pl_loopback.ko cannot set attributes: build and load"],
      [LINKS, FILES, 1, "needs CAP_SYS_RAWIO: run it as root"],
      [LINKS, FILES, 13, "needs CAP_SYS_RAWIO: run it as root"],
      [LINKS, FILES, 16, "another program sets the attributes"],
      [LINKS, FILES, 95, "load a bitstream with version 1.1 of the loopback core"],
    ] as const
  ) {
    const found = openAttributes("/dev/pldma1", machine(links, files, errno));
    assert(typeof found === "string" && found.includes(expected), `${found}`);
  }
});

Deno.test("openAttributes() throws for an error that it does not know, and for a file of another format", () => {
  assertThrows(() => openAttributes("/dev/pldma1", machine(LINKS, FILES, 5)), Error, "os error 5");
  const other = { ...FILES, [`${FOLDER}/attributes`]: "tx 3\n" };
  assertThrows(() => openAttributes("/dev/pldma1", machine(LINKS, other)), Error, "direction=tx");
});
