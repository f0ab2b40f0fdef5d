// SPDX-License-Identifier: MIT
// The Debian packages without an installation; fresh_machine_test.ts installs them.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { exists } from "../../fixtures/host/exists.ts";
import { VERSION } from "../results/tool.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { makeDebs } from "./deb.ts";
import { main } from "./dist.ts";
import { DistError } from "./pack.ts";
import { clone, must } from "./testing/clone.ts";

/** A small program in place of Deno and of the agent. */
const small = () => Deno.realPath("/bin/sh");

const canMake = exists("/usr/bin/apt-get") && Deno.uid() === 0 || exists("/usr/bin/dh_dkms");

Deno.test({
  name:
    "makeDebs() packs plumbline, the agent and the module's sources, and gives the same bytes again",
  ignore: !canMake,
  async fn() {
    const root = await clone();
    const out = tempDir();
    const make = (folder: string) =>
      makeDebs({ arch: "aarch64", out: `${out}/${folder}`, deno: small, agent: small, root });
    const made = await make("one");
    assertEquals(made.map((path) => path.slice(out.length)), [
      `/one/pldma-dkms_${VERSION}_all.deb`,
      `/one/plumbline-agent_${VERSION}_arm64.deb`,
      `/one/plumbline_${VERSION}_arm64.deb`,
    ]);
    const [dkms = "", agent = "", tools = ""] = made;
    const files = async (deb: string) =>
      (await must("dpkg", "-c", deb)).trimEnd().split("\n").map((line) => line.split(/\s+/)[5]);

    // every source that the module is built from, and nothing of the project's own tests
    const sources = (await files(dkms)).filter((path) => path?.startsWith("./usr/src/"));
    const kbuild = await Deno.readTextFile(`${root}/driver/kernel/Kbuild`);
    const objects = [...kbuild.matchAll(/\b(pldma_\w+)\.o\b/g)].map(([, name]) => `${name}.c`);
    for (const name of [...new Set(objects), "dkms.conf", "Kbuild", "Makefile", "uapi/pldma.h"]) {
      assertEquals(sources.includes(`./usr/src/pldma-${VERSION}/${name}`), true, name);
    }
    assertEquals(sources.filter((path) => /\.ts$|\/tests\//.test(path ?? "")), []);
    assertEquals((await files(agent)).includes("./usr/bin/plumbline-agent"), true);
    const brought = await files(tools);
    for (
      const path of [
        ...["bin/plumbline", "lib/plumbline/bin/deno", "lib/plumbline/hil/cli/main.ts"],
        "share/bash-completion/completions/plumbline",
      ]
    ) assertEquals(brought.includes(`./usr/${path}`), true, path);
    assertStringIncludes(await must("dpkg", "-f", dkms, "Depends"), "dkms");
    assertStringIncludes(await must("dpkg", "-f", tools, "Depends"), "libc6 (>= 2.");
    const script = await must(
      "sh",
      "-c",
      `dpkg --fsys-tarfile ${tools} | tar -xO ./usr/lib/plumbline/plumbline`,
    );
    assertStringIncludes(script, 'DENO_DIR="${XDG_CACHE_HOME:-');

    // a changed file shows in the version, and the commit alone decides the bytes
    const hashes = async (paths: string[]) =>
      (await must("sha256sum", ...paths)).replaceAll(/ .*/g, "");
    assertEquals(await hashes(await make("two")), await hashes(made));
    await Deno.writeTextFile(`${root}/driver/kernel/Kbuild`, "# changed\n", { append: true });
    assertEquals((await make("three"))[0], `${out}/three/pldma-dkms_${VERSION}+dirty_all.deb`);
    await Deno.writeTextFile(`${root}/packaging/deb/debian/control`, "Source: no\n");
    await assertRejects(() => make("four"), DistError, "dpkg-buildpackage cannot make");
    assertEquals([...Deno.readDirSync(`${out}/four`)], []);
  },
});

Deno.test("dist refuses --deb together with options of the tarballs", async () => {
  const said: string[] = [];
  const { error } = console;
  console.error = (text: string) => void said.push(text);
  try {
    assertEquals(await main(["--deb", "--with-deno"]), 2);
    assertEquals(await main(["--deb", "--agent=armhf"]), 2);
  } finally {
    console.error = error;
  }
  assertEquals(said, [
    "dist: --deb always includes Deno: give it alone",
    "dist: --agent makes other tarballs than --arch, --with-deno and --deb: give one of them",
  ]);
});
