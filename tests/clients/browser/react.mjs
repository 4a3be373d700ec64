// The React example in StrictMode, with both versions of React that are supported.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, given, load, open, serve } from "./session.mjs";

const esbuild = load("esbuild");

/** The example as one script, which counts its subscriptions and hands out its root. */
async function bundle(version) {
  const { outputFiles: [{ text }] } = await esbuild.build({
    stdin: {
      contents: `import { Gateway } from "@connection-gateway/client";
        globalThis.subscriptions = { now: 0, ever: 0 };
        const { subscribe } = Gateway.prototype;
        Gateway.prototype.subscribe = function count(...of) {
          const leave = subscribe.apply(this, of);
          globalThis.gateway = this;
          subscriptions.now += 1;
          subscriptions.ever += 1;
          return () => { subscriptions.now -= 1; leave(); };
        };
        import("./examples/react.tsx").then(({ root }) => { globalThis.root = root; });`,
      resolveDir: given.client,
    },
    bundle: true,
    format: "iife",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"development"' },
    nodePaths: [`${given.react}/${version}/node_modules`],
    write: false,
  });
  return text;
}

for (const version of [18, 19]) {
  test(`React ${version} renders, acts and unmounts, without a warning or a leak`, async () => {
    await connect("acme", 105, null);
    await connect("acme", 102, "PENDING_INCOMING");
    serve(`/react-${version}.js`, await bundle(version));
    serve(`/react-${version}.html`, `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>React</title>
      <div id="root"></div><script src="react-${version}.js"></script></html>`);
    await open(`/react-${version}.html`, async (page, requests) => {
      const text = () => page.$eval("#root", (root) => root.innerText);
      await page.waitForFunction(() => document.querySelectorAll("button").length > 2);
      assert.match(await text(), /User 102: pending_incoming\s*accept\s*reject/);
      assert.equal(requests.filter(({ method, url }) => method === "POST" && url.endsWith("/v1/lookup")).length, 1);
      await page.evaluate(() => [...document.querySelectorAll("button")].find((each) => each.textContent === "accept").click());
      await page.waitForFunction(() => /User 102: connected/.test(document.querySelector("#root").innerText));
      assert.deepEqual(await page.evaluate(() => [subscriptions.now, subscriptions.ever]), [4, 8], "StrictMode mounts twice");
      await page.evaluate(() => root.unmount());
      await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 0); }));
      assert.equal(await page.evaluate(() => subscriptions.now), 0);
      assert.equal(await page.evaluate(() => gateway.state("acme", "102").connection), null, "nothing is kept");
    });
  });
}
