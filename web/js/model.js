/** One model: its card, calibration, confusion, per-source table; make default, download, delete. */

import { getJson, sendJson } from "./api.js";
import { behind, chart } from "./charts.js";
import { confusionPart } from "./confusion.js";
import { announce, facts, fill, h, section, table } from "./dom.js";
import { download, readArtifact } from "./files.js";
import { bytes, count, number, percent, when } from "./format.js";
import { reporting } from "./problems.js";
import { addressOf, go } from "./router.js";

const SCORES = ["eval/accuracy", "eval/top5_accuracy", "eval/macro_f1", "eval/ece_debiased", "baseline/lexical_accuracy", "baseline/chance_accuracy"];

export async function show(page, id, signal) {
  const path = `/models/${encodeURIComponent(id)}`;
  const head = h("div", { class: "stack" });
  const trouble = h("div");
  const tables = h("div", { class: "page" });
  const draw = (model) => fill(head, headOf(model, path, trouble, draw));
  const model = await getJson(path, signal);
  draw(model);
  fill(page, head, trouble, cardPart(model), tables);
  if (!model.experiment) {
    fill(tables, h("p", { class: "note" }, "The experiment that trained it is deleted, and its tables with it."));
    return;
  }
  const experiment = await getJson(`/experiments/${encodeURIComponent(model.experiment)}`, signal);
  const reliability = await readArtifact(experiment, "reliability.json", signal);
  const sources = await readArtifact(experiment, "sources.json", signal);
  const calibration = reliability && calibrationPart(reliability, signal);
  fill(tables, calibration?.element, sources && confusionPart(sources), sources && sourcesPart(sources));
  await calibration?.draw();
}

function headOf(model, path, trouble, draw) {
  const makeDefault = async () => {
    const changed = await reporting(trouble, () => sendJson("POST", `${path}/default`));
    if (changed) {
      draw(changed);
      announce(`${changed.name} answers now where no model is named.`);
    }
  };
  const remove = async () => {
    if (!confirm(`Delete ${model.name} version ${model.version}?`)) return;
    if ((await reporting(trouble, () => sendJson("DELETE", path))) !== undefined) go(["models"]);
  };
  return [
    h("div", { class: "head" }, h("h1", {}, `${model.name}, version ${model.version}`), model.is_default && h("span", { class: "badge succeeded" }, "default")),
    h(
      "div",
      { class: "actions" },
      h("a", { class: "button main", href: addressOf(["try"], { model: model.id }) }, "Try it"),
      !model.is_default && h("button", { type: "button", onclick: makeDefault }, "Make default"),
      h("button", { type: "button", onclick: () => reporting(trouble, () => download(`${path}/download`, `${model.name}@${model.version}.zip`)) }, "Download"),
      !model.is_default && h("button", { type: "button", class: "danger", onclick: remove }, "Delete"),
    ),
  ];
}

function cardPart(model) {
  const { card } = model;
  const scores = SCORES.filter((name) => card.metrics?.[name] !== undefined).map((name) => [name, number(card.metrics[name])]);
  return h(
    "div",
    { class: "columns" },
    section(
      "Card",
      facts([
        ["Corpus", card.corpus && h("a", { href: addressOf(["corpora", card.corpus.dataset]) }, card.corpus.name)],
        ["Sources", count(model.num_sources)],
        ["Left out", card.left_out?.length ? count(card.left_out.length) : null],
        ["Backbone", card.backbone?.backbone ?? card.config?.backbone?.id],
        ["Features", card.config?.identifier?.features],
        ["Loss", card.config?.identifier?.loss],
        ["Seed", card.seed === undefined ? null : String(card.seed)],
        ["Size", bytes(model.num_bytes)],
        ["Made", when(model.created_at)],
        ["Experiment", model.experiment && h("a", { href: addressOf(["experiments", model.experiment]) }, "its training")],
        ["SHA-256", h("code", {}, model.sha256)],
      ]),
      h("details", {}, h("summary", {}, "The whole card"), h("pre", { tabindex: "0", role: "group", "aria-label": "The whole card" }, JSON.stringify(card, null, 2))),
    ),
    scores.length > 0 && section("On the test part", table("Scores", ["Metric", "Value"], scores, { numeric: [1] })),
  );
}

/** The part of the page, and what draws its chart once it stands there and has a size. */
function calibrationPart(reliability, signal) {
  const { bins } = reliability;
  const drawing = chart("Accuracy against confidence; the numbers are in the table below", signal);
  const numbers = table("Calibration by bin", ["Confidence", "Accuracy", "Samples"], bins.map((bin) => [percent(bin.confidence), percent(bin.accuracy), count(bin.samples)]), { numeric: [0, 1, 2] });
  const element = section(
    "Calibration",
    h("p", {}, `Expected calibration error ${number(reliability.ece)}; perfectly calibrated answers would have ${number(reliability.ece_null)} with as few samples.`),
    drawing.element,
    behind(numbers),
  );
  const perfect = { type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], name: "as sure as right", line: { dash: "dot", color: "#808898" } };
  const found = { type: "scatter", mode: "lines+markers", x: bins.map((bin) => bin.confidence), y: bins.map((bin) => bin.accuracy), name: "this model", line: { color: "#3b76e0" } };
  const axes = { x: { title: "confidence", range: [0, 1.02] }, y: { title: "accuracy", range: [0, 1.05] }, hovermode: "closest" };
  return { element, draw: () => drawing.draw([perfect, found], axes) };
}

function sourcesPart({ sources }) {
  const rows = sources.map((row) => [row.source, count(row.samples), number(row.precision), number(row.recall), number(row.f1), row.confused_with]);
  return section("By source", table("Scores of each source on the test part", ["Source", "Samples", "Precision", "Recall", "F1", "Most confused with"], rows, { numeric: [1, 2, 3, 4] }));
}
