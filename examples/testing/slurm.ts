// SPDX-License-Identifier: MIT
/**
 * A Slurm of this process: munged, slurmctld and one slurmd with boards as generic resources, started by hand
 * because a container has no init. Every daemon listens on the loopback address, and ends with this process.
 *
 * @module
 */
import { freePort } from "../../fixtures/host/port.ts";
import { needTools } from "../../fixtures/host/packages.ts";
import { run, UnavailableError } from "../../fixtures/host/run.ts";
import { makeScratch } from "../../fixtures/host/scratch.ts";

const TOOLS = [
  { what: "munged", package: "munge" },
  { what: "slurmctld", package: "slurmctld" },
  { what: "slurmd", package: "slurmd" },
  { what: "sbatch", package: "slurm-client" },
  { what: "setpriv", package: "util-linux" },
];

/** Seconds until a daemon that does not answer counts as broken. */
const START_SECONDS = 90;

/** Installs Slurm, if this process is root. */
export async function prepareSlurm(): Promise<void> {
  if (Deno.uid() !== 0) {
    throw new UnavailableError("Slurm's daemons are started by root only: run as root");
  }
  await needTools(TOOLS, "The farm");
}

/** The running daemons. */
export class Slurm implements AsyncDisposable {
  /** Folder of this Slurm. */
  readonly dir: string;
  readonly #daemons: Deno.ChildProcess[] = [];

  private constructor(dir: string) {
    this.dir = dir;
  }

