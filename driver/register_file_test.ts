// SPDX-License-Identifier: MIT
// Maps of registers from CMSIS-SVD and IP-XACT, and from files that are damaged.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { designs, SimBoard } from "../fixtures/boards/sim/mod.ts";
import { readRegisterFile, RegisterFileError } from "./register_file.ts";
import type { RegisterMap } from "./register_map.ts";
import { Registers } from "./registers.ts";
import { Random } from "./testing/random.ts";
import { readXml, XmlError } from "./xml.ts";

const SVD = `<?xml version="1.0" encoding="utf-8"?>
<!-- made by hand -->
<device schemaVersion="1.3">
  <name>TOP</name><size>32</size><access>read-write</access>
  <peripherals>
    <peripheral><name>FIR</name><baseAddress>0xA0000000</baseAddress>
      <registers>
        <register><name>CONTROL</name><addressOffset>0x0</addressOffset><resetValue>0x100</resetValue>
          <fields>
            <field><name>ENABLE</name><bitRange>[0:0]</bitRange></field>
            <field><name>GAIN</name><lsb>8</lsb><msb>11</msb></field>
          </fields></register>
        <register><name>STATUS</name><addressOffset>4</addressOffset><access>read-only</access>
          <fields>
            <field><name>READY</name><bitOffset>0</bitOffset></field>
            <field><name>FRAMES</name><bitOffset>#10000</bitOffset><bitWidth>0b10000</bitWidth></field>
          </fields></register>
        <register><name>IRQ</name><addressOffset>8</addressOffset>
          <modifiedWriteValues>oneToClear</modifiedWriteValues></register>
        <register><name>KEY</name><addressOffset>12</addressOffset><access>write-only</access></register>
        <register><dim>3</dim><dimIncrement>4</dimIncrement><name>TAP[%s]</name>
          <addressOffset>0x20</addressOffset><resetValue>7</resetValue></register>
        <cluster><dim>2</dim><dimIncrement>0x10</dimIncrement><dimIndex>A,B</dimIndex><name>CH%s</name>
          <addressOffset>0x40</addressOffset>
          <register><name>LEVEL</name><addressOffset>4</addressOffset></register></cluster>
      </registers></peripheral>
    <peripheral derivedFrom="FIR"><name>FIR2</name><baseAddress>0xA0010000</baseAddress></peripheral>
    <peripheral><name>OLD</name><registers>
      <register><name>BYTE</name><addressOffset>0</addressOffset><size>8</size></register>
      <register><name>WORD</name><addressOffset>4</addressOffset></register></registers></peripheral>
  </peripherals>
</device>`;

const IPXACT =
  `<ipxact:component xmlns:ipxact="http://www.accellera.org/XMLSchema/IPXACT/1685-2014">
  <ipxact:name>fir</ipxact:name>
  <ipxact:memoryMaps><ipxact:memoryMap><ipxact:name>S_AXI</ipxact:name>
    <ipxact:addressBlock><ipxact:name>Reg</ipxact:name>
      <ipxact:baseAddress>'h0</ipxact:baseAddress><ipxact:range>64K</ipxact:range>
      <ipxact:width>32</ipxact:width>
      <ipxact:register><ipxact:name>CONTROL</ipxact:name><ipxact:addressOffset>'h0</ipxact:addressOffset>
        <ipxact:size>32</ipxact:size>
        <ipxact:field><ipxact:name>ENABLE</ipxact:name><ipxact:bitOffset>0</ipxact:bitOffset>
          <ipxact:bitWidth>1</ipxact:bitWidth></ipxact:field>
        <ipxact:field><ipxact:name>GAIN</ipxact:name><ipxact:bitOffset>8</ipxact:bitOffset>
          <ipxact:resets><ipxact:reset><ipxact:value>4'h1</ipxact:value></ipxact:reset></ipxact:resets>
          <ipxact:bitWidth>4</ipxact:bitWidth></ipxact:field></ipxact:register>
      <ipxact:register><ipxact:name>IRQ</ipxact:name><ipxact:addressOffset>8</ipxact:addressOffset>
        <ipxact:size>32</ipxact:size>
        <ipxact:field><ipxact:name>DONE</ipxact:name><ipxact:bitOffset>0</ipxact:bitOffset>
          <ipxact:bitWidth>1</ipxact:bitWidth>
          <ipxact:modifiedWriteValue>oneToClear</ipxact:modifiedWriteValue></ipxact:field></ipxact:register>
      <ipxact:registerFile><ipxact:name>CH</ipxact:name><ipxact:dim>2</ipxact:dim>
        <ipxact:addressOffset>0x40</ipxact:addressOffset><ipxact:range>0x10</ipxact:range>
        <ipxact:register><ipxact:name>LEVEL</ipxact:name><ipxact:dim>2</ipxact:dim>
          <ipxact:addressOffset>0</ipxact:addressOffset><ipxact:size>32</ipxact:size>
          <ipxact:access>read-only</ipxact:access></ipxact:register></ipxact:registerFile>
    </ipxact:addressBlock></ipxact:memoryMap></ipxact:memoryMaps>
</ipxact:component>`;

