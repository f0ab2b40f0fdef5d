// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes } from "@std/assert";
import { tempDir } from "../testing/temp_dir.ts";
import { COMPILE, writeOverlay } from "./overlay.ts";
import { cell, madeUpBoard, NODE } from "./testing/board.ts";

Deno.test("writeOverlay() names the channels of the AXI DMA by the phandle of the running tree", () => {
  const { text, omitted } = writeOverlay(madeUpBoard().files);
  assertEquals(omitted, []);
  assertStringIncludes(text ?? "", "dmas = <0x2b 0>, <0x2b 1>;");
  assertStringIncludes(text ?? "", 'dma-names = "tx", "rx";');
  assertStringIncludes(text ?? "", 'compatible = "xlnx,zynqmp-zcu102", "xlnx,zynqmp";');
});

Deno.test("writeOverlay() writes what dtc compiles without a preprocessor", async (t) => {
  const { text } = writeOverlay(madeUpBoard().files);
  const source = `${tempDir()}/pldma.dtso`;
  Deno.writeTextFileSync(source, text ?? "");
  let ended: Deno.CommandOutput;
  try {
    ended = await new Deno.Command("dtc", {
      // the numbers of the running tree are no references
      args: [...COMPILE, "-o", `${source}.dtbo`, source],
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await t.step({ name: "dtc is not installed", ignore: true, fn() {} });
    return;
  }
  assertEquals(new TextDecoder().decode(ended.stderr), "");
  assertEquals(ended.success, true);
  const back = await new Deno.Command("dtc", {
    args: ["-q", "-I", "dtb", "-O", "dts", `${source}.dtbo`],
  }).output();
  assertStringIncludes(new TextDecoder().decode(back.stdout), "dmas = <0x2b 0x00 0x2b 0x01>;");
});

Deno.test("writeOverlay() leaves out a controller that it cannot describe, and says why", () => {
  const cases = [
    [{ [`${NODE}/phandle`]: null }, "has no phandle"],
    [
      { [`${NODE}/dma-channel@a0000000`]: null, [`${NODE}/dma-channel@a0000030`]: null },
      "no channel",
    ],
    [{ "sys/devices/platform/axi/a0000000.dma/dma/dma1chan1/in_use": "1\n" }, "uses dma1chan1"],
    [{ [`${NODE}/compatible`]: "adi,axi-dmac-1.00.a\0" }, "which of its channels is tx"],
  ] as const;
  for (const [tree, why] of cases) {
    const { text, omitted } = writeOverlay(madeUpBoard(tree).files);
    assertEquals(text, null, why);
    assertStringIncludes(omitted.join(), why);
  }
});

Deno.test("writeOverlay() gives a core with one direction one channel, and MCDMA its own numbers", () => {
  const one = writeOverlay(madeUpBoard({ [`${NODE}/dma-channel@a0000000`]: null }).files).text;
  assertStringIncludes(one ?? "", "dmas = <0x2b 1>;");
  const many = writeOverlay(
    madeUpBoard({
      [`${NODE}/compatible`]: "xlnx,axi-mcdma-1.00.a\0",
      [`${NODE}/phandle`]: cell(0x31),
    }).files,
  ).text;
  assertStringIncludes(many ?? "", "dmas = <0x31 0>, <0x31 16>;");
});
