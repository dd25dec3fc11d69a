/** States of experiments in words and colours. */

import { h } from "./dom.js";
import { count, duration } from "./format.js";

const FINAL = new Set(["succeeded", "failed", "cancelled"]);

/** Whether nothing follows any more. */
export const isFinal = (experiment) => FINAL.has(experiment.status);

/** The status as a badge; its word says what its colour does. */
export const statusBadge = (status) => h("span", { class: `badge ${status}` }, status);

/** How far an experiment is, in words. */
export function progressText({ status, progress, children }) {
  if (children) return Object.entries(children).map(([state, many]) => `${many} ${state}`).join(", ");
  if (status !== "running" || !progress.phase) return "";
  const part = progress.total > 1 ? ` ${count(progress.done)} of ${count(progress.total)} ${progress.unit ?? ""}` : "";
  const left = progress.eta_seconds === null ? "" : `, ${duration(progress.eta_seconds)} left`;
  return `${progress.phase}${part}${left}`;
}

/** A bar of the phase's progress; null where there is none to show. */
export function progressBar({ status, progress }) {
  if (status !== "running" || !(progress.total > 1)) return null;
  return h("progress", { max: progress.total, value: progress.done, "aria-label": `Progress of ${progress.phase}` });
}
