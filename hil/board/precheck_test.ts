// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes } from "@std/assert";
import { DyploSyscalls } from "../../driver/adapters/dyplo.ts";
import { UdmabufSyscalls } from "../../driver/adapters/udmabuf.ts";
import { parseSettings } from "../settings/settings.ts";
import { openBoard } from "./board.ts";
import { explainDevice, type Machine, thisMachine } from "./precheck.ts";

/** A machine made of files. A folder exists if a file in it does. */
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

Deno.test("explainDevice() returns null for a device that opens", () => {
  assertEquals(explainDevice("/dev/pldma0", machine({ "/dev/pldma0": "" })), null);
});

const rows: [string, Machine, string][] = [
  ["the module", machine({}), "the kernel module is not loaded: plumbline doctor says how"],
  [
    "the device of this number",
    machine({ "/dev/pldma2": "", "/dev/null": "" }),
    "found /dev/pldma2: add --device /dev/pldma2",
  ],
  [
    "the driver of the DMA controller",
    machine({
      ...loaded,
      "/sys/kernel/debug/devices_deferred": "eth0\n40000000.pldma\tplatform: no channel\n",
    }),
    "(deferred probe: 40000000.pldma platform: no channel)",
  ],
  ["the name of a channel", machine(loaded), "pldma found no DMA channels"],
  [
    "a free channel",
    machine({
      ...loaded,
      "/sys/kernel/debug/dmaengine/summary": "dma0 (40400000.dma): number of channels: 2\n" +
        " dma0chan0    | 43c00000.video:tx\n dma0chan1    | in-use\n",
    }),
    "unbind 43c00000.video:tx from dma0chan0, an unknown driver from dma0chan1",
  ],
  ["the node", machine({ ...loaded, "/sys/class/misc/pldma0/dev": "" }), "start udev"],
  ["permission", machine({ "/dev/pldma0": "" }, "EACCES"), "No permission for /dev/pldma0"],
  ["exclusive access", machine({ "/dev/pldma0": "" }, "EBUSY"), "open in another program"],
  ["the driver", machine({ "/dev/pldma0": "" }, "ENODEV"), "has no driver any more"],
  ["anything else", machine({ "/dev/pldma0": "" }, "EMFILE"), "cannot be opened: EMFILE"],
];

for (const [what, where, message] of rows) {
  Deno.test(`explainDevice() says in one line that ${what} is missing`, () => {
    const line = explainDevice("/dev/pldma0", where) ?? "";
    assertStringIncludes(line, message);
    assertEquals(line.includes("\n"), false);
  });
}

Deno.test("thisMachine reads this machine", () => {
  assertEquals(thisMachine.exists("/proc/self"), true);
  assertEquals(thisMachine.exists("/proc/no such thing"), false);
  assertEquals(thisMachine.open("/dev/null"), null);
  assertEquals(thisMachine.open("/dev/no such thing"), "ENOENT");
  assertEquals(thisMachine.read("/no such thing"), null);
  assertEquals(thisMachine.list("/no such thing"), []);
  assertEquals(thisMachine.list("/dev").includes("null"), true);
});

Deno.test("openBoard() selects the adapter by the path of the device, and says what is missing", () => {
  const board = openBoard(parseSettings({ device: "/dev/dyplod7" }));
  assertEquals(board.syscalls instanceof DyploSyscalls, true);
  assertEquals(
    board.explain("/dev/dyplod7"),
    "There is no /dev/dyplod7: load the driver that makes it",
  );
  assertEquals(openBoard(parseSettings({})).syscalls instanceof DyploSyscalls, false);
  const path = "/dev/udmabuf7+/dev/uio7";
  const udmabuf = openBoard(parseSettings({ device: path }));
  assertEquals(udmabuf.syscalls instanceof UdmabufSyscalls, true);
  assertEquals(
    udmabuf.explain(path),
    "There is no /dev/udmabuf7: load u-dma-buf, for example by modprobe u-dma-buf udmabuf7=4194304",
  );
  const machine = { ...thisMachine, exists: (file: string) => file === "/dev/udmabuf7" };
  assertEquals(
    explainDevice(path, machine),
    "There is no /dev/uio7: bind the registers of the engine to uio_pdrv_genirq",
  );
});
