// SPDX-License-Identifier: MIT

/**
 * A connection with the agent, through the C library, because reading and writing must not return to the
 * event loop: the driver's binding is synchronous.
 *
 * @module
 */

import { ERRNO, errnoName } from "../errno.ts";
import type { RemoteAddress } from "./address.ts";
import { AgentError } from "./errors.ts";
import { library } from "./library.ts";
import { flushSerial, openSerial } from "./serial.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;
const MSG_WAITALL = 0x100;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const WNOHANG = 1;

/** Numbers of socket options, which are the same on x86-64 and arm64. */
const SO = { KEEPALIVE: 9, RCVTIMEO: 20, SNDTIMEO: 21 } as const;
const TCP = { NODELAY: 1, KEEPIDLE: 4, KEEPINTVL: 5, KEEPCNT: 6, USER_TIMEOUT: 18 } as const;

/** Seconds until a connection is given up that does not come about, or does not take data. */
const CONNECT_SECONDS = 10;
const SEND_SECONDS = 30;

const encoder = new TextEncoder();
const cString = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(`${text}\0`);
const POLLIN = 1;

/** A connection with the agent. */
export class Stream {
  readonly #fd: number;
  readonly #address: RemoteAddress;
  /** Process id of ssh, or null. */
  readonly #ssh: number | null;
  readonly #pollfd = new Int32Array(2);
  readonly #pollBytes = new Uint8Array(this.#pollfd.buffer);
  #open = true;

  private constructor(fd: number, address: RemoteAddress, ssh: number | null) {
    this.#fd = fd;
    this.#address = address;
    this.#ssh = ssh;
    this.#pollfd[0] = fd;
    this.#pollfd[1] = POLLIN;
  }

  /**
   * Connect with an agent that listens, or start one by ssh.
   *
   * @param address Where the agent is.
   * @returns The connection, which the caller owns.
   * @throws {AgentError} If it cannot be made.
   */
  static connect(address: RemoteAddress): Stream {
    if (address.kind === "serial") return new Stream(openSerial(address), address, null);
    return address.kind === "tcp"
      ? new Stream(connectTcp(address), address, null)
      : Stream.#startSsh(address);
  }

