/** A text painted with the sources of its parts. Offsets of the API count code points, not UTF-16 units. */

import { h } from "./dom.js";
import { percent } from "./format.js";

const COLOURS = 8;

/** The text with its parts coloured by source, and the key to the colours. */
export function paintedText(text, result) {
  const { parts, unit } = partsOf(text, result);
  const shares = sharesOf(parts);
  const colours = new Map([...shares.keys()].slice(0, COLOURS).map((source, n) => [source, `paint-${n}`]));
  const letters = Array.from(text);
  const pieces = [];
  let end = 0;
  for (const part of parts) {
    if (part.start > end) pieces.push(letters.slice(end, part.start).join(""));
    pieces.push(painted(letters.slice(part.start, part.end).join(""), part, colours));
    end = part.end;
  }
  pieces.push(letters.slice(end).join(""));
  return [
    h("p", { class: "help" }, `Each ${unit} has the colour of its most probable source; what is paler is less sure, what has none is unknown.`),
    legend(shares, colours),
    h("div", { class: "painted", tabindex: "0", role: "group", "aria-label": "Painted text" }, pieces),
  ];
}

/** The smallest parts that the answer tells apart: tokens, windows, or the text as a whole. */
function partsOf(text, result) {
  if (result.tokens?.length) return { parts: result.tokens, unit: "token" };
  if (result.windows?.length) {
    const parts = result.windows.map((window) => ({ ...window, source: window.unknown < window.probability ? window.source : null }));
    return { parts, unit: "part" };
  }
  const [first] = result.distribution;
  const source = result.known && first ? first.source : null;
  return { parts: [{ start: 0, end: Array.from(text).length, source, probability: first?.probability ?? 0 }], unit: "text" };
}

/** Source → share of the characters, the largest first. */
function sharesOf(parts) {
  const lengths = new Map();
  const all = parts.reduce((sum, part) => sum + part.end - part.start, 0);
  for (const { source, start, end } of parts) if (source) lengths.set(source, (lengths.get(source) ?? 0) + end - start);
  return new Map([...lengths].sort((a, b) => b[1] - a[1]).map(([source, length]) => [source, length / all]));
}

function painted(text, { source, probability }, colours) {
  if (!source) return h("span", { class: "unpainted", title: "unknown" }, text);
  const strength = 25 + Math.round(probability * 75);
  return h(
    "mark",
    { class: colours.get(source) ?? "paint-rest", style: { "--strength": `${strength}%` }, title: `${source}, ${percent(probability)}` },
    text,
  );
}

function legend(shares, colours) {
  if (shares.size === 0) return h("p", {}, "No part of the text has a known source.");
  return h(
    "ul",
    { class: "legend", "aria-label": "Colours of the sources" },
    [...shares].map(([source, share]) =>
      h("li", {}, h("span", { class: `swatch ${colours.get(source) ?? "paint-rest"}`, "aria-hidden": "true" }), `${source} (${percent(share)} of the text)`),
    ),
  );
}
