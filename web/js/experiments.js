/** Page *Experiments*: the list, the form that starts one, and what one does. */

import { getJson } from "./api.js";
import { fill, h, select, table } from "./dom.js";
import { ago, number } from "./format.js";
import { repeat } from "./polling.js";
import { addressOf, go } from "./router.js";
import { progressText, statusBadge } from "./status.js";

const EVERY_SECONDS = 10;
const MOST_COMPARED = 8;

export async function show(page, route, signal) {
  const [first, second] = route.rest;
  if (first === "new") await (await import("./start.js")).show(page, second, route, signal);
  else if (first) await (await import("./experiment.js")).show(page, first, signal);
  else await list(page, route, signal);
}

async function list(page, route, signal) {
  const { data: kinds } = await getJson("/kinds", signal);
  const chosen = new Set();
  const rows = h("div", { class: "card" });
  const compare = h("button", { type: "button", disabled: true, onclick: () => go(["compare", [...chosen].join(",")]) }, "Compare");
  const older = h("div", { class: "actions" });
  const status = route.query.get("status") ?? "";
  const kind = route.query.get("kind") ?? "";
  const cursor = route.query.get("cursor");
  const filter = (changes) => go(["experiments"], { status, kind, ...changes });
  fill(
    page,
    h("div", { class: "head" }, h("h1", {}, "Experiments"), h("a", { class: "button main", href: "#/experiments/new" }, "Start an experiment")),
    h(
      "div",
      { class: "row filters" },
      h("label", {}, "Status ", select([["", "all"], ...["queued", "running", "cancelling", "succeeded", "failed", "cancelled"].map((name) => [name, name])], status, { onchange: (event) => filter({ status: event.target.value }) })),
      h("label", {}, "Kind ", select([["", "all"], ...[...kinds.map((each) => each.kind), "ingest"].map((name) => [name, name])], kind, { onchange: (event) => filter({ kind: event.target.value }) })),
      compare,
      h("span", { class: "help" }, "Choose 2 to 8 to compare them."),
    ),
    rows,
    older,
  );
  const choose = (id, isChosen) => {
    if (isChosen) chosen.add(id);
    else chosen.delete(id);
    compare.disabled = chosen.size < 2 || chosen.size > MOST_COMPARED;
    compare.textContent = chosen.size ? `Compare ${chosen.size}` : "Compare";
  };
  let last = "";
  const look = async () => {
    const filters = new URLSearchParams(Object.entries({ status, kind, cursor: cursor ?? "", limit: "50" }).filter(([, value]) => value));
    const found = await getJson(`/experiments?${filters}`, signal);
    const now = JSON.stringify(found);
    if (now !== last) {
      last = now;
      keepingFocus(rows, () => fill(rows, experimentTable(found.data, chosen, choose)));
      fill(older, found.next_cursor && h("a", { class: "button", href: addressOf(["experiments"], { status, kind, cursor: found.next_cursor }) }, "Older ones"));
    }
  };
  await repeat(EVERY_SECONDS, look, signal);
}

function experimentTable(experiments, chosen, choose) {
  if (experiments.length === 0) return h("p", { class: "empty" }, "There are no experiments here yet.");
  const rows = experiments.map((experiment) => [
    h("input", {
      type: "checkbox",
      id: `choose-${experiment.id}`,
      "aria-label": `Compare ${experiment.name ?? experiment.id}`,
      checked: chosen.has(experiment.id),
      onchange: (event) => choose(experiment.id, event.target.checked),
    }),
    h("a", { href: `#/experiments/${experiment.id}`, id: `open-${experiment.id}` }, experiment.name ?? experiment.id),
    experiment.kind,
    statusBadge(experiment.status),
    progressText(experiment),
    accuracyOf(experiment),
    h("time", { datetime: experiment.created_at, title: experiment.created_at }, ago(experiment.created_at)),
  ]);
  return table("Experiments, newest first", ["Choose", "Name", "Kind", "Status", "Progress", "Accuracy", "Made"], rows, { numeric: [5] });
}

const accuracyOf = ({ metrics }) => (metrics["eval/accuracy"] === undefined ? "–" : number(metrics["eval/accuracy"]));

/** Redraw, and leave the focus on the element of the same id. */
function keepingFocus(place, redraw) {
  const id = place.contains(document.activeElement) ? document.activeElement.id : null;
  redraw();
  if (id) document.getElementById(id)?.focus();
}