/** The same component as the edition of 2009 writes it. */
const OLD_IPXACT =
  `<spirit:component><spirit:memoryMaps><spirit:memoryMap><spirit:name>m</spirit:name>
<spirit:addressBlock><spirit:name>b</spirit:name><spirit:access>read-only</spirit:access>
<spirit:register><spirit:name>ID</spirit:name><spirit:addressOffset>0x4</spirit:addressOffset>
<spirit:size>32</spirit:size><spirit:reset><spirit:value>0x504C</spirit:value><spirit:mask>0xFFFF</spirit:mask>
</spirit:reset></spirit:register></spirit:addressBlock></spirit:memoryMap></spirit:memoryMaps></spirit:component>`;

Deno.test("readRegisterFile() reads a peripheral of CMSIS-SVD", () => {
  const fir: RegisterMap = {
    CONTROL: {
      ...{ offset: 0, access: "rw", reset: 0x100 },
      fields: { ENABLE: { at: 0, width: 1 }, GAIN: { at: 8, width: 4 } },
    },
    STATUS: {
      ...{ offset: 4, access: "ro", reset: 0 },
      fields: { READY: { at: 0, width: 1 }, FRAMES: { at: 16, width: 16 } },
    },
    IRQ: { offset: 8, access: "w1c", reset: 0 },
    KEY: { offset: 12, access: "wo", reset: 0 },
    TAP0: { offset: 0x20, access: "rw", reset: 7 },
    TAP1: { offset: 0x24, access: "rw", reset: 7 },
    TAP2: { offset: 0x28, access: "rw", reset: 7 },
    CHA_LEVEL: { offset: 0x44, access: "rw", reset: 0 },
    CHB_LEVEL: { offset: 0x54, access: "rw", reset: 0 },
  };
  assertEquals(readRegisterFile(SVD, { block: "FIR" }), fir);
  assertEquals(readRegisterFile(SVD, { block: "FIR2" }), fir);
  assertEquals(readRegisterFile(SVD, { block: "OLD", only: ["WORD"] }), {
    WORD: { offset: 4, access: "rw", reset: 0 },
  });
});

Deno.test("readRegisterFile() reads an address block of IP-XACT", () => {
  const map: RegisterMap = {
    CONTROL: {
      ...{ offset: 0, access: "rw", reset: 0x100 },
      fields: { ENABLE: { at: 0, width: 1 }, GAIN: { at: 8, width: 4 } },
    },
    IRQ: { offset: 8, access: "w1c", reset: 0, fields: { DONE: { at: 0, width: 1 } } },
    CH0_LEVEL0: { offset: 0x40, access: "ro", reset: 0 },
    CH0_LEVEL1: { offset: 0x44, access: "ro", reset: 0 },
    CH1_LEVEL0: { offset: 0x50, access: "ro", reset: 0 },
    CH1_LEVEL1: { offset: 0x54, access: "ro", reset: 0 },
  };
  for (const block of [undefined, "Reg", "S_AXI"]) {
    assertEquals(readRegisterFile(IPXACT, block === undefined ? {} : { block }), map);
  }
  assertEquals(readRegisterFile(OLD_IPXACT), {
    ID: { offset: 4, access: "ro", reset: 0x504c },
  });
});

Deno.test("Registers.map() takes a map from a file, and so does a model on the simulated board", () => {
  const map = readRegisterFile(SVD, { block: "FIR" });
  const design = designs.transform(
    (registers) => (frame) => frame.map((byte) => byte * registers.get("CONTROL", "GAIN")),
    { registers: map },
  );
  using board = new SimBoard({ seed: 1, design });
  using registers = Registers.map("/dev/uio0", map, { write: true, syscalls: board });
  assertEquals(registers.fields("CONTROL"), { ENABLE: 0, GAIN: 1 });
  registers.write("CONTROL", { GAIN: 5 });
  assertEquals([registers.read("CONTROL"), registers.read("TAP2")], [0x500, 7]);
  assertThrows(() => registers.write("STATUS", 1), Error, "read only");
});

