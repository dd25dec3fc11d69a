/** What happens to an experiment, as the service's log tells it; lines are added as they come. */

import { h } from "./dom.js";
import { when } from "./format.js";

/** Levels are told in words too; `info` is what needs no word. */
const WORDS = { info: "", warning: "Warning: ", error: "Error: " };

/** The log of one experiment: `element` is a list, `add` appends what is new. */
export class Log {
  constructor() {
    this.element = h("ol", { class: "log", tabindex: "0", "aria-label": "What happened" });
  }

  add(lines) {
    const { element } = this;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 2;
    element.append(...lines.map(line));
    // whoever reads further up isn't carried away
    if (lines.length && atEnd) element.scrollTop = element.scrollHeight;
  }
}

function line({ recorded_at: time, level, message }) {
  return h("li", { class: level }, h("time", { datetime: time }, when(time)), h("span", {}, WORDS[level], message));
}
