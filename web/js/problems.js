/** Errors as people see them: what was wrong, field by field. */

import { announce, h } from "./dom.js";
import { Problem } from "./api.js";

/** A note that says what went wrong. */
export function problemNote(error) {
  if (!(error instanceof Problem)) throw error;
  announce(error.message);
  return h(
    "div",
    { class: "note problem", role: "alert" },
    h("p", {}, error.message),
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
