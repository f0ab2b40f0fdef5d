// SPDX-License-Identifier: MIT
/**
 * The types of results, schema 1. `check.ts` reads them from a file.
 *
 * Sizes are in bytes, times in seconds, and rates in MB/s (10^6 bytes per second), unless a
 * measurement has another unit. New keys may be added at any time. The meaning of a key never changes.
 *
 * @module
 */
import type { Direction } from "../../driver/uapi.ts";
import type { Outcome, Summary, Verdict } from "./outcome.ts";
import type { Fault } from "../verify/fault.ts";
import type { Soak } from "./soak.ts";

/** One measurement of a case. */
export interface Measurement {
  /** What was measured, such as `throughput`. */
  readonly name: string;
  /** The measured value; the median if there is a {@linkcode spread}. */
  readonly value: number;
  /** The unit of the value. */
  readonly unit: string;
  /** The limit that the value was compared with, or `null`. */
  readonly limit: number | null;
  /** Whether the limit is the least or the greatest allowed value; present with every limit. */
  readonly bound?: "min" | "max";
  /** The spread of the samples. */
  readonly spread?: Spread;
  /** The conditions of the measurement, such as `{ size: 4096, direction: "tx" }`. */
  readonly at?: Readonly<Record<string, string | number | boolean>>;
}

/** The spread of the samples of a measurement, in its unit. */
export interface Spread {
  /** The number of samples. */
  readonly samples: number;
  /** The smallest sample. */
  readonly min: number;
  /** The 5th percentile. */
  readonly p5: number;
  /** The 95th percentile. */
  readonly p95: number;
  /** The largest sample. */
  readonly max: number;
}

/** The recommended policy for one use and one frame size, according to the run's measurements. */
export interface Advice {
  /** The use of the frames, such as `receive, read once`. */
  readonly use: string;
  /** The size of a frame in bytes. */
  readonly size: number;
  /** The recommended policy, or `null` if no policy can be recommended. */
  readonly policy: string | null;
  /** The measured value of that policy. */
  readonly value: number | null;
  /** The unit of {@linkcode value}. */
  readonly unit: string;
  /** The second best policy, or `null`. */
  readonly runnerUp: string | null;
  /**
   * {@linkcode value} divided by the value of the second best policy: 1.25 means a quarter more. Null
   * if there is no second policy, or if the samples do not show which of the two is better.
   */
  readonly ratio: number | null;
  /** The reason, in one sentence. */
  readonly why: string;
}

/** The size from which on one policy is faster than another, according to the run's measurements. */
export interface Crossover {
  /** The use of the frames, such as `receive, read once`. */
  readonly use: string;
  /** The policy that is faster from that size on. */
  readonly faster: string;
  /** The policy that it is compared with. */
  readonly than: string;
  /** The smallest size in bytes from which on `faster` wins at every measured size, or `null`. */
  readonly from: number | null;
  /** The same as one sentence. */
  readonly detail: string;
}

/** The versions of the tool. */
export interface ToolInfo {
  /** Always `plumbline`. */
  readonly name: string;
  /** The version of Plumbline. */
  readonly version: string;
  /** The version of Deno. */
  readonly deno: string;
  /** The commit of the checkout, or `null` outside a checkout. */
  readonly git: string | null;
}

/** The board that the run used. Unknown values are `null`. */
export interface BoardInfo {
  /** The kind of board: `local`, `sim` or `vm`. */
  readonly kind: string;
  /** Whether the logic is software. The results then say nothing about hardware. */
  readonly simulated: boolean;
  /** The processor architecture, as Linux names it. */
  readonly arch: string | null;
  /** The release of the kernel. */
  readonly kernel: string | null;
  /** Whether the kernel treats the device as cache coherent. */
  readonly coherent: boolean | null;
  /** The cache line in bytes, to which blocks are aligned. */
  readonly cacheLine: number | null;
  /**
   * How a virtual board reveals missing syncs: by bounce buffers (`swiotlb`), by non-coherent caches
   * (`adversarial`), or not at all (`coherent`). Absent on other boards.
   */
  readonly bus?: string;
  /** The driver of the DMA controller. */
  readonly engine: string | null;
  /**
   * True if there is no logic: the engine copies memory. The results then say nothing about a design.
   * Absent on other boards.
   */
  readonly memoryLoop?: boolean;
  /** The identity that the core in the logic reports. */
  readonly core: string | null;
}

/** The bitstream in the logic. */
export interface BitstreamInfo {
  /** The file, or `null` if no bitstream was loaded. */
  readonly file: string | null;
  /** The SHA-256 of the file, in hexadecimal digits. */
  readonly sha256: string | null;
  /** The part that the bitstream was made for. */
  readonly part: string | null;
  /**
   * What is known about the logic: the core proved that it is this bitstream, the bitstream was loaded
   * without a proof, nothing is known, or the core is another one.
   */
  readonly identity: "proved" | "loaded" | "unknown" | "wrong";
}

