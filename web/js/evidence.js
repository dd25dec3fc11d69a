/** Passages that back an answer, beside the text, with what both have word for word marked. */

import { h } from "./dom.js";
import { plural } from "./format.js";

/** The list of passages. */
export function evidenceList(text, evidence) {
  if (evidence.length === 0) return h("p", {}, "No passage of the model's corpus backs this answer.");
  return h("ol", { class: "evidence" }, evidence.map((passage) => h("li", {}, passageParts(text, passage))));
}

function passageParts(text, passage) {
  const words = passage.shared.reduce((sum, span) => sum + span.words, 0);
  const inPassage = passage.shared.map((span) => [span.document_start - passage.start, span.document_end - passage.start]);
  const inText = passage.shared.map((span) => [span.start, span.end]);
  return [
    h(
      "p",
      { class: "passage-head" },
      h("strong", {}, passage.source),
      ` · ${passage.document} · similarity ${passage.similarity.toFixed(2)} · `,
      words > 0 ? `${plural(words, "word")} the same` : "no words in a row the same",
    ),
    h("blockquote", {}, marked(passage.text, inPassage)),
    words > 0 && h("details", {}, h("summary", {}, "The same words in your text"), h("blockquote", {}, marked(text, inText))),
  ];
}

/** `text` with these spans of code points marked; what reaches beyond the text is cut. */
function marked(text, spans) {
  const letters = Array.from(text);
  const pieces = [];
  let end = 0;
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    const start = Math.max(from, end);
    if (start >= Math.min(to, letters.length)) continue;
    pieces.push(letters.slice(end, start).join(""), h("mark", { class: "same" }, letters.slice(start, to).join("")));
    end = Math.min(to, letters.length);
  }
  pieces.push(letters.slice(end).join(""));
  return pieces;
}
