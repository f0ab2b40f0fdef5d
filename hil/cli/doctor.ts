// SPDX-License-Identifier: MIT
/**
 * `plumbline doctor`: every condition between a bare board and the first frame.
 *
 * @module
 */
import { AgentError } from "../../driver/remote.ts";
import { type GuestOptions, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { connectTarget } from "../board/remote.ts";
import { examine, renderExamination } from "../doctor/doctor.ts";
import { type Facts, localFacts, remoteFacts } from "../doctor/facts.ts";
import { COMPILE, writeOverlay } from "../doctor/overlay.ts";
import type { Arguments } from "../settings/arguments.ts";
import { parseSettings } from "../settings/settings.ts";
import { UsageError } from "../settings/values.ts";
import { BOARD_OPTION, ENGINE_OPTION, readBoardOptions } from "./board_options.ts";
import { bootTarget } from "./board_target.ts";
import { type Command, EXIT, JSON_DESCRIPTION_OPTION } from "./command.ts";
import { columns, jsonFile, notice, outputFile, writeResults } from "./output.ts";

/** `plumbline doctor`. */
export const doctor: Command = {
  line: {
    command: "plumbline doctor",
    purpose: "Look at every condition between a bare board and the first frame, in order, and " +
      "print what was found, what is expected, and the command that mends it.",
    operands: "",
    groups: [{
      title: "Options",
      options: [
        BOARD_OPTION,
        ENGINE_OPTION,
        { name: "device", value: "PATH,...", help: "Device nodes. Defaults to all" },
        {
          name: "overlay",
          value: "FILE",
          help: "Write a device-tree overlay for the stream controllers of this machine. - is " +
            "standard output",
        },
        JSON_DESCRIPTION_OPTION,
      ],
    }],
    examples: [
      ["plumbline doctor", "Find the next step on this machine"],
      ["plumbline doctor --overlay pldma.dtso", "Write an overlay for pldma"],
    ],
    exit: { 0: "Frames can move", 2: EXIT[2], 3: "A condition is not met" },
  },
  run: runDoctor,
};

/** What the options ask for. */
interface Wanted {
  readonly devices: readonly string[] | null;
  /** The file for the overlay, `-`, or null. */
  readonly overlay: string | null;
  readonly json: string | null;
}

async function runDoctor(given: Arguments): Promise<number> {
  const { device, overlay } = given.values;
  const virtual = Deno.env.get("PLUMBLINE_BOARD") === "vm";
  const { board: choice, bus, engine } = readBoardOptions(given, virtual);
  const wanted: Wanted = {
    devices: device === undefined ? null : parseSettings({ device }).devices,
    overlay: overlay === "-" ? overlay : outputFile("--overlay", overlay),
    json: jsonFile(given.values["json"]),
  };
  if (wanted.overlay === "-" && wanted.json === "-") {
    throw new UsageError("--overlay and --json are both -: expected one text on standard output");
  }
  if (choice.kind === "sim") {
    throw new UsageError(
      "--board sim has no condition to look at, because it is simulated: start plumbline run " +
        "--board sim",
    );
  }
  if (choice.kind === "vm") return await examineGuest({ arch: choice.arch, engine }, wanted);

  await using machine = await bootTarget({ board: choice, bus, engine });
  if (machine !== null && machine.missing !== null) {
    notice(machine.missing);
    return 3;
  }
  const board = machine?.board ?? choice;
  if (board.kind !== "remote") return await examineMachine(localFacts(), wanted);
  try {
    using remote = connectTarget(board.address);
    return await examineMachine(remoteFacts(remote), wanted);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    notice(error.message);
    return 3;
  }
}

/** Examines a machine, and writes what was found. */
async function examineMachine(facts: Facts, { devices, overlay, json }: Wanted): Promise<number> {
  if (overlay !== null) {
    const { text, omitted } = writeOverlay(facts.files);
    for (const line of omitted) notice(`not in the overlay: ${line}`);
    if (text === null) {
      notice(
        "there is no stream controller to write an overlay for: expected a node such as " +
          'compatible = "xlnx,axi-dma-1.00.a", see plumbline doctor',
      );
      return 3;
    }
    await writeResults(overlay, text);
    if (overlay !== "-") {
      notice(
        `compile it: dtc ${COMPILE.join(" ")} -o pldma.dtbo ${overlay}; apply it: sudo mkdir ` +
          "/sys/kernel/config/device-tree/overlays/pldma && sudo cp pldma.dtbo " +
          "/sys/kernel/config/device-tree/overlays/pldma/dtbo",
      );
    }
    return 0;
  }
  const examination = examine(facts, devices ?? undefined);
  if (json !== "-") console.log(renderExamination(examination, columns()).join("\n"));
  if (json !== null) {
    const ready = examination.next === null;
    await writeResults(json, JSON.stringify({ schema: 1, ready, ...examination }, null, 2) + "\n");
  }
  return examination.next === null ? 0 : 3;
}

/** Examines a virtual machine. */
async function examineGuest(
  machine: Pick<GuestOptions, "arch" | "engine">,
  { devices, overlay, json }: Wanted,
): Promise<number> {
  const outDir = Deno.makeTempDirSync({ prefix: "plumbline-doctor-" });
  try {
    const run = await runInGuest({
      ...machine,
      command: [
        ...["deno", "run", "-A", "--no-check", "hil/cli/main.ts", "doctor"],
        ...(devices === null ? [] : [`--device=${devices.join(",")}`]),
        ...(overlay === null ? [] : ["--overlay=/out/overlay"]),
        ...(json === null ? [] : ["--json=/out/json"]),
      ],
      outDir,
      timeoutSeconds: 120,
      stdout: json === "-" || overlay === "-" ? "null" : "inherit",
      stderr: "inherit",
    });
    if (run.lost !== null) notice(`The board was lost: ${run.lost}`);
    for (const [to, name] of [[json, "json"], [overlay, "overlay"]] as const) {
      const text = to === null ? null : readWritten(`${outDir}/${name}`);
      if (to !== null && text !== null) await writeResults(to, text);
    }
    return run.exitCode ?? 3;
  } finally {
    Deno.removeSync(outDir, { recursive: true });
  }
}

function readWritten(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null; // the guest had nothing to write
  }
}
