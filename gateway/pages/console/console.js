// The console: reads platforms and metrics every two seconds while it is visible, and puts the parts together.

import { Api } from "./api.js";
import { clock, el, setText } from "./dom.js";
import { counters, FIGURES, History } from "./figures.js";
import { Gateway, GatewayProblem, GatewayUnreachable } from "../client/gateway.js";
import { Identity } from "./identity.js";
import { Inbox } from "./inbox.js";
import { Lookup } from "./lookup.js";
import { parse } from "./metrics.js";
import { Platforms } from "./platforms.js";
import { FORMATS, Plot } from "./plot.js";
import { Problems } from "./problems.js";

const INTERVAL = 2_000;
const $ = (id) => document.getElementById(id);
const PARTS = ["sections", "pause", "platforms", "figures", "lookup", "inbox", "problems"].map($);

const identity = new Identity($("identity"), $("identity-open"));
const base = new URL(".", location.href).href;
const api = new Api(base, () => identity.headers());
const gateway = new Gateway(base, { headers: () => identity.headers() });
const problems = new Problems($("problems"), api);
const platforms = new Platforms($("platforms"));
const inbox = new Inbox($("inbox"), { gateway, act, problems, announce });
const lookup = new Lookup($("lookup"), { api, act, problems });
const plots = FIGURES.map((figure) => ({ id: figure.id, plot: new Plot(figure, FORMATS[figure.id]) }));
const noMetrics = el("p", { class: "quiet", hidden: true }, "This address does not serve /metrics, so there are no figures.");
const grid = el("div", { class: "plots" }, plots.map(({ plot }) => plot.element()));
$("figures").append(noMetrics, grid);

const records = new History();
let timer = null;
let turn = 0;
let isPaused = false;
let isKnown = false;
let needsKey = false;
let answeredAt = null;

function announce(text) {
  setText($("announcements"), text);
}

async function act(connection, action) {
  try {
    const after = await gateway.act(connection.platform, connection.user_id, action);
    inbox.update(after);
    lookup.update(after);
    return after;
  } catch (problem) {
    problems.add(problem, action);
    if (problem.connection) inbox.update(problem.connection);
    throw problem;
  }
}

/** Finds out who asks. Without a valid key nothing but its form is shown. */
async function identify() {
  try {
    const me = await api.json("v1/me");
    [isKnown, needsKey] = [true, false];
    identity.known(me);
    inbox.known(me);
    for (const part of PARTS) part.hidden = false;
  } catch (problem) {
    if (!(problem instanceof GatewayProblem || problem instanceof GatewayUnreachable)) throw problem;
    isKnown = false;
    needsKey = problem.status === 401;
    if (needsKey) askForKey();
    else if (problem.status === 400) identity.refuse(problem);
    else showState(problem);
  }
}

function askForKey() {
  for (const part of PARTS) part.hidden = true;
  inbox.clear();
  lookup.clear();
  announce("");
  showState(null);
  setText($("state"), "Waiting for a key");
  identity.ask();
  $("main").setAttribute("aria-busy", "false");
}

function showState(problem) {
  $("state").classList.toggle("bad", Boolean(problem));
  if (!problem) setText($("state"), isPaused ? `Paused at ${clock(answeredAt)}` : "Live");
  else if (problem instanceof GatewayProblem) setText($("state"), problem.title);
  else setText($("state"), answeredAt ? `No answer since ${clock(answeredAt)}` : "No answer from the gateway");
}

async function poll() {
  if (!isKnown) await identify();
  if (!isKnown) return;
  const [listed, scraped] = await Promise.allSettled([gateway.platforms(), api.text("metrics")]);
  const problem = listed.reason ?? scraped.reason;
  if (problem?.status === 401) {
    await identify();
  } else if (problem) {
    problems.add(problem, "reading the platforms");
    showState(problem);
  } else {
    answeredAt = Date.now();
    showState(null);
    show(listed.value, scraped.value);
    $("main").setAttribute("aria-busy", "false");
  }
}

function show(listed, text) {
  const samples = text === null ? null : parse(text);
  noMetrics.hidden = samples !== null;
  grid.hidden = samples === null;
  if (samples) {
    records.add(answeredAt, counters(samples));
    for (const { id, plot } of plots) plot.draw(records.points[id], answeredAt, records.span);
    const minutes = records.span / 60_000;
    setText($("span"), minutes === 1 ? "of the last minute" : `of the last ${minutes} minutes`);
    problems.count(records.problems());
  }
  platforms.show(listed, samples, records);
  lookup.offer(listed);
}

/** Polls until the page is hidden or paused, or needs a key. A later call takes over. */
async function run() {
  const mine = ++turn;
  clearTimeout(timer);
  if (document.hidden || isPaused) return;
  const begun = performance.now();
  await poll();
  if (mine === turn && !needsKey) timer = setTimeout(run, Math.max(0, INTERVAL - (performance.now() - begun)));
}

/** Continues after a pause. While the page is paused or hidden, it sends nothing by itself. */
function resume() {
  if (document.hidden || isPaused) inbox.rest();
  else if (isKnown) inbox.refresh();
  run();
}

platforms.addEventListener("change", ({ detail: { platform, health } }) => {
  announce(`${platform} is ${health}`);
  inbox.refresh();
});
identity.addEventListener("change", () => {
  gateway.forget();
  lookup.clear();
  isKnown = false;
  run();
});
$("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  setText($("pause"), isPaused ? "Resume" : "Pause");
  showState(null);
  resume();
});
document.addEventListener("visibilitychange", resume);
run();
