// SPDX-License-Identifier: MIT
// Registers over a model on the simulated board, and over a file that stands for the memory of a device.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Device } from "./device.ts";
import { checkRegisterMap, type RegisterMap } from "./register_map.ts";
import { FpgaNotReadyError, PollTimeoutError, Registers } from "./registers.ts";
import { designs, SimBoard } from "../fixtures/boards/sim/mod.ts";
import { tempDir } from "../hil/testing/temp_dir.ts";

const MAP = {
  control: { offset: 0, fields: { enable: { at: 0 }, gain: { at: 8, width: 8 }, top: { at: 31 } } },
  status: {
    offset: 4,
    access: "ro",
    reset: 0x10,
    fields: { busy: { at: 0 }, count: { at: 4, width: 28 } },
  },
  interrupts: {
    offset: 8,
    access: "w1c",
    reset: 7,
    fields: { a: { at: 0 }, b: { at: 1 }, c: { at: 2 } },
  },
  key: { offset: 16, access: "wo" },
} as const satisfies RegisterMap;

/** A design that is busy for three reads of its status after it is enabled. */
const DESIGN = designs.transform((registers) => {
  let busy = 0;
  registers.onWrite("control", () => {
    if (registers.get("control", "enable") === 1) busy = 3;
  });
  registers.onRead("status", () => registers.set("status", { busy: busy-- > 0 ? 1 : 0 }));
  return (frame) => frame;
}, { registers: MAP });

Deno.test("Registers reads and writes fields, and keeps the others, on a model", () => {
  using board = new SimBoard({ seed: 1, design: DESIGN });
  using registers = Registers.map("/dev/uio0", MAP, { write: true, syscalls: board });
  registers.write("control", { gain: 0xa5, top: 1 });
  assertEquals(registers.read("control"), 0x8000_a500);
  registers.write("control", { gain: 1 });
  assertEquals(registers.fields("control"), { enable: 0, gain: 1, top: 1 });
  assertEquals(registers.read("control", "top"), 1);
  assertEquals(registers.read("status", "count"), 1);
  // ones clear, and the other bits stay
  registers.write("interrupts", { b: 1 });
  assertEquals(registers.fields("interrupts"), { a: 1, b: 0, c: 1 });
  registers.write("key", 0xffff_ffff);
  assertThrows(() => registers.read("key"), Error, "write only");
  assertThrows(() => registers.write("status", 1), Error, "read only");
  assertThrows(
    () => registers.write("control", { gain: 256 }),
    RangeError,
    "from 0 to 255, found 256",
  );
  assertThrows(() => registers.write("control", 2 ** 32), RangeError, "found 4294967296");
  assertThrows(() => registers.read("nothing" as "key"), RangeError, "one of control, status");
  assertThrows(() => registers.read("control", "x" as "top"), RangeError, "one of enable, gain");
  // a RESET of the device brings the design back into its reset state
  using device = Device.open({ syscalls: board });
  device.reset();
  assertEquals(registers.read("control"), 0);
});

Deno.test("Registers.map() maps for reading unless more is asked for", () => {
  using board = new SimBoard({ seed: 1, design: DESIGN });
  using registers = Registers.map("/dev/uio0", MAP, { syscalls: board });
  assertEquals(registers.read("status"), 0x10);
  assertThrows(() => registers.write("control", 1), Error, "pass { write: true }");
  assertEquals(registers.read("control"), 0);
  assertThrows(
    () => Registers.map("/dev/uio1", MAP, { syscalls: board }),
    Error,
    "no registers at /dev/uio1",
  );
});

Deno.test("Registers.poll() reads until the fields are as expected, and says what they were", async () => {
  using board = new SimBoard({ seed: 1, design: DESIGN });
  using registers = Registers.map("/dev/uio0", MAP, { write: true, syscalls: board });
  registers.write("control", { enable: 1 });
  let reads = 0;
  const fields = await registers.poll("status", ({ busy }) => {
    reads++;
    return busy === 0;
  });
  assertEquals([reads, fields.busy], [4, 0]);
  const error = await assertRejects(
    () => registers.poll("status", ({ count }) => count === 9, { timeoutMs: 5 }),
    PollTimeoutError,
    "Register status did not become as expected within 5 ms: it is 0x00000010 (busy=0 count=1)",
  );
  assert(error instanceof PollTimeoutError);
  assertEquals(error.value, 0x10);
});

