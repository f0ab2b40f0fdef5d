// SPDX-License-Identifier: MIT
/**
 * What a run with `--duration` proves, as text.
 *
 * @module
 */
import type { Results } from "../results/schema.ts";
import type { SensorRange, Soak } from "../results/soak.ts";
import { formatDataAmount, formatNumber, plural } from "../text/format.ts";
import { printable } from "../text/text.ts";

/** The most sensors that are shown. The results have all of them. */
const MOST_SENSORS = 8;

/**
 * Describes what all rounds prove.
 *
 * @param results The results
 * @returns Sentences; none without `--duration`
 */
export function describeSoak({ soak, run }: Pick<Results, "soak" | "run">): string[] {
  const resumed = (run.resumed ?? []).map((where) =>
    `The run ended early ${where}, and was resumed`
  );
  if (soak === undefined) return resumed.map(printable);
  const { frames, bytes, rounds, seconds } = soak;
  const amount = `${plural(frames, "frame")}, ${formatDataAmount(bytes)}`;
  const time = `${formatTime(seconds)} in ${plural(rounds, "round")}`;
  return [
    `Soak: ${amount}, ${plural(soak.faults, "fault")} (${time})`,
    describeBound(soak),
    ...describeFirst(soak),
    ...soak.sensors.slice(0, MOST_SENSORS).map(describeSensor),
    ...(soak.sensors.length > MOST_SENSORS
      ? [`${soak.sensors.length - MOST_SENSORS} more sensors are in results.json`]
      : []),
    ...resumed,
  ].map(printable);
}

function describeBound({ errorRateAtMost: rate, ruleOfThree, faults }: Soak): string {
  if (rate === null) return "Bit error rate: unknown, because no byte was verified";
  const rough = ruleOfThree === null ? "" : `, rule of three ${ruleOfThree.toExponential(2)}`;
  const what = faults === 0 ? "errors" : "faults";
  return `Bit error rate: at most ${rate.toExponential(2)} ${what} per bit at 95 % confidence ` +
    `(exact Poisson bound${rough})`;
}

function describeFirst({ first, failures }: Soak): string[] {
  if (first === null) return [];
  const shown = first.sensors.slice(0, MOST_SENSORS).map(({ name, unit, value }) =>
    `${name} ${formatNumber(value)} ${unit}`
  );
  return [
    `First failure: after ${formatTime(first.seconds)} and ${
      plural(first.framesBefore, "frame")
    }, ` +
    `in round ${first.round} of ${first.case}${
      shown.length === 0 ? "" : `, at ${shown.join(", ")}`
    }`,
    `Failures: ${plural(failures, "round")} of a case`,
  ];
}

function describeSensor({ name, unit, min, max, samples }: SensorRange): string {
  return `Sensor ${name}: ${formatNumber(min)} to ${formatNumber(max)} ${unit} ` +
    `(${plural(samples, "reading")})`;
}

/** Formats a time in hours, minutes or seconds. */
function formatTime(seconds: number): string {
  if (seconds >= 3600) return `${formatNumber(seconds / 3600)} h`;
  return seconds >= 60 ? `${formatNumber(seconds / 60)} min` : `${formatNumber(seconds)} s`;
}
