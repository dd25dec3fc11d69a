/** An answer of `POST /classify` as parts of a page: the verdict, the distribution, the painted text, evidence. */

import { facts, h, section } from "./dom.js";
import { evidenceList } from "./evidence.js";
import { count, percent, plural } from "./format.js";
import { paintedText } from "./painting.js";
import { saliencyParts } from "./saliency.js";

/** All parts of the answer to one text. */
export function answerParts(text, reply) {
  const [result] = reply.results;
  return [
    section("Answer", verdict(result), warnings(result), distribution(result), details(result, reply)),
    section("The text, painted", ...paintedText(text, result)),
    result.saliency && section("What each token says", saliencyParts(text, result)),
    result.evidence && section("Evidence", evidenceList(text, result.evidence)),
  ];
}

function verdict(result) {
  const [first] = result.distribution;
  if (!result.known || !first) {
    return h("p", { class: "verdict" }, "Probably from ", h("strong", {}, "no known source"), ` (unknown: ${percent(result.unknown)}).`);
  }
  return h("p", { class: "verdict" }, "Most probably from ", h("strong", {}, first.source), ` (${percent(first.probability)}).`);
}

function warnings(result) {
  return (result.warnings ?? []).map(({ message }) => h("p", { class: "note" }, message));
}

/** Bars; what is no single source is drawn otherwise. */
function distribution(result) {
  const rows = result.distribution.map((entry) => [entry.source, entry.probability, ""]);
  rows.push(["Unknown: no known source", result.unknown, "unknown"]);
  if (result.other > 0) rows.push(["Other sources together", result.other, "other"]);
  return h(
    "ul",
    { class: "bars", "aria-label": "Probability of each source" },
    rows.map(([name, probability, kind]) =>
      h(
        "li",
        { class: kind },
        h("span", { class: "bar-name" }, name),
        h("span", { class: "bar-track", "aria-hidden": "true" }, h("span", { class: "bar", style: { width: `${100 * probability}%` } })),
        h("span", { class: "bar-value" }, percent(probability)),
      ),
    ),
  );
}

function details(result, reply) {
  const set = result.conformal_set?.map(({ source }) => source).join(", ");
  return h(
    "details",
    {},
    h("summary", {}, "Details"),
    facts([
      ["Model", h("a", { href: `#/models/${reply.model.id}` }, `${reply.model.name}, version ${reply.model.version}`)],
      ["Entropy", `${result.entropy.toFixed(2)} bits`],
      ["Read", plural(reply.usage.tokens, "token")],
      ["Windows", result.windows?.length ? count(result.windows.length) : null],
      ["Truncated", result.truncated ? "yes: not all of the text was read" : null],
      ["Set of sources", set],
    ]),
  );
}
