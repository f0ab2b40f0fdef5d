// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes } from "@std/assert";
import { explainDevice, type Machine, thisMachine } from "./precheck.ts";

/** A machine made of files; a folder is there when a file in it is. */
function machine(files: Record<string, string>, openError: string | null = null): Machine {
  const paths = Object.keys(files);
  return {
    exists: (path) => paths.some((name) => name === path || name.startsWith(`${path}/`)),
    read: (path) => files[path] ?? null,
    open: () => openError,
    list: (path) =>
      paths.filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1).split("/")[0] ?? ""),
  };
}

const loaded = { "/sys/module/pldma/refcnt": "0" };

Deno.test("explainDevice() is content with a device that opens", () => {
  assertEquals(explainDevice("/dev/pldma0", machine({ "/dev/pldma0": "" })), null);
});

const rows: [string, Machine, string][] = [
  ["the module", machine({}), "module pldma is not loaded (modprobe pldma)"],
  [
    "another number",
    machine({ "/dev/pldma2": "", "/dev/null": "" }),
    "there is /dev/pldma2 (--device /dev/pldma2)",
  ],
  [
    "a deferred probe",
    machine({
      ...loaded,
      "/sys/kernel/debug/devices_deferred": "eth0\n40000000.pldma\tplatform: no channel\n",
    }),
    "probe deferred (40000000.pldma platform: no channel)",
  ],
  ["channels", machine(loaded), "pldma is loaded but found no DMA channels"],
  [
    "a free channel",
    machine({
      ...loaded,
      "/sys/kernel/debug/dmaengine/summary": "dma0 (40400000.dma): number of channels: 2\n" +
        " dma0chan0    | 43c00000.video:tx\n dma0chan1    | in-use\n",
    }),
    "taken: dma0chan0 by 43c00000.video:tx, dma0chan1 by a driver that does not tell its name",
  ],
  ["the node", machine({ ...loaded, "/sys/class/misc/pldma0/dev": "" }), "is udev running?"],
  ["permission", machine({ "/dev/pldma0": "" }, "EACCES"), "No permission for /dev/pldma0"],
  ["exclusive use", machine({ "/dev/pldma0": "" }, "EBUSY"), "open in another program"],
  ["the driver", machine({ "/dev/pldma0": "" }, "ENODEV"), "no driver behind it"],
  ["anything else", machine({ "/dev/pldma0": "" }, "EMFILE"), "cannot be opened: EMFILE"],
];

for (const [what, where, message] of rows) {
  Deno.test(`explainDevice() tells in one line that ${what} is missing`, () => {
    const line = explainDevice("/dev/pldma0", where) ?? "";
    assertStringIncludes(line, message);
    assertEquals(line.includes("\n"), false);
  });
}

Deno.test("thisMachine tells what this machine has", () => {
  assertEquals(thisMachine.exists("/proc/self"), true);
  assertEquals(thisMachine.exists("/proc/no such thing"), false);
  assertEquals(thisMachine.open("/dev/null"), null);
  assertEquals(thisMachine.open("/dev/no such thing"), "ENOENT");
  assertEquals(thisMachine.read("/no such thing"), null);
  assertEquals(thisMachine.list("/no such thing"), []);
  assertEquals(thisMachine.list("/dev").includes("null"), true);
});
