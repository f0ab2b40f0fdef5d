// SPDX-License-Identifier: MIT
/**
 * The runs of frames of one case, with what the case decides about them.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import { watchEngine } from "../board/watch.ts";
import { summarizeReport } from "../frames/intact.ts";
import { withLengths } from "../frames/lengths.ts";
import { runLoops } from "../frames/loop.ts";
import type {
  FlowOptions,
  LoopOptions,
  ReceiveOptions,
  RunOptions,
  SendOptions,
} from "../frames/options.ts";
import { receiveFrames } from "../frames/receive.ts";
import { BrokenRunError, type FrameReport, joinReports } from "../frames/report.ts";
import { sendFrames } from "../frames/send.ts";
import { expectedPattern } from "../patterns/computed.ts";
import { geometry } from "../patterns/picture.ts";
import { decodePicture, differenceOf, encodePng } from "../patterns/show_picture.ts";
import type { PatternSpec } from "../patterns/pattern.ts";
import type { Fault } from "../verify/fault.ts";
import { checkedComparison, checkRunOptions } from "./check_options.ts";
import type { CaseParameters, RunParameters } from "./parameters.ts";
import type { Session } from "./session.ts";
import { SkipError } from "./skip_error.ts";

/** Number of faults after which a control has failed as it must. */
const ENOUGH = 4;

/** The runs of one case. */
export class Runs {
  readonly #session: Session;
  readonly #devices: readonly Device[];
  readonly #pattern: PatternSpec;
  readonly #defaults: FlowOptions;
  readonly #reports: FrameReport[];
  readonly #control: boolean;
  readonly #attach: (name: string, content: Uint8Array) => void;
  #armed = false;
  #shown = false;

  constructor(
    session: Session,
    { devices, policy, size, depth, frames }: RunParameters,
    { pattern, seconds, depth: requested }: CaseParameters,
    { control, deadline }: { readonly control: boolean; readonly deadline: number },
    reports: FrameReport[],
    attach: (name: string, content: Uint8Array) => void,
  ) {
    this.#attach = attach;
    this.#session = session;
    this.#devices = devices;
    this.#pattern = pattern;
    this.#reports = reports;
    this.#control = control;
    this.#defaults = {
      ...{ policy, size, depth, frames, deadline, onPrimed: () => this.#arm() },
      shallower: requested === "max",
      // damage of a control is expected
      ...(control ? {} : { onFault: (fault: Fault) => session.noteFault(fault) }),
      watch: (device) => watchEngine(session.board, device),
      ...(seconds === null ? {} : { seconds }),
      ...(control ? { maxFaults: ENOUGH, brief: true } : {}),
    };
  }

  loop(options: LoopOptions = {}): Promise<FrameReport> {
    checkRunOptions("loop.run()", options);
    const { pattern: spec = this.#pattern, ...chosen } = options;
    const pattern = this.#session.pattern(spec);
    return this.#keep(() => runLoops(this.#devices, pattern, this.#merge(chosen)));
  }

  send(options: SendOptions = {}): Promise<FrameReport> {
    checkRunOptions("tx.send()", options);
    const { pattern: source = this.#pattern, ...chosen } = options;
    const merged = this.#merge(chosen);
    const pattern = typeof source === "function"
      ? expectedPattern(
        this.#session.settings.seed,
        // the blocks of all frames in flight, and of those that they held before
        withLengths(merged, this.#session.settings.seed).size,
        source,
        2 * merged.depth + 4,
      )
      : this.#session.pattern(source);
    return this.#keep(() => {
      this.#requireBlocks("tx.send", merged.policy);
      return sendFrames(this.#devices, pattern, merged);
    });
  }

  receive(options: ReceiveOptions): Promise<FrameReport> {
    checkRunOptions("rx.receive()", options);
    const { seed } = this.#session.settings;
    const merged = this.#merge(options);
    return this.#keep(() => {
      this.#requireBlocks("rx.receive", merged.policy);
      return receiveFrames(this.#devices, seed, merged);
    });
  }

  /** Skips the case if its policy has no blocks. If only the run asked for that policy, the test is wrong. */
  #requireBlocks(call: "tx.send" | "rx.receive", policy: PolicyName): void {
    if (policy !== "bounce") return;
    const why = `${call} needs blocks, and policy bounce has a ring for read() and write() instead`;
    if (this.#defaults.policy === "bounce") throw new SkipError(why);
    throw new Error(`Expected another policy than bounce, because ${why}: leave policy out`);
  }

  /** The options of a run: those of the case, unless the test chose others. */
  #merge<Own extends RunOptions & { compare?: LoopOptions["compare"] }>(
    own: Own,
  ): FlowOptions & Own {
    const { compare } = own;
    return {
      ...this.#defaults,
      // the time is meant for runs without a number of frames
      ...(Number.isFinite(own.frames) ? { seconds: Infinity } : {}),
      ...own,
      ...(compare ? { compare: checkedComparison(compare) } : {}),
      ...this.#shows(own.picture),
    };
  }

  /** Shows the first wrong frame of the case, if frames are pictures. That of a control is wrong as it must be. */
  #shows(picture: RunOptions["picture"]): Pick<FlowOptions, "onWrong"> {
    if (picture === undefined || this.#control) return {};
    const { format, width, height, stride } = picture;
    const shape = geometry(format, width, height, stride);
    return {
      onWrong: ({ sequence, expected, received }) => {
        if (this.#shown) return;
        this.#shown = true;
        const pictures = [received, expected].map((bytes) => decodePicture(bytes, shape));
        const [got, due] = [pictures[0] ?? received, pictures[1] ?? expected];
        const all = { received: got, expected: due, difference: differenceOf(got, due) };
        for (const [name, rgb] of Object.entries(all)) {
          this.#attach(`frame ${sequence} ${name}.png`, encodePng(rgb, width, height));
        }
      },
    };
  }

  /** Arms the requested fault once for the case, so its frame numbers count from the first run. */
  #arm(): void {
    const { board, settings } = this.#session;
    if (settings.fault === null || this.#armed) return;
    this.#armed = true;
    board.arm(settings.fault);
  }

  /** Records damage at once, because the test may die. Damage of a control is expected. */
  #record(report: FrameReport): void {
    const { faults, frames, bytes, timeout, late } = report;
    if (this.#control || faults.length === 0 && timeout === null) return;
    const outcome = timeout === null ? "FAIL" : "TIMEOUT";
    const reason = summarizeReport(report);
    this.#session.recordSeen({
      ...{ outcome, reason, frames, bytes, faults },
      ...(late === undefined ? {} : { late }),
    });
  }

  /**
   * Runs frames and keeps their report, which is one for all devices. It returns a promise so that it can
   * wait for a board at the other end of a wire later.
   */
  // deno-lint-ignore require-await
  async #keep(run: () => readonly FrameReport[]): Promise<FrameReport> {
    const join = (each: readonly FrameReport[]): FrameReport => {
      const report = joinReports(each, this.#devices.map(({ path }) => path));
      this.#reports.push(report);
      this.#record(report);
      return report;
    };
    try {
      return join(run());
    } catch (error) {
      if (!(error instanceof BrokenRunError)) throw error;
      join(error.reports);
      throw error.cause;
    }
  }
}
