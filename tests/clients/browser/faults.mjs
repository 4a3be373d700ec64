import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, fault, given, looks, press, shows } from "./session.mjs";

const one = (platform, user) => `<connection-status platform="${platform}" user-id="${user}" label="Ada"></connection-status>`;

/** Presses "Try again" until the status is shown without a problem. */
async function recover(page) {
  for (;;) {
    const [look] = await looks(page);
    if (look.status === "Connected" && !look.problem) return;
    if (!look.busy) await press(page, "Try again: Ada");
    await page.waitForFunction(() => !document.querySelector("connection-status").matches(":state(loading)"), { polling: 200 });
  }
}

test("an outage is shown in words, and recovers", () => blank(one("bank", 1500), async (page) => {
  await shows(page, "Not available at the moment.");
  assert.deepEqual((await looks(page))[0].buttons, ["Try again: Ada"]);
  await fault("bank");
  await recover(page);
}, { before: () => fault("bank", { drop: true }) }));

test("a gateway that can't be reached is shown in words, and recovers", () => blank(one("club", 1501), async (page, _, wire) => {
  await page.waitForFunction(() => document.querySelector("connection-status").matches(":state(connected)"));
  await wire.send("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await press(page, "Remove: Ada");
  await press(page, "Really remove: Ada");
  await shows(page, "Not available at the moment.");
  assert.equal((await looks(page))[0].status, "Connected", "what is not known did not change");
  await wire.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await recover(page);
}, { expected: /ERR_INTERNET_DISCONNECTED/ }));

test("a stale connection is marked, and recovers", async () => {
  await blank(one("bank", 1502), (page) => shows(page, "Connected"));
  await fault("bank", { drop: true });
  await blank(one("bank", 1502), async (page) => {
    for (;;) {  // until the gateway's copy has expired
      await page.waitForFunction(() => !document.querySelector("connection-status").matches(":state(loading)"));
      if ((await looks(page))[0].problem) break;
      await page.reload();
    }
    assert.deepEqual(await looks(page), [
      { status: "Connected", problem: "May be out of date.", buttons: ["Try again: Ada"], busy: false },
    ]);
    assert.ok(await page.$eval("connection-status", (each) => each.matches(":state(stale)")));
    await fault("bank");
    await recover(page);
  });
});

test("a throttled platform is shown in words, and recovers", () => blank("", async (page) => {
  await page.evaluate((url) => { client.ConnectionStatus.gateway = new client.Gateway(url, { timeout: 4_000 }); }, given.own);
  await page.$eval("main", (main, text) => {
    const status = Object.assign(document.createElement("connection-status"), { platform: "club", userId: "1503", label: "Ada" });
    main.append(status);
  });
  await shows(page, "Too many requests. Try again later.");
  await fault("club");
  await recover(page);
}, { before: () => fault("club", { retry_after: 5, times: 1 }) }));

test("a refused token is shown in words, and recovers with a new one", () => blank("", async (page) => {
  await page.evaluate((url) => {
    globalThis.token = "expired";
    const headers = () => ({ "x-platform-token": `acme=${globalThis.token}` });
    client.ConnectionStatus.gateway = new client.Gateway(url, { headers });
    document.querySelector("main").append(
      Object.assign(document.createElement("connection-status"), { platform: "acme", userId: "1504", label: "Ada" }));
  }, given.passing);
  await shows(page, "Please sign in again.");
  await page.evaluate(() => { globalThis.token = "demo"; });
  await recover(page);
}));

test("a token that expires is renewed once for everything in flight, and nobody notices", () => blank("", async (page) => {
  const asked = await page.evaluate(async (url) => {
    const asked = [];
    let token = "expired";
    const headers = async ({ refused }) => {
      asked.push(refused);
      if (refused) token = "demo";
      return { "x-platform-token": `acme=${token}, club=${token}` };
    };
    const gateway = new client.Gateway(url, { headers });
    client.ConnectionStatus.gateway = gateway;
    for (const userId of [1505, 1506]) {
      document.querySelector("main").append(
        Object.assign(document.createElement("connection-status"), { platform: "acme", userId, label: "Ada" }));
    }
    await gateway.lookup("club", "1505");
    return asked;
  }, given.passing);
  await shows(page, "Connected");
  assert.deepEqual(asked, [false, true]);
  assert.deepEqual((await looks(page)).map(({ problem }) => problem), ["", ""]);
}));

test("a credential changes what is shown, and is nowhere in the page", () => blank("", async (page, requests) => {
  await page.evaluate((url) => {
    client.ConnectionStatus.gateway = new client.Gateway(url, { headers: { "x-platform-token": "acme=demo" } });
    document.querySelector("main").append(
      Object.assign(document.createElement("connection-status"), { platform: "acme", userId: "1507" }));
  }, given.passing);
  await shows(page, "Connected");
  assert.ok(requests.every(({ url }) => !url.includes("demo")));
  assert.ok(!(await page.content()).includes("demo"));
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
}));
