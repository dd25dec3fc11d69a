/** Errors as people see them: what was wrong, field by field. */

import { Problem } from "./api.js";
import { h } from "./dom.js";

/** A note that says what went wrong; what the page itself did wrong is reported to the console too. */
export function problemNote(error) {
  if (!(error instanceof Problem)) {
    reportError(error);
    return h("div", { class: "note problem", role: "alert" }, h("p", {}, `This page failed: ${error.message}`));
  }
  return h(
    "div",
    { class: "note problem", role: "alert" },
    h("p", {}, error.errors.length > 0 ? error.title : error.message),
    error.errors.length > 0 &&
      h("ul", {}, error.errors.map(({ loc, msg }) => h("li", {}, h("code", {}, loc.slice(1).join(" › ") || loc.join(" › ")), " ", msg))),
    error.request && h("p", { class: "help" }, `Request ${error.request}`),
  );
}

/** Run `task`; put a note into `place` when the service refuses, and nothing when the page was left. */
export async function reporting(place, task) {
  place.replaceChildren();
  try {
    return await task();
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    place.replaceChildren(problemNote(error));
    return undefined;
  }
}
