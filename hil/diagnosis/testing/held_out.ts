// SPDX-License-Identifier: MIT
/**
 * Faults of DMA designs with one cause each, as vendors' forums and errata describe them, and what may be
 * said about each one. Whoever wrote this had not seen how causes are found.
 *
 * The truth is stated before anything runs, from what happens in the hardware. It does not change when
 * the diagnosis says something else.
 *
 * @module
 */

/** A fault with one cause. */
export interface HeldOut {
  /** What is broken, as an engineer would report it. */
  readonly what: string;
  /** The faults to arm, one for each variation. */
  readonly faults: readonly string[];
  /** The true cause: what happens in the hardware, so what the run must look like. */
  readonly because: string;
  /** A statement that is right. */
  readonly right: string;
  /**
   * The causes of the table whose words are true of this fault. A group that names one of them is right,
   * and so is a narrowing to two that has one of them. Any other cause that is named is wrong.
   */
  readonly causes: readonly string[];
  /** Another cause that shows the same, so that a narrowing to both is honest. Null if there is none. */
  readonly or: string | null;
  /** Sizes of frames that show it, if damage of larger ones takes long to name. Defaults to all. */
  readonly sizes?: readonly number[];
  /** A statement that somebody could make and that is wrong. */
  readonly wrong: string;
}

