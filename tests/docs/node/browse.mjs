// Does on /docs what a person would: looks at it, fills in each form, sends it. Prints what it saw, as JSON.
//   node browse.mjs CHROMIUM SCENARIO < {"url": …, "who": {…}, "calls": {id: {field: text}}}
import { readFileSync } from "node:fs";
import axe from "axe-core";
import puppeteer from "puppeteer-core";

const [chromium, scenario] = process.argv.slice(2);
const given = JSON.parse(readFileSync(0, "utf8"));
const seen = { errors: [], hosts: [], violations: [], calls: {} };

const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const clipboard = ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"];
if (!given.noClipboard) await browser.defaultBrowserContext().overridePermissions(given.url, clipboard);
const page = await browser.newPage();
page.on("console", (message) => { if (message.type() === "error") seen.errors.push(message.text()); });
page.on("pageerror", (error) => seen.errors.push(String(error)));
page.on("request", (request) => seen.hosts.push(new URL(request.url()).origin));

/** Its Content-Security-Policy lets in nothing that is not the page's own, so axe comes in beside the page. */
async function check(what) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const each of violations) {
    seen.violations.push(`${what}: ${each.id}: ${each.nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
  }
}

async function open(path, { scheme = "light", width = 1280 } = {}) {
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(given.url + path);
  await page.waitForSelector("main:not([aria-busy=true])");
}

async function unfold() {
  await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
}

async function fill(id, text) {
  await page.$eval(`[id="${id}"]`, (field) => {
    if (field.tagName !== "SELECT") field.value = "";
    field.focus();
  });
  const isSelect = await page.$eval(`[id="${id}"]`, (field) => field.tagName === "SELECT");
  if (isSelect) await page.select(`[id="${id}"]`, ...text.split("\n"));
  else await page.keyboard.type(text);
}

async function answer(id) {
  await page.waitForFunction(
    (which) => /\d{3} .* after|There was no answer/.test(document.querySelector(`#${which} .answer`).textContent), {}, id);
  return page.$eval(`#${id} .answer`, (into) => ({
    status: into.querySelector("strong")?.textContent,
    body: into.querySelector("pre")?.textContent,
    meaning: into.querySelector("p a")?.href ?? null,
    hasNext: [...into.querySelectorAll("button")].some((each) => each.textContent === "Next page"),
  }));
}

async function call(id, fields) {
  for (const [name, text] of Object.entries(fields)) await fill(`${id}-${name}`, text);
  await page.click(`#${id} form button[type=submit]`);
  const found = await answer(id);
  const line = await page.$eval(`#${id} pre[aria-label^=curl] code`, (code) => code.textContent);
  await page.click(`#${id} button.second`);
  await page.waitForFunction((which) => /Copied\.|Selected:/.test(document.querySelector(`#${which}`).textContent), {}, id);
  const copied = given.noClipboard
    ? await page.evaluate(() => getSelection().toString())
    : await page.evaluate(() => navigator.clipboard.readText());
  seen.calls[id] = { ...found, line, copied };
}

async function calls() {
  await open("/docs");
  for (const [key, secret] of Object.entries(given.who ?? {})) await fill(`who-${key}`, secret);
  for (const [id, fields] of Object.entries(given.calls)) await call(id, fields);
  await unfold();
  await check("with answers");
  if (given.links) seen.links = await page.$$eval("a:not([href^='#'])", (all) => all.map(({ href }) => href));
}

async function look() {
  for (const scheme of ["light", "dark"]) {
    for (const width of [1280, 380]) {
      await open("/docs", { scheme, width });
      await check(`folded, ${scheme}, ${width}`);
      await unfold();
      await check(`unfolded, ${scheme}, ${width}`);
      seen.overflow = (seen.overflow ?? 0) + await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    }
    for (const width of [1280, 380]) {
      await open("/", { scheme, width });
      await check(`index, ${scheme}, ${width}`);
    }
    for (const slug of scheme === "light" ? given.slugs : given.slugs.slice(0, 1)) {
      await open(`/problems/${slug}`, { scheme });
      await check(`${slug}, ${scheme}`);
    }
  }
}

async function paging() {
  await open("/docs");
  await call("list_connections", given.calls.list_connections);
  seen.pages = [seen.calls.list_connections];
  await page.click("#list_connections .answer button");
  await page.waitForFunction((before) => {
    const body = document.querySelector("#list_connections .answer pre")?.textContent;
    return body && body !== before;
  }, {}, seen.pages[0].body);
  seen.pages.push(await answer("list_connections"));
}

async function unfilled() {
  await open("/docs");
  await page.click("#act_on_connection form button[type=submit]");
  seen.line = await page.$eval("#act_on_connection pre[aria-label^=curl] code", (code) => code.textContent);
  seen.needed = await page.$$eval("#act_on_connection form :invalid", (fields) => fields.map((field) => field.id.split("-")[1]));
}

/** Nothing but Tab, letters and Enter, from the top of the page to the answer. */
async function keyboard() {
  await open("/docs");
  await page.keyboard.press("Tab");
  seen.first = await page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press("Enter");
  seen.skipped = await page.evaluate(() => document.activeElement.id);
  for (let presses = 0; presses < 200; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.id === "get_connection-user_id")) break;
  }
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type(given.calls.get_connection.user_id);
  await page.keyboard.press("Enter");
  seen.calls.get_connection = await answer("get_connection");
}

try {
  await { calls, look, paging, unfilled, keyboard }[scenario]();
} finally {
  await browser.close();
}
seen.hosts = [...new Set(seen.hosts)];
console.log(JSON.stringify(seen));
