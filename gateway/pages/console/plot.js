// One small plot: lines or stacked areas over the last five minutes, with the latest values beside it.

import { el, milliseconds, number, percent, setText, svg, words } from "./dom.js";

const WIDTH = 300;
const HEIGHT = 72;
const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The next round number. */
function rounded(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return STEPS.find((step) => step * power >= value * 0.999) * power;
}

export class Plot {
  #paths = {};
  #values = {};
  #figure;
  #format;
  #top = el("small", { "aria-hidden": "true" });
  #drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });

  /** `figure` is one of FIGURES; `format` makes text of a value. */
  constructor(figure, format) {
    this.#figure = figure;
    this.#format = format;
    this.#drawing.append(...[0.5, HEIGHT / 2, HEIGHT - 0.5].map((y) =>
      svg("line", { class: "grid", x1: "0", x2: String(WIDTH), y1: String(y), y2: String(y) })));
    for (const [place, name] of figure.series.entries()) {
      this.#paths[name] = svg("path", { class: `series-${place} ${figure.isStacked ? "area" : "line"}` });
      this.#values[name] = el("span", { class: "value" }, "–");
    }
    this.#drawing.append(...Object.values(this.#paths).reverse());
  }

  element() {
    const legend = this.#figure.series.map((name, place) => el("li", {},
      svg("svg", { class: `swatch series-${place}`, viewBox: "0 0 14 10", "aria-hidden": "true" },
        svg("path", { class: this.#figure.isStacked ? "area" : "line", d: this.#figure.isStacked ? "M0 0H14V10H0Z" : "M0 5H14" })),
      words(name), " ", this.#values[name]));
    return el("figure", { class: "plot" },
      el("figcaption", {},
        el("span", {}, el("strong", {}, this.#figure.title), " ", el("small", {}, this.#figure.unit)), this.#top),
      this.#drawing,
      el("ul", { class: "legend" }, legend));
  }

  /** Draws these points of the last `span` milliseconds: `{at, values}`, the oldest first. Null leaves a gap. */
  draw(points, now, span) {
    const { series, isStacked, most } = this.#figure;
    const heights = points.map(({ values }) => (isStacked ? stacked(series, values) : values));
    const highest = Math.max(0, ...heights.flatMap((values) => series.map((name) => values[name] ?? 0)));
    const top = most ?? (highest ? rounded(highest) : 1);
    const x = (at) => WIDTH - ((now - at) / span) * WIDTH;
    const y = (value) => HEIGHT - 1 - (value / top) * (HEIGHT - 2);
    for (const name of series) {
      const line = heights.map((values, place) => [x(points[place].at), values[name] === null ? null : y(values[name])]);
      this.#paths[name].setAttribute("d", isStacked ? area(line) : outline(line));
    }
    setText(this.#top, highest || most ? this.#format(top) : "");
    this.#label(points.at(-1)?.values ?? {});
  }

  #label(latest) {
    const shown = this.#figure.series.map((name) => [name, this.#format(latest[name] ?? null)]);
    for (const [name, text] of shown) setText(this.#values[name], text);
    const spoken = shown.map(([name, text]) => `${words(name)} ${text === "–" ? "nothing" : text}`).join(", ");
    this.#drawing.setAttribute("aria-label", `${[this.#figure.title, this.#figure.unit].join(" ").trim()}, now: ${spoken}`);
  }
}

/** Each value on top of those before it. */
function stacked(series, values) {
  let sum = 0;
  return Object.fromEntries(series.map((name) => [name, (sum += values[name] ?? 0)]));
}

function outline(line) {
  let isDrawing = false;
  return line.map(([x, y]) => {
    const part = y === null ? "" : `${isDrawing ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    isDrawing = y !== null;
    return part;
  }).join("");
}

function area(line) {
  if (!line.length) return "";
  const corner = (x) => `${x.toFixed(1)} ${HEIGHT}`;
  return `M${corner(line[0][0])}L${outline(line).slice(1)}L${corner(line.at(-1)[0])}Z`;
}

export const FORMATS = {
  requests: number,
  durations: milliseconds,
  cache: percent,
  batches: number,
  logins: number,
  refused: number,
};