  static #startSsh(address: RemoteAddress & { kind: "ssh" }): Stream {
    const { fd, pid } = spawnSsh(address);
    return new Stream(fd, address, pid);
  }

  /** Whether this is a serial line, which has no end of a connection. */
  get isSerial(): boolean {
    return this.#address.kind === "serial";
  }

  /** Drop what has come over a serial line and was not read. */
  flush(): void {
    flushSerial(this.#fd);
  }

  /**
   * Drop what comes over a serial line until nothing does.
   *
   * @param quietMs The silence that ends it, milliseconds.
   */
  drain(quietMs: number): void {
    const { c } = library();
    const bytes = new Uint8Array(4096);
    while (c.poll(this.#pollBytes, 1n, quietMs) > 0) {
      if (c.read(this.#fd, bytes, BigInt(bytes.length)) <= 0n) return;
    }
  }

  /**
   * Send bytes.
   *
   * @param bytes The bytes.
   * @param more Whether more will follow at once. Defaults to false.
   * @throws {AgentError} If the connection is lost.
   */
  write(bytes: Uint8Array<ArrayBuffer>, more = false): void {
    const { c, errno } = library();
    for (let at = 0; at < bytes.length;) {
      const rest = at === 0 ? bytes : bytes.subarray(at);
      const flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
      const sent = Number(
        this.isSerial
          ? c.write(this.#fd, rest, BigInt(rest.length))
          : c.send(this.#fd, rest, BigInt(rest.length), flags),
      );
      const code = sent < 0 ? errno[0] ?? 0 : 0;
      if (code === ERRNO.EINTR) continue;
      if (code === ERRNO.EAGAIN) throw this.#silent(SEND_SECONDS);
      if (sent <= 0) throw this.#lost(code);
      at += sent;
    }
  }

  /**
   * Receive bytes.
   *
   * @param bytes Receives as many bytes as it is long.
   * @param timeoutMs The longest wait for each part, milliseconds.
   * @throws {AgentError} If the connection is lost, or nothing comes in time.
   */
  read(bytes: Uint8Array<ArrayBuffer>, timeoutMs: number): void {
    const { c, errno } = library();
    for (let at = 0; at < bytes.length;) {
      const ready = c.poll(this.#pollBytes, 1n, Math.min(Math.ceil(timeoutMs), 0x7fff_ffff));
      const failed = ready < 0 ? errno[0] ?? 0 : 0;
      if (failed === ERRNO.EINTR) continue;
      if (ready === 0) throw this.#silent(timeoutMs / 1000);
      const rest = at === 0 ? bytes : bytes.subarray(at);
      const got = Number(
        this.isSerial
          ? c.read(this.#fd, rest, BigInt(rest.length))
          : c.recv(this.#fd, rest, BigInt(rest.length), 0),
      );
      const code = got < 0 ? errno[0] ?? 0 : 0;
      if (code === ERRNO.EINTR) continue;
      if (got <= 0) throw this.#lost(code);
      at += got;
    }
  }

  /**
   * Receive bytes on another thread.
   *
   * @param bytes Receives as many bytes as it is long. Do not access it until the promise is settled.
   * @param timeoutMs The longest wait, milliseconds.
   * @returns A promise that rejects with an `AgentError` if the connection is lost, or nothing comes in time.
   */
  async readAsync(bytes: Uint8Array<ArrayBuffer>, timeoutMs: number): Promise<void> {
    const { c } = library();
    this.#limit(SO.RCVTIMEO, timeoutMs / 1000);
    const got = Number(await c.recvAsync(this.#fd, bytes, BigInt(bytes.length), MSG_WAITALL));
    // errno of that thread is lost
    if (got === 0) throw this.#lost(0);
    if (got !== bytes.length) throw this.#silent(timeoutMs / 1000);
  }

  #limit(option: number, seconds: number): void {
    setLimit(this.#fd, option, seconds);
  }

  /** The agent, or ssh, is gone. */
  #lost(code: number): AgentError {
    const { text } = this.#address;
    const why = this.#ssh === null ? code === 0 ? "" : ` (${errnoName(code)})` : this.#endOfSsh();
    return new AgentError(
      `The connection with the agent at ${text} was lost${why}: check that the target, its network ` +
        "and plumbline-agent are up",
    );
  }

  #silent(seconds: number): AgentError {
    return new AgentError(
      `The agent at ${this.#address.text} did not answer within ${Math.round(seconds)} s: check ` +
        "the network, and whether the target hangs",
    );
  }

  /** How ssh ended, in words. */
  #endOfSsh(): string {
    const { c } = library();
    const status = new Int32Array(1);
    for (let i = 0; i < 40; i++) {
      if (c.waitpid(this.#ssh ?? 0, new Uint8Array(status.buffer), WNOHANG) !== 0) break;
      Atomics.wait(sleeper, 0, 0, 50);
    }
    const code = (status[0] ?? 0) >> 8 & 0xff;
    if (code === 255) return " (ssh cannot log in, or lost its connection; its message is above)";
    if (code === 127 && this.#address.kind === "ssh") {
      return ` (there is no ${this.#address.program} on the target: install it there)`;
    }
    return code === 0 ? "" : ` (ssh ended with status ${code})`;
  }

  /** Close the connection. A second call does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    const { c } = library();
    c.close(this.#fd);
    // it ends by itself now; this only takes its status if it has ended
    if (this.#ssh !== null) c.waitpid(this.#ssh, new Uint8Array(4), WNOHANG);
  }
}

/** Nothing ever notifies this, so a wait on it is a sleep. */
const sleeper = new Int32Array(new SharedArrayBuffer(4));

function setOption(fd: number, level: number, name: number, value: number): void {
  library().c.setsockopt(fd, level, name, new Uint8Array(new Int32Array([value]).buffer), 4);
}

/** Sets a limit for sending or receiving. */
function setLimit(fd: number, option: number, seconds: number): void {
  const whole = Math.floor(seconds);
  const microseconds = Math.round((seconds - whole) * 1e6);
  const time = new BigInt64Array([BigInt(whole), BigInt(microseconds)]);
  library().c.setsockopt(fd, SOL_SOCKET, option, new Uint8Array(time.buffer), 16);
}

/** Makes a connection end within 15 s if the other end or the network is gone. */
function keepAlive(fd: number): void {
  setOption(fd, SOL_SOCKET, SO.KEEPALIVE, 1);
  setOption(fd, IPPROTO_TCP, TCP.NODELAY, 1);
  setOption(fd, IPPROTO_TCP, TCP.KEEPIDLE, 5);
  setOption(fd, IPPROTO_TCP, TCP.KEEPINTVL, 2);
  setOption(fd, IPPROTO_TCP, TCP.KEEPCNT, 5);
  setOption(fd, IPPROTO_TCP, TCP.USER_TIMEOUT, 15_000);
}

/** An address that a name stands for: offsets in `struct addrinfo` of 64-bit Linux. */
interface Candidate {
  readonly family: number;
  readonly address: Deno.PointerValue;
  readonly length: number;
}

function connectTcp(address: RemoteAddress & { kind: "tcp" }): number {
  const { c, errno } = library();
  const { host, port, text } = address;
  const hints = new Uint8Array(48);
  new DataView(hints.buffer).setInt32(8, SOCK_STREAM, true);
  const result = new BigUint64Array(1);
  const failed = c.getaddrinfo(
    cString(host),
    cString(`${port}`),
    hints,
    new Uint8Array(result.buffer),
  );
  if (failed !== 0) {
    const reason = c.gai_strerror(failed);
    const why = reason === null ? failed : new Deno.UnsafePointerView(reason).getCString();
    throw new AgentError(`Cannot find ${host}: ${why}: check --board remote:${text}`);
  }
  const list = Deno.UnsafePointer.create(result[0] ?? 0n);
  let last = 0;
  try {
    for (const { family, address, length } of candidates(list)) {
      const fd = c.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
      last = fd < 0 ? errno[0] ?? 0 : 0;
      if (fd < 0) continue;
      setLimit(fd, SO.SNDTIMEO, CONNECT_SECONDS);
      const connected = c.connect(fd, address, length);
      last = connected < 0 ? errno[0] ?? 0 : 0;
      if (connected === 0) {
        setLimit(fd, SO.SNDTIMEO, SEND_SECONDS);
        keepAlive(fd);
        return fd;
      }
      c.close(fd);
    }
  } finally {
    c.freeaddrinfo(list);
  }
  const timedOut = last === ERRNO.EINPROGRESS || last === ERRNO.ETIMEDOUT;
  const why = timedOut ? `no answer within ${CONNECT_SECONDS} s` : errnoName(last);
  throw new AgentError(
    `Cannot connect with plumbline-agent at ${host} port ${port} (${why}): start it on the target ` +
      "with --listen, or use --board remote:ssh://",
  );
}

function* candidates(list: Deno.PointerValue): Generator<Candidate> {
  for (let at = list; at !== null;) {
    const view = new Deno.UnsafePointerView(at);
    yield {
      family: view.getInt32(4),
      length: view.getUint32(16),
      address: view.getPointer(24),
    };
    at = view.getPointer(40);
  }
}

/** Starts ssh with one end of a pair of sockets as its standard input and output. */
function spawnSsh(address: RemoteAddress & { kind: "ssh" }): { fd: number; pid: number } {
  const { c } = library();
  const { destination, port, program } = address;
  const pair = new Int32Array(2);
  if (c.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, new Uint8Array(pair.buffer)) !== 0) {
    throw new AgentError(
      "Expected a pair of sockets for ssh, found none: are there too many files?",
    );
  }
  const [ours = -1, its = -1] = pair;
  const words = [
    // no question on the terminal, and a lost network is noticed
    ...["ssh", "-T", "-o", "BatchMode=yes", "-o", `ConnectTimeout=${CONNECT_SECONDS}`],
    ...["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"],
    ...(port === null ? [] : ["-p", `${port}`]),
    ...["--", destination, program, "--stdio"],
  ].map(cString);
  const argv = new BigUint64Array(words.length + 1);
  words.forEach((word, i) => argv[i] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(word)));
  const actions = new Uint8Array(256); // posix_spawn_file_actions_t, 80 bytes in glibc
  const pid = new Int32Array(1);
  const environ = new Deno.UnsafePointerView(c.environ as Deno.PointerObject).getPointer();
  c.posix_spawn_file_actions_init(actions);
  c.posix_spawn_file_actions_adddup2(actions, its, 0);
  c.posix_spawn_file_actions_adddup2(actions, its, 1);
  const failed = c.posix_spawnp(
    new Uint8Array(pid.buffer),
    cString("ssh"),
    actions,
    null,
    new Uint8Array(argv.buffer),
    environ,
  );
  c.posix_spawn_file_actions_destroy(actions);
  c.close(its);
  if (failed !== 0) {
    c.close(ours);
    throw new AgentError(`ssh cannot be started (${errnoName(failed)}): install an ssh client`);
  }
  setLimit(ours, SO.SNDTIMEO, SEND_SECONDS);
  return { fd: ours, pid: pid[0] ?? 0 };
}
