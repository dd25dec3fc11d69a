/** Names of things that resources mention by id. */

import { getJson, Problem } from "./api.js";

const known = new Map();

/** The name of a dataset; of one that can't be read (deleted meanwhile), its id. */
export async function datasetName(id, signal) {
  if (!known.has(id)) known.set(id, await nameOr(id, `/datasets/${encodeURIComponent(id)}`, signal));
  return known.get(id);
}

async function nameOr(id, path, signal) {
  try {
    return (await getJson(path, signal)).name;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return id;
    throw error;
  }
}
