/** What happens to an experiment, as the service's log tells it; lines are added as they come. */

import { getJson } from "./api.js";
import { h } from "./dom.js";
import { when } from "./format.js";

/** Warnings come without anything else changing; they are looked for at every nth look. */
const LOOKS_BETWEEN = 5;
/** Levels are told in words too; `info` is what needs no word. */
const WORDS = { info: "", warning: "Warning: ", error: "Error: " };

/** The log of one experiment: `element` is a list, `follow` adds what is new. */
export class Log {
  constructor(id, signal) {
    this.path = `/experiments/${encodeURIComponent(id)}/log`;
    this.signal = signal;
    this.since = 0;
    this.state = null;
    this.looks = 0;
    this.element = h("ol", { class: "log", tabindex: "0", "aria-label": "What happened" });
  }

  /** Look for new lines where the experiment's state says that there are some, and now and then. */
  async follow({ status, attempt, progress }) {
    const state = `${status} ${attempt} ${progress.phase}`;
    this.looks += 1;
    if (state === this.state && this.looks % LOOKS_BETWEEN) return;
    this.state = state;
    for (let more = true; more; ) {
      const page = await getJson(`${this.path}?since=${this.since}`, this.signal);
      const { element } = this;
      const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 2;
      element.append(...page.data.map(line));
      // whoever reads further up isn't carried away
      if (atEnd) element.scrollTop = element.scrollHeight;
      this.since = page.next_since;
      more = page.has_more;
    }
  }
}

function line({ recorded_at: time, level, message }) {
  return h("li", { class: level }, h("time", { datetime: time }, when(time)), h("span", {}, WORDS[level], message));
}
