/** Two to eight experiments side by side: configurations with their differences marked, metrics overlaid. */

import { getJson } from "./api.js";
import { Curves, curveName } from "./curves.js";
import { check, fill, h, section, table } from "./dom.js";
import { number } from "./format.js";
import { datasetName } from "./names.js";
import { repeat } from "./polling.js";
import { addressOf } from "./router.js";
import { isFinal, statusBadge } from "./status.js";

const EVERY_SECONDS = 5;
const MOST = 8;

export async function show(page, route, signal) {
  const ids = [...new Set((route.rest[0] ?? "").split(",").filter(Boolean))].slice(0, MOST);
  if (ids.length < 2) {
    fill(page, h("h1", {}, "Compare"), h("p", {}, "Choose two experiments or more in ", h("a", { href: "#/experiments" }, "the list"), "."));
    return;
  }
  const load = () => Promise.all(ids.map((id) => withDatasetName(id, signal)));
  let experiments = await load();
  const names = namesOf(experiments);
  const curves = new Curves(ids, (curve) => `${names.get(curve.experiment)}: ${curveName(curve)}`, signal);
  const states = h("div");
  const values = h("div");
  const onlyDifferent = h("input", { type: "checkbox", id: "only-different" });
  const configs = h("div");
  const drawConfigs = () => fill(configs, configTable(experiments, names, onlyDifferent.checked));
  onlyDifferent.addEventListener("change", drawConfigs);
  const draw = () => {
    fill(states, stateTable(experiments, names));
    fill(values, valueTable(experiments, names));
  };
  draw();
  drawConfigs();
  fill(
    page,
    h("h1", {}, "Compare experiments"),
    states,
    curves.element,
    section("Final values", values),
    section("Configurations", check("Only what differs", onlyDifferent), configs),
  );
  await curves.load();
  await repeat(EVERY_SECONDS, async () => {
    if (experiments.every(isFinal)) return false;
    experiments = await load();
    draw();
    await curves.follow();
    return true;
  }, signal);
}

/** An experiment, with the name of its dataset in place of the id. */
async function withDatasetName(id, signal) {
  const experiment = await getJson(`/experiments/${encodeURIComponent(id)}`, signal);
  return { ...experiment, dataset: experiment.dataset && (await datasetName(experiment.dataset, signal)) };
}

/** Id → a name that tells it from the others. */
function namesOf(experiments) {
  const often = Map.groupBy(experiments, ({ name }) => name);
  return new Map(experiments.map(({ id, name }) => [id, name && often.get(name).length === 1 ? name : `${name ?? "experiment"} ${id.slice(-5)}`]));
}

const heads = (experiments, names) => experiments.map(({ id }) => h("a", { href: addressOf(["experiments", id]) }, names.get(id)));

function stateTable(experiments, names) {
  const rows = [
    ["Status", ...experiments.map(({ status }) => statusBadge(status))],
    ["Kind", ...experiments.map(({ kind }) => kind)],
    ["Dataset", ...experiments.map(({ dataset }) => dataset)],
    ["Backbone", ...experiments.map(({ backbone }) => backbone)],
    ["Seed", ...experiments.map(({ seed }) => String(seed))],
  ];
  return h("div", { class: "card" }, marked("Experiments", experiments, names, rows, (row) => row.map((cell) => cell?.textContent ?? cell)));
}

function valueTable(experiments, names) {
  const metrics = [...new Set(experiments.flatMap(({ metrics: found }) => Object.keys(found)))].filter((name) => !name.startsWith("system/")).sort();
  const rows = metrics.map((name) => [name, ...experiments.map(({ metrics: found }) => (name in found ? number(found[name]) : null))]);
  const numeric = experiments.map((_, n) => n + 1);
  return table("The last value of each metric", ["Metric", ...heads(experiments, names)], rows, { numeric });
}

function configTable(experiments, names, onlyDifferent) {
  const flat = experiments.map(({ config }) => new Map(leaves(config)));
  const keys = [...new Set(flat.flatMap((config) => [...config.keys()]))];
  const rows = keys.map((key) => [key, ...flat.map((config) => config.get(key) ?? null)]);
  return marked("Configurations; what differs is marked", experiments, names, onlyDifferent ? rows.filter(differs) : rows);
}

/** A table whose rows with differences are marked, in words too. */
function marked(caption, experiments, names, rows, textsOf = (row) => row) {
  const isDifferent = rows.map((row) => differs(textsOf(row)));
  const shown = rows.map(([first, ...cells], n) => [isDifferent[n] ? h("span", {}, first, h("span", { class: "unseen" }, " (differs)")) : first, ...cells]);
  return table(caption, ["Setting", ...heads(experiments, names)], shown, { rowClass: (n) => (isDifferent[n] ? "differs" : null) });
}

const differs = ([, ...cells]) => new Set(cells).size > 1;

/** Pairs of path and value as text of a nested configuration. */
function leaves(value, path = []) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [[path.join("."), JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}