/** A folder that stands for /sys, /proc and /dev of a machine. */
function machine(state: string | null) {
  const dir = tempDir();
  const write = (path: string, content: string | Uint8Array) => {
    Deno.mkdirSync(`${dir}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(`${dir}/${path}`, content);
    else Deno.writeFileSync(`${dir}/${path}`, content);
  };
  if (state !== null) write("managers/fpga0/state", `${state}\n`);
  write("sys/uio3/maps/map0/size", "0x1000\n");
  write("sys/uio3/maps/map0/offset", "0x8\n");
  const file = new Uint8Array(0x30000);
  const view = new DataView(file.buffer);
  view.setUint32(8 + 4, 0x1234_5671, true);
  view.setUint32(0x2_0400 + 4, 0x70, true);
  write("dev/uio3", file);
  const cell = (...values: number[]) => {
    const bytes = new Uint8Array(4 * values.length);
    values.forEach((value, i) => new DataView(bytes.buffer).setUint32(4 * i, value));
    return bytes;
  };
  write("tree/amba/#address-cells", cell(2));
  write("tree/amba/#size-cells", cell(2));
  write("tree/amba/fir@20400/reg", cell(0, 0x2_0400, 0, 0x100));
  const places = {
    managers: `${dir}/managers`,
    uio: `${dir}/sys`,
    tree: `${dir}/tree`,
    memory: `${dir}/dev/uio3`,
  };
  return { dir, places, path: `${dir}/dev/uio3` };
}

Deno.test("Registers.map() maps a UIO device, and a node of the device tree by its address", () => {
  const { places, path } = machine("operating");
  using uio = Registers.map(path, MAP, { write: true, places });
  assertEquals(uio.fields("status"), { busy: 1, count: 0x123_4567 });
  uio.write("control", { gain: 7 });
  assertEquals(new DataView(Deno.readFileSync(path).buffer).getUint32(8, true), 0x700);
  using node = Registers.map("fir@20400", MAP, { places });
  assertEquals(node.fields("status"), { busy: 0, count: 7 });
  const long = { last: { offset: 0x1000 } } as const;
  assertThrows(() => Registers.map(path, long, { places }), RangeError, "found 4096");
  assertThrows(() => Registers.map("fir@1", MAP, { places }), Error, "Expected a node fir@1");
  assertThrows(() => Registers.map("fir", MAP, { places }), RangeError, "such as fir@a0000000");
});

Deno.test("Registers.map() refuses before the FPGA manager says operating, and touches nothing", () => {
  for (const state of ["write complete error", "power off", "unknown"]) {
    const { places, path } = machine(state);
    Deno.removeSync(path); // whoever opened it would fail in another way
    assertThrows(() => Registers.map(path, MAP, { places }), FpgaNotReadyError, `found "${state}"`);
  }
  // a machine without a manager has fixed logic
  const { places, path } = machine(null);
  using registers = Registers.map(path, MAP, { places });
  assertEquals(registers.read("status", "busy"), 1);
});

Deno.test("checkRegisterMap() names the register that is wrong", () => {
  const wrong: [RegisterMap, string][] = [
    [{ a: { offset: 2 } }, "register a to be a multiple of 4"],
    [{ a: { offset: 0 }, b: { offset: 0 } }, "found a and b"],
    [{ a: { offset: 0, reset: -1 } }, "reset value of register a"],
    [{ a: { offset: 0, fields: { f: { at: 30, width: 3 } } } }, "field a.f"],
    [
      { a: { offset: 0, fields: { f: { at: 0, width: 4 }, g: { at: 3 } } } },
      "found g on another one",
    ],
  ];
  for (const [map, text] of wrong) assertThrows(() => checkRegisterMap(map), RangeError, text);
  assertEquals(checkRegisterMap(MAP), 20);
});
