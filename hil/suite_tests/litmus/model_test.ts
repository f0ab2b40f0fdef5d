// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  allowedOutcomes,
  lineOutcomes,
  type Machine,
} from "../../suites/coherence/generated/model.ts";
import {
  type EventKind,
  formatProgram,
  isLegal,
  parseProgram,
  valuesOf,
} from "../../suites/coherence/generated/program.ts";

/** The outcomes of one line, sorted. */
function outcomes(events: string, direction: "tx" | "rx" | "both", machine: Machine): string[] {
  return [...lineOutcomes([...events] as EventKind[], direction, machine)].toSorted();
}

Deno.test("the device reads what was stored after a sync for the device", () => {
  assertEquals(outcomes("SDR", "tx", "arm64"), ["1"]);
  assertEquals(outcomes("SDR", "tx", "arm"), ["1"]);
  assertEquals(outcomes("SDR", "tx", "bounce"), ["1"]);
  assertEquals(outcomes("SDR", "both", "arm"), ["1"]);
});

Deno.test("without a sync for the device, it reads the old or the new value", () => {
  assertEquals(outcomes("SR", "tx", "arm64"), ["0", "1"]);
  assertEquals(outcomes("SR", "tx", "bounce"), ["0"]);
  assertEquals(outcomes("SR", "tx", "coherent"), ["1"]);
});

Deno.test("a store after the sync may or may not reach the device", () => {
  assertEquals(outcomes("SDSR", "tx", "arm64"), ["1", "2"]);
  assertEquals(outcomes("SDSDR", "tx", "arm64"), ["2"]);
});

Deno.test("the CPU loads what the device wrote after a sync for the CPU", () => {
  for (const machine of ["arm64", "arm", "bounce", "coherent"] as const) {
    assertEquals(outcomes("WCUL", "rx", machine), ["1"], machine);
    assertEquals(outcomes("LDWCUL", "rx", machine).filter((outcome) => outcome === "0,0"), []);
  }
});

Deno.test("without a sync for the CPU, a line that was filled early is stale", () => {
  assertEquals(outcomes("WCL", "rx", "arm64"), ["0", "1"]);
  assertEquals(outcomes("DWCL", "rx", "arm"), ["0", "1"], "a sync before the transfer is no help");
  assertEquals(outcomes("WCL", "rx", "bounce"), ["0"]);
});

Deno.test("a dirty line that is written back later overwrites what the device wrote", () => {
  assertEquals(outcomes("SWCUL", "rx", "arm64"), ["1", "2"]);
  assertEquals(outcomes("SDWCUL", "rx", "arm64"), ["2"]);
  assertEquals(outcomes("SDWCUL", "rx", "arm"), ["2"]);
});

Deno.test("a clean line is never written back over what the device wrote", () => {
  assertEquals(outcomes("LDWCUL", "rx", "arm64"), ["0,1"]);
  assertEquals(outcomes("LWCDUL", "rx", "arm64"), ["0,1"]);
});

Deno.test("a sync for the CPU discards a store or finds it written back", () => {
  assertEquals(outcomes("SUL", "rx", "arm64"), ["0", "1"]);
  assertEquals(outcomes("SUL", "tx", "arm64"), ["1"], "DMA_TO_DEVICE discards nothing");
  assertEquals(outcomes("SUL", "rx", "coherent"), ["1"]);
});

Deno.test("arch/arm discards in a sync of an rx line for the device, arch/arm64 cleans", () => {
  assertEquals(outcomes("SDL", "rx", "arm64"), ["1"]);
  assertEquals(outcomes("SDL", "rx", "arm"), ["0", "1"]);
  assertEquals(outcomes("SDL", "both", "arm"), ["1"]);
});

Deno.test("an observer that saw the new value does not see the old one again", () => {
  assertEquals(outcomes("WCLL", "rx", "arm64"), ["0,0", "0,1", "1,1"]);
  assertEquals(outcomes("SRCR", "tx", "arm64"), ["0,0", "0,1", "1,1"]);
});

Deno.test("the CPU always loads its own last store where no sync or device comes between", () => {
  for (const machine of ["arm64", "arm", "bounce", "coherent"] as const) {
    assertEquals(outcomes("SLSL", "tx", machine), ["1,2"]);
    assertEquals(outcomes("SRCL", "tx", machine).every((outcome) => outcome.endsWith("1")), true);
  }
});

Deno.test("a stale line may be written back word by word under a store", () => {
  // the stale 0 is cached, another word is stored, the line is evicted, and memory holds 0 again
  assert(lineOutcomes(["W", "C", "S", "U", "L"], "rx", "arm64").has("0"));
});

Deno.test("a coherent device allows nothing that caches forbid", () => {
  for (const events of ["SR", "SDRCSR", "SLRCR"]) {
    for (const outcome of outcomes(events, "tx", "coherent")) {
      assert(outcomes(events, "tx", "arm64").includes(outcome), `${events} ${outcome}`);
    }
  }
  for (const events of ["SWCL", "WCSUL", "WCULWCL", "SDWCLUL"]) {
    for (const outcome of outcomes(events, "rx", "coherent")) {
      assert(outcomes(events, "rx", "arm64").includes(outcome), `${events} ${outcome}`);
    }
  }
});

Deno.test("allowedOutcomes() combines the lines, and a union of machines allows what one allows", () => {
  const program = parseProgram("tx x, rx y | Sx Rx Wy Cy Uy Ly");
  assertEquals(allowedOutcomes(program, ["arm64"]), ["x=0 y=1", "x=1 y=1"]);
  assertEquals(allowedOutcomes(program, ["coherent"]), ["x=1 y=1"]);
  assertEquals(allowedOutcomes(program, ["coherent", "bounce"]), ["x=0 y=1", "x=1 y=1"]);
});

Deno.test("parseProgram() reads what formatProgram() wrote, and refuses the rest", () => {
  const text = "tx x, rx y | Sx Dx Rx Wy Cx Cy Uy Ly";
  assertEquals(formatProgram(parseProgram(text)), text);
  assertEquals(valuesOf(parseProgram(text), 1), 2);
  for (
    const wrong of ["", "tx x", "tx y | Sy", "tx x | Sy", "tx x | Q", "up x | Sx", "tx x | Sx | Lx"]
  ) {
    assertThrows(() => parseProgram(wrong), TypeError, "Expected a program like");
  }
});

Deno.test("isLegal() keeps the device's line from the CPU", () => {
  assert(isLegal(parseProgram("tx x | Sx Rx")));
  assert(isLegal(parseProgram("rx x | Wx Cx Lx")));
  for (const wrong of ["tx x | Wx", "rx x | Rx", "rx x | Wx Lx", "tx x | Cx", "tx x | Rx Rx"]) {
    assert(!isLegal(parseProgram(wrong)), wrong);
  }
});
