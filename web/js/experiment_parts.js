/** Parts of the page of one experiment: where it stands, what it found, what it consists of. */

import { getAll } from "./api.js";
import { facts, h, section, table } from "./dom.js";
import { count, duration, number } from "./format.js";
import { addressOf } from "./router.js";
import { progressBar, progressText, statusBadge } from "./status.js";

/** Where it stands; `dataset` is the name of its dataset. */
export function stateOf(experiment, dataset) {
  const { started_at: started, finished_at: finished } = experiment;
  const seconds = started ? ((finished ? Date.parse(finished) : Date.now()) - Date.parse(started)) / 1000 : null;
  return h(
    "div",
    { class: "card" },
    experiment.error && h("p", { class: "note problem" }, `${experiment.error.type}: ${experiment.error.message}`),
    progressBar(experiment),
    facts([
      ["Kind", experiment.kind],
      ["Progress", progressText(experiment)],
      ["Dataset", experiment.dataset && h("a", { href: addressOf(["corpora", experiment.dataset]) }, dataset)],
      ["Backbone", experiment.backbone],
      ["Model", experiment.model && h("a", { href: addressOf(["models", experiment.model]) }, experiment.kind === "train" ? "the model it made" : "the model it uses")],
      ["Part of", experiment.parent && h("a", { href: addressOf(["experiments", experiment.parent]) }, "a suite")],
      ["Seed", String(experiment.seed)],
      ["Taken", seconds === null ? null : duration(seconds)],
      ["Attempts", experiment.attempt > 1 ? count(experiment.attempt) : null],
      ["Id", experiment.id],
    ]),
  );
}

/** Final values: the scores open, the others folded away. */
export function resultsOf(experiment) {
  const values = Object.entries(experiment.metrics).filter(([name]) => !name.startsWith("train/") && !name.startsWith("validation/"));
  const groups = Map.groupBy(values, ([name]) => (["eval", "baseline"].includes(name.split("/")[0]) ? "Results" : "Further values"));
  return [...groups].map(([title, rows]) => {
    const content = table("Final value of each metric", ["Metric", "Value"], rows.map(([name, value]) => [name, number(value)]), { numeric: [1] });
    return title === "Results" ? section(title, content) : h("details", { class: "card" }, h("summary", {}, title), content);
  });
}

/** The experiments of a suite; null of any other kind. */
export async function childrenOf(experiment, signal) {
  if (!experiment.children) return null;
  const children = await getAll(`/experiments?parent=${encodeURIComponent(experiment.id)}&order=asc`, signal);
  const rows = children.map((child) => [
    h("a", { href: addressOf(["experiments", child.id]) }, child.name ?? child.id), child.kind, child.backbone, String(child.seed), statusBadge(child.status),
    number(child.metrics["eval/accuracy"]),
  ]);
  return section("Its parts", table("Experiments of this suite", ["Name", "Kind", "Backbone", "Seed", "Status", "Accuracy"], rows, { numeric: [3, 5] }));
}

/** What it was asked to do. */
export function configuration(experiment) {
  return h(
    "details",
    { class: "card" },
    h("summary", {}, "Configuration, every default written out"),
    h("pre", { tabindex: "0", role: "group", "aria-label": "Configuration" }, JSON.stringify(experiment.config, null, 2)),
  );
}
