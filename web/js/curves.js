/** Curves of metrics that grow while an experiment runs. Long ones come thinned from the service. */

import { getJson } from "./api.js";
import { behind, chart, lineStyle } from "./charts.js";
import { fill, h, section, table } from "./dom.js";
import { count, number } from "./format.js";

const POINTS = 400;
const GROUPS = [
  ["Loss", (name) => name.endsWith("/loss")],
  ["Accuracy", (name) => name.includes("accuracy")],
  ["Perplexity", (name) => name.includes("perplexity")],
];

/** Curves of some experiments; `label` names a line by its curve. */
export class Curves {
  constructor(experiments, label, signal) {
    this.element = h("div", { class: "columns" });
    this.experiments = experiments;
    this.label = label;
    this.signal = signal;
    this.since = 0;
    this.curves = new Map();
    this.charts = new Map();
  }

  /** Read all curves anew, thinned, and draw them. */
  async load() {
    const query = new URLSearchParams([...this.experiments.map((id) => ["experiment", id]), ["points", POINTS]]);
    const { data, next_since: since } = await getJson(`/metrics/curves?${query}`, this.signal);
    this.since = since;
    this.curves = new Map(data.map((curve) => [keyOf(curve), curve]));
    await this.draw();
  }

  /** Add what has come since. */
  async follow() {
    const query = new URLSearchParams([...this.experiments.map((id) => ["experiment", id]), ["since", this.since], ["limit", 5000]]);
    const page = await getJson(`/metrics?${query}`, this.signal);
    this.since = page.next_since;
    if (page.has_more) await this.load();
    else await this.addAll(page.data);
  }

  /** Add metrics; of one with many values all are read anew, thinned. */
  async addAll(metrics) {
    const rows = metrics.filter(({ step }) => step !== null);
    if (rows.some((row) => this.isFull(row))) await this.load();
    else if (rows.length) {
      rows.forEach((row) => this.add(row));
      await this.draw();
    }
  }

  isFull(row) {
    return (this.curves.get(keyOf(row))?.steps.length ?? 0) > 3 * POINTS;
  }

  add({ step, value, ...row }) {
    const key = keyOf(row);
    if (!this.curves.has(key)) this.curves.set(key, { ...row, count: 0, steps: [], values: [] });
    const curve = this.curves.get(key);
    curve.steps.push(step);
    curve.values.push(value);
    curve.count += 1;
  }

  async draw() {
    const groups = Map.groupBy(this.curves.values(), ({ name }) => GROUPS.find(([, holds]) => holds(name))?.[0] ?? name);
    if (groups.size === 0) fill(this.element, h("p", { class: "empty" }, "No values by step yet."));
    else if (this.charts.size === 0) fill(this.element);
    for (const [title, curves] of groups) {
      if (!this.charts.has(title)) this.addChart(title);
      const { drawing, numbers } = this.charts.get(title);
      fill(numbers, this.numbersOf(title, curves));
      await drawing.draw(curves.map((curve, n) => this.traceOf(curve, n)), { x: { title: "step" } });
    }
  }

  addChart(title) {
    const drawing = chart(`${title} by step; the numbers are in the table below`, this.signal);
    const numbers = h("div");
    this.charts.set(title, { drawing, numbers });
    this.element.append(section(title, drawing.element, behind(numbers)));
  }

  traceOf(curve, n) {
    const mode = curve.steps.length > 60 ? "lines" : "lines+markers";
    return { type: "scatter", x: curve.steps, y: curve.values, name: this.label(curve), mode, line: lineStyle(n), marker: { size: 5 } };
  }

  numbersOf(title, curves) {
    const rows = curves.map((curve) => [
      this.label(curve),
      count(curve.count),
      number(curve.values[0]),
      number(curve.values.at(-1)),
      number(leastOf(curve.values)),
      number(-leastOf(curve.values.map((value) => (value === null ? null : -value)))),
    ]);
    return table(title, ["Curve", "Values", "First", "Last", "Lowest", "Highest"], rows, { numeric: [1, 2, 3, 4, 5] });
  }
}

/** What tells a curve within its chart. */
export const curveName = ({ name, split, layer }) =>
  [name, split && !name.startsWith(split) ? `(${split})` : "", layer === null ? "" : `layer ${layer}`].filter(Boolean).join(" ");

const keyOf = ({ experiment, name, split, layer, backbone }) => JSON.stringify([experiment, name, split, layer, backbone]);
const leastOf = (values) => values.reduce((least, value) => (value !== null && value < least ? value : least), Infinity);
