// SPDX-License-Identifier: MIT
/**
 * The known causes of wrong data, as a table. A reader can check it, and extend it without other changes.
 *
 * A cause is excluded if a known feature of the failures is not among its values. It is confirmed if every
 * feature of `needs` is known. So `needs` holds what makes the cause probable, and `allows` holds what the
 * cause also implies, but what a short run may not show. `UNSEPARATED` holds what is true of most causes.
 * Values in braces are facts of the features. Words in brackets need a fact that a run may not show, and
 * after a bar follow the words without it ({@linkcode fill}).
 *
 * The table has more than 400 lines, because each cause stands alone.
 *
 * @module
 */
import type { Feature, Signature } from "./signature.ts";

/** The values of each feature that a cause can have. */
export type Values = {
  readonly [Name in Feature]?: readonly (Name extends "damage" ? Signature["damage"][number]
    : Exclude<Signature[Name], "unknown">)[];
};

/** A known cause. */
export interface Cause {
  /** Its name, which is unique. */
  readonly id: string;
  /** What follows "this looks like". */
  readonly cause: string;
  /** A whole sentence in place of the usual one, for a cause with a formula. */
  readonly sentence?: string;
  /** The features that must be known, with the values that the cause can have. */
  readonly needs: Values;
  /** The values that the cause can have, for features that may be unknown. Defaults to none. */
  readonly allows?: Values;
  /** What would distinguish it, with the command. */
  readonly check: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Sizes of a cause that may show in long frames only, because a long frame has more of everything. */
const LONG = ["any", "above", "large"] as const;

/**
 * What separates failing cases and frames if a cause does not say otherwise: nothing but the length. So a
 * cause is excluded if it does not explain why only some policies, depths, frames or blocks fail, or why
 * damage begins only at boundaries.
 */
export const UNSEPARATED = {
  policy: ["any"],
  depth: ["any"],
  size: LONG,
  ragged: ["no"],
  frame: ["any", "every"],
  block: ["any"],
  place: ["whole", "start", "end", "from", "tail", "fixed", "repeats", "anywhere"],
} as const satisfies Values;

/** A cause whose cases can have anything in common. */
const ANY_CASE = {
  policy: ["any", "cached", "uncached", "user-pages", "one-cached", "one-uncached"],
  depth: ["any", "queued", "single"],
  size: [...LONG, "below"],
  ragged: ["yes", "no"],
} as const;

/** Sizes of a cause that shows in long frames only. */
const LONG_ONLY = ["above", "large"] as const;

/** Frames that a cause hits again and again, in any order. */
const NOT_ONE = ["any", "every", "from"] as const;

/** A cause in caches. A driver may have a path of its own for short frames. */
const IN_CACHES = { coherent: ["no"], size: [...LONG, "below"] } as const;

/** A cause at an edge of a frame in caches. Frames of whole lines may not have it. */
const AT_EDGE = { ...IN_CACHES, ragged: ["yes", "no"], unit: ["line"] } as const;

/** What damage that needs several blocks in flight looks like, whatever mixes them. */
const IN_FLIGHT = {
  depth: ["queued"],
  policy: ["any"],
  // data of no other frame do not show that transfers are mixed
  damage: ["old"],
  content: ["data"],
  place: ["anywhere", "tail", "start", "end", "from"],
} as const;

/** Data that are not in memory, although nothing hides them. */
const NOT_ARRIVED = {
  needs: {
    damage: ["old"],
    content: ["data"],
    blame: ["rx"],
    policy: ["any"],
    // a fixed amount that arrives is a limit as well
    place: ["tail", "whole", "anywhere", "from"],
  },
  allows: { frame: ["any", "every", "periodic"] },
} as const;

/** Every kind of wrong data within a frame. */
const IN_FRAME = [
  ...["bits", "lanes", "old", "lost", "repeated", "shifted", "reordered", "foreign"] as const,
  "ones" as const,
];

/** Every kind of wrong data. */
const WRONG_DATA = [...IN_FRAME, "frames" as const, "exchanged" as const];

/** The policies of a cause in caches, as far as a run can show them. */
const IN_CACHE = ["cached", "user-pages", "one-cached"] as const;

const RERUN = "plumbline run --policy all";

/** Every known cause. */
export const CAUSES: readonly Cause[] = [
  // lengths
  {
    id: "length-register",
    cause: "a length register [of {bits} bits|that is too narrow]",
    sentence: "Every [transfer of {modulo} bytes or more is short by a multiple of {modulo}|" +
      "long transfer is too short]. This looks like a length register [of {bits} bits|that is too narrow]",
    needs: { damage: ["short"], length: ["wraps"] },
    allows: {
      size: LONG_ONLY,
      // of a length that is a multiple of the modulo, nothing is left
      place: ["whole", "tail", "from", "anywhere"],
    },
    check:
      "Compare the width of the length register in the configuration of the DMA core, and run " +
      "--size [{sizes}|on both sides of powers of 2]: the smallest size that fails shows the width",
    remedy: "Widen the register (AXI DMA: c_sg_length_width), or limit the size of a segment",
  },
  {
    id: "length-limit",
    cause:
      "a limit [of {limit} bytes ]for one transfer, such as a buffer or a counter that saturates",
    sentence:
      "Every longer transfer ends after [{limit} bytes|the same length]. This looks like a limit " +
      "for one transfer, such as a buffer or a counter that saturates",
    needs: { damage: ["short"], length: ["limit"] },
    allows: { size: LONG_ONLY },
    check: "Run --size with [values on both sides of {limit}|several long frames]",
    remedy: "Look for a buffer or a packet limit of this size in the core",
  },
  {
    id: "length-short",
    cause: "a length that is [{loss} ]too small, such as an error of one beat",
    needs: { damage: ["short"], length: ["loses"] },
    check: "Read the length in the descriptor and the number of beats at the core's port",
    remedy: "Correct the calculation of the length, or the position of TLAST",
  },
  {
    id: "tlast-early",
    cause: "an early end of the frame (TLAST), or a transfer that ended after an error",
    needs: { damage: ["short"], length: ["varies"], policy: ["any"], size: LONG },
    check: "Count beats up to TLAST at the core's output with an integrated logic analyser",
    remedy: "Hold TLAST until the last beat is accepted (TVALID and TREADY)",
  },
  {
    id: "tlast-late",
    cause: "an end of the frame (TLAST) that is missing or late",
    needs: { damage: ["long", "failed"] },
    allows: {
      stream: ["yes"],
      blame: ["core", "rx"],
      // the frame itself arrives
      place: ["tail", "from", "end", "anywhere", "fixed"],
    },
    check: "Count beats up to TLAST at the core's output with an integrated logic analyser",
    remedy: "Assert TLAST with the last beat of each frame",
  },
  {
    id: "receive-range",
    cause:
      "a receive transfer that is shorter than the frame, as with a length register that is too narrow",
    needs: { damage: ["long", "failed"], size: LONG_ONLY },
    allows: { blame: ["core", "rx"] },
    check: "Compare the width of the length register of receive with the smallest size that fails",
    remedy: "Widen the register (AXI DMA: c_sg_length_width), or limit the size of a segment",
  },
  {
    id: "write-past-end",
    cause:
      "writes past the end of the frame, such as a last burst that is rounded up or byte strobes that " +
      "are ignored",
    needs: { damage: ["overrun"] },
    allows: { size: ["any"], ragged: ["yes", "no"], blame: ["core", "rx"] },
    check: "Look at WSTRB and AWLEN of the last burst",
    remedy: "Clear the byte strobes after the last byte of the frame",
  },
  // caches
  {
    id: "for-cpu-missing",
    cause: "a port that is not coherent, with for_cpu missing for receive",
    needs: { damage: ["old"], blame: ["rx"], policy: IN_CACHE, unit: ["line"], coherent: ["no"] },
    allows: { ...IN_CACHES, place: ["whole", "anywhere"] },
    check: "Run --policy coherent,streaming: streaming alone fails",
    remedy: "Sync each receive block for the CPU over its whole length before the CPU reads it",
  },
  {
    id: "for-device-missing",
    cause: "a port that is not coherent, with for_device missing for transmit",
    needs: { damage: ["old"], blame: ["tx"], policy: IN_CACHE, unit: ["line"], coherent: ["no"] },
    allows: { ...IN_CACHES, place: ["whole", "anywhere"] },
    check: "Run --policy coherent,streaming: streaming alone fails",
    remedy: "Sync each transmit block for the device over its whole length before it is queued",
  },
  {
    id: "for-cpu-short",
    cause: "a for_cpu that ends before the end of the frame",
    needs: { damage: ["old"], blame: ["rx"], policy: IN_CACHE, place: ["end"], coherent: ["no"] },
    allows: AT_EDGE,
    check: "Run sizes that are multiples of a cache line, and others",
    remedy: "Round the length of the sync up to whole cache lines",
  },
  {
    id: "for-device-short",
    cause: "a for_device that ends before the end of the frame",
    needs: { damage: ["old"], blame: ["tx"], policy: IN_CACHE, place: ["end"], coherent: ["no"] },
    allows: AT_EDGE,
    check: "Run sizes that are multiples of a cache line, and others",
    remedy: "Round the length of the sync up to whole cache lines",
  },
  {
    id: "for-cpu-late",
    cause: "a for_cpu that begins after the start of the frame",
    needs: {
      damage: ["old"],
      blame: ["rx"],
      policy: IN_CACHE,
      place: ["start"],
      coherent: ["no"],
    },
    allows: AT_EDGE,
    check: "Run frames at other offsets in their block",
    remedy: "Round the start of the sync down to a whole cache line",
  },
  {
    id: "for-device-late",
    cause: "a for_device that begins after the start of the frame",
    needs: {
      damage: ["old"],
      blame: ["tx"],
      policy: IN_CACHE,
      place: ["start"],
      coherent: ["no"],
    },
    allows: AT_EDGE,
    check: "Run frames at other offsets in their block",
    remedy: "Round the start of the sync down to a whole cache line",
  },
  {
    id: "not-coherent-after-all",
    cause: "a port that does not snoop, although the kernel treats the device as cache coherent",
    needs: { damage: ["old"], policy: IN_CACHE, unit: ["line"], coherent: ["yes"] },
    allows: { blame: ["tx", "rx"], size: [...LONG, "below"] },
    check: "Remove dma-coherent from the device tree and run again: the cached policies pass",
    remedy: "Connect the core to a coherent port and set AxCACHE, or remove dma-coherent",
  },
  {
    id: "user-page-list",
    cause:
      "a scatter-gather list that the engine or its driver handles wrongly, because only these blocks " +
      "consist of scattered pages",
    needs: { damage: WRONG_DATA, policy: ["user-pages"] },
    allows: { depth: ["any", "queued"], size: ANY_CASE.size, ragged: ["yes", "no"] },
    check: "Run --policy user-pages,streaming with sizes of one page and of several",
    remedy: "Check the engine's limit of segments, and the pinning of the pages",
  },
  {
    id: "one-policy",
    cause: "an error in the driver's code for [policy {policy}|one policy]",
    needs: { damage: WRONG_DATA, policy: ["one-cached", "one-uncached"], frame: ["any", "every"] },
    allows: { depth: ["any", "queued"], size: ANY_CASE.size, ragged: ["yes", "no"] },
    check: `${RERUN} on another board with the same driver`,
    remedy: "Compare the sync calls of this policy with those of streaming",
  },
  // bits and lanes
  {
    id: "stuck-line",
    cause: "a data line that is stuck or open",
    sentence: "[{line}|A data line] looks stuck or open",
    needs: { damage: ["bits"], bit: ["one"] },
    allows: {
      place: ["whole", "anywhere", "tail", "start", "end", "repeats"],
    },
    check: "Run --pattern walking-ones: one word in [{width}|as many as the bus has bits] is wrong",
    remedy: "Look for a constant or unconnected bit in the data path of that side",
  },
  {
    id: "byte-lane",
    cause:
      "[byte lane {lane} of {width} bits|a byte lane] that is open, or whose byte strobe is missing",
    sentence: "Only [byte {lane} of every {width}-bit word|one byte of every word] is wrong. " +
      "This looks like a byte lane that is open, or whose byte strobe is missing",
    needs: { damage: ["bits", "foreign", "old", "lanes"], bit: ["lane"] },
    check: "Run --pattern counter8",
    remedy: "Look at WSTRB and at the connections of this lane",
  },
  {
    id: "byte-order",
    cause: "bytes of a word in another order, such as a big-endian port or a wrong width converter",
    needs: { damage: ["lanes"], place: ["whole"], policy: ["any"] },
    check: "Run --pattern counter8: the counter shows the order",
    remedy: "Correct the endianness in the width converter or in the core",
  },
  {
    id: "random-flips",
    cause: "timing that is not met, or a clock domain crossing without synchronisers",
    needs: {
      damage: ["bits"],
      bit: ["single", "same"],
      place: ["anywhere"],
      policy: ["any"],
      frame: ["any", "every"],
    },
    allows: { rate: ["some", "every"] },
    check: "Read the timing report, and run at a lower clock: the rate must fall",
    remedy: "Meet timing, and constrain every clock domain crossing",
  },
  {
    id: "weak-memory",
    cause: "memory or a memory bus that is unreliable",
    needs: {
      damage: ["bits"],
      bit: ["single", "same"],
      place: ["anywhere"],
      policy: ["any"],
      frame: ["any", "every"],
    },
    allows: {
      blame: ["tx", "rx"],
      rate: ["some", "every"],
    },
    check: "Run memtester while the logic is idle",
    remedy: "Check the configuration of the memory controller",
  },
  {
    id: "memory-cell",
    cause: "a bad memory cell",
    needs: { damage: ["bits"], bit: ["same"], place: ["fixed"], block: ["one"] },
    allows: { blame: ["tx", "rx"], depth: ["any", "queued"], frame: ["any", "periodic"] },
    check: "Run again: another block then holds the cell, at another offset",
    remedy: "Test the memory",
  },
  // places
  {
    id: "every-nth-beat",
    cause: "a converter or an arbiter that fails at [{beats}|regular intervals]",
    needs: {
      place: ["repeats"],
      damage: IN_FRAME,
      policy: ["any"],
    },
    allows: { bit: ["many", "single"] },
    check:
      "Compare [{step} bytes|the distance of the damage] with the widths of the converters and the " +
      "length of a burst",
    remedy: "Look at the width converter and at the arbitration of that side",
  },
  {
    id: "wrong-address",
    cause:
      "data that are written to or read from wrong addresses, as with an address line that is stuck",
    needs: {
      place: ["repeats", "anywhere", "segment"],
      damage: ["lost", "repeated", "shifted", "reordered", "old", "foreign"],
      leading: ["lost", "shifted", "reordered", "mixed"],
      blame: ["tx", "rx"],
      policy: ["any"],
    },
    allows: { bit: ["many"] },
    check: "Compare a wrong piece with the piece that its data belong to: one address bit differs",
    remedy: "Check the address bits of the interconnect and of the memory",
  },
  {
    id: "4k-boundary",
    cause: "bursts that cross a boundary of 4 KiB, which AXI forbids",
    needs: { damage: IN_FRAME, place: ["4 KiB"], policy: ["any"] },
    allows: { size: LONG_ONLY },
    check: "Run with frames at other offsets in their block: the damage stays at 4 KiB",
    remedy: "Split bursts at 4 KiB",
  },
  {
    id: "page-translation",
    cause: "pages that are translated or mapped wrongly, as by an IOMMU",
    needs: { place: ["4 KiB"], policy: ["any"], damage: ["old", "foreign", "ones"] },
    allows: { size: LONG_ONLY, blame: ["tx", "rx"] },
    check: "Run with the IOMMU in passthrough (iommu.passthrough=1)",
    remedy: "Check the DMA mask of the device, and the mapping of large blocks",
  },
  {
    id: "burst-boundary",
    cause: "an error at the boundary of two bursts[ of {boundary}]",
    needs: { damage: IN_FRAME, place: ["burst"], policy: ["any"] },
    check: "Change the burst length of the DMA core: the distance must follow",
    remedy: "Look at the handling of backpressure between two bursts",
  },
  {
    id: "segment-boundary",
    cause: "an error at the boundary of two segments or descriptors[ of {boundary}]",
    needs: { damage: IN_FRAME, place: ["segment"], policy: ["any"] },
    // blocks take turns, and a short block may have no boundary in it
    allows: { size: LONG_ONLY, frame: ["any", "every", "periodic"], block: ["any", "one", "some"] },
    check: "Change the maximum segment size of the engine: the distance must follow",
    remedy: "Look at the change from one descriptor to the next",
  },
  {
    id: "above-offset",
    cause:
      "addresses above [{offset} bytes|an offset] that do not reach memory, such as an address " +
      "bit that is missing",
    needs: {
      place: ["from"],
      damage: ["old", "foreign", "ones", "bits"],
      policy: ["any"],
      size: LONG_ONLY,
    },
    allows: { blame: ["tx", "rx"] },
    check: "Run --size with [values on both sides of {offset}|several long frames]",
    remedy: "Check the width of addresses and the windows of the interconnect",
  },
  {
    id: "partial-beat",
    cause: "a last beat whose byte enables (TKEEP, WSTRB) are ignored",
    needs: { damage: [...IN_FRAME, "short"], place: ["end"], ragged: ["yes"], policy: ["any"] },
    check: "Run --size 64,65,72: only sizes that are no multiple of the bus width fail",
    remedy: "Handle TKEEP of the last beat, and WSTRB on the write side",
  },
  {
    id: "no-realignment",
    cause: "lengths that the core does not support, because it has no realignment engine",
    needs: {
      damage: ["bits", "old", "lost", "repeated", "shifted", "foreign"],
      ragged: ["yes"],
      policy: ["any"],
      place: ["anywhere", "tail", "whole", "from", "start"],
    },
    allows: { bit: ["many", "lane"] },
    check: "Run --size with multiples of [{multiple} bytes|the bus width] only",
    remedy: "Enable unaligned transfers in the core (AXI DMA: include DRE), or report lengthAlign",
  },
  {
    id: "large-block",
    cause: "a block that needs several segments or descriptors[ from {least} bytes on]",
    needs: {
      size: ["large"],
      // a segment is a piece of the frame
      place: ["whole", "anywhere"],
      policy: ["any"],
      damage: ["old", "foreign", "lost", "shifted", "reordered"],
    },
    // what depends on the size of a block fails with every frame
    allows: { blame: ["tx", "rx"], length: ["inner"], rate: ["every"] },
    check:
      "Run --size with values between [{below} and {least}|a size that passes and one that fails]",
    remedy: "Compare the limit with the engine's maximum segment",
  },
  {
    id: "address-range",
    cause: "memory above the address range of the port, which only large blocks reach",
    needs: {
      size: ["large"],
      place: ["whole"],
      policy: ["any"],
      damage: ["old", "foreign", "ones"],
    },
    allows: { blame: ["tx", "rx"], length: [], rate: ["every"] },
    check: "Allocate small blocks until they reach the same addresses",
    remedy: "Compare the DMA mask with the address bits of the port and of the engine",
  },
  // loss and order
  {
    id: "fifo-overflow",
    cause: "a FIFO that overflows in [frames longer than {below} bytes|long frames]",
    needs: {
      damage: ["lost", "short"],
      size: LONG_ONLY,
      policy: ["any"],
      blame: ["core"],
    },
    allows: {
      place: ["tail", "anywhere", "from", "fixed"],
      length: ["varies", "inner"],
    },
    check:
      "Run --size with values between [{below} and {least}|a size that passes and one that fails], " +
      "and compare with the FIFO's depth",
    remedy: "Respect backpressure (TREADY), or deepen the FIFO",
  },
  {
    id: "beats-lost",
    cause: "beats that are lost or doubled, because a handshake is violated (TVALID and TREADY)",
    needs: {
      damage: ["lost", "repeated"],
      place: ["anywhere", "tail", "from"],
      policy: ["any"],
      size: LONG,
      blame: ["core"],
    },
    // frames that follow each other make the most backpressure
    allows: { depth: ["any", "queued"] },
    check: "Run a protocol checker on the stream with random backpressure",
    remedy: "Keep TDATA and TVALID until TREADY",
  },
  {
    id: "bursts-reordered",
    cause: "bursts that overtake each other, as responses of several AXI ids do",
    needs: { damage: ["reordered"], policy: ["any"], place: ["anywhere"] },
    allows: { depth: ["any", "queued"] },
    check: "Limit the engine to one outstanding burst: the damage disappears",
    remedy: "Use one AXI id for a stream, or reorder responses by their id",
  },
  {
    id: "frame-offset",
    cause:
      "frames that begin at a wrong beat, because a beat is left over, lost, or added before the end (TLAST)",
    needs: {
      damage: ["lost", "repeated", "shifted"],
      place: ["whole"],
      policy: ["any"],
      leading: ["shifted", "lost", "repeated"],
      depth: ["any"],
    },
    allows: { size: ["any", "above"] },
    check: "Look at the first beat of a frame at the core's input and output",
    remedy: "Flush the pipeline at the end of a frame, and check the handshake of its first beat",
  },
  {
    id: "frames-mixed-up",
    cause: "descriptors that are skipped or handled twice",
    needs: {
      damage: ["frames"],
      place: ["whole"],
      policy: ["any"],
      depth: ["any", "queued"],
      rate: ["some"],
    },
    allows: { frame: NOT_ONE },
    check: "Run --depth 1 and --depth 2, and compare the order of completions",
    remedy: "Check the handshake between the descriptor fetch and the data mover",
  },
  {
    id: "descriptors-overtake",
    cause: "descriptors that overtake or replace each other",
    needs: {
      damage: ["frames", "exchanged"],
      depth: ["queued"],
      rate: ["some"],
      place: ["whole"],
      policy: ["any"],
    },
    allows: { frame: NOT_ONE },
    check: "Run --depth 1,2,4: depth 1 passes",
    remedy: "Use one AXI id for all descriptors, or set engine_depth=1",
  },
  {
    id: "prefetch",
    cause: "a block that is used before its turn, such as a prefetched descriptor or data buffer",
    needs: IN_FLIGHT,
    allows: { frame: NOT_ONE, blame: ["tx", "rx"] },
    check: "Run --depth 1,2,4: depth 1 passes",
    remedy: "Set engine_depth=1, or disable prefetching of descriptors",
  },
  {
    id: "back-to-back",
    cause: "a FIFO or an arbiter that fails when frames follow each other without a gap",
    needs: { ...IN_FLIGHT, damage: ["lost", "repeated"], place: ["anywhere", "tail", "from"] },
    allows: { frame: NOT_ONE },
    check: "Run --depth 1,2,4: depth 1 passes",
    remedy: "Check backpressure between two frames, and the depth of the FIFOs",
  },
  {
    id: "transfers-mixed",
    cause: "addresses or data of several transfers in flight that are mixed",
    needs: IN_FLIGHT,
    allows: { frame: NOT_ONE, blame: ["tx", "rx"] },
    check: "Run --depth 1,2,4: depth 1 passes",
    remedy: "Check the ids of outstanding transactions in the interconnect",
  },
  {
    id: "stray-write",
    cause:
      "bursts that are written into another block as well, such as those of a wrong descriptor",
    needs: { ...IN_FLIGHT, damage: ["old", "overrun"] },
    allows: { blame: ["rx"], frame: NOT_ONE },
    check: "Run --depth 1,2,4: depth 1 passes, and the wrong bytes belong to another frame",
    remedy: "Check that addresses change to the next descriptor only after the last burst",
  },
  {
    id: "early-completion",
    cause: "a completion that is reported before the data are in memory",
    ...NOT_ARRIVED,
    check: "Add a delay before the block is read: the damage disappears",
    remedy: "Wait for the write response (BVALID) before the completion is reported",
  },
  {
    id: "writes-lost",
    cause: "writes that do not reach memory",
    ...NOT_ARRIVED,
    check: "Add a delay before the block is read: the damage stays",
    remedy: "Check write responses (BRESP) and byte strobes",
  },
  {
    id: "early-read",
    cause: "data that the engine read before the CPU's writes were in memory",
    needs: {
      damage: ["old"],
      content: ["data"],
      blame: ["tx"],
      policy: ["any"],
      place: ["tail", "whole", "anywhere", "from"],
    },
    check: "Add a memory barrier and a delay before the transfer starts: the damage disappears",
    remedy: "Order the start of the transfer after the data (dma_wmb, writel)",
  },
  {
    id: "wrong-read-address",
    cause: "reads from a wrong address",
    needs: {
      damage: ["old", "frames"],
      blame: ["tx"],
      policy: ["any"],
      place: ["tail", "whole", "anywhere", "from"],
    },
    check: "Add a memory barrier and a delay before the transfer starts: the damage stays",
    remedy: "Compare the addresses of the read bursts with the descriptor",
  },
  {
    id: "bus-error",
    cause: "an address that no slave answers, or transfers that end with a bus error",
    needs: { damage: ["ones", "failed"] },
    allows: { blame: ["tx", "rx"] },
    check: "Read RRESP at the core's port",
    remedy: "Check the address map of the interconnect, and the DMA mask",
  },
  // time and blocks
  {
    id: "after-reset",
    cause: "state that RESET does not clear, such as data left in a FIFO",
    needs: { damage: WRONG_DATA, frame: ["first"], policy: ["any"], depth: ["any"] },
    allows: { size: [...LONG, "below"] },
    check: "Run --frames 1 and --frames 2: only the first frame is wrong",
    remedy: "Clear FIFOs and counters in reset",
  },
  {
    id: "ring-wrap",
    cause: "an error where a ring of [{period} ]descriptors or buffers wraps",
    needs: {
      damage: [...IN_FRAME, "frames"],
      frame: ["periodic"],
      policy: ["any"],
      block: ["any", "one", "some"],
    },
    // a ring of as many descriptors as blocks hits one block, but no single bit of it
    allows: { depth: ["any", "queued"], bit: ["one", "lane", "single", "many"] },
    check:
      "Compare [{period}|the distance of wrong frames] with the number of descriptors, and change " +
      "it: the distance must follow",
    remedy: "Look at the last and the first descriptor of the ring",
  },
  {
    id: "bad-block",
    cause: "memory or address lines of this block",
    needs: { damage: ["bits", "old", "shifted", "reordered", "foreign", "ones"], block: ["one"] },
    allows: {
      depth: ["any", "queued"],
      blame: ["tx", "rx"],
      frame: ["any", "periodic"],
      place: ["whole", "fixed", "anywhere", "from", "tail", "end", "start"],
    },
    check: "Run again with another number of blocks (--depth): the damage follows the memory",
    remedy: "Test the memory of this block, and the address lines above its size",
  },
  // completions
  {
    id: "completion-mix-up",
    cause: "completions that are reported for another block, twice, or not at all",
    needs: { damage: ["mixed-up"] },
    allows: ANY_CASE,
    check: "Run --depth 1: a completion that is missing is a timeout there",
    remedy:
      "Compare the cookies of completions with those of the descriptors in the engine's driver",
  },
  {
    id: "completion-lost",
    cause: "a transfer that was never submitted, or an interrupt that was lost",
    needs: { damage: ["missing", "timeout"] },
    allows: { ...ANY_CASE, transfer: ["nothing", "halted"] },
    check: "Compare the count in /proc/interrupts with the number of completions",
    remedy: "Check the trigger type of the interrupt, and the driver's queue of descriptors",
  },
  {
    id: "lost-interrupt",
    cause: "an interrupt or a completion that is lost after the data arrived",
    needs: { damage: ["timeout"], transfer: ["arrived"] },
    allows: ANY_CASE,
    check: "Compare the count in /proc/interrupts with the number of completions",
    remedy: "Check the trigger type of the interrupt, and interrupt coalescing",
  },
  {
    id: "tlast-missing",
    cause: "an end of the frame (TLAST) that is missing, so that the engine still waits for data",
    needs: { damage: ["timeout"], transfer: ["arrived"] },
    allows: { ...ANY_CASE, stream: ["yes"] },
    check: "Look at TLAST at the core's output with an integrated logic analyser",
    remedy: "Assert TLAST with the last beat of each frame",
  },
  {
    id: "nothing-moved",
    cause: "logic without a clock, logic in reset, or a wrong address",
    needs: { damage: ["timeout"], transfer: ["nothing"] },
    allows: ANY_CASE,
    check: "plumbline info, and read an identification register of the core",
    remedy: "Check clocks, resets and the address map",
  },
  {
    id: "receive-stalls",
    cause: "a core or a receive side that stops taking data, or keeps them",
    needs: { damage: ["timeout"], transfer: ["sent", "stopped", "halted"] },
    allows: ANY_CASE,
    check: "Look at TREADY between the core and the receive engine",
    remedy: "Check the receive engine's start and its descriptors",
  },
];
