/** The form that starts an experiment, made from what the service says each kind takes. */

import { getAll, getJson, idempotencyKey, sendJson } from "./api.js";
import { field, fill, h, select } from "./dom.js";
import { reporting } from "./problems.js";
import { go } from "./router.js";
import { SchemaForm } from "./schema_form.js";

export async function show(page, kindName, route, signal) {
  const [{ data: kinds }, datasets, like] = await Promise.all([
    getJson("/kinds", signal),
    getAll("/datasets", signal),
    route.query.get("like") ? getJson(`/experiments/${encodeURIComponent(route.query.get("like"))}`, signal) : null,
  ]);
  const kind = kinds.find((each) => each.kind === kindName) ?? kinds[0];
  const schemaForm = new SchemaForm(kind.config_schema, kind.config_defaults, like?.config ?? kind.config_defaults);
  const name = h("input", { type: "text", id: "name", maxlength: "200", value: like?.name ?? "" });
  const seed = h("input", { type: "number", id: "seed", min: "0", step: "1", value: like?.seed ?? 0 });
  const ready = datasets.filter(({ status }) => status === "ready").map((each) => [each.id, `${each.name} (${each.num_sources} sources)`]);
  const dataset = select(kind.needs_dataset ? ready : [["", "named in the configuration"], ...ready], route.query.get("dataset") ?? like?.dataset ?? "", { id: "dataset" });
  const trouble = h("div");
  const button = h("button", { class: "main" }, "Start");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    const body = {
      kind: kind.kind,
      config: schemaForm.changes(),
      seed: Number(seed.value),
      ...(name.value.trim() && { name: name.value.trim() }),
      ...(dataset.value && { dataset: dataset.value }),
    };
    const made = await reporting(trouble, () => sendJson("POST", "/experiments", body, { "Idempotency-Key": key }));
    button.disabled = false;
    if (made) go(["experiments", made.id]);
    else trouble.scrollIntoView({ block: "center" });
  };
  let key = idempotencyKey();
  const form = h(
    "form",
    { class: "card", onsubmit: submit, oninput: () => (key = idempotencyKey()) },
    h(
      "div",
      { class: "row" },
      field("Kind", select(kinds.map((each) => [each.kind, each.kind]), kind.kind, { id: "kind", onchange: (event) => go(["experiments", "new", event.target.value], { dataset: dataset.value }) })),
      field("Dataset", dataset),
      field("Name", name),
      field("Seed", seed),
    ),
    h("p", {}, sentence(kind.description)),
    kind.needs_dataset && ready.length === 0 && h("p", { class: "note" }, "There is no dataset yet. ", h("a", { href: "#/corpora" }, "Add one"), "."),
    h("div", { class: "actions" }, button, h("span", { class: "help" }, "What is left as it is takes its default.")),
    trouble,
    h("h2", {}, "Configuration"),
    schemaForm.element,
  );
  fill(page, h("h1", {}, "Start an experiment"), form);
}

/** A description of the service as a sentence of a page. */
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}`.replaceAll("`", "");