/** The run as a whole. */
export interface RunInfo {
  /** The seed of every pattern and every random choice. */
  readonly seed: number;
  /** The start of the run, RFC 3339. */
  readonly started: string;
  /** The duration of the run. */
  readonly seconds: number;
  /** The command line. */
  readonly command: readonly string[];
  /** The pattern of the frames, if the command line names one. */
  readonly pattern?: string;
  /** Why the run is incomplete, and what is missing. Absent in a complete run. */
  readonly cut?: string;
  /** True if the run was still going when its journal was read. Absent in a run that has ended. */
  readonly running?: boolean;
  /** Where the run ended early, one text for each time it was resumed. Absent if it was not. */
  readonly resumed?: readonly string[];
}

/** A file that a test attached to its results. */
export interface AttachmentInfo {
  /** The name that the test gave. */
  readonly name: string;
  /** The file, relative to the folder of the results. */
  readonly file: string;
  /** Its size. */
  readonly bytes: number;
}

/** What a board shows after a completion did not come in time. Null stands for what it does not show. */
export interface TimeoutEvidence {
  /** The direction whose completion is missing; null for a ring, which takes and gives whole frames. */
  readonly direction: Direction | null;
  /** Number of the frame. */
  readonly frame: number;
  /** Whether the transfer is the primer, which precedes frame 0. */
  readonly primer: boolean;
  /** Whether the frame's tx transfer has completed. */
  readonly transmitted: boolean | null;
  /** Bytes of a frame. */
  readonly size: number;
  /** How many of them are in the receive block, counted from the first byte. */
  readonly arrived: number | null;
  /** Whether any byte of the receive block changed. */
  readonly changed: boolean | null;
  /** Whether RESET proved that the engine is idle. */
  readonly idle: boolean | null;
  /** How many interrupts came for the missing completion. */
  readonly interrupts: number | null;
  /** Lines that the kernel logged about the engine since the first frame. */
  readonly log: readonly string[];
}

/** One case. An infrastructure error outside any case is a case of the suite `infrastructure`. */
export interface TestResult {
  /** The suite. */
  readonly suite: string;
  /** The name of the case. */
  readonly name: string;
  /** The policy, or `null` if the case uses none. */
  readonly policy: string | null;
  /** How the case ended. */
  readonly outcome: Outcome;
  /** Why the case ended so, for every outcome but PASS. */
  readonly reason: string | null;
  /** The duration of the case. */
  readonly seconds: number;
  /** The number of verified frames. */
  readonly frames: number;
  /** The number of verified bytes. */
  readonly bytes: number;
  /** The faults that were found. */
  readonly faults: readonly Fault[];
  /** The measurements of the case. */
  readonly measurements: readonly Measurement[];
  /** What distinguishes the case from others of the same name, such as size and depth. */
  readonly params?: Readonly<Record<string, string | number | boolean | null>>;
  /**
   * The line of the test file that registers the case, such as `hil/suites/loopback_test.ts:12`. The path is
   * relative to the checkout if the file is in it. Absent if it is unknown.
   */
  readonly place?: string;
  /** The faults that were injected into the board, one text each. */
  readonly injected?: readonly string[];
  /** What differs from what was asked for, such as a queue that is less deep. */
  readonly notes?: readonly string[];
  /**
   * What the board shows of the first completion that did not come in time. Absent if all of them came, or
   * if the test waited for it by itself.
   */
  readonly late?: TimeoutEvidence;
  /** Files that the test attached. Absent if there are none. */
  readonly attachments?: readonly AttachmentInfo[];
  /**
   * Stack of what the test threw, if the case failed for that and the stack names a file of the test's author.
   * It begins with the message.
   */
  readonly stack?: string;
  /**
   * How often the case ran, if more than once: in the rounds of `--duration`, or by `deno test --repeats`. The
   * worst outcome counts. Frames, bytes, seconds and faults are those of all rounds.
   */
  readonly attempts?: number;
  /** How many rounds of the case ended in FAIL, TIMEOUT or ERROR. Absent if none did. */
  readonly failures?: number;
  /** The number of all faults, if {@linkcode faults} lists fewer. */
  readonly allFaults?: number;
}

/** What the controls proved about the board. */
export interface Power {
  /** Whether the controls failed in every direction that they use. */
  readonly coherence: boolean;
  /** Whether a control failed because of a missing sync on transmit. */
  readonly tx: boolean;
  /** Whether a control failed because of a missing sync on receive. */
  readonly rx: boolean;
  /** The same as one sentence. */
  readonly detail: string;
}

