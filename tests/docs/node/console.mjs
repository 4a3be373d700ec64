// Does on /console what an operator would. Prints what it saw, as JSON.
//   node console.mjs CHROMIUM SCENARIO < {"url": …, "community": …, "key": …}
import { readFileSync } from "node:fs";
import axe from "axe-core";
import puppeteer from "puppeteer-core";

const PATIENCE = { timeout: 60_000 };
const [chromium, scenario] = process.argv.slice(2);
const given = JSON.parse(readFileSync(0, "utf8"));
const seen = { errors: [], hosts: [], violations: [], overflow: 0 };

const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const page = await browser.newPage();
page.on("console", (message) => {
  const isStatus = message.text().startsWith("Failed to load resource");
  if (message.type() === "error" && !isStatus) seen.errors.push(message.text());
});
page.on("pageerror", (error) => seen.errors.push(String(error)));
page.on("request", (request) => seen.hosts.push(new URL(request.url()).origin));

const text = (selector) => page.$eval(selector, (element) => element.textContent.trim());
const until = (check, ...given) => page.waitForFunction(check, PATIENCE, ...given);
const focused = () => page.evaluate(() => {
  const { id, tagName, ariaLabel, textContent } = document.activeElement;
  return id || ariaLabel || (tagName === "BODY" ? tagName : textContent);
});

async function open() {
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(`${given.url}/console`);
  await page.waitForSelector("main:not([aria-busy=true])", PATIENCE);
}

