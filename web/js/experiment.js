/** One experiment: where it stands, live curves, what happened, figures, files; cancel, retry, delete. */

import { getJson, sendJson } from "./api.js";
import { preload } from "./charts.js";
import { Curves, curveName } from "./curves.js";
import { announce, fill, h, section } from "./dom.js";
import { Events } from "./events.js";
import { childrenOf, configuration, resultsOf, stateOf } from "./experiment_parts.js";
import { figureList, reportButton } from "./files.js";
import { Log } from "./log.js";
import { datasetName } from "./names.js";
import { repeat } from "./polling.js";
import { reporting } from "./problems.js";
import { addressOf, go } from "./router.js";
import { isFinal, statusBadge } from "./status.js";

const EVERY_SECONDS = 3;

export async function show(page, id, signal) {
  const path = `/experiments/${encodeURIComponent(id)}`;
  const names = ["head", "state", "actions", "trouble", "results", "children", "figures"];
  const parts = Object.fromEntries(names.map((name) => [name, h("div", { class: "stack" })]));
  const curves = new Curves([id], curveName, signal);
  const log = new Log();
  let events = null;
  let experiment = await getJson(path, signal);
  const dataset = experiment.dataset && (await datasetName(experiment.dataset, signal));
  let drawn = null;
  const draw = () => {
    fill(parts.state, stateOf(experiment, dataset));
    if (drawn === experiment.status) return;
    // drawn anew only then, so that a button keeps the focus
    if (drawn) announce(`The experiment is ${experiment.status}.`);
    drawn = experiment.status;
    fill(parts.head, h("div", { class: "head" }, h("h1", {}, experiment.name ?? experiment.id), statusBadge(experiment.status)));
    fill(parts.actions, actionsOf(experiment, act, refresh, follow));
    fill(parts.results, resultsOf(experiment));
  };
  const refresh = async () => {
    experiment = await getJson(path, signal);
    draw();
  };
  const act = async (method, address, then) => {
    const done = await reporting(parts.trouble, () => sendJson(method, address));
    if (done !== undefined) await then();
  };
  const look = async () => {
    const found = Map.groupBy(await events.look(), ({ name }) => name);
    const dataOf = (name) => (found.get(name) ?? []).map(({ data }) => data);
    log.add(dataOf("log"));
    await curves.addAll(dataOf("metric"));
    const { status, attempt } = dataOf("status").at(-1) ?? experiment;
    // a suite's parts move on while nothing happens to itself
    if (status !== experiment.status || attempt !== experiment.attempt || experiment.children) return refresh();
    experiment.progress = dataOf("progress").at(-1) ?? experiment.progress;
    return draw();
  };
  const follow = async () => {
    await repeat(EVERY_SECONDS, async () => {
      await look();
      return !isFinal(experiment);
    }, signal);
    if (signal.aborted) return;
    fill(parts.children, await childrenOf(experiment, signal));
    fill(parts.figures, await figureList(experiment, signal));
  };
  draw();
  fill(page, parts.head, parts.state, parts.trouble, parts.actions, curves.element, section("What happened", log.element), parts.results, parts.children,
    parts.figures, configuration(experiment));
  if ("train/loss" in experiment.metrics) preload();
  await curves.load();
  events = new Events(id, curves.since, signal);
  await follow();
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
