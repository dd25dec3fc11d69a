/** Page *Models*: a card for each. */

import { getAll } from "./api.js";
import { facts, fill, h } from "./dom.js";
import { ago, bytes, count } from "./format.js";
import { addressOf } from "./router.js";

export async function show(page, route, signal) {
  const [id] = route.rest;
  if (id) {
    await (await import("./model.js")).show(page, id, signal);
    return;
  }
  const models = await getAll("/models", signal);
  const cards = models.map((model) => h("li", { class: "card" }, cardOf(model)));
  const none = h("p", { class: "empty" }, "There is no model yet. ", h("a", { href: "#/experiments/new/train" }, "Train one"), ".");
  fill(page, h("h1", {}, "Models"), models.length ? h("ul", { class: "cards" }, cards) : none);
}

function cardOf(model) {
  return [
    h("h2", {}, h("a", { href: addressOf(["models", model.id]) }, model.name), ` version ${model.version}`, model.is_default && h("span", { class: "badge succeeded" }, "default")),
    facts([
      ["Sources", count(model.num_sources)],
      ["Size", bytes(model.num_bytes)],
      ["Made", h("time", { datetime: model.created_at, title: model.created_at }, ago(model.created_at))],
    ]),
    h("div", { class: "actions" }, h("a", { class: "button", href: addressOf(["try"], { model: model.id }) }, `Try ${model.name}`)),
  ];
}
