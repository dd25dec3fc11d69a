/** The public HTTP API, as the pages use it. */

import { askForKey, forgetKey, keyHeaders } from "./key.js";

/** An answer that is an error: problem+json, or none at all (`status` 0). */
export class Problem extends Error {
  constructor(status, problem, retryAfter = null) {
    super(problem.detail || problem.title || `The service answered ${status}.`);
    this.status = status;
    this.title = problem.title ?? "Refused";
    this.errors = problem.errors ?? [];
    this.request = problem.instance ?? null;
    this.retryAfter = retryAfter;
  }
}

/** Ask and read the answer as JSON. */
export async function getJson(path, signal) {
  return (await ask(path, { signal })).json();
}

/** Send JSON and read the answer; null where there is no content. */
export async function sendJson(method, path, body, headers = {}) {
  const given = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
  const answer = await ask(path, { method, ...given });
  return answer.status === 204 ? null : answer.json();
}

/** Ask and read the answer as text; empty where there is no content. */
export async function getText(path, signal, headers) {
  return (await ask(path, { signal, headers })).text();
}

/** Fetch a file. */
export async function getBlob(path, signal) {
  return (await ask(path, { signal })).blob();
}

/** Every item of a list, page by page, `most` at most. */
export async function getAll(path, signal, most = 1000) {
  const items = [];
  let cursor = null;
  do {
    const address = `${path}${path.includes("?") ? "&" : "?"}limit=500${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;
    const page = await getJson(address, signal);
    items.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return items;
}

/** A key that makes a repeated request one request. */
export function idempotencyKey() {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return [...words].map((word) => word.toString(16).padStart(8, "0")).join("");
}

/**
 * Send a form with a file; `onprogress` gets the share sent, from 0 to 1.
 * `fetch` doesn't tell how far an upload is, so this is the older interface.
 */
export function upload(path, form, onprogress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    for (const [name, value] of Object.entries({ ...keyHeaders(), "Idempotency-Key": idempotencyKey() })) {
      request.setRequestHeader(name, value);
    }
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && onprogress(event.loaded / event.total);
    request.onload = () => {
      if (request.status < 400) return resolve(request.response);
      return reject(new Problem(request.status, request.response ?? {}));
    };
    request.onerror = () => reject(new Problem(0, { detail: "The service can't be reached." }));
    request.onabort = () => reject(new DOMException("given up", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

async function ask(path, options) {
  for (;;) {
    const answer = await send(path, options);
    if (answer.ok) return answer;
    const problem = await problemOf(answer);
    if (answer.status !== 401) throw problem;
    forgetKey();
    if (!(await askForKey(problem.message))) throw problem;
  }
}

async function send(path, { headers = {}, ...options }) {
  try {
    return await fetch(path, { ...options, headers: { ...headers, ...keyHeaders() } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The service can't be reached." });
  }
}

async function problemOf(answer) {
  const isProblem = (answer.headers.get("Content-Type") ?? "").includes("json");
  const retryAfter = Number(answer.headers.get("Retry-After")) || null;
  return new Problem(answer.status, isProblem ? await answer.json() : {}, retryAfter);
}
