/** Page *Corpora*: what there is, and how to add one. */

import { getAll, sendJson, upload } from "./api.js";
import { announce, field, fill, h, section, select, table } from "./dom.js";
import { ago, bytes, count, percent } from "./format.js";
import { repeat } from "./polling.js";
import { problemNote, reporting } from "./problems.js";
import { addressOf, go } from "./router.js";
import { statusBadge } from "./status.js";

const EVERY_SECONDS = 5;
const FORMATS = ["jsonl", "csv", "parquet", "text_folder", "pg19", "wikitext", "xmc"];

export async function show(page, route, signal) {
  const [dataset] = route.rest;
  if (dataset) {
    await (await import("./corpus.js")).show(page, dataset, signal);
    return;
  }
  const list = h("div", { class: "card" });
  fill(page, h("h1", {}, "Corpora"), h("div", { class: "columns" }, uploadForm(signal), builtinForm()), list);
  let last = "";
  await repeat(EVERY_SECONDS, async () => {
    const data = await getAll("/datasets", signal);
    if (JSON.stringify(data) !== last) fill(list, datasetTable(data));
    last = JSON.stringify(data);
    return data.some(({ status }) => status === "importing");
  }, signal);
}

function datasetTable(datasets) {
  if (datasets.length === 0) return h("p", { class: "empty" }, "There is no corpus yet.");
  const rows = datasets.map((dataset) => [
    h("a", { href: addressOf(["corpora", dataset.id]) }, dataset.name),
    statusBadge(dataset.status),
    dataset.format,
    count(dataset.num_sources),
    count(dataset.num_documents),
    bytes(dataset.num_bytes),
    h("time", { datetime: dataset.created_at, title: dataset.created_at }, ago(dataset.created_at)),
  ]);
  return table("Corpora, newest first", ["Name", "Status", "Format", "Sources", "Documents", "Size", "Added"], rows, { numeric: [3, 4, 5] });
}

function uploadForm(signal) {
  const file = h("input", { type: "file", id: "file", required: true });
  const name = h("input", { type: "text", id: "name", required: true, maxlength: "200" });
  const format = select([["", "known by the file's name"], ...FORMATS.map((each) => [each, each])], "", { id: "format" });
  const trouble = h("div");
  const sent = h("div");
  const button = h("button", { class: "main" }, "Upload");
  file.addEventListener("change", () => {
    if (!name.value && file.files[0]) name.value = file.files[0].name.split(".")[0];
  });
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    const form = new FormData();
    form.append("name", name.value.trim());
    if (format.value) form.append("format", format.value);
    form.append("file", file.files[0]);
    const made = await sending(form, sent, trouble, signal);
    button.disabled = false;
    if (made) {
      announce(`The corpus ${made.name} is added.`);
      go(["corpora", made.id]);
    }
  };
  return section(
    "Upload one",
    h(
      "form",
      { onsubmit: submit },
      field("File", file, "JSON Lines, CSV or Parquet with text and source, each also .gz, or a zip with a folder per source."),
      field("Name", name),
      field("Format", format),
      h("div", { class: "actions" }, button),
      sent,
      trouble,
    ),
  );
}

/** Send the form; its progress and what is wrong with which line are shown. Undefined when it was refused. */
async function sending(form, sent, trouble, signal) {
  const bar = h("progress", { max: "1", value: "0", "aria-label": "Upload" });
  const words = h("p", { class: "help" }, "Sending…");
  fill(trouble);
  fill(sent, bar, words);
  try {
    return await upload("/datasets", form, (share) => {
      bar.value = share;
      words.textContent = share < 1 ? `Sent ${percent(share)}` : "Sent. The service reads it to its end…";
    }, signal);
  } catch (error) {
    if (error.name !== "AbortError") fill(trouble, problemNote(error));
    return undefined;
  } finally {
    fill(sent);
  }
}

function builtinForm() {
  const trouble = h("div");
  const source = select([["builtin", "built-in: python-docs"], ["hub", "Hugging Face repository"], ["uri", "URI of an object store"], ["path", "path on the workers"]], "builtin", { id: "origin" });
  const name = h("input", { type: "text", id: "new-name", required: true, maxlength: "200", value: "python-docs" });
  const place = h("input", { type: "text", id: "place", value: "python-docs", required: true, spellcheck: "false" });
  const column = h("input", { type: "text", id: "column", value: "label", spellcheck: "false" });
  const columnField = field("Column of the source", column);
  columnField.hidden = true;
  source.addEventListener("change", () => {
    columnField.hidden = source.value !== "hub";
    place.value = name.value = source.value === "builtin" ? "python-docs" : "";
  });
  const button = h("button", { class: "main" }, "Add");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    const origin = source.value === "hub" ? { hub: { repo: place.value, source_column: column.value } } : { [source.value]: place.value };
    const made = await reporting(trouble, () => sendJson("POST", "/datasets", { name: name.value.trim(), from: origin }));
    button.disabled = false;
    if (made) go(["corpora", made.id]);
  };
  return section(
    "Or name one",
    h("form", { onsubmit: submit }, field("Where it is", source), field("Which one", place), columnField, field("Name here", name), h("div", { class: "actions" }, button), trouble),
  );
}
