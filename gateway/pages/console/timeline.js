// How a response came about (`explain=true`), drawn as one bar for each step.

import { el, milliseconds, row, table, words } from "./dom.js";

const COLUMNS = ["Step", "Result", "From start to end", "Took"];
const NAMES = {
  cache: "Cache read",
  wait: "Wait for the call",
  call: "Platform call",
  line: "Queue for a slot",
  try: "Request",
  login: "Login request",
  pause: "Backoff",
  refused: "Not sent",
};
const WAITS = new Set(["wait", "line", "pause"]);
const LEAST_WIDTH = 1;

/** Whether the step is a wait, went well, or failed: what its bar looks like. */
function look({ step, outcome }) {
  if (step === "refused") return "bad";
  if (WAITS.has(step)) return "waiting";
  if ((step === "try" || step === "login") && !/^(?:[23]\d\d|404)$/.test(outcome ?? "")) return "bad";
  return step === "call" ? "call" : "good";
}

function result({ outcome, users, took_ms: took }) {
  const parts = [outcome && words(outcome), users && `${users} ${users === 1 ? "user" : "users"}`, took === null && "still running"];
  return parts.filter(Boolean).join(", ") || "–";
}

export function timeline({ source, age_ms: age, took_ms: took, calls, tries, steps, breaker, throttle }) {
  const start = Math.min(0, ...steps.map((step) => step.at_ms));
  const end = Math.max(took, 1, ...steps.map((step) => step.at_ms + (step.took_ms ?? 0)));
  const share = (time) => ((time - start) / (end - start)) * 100;
  const { table: drawn, body } = table(COLUMNS, "timeline");
  for (const step of steps) {
    const bar = el("span", { class: `bar ${look(step)}` });
    const width = share(step.at_ms + (step.took_ms ?? end - step.at_ms)) - share(step.at_ms);
    bar.style.width = `${Math.max(width, LEAST_WIDTH)}%`;
    bar.style.insetInlineStart = `${Math.min(share(step.at_ms), 100 - LEAST_WIDTH)}%`;
    const track = el("span", { class: "track" }, bar, el("span", { class: "unseen" }, `from ${step.at_ms} ms`));
    body.append(row(COLUMNS, [
      NAMES[step.step] ?? step.step, result(step), track, step.took_ms === null ? "–" : milliseconds(step.took_ms),
    ]));
  }
  return el("div", { class: "explanation" },
    el("h3", {}, "How this response came about"),
    el("p", { class: "quiet" }, summary({ source, age, took, calls, tries, breaker, throttle })),
    drawn,
    el("p", { class: "scale", "aria-hidden": "true" },
      el("span", {}, milliseconds(start)), el("span", {}, milliseconds(end))));
}

function summary({ source, age, took, calls, tries, breaker, throttle }) {
  const from = {
    cache: `From the cache, ${milliseconds(age)} old`,
    stale: `An older response from the cache (${milliseconds(age)} old), because the platform could not be asked`,
    platform: "From the platform",
  }[source] ?? "A problem";
  const asked = calls ? `${count(calls, "platform call")}, ${count(tries, "request")}` : "no platform call";
  const opens = breaker.tries_in_ms === null ? "" : `, tries again in ${milliseconds(breaker.tries_in_ms)}`;
  const ends = throttle.active ? `active, ends in ${milliseconds(throttle.ends_in_ms ?? 0)}` : "none";
  return `${from}, in ${milliseconds(took)}: ${asked}. Breaker ${words(breaker.state)}${opens}; throttle ${ends}.`;
}

function count(value, noun) {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}
