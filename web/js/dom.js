/** Elements without markup in strings: whatever comes from the API is text, never HTML. */

/**
 * Make an element. `props` are attributes; `on…` are listeners; false, null and undefined leave one out;
 * `style` is a table of CSS properties. Children are nodes, texts, or lists of them.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") {
      for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    } else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...shown(children));
  return element;
}

/** Children without those that are left out, lists of them unfolded. */
const shown = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** Put these children in place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
  return element;
}

/** Tell a screen reader what has changed. */
export function announce(text) {
  document.getElementById("news").textContent = text;
}

/** A table; `numeric` are the numbers of the columns that hold numbers, `kind` a class for its looks. */
export function table(caption, head, rows, { numeric = [], kind = null, rowClass = () => null } = {}) {
  const side = (column) => (numeric.includes(column) ? "number" : null);
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      { class: kind },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, head.map((cell, n) => h("th", { scope: "col", class: side(n) }, cell)))),
      h(
        "tbody",
        {},
        rows.map((row, number) =>
          h("tr", { class: rowClass(number) }, row.map((cell, n) => h("td", { class: side(n) }, cell ?? "–"))),
        ),
      ),
    ),
  );
}

/** A list of facts: pairs of term and value; those without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, known.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}

/** A part of a page under a heading. */
export function section(title, ...children) {
  const id = `part-${title.toLowerCase().replace(/\W+/g, "-")}`;
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/** A labelled field: `control` is an input, a select or a textarea. */
export function field(label, control, help = null) {
  const id = control.id || `field-${label.toLowerCase().replace(/\W+/g, "-")}`;
  control.id = id;
  if (help) control.setAttribute("aria-describedby", `${id}-help`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    help && h("p", { class: "help", id: `${id}-help` }, help),
  );
}

/** A labelled checkbox. */
export function check(label, control) {
  return h("div", { class: "field check" }, control, h("label", { for: control.id }, label));
}

/** A select of these `[value, label]` options. */
export function select(options, chosen, props = {}) {
  return h(
    "select",
    props,
    options.map(([value, label]) => h("option", { value, selected: value === chosen }, label)),
  );
}
