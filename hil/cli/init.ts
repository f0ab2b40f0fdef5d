// SPDX-License-Identifier: MIT
/**
 * `plumbline init`: a project with a test that runs at once on the simulated board.
 *
 * @module
 */
import { exists } from "../../fixtures/host/exists.ts";
import type { Arguments } from "../settings/arguments.ts";
import { absolutePath, ROOT } from "../settings/paths.ts";
import { UsageError } from "../settings/values.ts";
import { errorMessage } from "../text/error_message.ts";
import { type Command, EXIT } from "./command.ts";
import { DEFAULTS_FILE } from "./defaults.ts";
import { InfrastructureError } from "./infrastructure.ts";

/** The version of Deno with which Plumbline is tested. */
const DENO = "deno@2.9.5";

/** `plumbline init`. */
export const init: Command = {
  line: {
    command: "plumbline init",
    purpose: "Make a test project that runs at once on the simulated board.",
    details: "DIR is a new or an empty folder.",
    operands: "DIR",
    groups: [{ title: "Options", options: [] }],
    examples: [["plumbline init my-board", "Make the folder my-board with a project"]],
    exit: { 0: "The project is there", 2: EXIT[2], 3: "A file cannot be written" },
  },
  run: makeProject,
};

function makeProject({ operands: [asked = ""] }: Arguments): number {
  const dir = absolutePath(asked).replace(/\/+$/, "");
  if (exists(dir) && !isEmptyFolder(dir)) {
    throw new UsageError(`Expected a new or an empty folder, found ${asked} with files in it`);
  }
  const files = projectFiles();
  try {
    for (const [name, text] of Object.entries(files)) {
      const file = `${dir}/${name}`;
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(file, text);
    }
  } catch (error) {
    throw new InfrastructureError(`The project cannot be written: ${errorMessage(error)}`);
  }
  const isHere = dir === absolutePath(".");
  console.log([
    `Made ${Object.keys(files).length} files in ${isHere ? "this folder" : asked}. ` +
    "Try it without a board:",
    "",
    ...(isHere ? [] : [`  cd ${asked}`]),
    `  npx -y ${DENO} task hil --board sim`,
  ].join("\n"));
  return 0;
}

function isEmptyFolder(path: string): boolean {
  try {
    return Deno.readDirSync(path)[Symbol.iterator]().next().done === true;
  } catch {
    return false;
  }
}

/** The files of a project, by their paths in it. */
function projectFiles(): Record<string, string> {
  const run = `deno run -A ${ROOT}hil/cli/main.ts`;
  const config = {
    imports: { "@plumbline/hil": `${ROOT}mod.ts` },
    tasks: { hil: `${run} run`, doctor: `${run} doctor`, plumbline: run },
    lock: false,
    fmt: { lineWidth: 100 },
  };
  return {
    "deno.json": json(config),
    [DEFAULTS_FILE]: json({ files: ["tests"] }),
    "tests/loop_test.ts": TEST,
    "top.bit.json.example": json({ core: "my core", id: "0x12345678", version: "1.0" }),
    ".github/workflows/board.yml": WORKFLOW,
    ".gitignore": "results/\n",
  };
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

const TEST = `import { assertIntact, hil } from "@plumbline/hil";

// With hil({ bitstream: new URL("../top.bit", import.meta.url) }) it loads your design first. If your
// core reports an id, copy top.bit.json.example to top.bit.json: then another core is refused.
const top = await hil();

// Policy none is the control: it must fail on a board that can reveal missing syncs.
top.matrix("loop", {
  policy: ["coherent", "streaming", "none"],
  size: [64, 4096, 65536],
  depth: [1, "max"],
}, async ({ loop }) => assertIntact(await loop.run()));
`;

const WORKFLOW = `# The runner is the board, or a desk that reaches it by --board remote:ssh://HOST.
name: board
on: [push, workflow_dispatch]
concurrency: fpga-board
jobs:
  board:
    runs-on: [self-hosted, fpga-board]
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v4
      - run: exec npx -y ${DENO} task doctor
      - run: exec npx -y ${DENO} task hil --results run --junit junit.xml
      - if: always()
        uses: actions/upload-artifact@v4
        with:
          name: plumbline
          path: |
            run/
            junit.xml
`;
