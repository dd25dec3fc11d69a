/** Charts, drawn by Plotly, which is loaded when the first one is needed. Each has a table beside it in words. */

import { fill, h } from "./dom.js";

const COLOURS = ["#3b76e0", "#d9772b", "#2f9e62", "#b052c0", "#d0455a", "#1f9aa8", "#a08a13", "#7a6bd8"];
const DASHES = ["solid", "dash", "dot", "dashdot"];
let loading = null;

/** Colour and dash of the nth line: told apart without colours too. */
export const lineStyle = (n) => ({ color: COLOURS[n % COLOURS.length], dash: DASHES[Math.floor(n / COLOURS.length) % 4], width: 2 });

/** A place for one chart: `draw(traces, axes)` draws it, again and again. It follows the page's colours. */
export function chart(label, signal) {
  const place = h("div", { class: "chart", role: "img", "aria-label": label });
  let drawn = null;
  const draw = async (traces, axes = {}) => {
    drawn = [traces, axes];
    const plotly = await library();
    if (!signal.aborted) await plotly.react(place, traces, layoutOf(axes, getComputedStyle(place)), { displaylogo: false, responsive: true, displayModeBar: false });
  };
  addEventListener("themechange", () => drawn && draw(...drawn), { signal });
  signal.addEventListener("abort", async () => drawn && (await library()).purge(place));
  return { element: place, draw };
}

/** Begin to fetch the library; whoever draws waits for it, and is told if it can't be loaded. */
export const preload = () => library().catch(() => null);

/** The library, once. */
function library() {
  loading ??= new Promise((resolve, reject) => {
    const script = h("script", { src: "/web/lib/plotly.js" });
    script.addEventListener("load", () => resolve(globalThis.Plotly));
    script.addEventListener("error", () => reject(new Error("The chart library can't be loaded.")));
    document.head.append(script);
  });
  return loading;
}

/** `style` is that of the chart's place: the colours of the page stand in its style sheet alone. */
function layoutOf({ x = {}, y = {}, ...rest }, style) {
  const [ink, line, ground] = [style.color, style.borderTopColor, style.backgroundColor];
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, family: "system-ui, sans-serif", size: 13 },
    margin: { l: 50, r: 10, t: 10, b: 42 },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    hovermode: "x unified",
    hoverlabel: { bgcolor: ground },
    uirevision: "kept",
    showlegend: true,
    xaxis: { ...axis, ...x, title: { text: x.title ?? "" } },
    yaxis: { ...axis, ...y, title: { text: y.title ?? "" } },
    ...rest,
  };
}

/** The numbers behind a chart, folded away. */
export const behind = (content) => h("details", {}, h("summary", {}, "As a table"), fill(h("div"), content));
