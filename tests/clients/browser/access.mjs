// The inbox by mouse and by keyboard alone, where the focus goes, and what axe-core finds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, connect, given, looks, open, press, serve, shows, violations } from "./session.mjs";

const PENDING = { acme: "PENDING_INCOMING", bank: "PENDING_INCOMING", club: "received_connection_request" };
const fill = () => Promise.all(Object.entries(PENDING).map(([platform, word]) => connect(platform, 102, word)));
const left = (page) => page.$eval("p", (note) => note.textContent);
const focused = (page) => page.evaluate(() => {
  const { activeElement } = document;
  const inner = activeElement.shadowRoot?.activeElement;
  return inner ? inner.ariaLabel || inner.textContent : activeElement.localName;
});

test("the inbox is emptied by clicking", async () => {
  await fill();
  await open("/inbox.html", async (page) => {
    await page.waitForFunction(() => document.querySelector("p").textContent === "3 pending. ");
    if (given.pictures) await page.screenshot({ path: `${given.pictures}/inbox.png` });
    for (const platform of Object.keys(PENDING)) {
      await press(page, `Accept: user 102 on ${platform}`, `connection-status[platform=${platform}]`);
    }
    await page.waitForFunction(() => document.querySelector("p").textContent === "0 pending. ");
  });
});

test("the inbox is emptied by keyboard alone, and the focus is never lost", async () => {
  await fill();
  await open("/inbox.html", async (page) => {
    await page.waitForFunction(() => document.querySelector("p").textContent === "3 pending. ");
    for (let presses = 0; presses < 20 && await left(page) !== "0 pending. "; presses += 1) {
      await page.keyboard.press("Tab");
      if (!(await focused(page)).startsWith("Accept")) continue;
      const before = await left(page);
      await page.keyboard.press("Enter");
      await page.waitForFunction((text) => document.querySelector("p").textContent !== text, {}, before);
      assert.match(await focused(page), /^Remove: user 102/);
    }
    assert.equal(await left(page), "0 pending. ");
  });
});

test("the focus follows every change of the buttons", async () => {
  await connect("acme", 105, null);
  await blank('<connection-status platform="acme" user-id="105"></connection-status>', async (page) => {
    await shows(page, "Not connected");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Connect");
    await page.keyboard.press("Enter");
    await shows(page, "Request sent");
    assert.equal(await focused(page), "Request sent", "no button is left");
  });
  await connect("acme", 101, "ACCEPTED");
  await blank('<connection-status platform="acme" user-id="101"></connection-status>', async (page) => {
    await shows(page, "Connected");
    await page.keyboard.press("Tab");
    for (const [key, expected] of [["Enter", "Keep"], ["Enter", "Remove"], ["Space", "Keep"]]) {
      await page.keyboard.press(key);
      assert.equal(await focused(page), expected);
    }
    await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    await page.keyboard.up("Shift");
    assert.equal(await focused(page), "Really remove");
    await page.keyboard.press("Enter");
    await shows(page, "Not connected");
    assert.equal(await focused(page), "Not connected");
  });
});

test("what it says is heard: name, status and problem, and each button by its name", () => blank(
  '<connection-status platform="club" user-id="1800" label="Ada"></connection-status><connection-status platform="club" user-id="1801"></connection-status>',
  async (page) => {
    await shows(page, "Connected");
    const buttons = ({ role, name, children = [] }) => [...(role === "button" ? [name] : []), ...children.flatMap(buttons)];
    assert.deepEqual(buttons(await page.accessibility.snapshot()), ["Remove: Ada", "Remove"]);
    assert.deepEqual(await page.$$eval("connection-status", (all) => all.map(({ shadowRoot }) => {
      const live = shadowRoot.querySelector("[role=status]");
      return [live.ariaLive, live.textContent.trim()];
    })), [["polite", "Ada: Connected"], ["polite", "Connected"]]);
  }));

// every look of the element, by a gateway that is only a table
serve("/looks.js", `import { ConnectionStatus } from "https://gateway.example.com/client/element.js";
const connection = (status, ...actions) => ({ status, actions, as_of: "2026-11-21T21:41:00.123Z", stale: false });
const states = {
  1: { isLoading: true },
  2: { connection: connection("connected", "remove") },
  3: { connection: connection("pending_incoming", "accept", "reject") },
  4: { connection: connection("pending_outgoing", "cancel") },
  5: { connection: connection("rejected", "request") },
  6: { connection: connection("none", "request") },
  7: { connection: { ...connection("connected", "remove"), stale: true } },
  8: { problem: { status: 429 } },
  9: { connection: connection("pending_incoming", "accept", "reject"), problem: { slug: "outcome-unknown", status: 504 } },
  10: { connection: connection("pending_incoming", "accept", "reject"), acting: "accept" },
  11: { connection: connection("connected", "remove") },
};
ConnectionStatus.gateway = { state: (_, id) => states[id], subscribe: () => () => {}, prime() {}, retry() {}, act: async () => {} };
for (const id in states) {
  const item = document.createElement("li");
  item.append("User " + id + " ", Object.assign(document.createElement("connection-status"), { platform: "acme", userId: id, label: "User " + id }));
  document.querySelector("ul").append(item);
}
document.querySelector("ul").lastChild.lastChild.shadowRoot.querySelectorAll("button")[4].click();`);
const document_ = (dir) => `<!DOCTYPE html><html lang="en" dir="${dir}"><meta charset="utf-8"><title>Looks</title>
  <meta name="viewport" content="width=device-width"><link rel="stylesheet" href="page.css">
  <script type="module" src="looks.js"></script><main><h1>Looks</h1><ul></ul></main></html>`;

for (const dir of ["ltr", "rtl"]) {
  test(`nobody is shut out: ${dir}`, async () => {
    serve(`/${dir}.html`, document_(dir));
    await open(`/${dir}.html`, async (page, _, wire) => {
      for (const [scheme, forced] of [["light", "none"], ["dark", "none"], ["light", "active"]]) {
        const features = [{ name: "prefers-color-scheme", value: scheme }, { name: "forced-colors", value: forced }];
        await wire.send("Emulation.setEmulatedMedia", { features });
        for (const width of [1280, 380]) {
          await page.setViewport({ width, height: 900 });
          assert.deepEqual(await violations(page), [], `${scheme}, ${width}, forced colours ${forced}`);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
          if (given.pictures) await page.screenshot({ path: `${given.pictures}/${dir}-${scheme}-${forced}-${width}.png` });
        }
      }
      const seen = (await looks(page)).map((look) => JSON.stringify({ ...look, buttons: look.buttons.map((name) => name.split(":")[0]) }));
      assert.equal(new Set(seen).size, seen.length, "with forced colours only words and marks are left to tell them apart");
      const borders = await page.$$eval("connection-status", (all) => all.flatMap(({ shadowRoot }) => (
        [...shadowRoot.querySelectorAll("button:not([hidden])")].map((each) => [getComputedStyle(each).borderTopStyle, each.ariaDisabled, getComputedStyle(each).opacity].join())
      )));
      assert.deepEqual([...new Set(borders)].sort(), ["solid,,1", "solid,true,0.6"]);
    });
  });
}
