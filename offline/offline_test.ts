// SPDX-License-Identifier: MIT
// The checks of the whole project, as on a board or in CI: no network and nothing cached.
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url).pathname;

/** Without a network name space of its own the child is sent to a proxy that nobody listens on. */
const NOWHERE = { HTTP_PROXY: "http://127.0.0.1:9", HTTPS_PROXY: "http://127.0.0.1:9" };

const unshare = ["unshare", "--net", "--map-root-user", "--"];
const cache = Deno.makeTempDirSync({ prefix: "plumbline-offline-" });
globalThis.addEventListener("unload", () => Deno.removeSync(cache, { recursive: true }));

async function canUnshare(): Promise<boolean> {
  const [program = "", ...args] = unshare;
  try {
    const probe = new Deno.Command(program, { args: [...args, "true"], stderr: "null" });
    return (await probe.output()).success;
  } catch {
    return false;
  }
}

async function deno(...args: string[]): Promise<string> {
  const whole = [...(await canUnshare() ? unshare : []), Deno.execPath(), ...args];
  const [program = "", ...rest] = whole;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: rest,
    cwd: ROOT,
    env: { ...NOWHERE, DENO_DIR: cache, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assertEquals(code, 0, `deno ${args.join(" ")}\n${output}`);
  return output;
}

for (
  const command of [
    "deno fmt --check",
    "deno lint",
    "deno check",
    "deno doc --lint mod.ts",
    "deno test -A offline/std_assert offline/std_cli",
    "deno task hil --help",
    "deno publish --dry-run --allow-dirty",
  ]
) {
  Deno.test(`${command} finds nothing to say, without a network and with an empty cache`, async () => {
    await deno(...command.split(" ").slice(1));
  });
}

Deno.test("deno.lock is what Deno makes of deno.json, and names no npm package", async () => {
  const before = Deno.readTextFileSync(`${ROOT}deno.lock`);
  assert(!before.includes("npm"), before);
  assert(!Deno.readTextFileSync(`${ROOT}deno.json`).includes("npm:"));
  const copy = Deno.makeTempFileSync({ prefix: "plumbline-lock-" });
  Deno.copyFileSync(`${ROOT}deno.lock`, copy);
  await deno("check", `--lock=${copy}`, "--frozen=false", "offline");
  assertEquals(Deno.readTextFileSync(copy), before);
});
