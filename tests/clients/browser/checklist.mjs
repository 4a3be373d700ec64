// What web authors may expect of a custom element.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, given, looks, open, serve, shows } from "./session.mjs";

const club = '<connection-status platform="club" user-id="1700"></connection-status>';

test("properties that were set before the element was defined count", async () => {
  serve("/early.js", `const early = document.createElement("connection-status");
    Object.assign(early, { platform: "club", userId: "1701", label: "Ada" });
    document.querySelector("main").append(early);`);
  await blank('<script src="early.js"></script>', async (page) => {
    await shows(page, "Connected");
    assert.deepEqual((await looks(page))[0].buttons, ["Remove: Ada"]);
  });
});

test("attributes and properties are the same, and neither is made up", () => blank(club, async (page) => {
  await shows(page, "Connected");
  assert.deepEqual(await page.$eval("connection-status", (each) => {
    const untouched = each.getAttributeNames();
    Object.assign(each, { platform: "acme", userId: 7n, label: "Ada" });
    const reflected = ["platform", "user-id", "label"].map((name) => each.getAttribute(name));
    each.setAttribute("user-id", "8");
    return [untouched, reflected, each.userId, document.createElement("connection-status").getAttributeNames()];
  }), [["platform", "user-id"], ["acme", "7", "Ada"], "8", []]);
}));

test("hidden hides it, and its display can be overridden", () => blank(club, async (page) => {
  const displays = await page.$eval("connection-status", (each) => {
    const seen = [getComputedStyle(each).display];
    each.hidden = true;
    seen.push(getComputedStyle(each).display);
    each.hidden = false;
    each.style.display = "grid";
    return [...seen, getComputedStyle(each).display];
  });
  assert.deepEqual(displays, ["inline-flex", "none", "grid"]);
}));

test("what it is moved, cloned or removed, costs no call and keeps nothing", () => blank(`<p></p>${club}`, async (page, requests) => {
  await shows(page, "Connected");
  await page.$eval("connection-status", (each) => {
    document.querySelector("p").append(each);
    document.querySelector("main").append(each.cloneNode());
  });
  assert.deepEqual((await looks(page)).map(({ status }) => status), ["Connected", "Connected"]);
  assert.equal(requests.filter(({ method, url }) => method === "POST" && url.includes("/v1/")).length, 1);
  const known = () => client.ConnectionStatus.gateway.state("club", "1700").connection;
  assert.ok(await page.evaluate(known));
  await page.$$eval("connection-status", (all) => all.forEach((each) => each.remove()));
  await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve); }));
  assert.equal(await page.evaluate(known), null);
}));

test("no event answers a property that the page itself sets", () => blank(club, async (page) => {
  await shows(page, "Connected");
  assert.equal(await page.$eval("connection-status", (each) => {
    let told = 0;
    each.addEventListener("connection-change", () => { told += 1; });
    each.connection = { ...each.connection, status: "none", actions: ["request"] };
    return told;
  }), 0);
  assert.deepEqual((await looks(page))[0], { status: "Not connected", problem: "", buttons: ["Connect"], busy: false });
}));

test("another user is never shown with the state of the one before", () => blank(club, async (page) => {
  await shows(page, "Connected");
  assert.deepEqual(await page.$eval("connection-status", (each) => {
    each.userId = "404404";
    return each.shadowRoot.querySelector("[part=status]").textContent;
  }), "Loading…");
  await shows(page, "Not found.");
}));

test("its parts and states can be styled from outside", () => blank(club, async (page) => {
  await shows(page, "Connected");
  assert.ok(await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("connection-status:state(connected)::part(status) { letter-spacing: 7px }");
    document.adoptedStyleSheets = [sheet];
    const [status] = document.querySelector("connection-status").shadowRoot.querySelectorAll("[part=status]");
    return getComputedStyle(status).letterSpacing === "7px";
  }));
}));

const page = (element, gateway) => `<!DOCTYPE html><html lang="en"><title>Test</title>
  <link rel="modulepreload" href="${given.own}/client-${given.version}/gateway.js" integrity="${gateway}" crossorigin>
  <script type="module" src="${given.own}/client-${given.version}/element.js" integrity="${element}" crossorigin></script>${club}</html>`;

test("the immutable address with its integrity works, and refuses a file that was changed", async () => {
  const { "element.js": element, "gateway.js": gateway } = given.integrity;
  serve("/integrity.html", page(element, gateway));
  await open("/integrity.html", (each) => shows(each, "Connected"));
  for (const [name, lines] of Object.entries({ "/element.html": page(gateway, gateway), "/gateway.html": page(element, element) })) {
    serve(name, lines);
    await open(name, async (each) => {
      assert.equal(await each.evaluate(() => customElements.get("connection-status")), undefined);
    }, { expected: /integrity|Failed to load/ });
  }
});

test("two copies on one page get along", () => blank(club, async (page) => {
  await page.evaluate((url) => import(url), `${given.own}/client-${given.version}/element.js`);
  await shows(page, "Connected");
}));

test("the policy under which all of this ran refuses markup made of text", () => blank("", async (page) => {
  await assert.rejects(page.evaluate(() => { document.body.innerHTML = "<b>x</b>"; }), /TrustedHTML/);
}, { expected: /Trusted/ }));
