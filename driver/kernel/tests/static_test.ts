// SPDX-License-Identifier: MIT
// Compilers, sparse, checkpatch.pl, kernel-doc and dtc must report nothing for the kernel code. Each tool
// must also report a mistake that a test plants, because a tool that finds nothing proves nothing.
//
// A test is skipped, with the reason in its name, if something cannot be fetched. If PLUMBLINE_REQUIRE
// contains vm:aarch64 or vm:x86_64, such a test fails instead.
//
// This file is over 400 lines, because its tests share how they fetch tools and when they are skipped.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Arch, archNames, hostArch } from "../../../fixtures/host/arch.ts";
import {
  buildModules,
  buildModulesFor,
  type BuildOptions,
  type BuiltModules,
  moduleSources,
  programDirs,
} from "../../../fixtures/boards/vm/build.ts";
import { checkout, listFiles } from "../../../fixtures/host/cache.ts";
import { run, UnavailableError } from "../../../fixtures/host/run.ts";
import { armKernel, armTools, armTriplet } from "../../../fixtures/kernels/arm.ts";
import { kernelHeaders } from "../../../fixtures/kernels/store.ts";
import { neededTools } from "../../../fixtures/boards/vm/tools.ts";
import { needTools } from "../../../fixtures/host/packages.ts";
import { checkpatch, fetchCheckpatch } from "./checkpatch.ts";
import { kernelDoc, undocumented } from "./kernel_doc.ts";
import { compileAlone, compilers, layoutOf } from "./layout.ts";

const required = (Deno.env.get("PLUMBLINE_REQUIRE") ?? "").split(",");
const uapi = `${checkout}/driver/kernel/uapi/pldma.h`;

/**
 * Registers a test that needs something fetched or installed.
 *
 * @param arch The test fails instead of being skipped if this board is required, or any board for null
 * @param name Name of the test
 * @param prepare Fetches what the test needs. An UnavailableError skips the test
 * @param fn The test. Its argument is the result of `prepare`
 */
async function staticTest<T>(
  arch: Arch | null,
  name: string,
  prepare: () => Promise<T>,
  fn: (prepared: T) => Promise<void>,
): Promise<void> {
  let ready: { value: T } | { reason: string };
  try {
    ready = { value: await prepare() };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    ready = { reason: error.message };
  }
  const wanted = required.some((r) => arch === null ? r.startsWith("vm:") : r === `vm:${arch}`);
  const skip = "reason" in ready && !wanted;
  Deno.test({
    name: skip && "reason" in ready ? `${name} (skipped: ${ready.reason})` : name,
    ignore: skip,
    fn: async () => {
      if ("reason" in ready) throw new Error(`A board is required, but: ${ready.reason}`);
      await fn(ready.value);
    },
  });
}

