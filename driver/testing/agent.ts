// SPDX-License-Identifier: MIT

/**
 * `plumbline-agent` on this machine, with the driver of its tests in place of a device.
 *
 * @module
 */

import { buildTestAgent } from "../../fixtures/agent/build.ts";
import { freePort } from "../../fixtures/host/port.ts";
import { parseRemoteAddress, Remote, type RemoteAddress } from "../remote.ts";

/** A running agent. */
export interface TestAgent extends Disposable {
  /** Where it listens. */
  readonly address: RemoteAddress;
  /** Its process. */
  readonly child: Deno.ChildProcess;
}

/**
 * Start an agent that listens on a loopback address.
 *
 * @param options `token`: the token that it wants. Defaults to none. `allowLoad`: whether a desk may load
 * bitstreams. Defaults to false.
 * @returns The agent, which is killed on disposal.
 */
export async function startAgent(
  options: { token?: string; allowLoad?: boolean } = {},
): Promise<TestAgent> {
  const program = await buildTestAgent("agent");
  const port = freePort();
  const child = new Deno.Command(program, {
    args: [...(options.allowLoad ? ["--allow-load"] : []), "--listen", `127.0.0.1:${port}`],
    env: options.token === undefined ? {} : { PLUMBLINE_AGENT_TOKEN: options.token },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  await listens(port);
  return {
    address: addressOf(`127.0.0.1:${port}`),
    child,
    [Symbol.dispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
      child.unref();
    },
  };
}

/**
 * Start an agent on a serial line.
 *
 * @param line Its end of the line.
 * @returns The process, which is killed on disposal.
 */
export async function startAgentOn(line: string): Promise<Disposable> {
  const child = new Deno.Command(await buildTestAgent("agent"), {
    args: ["--serial", line],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  return {
    [Symbol.dispose]() {
      child.kill("SIGKILL");
      child.unref();
    },
  };
}

/** Waits until something listens on a port. */
async function listens(port: number): Promise<void> {
  for (let i = 0; i < 400; i++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error(`Expected an agent on port ${port} within 10 s, found none`);
}

/**
 * Parse an address that is valid.
 *
 * @param text The address.
 * @returns It, parsed.
 */
export function addressOf(text: string): RemoteAddress {
  const address = parseRemoteAddress(text);
  if (address === null) throw new Error(`Expected an address, found ${text}`);
  return address;
}

/**
 * Start an agent, and connect with it.
 *
 * @returns The agent and the connection, which are closed on disposal.
 */
export async function connected(): Promise<Disposable & { agent: TestAgent; remote: Remote }> {
  const agent = await startAgent();
  const remote = Remote.connect(agent.address);
  return {
    agent,
    remote,
    [Symbol.dispose]() {
      remote[Symbol.dispose]();
      agent[Symbol.dispose]();
    },
  };
}
