// Reads Prometheus' text format, as far as the gateway writes it.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED = { n: "\n" };

/** The samples of a scrape: by name, a list of `{labels, value}`. */
export function parse(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const parts = LINE.exec(line);
    if (!parts) continue;
    const [, name, labels = "", value] = parts;
    if (!found.has(name)) found.set(name, []);
    found.get(name).push({ labels: parseLabels(labels), value: Number(value.replace("Inf", "Infinity")) });
  }
  return found;
}

function parseLabels(text) {
  const pairs = [...text.matchAll(LABEL)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value.replace(/\\(.)/g, (_, one) => ESCAPED[one] ?? one)]));
}

/** The sum of a metric's samples for each value that `key` gives; samples of `null` are left out. */
export function sums(samples, name, key) {
  const found = {};
  for (const { labels, value } of samples.get(name) ?? []) {
    const of = key(labels);
    if (of !== null) found[of] = (found[of] ?? 0) + value;
  }
  return found;
}

/** How much each count has grown. One that shrank began anew, in a gateway that was restarted. */
export function increase(before, after) {
  const grown = Object.entries(after).map(([key, value]) => {
    const earlier = before[key] ?? 0;
    return [key, value >= earlier ? value - earlier : value];
  });
  return Object.fromEntries(grown);
}

export function total(counts) {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}

/**
 * The value below which a share of the observations lies, as `histogram_quantile` estimates it; null without any.
 * `buckets` counts the observations up to each bound.
 */
export function quantile(share, buckets) {
  const bounds = Object.keys(buckets).map(Number).sort((one, other) => one - other);
  const counts = bounds.map((bound) => buckets[bound]);
  const rank = share * counts.at(-1);
  if (!(rank > 0)) return null;
  const place = counts.findIndex((count) => count >= rank);
  if (bounds[place] === Infinity) return bounds[place - 1] ?? null;
  const [low, below] = place ? [bounds[place - 1], counts[place - 1]] : [0, 0];
  return low + (bounds[place] - low) * ((rank - below) / (counts[place] - below));
}
