// SPDX-License-Identifier: MIT
// The sweep against ports whose truth is known: what an access needs to snoop in each direction × what the kernel
// believes. The truth is written down here, bit by bit, and not computed by the code under test.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Attributes } from "../../driver/attributes.ts";
import { Device } from "../../driver/device.ts";
import { ErrnoError } from "../../driver/errno.ts";
import { IOC } from "../../driver/uapi.ts";
import { SimBoard, type SimOptions } from "../../fixtures/boards/sim/mod.ts";
import { nameAttributes, parseAttributes } from "./attributes.ts";
import { snooping, type Sweep, sweepAttributes, type SweepOptions } from "./sweep.ts";
import { renderSweep, sentence } from "./sweep_text.ts";

/** What is true of attributes: AxCACHE[3:2] not 0, AxPROT[1], AxUSER[0], AxCACHE[1]. */
type Bits = readonly [cacheable: boolean, nonSecure: boolean, shared: boolean, modifiable: boolean];

/** AxCACHE/AxPROT and perhaps AxUSER. */
const SOME: Readonly<Record<string, Bits>> = {
  "0/0": [false, false, false, false],
  "3/0": [false, false, false, true],
  "2/2": [false, true, false, true],
  "3/7": [false, true, false, true],
  "4/0": [true, false, false, false],
  "7/5": [true, false, false, true],
  "8/3": [true, true, false, false],
  "11/1": [true, false, false, true],
  "15/0": [true, false, false, true],
  "15/2": [true, true, false, true],
  "15/6": [true, true, false, true],
  "15/2/0": [true, true, false, true],
  "15/2/1": [true, true, true, true],
  "0/0/3": [false, false, true, false],
  "3/0/1": [false, false, true, true],
  "9/2/1": [true, true, true, false],
  "11/2/14": [true, true, false, true],
  "15/0/65535": [true, false, true, true],
};

/** What a port needs, as the sweep must find it, and as the simulated port is told. */
const NEEDS = {
  nothing: { truth: () => true, rule: () => true },
  cacheable: { truth: (c: boolean) => c, rule: ({ cache }: Attributes) => cache >= 4 },
  "non-secure": {
    truth: (_: boolean, n: boolean) => n,
    rule: ({ prot }: Attributes) => [2, 3, 6, 7].includes(prot),
  },
  both: {
    truth: (c: boolean, n: boolean) => c && n,
    rule: ({ cache, prot }: Attributes) => cache >= 4 && [2, 3, 6, 7].includes(prot),
  },
  "what the accelerator port of a Zynq-7000 needs": {
    // UG585, 3.5.1, ACP requests
    truth: (...[, , shared, modifiable]: Bits) => shared && modifiable,
    rule: ({ cache, user }: Required<Attributes>) =>
      [2, 3, 6, 7, 10, 11, 14, 15].includes(cache) && user % 2 === 1,
  },
  "what is not there": { truth: () => false, rule: () => false },
} as const;
type Need = keyof typeof NEEDS;
const NAMES = Object.keys(NEEDS) as Need[];

const LIST = parseAttributes("--attributes", Object.keys(SOME).join(","));

const keyOf = ({ cache, prot, user }: Attributes) =>
  [cache, prot, user].filter((value) => value !== undefined).join("/");

function sweepSim(options: SimOptions, given: Partial<SweepOptions> = {}): Sweep {
  using board = new SimBoard({ maxBlock: 16 << 10, ...options });
  using device = Device.open({ syscalls: board });
  using port = board.attributes("/dev/pldma0");
  assert(port !== null);
  const found = sweepAttributes(device, port, {
    ...{ attributes: LIST, lines: 32, repeats: 8, seed: options.seed },
    ...given,
  });
  assertEquals(device.stats().blocks, 0);
  return found;
}

