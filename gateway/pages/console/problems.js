// Problems: how often the gateway returned each, and those that this page received, with their request ids.

import { ago, clock, el, number, row, table } from "./dom.js";

const KINDS = ["Problem", "Responses"];
const RECEIVED = ["Last seen", "Problem", "While", "Request id"];
const KEPT = 20;

export class Problems {
  #received = new Map();
  #api;
  #counted = table(KINDS, "counts");
  #list = table(RECEIVED, "received");
  #none = el("p", { class: "quiet" }, "None.");
  #noneReceived = el("p", { class: "quiet" }, "None.");

  constructor(section, api) {
    this.#api = api;
    section.append(el("div", { class: "columns" },
      el("div", {},
        el("h3", {}, "Returned to callers ", el("small", {}, "since this page was opened, at most five minutes ago")),
        this.#none, this.#counted.table),
      el("div", {},
        el("h3", {}, "Received by this page"), this.#noneReceived, this.#list.table)));
    this.count({});
    this.#draw();
  }

  /** How often each problem was returned. */
  count(counts) {
    const some = Object.entries(counts).filter(([, count]) => count).sort(([, one], [, other]) => other - one);
    const shown = some.map(([slug, count]) => `${slug} ${count}`).join();
    if (shown === this.#counted.table.dataset.shown) return;
    this.#counted.table.dataset.shown = shown;
    this.#counted.table.hidden = !some.length;
    this.#none.hidden = some.length > 0;
    this.#counted.body.replaceChildren(...some.map(([slug, count]) => row(KINDS, [this.link(slug), number(count)])));
  }

  /** One that this page received; the same problem of the same attempt is listed once, with the latest request id. */
  add(problem, attempt) {
    if (!problem.slug || problem.slug === "about:blank") return;
    const key = `${problem.slug} ${problem.platform ?? ""} ${attempt}`;
    const count = (this.#received.get(key)?.count ?? 0) + 1;
    this.#received.delete(key);
    this.#received.set(key, { problem, attempt, count, at: new Date() });
    if (this.#received.size > KEPT) this.#received.delete(this.#received.keys().next().value);
    this.#draw();
  }

  /** A link to the page of a problem. */
  link(slug) {
    return el("a", { href: this.#api.page(slug) }, slug);
  }

  /** The problem in words, with its page and its request id. */
  describe(problem) {
    const where = problem.platform ? `${problem.platform}: ` : "";
    if (!problem.slug) return el("p", { class: "problem" }, `${where}${problem.message}`);
    return el("p", { class: "problem" },
      `${where}${problem.title}. ${sentence(problem.detail ?? "")} `, this.link(problem.slug),
      problem.instance ? el("small", {}, ` request `, el("code", {}, problem.instance)) : "");
  }

  #draw() {
    const received = [...this.#received.values()].reverse();
    this.#noneReceived.hidden = received.length > 0;
    this.#list.table.hidden = !received.length;
    this.#list.body.replaceChildren(...received.map(({ problem, attempt, count, at }) => row(RECEIVED, [
      el("time", { datetime: at.toISOString(), title: ago(at.toISOString()) }, clock(at)),
      el("span", {}, this.link(problem.slug), count > 1 ? ` × ${count}` : ""),
      [attempt, problem.platform ? ` on ${problem.platform}` : ""].join(""),
      el("code", {}, problem.instance ?? "–"),
    ])));
  }
}

function sentence(text) {
  return text && `${text[0].toUpperCase()}${text.slice(1)}.`;
}
