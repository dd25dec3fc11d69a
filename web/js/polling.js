/** Asking again and again, only while somebody looks. */

import { Problem } from "./api.js";

const MOST_SECONDS = 60;

/**
 * Run `task` every `seconds` until it returns false or the page is left. A hidden page asks for nothing; where
 * the service can't answer, the time between doubles, or is what the service says.
 */
export async function repeat(seconds, task, signal) {
  let pause = seconds;
  while (!signal.aborted) {
    try {
      if ((await task()) === false) return;
      pause = seconds;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem) || ![0, 429, 500, 503].includes(error.status)) throw error;
      pause = error.retryAfter ?? Math.min(2 * pause, MOST_SECONDS);
    }
    await wait(1000 * pause, signal);
    await visible(signal);
  }
}

/** Resolve after so many milliseconds, or at once when the page is left. */
export function wait(milliseconds, signal) {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener("abort", finish);
  });
}

/** Resolve when the page is looked at, or left. */
function visible(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
    look();
  });
}
