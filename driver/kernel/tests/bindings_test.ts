// SPDX-License-Identifier: MIT
// dt-schema accepts the binding document, and finds mistakes in nodes with it. Runs with PLUMBLINE_FULL=1.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkout } from "../../../fixtures/host/cache.ts";
import { needTools } from "../../../fixtures/host/packages.ts";
import { run } from "../../../fixtures/host/run.ts";

const NODES = `/dts-v1/;
/ {
	#address-cells = <1>;
	#size-cells = <1>;
	dma: dma-controller {
		#dma-cells = <1>;
	};
	pldma-0 {
		compatible = "plumbline,pldma";
		dmas = <&dma 0>, <&dma 1>;
		dma-names = "tx", "rx";
		plumbline,quirks = "one-segment", "one-transfer";
		plumbline,engine-depth = <1>;
	};
	pldma-1 {
		compatible = "plumbline,pldma";
		dmas = <&dma 0>;
		dma-names = "xx";
		plumbline,quirks = "bogus";
	};
};
`;

Deno.test({
  name: "dt-schema accepts plumbline,pldma.yaml, and finds mistakes in nodes with it",
  ignore: Deno.env.get("PLUMBLINE_FULL") !== "1",
  async fn() {
    await needTools([
      { what: "dt-doc-validate", package: "dt-schema" },
      { what: "dtc", package: "device-tree-compiler" },
    ]);
    const dir = await Deno.makeTempDir({ prefix: "plumbline-bindings-" });
    try {
      // the path of a document must be that of its $id
      const name = "dma/plumbline,pldma.yaml";
      await Deno.mkdir(`${dir}/dma`);
      const binding = `${checkout}/driver/kernel/bindings/plumbline,pldma.yaml`;
      await Deno.copyFile(binding, `${dir}/${name}`);
      const document = await run("dt-doc-validate", ["-u", dir, name], { cwd: dir });
      assertEquals([document.code, document.stdout + document.stderr], [0, ""]);
      await Deno.writeTextFile(`${dir}/nodes.dts`, NODES);
      const args = ["-q", "-I", "dts", "-O", "dtb", "-o", `${dir}/nodes.dtb`, `${dir}/nodes.dts`];
      assertEquals((await run("dtc", args)).code, 0);
      const nodes = await run("dt-validate", ["-s", dir, `${dir}/nodes.dtb`]);
      const said = (nodes.stdout + nodes.stderr).split("\n").filter((line) =>
        line.includes(": pldma-")
      );
      assertEquals(said.length, 2, said.join("\n"));
      assertStringIncludes(said.join("\n"), "pldma-1: dma-names");
      assertStringIncludes(said.join("\n"), "pldma-1: plumbline,quirks:0: 'bogus' is not one of");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
