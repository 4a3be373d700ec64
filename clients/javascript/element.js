// See element.d.ts.
import { Gateway } from "./gateway.js";

export * from "./gateway.js";

export const words = {
  en: {
    loading: "Loading…",
    connected: "Connected",
    pending_incoming: "Wants to connect",
    pending_outgoing: "Request sent",
    rejected: "Declined",
    none: "Not connected",
    request: "Connect",
    accept: "Accept",
    reject: "Decline",
    cancel: "Cancel request",
    remove: "Remove",
    confirm: "Really remove",
    keep: "Keep",
    retry: "Try again",
    stale: "May be out of date.",
    404: "Not found.",
    401: "Please sign in again.",
    403: "You may not do this.",
    409: "No longer possible.",
    429: "Too many requests. Try again later.",
    "outcome-unknown": "It is unclear whether this worked.",
    failed: "Not available at the moment.",
  },
};
const BUTTONS = ["request", "accept", "reject", "cancel", "remove", "confirm", "keep", "retry"];
const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host{display:inline-flex;flex-flow:wrap;align-items:center;gap:.25em .5em}
:host([hidden]){display:none}
button{font:inherit;color:inherit;background:var(--connection-background,transparent);
padding:.2em .7em;border:1px solid var(--connection-border,currentcolor);border-radius:.3em;cursor:pointer}
[aria-disabled]{cursor:progress;opacity:.6}
[part=problem]{color:var(--connection-problem,light-dark(#a3161c,#ff9c9c))}
i{position:absolute;contain:strict;width:1px;height:1px}`);
const connected = new Set();
let shared;

const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

export class ConnectionStatus extends HTMLElement {
  static observedAttributes = ["platform", "user-id", "label"];

  static get gateway() {
    return (shared ??= new Gateway(new URL("..", import.meta.url)));
  }

  static set gateway(gateway) {
    shared = gateway;
    for (const element of connected) if (!element.#gateway) element.#connect();
  }

  #states = this.attachInternals().states;
  #name = make("i");
  #status = make("span", { part: "status", tabIndex: -1 });
  #problem = make("span", { part: "problem" });
  #live = make("span", { role: "status", ariaLive: "off" });
  #buttons = {};
  #state = {};
  #isConfirming = false;
  #gateway;
  #unsubscribe;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#live);
    this.#live.append(this.#name, this.#status, " ", this.#problem);
    for (const key of BUTTONS) {
      root.append((this.#buttons[key] = make("button", { part: "action", onclick: () => this.#press(key) })));
    }
  }

  connectedCallback() {
    connected.add(this);
    for (const name of ["gateway", "platform", "userId", "label", "connection"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#connect();
  }

  disconnectedCallback() {
    connected.delete(this);
    this.#connect();
  }

  attributeChangedCallback() {
    this.#connect();
  }

  get platform() {
    return this.getAttribute("platform") ?? "";
  }

  set platform(value) {
    this.setAttribute("platform", value);
  }

  get userId() {
    return this.getAttribute("user-id") ?? "";
  }

  set userId(value) {
    this.setAttribute("user-id", value);
  }

  get label() {
    return this.getAttribute("label") ?? "";
  }

  set label(value) {
    this.setAttribute("label", value);
  }

  get gateway() {
    return this.#gateway ?? ConnectionStatus.gateway;
  }

  set gateway(gateway) {
    this.#gateway = gateway;
    this.#connect();
  }

  get connection() {
    return this.gateway.state(this.platform, this.userId).connection;
  }

  set connection(connection) {
    if (!connection) return;
    this.#unsubscribe?.();
    this.gateway.prime([connection]);
    this.platform = connection.platform;
    this.userId = connection.user_id;
  }

  #connect() {
    const { gateway, platform, userId } = this;
    this.#unsubscribe?.();
    this.#isConfirming = false;
    this.#state = {};
    if (this.isConnected && platform && userId) {
      this.#unsubscribe = gateway.subscribe(platform, userId, (state) => this.#update(state));
      this.#state = gateway.state(platform, userId);
    }
    this.#draw();
  }

  #update(state) {
    const before = this.#state;
    this.#state = state;
    if (before.connection?.status !== state.connection?.status) this.#isConfirming = false;
    this.#draw();
    for (const [name, type] of [["connection", "connection-change"], ["problem", "connection-problem"]]) {
      const detail = state[name];
      if (detail && detail !== before[name]) this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
    }
  }

  #draw() {
    const { connection, problem, isLoading, acting } = this.#state;
    const { status, stale, actions = [] } = connection ?? {};
    const language = this.closest("[lang]")?.lang ?? "";
    const text = { ...words.en, ...words[language.split("-")[0]], ...words[language] };
    const flags = { [status]: status, stale, problem, loading: isLoading, busy: acting };
    this.#states.clear();
    for (const flag in flags) if (flags[flag]) this.#states.add(flag.replace("_", "-"));
    this.#name.textContent = this.label && `${this.label}: `;
    this.#status.textContent = text[status ?? (isLoading && "loading")] ?? "";
    this.#problem.textContent = problem
      ? text[problem.slug] ?? text[problem.status] ?? text.failed
      : stale ? text.stale : "";
    const shown = this.#isConfirming ? ["confirm", "keep"] : [...actions, (problem || stale) && "retry"];
    const focused = this.shadowRoot.activeElement;
    for (const key of BUTTONS) {
      Object.assign(this.#buttons[key], {
        hidden: !shown.includes(key),
        textContent: text[key],
        ariaLabel: this.label && `${text[key]}: ${this.label}`,
        ariaDisabled: acting || (isLoading && key === "retry") ? "true" : null,
      });
    }
    if (focused?.hidden) {
      const { keep, remove } = this.#buttons;
      ([keep, remove].find((button) => !button.hidden) ?? this.#status).focus();
    }
    if (status || problem) this.#live.ariaLive = "polite";
  }

  #press(key) {
    const { gateway, platform, userId } = this;
    if (this.#state.acting) return;
    this.#isConfirming = key === "remove";
    this.#draw();
    if (key === "retry") gateway.retry();
    else if (key !== "keep" && key !== "remove") {
      gateway.act(platform, userId, key === "confirm" ? "remove" : key).catch(() => {});
    }
  }
}

if (!customElements.get("connection-status")) customElements.define("connection-status", ConnectionStatus);
