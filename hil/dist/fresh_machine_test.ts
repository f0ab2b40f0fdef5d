// SPDX-License-Identifier: MIT
// The Debian packages on a fresh machine: DKMS compiles the module for Debian's kernel, and a user who is not
// root gets a verdict. Skipped, with the reason in the name, if this process is not root or something cannot be
// fetched. PLUMBLINE_REQUIRE turns the latter into a failure.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { denoBinary } from "../../fixtures/boards/vm/system.ts";
import { arches, hostArch } from "../../fixtures/host/arch.ts";
import { UnavailableError } from "../../fixtures/host/run.ts";
import { FreshRoot, preparePristine } from "../../fixtures/host/testing/fresh_root.ts";
import { VERSION } from "../results/tool.ts";
import { makeDebs } from "./deb.ts";

const required = Deno.uid() === 0 && (Deno.env.get("PLUMBLINE_REQUIRE") ?? "") !== "";

const prepared = await preparePristine().catch((error) => {
  if (error instanceof UnavailableError) return error.message;
  throw error;
});
const skip = typeof prepared === "string" && !required;

Deno.test({
  name: "the Debian packages install on a fresh machine, and DKMS compiles the module" +
    (skip ? ` (skipped: ${prepared})` : ""),
  ignore: skip,
  async fn() {
    if (typeof prepared === "string") throw new Error(`A fresh root is required: ${prepared}`);
    await using root = await FreshRoot.create(prepared);
    await makeDebs({ arch: hostArch, out: `${root.path}/debs`, deno: denoBinary });
    const must = async (line: string): Promise<string> => {
      const done = await root.run(line, 1800);
      assertEquals(done.code, 0, `${line}\n${done.stdout}${done.stderr}`);
      return done.stdout + done.stderr;
    };
    const apt = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends";
    // the headers come first, as on a machine on which modules are built
    await must(
      `apt-get -qq update && ${apt} install linux-headers-${
        arches[hostArch].debian
      } /debs/*.deb 2>&1`,
    );
    const status = await must("dkms status");
    const [, release = ""] = /^pldma\/[\d.]+, (\S+), \S+: installed/m.exec(status) ?? [];
    assertMatch(release, /^\d+\.\d+\.\d+-/, status);
    const module = `/lib/modules/${release}/updates/dkms/pldma.ko`;
    assertEquals((await must(`modinfo -F vermagic ${module}`)).split(" ")[0], release);
    assertEquals((await must(`modinfo -F version ${module}`)).trim(), VERSION);
    assertMatch(await must("getent group pldma"), /^pldma:x:\d+:\n$/);
    assertStringIncludes(await must("plumbline-agent --help"), "plumbline-agent");

    // the clone, Node.js and npm of the root play no part
    const user = "useradd --create-home eve && cd /home/eve && setpriv --reuid=eve --regid=eve " +
      "--init-groups env -i HOME=/home/eve PATH=/usr/bin:/bin NO_COLOR=1";
    const verdict = await must(
      `${user} plumbline run --board sim --suite loopback --policy streaming,none --size 4096`,
    );
    assertMatch(verdict, /^PASS: 4 cases passed, 4 controls failed as expected/m);
    assertEquals((await must("find /usr/lib/plumbline -newer /debs -type f")).trim(), "");

    await must(`${apt} purge pldma-dkms`);
    assertEquals((await root.run(`ls ${module}`, 60)).code, 2);
  },
});
