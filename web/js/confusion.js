/** Which sources a model takes for which: a matrix of few sources, of many the most frequent mistakes. */

import { h, section, table } from "./dom.js";
import { count } from "./format.js";

const MOST_IN_MATRIX = 25;
const MOST_PAIRS = 50;

/** The part of the page; null for experiments that counted no mistakes. */
export function confusionPart({ sources, confusions }) {
  if (!confusions) return null;
  const content = sources.length <= MOST_IN_MATRIX ? matrix(sources, confusions) : pairs(confusions);
  return section("Confusion", content);
}

function matrix(sources, confusions) {
  const names = sources.map(({ source }) => source);
  const counts = new Map(confusions.map(({ source, predicted, samples }) => [JSON.stringify([source, predicted]), samples]));
  const rows = sources.map(({ source, samples, recall }) => [
    source,
    ...names.map((predicted) => cell(predicted === source ? Math.round(recall * samples) : (counts.get(JSON.stringify([source, predicted])) ?? 0), samples)),
  ]);
  const numeric = names.map((_, n) => n + 1);
  return table("Rows: the right source; columns: what came first", ["Right source", ...names], rows, { numeric, kind: "matrix" });
}

function cell(samples, all) {
  if (samples === 0) return h("span", { class: "help" }, "0");
  return h("span", { class: "heat", style: { "--strength": `${Math.round((45 * samples) / all)}%` } }, count(samples));
}

function pairs(confusions) {
  const rows = confusions.slice(0, MOST_PAIRS).map(({ source, predicted, samples }) => [source, predicted, count(samples)]);
  if (rows.length === 0) return h("p", {}, "No mistakes on the test part.");
  return table("The most frequent mistakes", ["Right source", "Came first", "Samples"], rows, { numeric: [2] });
}
