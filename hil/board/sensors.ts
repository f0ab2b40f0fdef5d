// SPDX-License-Identifier: MIT
/**
 * Temperatures and voltages of the machine, from sysfs: hwmon, and the converters of the Industrial I/O
 * subsystem (XADC of Zynq-7000, AMS of Zynq UltraScale+, SYSMON of Versal).
 *
 * Formats: `Documentation/hwmon/sysfs-interface.rst` (thousandths of °C and V), and
 * `Documentation/ABI/testing/sysfs-bus-iio` of Linux ((raw + offset) × scale is the same unit).
 *
 * @module
 */
import type { KernelFiles } from "../../driver/remote.ts";
import type { SensorReading } from "../results/soak.ts";

/** The most values that are read, because each is an access to a slow bus on some boards. */
const MOST = 32;

/**
 * Reads the sensors.
 *
 * @param files The files of the machine
 * @returns Temperatures in °C and voltages in V, sorted by name; empty if there are none. A sensor that
 * cannot be read is left out
 */
export function readSensors(files: Pick<KernelFiles, "readFile" | "list">): SensorReading[] {
  const found = [...hwmon(files), ...iio(files)].sort((a, b) => a.name < b.name ? -1 : 1);
  // a chip may be there twice
  const seen = new Map<string, number>();
  return found.slice(0, MOST).map((one) => {
    const count = (seen.get(one.name) ?? 0) + 1;
    seen.set(one.name, count);
    return count === 1 ? one : { ...one, name: `${one.name} (${count})` };
  });
}

type Files = Pick<KernelFiles, "readFile" | "list">;

function* hwmon(files: Files): Generator<SensorReading> {
  for (const folder of foldersOf(files, "/sys/class/hwmon", /^hwmon\d+$/)) {
    const chip = textOf(files, `${folder}/name`) ?? "hwmon";
    for (const file of files.list(folder)) {
      const [, channel, kind] = /^((temp|in)\d+)_input$/.exec(file) ?? [];
      if (channel === undefined) continue;
      const value = numberOf(files, `${folder}/${file}`);
      if (value === null) continue;
      const label = textOf(files, `${folder}/${channel}_label`) ?? channel;
      yield { name: `${chip} ${label}`, unit: kind === "temp" ? "°C" : "V", value: value / 1000 };
    }
  }
}

function* iio(files: Files): Generator<SensorReading> {
  for (const folder of foldersOf(files, "/sys/bus/iio/devices", /^iio:device\d+$/)) {
    const chip = textOf(files, `${folder}/name`) ?? "iio";
    for (const file of files.list(folder)) {
      const [, channel, kind, form] = /^(in_(temp|voltage)[^/]*)_(raw|input)$/.exec(file) ?? [];
      if (channel === undefined) continue;
      const value = numberOf(files, `${folder}/${file}`);
      // a channel has its own scale, or shares that of its kind
      const factor = (what: string): number | null =>
        numberOf(files, `${folder}/${channel}_${what}`) ??
          numberOf(files, `${folder}/in_${kind}_${what}`);
      const scale = form === "input" ? 1 : factor("scale");
      if (value === null || scale === null) continue;
      const offset = form === "input" ? 0 : factor("offset") ?? 0;
      yield {
        name: `${chip} ${channel}`,
        unit: kind === "temp" ? "°C" : "V",
        value: (value + offset) * scale / 1000,
      };
    }
  }
}

function foldersOf(files: Files, parent: string, name: RegExp): string[] {
  return files.list(parent).filter((one) => name.test(one)).map((one) => `${parent}/${one}`);
}

function textOf(files: Files, path: string): string | null {
  return files.readFile(path)?.trim() || null;
}

function numberOf(files: Files, path: string): number | null {
  const text = textOf(files, path);
  const value = text === null ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
