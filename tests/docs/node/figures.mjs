// Computes the figures of the console from scrapes, as the page does.
//   node figures.mjs FOLDER < [{"at": milliseconds, "text": …}, …]
import { readFileSync } from "node:fs";

const folder = process.argv[2];
const { parse } = await import(`${folder}/metrics.js`);
const { counters, History } = await import(`${folder}/figures.js`);
const scrapes = JSON.parse(readFileSync(0, "utf8"));
const records = new History();
for (const { at, text } of scrapes) records.add(at, counters(parse(text)));
console.log(JSON.stringify({
  samples: [...parse(scrapes.at(-1).text)].flatMap(([name, some]) => some.map(({ labels, value }) => [name, labels, String(value)])),
  points: records.points,
  problems: records.problems(),
  span: records.span,
}));
