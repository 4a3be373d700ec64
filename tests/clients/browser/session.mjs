// What the browser tests share: Chromium, and a web server on another site than the gateway, with a strict policy.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { after } from "node:test";

export const given = JSON.parse(process.env.BROWSER_TESTS);
export const load = createRequire(`${given.modules}/`);
const puppeteer = load("puppeteer-core");
const axe = load("axe-core");

export const origin = `http://localhost:${given.port}`;
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };
const made = new Map();

function policy(gateway) {
  return `default-src 'none'; script-src 'self' ${gateway}; connect-src ${gateway}; style-src 'self'; img-src data:; `
    + "base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
}

/** Serves `content` at `path`; the examples of the package are served as they are, for the gateway `own`. */
export function serve(path, content) {
  made.set(path, content);
}

const server = createServer(async (request, response) => {
  const path = new URL(request.url, origin).pathname;
  try {
    let content = made.get(path) ?? await readFile(`${given.client}/examples${path}`, "utf8");
    content = content.replaceAll("https://gateway.example.com", given.own);
    response.writeHead(200, {
      "content-type": TYPES[path.split(".").pop()],
      "content-security-policy": policy(`${given.own} ${given.passing} ${given.token}`),
    });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}).listen(given.port, "127.0.0.1");

const browser = await puppeteer.launch({
  executablePath: given.chromium,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP localhost 127.0.0.1"],
});
after(async () => {
  await browser.close();
  server.close();
  server.closeAllConnections();
});

/** Opens `path` of this server, or another address, gives the page to `use` after `before`, and fails if the browser reported anything but `expected` errors. */
export async function open(path, use, { expected = /^$/, before } = {}) {
  await before?.();
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const errors = [];
  const requests = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  const wire = await page.createCDPSession();
  await wire.send("Network.enable");
  wire.on("Network.requestWillBeSent", ({ type, request }) => {
    requests.push({ type, method: request.method, url: request.url, headers: request.headers });
  });
  try {
    await page.goto(new URL(path, origin));
    await use(page, requests, wire);
  } finally {
    await context.close();
  }
  const unexpected = errors.filter((each) => !expected.test(each));
  if (unexpected.length) throw new Error(unexpected.join("\n"));
}

/** A page on which `client` is everything that element.js exports, and `body` its content. */
export async function blank(body, use, options) {
  const path = `/blank-${made.size}.html`;
  serve("/client.js", 'import * as client from "https://gateway.example.com/client/element.js"; globalThis.client = client;');
  serve(path, `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Test</title>
    <link rel="stylesheet" href="page.css"><script type="module" src="client.js"></script><main>${body}</main></html>`);
  await open(path, use, options);
}

/** What a person sees and hears of each element: status, problem, and buttons with their accessible names. */
export function looks(page, selector = "connection-status") {
  return page.$$eval(selector, (all) => all.map(({ shadowRoot }) => ({
    status: shadowRoot.querySelector("[part=status]").textContent,
    problem: shadowRoot.querySelector("[part=problem]").textContent,
    buttons: [...shadowRoot.querySelectorAll("button:not([hidden])")].map((each) => each.ariaLabel || each.textContent),
    busy: [...shadowRoot.querySelectorAll("button:not([hidden])")].some((each) => each.ariaDisabled === "true"),
  })));
}

/** Waits until every element of `selector` shows this text as its status or its problem. */
export async function shows(page, text, selector = "connection-status") {
  await page.waitForFunction((wanted, which) => [...document.querySelectorAll(which)].every(({ shadowRoot }) => (
    ["status", "problem"].some((part) => shadowRoot.querySelector(`[part=${part}]`).textContent === wanted)
  )), { timeout: 15_000 }, text, selector);
}

/** Waits for the button with this accessible name, and clicks it with the mouse. */
export async function press(page, name, selector = "connection-status") {
  const button = await page.waitForFunction((wanted, which) => document.querySelector(which)
    .shadowRoot.querySelectorAll("button:not([hidden])").values().find((each) => (each.ariaLabel || each.textContent) === wanted),
  { timeout: 15_000 }, name, selector);
  await button.click();
}

/** The axe-core violations of the page as it is now. */
export async function violations(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => globalThis.axe.run());
  return found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" ")}`);
}

/** Sets faults of a simulated platform, or clears them. */
export async function fault(platform, ...faults) {
  await fetch(`${given[platform]}/_simulator/faults`, {
    method: faults.length ? "PUT" : "DELETE",
    body: faults.length ? JSON.stringify(faults) : undefined,
  });
}

export async function connect(platform, user, status) {
  const answer = await fetch(`${given[platform]}/_simulator/connections/1/${user}`, {
    method: "PUT", body: JSON.stringify({ status }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}
