// Who asks: the caller's key and the viewers. Kept in memory only, and forgotten with the page.

import { el } from "./dom.js";

const FIELDS = {
  key: { header: "X-API-Key", label: "Key", hint: "Sent with every call.", type: "password" },
  tokens: {
    header: "X-Platform-Token", label: "Viewers' tokens", type: "password",
    hint: "For platforms that take the user's own: acme=…, club=…",
  },
  behalf: { header: "X-On-Behalf-Of", label: "On behalf of", hint: "For platforms that need a user: acme=123", type: "text" },
};

export class Identity extends EventTarget {
  #section;
  #opener;
  #values = {};
  #inputs = {};
  #labels = {};
  #who = el("p", { class: "quiet" });
  #wrong = el("p", { class: "problem", role: "alert" });
  #forget = el("button", { type: "button", class: "second" }, "Forget all");

  /** Fires `change` when `headers()` changes. */
  constructor(section, opener) {
    super();
    this.#section = section;
    this.#opener = opener;
    const fields = Object.entries(FIELDS).map(([name, { header, label, hint, type }]) => {
      const input = el("input", { type, id: `identity-${name}`, autocomplete: "off", spellcheck: false, "aria-describedby": `identity-${name}-hint` });
      this.#inputs[name] = input;
      this.#labels[name] = el("div", { class: "field" },
        el("label", { for: input.id }, label, " ", el("code", {}, header)), input,
        el("small", { id: `identity-${name}-hint` }, hint));
      return this.#labels[name];
    });
    const form = el("form", {}, this.#who, this.#wrong, el("div", { class: "fields" }, fields),
      el("div", { class: "buttons" }, el("button", { type: "submit" }, "Use"), this.#forget));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#use(Object.fromEntries(Object.entries(this.#inputs).map(([name, input]) => [name, input.value.trim()])));
    });
    this.#forget.addEventListener("click", () => this.#use({}));
    opener.addEventListener("click", () => this.#toggle(section.hidden));
    section.append(el("h2", { id: "identity-title" }, "Identity"), form,
      el("p", { class: "quiet" }, "Kept in this page's memory, and nowhere else."));
  }

  headers() {
    const given = Object.entries(FIELDS).filter(([name]) => this.#values[name]);
    return Object.fromEntries(given.map(([name, { header }]) => [header, this.#values[name]]));
  }

  /** Asks for a key, because there is none, or the gateway refused it. */
  ask() {
    this.#wrong.textContent = this.#values.key ? "The gateway refused this key." : "";
    this.#who.textContent = "This gateway has callers configured. Enter the key of one of them.";
    this.#offer(["key"]);
    this.#opener.hidden = true;
    this.#toggle(true);
  }

  /** Shows what is wrong with what was entered. */
  refuse(problem) {
    this.#wrong.textContent = problem.message;
    this.#toggle(true);
  }

  /** `me` is what `/v1/me` says; offers what this gateway takes. */
  known(me) {
    const viewers = new Set(me.platforms.map((each) => each.viewer));
    const offered = [me.caller !== null && "key", viewers.has("token") && "tokens", viewers.has("named") && "behalf"].filter(Boolean);
    const rights = me.may.join(" and ");
    this.#who.textContent = me.caller === null ? "No callers are configured, so no key is needed." : `Caller ${me.caller}, with the right to ${rights}.`;
    this.#wrong.textContent = "";
    this.#offer(offered);
    this.#opener.hidden = !offered.length;
    this.#opener.textContent = me.caller === null ? "Identity" : `Identity: ${me.caller}`;
    this.#toggle(false);
  }

  #use(values) {
    this.#values = values;
    for (const [name, input] of Object.entries(this.#inputs)) input.value = values[name] ?? "";
    this.dispatchEvent(new Event("change"));
  }

  #offer(names) {
    for (const name of Object.keys(FIELDS)) this.#labels[name].hidden = !names.includes(name);
    this.#forget.hidden = !Object.values(this.#values).some(Boolean);
  }

  #toggle(isOpen) {
    const hadFocus = this.#section.contains(document.activeElement);
    this.#section.hidden = !isOpen;
    this.#opener.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#section.querySelector(".field:not([hidden]) input")?.focus();
    else if (hadFocus) (this.#opener.hidden ? document.getElementById("main") : this.#opener).focus();
  }
}
