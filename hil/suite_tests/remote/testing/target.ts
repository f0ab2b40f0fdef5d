// SPDX-License-Identifier: MIT
/**
 * A virtual machine as a target: an agent in a guest, which a desk on this machine reaches by a port.
 *
 * @module
 */

import { buildAgent } from "../../../../fixtures/agent/build.ts";
import { type Arch, type GuestRun, runInGuest } from "../../../../fixtures/boards/vm/mod.ts";
import { AgentError, Remote } from "../../../../driver/remote.ts";
import { addressOf } from "../../../../driver/testing/agent.ts";
import { freePort } from "../../../../fixtures/host/port.ts";
import { ROOT } from "../../../settings/paths.ts";

/** Port of the agent in the guest. */
const GUEST_PORT = 7562;

/** A token, because the guest's address is no loopback address. */
const TOKEN = "for a test";

/** Starts the agent again when it has ended, and kills it when the desk makes a file. */
const SCRIPT = `
cp /out/agent /tmp/plumbline-agent
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
while [ ! -e /out/stop ]; do
	/tmp/plumbline-agent $OPTIONS --listen 0.0.0.0:${GUEST_PORT} &
	agent=$!
	while [ ! -e /out/stop ] && [ ! -e /out/kill ]; do sleep 0.1; done
	kill -KILL $agent
	wait $agent
	rm -f /out/kill
done`;

/** How a command of the desk ended. */
export interface DeskRun {
  readonly code: number;
  /** Everything that it printed. */
  readonly output: string;
}

/** A target. */
export class Target implements AsyncDisposable {
  /** The port of this machine that reaches the agent. */
  readonly port: number;
  readonly #dir: string;
  readonly #run: Promise<GuestRun>;

  private constructor(dir: string, port: number, run: Promise<GuestRun>) {
    this.#dir = dir;
    this.port = port;
    this.#run = run;
  }

  /**
   * Boots a guest and waits for its agent.
   *
   * @param arch Architecture of the guest
   * @param dir Folder that the guest sees as /out
   * @param options `timeoutSeconds`: longest life of the guest, defaults to 30 minutes. `pl`: what its PL
   * holds, defaults to `loopback`. `agent`: options of the agent, defaults to `--allow-faults`
   * @returns The target
   */
  static async start(
    arch: Arch,
    dir: string,
    { timeoutSeconds = 1800, pl = "loopback", agent = "--allow-faults" }: {
      timeoutSeconds?: number;
      pl?: "loopback" | "empty";
      agent?: string;
    } = {},
  ): Promise<Target> {
    await Deno.copyFile(await buildAgent(arch), `${dir}/agent`);
    const port = freePort();
    const run = runInGuest({
      arch,
      outDir: dir,
      command: ["sh", "-c", SCRIPT],
      pl,
      env: { PLUMBLINE_AGENT_TOKEN: TOKEN, OPTIONS: agent },
      forward: { host: port, guest: GUEST_PORT },
      timeoutSeconds,
      stdout: "piped",
      stderr: "piped",
    });
    const target = new Target(dir, port, run);
    await target.ready();
    return target;
  }

  /** Waits until the agent answers. */
  async ready(): Promise<void> {
    let ended: GuestRun | null = null;
    this.#run.then((run) => ended = run, () => {});
    for (let i = 0; i < 600; i++) {
      if (ended !== null) throw new Error(`The guest ended: ${JSON.stringify(ended)}`);
      try {
        Remote.connect(addressOf(`127.0.0.1:${this.port}`), TOKEN)[Symbol.dispose]();
        return;
      } catch (error) {
        if (!(error instanceof AgentError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error("Expected an agent in the guest within 120 s, found none");
  }

  /** Kills the agent. Another one is started. */
  async killAgent(): Promise<void> {
    await Deno.writeTextFile(`${this.#dir}/kill`, "");
  }

  /**
   * Starts a command of Plumbline on this machine.
   *
   * @param args Its arguments, without the board
   * @param port The port to connect with. Defaults to that of the agent
   * @param command Its name. Defaults to `run`
   * @returns The process
   */
  spawn(args: readonly string[], port = this.port, command = "run"): Deno.ChildProcess {
    const board = `--board=remote:127.0.0.1:${port}`;
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "hil/cli/main.ts", command, board, ...args],
      cwd: ROOT,
      env: { PLUMBLINE_AGENT_TOKEN: TOKEN, NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /**
   * Runs a command of Plumbline on this machine.
   *
   * @param args Its arguments, without the board
   * @param command Its name. Defaults to `run`
   * @returns How it ended
   */
  async run(args: readonly string[], command = "run"): Promise<DeskRun> {
    return await outcome(this.spawn(args, this.port, command));
  }

  /** Ends the guest. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.writeTextFile(`${this.#dir}/stop`, "");
    await this.#run;
  }

  /**
   * Ends the guest.
   *
   * @returns How it ended
   */
  async stop(): Promise<GuestRun> {
    await Deno.writeTextFile(`${this.#dir}/stop`, "");
    return await this.#run;
  }
}

/**
 * Waits for a command.
 *
 * @param child The command
 * @returns How it ended
 */
export async function outcome(child: Deno.ChildProcess): Promise<DeskRun> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Forwards connections to a port, until it is cut. Then it keeps them open, and forwards nothing. */
export class Proxy implements Disposable {
  /** The port of this machine that it listens on. */
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #targets = new Set<Deno.TcpConn>();
  /** Bytes that came from the target. */
  received = 0;
  readonly #delayMs: number;
  #cut = false;

  /**
   * Listens on a free port.
   *
   * @param to The port to forward to
   * @param delayMs Delay of what comes from the target, milliseconds. Defaults to 0
   */
  constructor(to: number, delayMs = 0) {
    this.#delayMs = delayMs;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#accept(to);
  }

  async #accept(to: number): Promise<void> {
    for await (const desk of this.#listener) {
      const target = await connect(to);
      if (target === null) {
        // the desk sees what it would see without a proxy: a connection that ends
        closeAll([desk]);
        continue;
      }
      this.#open.add(desk).add(target);
      this.#targets.add(target);
      this.#pump(desk, target, () => {});
      this.#pump(target, desk, (bytes) => this.received += bytes, this.#delayMs);
    }
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    count: (bytes: number) => void,
    delayMs = 0,
  ): Promise<void> {
    const buffer = new Uint8Array(65536);
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        if (this.#cut) return;
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
        count(n);
      }
      if (!this.#cut) to.closeWrite();
    } catch {
      // a connection that was reset is lost for both sides
      if (!this.#cut) closeAll([from, to]);
    }
  }

  /** Forwards nothing any more. */
  cut(): void {
    this.#cut = true;
  }

  /** Closes the connections with the target, as its kernel does some time after a cut. */
  closeTarget(): void {
    closeAll(this.#targets);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    closeAll(this.#open);
  }
}

/** Connects with a port of this machine. Gets null if nothing takes the connection. */
async function connect(port: number): Promise<Deno.TcpConn | null> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch {
    return null;
  }
}

function closeAll(connections: Iterable<Deno.TcpConn>): void {
  for (const connection of connections) {
    try {
      connection.close();
    } catch {
      // it is closed
    }
  }
}

/**
 * Waits until frames move.
 *
 * @param proxy The proxy between desk and target
 */
export async function moving(proxy: Proxy): Promise<void> {
  const start = performance.now();
  while (proxy.received < 20_000) {
    if (performance.now() - start > 120_000) {
      throw new Error(`Expected frames to move, found ${proxy.received} bytes after 120 s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
