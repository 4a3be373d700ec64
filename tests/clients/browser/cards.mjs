import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, connect, given, looks, open, press, shows } from "./session.mjs";

const isCall = ({ method, url }) => method !== "OPTIONS" && url.startsWith(`${given.own}/v1/`);
const two = '<connection-status platform="acme" user-id="105" label="Ada"></connection-status>'.repeat(2);

test("100 elements of another site cost one lookup and at most one preflight", () => open("/cards.html", async (page, requests) => {
  await shows(page, "Connected");
  assert.equal((await looks(page)).length, 100);
  assert.deepEqual(requests.filter(isCall).map(({ method, url }) => [method, url]), [["POST", `${given.own}/v1/lookup`]]);
  assert.ok(requests.filter(({ method }) => method === "OPTIONS").length <= 1);
  if (given.pictures) await page.screenshot({ path: `${given.pictures}/cards.png` });
}));

test("an action on one updates every element of that user", async () => {
  await connect("acme", 105, null);
  await blank(two, async (page, requests) => {
    await shows(page, "Not connected");
    await press(page, "Connect: Ada");
    await shows(page, "Request sent");
    assert.deepEqual(requests.filter(isCall).map(({ url }) => new URL(url).pathname),
      ["/v1/lookup", "/v1/connections/acme/105/request"]);
    assert.deepEqual(await looks(page), Array(2).fill({ status: "Request sent", problem: "", buttons: [], busy: false }));
  });
});

test("remove asks once more, and keep leaves everything as it is", async () => {
  await connect("acme", 101, "ACCEPTED");
  const one = '<connection-status platform="acme" user-id="101"></connection-status>';
  await blank(one, async (page, requests) => {
    await press(page, "Remove");
    assert.deepEqual((await looks(page))[0].buttons, ["Really remove", "Keep"]);
    await press(page, "Keep");
    assert.deepEqual((await looks(page))[0].buttons, ["Remove"]);
    assert.equal(requests.filter(isCall).length, 1);
    await press(page, "Remove");
    await press(page, "Really remove");
    await shows(page, "Not connected");
  });
});

test("a connection that the page has already costs no call", () => blank("", async (page, requests) => {
  await page.evaluate(() => {
    const status = document.createElement("connection-status");
    status.connection = {
      platform: "club", user_id: "1001", status: "connected", actions: ["remove"], as_of: "2026-11-21T21:41:00.123Z", stale: false,
    };
    document.querySelector("main").append(status);
  });
  await shows(page, "Connected");
  assert.deepEqual(requests.filter(isCall), []);
}));

test("events bubble out of other shadow trees", () => blank("<p id=host></p>", async (page) => {
  const told = await page.evaluate(() => new Promise((resolve) => {
    document.addEventListener("connection-change", (event) => resolve([event.detail.status, event.detail.user_id]));
    const root = document.querySelector("#host").attachShadow({ mode: "open" });
    root.append(Object.assign(document.createElement("connection-status"), { platform: "club", userId: "1002" }));
  }));
  assert.deepEqual(told, ["connected", "1002"]);
}));

test("words are those of the nearest lang, and a page adds its own", () => blank("", async (page) => {
  await page.evaluate(() => {
    client.words.de = { connected: "Verbunden", remove: "Entfernen" };
    client.words["de-AT"] = { remove: "Trennen" };
    for (const lang of ["en", "de", "de-AT", "fr"]) {
      const part = Object.assign(document.createElement("div"), { lang });
      const status = document.createElement("connection-status");
      part.append(Object.assign(status, { platform: "club", userId: "1003" }));
      document.querySelector("main").append(part);
    }
  });
  await page.waitForFunction(() => document.querySelector("connection-status").matches(":state(connected)"));
  assert.deepEqual((await looks(page)).map(({ status, buttons }) => [status, ...buttons]),
    [["Connected", "Remove"], ["Verbunden", "Entfernen"], ["Verbunden", "Trennen"], ["Connected", "Remove"]]);
}));