/** Every fault. */
export const HELD_OUT: readonly HeldOut[] = [
  {
    what: "AXI DMA with a narrow length register",
    faults: ["kind=length-mask bits=12", "kind=length-mask bits=16 direction=rx"],
    because:
      "c_sg_length_width bits hold the length, so a transfer moves its length modulo 2^bits. " +
      "Every transfer that is longer is short by a multiple of it, and no other one is wrong.",
    right: "a length register that is too narrow",
    // the engine fails a frame that is longer than its range
    causes: ["receive-range", "length-register"],
    or: "a limit of the length somewhere else in the engine",
    wrong: "lost data, TLAST, a missing sync",
  },
  {
    what: "driver without dma_sync_single_for_cpu()",
    faults: ["kind=sync-skip direction=rx", "kind=sync-skip direction=rx max=4096"],
    because:
      "The CPU reads lines that it fetched before the transfer. Only policies with a call in rx can " +
      "lose it; the old content comes in whole lines. With max=, as in a driver with a path of its own " +
      "for small frames, only these are wrong.",
    right: "the cache maintenance after the transfer is missing in rx",
    causes: ["for-cpu-missing"],
    or: "the port is not coherent, although the device tree says so",
    wrong: "tx, the core, completion before the data",
  },
  {
    what: "driver without dma_sync_single_for_device()",
    faults: ["kind=sync-skip direction=tx", "kind=sync-skip direction=tx every=8"],
    because:
      "The engine reads what memory held before the CPU's stores left its cache. Old content of " +
      "the tx block comes back in whole lines, under policies with a call in tx only.",
    right: "the cache maintenance before the transfer is missing in tx",
    causes: ["for-device-missing", "ring-wrap"],
    or: "the port is not coherent, although the device tree says so",
    wrong: "rx, the core, an engine that reads after its completion",
  },
  {
    what: "cache maintenance without the last line",
    faults: ["kind=sync-short direction=rx", "kind=sync-short direction=tx"],
    because:
      "The length is rounded down to whole lines, so the line in which the transfer ends keeps its " +
      "old content. All other lines are right.",
    right: "the range of the sync ends too early",
    causes: ["for-cpu-short", "for-device-short"],
    or: "the last line is shared with data that the CPU wrote",
    wrong: "the whole sync is missing, bytes are lost in the core",
  },
  {
    what: "write burst across 4 KiB",
    faults: [
      "kind=hole bytes=64 edge=4096 direction=rx",
      "kind=fill bytes=64 edge=4096",
      "kind=exchange bytes=64 edge=4096",
    ],
    because:
      "AXI forbids bursts across 4 KiB, and slaves wrap or drop the beats after it. So the damage " +
      "begins at each multiple of 4096 in memory, and frames that cross none are right.",
    right: "something happens at each 4 KiB boundary: a burst crosses it",
    causes: [
      "4k-boundary",
      "page-translation",
      "segment-boundary",
      "writes-lost",
      "bursts-reordered",
    ],
    or: "an IOMMU or a list of pages: each page is a piece of its own",
    wrong: "a cache, single bits, a length register, a FIFO",
  },
  {
    what: "TKEEP or WSTRB of the last word ignored",
    faults: [
      "kind=fill bytes=8 ragged=8",
      "kind=hole bytes=8 ragged=8 direction=rx",
      "kind=overrun ragged=8",
      "kind=short ragged=8",
    ],
    because:
      "The last word of a frame whose length is no multiple of the bus width is a special case of " +
      "the stream. Its bytes are lost or kept old, or bytes after the frame are written. Frames of whole " +
      "words are right.",
    right: "the last, partial word of a frame: TKEEP or WSTRB",
    causes: ["partial-beat", "no-realignment", "write-past-end"],
    or: "the length is rounded to whole words",
    wrong: "a cache, a burst, a FIFO",
  },
  {
    what: "one block is not mapped",
    faults: [
      "kind=no-move block=2",
      "kind=hole bytes=4096 at=0 block=0 direction=rx",
      "kind=fill bytes=64 value=255 at=0 block=1 direction=tx",
    ],
    because:
      "One buffer has a wrong entry in the IOMMU, or a wrong address in the list of buffers. Every " +
      "frame in it is wrong, and no frame in another block.",
    right: "one block (one address)",
    // nothing answers at the address of this block
    causes: [
      "bus-error",
      "bad-block",
      "ring-wrap",
      "page-translation",
      "writes-lost",
      "wrong-read-address",
    ],
    or: "one entry of a ring with as many entries as blocks",
    wrong: "every n-th frame whatever its block, a cache, a FIFO",
  },
  {
    what: "memory above the address range of the port",
    faults: ["kind=error direction=rx above=65536", "kind=no-move above=262144"],
    because:
      "The interconnect maps only the low part of memory to the port (HP0_DDR_LOWOCM without " +
      "HP0_DDR_HIGH), or the engine has too few address bits. Blocks above are answered with DECERR, or " +
      "are never written. Blocks below are right.",
    right: "blocks from some address on",
    causes: ["bus-error", "above-offset", "bad-block", "writes-lost"],
    or: "blocks with a high number, for another reason: a table of buffers with too few entries",
    wrong: "a cache, the length, a FIFO that overflows",
  },
  {
    what: "one descriptor of the ring is wrong",
    faults: ["kind=no-move every=8", "kind=repeat every=16"],
    because:
      "A ring in the engine is walked in order, whichever block is in the descriptor. So every 8th " +
      "frame is wrong, at every depth.",
    right: "every n-th frame: one slot of a ring",
    causes: ["ring-wrap", "writes-lost", "frames-mixed-up"],
    or: "a counter of frames that wraps",
    wrong: "one block, a cache, a length",
  },
  {
    what: "FIFO overflow when frames follow each other",
    faults: ["kind=drop depth=2 rate=3", "kind=drop depth=2 beats=4 rate=3"],
    because:
      "With one transfer at a time the FIFO drains in between. With two or more it fills, and beats " +
      "that come while it is full are lost. The data after it move forward.",
    right: "data are lost in the core, and only with full queues: a FIFO overflows",
    causes: ["fifo-overflow", "beats-lost"],
    or: "backpressure is ignored (TREADY)",
    wrong: "a cache, one block, a length register, TKEEP",
  },
  {
    what: "read data returned in the wrong order",
    faults: ["kind=exchange bytes=64 depth=2 rate=2", "kind=swap depth=2 rate=4"],
    because:
      "With several outstanding transactions, an interconnect that mixes up IDs returns bursts or " +
      "whole frames in another order. Nothing is lost. With one transfer in flight there is nothing to " +
      "mix up.",
    right: "the order is wrong, only with several transfers in flight: transaction IDs",
    causes: ["bursts-reordered", "frames-mixed-up", "descriptors-overtake"],
    or: "the order of descriptors",
    wrong: "a cache, lost data",
  },
  {
    what: "one data line with marginal timing",
    faults: ["kind=flip bit=3 lane=5 rate=4", "kind=flip bit=0 lane=2 rate=6 direction=rx"],
    because:
      "A path that misses its setup time fails now and then, on the one bit of the bus that it " +
      "belongs to. The bit is wrong at any offset that has this place in the bus word.",
    right: "one bit of the bus word, now and then: timing of one data line",
    causes: ["random-flips"],
    or: "a marginal solder joint or crosstalk on that line",
    wrong: "a stuck line, a cache, a FIFO",
  },
  {
    what: "stuck data line",
    faults: ["kind=stuck-bit bit=37 value=0", "kind=stuck-bit bit=6 value=1 direction=tx"],
    because:
      "One of 64 lines has always the same value, in every frame that is long enough, everywhere.",
    right: "one bit of the bus word is stuck",
    causes: ["stuck-line"],
    sizes: [1, 3, 8, 64, 65, 1000, 4097],
    or: null,
    wrong: "timing of a line, a cache",
  },
  {
    what: "wrong endianness",
    faults: ["kind=byte-lanes bytes=4", "kind=byte-lanes bytes=8 direction=rx"],
    because:
      "Each word of that many bytes comes in the other byte order. Every frame of one whole word " +
      "or more is wrong everywhere.",
    right: "the byte order of a word",
    causes: ["byte-order"],
    sizes: [1, 3, 8, 64, 65, 1000, 4097],
    or: "byte lanes are wired in another order",
    wrong: "lost data, a cache",
  },
  {
    what: "packet FIFO smaller than a frame",
    faults: ["kind=stall min=65536", "kind=stall min=4097"],
    because:
      "A FIFO in packet mode forwards a frame once all of it is there. A frame that is longer than " +
      "the FIFO never gets out: the engine hangs, with every frame of that length.",
    right: "long frames hang: a FIFO in packet mode is smaller than the frame",
    causes: ["receive-stalls", "length-limit", "fifo-overflow"],
    or: "a length beyond some limit of the engine",
    wrong: "a lost interrupt, TLAST only, short frames",
  },
  {
    what: "frames of one beat lost",
    faults: ["kind=lose max=8"],
    because:
      "First and last beat are the same one, which a state machine forgot. The frame never comes.",
    right: "frames of one beat do not arrive",
    causes: ["receive-stalls"],
    or: "a least length of the engine",
    wrong: "a lost interrupt, long frames",
  },
  {
    what: "credits leak until the engine hangs",
    faults: ["kind=stall after=150000", "kind=wedge after=200000"],
    because:
      "Each transfer loses a bit of a budget, and after so many bytes nothing moves any more. Short " +
      "cases end before.",
    right: "the engine hangs after a number of bytes",
    causes: ["receive-stalls"],
    or: "it hangs after a time",
    wrong: "a length, one block, a lost interrupt",
  },
  {
    what: "completion before the last write response",
    faults: ["kind=early direction=rx min=4096", "kind=early direction=rx every=4"],
    because:
      "The engine reports completion without waiting for BVALID, so the CPU still finds what the " +
      "block held before. It happens with coherent memory, too.",
    right: "the completion comes before the data",
    causes: ["early-completion"],
    or: "the block was not written at all",
    wrong: "a missing sync, the tx direction",
  },
  {
    what: "first beat after reset lost",
    faults: ["kind=drop at=0 frame=0", "kind=drop at=0 beats=2 frame=0"],
    because:
      "TREADY is high while the reset of the consumer is still active. The first beat is taken and " +
      "thrown away. Later frames are right.",
    right: "only the first frame after reset",
    causes: ["after-reset", "beats-lost", "frame-offset"],
    or: null,
    wrong: "a FIFO overflow, a length, a cache",
  },
  {
    what: "interrupt lost by coalescing",
    faults: [
      "kind=lost-interrupt direction=rx from=20",
      "kind=lost-interrupt direction=rx min=1000",
    ],
    because:
      "The data are there and the completion is never reported, because the threshold of the " +
      "counter is not reached and the timer is off.",
    right: "data arrived, completion did not: a lost interrupt",
    causes: ["lost-interrupt", "completion-lost"],
    or: "the engine does not write the status of the descriptor",
    wrong: "nothing moved, a FIFO that is too small",
  },
  {
    what: "burst of 16 beats repeats its last word",
    faults: ["kind=hold bytes=8 edge=128", "kind=hold bytes=8 edge=128 direction=rx"],
    because:
      "An AXI3 port has bursts of 16 beats. The first word after each burst is a copy of the word " +
      "before it, at every multiple of 128 bytes in memory.",
    right: "something happens at each boundary of a burst of 128 bytes",
    causes: ["burst-boundary", "every-nth-beat", "segment-boundary"],
    sizes: [1, 8, 64, 65, 1000, 4097],
    or: "every 16th beat: a counter",
    wrong: "a cache, 4 KiB, TKEEP",
  },
  {
    what: "prefetched descriptor is stale",
    faults: ["kind=repeat-block direction=rx depth=2 rate=5"],
    because:
      "The engine fetched the next descriptor before software had filled it in, so a frame goes " +
      "where the one before it went. With one transfer at a time there is nothing to fetch early.",
    right: "frames go to the block of the frame before, with several in flight: descriptors",
    causes: ["prefetch", "descriptors-overtake", "frames-mixed-up"],
    or: "a queue of addresses in the core",
    wrong: "a cache, lost data in the stream",
  },
  {
    what: "reported length is short by one word",
    faults: ["kind=wrong-length direction=rx", "kind=wrong-length direction=rx min=4096"],
    because:
      "The data are whole, and the driver computes the residue from a descriptor that has not been " +
      "written back. The length is 8 bytes too small.",
    right: "the reported length is wrong, the data are whole: residue",
    causes: ["length-short"],
    or: null,
    wrong: "lost data, a length register, a FIFO",
  },
];
