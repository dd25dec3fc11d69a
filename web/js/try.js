/** Page *Try*: where does this text come from? */

import { getAll, sendJson } from "./api.js";
import { answerParts } from "./answer.js";
import { announce, check, field, fill, h, select } from "./dom.js";
import { currentKey } from "./key.js";
import { reporting } from "./problems.js";
import { addressOf } from "./router.js";

/** What a model may be unable to do; it is left out of the request then, and that is said. */
const EXTRAS = ["evidence", "level", "explain"];
const MOST_SHARED_CHARACTERS = 200_000;

export async function show(page, route, signal) {
  const text = h("textarea", { rows: "9", id: "text", spellcheck: "false", required: true });
  text.value = route.query.get("text") ?? "";
  const chosen = route.query.get("model") ?? "default";
  const model = select([[chosen, chosen]], chosen, { id: "model" });
  const topK = h("input", { type: "number", id: "top-k", min: "1", max: "1000", value: route.query.get("top_k") ?? "5" });
  const evidence = h("input", { type: "number", id: "evidence", min: "0", max: "10", value: route.query.get("evidence") ?? "3" });
  const tokens = h("input", { type: "checkbox", id: "tokens", checked: route.query.has("tokens") });
  const explain = h("input", { type: "checkbox", id: "explain", checked: route.query.has("explain") });
  const said = h("div");
  const trouble = h("div");
  const answer = h("div", { class: "answer", id: "answer" });

  const asked = () => ({
    input: text.value,
    model: model.value,
    top_k: Number(topK.value),
    evidence: Number(evidence.value),
    ...(tokens.checked && { level: "token" }),
    ...(explain.checked && { explain: true }),
  });
  const shown = () => ({
    text: text.value, model: model.value, top_k: topK.value, evidence: evidence.value, tokens: tokens.checked && "1", explain: explain.checked && "1",
  });
  const identify = async () => {
    if (!text.value.trim()) {
      fill(trouble, h("p", { class: "note" }, "Paste a text first."));
      text.focus();
      return;
    }
    if (text.value.length <= MOST_SHARED_CHARACTERS) history.replaceState(null, "", addressOf(["try"], shown()));
    button.disabled = true;
    fill(said, h("p", { class: "help", role: "status" }, "The service reads the text…"));
    answer.setAttribute("aria-busy", "true");
    const body = asked();
    const reply = await reporting(trouble, () => asFarAsPossible(body, trouble));
    button.disabled = false;
    fill(said);
    answer.removeAttribute("aria-busy");
    if (!reply || signal.aborted) return;
    fill(answer, answerParts(body.input, reply));
    announce(answer.querySelector(".verdict").textContent);
  };
  const button = h("button", { class: "main", id: "identify" }, "Identify");
  const form = h(
    "form",
    {
      class: "card",
      onsubmit: (event) => {
        event.preventDefault();
        identify();
      },
    },
    field("Text", text),
    h("div", { class: "row" }, field("Model", model), field("Sources listed", topK), field("Passages of evidence", evidence)),
    h("div", { class: "row" }, check("Paint token by token", tokens), check("Show what each token says", explain)),
    h(
      "div",
      { class: "actions" },
      button,
      h("button", { type: "button", onclick: () => copy(location.origin + location.pathname + addressOf(["try"], shown()), "The link", said) }, "Copy link"),
      h("button", { type: "button", onclick: () => copy(curlOf(asked()), "The command", said) }, "Copy as curl"),
    ),
    h("p", { class: "help" }, "The link holds the text after its #, which browsers send to no server."),
    said,
    trouble,
  );
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  fill(page, h("h1", {}, "Where does this text come from?"), form, answer);
  const models = await reporting(trouble, () => getAll("/models", signal));
  fillModels(model, models ?? [], chosen);
  if (models?.length === 0) {
    fill(trouble, h("p", { class: "note" }, "There is no model yet. ", h("a", { href: "#/corpora" }, "Add a corpus"), " and train one."));
  }
  if (route.query.get("text") && models?.length) await identify();
}

function fillModels(model, models, chosen) {
  const fallback = models.find((each) => each.is_default);
  const options = models.map((each) => [each.id, `${each.name} (version ${each.version}), ${each.num_sources} sources`]);
  if (fallback) options.unshift(["default", `Default: ${fallback.name}`]);
  const named = models.find((each) => chosen === each.name);
  const first = options.some(([value]) => value === chosen) ? chosen : (named?.id ?? options[0]?.[0]);
  if (options.length === 0) options.push(["default", "no model yet"]);
  model.replaceChildren(...options.map(([value, label]) => h("option", { value, selected: value === first }, label)));
}

/** The answer, without those extras that the model can't give, which is said. */
async function asFarAsPossible(body, trouble) {
  try {
    return await sendJson("POST", "/classify", body);
  } catch (error) {
    const refused = EXTRAS.find((name) => body[name] && error.errors?.some(({ loc }) => loc.join(".") === `body.${name}`));
    if (!refused) throw error;
    const { [refused]: _, ...rest } = body;
    const reply = await asFarAsPossible(rest, trouble);
    trouble.append(h("p", { class: "note" }, error.message));
    return reply;
  }
}

/** The request as a command; the key, where one is needed, is read from the shell. */
function curlOf(body) {
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  const key = currentKey() ? ' -H "Authorization: Bearer $SIP_TOKEN"' : "";
  return `curl -s ${location.origin}/classify${key} -H 'Content-Type: application/json' -d '${json}'`;
}

/** Copy a text and say so; where the browser has no clipboard for pages (no HTTPS), show it. */
async function copy(text, what, place) {
  if (!navigator.clipboard) {
    fill(place, h("p", { class: "help" }, `${what}, to be copied by hand:`), h("pre", { tabindex: "0", role: "group", "aria-label": what }, text));
    return;
  }
  await navigator.clipboard.writeText(text);
  fill(place, h("p", { class: "help" }, `${what} is copied.`));
  announce(`${what} is copied.`);
}
