// A form for one lookup; its connection, what can be done with it, and how the response came about.

import { actionButtons, setBusy } from "./actions.js";
import { ago, el, setText, words } from "./dom.js";
import { timeline } from "./timeline.js";

export class Lookup {
  #api;
  #act;
  #problems;
  #latest = 0;
  #shown = null;
  #platform = el("select", { id: "lookup-platform", required: true });
  #user = el("input", {
    id: "lookup-user", required: true, autocomplete: "off", spellcheck: false,
    placeholder: "103",
  });
  #live = el("input", { id: "lookup-live", type: "checkbox" });
  #answer = el("div", { class: "answer" });
  #status = el("p", { class: "unseen", role: "status" });

  /** `act(connection, action)` returns the connection after it. */
  constructor(section, { api, act, problems }) {
    this.#api = api;
    this.#act = act;
    this.#problems = problems;
    const form = el("form", { class: "line" },
      el("label", {}, "Platform", this.#platform),
      el("label", {}, "User id", this.#user),
      el("label", { class: "check" }, this.#live, "skip the cache"),
      el("button", { type: "submit" }, "Look up"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#lookUp();
    });
    section.append(form, this.#status, this.#answer);
  }

  offer(platforms) {
    const names = platforms.map((each) => each.name);
    if (names.join() === [...this.#platform.options].map((each) => each.value).join()) return;
    const chosen = this.#platform.value;
    this.#platform.replaceChildren(...names.map((name) => el("option", {}, name)));
    if (names.includes(chosen)) this.#platform.value = chosen;
  }

  /** Takes a newer state of the connection that may be the one shown. */
  update(connection) {
    const { platform, user_id: userId } = this.#shown ?? {};
    if (platform === connection.platform && userId === connection.user_id) this.#showConnection(connection, []);
  }

  clear() {
    this.#latest += 1;
    this.#shown = null;
    this.#answer.replaceChildren();
    this.#status.textContent = "";
  }

  async #lookUp() {
    const number = ++this.#latest;
    const [platform, userId] = [this.#platform.value, this.#user.value.trim()];
    const headers = this.#live.checked ? { "cache-control": "no-cache" } : {};
    try {
      const document = await this.#api.json(`v1/connections/${encodeURIComponent(platform)}/${encodeURIComponent(userId)}?explain=true`, headers);
      if (number === this.#latest) this.#showConnection(document, [timeline(document.explain)]);
    } catch (problem) {
      this.#problems.add(problem, "looking up");
      if (number !== this.#latest) return;
      this.#shown = null;
      const more = problem.explain ? [timeline(problem.explain)] : [];
      this.#answer.replaceChildren(this.#problems.describe(problem), ...more);
      setText(this.#status, problem.title ?? problem.message);
    }
  }

  #showConnection(connection, more) {
    this.#shown = connection;
    const notes = [
      connection.native_status && `the platform says ${connection.native_status}`,
      connection.request_count && `requested ${connection.request_count === 1 ? "once" : `${connection.request_count} times`}`,
      connection.updated_at && `changed ${ago(connection.updated_at)}`,
    ].filter(Boolean);
    const buttons = actionButtons(connection, (...what) => this.#press(...what, buttons));
    this.#answer.replaceChildren(
      el("p", { class: "connection" },
        el("strong", {}, words(connection.status)), " ",
        connection.stale ? el("span", { class: "mark" }, "stale") : "", " ",
        el("small", {}, [`${connection.user_id} on ${connection.platform}`, ...notes].join("; "))),
      el("div", { class: "buttons", tabIndex: -1 }, buttons),
      ...more);
    setText(this.#status, `${connection.user_id} on ${connection.platform}: ${words(connection.status)}`);
  }

  async #press(connection, action, button, buttons) {
    setBusy(buttons, true);
    try {
      const after = await this.#act(connection, action);
      if (this.#shown === connection) this.#showConnection(after, []);
    } catch (problem) {
      setBusy(buttons, false);
      this.#answer.querySelector(":scope > .problem")?.remove();
      this.#answer.append(this.#problems.describe(problem));
    }
    if (document.activeElement === document.body) this.#answer.querySelector(".buttons button, .buttons")?.focus();
  }
}
