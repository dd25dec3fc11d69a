/** What has happened to an experiment since one last looked: one request for status, progress, log and metrics. */

import { getText } from "./api.js";

/** The events of an experiment, each time those that are new. */
export class Events {
  /** `metric` is the id of the last metric that is known already. */
  constructor(id, metric, signal) {
    this.path = `/experiments/${encodeURIComponent(id)}/events?follow=false`;
    this.signal = signal;
    this.last = `${metric}-0`;
  }

  /** The new ones, `[{ name, data }]`; status and progress are among them each time but at the end. */
  async look() {
    const text = await getText(this.path, this.signal, { "Last-Event-ID": this.last });
    const events = text.split("\n\n").map(parse).filter(({ event }) => event);
    this.last = events.findLast(({ id }) => id)?.id ?? this.last;
    return events.map(({ event, data }) => ({ name: event, data: JSON.parse(data) }));
  }
}

/** The fields of one block; a line is `name: value`. */
function parse(block) {
  return Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
}
