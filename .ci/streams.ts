// SPDX-License-Identifier: MIT
/**
 * Runs every automated test that can run here. Two streams take one part after the other, because a virtual
 * board keeps one core busy and waits often. What compares times runs alone, before the last parts.
 *
 * The output of a part follows when the part has ended, so that the lines of a test stay together.
 *
 * If PLUMBLINE_MINUTES is set, parts that may be left out do not start when so many minutes have passed. A line
 * `SKIP` names each of them. Everything else runs always.
 *
 * @module
 */
import { Minutes, minutesTable } from "./minutes.ts";
import { ALONE, argumentsOf, FIRST, LATE, type Part } from "./parts.ts";

/** Minutes after which a part is killed: one of its tests hangs. */
const LIMIT = 60;

if (Deno.args.length > 0) {
  // the tests take an hour, so a word that is not understood runs none
  const help = Deno.args[0] === "--help";
  console.log(
    "Usage: deno task test\nRuns every automated test that can run here, for about an hour.",
  );
  Deno.exit(help ? 0 : 2);
}

const deadline = Number(Deno.env.get("PLUMBLINE_MINUTES") || "Infinity");
if (!(deadline > 0)) throw new RangeError("Expected PLUMBLINE_MINUTES to be a number above 0");

const all = [...FIRST, ALONE, ...LATE];
const encoder = new TextEncoder();
const running = new Set<Deno.ChildProcess>();
const seconds: ReadonlyMap<string, number>[] = [];
let ok = true;

async function print(chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += await Deno.stdout.write(chunk.subarray(at));
}

/** Sends a signal. */
function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // it has ended
  }
}

/** Runs Deno, and prints what it prints once it has ended. */
async function run(name: string, args: readonly string[]): Promise<void> {
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" 2>&1', "sh", Deno.execPath(), ...args],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  running.add(child);
  const hung = setTimeout(() => kill(child, "SIGKILL"), LIMIT * 60_000);
  const minutes = new Minutes(performance.now() / 1000);
  const held: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of child.stdout) {
    held.push(chunk);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) minutes.line(line, performance.now() / 1000);
  }
  const status = await child.status;
  clearTimeout(hung);
  running.delete(child);
  seconds.push(minutes.end());
  ok &&= status.success;
  const killed = status.signal === null ? "" : `\nFAILED ${name}: ended by ${status.signal}\n`;
  const parts = [encoder.encode(`\n== ${name}\n`), ...held, encoder.encode(killed)];
  // one call, so that parts that end at the same time do not mix
  await print(new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
}

/** Two streams take one part after the other, and start none after a number of minutes. */
async function inStreams(parts: readonly Part[], latest = Infinity): Promise<void> {
  const left = [...parts];
  const stream = async () => {
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      const minutes = performance.now() / 60_000;
      if (minutes > latest) {
        await print(
          encoder.encode(`SKIP ${part.name}: ${minutes.toFixed()} minutes are used up\n`),
        );
      } else await run(part.name, argumentsOf(part, all));
    }
  };
  await Promise.all([stream(), stream()]);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    for (const child of running) kill(child, signal);
    Deno.exit(signal === "SIGINT" ? 130 : 143);
  });
}

await inStreams(FIRST);
await run(ALONE.name, argumentsOf(ALONE, all));
await inStreams(LATE, deadline);
await print(encoder.encode(`${minutesTable(seconds, performance.now() / 1000)}\n`));
Deno.exit(ok ? 0 : 1);
