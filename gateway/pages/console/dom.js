// Elements, and values as text. Text from elsewhere stays text: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

function filled(element, attributes, inside) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "string") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...inside.flat());
  return element;
}

/** An element with its attributes (text) or properties (anything else), and what is in it. */
export function el(name, attributes = {}, ...inside) {
  return filled(document.createElement(name), attributes, inside);
}

export function svg(name, attributes = {}, ...inside) {
  return filled(document.createElementNS(SVG, name), attributes, inside);
}

/** Changes the text only if it differs, so that a screen reader is not interrupted. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A table with roles of its own, because narrow screens show its cells as blocks. */
export function table(columns, ...classes) {
  const body = el("tbody", { role: "rowgroup" });
  const heads = columns.map((each) => el("th", { scope: "col", role: "columnheader" }, each));
  const head = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads));
  return { table: el("table", { role: "table", class: classes.join(" ") }, head, body), body };
}

/** A row whose first cell names it; each further cell knows its column. */
export function row(columns, [first, ...others]) {
  return el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, first),
    others.map((each, place) => el("td", { role: "cell", "data-column": columns[place + 1] }, each)));
}

export function clock(milliseconds = Date.now()) {
  return CLOCK.format(milliseconds);
}

/** How long ago a time was, in one unit: `3 min ago`; from a month on, the date. */
export function ago(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 30 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return DAY.format(Date.parse(time));
}

/** Three significant digits at most. */
export function number(value) {
  if (value === null) return "–";
  if (value >= 10_000) return `${Math.round(value / 1000).toLocaleString("en")}k`;
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toFixed(value >= 10 ? 1 : 2)));
}

export function milliseconds(value) {
  return value === null ? "–" : value >= 1000 ? `${number(value / 1000)} s` : `${number(value)} ms`;
}

export function percent(value) {
  return value === null ? "–" : `${Math.round(value * 100)} %`;
}

/** Words of the API for people: `pending_incoming`, `half_open`, `waiting_room`. */
export function words(text) {
  return text.replaceAll("_", " ");
}
