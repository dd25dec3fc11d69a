/** What each token of a text says for the first source: shaded, underlined and, the strongest, in a table. */

import { field, fill, h, select, table } from "./dom.js";

const MEASURES = [
  ["weight", "the answer"],
  ["gradient", "the trained head alone"],
  ["channels", "the head, through selected channels"],
];
/** Shares of the largest weight from which a token is marked at all, and strongly. */
const [WEAK, STRONG] = [0.15, 0.5];
const LISTED = 8;

/** The parts below the heading. */
export function saliencyParts(text, result) {
  const tokens = result.saliency;
  const measures = MEASURES.filter(([name]) => tokens.some((token) => Number.isFinite(token[name])));
  if (measures.length === 0) return [h("p", {}, "No token of the text says anything.")];
  const place = h("div");
  const choice = select(measures, "weight", { id: "measure", onchange: () => draw() });
  const draw = () => fill(place, shaded(text, tokens, choice.value), strongest(tokens, choice.value));
  draw();
  const [first] = result.distribution;
  return [
    h("p", { class: "help" }, `What each token says about ${first ? first.source : "the first source"}: the stronger, the darker. A solid line speaks for it, a dotted one against it.`),
    legend(),
    measures.length > 1 && h("div", { class: "row" }, field("Explain", choice)),
    place,
  ];
}

function legend() {
  const entry = (kind, words) => h("li", {}, h("mark", { class: `salient strong ${kind}`, style: { "--strength": "100%" } }, words));
  return h("ul", { class: "legend", "aria-label": "Marks" }, entry("for", "speaks for the source"), entry("against", "speaks against it"));
}

/** The text with its tokens marked. Offsets count code points; tokens of neighbouring windows may overlap. */
function shaded(text, tokens, measure) {
  const letters = Array.from(text);
  const largest = Math.max(...tokens.map((token) => Math.abs(token[measure] ?? 0)));
  const pieces = [];
  let end = 0;
  for (const token of tokens) {
    const start = Math.max(token.start, end);
    if (token.end <= start) continue;
    pieces.push(letters.slice(end, start).join(""), marked(letters.slice(start, token.end).join(""), token[measure] ?? 0, largest));
    end = token.end;
  }
  pieces.push(letters.slice(end).join(""));
  return h("div", { class: "painted", tabindex: "0", role: "group", "aria-label": "Text with the weights of its tokens" }, pieces);
}

function marked(text, weight, largest) {
  const share = largest > 0 ? Math.abs(weight) / largest : 0;
  if (share < WEAK) return text;
  const kind = weight > 0 ? "for" : "against";
  return h("mark", { class: `salient ${kind}${share >= STRONG ? " strong" : ""}`, style: { "--strength": `${Math.round(100 * share)}%` }, title: signed(weight) }, text);
}

/** The tokens that say most, for and against, in numbers. */
function strongest(tokens, measure) {
  const ordered = tokens.filter((token) => Number.isFinite(token[measure])).toSorted((a, b) => b[measure] - a[measure]);
  const [best, worst] = [ordered.filter((token) => token[measure] > 0), ordered.filter((token) => token[measure] < 0).reverse()];
  const rows = Array.from({ length: Math.min(LISTED, Math.max(best.length, worst.length)) }, (_, n) => [...cells(best[n], measure), ...cells(worst[n], measure)]);
  return table("The tokens that say most (log-odds)", ["Speaks for it", "Weight", "Speaks against it", "Weight"], rows, { numeric: [1, 3] });
}

const cells = (token, measure) => (token ? [token.text, signed(token[measure])] : ["", ""]);
const signed = (weight) => `${weight > 0 ? "+" : "−"}${Math.abs(weight).toFixed(2)}`;
