// SPDX-License-Identifier: MIT

/**
 * A session with the agent: requests and replies, and the target's clock. The file is long, because a session has
 * one state.
 *
 * @module
 */

import { getString, getTime } from "../codecs.ts";
import { ErrnoError, errnoName } from "../errno.ts";
import type { RemoteAddress } from "./address.ts";
import { AgentError } from "./errors.ts";
import {
  AGENT_MAGIC,
  AGENT_VERSION,
  HELLO,
  MAX_PAYLOAD,
  OP,
  type OpName,
  POSTED,
  REPLY,
  REQUEST,
  SESSION_SIZE,
  WELCOME,
} from "./protocol.ts";
import { Program } from "./program.ts";
import { SERIAL_PAYLOAD } from "./serial.ts";
import { Stream } from "./stream.ts";

/** Environment variable with the token of an agent that listens. */
export const TOKEN_VARIABLE = "PLUMBLINE_AGENT_TOKEN";

/** Longest wait for a reply, in addition to what the request itself may wait, milliseconds. */
const PATIENCE_MS = 30_000;

/** Age of the target's clock after which it is asked for again, milliseconds. */
const CLOCK_MS = 20;

/** Room for requests that are sent together. */
const BUFFER_SIZE = 64 * 1024;

const EMPTY = new Uint8Array(0);

/** What the agent says about its target. */
export interface TargetInfo {
  /** `uname -m`. */
  readonly machine: string;
  /** `uname -r`. */
  readonly release: string;
  /** `uname -n`. */
  readonly node: string;
  /** Process id on the target of the process that serves this session. */
  readonly pid: number;
  /** Size of a page on the target, bytes. */
  readonly pageSize: number;
}

/** A reply of the agent. */
export interface Reply {
  /** The result. It is -1 if the request failed. */
  readonly result: number;
  /** The error number, or 0. */
  readonly error: number;
  /** The payload, which is valid until the next request. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Options of a request. */
export interface Ask {
  /** The arguments. Defaults to none. */
  readonly args?: readonly (number | bigint)[];
  /** The payload. Defaults to none. */
  readonly payload?: Uint8Array;
  /** How long the request itself may wait on the target, milliseconds. Defaults to 0. */
  readonly waitMs?: number;
}

/** A session with the agent. */
export class AgentSession implements Disposable {
  /** What the agent says about its target. */
  readonly target: TargetInfo;
  readonly #address: RemoteAddress;
  readonly #token: string;
  readonly #stream: Stream;
  readonly #name: Uint8Array;
  /** Posted requests that wait to be sent with the next one that gets a reply. */
  readonly #out = new Uint8Array(BUFFER_SIZE);
  readonly #outView = new DataView(this.#out.buffer);
  #used = 0;
  readonly #head = new Uint8Array(REPLY.size);
  readonly #headView = new DataView(this.#head.buffer);
  #payload = new Uint8Array(64 * 1024);
  /** Why the session cannot be used any more, or null. */
  #lost: AgentError | null = null;
  /** Whether a request waits for its reply. */
  #asking = false;
  #targetNs = 0;
  #heardMs = 0;
  /** Receives all requests, or null. */
  #program: Program | null = null;

  private constructor(address: RemoteAddress, token: string, stream: Stream, welcome: DataView) {
    this.#address = address;
    this.#token = token;
    this.#stream = stream;
    this.#name = new Uint8Array(welcome.buffer, WELCOME.at.session, SESSION_SIZE).slice();
    this.target = {
      machine: getString(welcome, WELCOME.at.machine, 32),
      release: getString(welcome, WELCOME.at.release, 64),
      node: getString(welcome, WELCOME.at.node, 64),
      pid: welcome.getUint32(WELCOME.at.pid, true),
      pageSize: welcome.getUint32(WELCOME.at.page_size, true),
    };
  }

  /**
   * Connect with an agent.
   *
   * @param address Where it is.
   * @param token Its token. Defaults to none.
   * @returns The session, which the caller owns.
   * @throws {AgentError} If there is no agent, or it refuses.
   */
  static connect(address: RemoteAddress, token = ""): AgentSession {
    const stream = Stream.connect(address);
    const welcome = address.kind === "serial"
      ? greetOnLine(stream, address, token)
      : greet(stream, address, token, new Uint8Array(SESSION_SIZE));
    const session = new AgentSession(address, token, stream, welcome);
    session.ask("CLOCK");
    return session;
  }

  /** Why the session cannot be used any more, or null. */
  get lost(): AgentError | null {
    return this.#lost;
  }

