// SPDX-License-Identifier: MIT
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { readSensors } from "./sensors.ts";

/** Files of a made-up machine: paths and contents. */
function machine(tree: Readonly<Record<string, string>>) {
  return {
    readFile: (path: string) => tree[path] ?? null,
    list: (folder: string) =>
      [
        ...new Set(
          Object.keys(tree).filter((path) => path.startsWith(`${folder}/`))
            .map((path) => path.slice(folder.length + 1).replace(/\/.*/, "")),
        ),
      ].sort(),
  };
}

const HWMON = "/sys/class/hwmon/hwmon0";
const XADC = "/sys/bus/iio/devices/iio:device0";

Deno.test("readSensors() reads hwmon, and the XADC with scale and offset of its channels", () => {
  const found = readSensors(machine({
    [`${HWMON}/name`]: "coretemp\n",
    [`${HWMON}/temp1_input`]: "41500\n",
    [`${HWMON}/temp1_label`]: "Package id 0\n",
    [`${HWMON}/temp1_max`]: "100000\n",
    [`${HWMON}/in0_input`]: "1012\n",
    // scale and offset as the driver xilinx-xadc computes them
    [`${XADC}/name`]: "xadc\n",
    [`${XADC}/in_temp0_raw`]: "2583\n",
    [`${XADC}/in_temp0_offset`]: "-2219\n",
    [`${XADC}/in_temp0_scale`]: "123.040771484\n",
    [`${XADC}/in_voltage0_vccint_raw`]: "1365\n",
    [`${XADC}/in_voltage0_vccint_scale`]: "0.732421875\n",
  }));
  assertEquals(found.map(({ name, unit }) => [name, unit]), [
    ["coretemp Package id 0", "°C"],
    ["coretemp in0", "V"],
    ["xadc in_temp0", "°C"],
    ["xadc in_voltage0_vccint", "V"],
  ]);
  const due = [41.5, 1.012, 364 * 0.123040771484, 1365 * 0.000732421875];
  found.forEach(({ value, name }, i) => assertAlmostEquals(value, due[i] ?? NaN, 1e-9, name));
});

Deno.test("readSensors() leaves out what cannot be read, and numbers chips of the same name", () => {
  const other = "/sys/class/hwmon/hwmon1";
  const found = readSensors(machine({
    [`${HWMON}/name`]: "ina226",
    [`${HWMON}/in1_input`]: "850",
    [`${HWMON}/temp1_input`]: "", // the chip did not answer
    [`${other}/name`]: "ina226",
    [`${other}/in1_input`]: "1800",
    [`${XADC}/in_temp0_raw`]: "2583", // without a scale the number says nothing
  }));
  assertEquals(found, [
    { name: "ina226 in1", unit: "V", value: 0.85 },
    { name: "ina226 in1 (2)", unit: "V", value: 1.8 },
  ]);
  assertEquals(readSensors(machine({})), []);
});
