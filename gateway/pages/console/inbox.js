// The pending requests of all platforms, with buttons to answer them.

import { actionButtons, setBusy } from "./actions.js";
import { ago, clock, el, row, setText, table, words } from "./dom.js";

const COLUMNS = ["User", "Platform", "Request", "Since", "Actions"];
const DIRECTIONS = { pending_incoming: "they asked", pending_outgoing: "we asked" };
const SHOWN = 50;
const FIRST_WAIT = 5_000;
const LONGEST_WAIT = 30_000;

export class Inbox {
  #gateway;
  #act;
  #problems;
  #announce;
  #rows = new Map();
  #connections = null;
  #number = 0;
  #isReading = false;
  #wait = FIRST_WAIT;
  #retry = null;
  #platforms = [];
  #lacking = [];
  #mayAct = true;
  #problemsMet = [];
  #title = el("h2", { id: "inbox-title", tabIndex: -1 }, "Pending requests");
  #state = el("p", { class: "quiet" });
  #errors = el("div");
  #parts = table(COLUMNS, "inbox");
  #more = el("button", { type: "button", class: "second", hidden: true }, "Show more");
  #refresh = el("button", { type: "button", class: "quiet" }, "Refresh");

  /** `act(connection, action)` returns the connection after it; `announce(text)` is for screen readers. */
  constructor(section, { gateway, act, problems, announce }) {
    this.#gateway = gateway;
    this.#act = act;
    this.#problems = problems;
    this.#announce = announce;
    this.#refresh.addEventListener("click", () => this.refresh());
    this.#more.addEventListener("click", () => this.#showMore());
    section.append(el("div", { class: "headline" }, this.#title, this.#refresh),
      this.#state, this.#errors, this.#parts.table, this.#more);
  }

  /** `me` is what `/v1/me` says: platforms that lack a viewer are not asked. */
  known(me) {
    this.#mayAct = me.may.includes("act");
    this.#platforms = me.platforms.filter((each) => !each.error).map((each) => each.name);
    this.#lacking = me.platforms.filter((each) => each.error).map((each) => each.name);
    this.refresh();
  }

  /** Reads the list anew. While a platform that may recover is missing, it is read again after a while. */
  async refresh() {
    const number = ++this.#number;
    clearTimeout(this.#retry);
    const problems = this.#problemsMet = [];
    const connections = this.#list(problems);
    this.#isReading = true;
    let found = [];
    try {
      found = await take(connections);
    } catch (problem) {
      problems.push(problem);
    }
    if (number !== this.#number) return;
    this.#isReading = false;
    this.#connections = connections;
    this.#show(found, problems);
    const mayRecover = problems.filter((problem) => problem.retryable || !problem.slug);
    if (mayRecover.length) {
      const least = Math.max(...mayRecover.map((problem) => (problem.retry_after ?? 0) * 1000));
      this.#retry = setTimeout(() => this.refresh(), Math.max(this.#wait, least));
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    } else {
      this.#wait = FIRST_WAIT;
    }
  }

  /** Does not read by itself any more. */
  rest() {
    clearTimeout(this.#retry);
  }

  /** Stops reading, and shows nothing. */
  clear() {
    this.#number += 1;
    this.#isReading = false;
    this.rest();
    this.#show([], []);
    setText(this.#state, "");
  }

  /** Takes a newer state of a connection: what is pending no more goes. A list that is being read may not have it. */
  update(connection) {
    if (this.#isReading) this.refresh();
    const key = keyOf(connection);
    const known = this.#rows.get(key);
    if (!known) return;
    const hadFocus = known.contains(document.activeElement);
    if (connection.status in DIRECTIONS) this.#row(connection);
    else this.#remove(key);
    if (hadFocus && document.activeElement === document.body) this.#focusNear(this.#rows.get(key));
    this.#showCount();
  }

  #list(problems) {
    if (!this.#platforms.length) return [][Symbol.iterator]();
    const platform = this.#lacking.length ? this.#platforms : undefined;
    return this.#gateway.connections({ platform, limit: SHOWN, onProblem: (problem) => problems.push(problem) });
  }

  #show(found, problems) {
    this.#errors.replaceChildren();
    this.#showProblems(problems);
    const keys = new Set(found.map(keyOf));
    for (const key of [...this.#rows.keys()].filter((each) => !keys.has(each))) this.#remove(key);
    for (const connection of found) this.#row(connection);
    this.#more.hidden = found.length < SHOWN;
    this.#showCount();
  }

  #showProblems(problems) {
    for (const problem of problems) this.#problems.add(problem, "listing");
    this.#errors.append(...problems.map((problem) => this.#problems.describe(problem)));
  }

  async #showMore() {
    const known = this.#problemsMet.length;
    const next = await take(this.#connections).catch((problem) => {
      this.#problemsMet.push(problem);
      return [];
    });
    this.#showProblems(this.#problemsMet.slice(known));
    for (const connection of next) this.#row(connection);
    this.#more.hidden = next.length < SHOWN;
    if (this.#more.hidden) this.#title.focus();
    this.#showCount();
  }

  #showCount() {
    const count = this.#rows.size;
    this.#parts.table.hidden = !count;
    const shown = count ? `${count}${this.#more.hidden ? "" : " or more"} pending` : "Nothing is pending";
    const asked = this.#platforms.length ? `${shown}, read at ${clock()}.` : "";
    const lacking = this.#lacking.length ? `Not asked, because a viewer is needed (see Identity): ${this.#lacking.join(", ")}.` : "";
    setText(this.#state, `${asked} ${lacking}`.trim());
  }

  #row(connection) {
    const key = keyOf(connection);
    const known = this.#rows.get(key);
    if (known?.dataset.state === stateOf(connection)) return;
    const buttons = this.#mayAct ? actionButtons(connection, (...what) => this.#press(...what, made, buttons)) : [];
    const made = row(COLUMNS, [
      connection.user_id,
      connection.platform,
      el("span", {}, DIRECTIONS[connection.status], connection.stale ? el("span", { class: "mark" }, "stale") : ""),
      connection.first_requested_at ? el("time", { datetime: connection.first_requested_at }, ago(connection.first_requested_at)) : "–",
      el("div", { class: "buttons" }, buttons.length ? buttons : el("small", {}, this.#mayAct ? "none" : "this key may only read")),
    ]);
    made.dataset.state = stateOf(connection);
    if (known) known.replaceWith(made);
    else this.#parts.body.append(made);
    this.#rows.set(key, made);
  }

  #remove(key) {
    const gone = this.#rows.get(key);
    this.#rows.delete(key);
    if (gone.contains(document.activeElement)) this.#focusNear(gone, gone);
    gone.remove();
  }

  /** Focuses the first button from this row on, else the last one before it, else the title. */
  #focusNear(near, except) {
    const buttons = [...this.#parts.body.querySelectorAll("button")].filter((each) => !except?.contains(each));
    const isFrom = (button) => near.contains(button) || near.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING;
    (buttons.find(isFrom) ?? buttons.at(-1) ?? this.#title).focus();
  }

  async #press(connection, action, button, pressed, buttons) {
    setBusy(buttons, true);
    try {
      const after = await this.#act(connection, action);
      this.#announce(`${connection.user_id} on ${connection.platform} is now ${words(after.status)}`);
    } catch (problem) {
      setBusy(buttons, false);
      pressed.querySelector(".problem")?.remove();
      pressed.lastElementChild.append(this.#problems.describe(problem));
      this.#announce(problem.title ?? problem.message);
    }
  }
}

function keyOf({ platform, user_id: userId }) {
  return `${platform}/${userId}`;
}

function stateOf({ status, stale, first_requested_at: since, actions }) {
  return [status, stale, since, ...actions].join();
}

/** The next connections of an iterator, which goes on from there. */
async function take(connections) {
  const found = [];
  while (found.length < SHOWN) {
    const { done, value } = await connections.next();
    if (done) break;
    found.push(value);
  }
  return found;
}
