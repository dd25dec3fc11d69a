/** One experiment: where it stands, live curves, what happened, figures, files; cancel, retry, delete. */

import { getAll, getJson, sendJson } from "./api.js";
import { Curves, curveName } from "./curves.js";
import { announce, facts, fill, h, section, table } from "./dom.js";
import { figureList, reportButton } from "./files.js";
import { count, duration, number, when } from "./format.js";
import { repeat } from "./polling.js";
import { reporting } from "./problems.js";
import { addressOf, go } from "./router.js";
import { isFinal, progressBar, progressText, statusBadge } from "./status.js";

const EVERY_SECONDS = 3;

export async function show(page, id, signal) {
  const path = `/experiments/${encodeURIComponent(id)}`;
  const parts = Object.fromEntries(["head", "state", "actions", "trouble", "results", "children", "figures"].map((name) => [name, h("div")]));
  const curves = new Curves([id], curveName, signal);
  const log = h("ol", { class: "log", "aria-label": "What happened" });
  const seen = new Set();
  let experiment = await getJson(path, signal);
  let drawn = null;
  const refresh = async () => {
    experiment = await getJson(path, signal);
    draw();
  };
  const act = async (method, address, then) => {
    const done = await reporting(parts.trouble, () => sendJson(method, address));
    if (done !== undefined) await then();
  };
  const draw = () => {
    fill(parts.state, stateOf(experiment));
    if (drawn !== experiment.status) {
      // drawn anew only then, so that a button keeps the focus
      drawn = experiment.status;
      fill(parts.head, h("div", { class: "head" }, h("h1", {}, experiment.name ?? experiment.id), statusBadge(experiment.status)));
      fill(parts.actions, actionsOf(experiment, act, refresh, follow));
      fill(parts.results, resultsOf(experiment));
    }
    for (const [time, text] of eventsOf(experiment)) {
      const event = `${experiment.attempt} ${text}`;
      if (seen.has(event)) continue;
      seen.add(event);
      log.append(h("li", {}, h("time", { datetime: time }, when(time)), text));
    }
  };
  const follow = async () => {
    let before = experiment.status;
    await repeat(EVERY_SECONDS, async () => {
      experiment = await getJson(path, signal);
      draw();
      await curves.follow();
      if (experiment.status !== before) announce(`The experiment is ${experiment.status}.`);
      before = experiment.status;
      return !isFinal(experiment);
    }, signal);
    if (signal.aborted) return;
    await childrenOf(parts.children, experiment, signal);
    fill(parts.figures, await figureList(experiment, signal));
  };
  draw();
  fill(page, parts.head, parts.state, parts.trouble, parts.actions, curves.element, parts.results, parts.children, parts.figures,
    section("What happened", log), configuration(experiment));
  await curves.load();
  await follow();
}

function stateOf(experiment) {
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
      ["Dataset", experiment.dataset && h("a", { href: addressOf(["corpora", experiment.dataset]) }, experiment.dataset)],
      ["Backbone", experiment.backbone],
      ["Model", experiment.model && h("a", { href: addressOf(["models", experiment.model]) }, experiment.model)],
      ["Part of", experiment.parent && h("a", { href: addressOf(["experiments", experiment.parent]) }, experiment.parent)],
      ["Seed", String(experiment.seed)],
      ["Taken", seconds === null ? null : duration(seconds)],
      ["Attempts", experiment.attempt > 1 ? count(experiment.attempt) : null],
      ["Id", experiment.id],
    ]),
  );
}

function actionsOf(experiment, act, refresh, follow) {
  const path = `/experiments/${encodeURIComponent(experiment.id)}`;
  const again = async () => {
    await refresh();
    await follow();
  };
  const remove = () => confirm("Delete this experiment with its metrics and files? Models it made stay.") && act("DELETE", path, () => go(["experiments"]));
  return h(
    "div",
    { class: "actions" },
    !isFinal(experiment) && experiment.status !== "cancelling" && h("button", { type: "button", class: "danger", onclick: () => act("POST", `${path}/cancel`, refresh) }, "Cancel"),
    ["failed", "cancelled"].includes(experiment.status) && h("button", { type: "button", class: "main", onclick: () => act("POST", `${path}/retry`, again) }, "Retry"),
    experiment.status === "succeeded" && experiment.model && h("a", { class: "button main", href: addressOf(["try"], { model: experiment.model }) }, "Try the model"),
    experiment.kind !== "ingest" && h("a", { class: "button", href: addressOf(["experiments", "new", experiment.kind], { like: experiment.id }) }, "Start one like it"),
    isFinal(experiment) && reportButton(experiment),
    isFinal(experiment) && h("button", { type: "button", class: "danger", onclick: remove }, "Delete"),
  );
}

function resultsOf(experiment) {
  const values = Object.entries(experiment.metrics).filter(([name]) => !name.startsWith("train/") && !name.startsWith("validation/"));
  const groups = Map.groupBy(values, ([name]) => (["eval", "baseline"].includes(name.split("/")[0]) ? "Results" : "Further values"));
  return [...groups].map(([title, rows]) => {
    const content = table("Final value of each metric", ["Metric", "Value"], rows.map(([name, value]) => [name, number(value)]), { numeric: [1] });
    return title === "Results" ? section(title, content) : h("details", { class: "card" }, h("summary", {}, title), content);
  });
}

/** What the resource tells of the past; phases are noted while somebody watches. */
function eventsOf({ created_at: created, started_at: started, finished_at: finished, status, progress, attempt, resumed_from_step: resumed, error }) {
  const now = new Date().toISOString();
  return [
    [created, "Accepted"],
    started && [started, "Taken up by a worker"],
    attempt > 1 && [now, `Attempt ${attempt}${resumed === null ? "" : `, from step ${count(resumed)}`}`],
    status === "running" && progress.phase && [now, `Began: ${progress.phase}`],
    status === "cancelling" && [now, "Being cancelled"],
    error && [finished ?? now, `${error.type}: ${error.message}`],
    finished && [finished, `Ended: ${status}`],
  ].filter(Boolean);
}

async function childrenOf(place, experiment, signal) {
  if (!experiment.children) return;
  const children = await getAll(`/experiments?parent=${encodeURIComponent(experiment.id)}&order=asc`, signal);
  const rows = children.map((child) => [
    h("a", { href: addressOf(["experiments", child.id]) }, child.name ?? child.id), child.kind, child.backbone, String(child.seed), statusBadge(child.status),
    number(child.metrics["eval/accuracy"]),
  ]);
  fill(place, section("Its parts", table("Experiments of this suite", ["Name", "Kind", "Backbone", "Seed", "Status", "Accuracy"], rows, { numeric: [3, 5] })));
}

function configuration(experiment) {
  return h(
    "details",
    { class: "card" },
    h("summary", {}, "Configuration, every default written out"),
    h("pre", { tabindex: "0", role: "group", "aria-label": "Configuration" }, JSON.stringify(experiment.config, null, 2)),
  );
}