/** A fault that the self-check injected, and what the run reported. */
export interface InjectedFault {
  /** The injected fault in words. */
  readonly fault: string;
  /** The part of the board that had the fault; two parts for a pair. */
  readonly where: string;
  /** Whether the run reported any fault. */
  readonly caught: boolean;
  /** The number of frames from the first damaged frame to the report; `null` if not caught. */
  readonly frames: number | null;
  /**
   * The reported kinds of fault, `timeout`, or `mix-up` of completions; all of them, if several are possible.
   * `null` if not caught.
   */
  readonly named: string | null;
  /** Whether the reported kind is correct. If the board allows several kinds, all must be reported. */
  readonly namedRight: boolean;
  /** The parts that were blamed; `null` if not caught. */
  readonly blamed: string | null;
  /** Whether the correct part was blamed. */
  readonly blamedRight: boolean;
  /** Whether what the board shows allows one kind of fault only. */
  readonly certain: boolean;
  /** Whether two faults were injected in one frame. Absent for a single fault. */
  readonly pair?: true;
  /** Whether this fault or pair was not used to develop the classifier. */
  readonly heldOut: boolean;
}

/** Counts of injected faults. */
export interface InjectedCount {
  /** The number of runs, each with one fault or one pair. */
  readonly faults: number;
  /** The runs that reported a fault. */
  readonly caught: number;
  /** The runs that reported the correct kind. */
  readonly namedRight: number;
  /** The runs that blamed the correct part. */
  readonly blamedRight: number;
}

/** The results of a self-check. */
export interface Selfcheck {
  /** Every single fault, then every pair. */
  readonly faults: readonly InjectedFault[];
  /**
   * The counts of all runs. Also of single faults of which the board allows one kind only, of those of which it
   * allows several, of pairs, and of the faults and pairs that were held out.
   */
  readonly total: InjectedCount & {
    readonly single: InjectedCount;
    readonly ambiguous: InjectedCount;
    readonly pairs: InjectedCount;
    readonly heldOut: InjectedCount;
  };
}

/** Facts about the machine and the kernel by their names. An unknown fact is `null`. */
export type Environment = Readonly<Record<string, string | number | boolean | null>>;

/** A known cause that the evidence allows. */
export interface PossibleCause {
  /** The name in the table of causes, such as `length-register`. */
  readonly id: string;
  /** The cause, in words. */
  readonly cause: string;
  /** What would distinguish it from other causes, with the command. */
  readonly check: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Failures that have one cause, as far as the run shows it. */
export interface FailureGroup {
  /** The conclusion, in one sentence. */
  readonly sentence: string;
  /**
   * Whether the evidence leaves one cause (`named`), two (`narrowed`), or more or none (`open`). A group
   * that may be a consequence of a larger one (`follows`) has no cause of its own.
   */
  readonly status: "named" | "narrowed" | "open" | "follows";
  /** The causes that the evidence allows, the first ones best supported. */
  readonly causes: readonly PossibleCause[];
  /** What separates failing from passing cases, frames and bytes, one sentence each. */
  readonly evidence: readonly string[];
  /** What the run does not show, because everything in it was equal, such as `policy`. */
  readonly unknown: readonly string[];
  /** The indices in `tests` of the cases that failed so, at least one. */
  readonly tests: readonly number[];
  /** The number of faults. */
  readonly faults: number;
}

/** What the failures of a run have in common, and what may have caused them. */
export interface Diagnosis {
  /** At most three items, each of a few sentences. */
  readonly sentences: readonly string[];
  /** Groups of failures, the largest first. */
  readonly groups: readonly FailureGroup[];
}

/** The results of a run, schema 1. */
export interface Results {
  /** Always 1. */
  readonly schema: 1;
  /** The versions of the tool. */
  readonly tool: ToolInfo;
  /** The board that the run used. */
  readonly board: BoardInfo;
  /** The bitstream in the logic. */
  readonly bitstream: BitstreamInfo;
  /** The run as a whole. */
  readonly run: RunInfo;
  /** Every case. */
  readonly tests: readonly TestResult[];
  /** The number of cases of each outcome. */
  readonly summary: Summary;
  /** What the controls proved about the board. */
  readonly power: Power;
  /** The verdict. Present if `plumbline` wrote the file. */
  readonly verdict?: Verdict;
  /** What the failures have in common. Present if cases failed and `plumbline` wrote the file. */
  readonly diagnosis?: Diagnosis;
  /** The results of a self-check. Present after `plumbline selfcheck`. */
  readonly selfcheck?: Selfcheck;
  /** The recommended policies. Present after a benchmark. */
  readonly advice?: readonly Advice[];
  /** The sizes from which on one policy is faster than another. Present after a benchmark. */
  readonly crossovers?: readonly Crossover[];
  /** What all rounds together prove. Present after a run with `--duration`. */
  readonly soak?: Soak;
  /** Facts about the machine and the kernel, such as `cache L1d`. */
  readonly environment?: Environment;
}
