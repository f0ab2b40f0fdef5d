// SPDX-License-Identifier: MIT
/**
 * Debian's Chromium, controlled through its DevTools protocol.
 *
 * @module
 */
import { needTools } from "../../../fixtures/host/packages.ts";

/** The time limit for the start and for each command, in seconds. */
const TIMEOUT = 60;

/** A window of the browser. */
export interface Window {
  /** The width in CSS pixels. */
  readonly width: number;
  /** The height in CSS pixels. */
  readonly height: number;
  /** The preferred colour scheme. */
  readonly scheme: "light" | "dark";
}

/** A loaded page. */
export interface LoadedPage {
  /** Exceptions, messages on the console, and messages of the browser. */
  readonly errors: readonly string[];
  /** The addresses of requests, without the page itself. */
  readonly requests: readonly string[];
  /** Evaluates an expression in the page. The result must be a JSON value. */
  evaluate(expression: string): Promise<unknown>;
  /** Takes a PNG of the window, or of the whole page. */
  screenshot(whole?: boolean): Promise<Uint8Array>;
}

/** A message of the browser. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

/** A browser with a new profile. */
export class Browser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners = new Map<string, (message: Message) => void>();
  #next = 1;

  private constructor(child: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data) as Message;
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
      else if (message.sessionId !== undefined) this.#listeners.get(message.sessionId)?.(message);
    };
  }

  /**
   * Starts a browser. Installs Chromium if this process is root.
   *
   * @returns The browser; the caller owns it
   * @throws {UnavailableError} If Chromium is not installed and cannot be installed
   */
  static async start(): Promise<Browser> {
    await needTools([{ what: "chromium", package: "chromium" }], "A test of the report");
    const profile = await Deno.makeTempDir({ prefix: "plumbline-browser-" });
    const child = new Deno.Command("chromium", {
      args: [
        ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        ...["--no-first-run", "--disable-extensions", "--disable-background-networking"],
        ...["--hide-scrollbars", "--force-color-profile=srgb", "--remote-debugging-port=0"],
        ...[`--user-data-dir=${profile}`, "about:blank"],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const address = await debuggerAddress(profile);
      const socket = new WebSocket(address);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = () => reject(new Error(`No answer from ${address}`));
      });
      return new Browser(child, profile, socket);
    } catch (error) {
      await end(child, profile);
      throw error;
    }
  }

  /**
   * Loads a page.
   *
   * @param url The address of the page
   * @param window The window
   * @returns The page, loaded and drawn
   */
  async load(url: string, window: Window): Promise<LoadedPage> {
    const { targetId } = await this.#send("Target.createTarget", { url: "about:blank" });
    const attached = await this.#send("Target.attachToTarget", { targetId, flatten: true });
    const session = String(attached["sessionId"]);
    const errors: string[] = [];
    const requests: string[] = [];
    const loaded = Promise.withResolvers<void>();
    this.#listeners.set(session, ({ method, params = {} }) => {
      if (method === "Page.loadEventFired") loaded.resolve();
      if (
        ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"].includes(
          method ?? "",
        )
      ) {
        errors.push(JSON.stringify(params).slice(0, 500));
      }
      if (method === "Network.requestWillBeSent") {
        const { url: requested } = params["request"] as { url: string };
        // what a page contains itself is no request
        if (requested !== url && !requested.startsWith("data:")) {
          requests.push(requested.slice(0, 200));
        }
      }
    });
    const send = (method: string, params: Record<string, unknown> = {}) =>
      this.#send(method, params, session);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await send(`${domain}.enable`);
    const { width, height, scheme } = window;
    const mobile = width < 600;
    const metrics = { width, height, deviceScaleFactor: mobile ? 2 : 1, mobile };
    await send("Emulation.setDeviceMetricsOverride", metrics);
    await send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
    const { errorText } = await send("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`${url} does not load: ${errorText}`);
    await withTimeout("the page", loaded.promise);
    const evaluate = async (expression: string): Promise<unknown> => {
      const options = { expression, returnByValue: true, awaitPromise: true };
      const { result, exceptionDetails } = await send("Runtime.evaluate", options);
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value?: unknown }).value;
    };
    // after two frames, the layout is done and scripts have run
    await evaluate(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
    );
    return {
      errors,
      requests,
      evaluate,
      screenshot: async (whole = false) => {
        const options = { format: "png", captureBeyondViewport: whole };
        const { data } = await send("Page.captureScreenshot", {
          ...options,
          ...(whole ? { clip: await evaluate(WHOLE) } : {}),
        });
        return Uint8Array.fromBase64(String(data));
      },
    };
  }

  /** Ends the browser and removes its profile. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await end(this.#child, this.#profile);
  }

  async #send(
    method: string,
    params: Record<string, unknown>,
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(
      JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }),
    );
    try {
      const { error, result = {} } = await withTimeout(method, answer);
      if (error !== undefined) throw new Error(`${method}: ${error.message}`);
      return result;
    } finally {
      this.#waiting.delete(id);
    }
  }
}

const WHOLE = `({ x: 0, y: 0, scale: 1, width: document.documentElement.clientWidth,
  height: document.documentElement.scrollHeight })`;

/** Returns the address of the browser, which writes its port into the profile. */
async function debuggerAddress(profile: string): Promise<string> {
  for (let tries = 0; tries < TIMEOUT * 10; tries++) {
    const text = await Deno.readTextFile(`${profile}/DevToolsActivePort`).catch(() => "");
    const [port, path] = text.split("\n");
    if (port !== undefined && path !== undefined) return `ws://127.0.0.1:${port}${path}`;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Chromium did not start within ${TIMEOUT} s`);
}

async function withTimeout<T>(what: string, promise: Promise<T>): Promise<T> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    late = setTimeout(
      () => reject(new Error(`${what} took more than ${TIMEOUT} s`)),
      TIMEOUT * 1000,
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(late);
  }
}

async function end(child: Deno.ChildProcess, profile: string): Promise<void> {
  try {
    child.kill("SIGTERM");
  } catch {
    // the browser has already ended
  }
  const kill = setTimeout(() => child.kill("SIGKILL"), 5000);
  await child.status;
  clearTimeout(kill);
  // child processes of the browser may still write
  for (let tries = 0; tries < 20; tries++) {
    try {
      await Deno.remove(profile, { recursive: true });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
