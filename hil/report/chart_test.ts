// SPDX-License-Identifier: MIT
import { assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import { describePanel, drawDistribution, drawPanel, legend } from "./chart.ts";
import type { Panel, Point } from "./metrics.ts";
import { stylesFor } from "./styles.ts";

function point(series: string, size: number | null, value: number, percentile?: number): Point {
  const measurement = { name: "x", value, unit: "µs", limit: null };
  return { measurement, size, series, measuredWith: null, percentile: percentile ?? null };
}

function panel(...points: Point[]): Panel {
  const series = [...new Set(points.map((one) => one.series))];
  return { title: "", points, series, sizes: [...new Set(points.map(({ size }) => size))] };
}

function options(names: string[], log = true) {
  return { unit: "µs", log, styles: stylesFor(names), label: 'a "label"' };
}

const colors = (svg: string) =>
  new Set([...svg.matchAll(/var\(--series-\d+\)/g)].map(([color]) => color));

Deno.test("drawPanel() draws each series in the colour of the legend, also if a panel lacks some series", async () => {
  const names = ["some", "other", "names", "streaming"];
  const { styles } = options(names);
  for (const name of names) {
    const svg = await drawPanel(panel(point(name, 64, 1), point(name, 128, 3)), options(names));
    assertEquals([...colors(svg?.text ?? "")], [styles.get(name)?.color], name);
  }
  assertEquals([...colors(legend(styles).text)], [...styles.values()].map(({ color }) => color));
});

Deno.test("drawPanel() omits values that do not fit the scale", async () => {
  const bad = [0, -1, NaN, Infinity];
  const points = bad.map((value, i) => point("streaming", 64 << i, value));
  assertEquals(await drawPanel(panel(...points), options(["streaming"])), null);
  assertEquals(await drawPanel(panel(point("streaming", null, 0)), options(["streaming"])), null);
  const svg = await drawPanel(panel(point("streaming", null, 0)), options(["streaming"], false));
  assertStringIncludes(svg?.text ?? "", "<svg");
});

Deno.test("drawPanel() writes no text of the results into a chart", async () => {
  const names = ["<script>", "datum.x", "'); alert(1"];
  const points = names.flatMap((name) => [point(name, 64, 1), point(name, 128, 2)]);
  const svg = await drawPanel(panel(...points), options(names));
  assertNotMatch(svg?.text ?? "", /script|datum|alert/);
  assertStringIncludes(svg?.text ?? "", 'aria-label="a &quot;label&quot;"');
});

Deno.test("drawDistribution() draws the percentiles of one size, or returns null without percentiles", async () => {
  const points = [1, 50, 99].map((percent) => point("coherent", 64, percent / 7, percent));
  const all = panel(...points, point("coherent", 128, 5, 50));
  assertStringIncludes(
    (await drawDistribution(all, 64, options(["coherent"])))?.text ?? "",
    "<svg",
  );
  assertEquals(await drawDistribution(all, 4096, options(["coherent"])), null);
});

Deno.test("drawPanel() draws the median of several measurements in one place", async () => {
  const draw = async (...values: number[]) => {
    const points = values.flatMap((value) => [point("coherent", 64, value)]);
    return (await drawPanel(panel(...points, point("coherent", 128, 9)), options(["coherent"])))
      ?.text;
  };
  assertEquals(await draw(100, 1, 4), await draw(4));
});

Deno.test("describePanel() names the metric, also for a panel without a title", () => {
  const one = panel(point("coherent", 64, 1), point("coherent", 4096, 3));
  const words = "1 line over frames of 64\u00a0B to 4\u00a0KiB, from 1 to 3 µs; ";
  assertStringIncludes(describePanel("Memcpy", one, "µs"), `Memcpy: ${words}`);
  const titled = { ...one, title: "transmit" };
  assertStringIncludes(describePanel("Throughput", titled, "µs"), `Throughput, transmit: ${words}`);
});
