// SPDX-License-Identifier: MIT
// The newest kernel of Debian's next release, whose compiler the release of the virtual boards lacks: pldma is
// compiled in a root of that release. PLUMBLINE_FULL=1 runs it, because it fetches some hundred megabytes.
import { assert, assertEquals } from "@std/assert";
import { FreshRoot, preparePristine } from "../../../fixtures/host/testing/fresh_root.ts";

const SUITE = "trixie";

/** Architectures, with Debian's name, that of the kernel's build, and the cross compiler. */
const TARGETS = [
  { debian: "amd64", kbuild: "x86", compiler: "" },
  { debian: "arm64", kbuild: "arm64", compiler: "aarch64-linux-gnu-" },
] as const;

const INSTALL = `set -e
. /etc/os-release
mirror=$(sed -nE 's/^deb (\\[[^]]*\\] )?([^ ]+) .*/\\2/p' /etc/apt/sources.list | head -n 1)
echo "deb $mirror ${SUITE}-backports main" > /etc/apt/sources.list.d/backports.list
dpkg --add-architecture arm64
apt-get -q update
apt-get -q -y --no-install-recommends install gcc make libc6-dev gcc-aarch64-linux-gnu`;

Deno.test({
  name: `pldma compiles without warnings for the newest kernel of ${SUITE}-backports`,
  ignore: Deno.env.get("PLUMBLINE_FULL") !== "1",
  async fn() {
    await using root = await FreshRoot.create(await preparePristine(SUITE));
    const must = async (line: string): Promise<string> => {
      const done = await root.run(line, 1800);
      assertEquals(done.code, 0, done.stdout + done.stderr);
      return done.stdout + done.stderr;
    };
    await must(INSTALL);
    for (const { debian, kbuild, compiler } of TARGETS) {
      await must(
        `apt-get -q -y --no-install-recommends -t ${SUITE}-backports install linux-headers-${debian}:${debian}`,
      );
      const found = await must(`ls -d /usr/src/linux-headers-*-${debian}`);
      const headers = found.trim().split("\n").at(-1) ?? "";
      const [, major = ""] = /linux-headers-(\d+)\./.exec(headers) ?? [];
      assert(Number(major) >= 7, found);
      const make = `make -C driver/kernel KDIR=${headers} ARCH=${kbuild} CROSS_COMPILE=${compiler}`;
      const output = await must(`${make} W=1 && ls -l driver/kernel/pldma.ko && ${make} clean`);
      console.log(headers);
      assertEquals(output.split("\n").filter((line) => /warning:|error:/i.test(line)), []);
    }
  },
});