/** A port that needs one thing for reads and another one for writes. */
function portOf(reads: Need, writes: Need): NonNullable<SimOptions["port"]> {
  return (direction, attributes) => NEEDS[direction === "tx" ? reads : writes].rule(attributes);
}

for (const chance of [256, 230]) {
  const always = chance === 256;
  Deno.test(`sweepAttributes() of ports that snoop ${always ? "always" : "at times"}, in every combination`, () => {
    for (const coherent of [true, false]) {
      for (const reads of NAMES) {
        for (const writes of NAMES) {
          const found = sweepSim({
            seed: 7,
            coherent,
            snoops: { tx: chance, rx: chance },
            port: portOf(reads, writes),
          });
          for (const { ports, ...one } of found.rows) {
            const bits = SOME[keyOf(one)];
            assert(bits !== undefined);
            const truth = (need: Need) =>
              !NEEDS[need].truth(...bits) ? "no" : always ? "yes" : "sometimes";
            assertEquals(
              [ports.tx.snoops, ports.rx.snoops],
              [truth(reads), truth(writes)],
              `${keyOf(one)}, coherent ${coherent}, reads need ${reads}, writes need ${writes}`,
            );
            assertEquals([ports.tx.reason, ports.rx.reason], [null, null]);
            // the proof itself
            assertEquals(ports.tx.lines.snooped > 0, truth(reads) !== "no");
            assertEquals(ports.rx.lines.snooped > 0, truth(writes) !== "no");
            for (const { megabytesPerSecond } of Object.values(ports)) {
              assert(megabytesPerSecond !== null && megabytesPerSecond > 0);
            }
          }
        }
      }
    }
  });
}

