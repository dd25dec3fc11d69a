/** One corpus: its sources and their sizes, sample chunks, near-duplicates. */

import { getJson, sendJson } from "./api.js";
import { facts, field, fill, h, section, table } from "./dom.js";
import { bytes, count, percent, plural, when } from "./format.js";
import { readArtifact } from "./files.js";
import { repeat } from "./polling.js";
import { reporting } from "./problems.js";
import { addressOf, go } from "./router.js";
import { statusBadge } from "./status.js";

const EVERY_SECONDS = 3;

export async function show(page, id, signal) {
  const path = `/datasets/${encodeURIComponent(id)}`;
  const head = h("div", { class: "stack" });
  const parts = h("div", { class: "page" });
  const trouble = h("div");
  fill(page, head, trouble, parts);
  await repeat(EVERY_SECONDS, async () => {
    const dataset = await getJson(path, signal);
    fill(head, headOf(dataset, path, trouble));
    if (dataset.status === "importing") return true;
    if (dataset.status === "ready") {
      fill(parts, chunksPart(path, signal), duplicatesPart(dataset, signal), sourcesPart(path, signal));
    }
    return false;
  }, signal);
}

function headOf(dataset, path, trouble) {
  const remove = async () => {
    if (!confirm(`Delete ${dataset.name}? Models trained on it lose their passages of evidence.`)) return;
    const done = await reporting(trouble, () => sendJson("DELETE", path));
    if (done !== undefined) go(["corpora"]);
  };
  return [
    h("div", { class: "head" }, h("h1", {}, dataset.name), statusBadge(dataset.status)),
    h(
      "div",
      { class: "card" },
      dataset.error && h("p", { class: "note problem" }, dataset.error.message),
      facts([
        ["Sources", count(dataset.num_sources)],
        ["Documents", count(dataset.num_documents)],
        ["Size", bytes(dataset.num_bytes)],
        ["Format", dataset.format],
        ["Added", when(dataset.created_at)],
        ["Import", dataset.experiment && h("a", { href: addressOf(["experiments", dataset.experiment]) }, "its experiment")],
        ["Id", dataset.id],
      ]),
    ),
    h(
      "div",
      { class: "actions" },
      dataset.status === "ready" && h("a", { class: "button main", href: addressOf(["experiments", "new", "train"], { dataset: dataset.id }) }, "Train on it"),
      dataset.status !== "importing" && h("button", { type: "button", class: "danger", onclick: remove }, "Delete"),
    ),
  ];
}

/** Sources page by page, with a button for more. */
function sourcesPart(path, signal) {
  const rows = [];
  const place = h("div");
  const more = h("button", { type: "button" }, "More sources");
  let cursor = "";
  const trouble = h("div");
  const load = () => reporting(trouble, async () => {
    const page = await getJson(`${path}/sources?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, signal);
    rows.push(...page.data.map((source) => [String(source.number), source.name, source.author, count(source.num_documents), count(source.num_words)]));
    cursor = page.next_cursor;
    fill(place, table("Sources in the order of the corpus", ["Number", "Source", "Author", "Documents", "Words"], rows, { numeric: [0, 3, 4] }));
    more.hidden = !page.has_more;
  });
  more.addEventListener("click", load);
  load();
  return section("Sources", place, trouble, more);
}

/** A few chunks drawn from the corpus, as an experiment would cut them. */
function chunksPart(path, signal) {
  const words = h("input", { type: "number", id: "num-words", min: "1", max: "1000", value: "32" });
  const place = h("div");
  let seed = 0;
  const load = () =>
    reporting(place, async () => {
      const { data } = await getJson(`${path}/chunks?num_words=${words.value}&seed=${seed}&limit=6`, signal);
      fill(place, h("ul", { class: "chunks" }, data.map((chunk) => h("li", {}, h("strong", {}, chunk.sources.join(", ")), ` · ${chunk.document}`, h("blockquote", {}, chunk.text)))));
    });
  const draw = (event) => {
    event.preventDefault();
    seed += 1;
    load();
  };
  load();
  return section("Sample chunks", h("form", { class: "row", onsubmit: draw }, field("Words of a chunk", words), h("button", {}, "Draw others")), place);
}

/** What the newest experiment of the kind `duplicates` found; a button that starts one. */
function duplicatesPart(dataset, signal) {
  const place = h("div");
  const look = async () => {
    const { data } = await getJson(`/experiments?kind=duplicates&status=succeeded&dataset=${encodeURIComponent(dataset.id)}&limit=1`, signal);
    if (data.length) fill(place, duplicateReport(await readArtifact(data[0], "duplicates.json", signal)));
    else fill(place, h("p", { class: "empty" }, "Nobody has looked for them yet."));
  };
  const start = async () => {
    const made = await sendJson("POST", "/experiments", { kind: "duplicates", dataset: dataset.id, name: `duplicates of ${dataset.name}` });
    go(["experiments", made.id]);
  };
  reporting(place, look);
  return section("Near-duplicates", place, h("div", { class: "actions" }, h("button", { type: "button", onclick: () => reporting(place, start) }, "Look for near-duplicates")));
}

function duplicateReport(report) {
  const share = report.chunks ? report.in_groups / report.chunks : 0;
  return [
    h("p", {}, `Of ${plural(report.chunks, "chunk")}, ${count(report.in_groups)} (${percent(share)}) are near-duplicates of another one, in ${plural(report.groups, "group")}, ${count(report.across_sources)} of them across several sources.`),
    h(
      "ol",
      { class: "evidence" },
      report.largest.map((group) =>
        h("li", {}, h("p", { class: "passage-head" }, h("strong", {}, `${plural(group.chunks, "chunk")}`), ` · ${group.sources.join(", ")}`), group.examples.map((text) => h("blockquote", {}, text))),
      ),
    ),
  ];
}
