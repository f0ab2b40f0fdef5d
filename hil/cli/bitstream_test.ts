// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bitstreamInfo,
  convert,
  formatSideFile,
  parseBitstream,
  virtualBitstream,
  virtualPromise,
} from "../../fixtures/bitstream/mod.ts";
import { FakeBoard } from "../../fixtures/bitstream/load/testing/fake_board.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { pdiFile } from "../../fixtures/bitstream/testing/pdi.ts";
import { bitstream, type LoadBoard, renderInfo } from "./bitstream.ts";
import { UsageError } from "../settings/values.ts";

const dir = tempDir();
const bytes = virtualBitstream({ core: "softdma", args: "channels=2" });
const good = `${dir}/good.bit`;
Deno.writeFileSync(good, bytes);
Deno.writeTextFileSync(`${good}.json`, formatSideFile(virtualPromise(bytes)));
const damaged = `${dir}/damaged.bit`;
Deno.writeFileSync(damaged, bytes.map((byte, i) => i === 600 ? byte ^ 1 : byte));
const cut = `${dir}/cut.bit`;
Deno.writeFileSync(cut, bytes.subarray(0, 500));

/** Runs the command in this process. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return await runOn({}, ...args);
}

async function runOn(
  board: LoadBoard,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const { log, error } = console;
  const [out, err]: [string[], string[]] = [[], []];
  console.log = (text: string) => void out.push(text);
  console.error = (text: string) => void err.push(text);
  try {
    const code = await bitstream(args, board);
    return { code, out: out.join("\n"), err: err.join("\n") };
  } finally {
    Object.assign(console, { log, error });
  }
}

Deno.test("bitstream info describes a file in ten lines, and exits 0 if it may be loaded", async () => {
  const { code, out, err } = await run("info", good);
  assertEquals([code, err], [0, ""]);
  const lines = out.split("\n");
  assertEquals(lines.map((line) => line.slice(0, 10).trim()), [
    ...["file", "sha256", "design", "part", "words", "holds", "crc", "virtual", "side file"],
    "verdict",
  ]);
  for (
    const text of [
      `good.bit, .bit of ${bytes.length} bytes`,
      parseBitstream(bytes).info.sha256,
      "softdma, UserID 0x504C5642, by plumbline, 1970/01/01 00:00:00",
      "plvirt; IDCODE 0x0504C0FF, plvirt (virtual)",
      "264 from byte 101, straight; sync word at byte 149",
      "a full bitstream, 202 words of frames",
      "right, 2 compared",
      "softdma 1.0, id 0x504C5344, channels=2",
      "promises part plvirt, core softdma, id 0x504C5344, version 1.0, build ",
      "may be loaded",
    ]
  ) {
    assert(out.includes(text), `${text}\n${out}`);
  }
});

Deno.test("renderInfo() prints USR_ACCESS only if the bitstream writes it", () => {
  const report = bitstreamInfo(good);
  const { info } = report;
  const configuration = { ...info.configuration, axss: 0xcafe };
  const text = renderInfo({ ...report, info: { ...info, configuration } });
  assert(text.split("\n").includes("access    USR_ACCESS 0x0000CAFE"), text);
  assert(!renderInfo(report).includes("USR_ACCESS"));
});

Deno.test("bitstream info says what is wrong with a damaged file, and exits 1", async () => {
  const wrong = await run("info", damaged);
  assertEquals(wrong.code, 1);
  assert(wrong.out.includes("crc       wrong"), wrong.out);
  assert(wrong.out.includes("may not be loaded: crc\n"), wrong.out);
  assert(wrong.out.includes("expected the CRC 0x"), wrong.out);
  const short = await run("info", cut);
  assertEquals([short.code, short.out], [1, ""]);
  assert(short.err.includes("byte 500 (0x1f4): expected 1056 bytes"), short.err);
  const other = await run("info", good, "--part", "xc7z020");
  assertEquals(other.code, 1);
  assert(other.out.includes("expected a bitstream for xc7z020, found plvirt"), other.out);
  assertEquals((await run("info", good, "--part=0x0504C0FF")).code, 0);
});

Deno.test("bitstream info --json - writes only JSON to standard output", async () => {
  const { code, out, err } = await run("info", "--json", "-", damaged);
  const report = JSON.parse(out);
  assertEquals([code, err], [1, ""]);
  assertEquals([report.loadable, report.reason.code, report.promise], [false, "crc", null]);
  assertEquals([report.virtual.core, report.configuration.crc], ["softdma", "wrong"]);
  const file = `${dir}/report.json`;
  const written = await run("info", good, "--json", file);
  assert(written.out.includes("may be loaded"));
  assertEquals(JSON.parse(Deno.readTextFileSync(file)).promise.core, "softdma");
});

Deno.test("bitstream info describes a PDI and a package of dfx-mgr, which are no bitstreams", async () => {
  const folder = `${dir}/design`;
  Deno.mkdirSync(folder);
  Deno.writeFileSync(`${folder}/design.pdi`, pdiFile({ images: [{ name: "pl", uuid: 0xab }] }));
  const pdi = await run("info", `${folder}/design.pdi`);
  assert(pdi.out.includes("pl, PL, node 0x18700000, UUID 000000ab"), pdi.out);
  const described = await run("info", folder);
  assert(described.out.includes("package   design, a flat design"), described.out);
  const { name, uuid } = JSON.parse((await run("info", folder, "--json", "-")).out);
  assertEquals([pdi.code, described.code, name, uuid], [0, 0, "design", 0xab]);
});

Deno.test("bitstream convert writes the words in the order of the loader, or of --order", async () => {
  const expected = parseBitstream(bytes);
  for (const order of ["swapped", "straight"] as const) {
    const out = `${dir}/${order}.bin`;
    const args = order === "swapped" ? [] : ["--order", order];
    const { code, err } = await run("convert", good, out, ...args);
    assertEquals(code, 0);
    assert(err.includes(`1056 bytes, ${order} words`), err);
    assertEquals(Deno.readFileSync(out), convert(expected, order));
  }
});

Deno.test("bitstream convert exits 1 if the file may not be loaded", async () => {
  const { code, err } = await run("convert", damaged, `${dir}/damaged.bin`);
  assertEquals(code, 1);
  assert(err.includes("may not be loaded"), err);
  assertEquals((await run("convert", cut, `${dir}/cut.bin`)).code, 1);
  assertEquals((await run("convert", good, good)).code, 2);
});

Deno.test("bitstream exits 2 for a file that cannot be read, and for an invalid command line", async () => {
  assertEquals((await run("info", `${dir}/none.bit`)).code, 2);
  assertEquals((await run("info", dir)).code, 2);
  const wrong: [string[], string][] = [
    [[], "Missing command: expected info, convert or load, or --help"],
    [["inof", good], "did you mean info?"],
    [["xyzzy"], "expected info, convert or load"],
    [["info"], "Missing FILE: expected FILE"],
    [["info", good, good], 'good.bit": expected FILE'],
    [["convert", good], "Missing OUT: expected FILE OUT"],
    [["info", good, "--jsn=-"], "did you mean --json?"],
    [["info", good, "--json"], "--json needs a value"],
    [["info", good, "--json="], "--json needs a value"],
    [["info", good, "--part=a", "--part=b"], "given twice"],
    [
      ["info", good, "--part", "7!"],
      'Expected --part to be a name or an IDCODE, such as xc7z020 or 0x03727093, found "7!"',
    ],
    [["info", good, "--json", `${dir}/none/x`], "none/x cannot be written"],
    [["convert", good, "x", "--order=big"], 'swapped or straight, found "big"'],
    [["load"], "Missing FILE: expected FILE"],
    [["load", good, "--force=yes"], "--force takes no value"],
    [["load", good, "--requireidentity"], "did you mean --require-identity?"],
  ];
  for (const [args, message] of wrong) {
    const error = await assertRejects(() => run(...args), UsageError);
    assert(error.message.includes(message), error.message);
  }
  assertEquals((await run("--help")).code, 0);
  for (const command of [[], ["info"], ["convert"], ["load"]]) {
    const help = (await run(...command, "--help")).out;
    assert(help.split("\n").every((line) => line.length <= 80), help);
    assert(help.includes(["plumbline bitstream", ...command].join(" ")), help);
  }
});

Deno.test("bitstream load loads a file, and checks which core answers", async () => {
  const promise = virtualPromise(bytes);
  const core = { id: promise.id ?? 0, version: promise.version ?? "", build: promise.build };
  const around = (fake: FakeBoard, answer: typeof core = core): LoadBoard => ({
    files: fake,
    syscalls: fake.syscalls,
    identify: () => answer,
  });
  const fake = new FakeBoard();
  const first = await runOn(around(fake), "load", good, "--require-identity");
  assertEquals([first.code, first.out], [0, ""], first.err);
  assert(first.err.includes("identity: proved (the core's id, version, build"), first.err);
  assertEquals(fake.configuration, convert(parseBitstream(bytes)));

  const again = await runOn(around(fake), "load", good);
  assertEquals(again.code, 0);
  assert(again.err.includes("runs already"), again.err);
  const writes = fake.events.length;
  assertEquals((await runOn(around(fake), "load", good, "--force")).code, 0);
  assert(fake.events.length > writes);

  const wrong = await runOn(around(new FakeBoard(), { ...core, id: 7 }), "load", good);
  assertEquals(wrong.code, 1);
  assert(wrong.err.includes("identity: wrong (id is 0x00000007"), wrong.err);
  const silent = { id: 0, version: "0.0", build: null };
  for (const [args, code] of [[[], 0], [["--require-identity"], 1]] as const) {
    const done = await runOn(around(new FakeBoard(), silent), "load", good, ...args);
    assertEquals(done.code, code, done.err);
  }
});

Deno.test("bitstream load does not touch the board if the file or the loader is not valid", async () => {
  const fake = new FakeBoard();
  const board = { files: fake, syscalls: fake.syscalls };
  const attempts: [string[], number][] = [
    [[damaged], 1],
    [[cut], 1],
    [[good, "--part", "xc7z020"], 1],
    [[`${dir}/none.bit`], 2],
    [[good, "--loader", "nonsense"], 3],
  ];
  for (const [args, code] of attempts) {
    const done = await runOn(board, "load", ...args);
    assertEquals([done.code, done.out], [code, ""], done.err);
    assert(done.err.startsWith("plumbline: "), done.err);
  }
  assertEquals(fake.events, []);
});
