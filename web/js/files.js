/** Files that experiments leave: figures to look at, others to download. The key goes along with each request. */

import { getBlob, getJson } from "./api.js";
import { h, section, table } from "./dom.js";
import { bytes } from "./format.js";
import { currentKey } from "./key.js";

/** How long the browser may take to begin saving what it was given. */
const KEPT_MILLISECONDS = 60_000;

/** Save what an address answers under a name. */
export async function download(path, name) {
  const address = URL.createObjectURL(await getBlob(path));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MILLISECONDS);
}

/** An artifact read as JSON; null where the experiment left none of this name. */
export async function readArtifact(experiment, name, signal) {
  const artifact = experiment.artifacts.find((each) => each.name === name);
  return artifact ? getJson(artifact.url, signal) : null;
}

/** Figures and the list of files. */
export async function figureList(experiment, signal) {
  const pictures = experiment.artifacts.filter(({ media_type: type }) => type === "image/png");
  const shown = await Promise.all(pictures.map((picture) => figure(picture, signal)));
  return [shown.length > 0 && section("Figures", h("ul", { class: "figures" }, shown)), experiment.artifacts.length > 0 && artifactList(experiment)];
}

async function figure(picture, signal) {
  const address = URL.createObjectURL(await getBlob(picture.url, signal));
  signal.addEventListener("abort", () => URL.revokeObjectURL(address));
  const title = picture.name.replace(/\.png$/, "").replaceAll(/[-_]/g, " ");
  return h("li", {}, h("figure", {}, h("img", { src: address, alt: `Figure: ${title}` }), h("figcaption", {}, title)));
}

/** Files with a button to download each. */
export function artifactList(experiment) {
  const rows = experiment.artifacts.map((file) => [
    h("button", { type: "button", class: "quiet", onclick: () => download(file.url, file.name) }, file.name),
    file.media_type,
    bytes(file.bytes),
  ]);
  return section("Files", table("What it left", ["File", "Type", "Size"], rows, { numeric: [2] }));
}

/** A link to the report; where a key is needed, which links can't send, a button that downloads it. */
export function reportButton(experiment) {
  const path = `/experiments/${encodeURIComponent(experiment.id)}/report`;
  if (!currentKey()) return h("a", { class: "button", href: path, target: "_blank", rel: "noopener" }, "Report");
  return h("button", { type: "button", onclick: () => download(path, `${experiment.id}.html`) }, "Download report");
}
