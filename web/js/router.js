/** Addresses of pages: `#/experiments/exp_…?name=value`. What stands after the `#` reaches no server. */

/** The parts of the current address. */
export function currentRoute() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  return { page: parts[0] ?? "try", rest: parts.slice(1), query: new URLSearchParams(query) };
}

/** The address of a page. */
export function addressOf(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  const text = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** Go to a page. */
export function go(parts, query = {}) {
  location.hash = addressOf(parts, query);
}