  /**
   * Send a request and wait for its reply.
   *
   * @param op The request.
   * @param options Its arguments and payload.
   * @returns The reply, also if the request failed.
   * @throws {AgentError} If the connection is lost.
   * @throws {ErrnoError} If a posted request before it failed.
   */
  ask(op: OpName, options: Ask = {}): Reply {
    this.#checkWhole();
    this.#asking = true;
    try {
      this.#send(op, 0, options);
      return this.#guard(() => {
        this.#flush();
        return this.#receive(op, PATIENCE_MS + (options.waitMs ?? 0));
      });
    } finally {
      // not reached if Deno ends the test
      this.#asking = false;
    }
  }

  /** Refuses to go on after a call that Deno broke off: its reply would be taken for that of the next one. */
  #checkWhole(): void {
    if (!this.#asking) return;
    this.#lost ??= new AgentError(
      `A call to the agent at ${this.#address.text} was broken off, because Deno ended its test: run the ` +
        "tests after it again, without that one",
    );
  }

  /**
   * Send a request that gets no reply, at the latest with the next request that gets one.
   *
   * @param op The request.
   * @param options Its arguments and payload.
   * @throws {AgentError} If the connection is lost.
   */
  post(op: OpName, options: Ask): void {
    this.#checkWhole();
    this.#send(op, POSTED, options);
  }

  /**
   * Call a function, and record its requests, which are made as always.
   *
   * @param fn The function.
   * @returns The requests.
   * @throws {Error} If one cannot be repeated.
   */
  record(fn: () => unknown): Program {
    const program = new Program();
    this.#program = program;
    try {
      fn();
    } finally {
      this.#program = null;
    }
    return program;
  }

  /** Estimate CLOCK_MONOTONIC of the target, whole nanoseconds. It is late by the way of a reply. */
  now(): number {
    if (performance.now() - this.#heardMs > CLOCK_MS) {
      const program = this.#program;
      // the target needs no request to know its clock
      this.#program = null;
      this.ask("CLOCK");
      this.#program = program;
    }
    return Math.floor(this.#targetNs + (performance.now() - this.#heardMs) * 1e6);
  }

  /**
   * Connect again, for calls that wait.
   *
   * @returns The connection, which the caller owns, and its number in the session.
   */
  attach(): { stream: Stream; number: number } {
    if (this.#stream.isSerial) {
      throw new Error(
        "A call that waits on a connection of its own needs a network, found a serial line",
      );
    }
    const stream = Stream.connect(this.#address);
    try {
      greet(stream, this.#address, this.#token, this.#name);
      const { result, error } = this.ask("ATTACH", { waitMs: 5000 });
      if (error !== 0) {
        throw new ErrnoError("agent ATTACH", error, "a connection for calls that wait");
      }
      return { stream, number: result };
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** Close the connection. The agent then releases everything that belongs to the session. */
  [Symbol.dispose](): void {
    if (this.#stream.isSerial && this.#lost === null) this.#leave();
    this.#lost ??= new AgentError(`The session with the agent at ${this.#address.text} is closed`);
    this.#stream.close();
  }

  /** Whether data are better sent each time than kept on the target. */
  get isSlow(): boolean {
    return this.#stream.isSerial;
  }

  /**
   * Check that the connection carries data.
   *
   * @param op The request.
   * @param length Number of bytes.
   * @throws {RangeError} If they are too many for a serial line.
   */
  checkCarries(op: OpName, length: number): void {
    if (this.#stream.isSerial && length > SERIAL_PAYLOAD) throw tooMuch(op, length);
  }

  /** Ends the session at the other end of a serial line. */
  #leave(): void {
    try {
      this.#flush();
      this.#stream.write(new Uint8Array(REQUEST.size)); // HELLO without a payload
    } catch {
      // the next desk ends it
    }
  }

  /** Runs what uses the connection, and remembers that it was lost. */
  #guard<T>(fn: () => T): T {
    if (this.#lost !== null) throw this.#lost;
    try {
      return fn();
    } catch (error) {
      if (error instanceof AgentError) this.#lost = error;
      throw error;
    }
  }

  #send(op: OpName, flags: number, { args = [], payload = EMPTY }: Ask): void {
    const { length } = payload;
    this.#program?.add(op, args, payload);
    this.checkCarries(op, length);
    if (length > MAX_PAYLOAD) {
      throw new RangeError(`Expected at most ${MAX_PAYLOAD} bytes for ${op}, found ${length}`);
    }
    const fits = REQUEST.size + length <= BUFFER_SIZE;
    this.#guard(() => {
      if (this.#used + REQUEST.size + (fits ? length : 0) > BUFFER_SIZE) this.#flush();
      const at = this.#used;
      const view = this.#outView;
      view.setUint32(at + REQUEST.at.length, length, true);
      view.setUint32(at + REQUEST.at.op, (flags << 16 | OP[op]) >>> 0, true);
      for (let i = 0; i < 5; i++) {
        view.setBigInt64(at + REQUEST.at.arg + 8 * i, BigInt(args[i] ?? 0), true);
      }
      this.#used += REQUEST.size;
      if (fits) {
        this.#out.set(payload, this.#used);
        this.#used += length;
      } else {
        this.#flush(true);
        // FFI accepts every view, but its type excludes views of shared memory
        this.#stream.write(payload as Uint8Array<ArrayBuffer>);
      }
    });
  }

  #flush(more = false): void {
    if (this.#used === 0) return;
    const { length } = this.#out;
    const bytes = this.#used === length ? this.#out : this.#out.subarray(0, this.#used);
    this.#used = 0;
    this.#stream.write(bytes, more);
  }

  #receive(op: OpName, timeoutMs: number): Reply {
    this.#stream.read(this.#head, timeoutMs);
    const reply = unpackReply(this.#headView);
    if (reply.length > this.#payload.length) this.#payload = new Uint8Array(reply.length);
    const payload = this.#payload.subarray(0, reply.length);
    if (reply.length > 0) this.#stream.read(payload, PATIENCE_MS);
    this.#targetNs = reply.nowNs;
    this.#heardMs = performance.now();
    if (reply.posted !== 0) {
      throw new ErrnoError("store to memory on the target", reply.posted, `before ${op}`);
    }
    return { result: reply.result, error: reply.error, payload };
  }
}

/** The head of a reply. */
export interface ReplyHead {
  /** Bytes of its payload. */
  readonly length: number;
  /** The error number, or 0. */
  readonly error: number;
  /** The result. */
  readonly result: number;
  /** CLOCK_MONOTONIC of the target, nanoseconds. */
  readonly nowNs: number;
  /** The error number of a posted request, or 0. */
  readonly posted: number;
}

/**
 * Unpack the head of a reply.
 *
 * @param view The head.
 * @returns Its members.
 * @throws {AgentError} If no agent can have sent it.
 */
export function unpackReply(view: DataView): ReplyHead {
  const length = view.getUint32(REPLY.at.length, true);
  if (length > MAX_PAYLOAD) {
    throw new AgentError(
      `Expected a reply of plumbline-agent, found ${length} bytes of payload: is it another program?`,
    );
  }
  return {
    length,
    error: view.getInt32(REPLY.at.error, true),
    result: Number(view.getBigInt64(REPLY.at.result, true)),
    nowNs: getTime(view, REPLY.at.now_ns),
    posted: view.getInt32(REPLY.at.posted_error, true),
  };
}

/** Data that need a network. */
function tooMuch(op: OpName, length: number): RangeError {
  return new RangeError(
    `Expected at most ${SERIAL_PAYLOAD} bytes for ${op} over a serial line, found ${length}: it carries ` +
      "calls and small frames, and data need a network: choose a smaller --size, or connect by a network",
  );
}

/** How often HELLO is sent on a serial line, and how long an answer may take, milliseconds. */
const LINE_TRIES = 5;
const LINE_MS = 3000;

/** Silence after which no late answer comes, milliseconds. */
const LINE_QUIET_MS = 300;

/**
 * Sends HELLO on a serial line, where the session of an earlier desk may be left, in the middle of a frame. That
 * one ends by HELLO, or because its frame does not go on.
 */
function greetOnLine(stream: Stream, address: RemoteAddress, token: string): DataView {
  for (let tries = 1;; tries++) {
    try {
      stream.flush();
      const welcome = greet(stream, address, token, new Uint8Array(SESSION_SIZE), LINE_MS);
      // each HELLO is answered, and those before this one may be late
      if (tries > 1) stream.drain(LINE_QUIET_MS);
      return welcome;
    } catch (error) {
      const refused = error instanceof AgentError && /refuses|protocol/.test(error.message);
      if (!(error instanceof AgentError) || refused || tries === LINE_TRIES) throw error;
      // what is no answer may go on, such as the messages of a boot
      stream.drain(LINE_QUIET_MS * tries);
    }
  }
}

/** Sends HELLO. Returns the welcome. */
function greet(
  stream: Stream,
  address: RemoteAddress,
  token: string,
  session: Uint8Array,
  patienceMs = PATIENCE_MS,
): DataView {
  const secret = new TextEncoder().encode(token);
  const bytes = new Uint8Array(REQUEST.size + HELLO.size + secret.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(REQUEST.at.length, HELLO.size + secret.length, true);
  view.setUint32(REQUEST.size + HELLO.at.magic, AGENT_MAGIC, true);
  view.setUint32(REQUEST.size + HELLO.at.version, AGENT_VERSION, true);
  bytes.set(session, REQUEST.size + HELLO.at.session);
  bytes.set(secret, REQUEST.size + HELLO.size);
  stream.write(bytes);
  const head = new Uint8Array(REPLY.size);
  stream.read(head, patienceMs);
  const { length, error } = unpackReply(new DataView(head.buffer));
  const welcome = new Uint8Array(Math.max(length, WELCOME.size));
  stream.read(welcome.subarray(0, length), patienceMs);
  const answer = new DataView(welcome.buffer);
  const version = answer.getUint32(WELCOME.at.version, true);
  const { text } = address;
  if (answer.getUint32(WELCOME.at.magic, true) !== AGENT_MAGIC) {
    throw new AgentError(`Expected plumbline-agent at ${text}, found another program`);
  }
  if (version !== AGENT_VERSION) {
    throw new AgentError(
      `Expected version ${AGENT_VERSION} of the agent's protocol at ${text}, found ${version}: ` +
        "install the plumbline-agent of this version of Plumbline there",
    );
  }
  if (errnoName(error) === "EACCES") {
    throw new AgentError(
      `The agent at ${text} refuses the token: set ${TOKEN_VARIABLE} to the one it was started with`,
    );
  }
  if (error !== 0) throw new AgentError(`The agent at ${text} refuses: ${errnoName(error)}`);
  return answer;
}