Deno.test("readRegisterFile() says what it expected, with the line", () => {
  const register = (inner: string) =>
    `<device><peripherals>\n<peripheral><name>P</name><registers>\n<register><name>R</name>` +
    `<addressOffset>0</addressOffset>${inner}</register></registers></peripheral></peripherals></device>`;
  const wrong: [string, RegExp][] = [
    ["", /^Line 1: expected an element, found none$/],
    ["<a><b></a>", /^Line 1: expected <\/b> of line 1, found <\/a>$/],
    ["<a>\n<b>", /^Line 2: expected <\/b> of line 2, found the end of the file$/],
    ["<html/>", /expected <device> of CMSIS-SVD or <component> of IP-XACT, found <html>/],
    ['<!DOCTYPE a [<!ENTITY x "y">]><a/>', /expected no DTD/],
    ["<a>&x;</a>", /expected &lt; .* found &x;/],
    ["<a b=c/>", /expected a quotation mark, found "c\/>"/],
    [`${"<a>".repeat(65)}`, /expected at most 64 elements inside one another/],
    [SVD, /expected one peripheral, or its name in block, found FIR, FIR2, OLD/],
    [register("<size>64</size>"), /^Line 3: expected 32 bits of register R, .* found 64: /],
    [register("<access>sometimes</access>"), /^Line 3: expected access read-write, .* "sometimes"/],
    [register("<resetValue>WIDTH-1</resetValue>"), /^Line 3: expected a number .* "WIDTH-1"/],
    [register("<resetValue>0x100000000</resetValue>"), /reset value of register R/],
    [register("<dim>70000</dim><dimIncrement>4</dimIncrement>"), /<dim> of at most 65536/],
    [register("<dim>2</dim>"), /expected <dimIncrement> in <register>, found none/],
    [
      register("<dim>2</dim><dimIncrement>4</dimIncrement>"),
      /one register of each name, found another R/,
    ],
    [
      register("<fields><field><name>F</name><bitRange>[40:33]</bitRange></field></fields>"),
      /field R\.F to lie within bits 0 to 31/,
    ],
    [
      `<device><peripherals><peripheral><name>P</name><registers>${
        "<cluster><dim>65536</dim><dimIncrement>4</dimIncrement><name>C%s</name><addressOffset>0" +
        "</addressOffset>"
      }${
        "<cluster><dim>65536</dim><dimIncrement>4</dimIncrement><name>C%s</name><addressOffset>0" +
        "</addressOffset></cluster></cluster>"
      }</registers></peripheral></peripherals></device>`,
      /at most 65536 registers and groups, found more/,
    ],
    [register("").replace(">R<", ">__proto__<"), /a name of letters, digits and _/],
    [register("").replace("<name>R</name>", ""), /expected <name> in <register>, found none/],
  ];
  for (const [text, message] of wrong) {
    const error = assertThrows(() => readRegisterFile(text), RegisterFileError);
    assert(message.test(error.message), `${error.message} is not ${message}`);
  }
  assertThrows(
    () => readRegisterFile(SVD, { block: "FIR", only: ["NONE"] }),
    RegisterFileError,
    "expected a register NONE, found CONTROL, STATUS",
  );
  assertThrows(() => readRegisterFile(SVD, { block: "X" }), RegisterFileError, "peripheral X");
});

Deno.test("readXml() reads text, CDATA, comments and references", () => {
  const { children, text } = readXml(
    "\uFEFF<?xml version='1.0'?><!-- < --><r> a&#65;&#x42;<![CDATA[<&>]]><c x='1&quot;'/><!-- & --> b </r>",
  );
  assertEquals([text, children[0]?.attributes.get("x")], ["aAB<&> b", '1"']);
  for (
    const bad of ["<a/><b/>", "text", "<a/>x", "<a b='<'/>", "<![CDATA[x]]><a/>", "</a>", "<1/>"]
  ) {
    assertThrows(() => readXml(bad), XmlError);
  }
});

Deno.test("readRegisterFile() never fails in another way on damaged files", () => {
  const seed = Number(Deno.env.get("PLUMBLINE_SEED") ?? 20_261_130);
  const random = new Random(seed);
  const rounds = Deno.env.get("PLUMBLINE_FULL") === "1" ? 50_000 : 3000;
  const pieces = [
    "<",
    ">",
    "/",
    "&",
    "]]>",
    "<!--",
    "'",
    '"',
    "%s",
    "-1",
    "1e99",
    "'hFFFFFFFFFFFFF",
    "9".repeat(30),
  ];
  let [read, refused] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    let text = [SVD, IPXACT, OLD_IPXACT][round % 3] ?? "";
    for (let edits = 1 + random.below(4); edits > 0; edits--) {
      const at = random.below(text.length + 1);
      const end = at + random.below(random.below(4) === 0 ? 400 : 6);
      const from = random.below(text.length);
      const put = [
        "",
        String.fromCharCode(random.below(256)),
        pieces[random.below(pieces.length)] ?? "",
        text.slice(from, from + random.below(300)),
      ][random.below(4)] ?? "";
      text = text.slice(0, at) + put + text.slice(end);
    }
    try {
      readRegisterFile(text, round % 3 === 0 ? { block: "FIR" } : {});
      read++;
    } catch (error) {
      assert(error instanceof RegisterFileError, `seed ${seed}, round ${round}: ${error}\n${text}`);
      assert(/expected .*found |^Expected .*found /s.test(error.message), error.message);
      refused++;
    }
  }
  assert(read > rounds / 50 && refused > rounds / 4, `${read} were read, ${refused} refused`);
});