/** What axe finds, in light and dark, wide and narrow, from left and from right. */
async function check(what) {
  await page.evaluate(axe.source);
  for (const [scheme, width, direction] of [["light", 1280, "ltr"], ["light", 380, "ltr"], ["dark", 1280, "ltr"], ["dark", 380, "rtl"]]) {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.evaluate((dir) => { document.documentElement.dir = dir; }, direction);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const each of violations) {
      seen.violations.push(`${what}, ${scheme}, ${width}, ${direction}: ${each.id}: ${each.nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
    }
    seen.overflow += await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }
}

/** Presses Tab until something with this id, label or text has the focus. */
async function tabTo(wanted) {
  for (let presses = 0; presses < 100; presses += 1) {
    await page.keyboard.press("Tab");
    if (await focused() === wanted) return;
  }
  throw new Error(`Tab does not lead to ${wanted}`);
}

/** What happens to text that a script wants parsed as markup; on a page of its own, because it is reported as an error. */
async function parsed() {
  const other = await browser.newPage();
  await other.goto(`${given.url}/console`);
  return other.evaluate(() => {
    try {
      document.createElement("p").innerHTML = "x";
      return "as markup";
    } catch (error) {
      return error.name;
    }
  });
}

async function lookUp(platform, user) {
  await page.select("#lookup-platform", platform);
  await page.type("#lookup-user", user);
  await page.click("#lookup button[type=submit]");
}

const healthOf = (platform) => text(`[data-platform=${platform}] .health`);
const untilHealth = (platform, ...words) => until(
  (name, expected) => expected.includes(document.querySelector(`[data-platform=${name}] .health`).textContent), platform, words);

/** By keyboard alone: a lookup, and every pending request that can be answered. */
async function keyboard() {
  await open();
  await until(() => document.querySelector(".inbox tbody tr"));
  seen.pending = await page.$$eval(".inbox tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText)));
  await page.keyboard.press("Tab");
  seen.first = await focused();
  await page.keyboard.press("Enter");
  seen.skipped = await focused();
  await tabTo("lookup-user");
  await page.keyboard.type("103");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".timeline", PATIENCE);
  seen.connection = await text(".connection");
  seen.steps = await page.$$eval(".timeline tbody tr", (rows) => rows.map((row) => row.cells[0].textContent));
  await tabTo("Accept: 102 on symphony");
  seen.focus = [];
  while (await page.$(".inbox tbody button")) {
    const before = await page.$$eval(".inbox tbody tr", (rows) => rows.length);
    seen.focus.push(await focused());
    await page.keyboard.press("Enter");
    await until((count) => document.querySelectorAll(".inbox tbody tr").length < count, before);
  }
  seen.focus.push(await focused());
  seen.announced = await text("#announcements");
  seen.parsed = await parsed();
  seen.left = await page.$$eval(".inbox tbody tr", (rows) => rows.map((row) => row.cells[0].innerText));
}

/** A fault is set and cleared; the page shows both by itself. */
async function fault() {
  await open();
  await page.evaluate(() => { globalThis.isSamePage = true; });
  seen.before = await healthOf("community");
  const faults = `${given.community}/_simulator/faults`;
  await fetch(faults, { method: "PUT", body: JSON.stringify({ status: 503 }) });
  for (let calls = 0; calls < 12; calls += 1) await fetch(`${given.url}/v1/connections/community/${1000 + calls}`);
  await untilHealth("community", "down", "degraded");
  await lookUp("community", "103");
  await page.waitForSelector("#lookup .problem", PATIENCE);
  seen.problem = await text("#lookup .problem");
  seen.received = await page.$$eval("#problems .received tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText)));
  seen.page = await page.$eval("#problems .received a", (link) => link.href);
  await until(() => document.querySelector("#problems .counts tbody tr"));
  seen.counted = await page.$$eval("#problems .counts a", (links) => links.map((link) => link.textContent));
  await until(() => Number(document.querySelector("#figures .legend li:nth-child(3) .value").textContent) > 0);
  seen.unread = await text("#inbox .problem");
  await check("with a fault");
  await fetch(faults, { method: "DELETE" });
  await untilHealth("community", "up");
  await until(() => !document.querySelector("#inbox .problem"));
  seen.after = await healthOf("community");
  seen.announced = await text("#announcements");
  seen.isSamePage = await page.evaluate(() => globalThis.isSamePage);
}

/** With callers configured: a wrong key, one that may only read, and viewers' tokens. Metrics are served elsewhere. */
async function callers() {
  await page.setRequestInterception(true);
  page.on("request", (request) => (request.url().endsWith("/metrics") ? request.respond({ status: 404 }) : request.continue()));
  await open();
  seen.shown = await page.$$eval("main section", (all) => all.filter((each) => each.checkVisibility()).map((each) => each.id));
  seen.focused = await focused();
  await check("asking for a key");
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await until(() => document.querySelector("#identity .problem").textContent);
  seen.wrong = await text("#identity .problem");
  await page.$eval("#identity-key", (field) => { field.value = ""; });
  await page.type("#identity-key", given.key);
  await page.keyboard.press("Enter");
  await until(() => document.querySelector("#inbox p").textContent);
  seen.lacking = await text("#inbox p");
  await page.click("#identity-open");
  await page.type("#identity-tokens", given.tokens);
  await check("giving viewers' tokens");
  await page.keyboard.press("Enter");
  await until(() => document.querySelectorAll(".inbox tbody tr").length > 0);
  await lookUp("acme", "102");
  await page.waitForSelector("#lookup .connection", PATIENCE);
  seen.caller = await text("#identity-open");
  seen.figures = await page.$eval("#figures", (section) => section.innerText);
  seen.platforms = await page.$$eval(".platforms tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText)));
  seen.buttons = await page.$$eval(".inbox tbody button", (all) => all.length);
  seen.kept = await page.evaluate(() => ({ ...localStorage, ...sessionStorage, cookie: document.cookie, address: location.href }));
  await page.click("#identity-open");
  await page.click("#identity .second");
  await until(() => !document.querySelector("#inbox").checkVisibility());
  seen.forgotten = await page.evaluate(() => document.body.textContent + [...document.querySelectorAll("#identity input")].map((each) => each.value));
}

try {
  await { keyboard, fault, callers }[scenario]();
} finally {
  await browser.close();
}
seen.hosts = [...new Set(seen.hosts)];
console.log(JSON.stringify(seen));
