// The table of platforms: health, circuit breaker, throttle, and the calls in flight.

import { el, number, row, setText, svg, table, words } from "./dom.js";
import { sums } from "./metrics.js";

const COLUMNS = ["Platform", "Health", "Adapter", "Credential", "Breaker", "Throttle", "Calls per second", "In flight", "Queued", "Waiting"];
const SHAPES = { up: "M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2Z", degraded: "M8 1.5 15 14H1Z", down: "M3 3H13V13H3Z" };
const BREAKER_STATES = ["closed", "half_open", "open"];
const MODES = { caller: "the caller's token", obo: "on behalf of a user", jwt: "signed tokens (jwt)" };

/** Health as a shape, a colour and a word. */
function healthMark() {
  const path = svg("path");
  const word = el("span");
  const mark = el("span", { class: "health" }, svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, path), word);
  return { mark, set(health) {
    if (mark.dataset.health === health) return;
    mark.dataset.health = health;
    path.setAttribute("d", SHAPES[health]);
    word.textContent = health;
  } };
}

export class Platforms extends EventTarget {
  #rows = new Map();
  #health = new Map();
  #parts = table(COLUMNS, "platforms");

  /** Fires `change` with `{platform, health}` in `detail` when the health of a platform changes. */
  constructor(section) {
    super();
    section.append(this.#parts.table);
  }

  /** `samples` are null if this address serves no metrics. */
  show(platforms, samples, history) {
    const gates = samples ? gatesOf(samples) : null;
    const names = new Set(platforms.map((each) => each.name));
    for (const name of [...this.#rows.keys()].filter((each) => !names.has(each))) {
      this.#rows.get(name).row.remove();
      this.#rows.delete(name);
    }
    for (const platform of platforms) {
      const cells = this.#row(platform);
      const gate = (name) => (gates ? gates[name][platform.name] ?? 0 : null);
      cells.health.set(platform.health);
      setText(cells.adapter, platform.adapter);
      setText(cells.credential, MODES[platform.credentials] ?? `the gateway's own (${platform.credentials})`);
      setText(cells.breaker, gates ? words(gates.breaker[platform.name] ?? "–") : "–");
      setText(cells.throttle, gates ? (gate("throttled") ? "active" : "none") : "–");
      setText(cells.calls, number(history.callsPerSecond(platform.name)));
      for (const each of ["active", "queued", "waiting"]) setText(cells[each], number(gate(each)));
      this.#notice(platform);
    }
  }

  #row(platform) {
    const known = this.#rows.get(platform.name);
    if (known) return known;
    const health = healthMark();
    const names = ["adapter", "credential", "breaker", "throttle", "calls", "active", "queued", "waiting"];
    const cells = Object.fromEntries(names.map((name) => [name, el("span", { class: name })]));
    const made = { ...cells, health, row: row(COLUMNS, [platform.name, health.mark, ...names.map((name) => cells[name])]) };
    made.row.dataset.platform = platform.name;
    this.#rows.set(platform.name, made);
    this.#parts.body.append(made.row);
    return made;
  }

  #notice({ name, health }) {
    const before = this.#health.get(name);
    this.#health.set(name, health);
    if (before && before !== health) this.dispatchEvent(new CustomEvent("change", { detail: { platform: name, health } }));
  }
}

/** Several processes may differ in the state of a breaker: the last in `BREAKER_STATES` is shown. */
function gatesOf(samples) {
  const platform = (labels) => labels.platform;
  const states = (samples.get("connection_gateway_breaker_state") ?? []).filter(({ value }) => value > 0);
  states.sort((one, other) => BREAKER_STATES.indexOf(one.labels.state) - BREAKER_STATES.indexOf(other.labels.state));
  return {
    breaker: Object.fromEntries(states.map(({ labels }) => [labels.platform, labels.state])),
    throttled: sums(samples, "connection_gateway_throttled", platform),
    active: sums(samples, "connection_gateway_calls_active", platform),
    queued: sums(samples, "connection_gateway_calls_queued", platform),
    waiting: sums(samples, "connection_gateway_waiting", platform),
  };
}