/** Runs a function with files in a temporary folder. */
async function withFiles<T>(
  files: Record<string, string>,
  fn: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = await Deno.makeTempDir({ prefix: "plumbline-static-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${dir}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${dir}/${name}`, text);
    }
    return await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Replaces a text that must occur exactly once, so that a control really changes something. */
function broken(text: string, from: string, to: string): string {
  assertEquals(text.split(from).length, 2, from);
  return text.replace(from, () => to);
}

/** C files below the folders, relative to the checkout. */
async function cFiles(dirs: readonly string[], pattern = /\.[ch]$/): Promise<string[]> {
  const found: string[] = [];
  for (const dir of dirs) {
    const paths = await listFiles(`${checkout}/${dir}`, (path) => pattern.test(path));
    found.push(...paths.filter((path) => !path.endsWith(".mod.c")).map((path) => `${dir}/${path}`));
  }
  return [...new Set(found)].sort();
}

const moduleDirs = moduleSources.map((source) => source.dir);

// --- compiler and sparse

// All warnings of sparse, except those that macros of the kernel cause in every user: READ_ONCE() takes
// the size of _Bool, min() of void, struct_size() of structs with a flexible array, and sparse does not
// consider module_init() constant. The speed of pointer differences does not matter here.
const sparse = [
  "-Wsparse-all",
  "-Wno-sizeof-bool",
  "-Wno-pointer-arith",
  "-Wno-flexible-array-sizeof",
  "-Wno-constexpr-not-const",
  "-Wno-ptr-subtraction-blows",
].join(" ");

/** A warning that wait_event() causes. Only names with two underscores, not those of this project. */
const macros = /warning: symbol '__\w+' shadows an earlier one$/;

/** Sorts the messages of a build by tool. */
function complaints(built: BuiltModules, dirs: readonly string[]): Record<string, string[]> {
  // The folder has got its final name only after the build
  const folder = (built.modules[0] ?? "").replace(`/${dirs[0]}/`, "\n").split("\n")[0] ?? "";
  const name = RegExp.escape(folder.split("/").at(-1) ?? "");
  const place = new RegExp(`^.*/${name}(\\.unfinished)?/`);
  const found: Record<string, string[]> = { build: [], sparse: [] };
  for (const line of built.output.split("\n")) {
    if (!/\b(warning|error):|^(WARNING|ERROR)\b/i.test(line)) continue;
    // gcc adds the name of an option to its text, sparse does not, and kernel-doc prints no column
    if (/^\/[^:]*:\d+:\d+: (warning|error): .*[^\]]$/.test(line)) {
      const below = line.replace(place, "");
      const ours = dirs.some((dir) => below.startsWith(`${dir}/`));
      if (ours && !macros.test(line)) found.sparse?.push(below);
    } else found.build?.push(line);
  }
  return found;
}

/** Folder and name of the files that sparse checked. */
function checkedFiles(built: BuiltModules): string[] {
  const checked = built.output.matchAll(/^ +CHECK +\S*?([^/]+\/[^/]+\.c)$/gm);
  return [...new Set(Array.from(checked, ([, path = ""]) => path))].sort();
}

// One build for both tools, because the build takes most of the time
const options = { w1: true, sparse } as const satisfies BuildOptions;

for (const arch of archNames) {
  for (const headers of ["6.1", "newest"] as const) {
    const prepare = async () => {
      await needTools([...neededTools(arch), { what: "sparse", package: "sparse" }]);
      await kernelHeaders(arch, headers === "newest" ? "newest" : "main");
    };
    const where = `for ${arch} with ${
      headers === "newest" ? "Debian's newest" : "Linux 6.1"
    } headers`;

    await staticTest(arch, `every module compiles without warnings ${where}`, prepare, async () => {
      const built = await buildModules(arch, { ...options, headers });
      assertEquals(complaints(built, moduleDirs).build, []);
      const release = built.release.split(".").map(Number);
      if (headers === "newest") assert((release[0] ?? 0) > 6 || (release[1] ?? 0) >= 12);
      else assertEquals(release.slice(0, 2), [6, 1]);
      for (const module of built.modules) assert((await Deno.stat(module)).size > 0);
    });

    await staticTest(arch, `sparse reports nothing for any module ${where}`, prepare, async () => {
      const built = await buildModules(arch, { ...options, headers });
      assertEquals(complaints(built, moduleDirs).sparse, []);
      assertEquals(
        checkedFiles(built),
        (await cFiles(moduleDirs, /^[^/]+\.c$/)).map((path) => path.split("/").slice(-2).join("/"))
          .filter((path) => path !== "kernel/pldma_fault.c")
          // dmaengine has that operation since Linux 6.11
          .filter((path) => headers === "newest" || path !== "softdma/softdma_vec.c").sort(),
      );
    });
  }
}

/** The modules that a 32-bit board loads. */
const targetSources = moduleSources.filter(({ name }) =>
  ["pldma", "pl_softdma", "pl_advbus"].includes(name)
);

await staticTest(
  null,
  "modules compile without warnings, and sparse reports nothing, for armhf with Linux 6.1 headers",
  async () => {
    await needTools([...armTools, { what: "sparse", package: "sparse" }]);
    return await armKernel("armmp-lpae");
  },
  async (kernel) => {
    const target = { ...kernel, name: "armhf", kbuild: "arm", compiler: armTriplet };
    const built = await buildModulesFor(target, { ...options, sources: targetSources });
    const dirs = targetSources.map(({ dir }) => dir);
    assertEquals(complaints(built, dirs), { build: [], sparse: [] });
    assert(checkedFiles(built).includes("kernel/pldma_core.c"), checkedFiles(built).join());
  },
);

await staticTest(
  hostArch,
  "the test build of pldma compiles without warnings, and only that build can inject faults",
  async () => {
    await needTools([...neededTools(hostArch), { what: "sparse", package: "sparse" }]);
    await kernelHeaders(hostArch, "main");
  },
  async () => {
    const built = await buildModules(hostArch, { ...options, testFaults: true });
    assertEquals(complaints(built, moduleDirs), { build: [], sparse: [] });
    assert(checkedFiles(built).includes("kernel/pldma_fault.c"));
    const mention = async ({ modules }: BuiltModules) =>
      new TextDecoder("latin1").decode(await Deno.readFile(modules[0] ?? "")).includes(
        "fault_hits",
      );
    assertEquals(await mention(built), true);
    assertEquals(await mention(await buildModules(hostArch, options)), false);
  },
);

const mistaken = `// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/uaccess.h>

int unannounced(char __user *where);
int unannounced(char __user *where)
{
	int unread = 1;

	unread = 2;
	return *(char *)where;
}
MODULE_LICENSE("GPL");
`;

await staticTest(
  hostArch,
  "complaints() finds warnings of the build and of sparse",
  async () => {
    await needTools([...neededTools(hostArch), { what: "sparse", package: "sparse" }]);
    await kernelHeaders(hostArch, "main");
  },
  async () => {
    const kbuild = "obj-m := mistaken.o\n";
    await withFiles({ "m/Kbuild": kbuild, "m/mistaken.c": mistaken }, async (root) => {
      const sources = [{ name: "mistaken", dir: "m" }];
      const built = await buildModules(hostArch, { ...options, root, sources });
      const found = complaints(built, ["m"]);
      assertEquals(found.build?.length, 1);
      assertStringIncludes(found.build?.[0] ?? "", "[-Wunused-but-set-variable]");
      assertEquals(found.sparse?.length, 1);
      assertStringIncludes(found.sparse?.[0] ?? "", "cast removes address space '__user'");
    });
  },
);

// --- checkpatch.pl

await staticTest(
  null,
  "checkpatch.pl reports nothing for any C file",
  fetchCheckpatch,
  async (script) => {
    const elsewhere = ["fixtures/boards/vm/vendor/kernel", "fixtures/boards/vm/iio"];
    const files = await cFiles([...moduleDirs, ...programDirs, ...elsewhere]);
    for (
      const some of [
        "driver/kernel/uapi/pldma.h",
        "driver/kernel/pldma_core.c",
        "driver/kernel/tests/robustness.c",
        "fixtures/boards/vm/softdma/softdma_core.c",
        "fixtures/boards/vm/iio/pl_iio.c",
        "fixtures/boards/vm/fpga/fpga_mgr.c",
        "fixtures/boards/vm/bus/advbus_core.c",
      ]
    ) assert(files.includes(some), some);
    const findings = await checkpatch(script, files.map((file) => `${checkout}/${file}`));
    assertEquals(findings.map((line) => line.replace(`${checkout}/`, "")), []);
  },
);

await staticTest(
  null,
  "checkpatch() returns findings that need the word lists",
  fetchCheckpatch,
  async (script) => {
    const text = `// SPDX-License-Identifier: GPL-2.0
/* what we recieve */
static struct file_operations fops;

int f(void)
{
	if( fops.open )
		return 1;
	return 0;
}
`;
    await withFiles(
      { "bad.c": text, "good.c": "// SPDX-License-Identifier: GPL-2.0\n" },
      async (dir) => {
        const findings = await checkpatch(script, [`${dir}/bad.c`]);
        const types = findings.map((line) => line.match(/\b[A-Z]+:([A-Z_]+):/)?.[1]);
        assertEquals(types.sort(), [
          "CONST_STRUCT",
          "SPACING",
          "SPACING",
          "SPACING",
          "TYPO_SPELLING",
        ]);
        assertEquals(await checkpatch(script, [`${dir}/good.c`]), []);
      },
    );
  },
);

// --- the UAPI header

for (const arch of archNames) {
  const prepare = () => needTools(compilers(arch));

  for (
    const [language, standard] of [
      ["c", "c99"],
      ["c", "c11"],
      ["c++", "c++11"],
      ["c++", "c++20"],
    ] as const
  ) {
    await staticTest(
      arch,
      `uapi/pldma.h compiles alone as ${standard} for ${arch}`,
      prepare,
      async () => {
        assertEquals(await compileAlone(arch, language, standard, uapi), "");
        const text = await Deno.readTextFile(uapi);
        const types = broken(text, "#include <linux/types.h>\n", "");
        const padded = broken(
          text,
          "struct pldma_free {\n\t__u32 id;",
          "struct pldma_free {\n\t__u16 id;",
        );
        await withFiles({ "types.h": types, "padded.h": padded }, async (dir) => {
          assertStringIncludes(
            await compileAlone(arch, language, standard, `${dir}/types.h`),
            "__u32",
          );
          assertStringIncludes(
            await compileAlone(arch, language, standard, `${dir}/padded.h`),
            "-Werror=padded",
          );
        });
      },
    );
  }
}

/** Compares the numbers of the header with those on x86-64, and checks that none is missing. */
async function assertSameLayout(arch: Arch, bits: 32 | 64): Promise<void> {
  const text = await Deno.readTextFile(uapi);
  const reference = await layoutOf("x86_64", text);
  const expected = {
    sizes: text.split(/^struct \w+ \{$/m).length - 1,
    ioctls: text.split(/^#define PLDMA_IOC_\w+\t/m).length - 1 - 1, // without PLDMA_IOC_MAGIC
  };
  const names = [...reference.keys()];
  assertEquals(names.filter((name) => name.startsWith("sizeof")).length, expected.sizes);
  assertEquals(names.filter((name) => name.startsWith("PLDMA")).length, expected.ioctls);
  assertEquals(await layoutOf(arch, text, bits), reference);
}

await staticTest(
  "aarch64",
  "uapi/pldma.h has the same layout on aarch64 as on x86_64",
  () => needTools([...compilers("x86_64"), ...compilers("aarch64")]),
  () => assertSameLayout("aarch64", 64),
);

await staticTest(
  "x86_64",
  "uapi/pldma.h has the same layout in 32-bit programs as in 64-bit ones",
  () => needTools(compilers("x86_64")),
  async () => {
    await assertSameLayout("x86_64", 32);
    // The i386 aligns 64-bit numbers to 4 bytes by default
    const text = (await Deno.readTextFile(uapi)).replaceAll("__aligned_u64", "__u64");
    const odd = broken(
      text,
      "\t__s32 error;\n\t__u32 reserved;\n};\n\n/**\n * struct pldma_dequeue",
      "\t__s32 error;\n};\n\n/**\n * struct pldma_dequeue",
    );
    const [narrow, wide] = [await layoutOf("x86_64", odd, 32), await layoutOf("x86_64", odd)];
    const differ = [...wide].filter(([name, value]) => narrow.get(name) !== value);
    assertEquals(differ.map(([name]) => name), [
      "sizeof(struct pldma_enqueue)",
      "PLDMA_IOC_ENQUEUE",
    ]);
  },
);

// --- documentation

Deno.test("undocumented() finds a struct and an enum without a kernel-doc comment", async () => {
  const text = await Deno.readTextFile(uapi);
  assertEquals(undocumented(text), []);
  const plain = broken(text, "/**\n * enum pldma_state -", "/*\n * enum pldma_state -");
  const other = broken(plain, " * struct pldma_free - ", " * struct pldma_release - ");
  const added = `${other}\nstruct pldma_more {\n\t__u32 id;\n};\n`;
  assertEquals(undocumented(added), [
    "enum pldma_state",
    "struct pldma_free",
    "struct pldma_more",
  ]);
});

const fetchKernelDoc = async () => {
  await needTools([{ what: "perl", package: "perl" }]);
  return `${(await kernelHeaders(hostArch, "main")).headers}/scripts/kernel-doc`;
};

await staticTest(
  hostArch,
  "kernel-doc reports nothing for any comment of the modules",
  fetchKernelDoc,
  async (script) => {
    const files = await cFiles(moduleDirs);
    assert(files.includes("driver/kernel/uapi/pldma.h"));
    assertEquals(await kernelDoc(script, files.map((file) => `${checkout}/${file}`)), []);
    const text = await Deno.readTextFile(uapi);
    const sideband = /^ \* @sideband: out:.*\n \*\t.*\n/m.exec(text)?.[0] ?? "";
    const member = broken(text, sideband, "");
    const value = broken(member, " * @PLDMA_COST_UNPIN: unpin_user_pages()\n", "");
    await withFiles({ "pldma.h": value }, async (dir) => {
      const said = (await kernelDoc(script, [`${dir}/pldma.h`])).join("\n");
      assertStringIncludes(said, "'sideband' not described in 'pldma_dequeue'");
      assertStringIncludes(said, "'PLDMA_COST_UNPIN' not described in enum 'pldma_cost_kind'");
    });
  },
);

// --- device trees

/** The messages of cpp and dtc for an overlay, empty if there are none. */
async function compileOverlay(include: string, path: string): Promise<string> {
  return await withFiles({}, async (dir) => {
    const cpp = ["-nostdinc", "-undef", "-D__DTS__", "-x", "assembler-with-cpp", "-Wall", "-I"];
    const pre = await run("cpp", [...cpp, include, path, `${dir}/overlay.dts`]);
    if (pre.code !== 0) return pre.stderr;
    const args = ["-@", "-I", "dts", "-O", "dtb", "-o", `${dir}/overlay.dtbo`];
    const dtc = await run("dtc", [...args, `${dir}/overlay.dts`]);
    return `${pre.stderr}${dtc.stderr}${dtc.code === 0 ? "" : `status ${dtc.code}`}`;
  });
}

await staticTest(
  "aarch64",
  "every example overlay compiles with cpp and dtc",
  async () => {
    await needTools([
      { what: "cpp", package: "cpp" },
      { what: "dtc", package: "device-tree-compiler" },
    ]);
    const { headers } = await kernelHeaders("aarch64", "main");
    return `${headers.replace(/-[^-]*$/, "")}-common/include`;
  },
  async (include) => {
    const dir = `${checkout}/driver/kernel/examples`;
    const overlays = await listFiles(dir, (path) => path.endsWith(".dtso"));
    assert(overlays.includes("xilinx-axi-dma.dtso"));
    for (const overlay of overlays) {
      assertEquals(await compileOverlay(include, `${dir}/${overlay}`), "", overlay);
    }
    const text = await Deno.readTextFile(`${dir}/xilinx-axi-dma.dtso`);
    const address = broken(text, "\t\treg = <0x0 0xa0000000 0x0 0x10000>;\n", "");
    const cells = broken(text, "dmas = <&axi_dma_0 0>, <&axi_dma_0 1>;", "dmas = <&axi_dma_0>;");
    await withFiles({ "address.dtso": address, "cells.dtso": cells }, async (dir) => {
      assertStringIncludes(
        await compileOverlay(include, `${dir}/address.dtso`),
        "unit_address_vs_reg",
      );
      assertStringIncludes(await compileOverlay(include, `${dir}/cells.dtso`), "dmas_property");
    });
  },
);
