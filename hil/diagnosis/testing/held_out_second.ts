// SPDX-License-Identifier: MIT
/**
 * A second set of single causes for the diagnosis. It was written from how FPGA DMA designs fail, by
 * somebody who had not read the diagnosis or the first set, and before any of it ran. The truth was not
 * changed afterwards.
 *
 * The truth of a scenario is in three parts. A statement in `right` is true. One in `beside` is not true,
 * but the run cannot exclude it, so it may be the second of two. All other statements are wrong.
 * It is one file, so that the whole set can be read at once.
 *
 * @module
 */

/** One cause, with the faults that show it. */
export interface Scenario {
  /** What is wrong with the design. */
  readonly design: string;
  /** The same cause with other parameters. */
  readonly faults: readonly string[];
  /** Ids of the causes that are true. Empty if the table has none: then each name is wrong. */
  readonly right: readonly string[];
  /** Ids of causes that may be named in addition to a right one, because a run cannot exclude them. */
  readonly beside: readonly string[];
  /** The physics: why these are true, and others are not. */
  readonly why: string;
  /** Set if the damage takes long to name. Such a scenario runs only with `PLUMBLINE_FULL=1`. */
  readonly slow?: boolean;
}

/** The scenarios. */
export const HELD_OUT_SECOND: readonly Scenario[] = [
  {
    design: "The receive engine has a length register of 13 or 15 bits",
    faults: ["kind=length-mask direction=rx bits=13", "kind=length-mask direction=rx bits=15"],
    right: ["length-register", "receive-range"],
    beside: ["tlast-late", "length-limit"],
    why:
      "The buffer that the engine sees is the length modulo a power of 2, so the frame does not " +
      "fit. For the engine, that equals a TLAST that is late",
  },
  {
    design: "The transmit engine has a length register of 12 bits",
    faults: ["kind=length-mask direction=tx bits=12"],
    right: ["length-register"],
    beside: ["tlast-early", "length-limit"],
    why: "Fewer bytes are read, and the engine sets TLAST after them. A limit would leave the " +
      "same number of bytes of each size, but 36861 leaves 4093 bytes and 65536 none",
  },
  {
    design: "The write side drops the last word if its byte strobes are partial",
    faults: [
      "kind=hole direction=rx ragged=16 bytes=16",
      "kind=hole direction=rx ragged=4 bytes=4",
    ],
    right: ["partial-beat"],
    beside: ["writes-lost", "no-realignment"],
    why: "Only a last, partial word is missing, under every policy, so no sync is involved",
  },
  {
    design: "A width converter without TKEEP ends the frame before a partial word",
    faults: ["kind=short ragged=16"],
    right: ["partial-beat", "no-realignment"],
    beside: ["length-short", "tlast-early"],
    why: "The report is short by the length modulo the width. TLAST then is early as a consequence",
  },
  {
    design: "A 128-bit or 256-bit write port sets every strobe of the last word",
    faults: ["kind=overrun ragged=16", "kind=overrun ragged=32"],
    right: ["write-past-end", "partial-beat"],
    beside: [],
    why: "Bytes after the end change up to the end of the word. The frame is intact",
  },
  {
    design: "A clock domain crossing in the core has no synchronisers",
    faults: ["kind=flip rate=9 seed=5", "kind=flip rate=2 seed=8"],
    right: ["random-flips"],
    beside: ["beats-lost"],
    why:
      "Single bits at random places. Both check values of memory are right, so memory is not weak",
  },
  {
    design: "One data line of the core, or one byte of it, misses its setup time now and then",
    faults: ["kind=flip lane=5 rate=4 seed=2", "kind=flip lane=2 bit=6 rate=3 seed=9"],
    right: ["random-flips"],
    beside: ["byte-lane", "stuck-line"],
    why: "A flip in one of thousands of beats. A lane that is open, or a line that is stuck, has " +
      "wrong values in half of all beats",
  },
  {
    design: "A termination is missing at the memory, so single bits are read wrongly",
    faults: ["kind=flip direction=tx rate=3 seed=21", "kind=flip direction=rx rate=5 seed=22"],
    right: ["weak-memory", "random-flips"],
    beside: [],
    why: "The run sees single bits on the way to or from memory, at no place of its own",
  },
  {
    design: "Data line 63 is tied to 0, or line 17 to 1, at one port",
    faults: [
      "kind=stuck-bit direction=tx bit=63 value=0",
      "kind=stuck-bit direction=rx bit=17 value=1",
    ],
    right: ["stuck-line"],
    beside: [],
    why: "One bit of each 64 has one value only",
    slow: true,
  },
  {
    design: "A 16-bit bridge, or a 128-bit converter, reverses bytes",
    faults: ["kind=byte-lanes direction=tx bytes=2", "kind=byte-lanes direction=rx bytes=16"],
    right: ["byte-order"],
    beside: [],
    why: "The bytes of each whole group are reversed in every frame",
    slow: true,
  },
  {
    design: "The address of a read burst does not advance across 4 KiB",
    faults: [
      "kind=hold direction=tx edge=4096 bytes=64",
      "kind=hold direction=rx edge=4096 bytes=256",
    ],
    right: ["4k-boundary"],
    beside: ["page-translation", "burst-boundary", "segment-boundary", "wrong-address"],
    why:
      "The piece after each multiple of 4 KiB is a copy of the piece before it. A burst of 4 KiB " +
      "has its boundary at the same place",
  },
  {
    design: "A beat is lost between two bursts of 512 or 1024 bytes",
    faults: ["kind=drop edge=512", "kind=drop edge=1024"],
    right: ["burst-boundary", "beats-lost"],
    beside: ["every-nth-beat", "segment-boundary", "fifo-overflow"],
    why:
      "Later beats move forward by one for each boundary. The distance is a burst of a usual length",
  },
  {
    design: "An arbiter grants a read port without data once in 16 beats",
    faults: ["kind=fill direction=tx edge=128 bytes=8 value=0"],
    right: ["every-nth-beat", "burst-boundary"],
    beside: ["segment-boundary"],
    why: "Each 16th beat is zero. 16 beats are also the longest burst of AXI3",
    slow: true,
  },
  {
    design: "The first line of each further descriptor of 8 or 16 KiB is not written",
    faults: [
      "kind=hole direction=rx edge=16384 bytes=64",
      "kind=hole direction=rx edge=8192 bytes=128",
    ],
    right: ["segment-boundary"],
    beside: ["page-translation", "large-block", "writes-lost"],
    why: "The distance is above 4 KiB, and no AXI burst is longer, so it is no burst",
  },
  {
    design: "The driver passes the wrong direction to for_device of transmit",
    faults: ["kind=sync-misdirect direction=tx"],
    right: ["for-device-missing", "one-policy"],
    beside: [],
    why: "Lines are not cleaned, which is what a missing for_device does",
  },
  {
    design: "The driver syncs another receive block than the one that is complete",
    faults: ["kind=sync-elsewhere direction=rx"],
    right: ["for-cpu-missing", "one-policy"],
    beside: [],
    why:
      "The block that the CPU reads had no for_cpu, so its lines are stale. Completions are right",
  },
  {
    design: "The driver's for_cpu starts one line after the start",
    faults: ["kind=sync-late direction=rx", "kind=sync-late direction=rx min=4096"],
    right: ["for-cpu-late", "one-policy"],
    beside: ["for-cpu-missing"],
    why: "Only the first line of a frame is stale. Frames up to one line have no for_cpu at all",
  },
  {
    design: "The receive engine interrupts before the write response of long frames",
    faults: ["kind=early direction=rx rate=6 seed=4"],
    right: ["early-completion"],
    beside: ["writes-lost"],
    why:
      "All data are in memory later. Only a delay can distinguish this from writes that are lost",
  },
  {
    design: "The receive engine reports frames that it never wrote",
    faults: ["kind=no-move rate=5 seed=3", "kind=no-move min=4000 rate=3 seed=1"],
    right: ["writes-lost"],
    beside: ["early-completion"],
    why: "The data never arrive",
  },
  {
    design: "Single write bursts are lost in the interconnect",
    faults: [
      "kind=hole direction=rx bytes=64 rate=2 seed=6",
      "kind=hole direction=rx bytes=256 rate=3",
    ],
    right: ["writes-lost"],
    beside: ["early-completion"],
    why: "Aligned pieces keep the old data under every policy, so no cache is involved",
  },
  {
    design: "Address bit 9 or 12 of a port is stuck at 0",
    faults: ["kind=alias direction=rx bytes=4096", "kind=alias direction=tx bytes=512"],
    right: ["wrong-address"],
    beside: ["page-translation", "wrong-read-address"],
    why: "Pieces whose address has this bit lie where the bit is 0",
  },
  {
    design: "A window of 4 or 32 KiB ends within the block",
    faults: ["kind=torn direction=rx at=32768", "kind=torn direction=rx at=4096"],
    right: ["above-offset"],
    beside: ["length-limit", "receive-range", "writes-lost", "large-block"],
    why: "All bytes from one offset on keep the old data, while the report has the full length",
    slow: true,
  },
  {
    design:
      "Transmit blocks above 64 KiB are outside the address range of the port, and read as ones",
    faults: ["kind=fill direction=tx above=65536 at=0 bytes=1048576 value=255"],
    right: ["address-range", "bus-error"],
    beside: ["above-offset", "bad-block"],
    why: "No slave answers, so each byte is 0xff. Only large blocks lie so high",
  },
  {
    design: "A packet FIFO is smaller than a frame, and nothing stops the sender",
    faults: ["kind=drop min=4000 beats=4 rate=2 seed=3", "kind=drop min=20000 beats=16"],
    right: ["fifo-overflow", "beats-lost"],
    beside: ["large-block"],
    why: "Beats are lost within the core, in long frames only. The sender ignores TREADY",
  },
  {
    design: "The core loses beats if frames follow each other without a gap",
    faults: ["kind=drop depth=3 rate=2 seed=7", "kind=duplicate depth=2 rate=2 seed=7"],
    right: ["back-to-back", "beats-lost"],
    beside: ["fifo-overflow"],
    why:
      "Depth 1 always passes. Memory and descriptors are right, because the core alone is blamed",
  },
  {
    design: "TDATA changes while TVALID waits for TREADY",
    faults: ["kind=hold rate=3 bytes=8 seed=12", "kind=drop rate=4 seed=13"],
    right: ["beats-lost"],
    beside: [],
    why: "A beat appears twice or not at all, at any depth and length",
  },
  {
    design: "Two ids of the read or write channel are not put back in order",
    faults: [
      "kind=exchange direction=rx bytes=256 rate=2 seed=4",
      "kind=rotate direction=tx bytes=128 rate=2 seed=5",
      "kind=interleave direction=tx bytes=512 rate=2 seed=6",
    ],
    right: ["bursts-reordered"],
    beside: ["wrong-address", "wrong-read-address"],
    why: "Whole bursts of one frame change places. None is lost",
  },
  {
    design: "A write burst gets an address that is 512 or 2048 bytes too high",
    faults: [
      "kind=misplace direction=rx bytes=64 beats=64 rate=2",
      "kind=misplace direction=rx bytes=256 beats=256 rate=2",
    ],
    right: ["wrong-address"],
    beside: ["bursts-reordered", "writes-lost"],
    why: "The piece is found elsewhere in the frame, and its own place keeps the old data",
    slow: true,
  },
  {
    design: "The last descriptor of a ring of 12 or 10 is handled wrongly",
    faults: [
      "kind=fill direction=rx every=12 at=0 bytes=64 value=0",
      "kind=repeat every=10",
    ],
    right: ["ring-wrap"],
    beside: ["frames-mixed-up", "descriptors-overtake"],
    why: "One frame in 12 or 10 is wrong, and this is no multiple of the number of blocks",
  },
  {
    design: "Pipeline registers of the core are not cleared by RESET",
    faults: ["kind=fill frame=0 at=0 bytes=16 value=0", "kind=duplicate frame=0 at=0"],
    right: ["after-reset"],
    beside: ["frame-offset"],
    why: "The first frame of each case is wrong, and no other",
  },
  {
    design: "The core loses the first beats of some frames",
    faults: ["kind=shift beats=-2 rate=4 seed=3", "kind=shift beats=-1 min=64"],
    right: ["frame-offset"],
    beside: ["beats-lost"],
    why: "All data of a frame are early by the same number of beats",
  },
  {
    design: "The core asserts TLAST some beats late",
    faults: ["kind=long beats=2 rate=3 seed=2", "kind=long beats=8"],
    right: ["tlast-late"],
    beside: ["receive-range"],
    why: "The frame is longer than its buffer. A receive buffer that is too short shows the same",
  },
  {
    design: "The core asserts TLAST early if TREADY is low at that moment",
    faults: ["kind=short rate=4 seed=11", "kind=short rate=3 depth=2 seed=12"],
    right: ["tlast-early"],
    beside: ["length-short", "back-to-back", "beats-lost"],
    why: "The end is at a random beat, so no length is calculated wrongly",
  },
  {
    design: "The core stops within a frame",
    faults: ["kind=stall rate=20 seed=3", "kind=wedge frame=3 seed=1"],
    right: ["receive-stalls"],
    beside: ["tlast-missing"],
    why:
      "Earlier frames passed, so clock, reset and address are right. A part of the frame is in memory",
  },
  {
    design: "An edge-triggered interrupt is lost if two frames complete together",
    faults: ["kind=lost-interrupt direction=rx rate=9", "kind=lost-interrupt direction=tx rate=7"],
    right: ["lost-interrupt", "completion-lost"],
    beside: ["completion-mix-up"],
    why: "The data arrived, and the completion is not reported",
  },
  {
    design: "The engine's driver forgets to issue a descriptor",
    faults: ["kind=unsubmitted direction=tx rate=8", "kind=unsubmitted direction=rx rate=12"],
    right: ["completion-lost"],
    beside: ["receive-stalls", "frames-mixed-up"],
    why:
      "One descriptor is never moved, while earlier ones were. The clock and the address are right",
  },
  {
    design: "The engine's driver reports completions for a wrong cookie, or twice",
    faults: [
      "kind=wrong-cookie direction=rx rate=5",
      "kind=twice direction=tx rate=6",
      "kind=wrong-block direction=rx rate=4",
    ],
    right: ["completion-mix-up"],
    beside: ["completion-lost", "frames-mixed-up", "descriptors-overtake"],
    why: "The engine moved each frame to its block. Only the report is wrong",
  },
  {
    design: "Two descriptors in flight change places",
    faults: ["kind=swap-blocks direction=tx rate=3 seed=2", "kind=swap-blocks direction=rx rate=4"],
    right: ["descriptors-overtake"],
    beside: ["frames-mixed-up", "prefetch", "transfers-mixed", "completion-mix-up"],
    why: "Both frames arrive, in each other's block. With one block nothing can change places",
  },
  {
    design: "The engine uses the address of the descriptor before",
    faults: [
      "kind=repeat-block direction=rx rate=4",
      "kind=repeat-block direction=tx rate=5 seed=3",
    ],
    right: ["descriptors-overtake", "frames-mixed-up"],
    beside: ["prefetch", "transfers-mixed", "wrong-read-address"],
    why:
      "One descriptor is handled twice, and the next one not at all. With one block this is no fault",
  },
  {
    design: "The core drops a whole frame now and then",
    faults: ["kind=lose rate=7 seed=2"],
    right: ["frames-mixed-up", "receive-stalls"],
    beside: ["completion-lost", "tlast-missing"],
    why: "Each later frame arrives in the block before its own, and the last block waits for ever",
  },
  {
    design: "A burst is also written through the next descriptor",
    faults: ["kind=stray bytes=1024 rate=3 seed=2"],
    right: ["stray-write", "transfers-mixed"],
    beside: ["descriptors-overtake", "prefetch"],
    why: "A piece of a frame lies in the next block as well, so it needs two transfers in flight",
  },
  {
    design: "Transfers end with an error of the bus",
    faults: ["kind=error direction=tx rate=11", "kind=error direction=rx min=4097 rate=3"],
    right: ["bus-error"],
    beside: ["large-block", "address-range"],
    why: "The engine reports the error itself",
  },
  {
    design: "One cell of one block is bad",
    faults: [
      "kind=flip direction=rx block=1 at=37 bit=4",
      "kind=fill direction=rx block=0 at=20 bytes=1 value=0",
    ],
    right: ["memory-cell", "bad-block"],
    beside: ["weak-memory"],
    why: "The same bytes of the same block are wrong each time",
  },
  {
    design: "Segments of 4 KiB change places in blocks that need several",
    faults: ["kind=exchange direction=rx min=20000 bytes=4096"],
    right: ["large-block"],
    beside: ["bursts-reordered", "page-translation", "wrong-address"],
    why: "Only blocks from 20000 bytes on fail, under every policy",
  },
  {
    design: "The table has no cause: the transmit engine reports a block before it has read it",
    faults: ["kind=early direction=tx rate=3 seed=5"],
    right: [],
    beside: [],
    why:
      "early-completion is about data that are not yet in memory, and early-read about reads that " +
      "come too early. These come too late",
  },
  {
    design: "The table has no cause: a scrambler of the core loses its state for 4 beats",
    faults: ["kind=invert bytes=32 rate=6 seed=5"],
    right: [],
    beside: [],
    why: "256 bits that are all inverted are not caused by timing, and no beat is lost",
    slow: true,
  },
  {
    design: "The table has no cause: for_device is missing before a receive block is queued",
    faults: ["kind=sync-skip direction=rx op=for-device"],
    right: [],
    beside: ["for-cpu-missing"],
    why: "Dirty lines are written over the data. for_cpu was called, so it is not missing",
  },
];
