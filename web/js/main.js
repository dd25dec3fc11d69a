/** Shows the page that the address names, and leaves the one before in order. */

import { fill, h } from "./dom.js";
import { problemNote } from "./problems.js";
import { currentRoute } from "./router.js";
import { setUpTheme } from "./theme.js";

const PAGES = {
  try: ["Try", () => import("./try.js")],
  corpora: ["Corpora", () => import("./corpora.js")],
  experiments: ["Experiments", () => import("./experiments.js")],
  compare: ["Compare", () => import("./compare.js")],
  models: ["Models", () => import("./models.js")],
};
const content = document.getElementById("content");
let leaving = new AbortController();

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const route = currentRoute();
  const [title, load] = PAGES[route.page] ?? [null, null];
  markCurrent(route.page === "compare" ? "experiments" : route.page);
  document.title = `${title ?? "No such page"} – Source identification`;
  const page = h("div", { class: `page page-${route.page}` });
  fill(content, page);
  scrollTo(0, 0);
  if (!load) {
    fill(page, h("h1", {}, "There is no such page"), h("p", {}, h("a", { href: "#/try" }, "To the first page")));
    return;
  }
  try {
    await (await load()).show(page, route, signal);
  } catch (error) {
    if (error.name !== "AbortError") page.append(problemNote(error));
  }
}

function markCurrent(name) {
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});
addEventListener("hashchange", () => {
  // at once: a page that follows something shows it for as long as somebody looks
  content.focus({ preventScroll: true });
  show();
});
setUpTheme(document.getElementById("theme"), () => dispatchEvent(new Event("themechange")));
show();
