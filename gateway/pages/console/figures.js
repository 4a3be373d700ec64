// The figures of the console, computed from the counters of successive scrapes of /metrics.

import { increase, quantile, sums, total } from "./metrics.js";

const KEPT = 300_000;
const LEAST_SPAN = 60_000;
const SECONDS_OF_RATES = 10;
const SECONDS_OF_SHARES = 30;
const NOT_COUNTED = new Set(["/v1/platforms", "/v1/me"]);

const isCounted = (labels) => /^\/(?:v1\/|mcp)/.test(labels.http_route) && !NOT_COUNTED.has(labels.http_route);
const bound = (labels) => String(labels.le === "+Inf" ? Infinity : Number(labels.le));

function outcome({ http_response_status_code: status }) {
  if (status === "") return "disconnected";
  if (status >= "500") return "failed";
  return status >= "400" ? "refused" : "answered";
}

/** The counters that the figures are made of. This page's own calls are not among the requests. */
export function counters(samples) {
  return {
    requests: sums(samples, "http_server_request_duration_seconds_count", (of) => (isCounted(of) ? outcome(of) : null)),
    durations: sums(samples, "http_server_request_duration_seconds_bucket", (of) => (isCounted(of) ? bound(of) : null)),
    problems: sums(samples, "http_server_request_duration_seconds_count", (of) => of.error_type || null),
    entries: sums(samples, "connection_gateway_entry_problems_total", (of) => of.error_type),
    lookups: sums(samples, "connection_gateway_cache_lookups_total", (of) => of.outcome),
    stale: sums(samples, "connection_gateway_stale_answers_total", (of) => of.platform),
    calls: sums(samples, "http_client_request_duration_seconds_count", (of) => of.platform),
    batches: sums(samples, "connection_gateway_batch_size_count", (of) => of.platform),
    logins: sums(samples, "connection_gateway_logins_total", (of) => of.outcome),
    refused: sums(samples, "connection_gateway_refused_total", (of) => of.by),
  };
}

/** Shown in this order. `values` computes a point from the growth of the counters in a window of so many seconds. */
export const FIGURES = [
  {
    id: "requests",
    title: "Requests",
    unit: "per second",
    window: SECONDS_OF_RATES,
    series: ["answered", "refused", "failed"],
    isStacked: true,
    values: (grown, seconds) => ({
      answered: (grown.requests.answered ?? 0) / seconds,
      refused: (grown.requests.refused ?? 0) / seconds,
      failed: ((grown.requests.failed ?? 0) + (grown.requests.disconnected ?? 0)) / seconds,
    }),
  },
  {
    id: "durations",
    title: "Response time",
    unit: "",
    window: SECONDS_OF_SHARES,
    series: ["p50", "p99"],
    values: (grown) => ({ p50: inMilliseconds(0.5, grown), p99: inMilliseconds(0.99, grown) }),
  },
  {
    id: "cache",
    title: "Lookups from the cache",
    unit: "",
    most: 1,
    window: SECONDS_OF_SHARES,
    series: ["fresh", "stale"],
    values: ({ lookups, stale }) => ({ fresh: share(lookups.hit, lookups), stale: share(total(stale), lookups) }),
  },
  {
    id: "batches",
    title: "Lookups per platform call",
    unit: "",
    window: SECONDS_OF_SHARES,
    series: ["lookups"],
    values: ({ lookups, batches }) => {
      const asked = total(lookups) - (lookups.hit ?? 0);
      return { lookups: total(batches) ? asked / total(batches) : null };
    },
  },
  {
    id: "logins",
    title: "Logins",
    unit: "per minute",
    window: SECONDS_OF_SHARES,
    series: ["ok", "refused", "failed"],
    isStacked: true,
    values: ({ logins }, seconds) => perMinute(logins, seconds, ["ok", "refused", "failed"]),
  },
  {
    id: "refused",
    title: "Calls not sent",
    unit: "per minute",
    window: SECONDS_OF_SHARES,
    series: ["breaker", "throttle", "limit", "waiting_room"],
    isStacked: true,
    values: ({ refused }, seconds) => perMinute(refused, seconds, ["breaker", "throttle", "limit", "waiting_room"]),
  },
];

function inMilliseconds(share, { durations }) {
  const seconds = quantile(share, durations);
  return seconds === null ? null : seconds * 1000;
}

function share(count, counts) {
  return total(counts) ? (count ?? 0) / total(counts) : null;
}

function perMinute(counts, seconds, keys) {
  return Object.fromEntries(keys.map((key) => [key, ((counts[key] ?? 0) / seconds) * 60]));
}

/** The scrapes of the last five minutes, and the figures at each. */
export class History {
  #scrapes = [];
  #began = null;
  points = Object.fromEntries(FIGURES.map(({ id }) => [id, []]));

  /** Takes the counters of one scrape at a time in milliseconds. */
  add(at, found) {
    this.#began ??= at;
    this.#scrapes.push({ at, found });
    this.#scrapes = this.#scrapes.filter((each) => each.at > at - KEPT);
    for (const figure of FIGURES) {
      const points = this.points[figure.id];
      const before = this.#before(at - figure.window * 1000);
      if (before.at < at) points.push({ at, values: figure.values(growth(before.found, found), (at - before.at) / 1000) });
      while (points.length && points[0].at <= at - KEPT) points.shift();
    }
  }

  /** The milliseconds that a plot shows: from one minute to five, as long as there is something to show. */
  get span() {
    const age = this.#scrapes.length ? this.#scrapes.at(-1).at - this.#began : 0;
    return Math.min(KEPT, Math.max(LEAST_SPAN, Math.ceil(age / LEAST_SPAN) * LEAST_SPAN));
  }

  /** How often each problem was answered since the first scrape, at most five minutes ago: whole or as an entry. */
  problems() {
    const [first, latest] = [this.#scrapes[0], this.#scrapes.at(-1)];
    if (!latest) return {};
    const { problems, entries } = growth(first.found, latest.found);
    const slugs = Object.keys({ ...problems, ...entries });
    return Object.fromEntries(slugs.map((slug) => [slug, (problems[slug] ?? 0) + (entries[slug] ?? 0)]));
  }

  /** The calls per second to a platform. */
  callsPerSecond(platform) {
    const latest = this.#scrapes.at(-1);
    const before = latest && this.#before(latest.at - SECONDS_OF_RATES * 1000);
    if (!before || before.at === latest.at) return null;
    return (increase(before.found.calls, latest.found.calls)[platform] ?? 0) / ((latest.at - before.at) / 1000);
  }

  /** The latest scrape that is at least so old, or the first. */
  #before(at) {
    return this.#scrapes.findLast((each) => each.at <= at) ?? this.#scrapes[0];
  }
}

function growth(before, after) {
  return Object.fromEntries(Object.keys(after).map((key) => [key, increase(before[key], after[key])]));
}