Deno.test("sweepAttributes() finds the truth for every AxCACHE and AxPROT", () => {
  const text = Array.from({ length: 128 }, (_, i) => `${i >> 3}/${i & 7}`).join(",");
  const attributes = parseAttributes("--attributes", text);
  assertEquals(attributes.length, 128);
  const found = sweepSim(
    { seed: 3, snoops: { tx: 256, rx: 256 }, port: portOf("both", "non-secure") },
    { attributes, lines: 8, repeats: 4 },
  );
  const names = (list: readonly Attributes[]) => list.map(({ cache, prot }) => `${cache}/${prot}`);
  const nonSecure = text.split(",").filter((pair) => /\/[2367]$/.test(pair));
  assertEquals(names(snooping(found, ["rx"])), nonSecure);
  assertEquals(names(snooping(found, ["tx"])), nonSecure.filter((pair) => !/^[0-3]\//.test(pair)));
  assertEquals(names(snooping(found)), names(snooping(found, ["tx"])));
});

Deno.test("sweepAttributes() leaves the defaults behind, also if it throws", () => {
  using board = new SimBoard({
    seed: 1,
    snoops: { tx: 256, rx: 256 },
    port: portOf("both", "both"),
  });
  using device = Device.open({ syscalls: board });
  const chosen: Record<string, Attributes> = {};
  {
    using port = board.attributes("/dev/pldma0");
    assert(port !== null);
    const spy = {
      defaults: port.defaults,
      set(direction: "tx" | "rx", attributes: Attributes) {
        chosen[direction] = attributes;
        port.set(direction, attributes);
      },
      [Symbol.dispose]: () => port[Symbol.dispose](),
    };
    sweepAttributes(device, spy, { attributes: LIST, lines: 8, repeats: 1 });
    assertEquals(chosen, { ...port.defaults });
    const ioctl = board.ioctl.bind(board);
    let calls = 0;
    board.ioctl = (fd, request, argument, attachment) => {
      if (request === IOC.ENQUEUE && ++calls > 20) throw new ErrnoError("ioctl", 19);
      return ioctl(fd, request, argument, attachment);
    };
    assertThrows(() => sweepAttributes(device, spy, { attributes: LIST, repeats: 1 }), ErrnoError);
    board.ioctl = ioctl;
    assertEquals(chosen, { ...port.defaults });
  }
});

Deno.test("sweepAttributes() says that it has no power on a board without caches, and behind bounce buffers", () => {
  for (
    const [options, reason] of [
      [{ seed: 1, coherent: true }, "no store stayed in the cache"],
      [{ seed: 1, bounce: true }, "bounce buffer"],
    ] as const
  ) {
    const found = sweepSim(options);
    for (const { ports } of found.rows) {
      for (const { snoops, reason: why } of Object.values(ports)) {
        assertEquals(snoops, null);
        assertStringIncludes(why ?? "", reason);
      }
    }
    assertEquals(
      sentence(found),
      "This board does not show which attributes would make the port coherent",
    );
    // one reason for each direction, and not one for each row
    assertEquals(renderSweep(found).filter((line) => line.includes("unknown with all")).length, 2);
  }
});

for (const [refused, status] of [["tx", "read-failed"], ["rx", "write-failed"]] as const) {
  Deno.test(`sweepAttributes() goes on after attributes with which a transfer on ${refused} fails`, () => {
    using board = new SimBoard({ seed: 1, snoops: { tx: 256, rx: 256 } });
    using device = Device.open({ syscalls: board });
    using port = board.attributes("/dev/pldma0");
    assert(port !== null);
    // as a bus that refuses secure accesses
    const refusing = {
      defaults: { tx: { cache: 3, prot: 2, user: 0 }, rx: { cache: 3, prot: 2, user: 0 } },
      set(direction: "tx" | "rx", attributes: Attributes) {
        board.disarm();
        const secure = (attributes.prot & 2) === 0;
        if (direction === refused && secure) board.arm(`kind=error rate=1 direction=${refused}`);
        port.set(direction, attributes);
      },
      [Symbol.dispose]: () => {},
    };
    const attributes = parseAttributes("--attributes", "15/0,15/2");
    const found = sweepAttributes(device, refusing, { attributes, lines: 8, repeats: 2 });
    const [secure, open] = found.rows;
    assert(secure !== undefined && open !== undefined);
    const other = refused === "tx" ? "rx" : "tx";
    assertEquals([secure.ports[refused].snoops, secure.ports[other].snoops], [null, "yes"]);
    assertEquals(secure.ports[refused].reason, `the transfer failed (${status})`);
    assertEquals(secure.ports[refused].megabytesPerSecond, null);
    assertEquals([open.ports.tx.snoops, open.ports.rx.snoops], ["yes", "yes"]);
    assertStringIncludes(
      renderSweep(found).join("\n"),
      `${refused}: unknown with AxCACHE 15 and AxPROT 0, because the transfer failed`,
    );
    assertEquals(device.stats().blocks, 0);
  });
}

Deno.test("renderSweep() has a row for each of the attributes, and names the defaults", () => {
  const found = sweepSim({
    seed: 1,
    snoops: { tx: 256, rx: 256 },
    port: portOf("cacheable", "both"),
  }, {
    attributes: parseAttributes("--attributes", "3/0,15/0,15/2"),
  });
  const lines = renderSweep(found).map((line) => line.replace(/\b[1-9]\d{2,}\b/g, "N"));
  assertEquals(lines, [
    "3 attributes, 8 times in each direction:",
    "  AxCACHE  AxPROT  tx: reads snoop  MB/s  rx: writes snoop  MB/s",
    "        3       0  no               N  no                N  default",
    "       15       0  yes              N  no                N",
    "       15       2  yes              N  yes               N",
    "Reads and writes snoop with AxCACHE 15 and AxPROT 2: for example plumbline,axcache = <15>, " +
    "plumbline,axprot = <2> and dma-coherent in the core's node make the port coherent",
  ]);
});

Deno.test("renderSweep() shows AxUSER if it is swept, and what has none of its own has the default", () => {
  const found = sweepSim({
    seed: 1,
    snoops: { tx: 256, rx: 256 },
    port: portOf(
      "what the accelerator port of a Zynq-7000 needs",
      "what the accelerator port of a Zynq-7000 needs",
    ),
  }, { attributes: parseAttributes("--attributes", "3/0,15/0,15/0/0,15/0/1") });
  const lines = renderSweep(found).map((line) => line.replace(/\b[1-9]\d{2,}\b/g, "N"));
  assertEquals(lines, [
    "4 attributes, 8 times in each direction:",
    "  AxCACHE  AxPROT  AxUSER  tx: reads snoop  MB/s  rx: writes snoop  MB/s",
    "        3       0       -  no               N  no                N  default",
    "       15       0       -  no               N  no                N",
    "       15       0       0  no               N  no                N",
    "       15       0       1  yes              N  yes               N",
    "Reads and writes snoop with AxCACHE 15, AxPROT 0 and AxUSER 1: for example plumbline,axcache = <15>, " +
    "plumbline,axprot = <0>, plumbline,axuser = <1> and dma-coherent in the core's node make the port coherent",
  ]);
});

Deno.test("sentence() says what each direction needs if no attributes serve both, and what to look at if none serve", () => {
  const swept = (port: NonNullable<SimOptions["port"]>, coherent = false) =>
    sentence(sweepSim({ seed: 1, coherent, snoops: { tx: 256, rx: 256 }, port }, {
      attributes: parseAttributes("--attributes", "3/0,15/0,15/2"),
    }));
  assertEquals(
    swept((direction, { cache }) => direction === "tx" && cache === 15),
    "None of these attributes makes both directions snoop: reads snoop with AxCACHE 15 and AxPROT 0 or 2; " +
      "writes snoop with none of them",
  );
  assertStringIncludes(
    swept(() => false),
    "None of these attributes makes reads or writes always snoop, so look at the port,",
  );
  assertEquals(
    swept((_, { cache }) => cache === 15, true),
    "Reads and writes snoop with AxCACHE 15 and AxPROT 0 or 2; the defaults are among them",
  );
});

Deno.test("parseAttributes() takes names and pairs, and says what it expects", () => {
  const named = (text: string) => parseAttributes("--attributes", text);
  assertEquals([named("common").length, named("all").length], [20, 80]);
  // 4, 5, 8, 9, 12 and 13 are reserved
  assertEquals(named("all").some(({ cache }) => [4, 5, 8, 9, 12, 13].includes(cache)), false);
  assertEquals(named("3/0, 15/2,3/0"), [{ cache: 3, prot: 0 }, { cache: 15, prot: 2 }]);
  assertEquals(named("15/2/1,15/2"), [{ cache: 15, prot: 2, user: 1 }, { cache: 15, prot: 2 }]);
  const twice = named("common/0,common/65535,3/0/0");
  assertEquals(twice.map(({ user }) => user), [...Array(20).fill(0), ...Array(20).fill(65_535)]);
  for (
    const text of [
      ...["", "15", "16/0", "3/8", "3/0,", "3-0", "toString", "constructor/1", "3/0/", "3/0/65536"],
      ...["3/0/-1", "3/0/1/1", "common/x", "/1"],
    ]
  ) {
    assertThrows(() => named(text), RangeError, "common, all, or pairs");
  }
});

Deno.test("nameAttributes() groups what differs in one of the attributes", () => {
  const list = parseAttributes("--attributes", "11/2,15/3,3/0,15/2,11/3,7/2");
  assertEquals(
    nameAttributes(list),
    "AxCACHE 11 or 15 and AxPROT 2 or 3, or AxCACHE 3 and AxPROT 0, or AxCACHE 7 and AxPROT 2",
  );
  assertEquals(
    nameAttributes(parseAttributes("--attributes", "15/2/1,15/2/3,11/2/1,11/2/3,15/2")),
    "AxCACHE 11 or 15, AxPROT 2 and AxUSER 1 or 3, or AxCACHE 15 and AxPROT 2",
  );
});