  /**
   * Starts the daemons.
   *
   * @param boards Names of the boards
   * @returns Slurm, once its node is idle. The caller disposes of it
   * @throws {Error} If a daemon does not start. The message has the end of its log
   */
  static async start(boards: readonly string[]): Promise<Slurm> {
    const slurm = new Slurm(await makeScratch("plumbline-slurm"));
    try {
      await slurm.#start(boards);
      return slurm;
    } catch (error) {
      await slurm[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Environment for the programs of this Slurm. */
  get env(): Record<string, string> {
    return { SLURM_CONF: `${this.dir}/slurm.conf`, NO_COLOR: "1" };
  }

  /**
   * Runs a program of Slurm, or of the farm.
   *
   * @param program The program
   * @param args Its arguments
   * @param env More variables
   * @returns What it printed
   * @throws {Error} If it fails
   */
  async run(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const done = await run(program, args, { env: { ...this.env, ...env }, timeoutSeconds: 60 });
    if (done.code === 0) return done.stdout.trim();
    throw new Error(`${program} ${args.join(" ")}: status ${done.code}\n${done.stderr}`);
  }

  /** Counts of the requests that users sent to slurmctld, by their names. */
  async requests(): Promise<Map<string, number>> {
    const text = await this.run("sdiag", []);
    const types = text.slice(text.indexOf("by message type"), text.indexOf("by user"));
    return new Map(
      [...types.matchAll(/^\s*(\w+)\s*\(\s*\d+\)\s+count:(\d+)/gm)]
        .map(([, name = "", count]) => [name, Number(count)]),
    );
  }

  async #start(boards: readonly string[]): Promise<void> {
    const { dir } = this;
    const host = Deno.hostname().split(".")[0] ?? "";
    const gres = boards.map((name) => `board:${name}:1`).join();
    // munged refuses a socket below a folder that others cannot enter
    await Deno.chmod(dir, 0o755);
    for (const sub of ["state", "spool"]) await Deno.mkdir(`${dir}/${sub}`);
    const key = crypto.getRandomValues(new Uint8Array(1024));
    await Deno.writeFile(`${dir}/munge.key`, key, { mode: 0o400 });
    await Deno.writeTextFile(
      `${dir}/slurm.conf`,
      `ClusterName=farm
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${freePort()}
SlurmdPort=${freePort()}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${dir}/munge.socket
StateSaveLocation=${dir}/state
SlurmdSpoolDir=${dir}/spool
SlurmctldPidFile=${dir}/slurmctld.pid
SlurmdPidFile=${dir}/slurmd.pid
SlurmctldLogFile=${dir}/slurmctld.log
SlurmdLogFile=${dir}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=board
SlurmdParameters=config_overrides
KillWait=5
# a task needs a processor only to wait for its board
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${boards.length + 4} Gres=${gres} State=UNKNOWN
PartitionName=farm Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`,
    );
    const lines = boards.map((name) => `Name=board Type=${name} Count=1\n`);
    await Deno.writeTextFile(`${dir}/gres.conf`, lines.join(""));
    const files = ["socket", "pid-file", "log-file", "seed-file"]
      .map((name) => `--${name}=${dir}/munge.${name.replace("-file", "")}`);
    this.#spawn("munged", ["--foreground", "--force", `--key-file=${dir}/munge.key`, ...files]);
    await this.#until("munged", async () => {
      await Deno.stat(`${dir}/munge.socket`);
      return true;
    });
    this.#spawn("slurmctld", ["-D", "-c"]);
    this.#spawn("slurmd", ["-D", "-c"]);
    await this.#until("slurmctld and slurmd", async () => {
      return await this.run("sinfo", ["--noheader", "--format=%T"]) === "idle";
    });
  }

  /** Starts a daemon that the kernel kills together with this process. */
  #spawn(program: string, args: readonly string[]): void {
    const log = `${this.dir}/${program}.out`;
    const command = ["exec", '"$@"', `> '${log}'`, "2>&1"].join(" ");
    const die = ["setpriv", "--pdeathsig", "KILL", "--"];
    this.#daemons.push(
      new Deno.Command("sh", {
        args: ["-c", command, "sh", ...die, program, ...args],
        env: this.env,
        stdin: "null",
      }).spawn(),
    );
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + START_SECONDS * 1000;
    while (!await holds().catch(() => false)) {
      if (performance.now() > end) {
        const logs = ["munged", "slurmctld", "slurmd"].map((name) => {
          try {
            return Deno.readTextFileSync(`${this.dir}/${name}.out`).slice(-1000);
          } catch {
            return "";
          }
        });
        throw new Error(`${what} did not start in ${START_SECONDS} s\n${logs.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Cancels all jobs, and ends every process of this Slurm. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("scancel", ["--full", "--signal=KILL", `--user=root`], {
      env: this.env,
      timeoutSeconds: 20,
    }).catch(() => {});
    // slurmd first, then what it starts jobs with, then those that both need
    for (const daemon of this.#daemons.reverse()) {
      try {
        daemon.kill("SIGTERM");
      } catch {
        // it has ended
      }
      const hard = setTimeout(() => daemon.kill("SIGKILL"), 10_000);
      await daemon.status;
      clearTimeout(hard);
      for (const { pid } of processesOf(this.dir)) {
        if (this.#daemons.some((one) => one.pid === pid)) continue;
        try {
          Deno.kill(pid, "SIGKILL");
        } catch {
          // it has ended
        }
      }
    }
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** A process of a farm. */
export interface FarmProcess {
  /** Its id. */
  readonly pid: number;
  /** Its program, without the folder. */
  readonly program: string;
  /** The board that it belongs to, or null. */
  readonly board: string | null;
}

/**
 * Lists the processes that Slurm started for its jobs, and its own, by the environment that they inherit.
 *
 * @param dir Folder of the Slurm
 * @returns The processes, those that ended meanwhile left out
 */
export function processesOf(dir: string): FarmProcess[] {
  const found: FarmProcess[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const env = Deno.readTextFileSync(`/proc/${name}/environ`).split("\0");
      if (!env.includes(`SLURM_CONF=${dir}/slurm.conf`)) continue;
      const program = Deno.readLinkSync(`/proc/${name}/exe`).replace(/^.*\//, "");
      const board = env.find((one) => one.startsWith("BOARD="))?.slice("BOARD=".length) ?? null;
      found.push({ pid: Number(name), program, board });
    } catch {
      // it has ended
    }
  }
  return found;
}
